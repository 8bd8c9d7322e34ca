"""The tables of an auditor's pages as they are taken along: samples, the cases of one, working papers, seals."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from console.web import forms
from console.web.auditing import papers, samples, seals
from console.web.faults import NotFound
from console.web.lettering import number_shown
from console.web.shown import FEWER_THAN_ALL, Shown, both, minute
from console.web.visit import Visit


def _samples(visit: Visit) -> Shown:
    rows = [
        (
            minute(one.drawn.at), str(one.drawn.told["batch"]), one.total, int(one.drawn.told["population"]),
            str(one.drawn.told["seed"]), one.who, one.seen,
        )
        for one in samples.sample_lines(visit)
    ]  # fmt: skip
    return Shown("抽过的样本", both("抽取时间", "批次", "样本", "总体", "种子", "审计员", "已看"), rows, "")


def _sample(visit: Visit) -> Shown:
    """The cases of a sample, unit by unit in the order of the draw."""
    seq = forms.number(visit.request.query_params.get("of", ""))
    if seq is None:
        raise NotFound
    view = samples.sample_view(visit, seq)
    seen = visit.say("已看")
    rows = [
        (number_shown(case.number), stratum.unit, seen if case.is_seen else None)
        for stratum in view.strata
        for case in stratum.cases
    ]
    return Shown("样本", both("件号", "单位", "已看"), rows, f"of={seq}")


def _papers(visit: Visit) -> Shown:
    """The notes with their whole texts, which the page has room to begin only."""
    batch, words = visit.request.query_params.get("batch", ""), papers.conclusions(visit)
    rows = [
        (
            minute(line.paper.at), papers.about(visit, line.paper), line.who,
            words.get(str(line.paper.conclusion)),
            visit.say("文字已删除") if line.paper.text is None else line.paper.text,
        )
        for line in papers.newest(visit, papers.every_paper(visit, batch))
    ]  # fmt: skip
    return Shown("底稿", both("时间", "关于", "审计员", "结论", "底稿"), rows, f"batch={batch}" if batch else "")


def _seals(visit: Visit) -> Shown:
    rows = (
        (one.size, minute(one.signed_at), one.root, visit.say("、").join(one.signers))
        for one in seals.newest(visit, FEWER_THAN_ALL)
    )
    return Shown("封存头", both("封存到", "签署时间", "树根", "由谁签署"), rows, "", names_people=False)


AUDITED: Mapping[str, Callable[[Visit], Shown]] = {
    "samples": _samples, "sample": _sample, "papers": _papers, "seals": _seals,
}  # fmt: skip
"""By kind."""
