"""The audit report of a batch as a PDF: what `engine.auditing.summary` says, laid out by `audit_report.typ`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO

import segno

from engine.auditing.findings import CODES
from engine.auditing.found import Finding, Limits, shown
from engine.auditing.summary import Funnel, Read, Summary, Tally
from engine.definition import Bilingual
from engine.records import Sentence
from engine.trail.event import moment
from exchange.typesetting import pictures, typeset

TEMPLATE = "audit_report.typ"
_MOST_FOUND = 15
"""So many findings of a code stand on paper; the workbook has them all."""
_MOST_PLACES = 12
"""So many cases are named below a finding."""

Json = Mapping[str, object]


def report_pdf(summary: Summary, limits: Limits) -> bytes:
    """The report, A4, as a PDF.

    Raises:
        CannotTypeset: If the template cannot be set.
    """
    return typeset(TEMPLATE, document_of(summary, limits), summary.at)


def report_pictures(summary: Summary, limits: Limits) -> list[bytes]:
    """The pages of the report as PNG, to be looked at."""
    return pictures(TEMPLATE, document_of(summary, limits), summary.at)


def document_of(summary: Summary, limits: Limits) -> Json:
    """Everything the template reads; it decides where it stands and nothing else."""
    sample = summary.sample
    return {
        "title": summary.title,
        "batch": summary.batch,
        "auditor": summary.auditor,
        "units": "、".join(summary.units),
        "at": shown(moment(summary.at)),
        "origin": summary.trail.origin,
        "cards": _cards(summary),
        "funnels": [_funnel(one) for one in summary.funnels],
        "refusals": list(map(_tally, summary.refusals)),
        "returns": list(map(_tally, summary.returns)),
        "late": list(map(_tally, summary.late)),
        "limits": said_of(limits),
        "codes": [_code(code, title, summary) for code, title in CODES.items()],
        "sample": None if sample is None else _words(said_of_sample(summary)),
        "read": list(map(_read, summary.read)),
        "read-total": _total(summary.read),
        "exceptions": [
            {"case": one.case, "actor": one.actor, "at": shown(one.at)} for one in summary.exceptions
        ],
        "trail": _trail(summary),
        "seal": _words(_seal(summary)),
        "note": summary.trail.note,
        "qr": None if summary.trail.note is None else qr_code(summary.trail.note),
    }  # fmt: skip


def qr_code(text: str) -> str:
    """A text as a QR code, as SVG; error correction M, which prints and folds well."""
    drawn = BytesIO()
    segno.make(text, error="m", micro=False, boost_error=False).save(drawn, kind="svg", border=2, xmldecl=False)
    return drawn.getvalue().decode()


def said_of(limits: Limits) -> str:
    """From where on something is found, in one line."""
    share = int(limits.pair_share * 100)
    return (
        f"阅读 reading {limits.reading_seconds} s · 批量 bulk {limits.bulk_least}"
        f" · 时间 hours {limits.opens:%H:%M}–{limits.closes:%H:%M} · 搭档 pairs {limits.pair_least}, {share}%"
    )


def said_of_sample(summary: Summary) -> Sentence:
    """How the sample was drawn, so that anybody may draw it again."""
    sample = summary.sample
    assert sample is not None  # noqa: S101 asked only where there is one
    told = sample.told
    zh = f"抽取 {len(sample.cases)} / {told['population']} 件"
    en = f"{len(sample.cases)} of {told['population']} cases"
    if "confidence" in told:
        zh += f"，置信度 {told['confidence']}%，可容忍误差 {told['error']}%"
        en += f", confidence {told['confidence']}%, tolerable error {told['error']}%"
    zh += f"；种子 {told['seed']}，由 {sample.actor} 于 {shown(sample.at)} 抽取（登记链第 {sample.seq} 号事件）"
    en += f"; seed {told['seed']}, {told['algorithm']}, by {sample.actor}, event {sample.seq} of the registry"
    return Sentence(zh=zh, en=en)


def _words(text: Bilingual | Sentence) -> Json:
    return {"zh": text.zh, "en": text.en}


def _card(number: object, zh: str, en: str, tone: str = "") -> Json:
    return {"number": str(number), "title": {"zh": zh, "en": en}, "tone": tone}


def _cards(summary: Summary) -> list[Json]:
    found = len(summary.findings)
    exceptions = sum(one.exception for one in summary.read)
    drawn = sum(one.drawn for one in summary.read)
    sealed = summary.trail.size is not None
    return [
        _card(f"{summary.cases:,}", "办件", "cases"),
        _card(f"{sum(one.times for one in summary.refusals):,}", "次未通过的条件", "rules that refused"),
        _card(f"{found:,}", "项发现", "findings", "alarm" if found else "good"),
        _card(f"{exceptions} / {drawn}", "有问题 / 抽样", "exceptions / drawn", "alarm" if exceptions else ""),
        _card(f"{summary.trail.events:,}", "个事件", "events, sealed" if sealed else "events, not sealed"),
    ]


def _funnel(funnel: Funnel) -> Json:
    return {
        "title": _words(funnel.title),
        "total": sum(funnel.counts),
        "states": list(map(_words, funnel.states)),
        "counts": funnel.counts,
        "lines": [
            {"unit": one.unit, "name": one.name, "counts": one.counts, "total": one.total} for one in funnel.lines
        ],
    }


def _tally(one: Tally) -> Json:
    return {"code": one.code, "title": _words(one.title), "of": one.of, "times": one.times, "cases": one.cases}


def _code(code: str, title: Sentence, summary: Summary) -> Json:
    own = [one for one in summary.findings if one.code == code]
    return {
        "code": code,
        "title": _words(title),
        "times": len(own),
        "cases": len({place.chain for one in own for place in one.places if place.chain > 0}),
        "found": [
            {"said": _words(one.told(summary.names)), "places": places_of(one, _MOST_PLACES)}
            for one in own[:_MOST_FOUND]
        ],
        "left": max(0, len(own) - _MOST_FOUND),
    }


def places_of(one: Finding, most: int) -> str:
    """The cases of a finding with their event numbers, the first of many: `K7Q2-M4XA #3 #5`."""
    first = [f"{place.number} {' '.join(f'#{seq}' for seq in place.seqs)}" for place in one.places[:most]]
    more = len(one.places) - most
    return "、".join(first) + (f" … +{more}" if more > 0 else "")


def _read(one: Read) -> Json:
    return {**one._asdict(), "unread": one.drawn - one.sound - one.exception - one.open}


def _total(read: Sequence[Read]) -> list[int]:
    sums = [sum(column) for column in zip(*(one[2:] for one in read), strict=True)] or [0] * 5
    return [*sums, sums[1] - sum(sums[2:])]


def _trail(summary: Summary) -> list[Json]:
    trail = summary.trail
    sealed = "尚未封存 not sealed yet" if trail.size is None else f"{trail.size:,}"
    at = "—" if trail.signed_at is None else shown(trail.signed_at)
    pairs = (
        ("日志", "Log", trail.origin),
        ("本批次事件", "Events of the batch", f"{trail.events_of_batch:,}"),
        ("全部事件", "Events in all", f"{trail.events:,}"),
        ("最近封存的大小", "Size of the last checkpoint", sealed),
        ("封存时间", "Signed at", at),
    )
    return [{"title": {"zh": zh, "en": en}, "value": value} for zh, en, value in pairs]


def _seal(summary: Summary) -> Sentence:
    if summary.trail.note is None:
        return Sentence(
            zh="日志尚未封存：本报告所依据的事件还没有外部可核对的日志头。",
            en="The log is not sealed yet: no signed head stands behind these figures.",
        )
    return Sentence(
        zh="二维码即下方签名的日志头；请扫描留存，日后以 xueji audit verify --seen 核对日志未被改写。",
        en="The code is the signed head below: keep it, and a log rewritten later will not extend it.",
    )
