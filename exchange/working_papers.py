"""An auditor's working papers as a PDF, laid out by `working_papers.typ`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from engine.auditing.found import shown
from engine.auditing.papers import Conclusion, Paper
from engine.trail.event import moment
from exchange.typesetting import typeset

SAID = {Conclusion.SOUND: "无异议 sound", Conclusion.EXCEPTION: "有问题 exception", Conclusion.OPEN: "待查 open"}
"""What a conclusion is called."""
ERASED = "（文字已删除 erased）"
"""What stands for a text that was erased."""


def papers_pdf(papers: Sequence[Paper], batch: str | None, auditor: str, at: datetime) -> bytes:
    """The papers as a PDF, A4.

    Args:
        papers: In the order wanted.
        batch: Of which batch; None for all.
        auditor: Who reads them.
        at: When.

    Raises:
        CannotTypeset: If the template cannot be set.
    """
    data = {
        "about": "全部 All" if batch is None else f"批次 {batch}",
        "auditor": auditor,
        "at": shown(moment(at)),
        "papers": list(map(_paper, papers)),
    }
    return typeset("working_papers.typ", data, at)


def _paper(one: Paper) -> dict[str, object]:
    return {
        "about": f"批次 {one.batch}" if one.case is None else f"办件 {one.case}",
        "actor": one.actor,
        "unit": one.unit,
        "at": shown(one.at),
        "seq": f"#{one.seq}",
        "tone": one.conclusion,
        "conclusion": "" if one.conclusion is None else SAID[Conclusion(one.conclusion)],
        "text": ERASED if one.text is None else one.text,
    }
