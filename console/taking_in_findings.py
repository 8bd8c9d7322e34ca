"""What was found in a sheet, as it is kept beside it: cells to mend by kind and column, and what it would do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import orjson

from console.taking_in import Effect, Judged, counted
from engine.facts import FactRefusal
from engine.store.import_runs import FaultRow
from exchange.faults import Fault, Sentence

MOST = 9_999
"""Cells kept one by one; of more only their number by kind."""
_MOST_REFUSED = 200
_DETAIL = re.compile(r"[；;（(，,：:]")
_EXPECTED = ("应为", "expected")
"""How reasons begin that name what may stand in a cell, not what does."""
_VALUES = re.compile(r"“[^”]*”|[A-Z]{1,3}\d+|\d{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is known of a sheet.

    Attributes:
        rows: Below the header; `good` are those without a fault.
        faults: Cells to mend, `warnings` cells to look at; `sorts` and `headers` count the cells to mend.
        counts: What it does, as `Effect.counts`; `facts` how often it changes which fact.
        ready: The cases that nothing stands in the way of any more; `applying` the records among
            them, `reviews` those whose picture is to be seen again.
        listed: Student number and why, of those who are named before anybody says yes; `listings` how many in all.
        number: 批号, once it is taken in.
        refused: Student number and both sentences, `refusals` how many students in all.
        error: Both sentences, where it could not be read or kept at all.
    """

    rows: int = 0
    good: int = 0
    faults: int = 0
    warnings: int = 0
    sorts: Mapping[str, int] = field(default_factory=dict)
    headers: Mapping[str, int] = field(default_factory=dict)
    counts: Sequence[int] = ()
    facts: Mapping[str, int] = field(default_factory=dict)
    ready: Sequence[int] = ()
    applying: Sequence[int] = ()
    reviews: Sequence[int] = ()
    listed: Sequence[Sequence[str]] = ()
    listings: int = 0
    number: str = ""
    refused: Sequence[Sequence[str]] = ()
    refusals: int = 0
    error: Sequence[str] = ()

    @property
    def effect(self) -> Effect:
        """What it does, without the students and cases."""
        return counted(self.counts)

    def as_json(self) -> str:
        """As it is kept."""
        return orjson.dumps(asdict(self)).decode()


def read_findings(told: str) -> Findings:
    """What was kept of a sheet."""
    return Findings(**orjson.loads(told)) if told else Findings()


def findings_of(judged: Judged, effect: Effect | None = None) -> Findings:
    """What was found in a sheet that could be read."""
    done = effect or Effect()
    return Findings(
        rows=judged.rows,
        good=judged.rows - len({one.row for one in judged.faults if one.row >= judged.first}),
        faults=len(judged.faults),
        warnings=len(judged.warnings),
        sorts=dict(Counter(sort_of(one) for one in judged.faults).most_common()),
        headers=dict(Counter(one.column for one in judged.faults).most_common()),
        counts=done.counts,
        facts=dict(judged.facts),
        ready=sorted(done.ready),
        applying=sorted(done.applying),
        reviews=sorted(done.reviews),
        listed=judged.listed[:_MOST_REFUSED],
        listings=len(judged.listed),
        refused=_refused(done.refused[:_MOST_REFUSED]),
        refusals=len(done.refused),
    )


def failed_with(reason: Sentence) -> Findings:
    """What is kept of a sheet that could not be read or kept."""
    return Findings(error=(reason.zh, reason.en))


def rows_of(judged: Judged) -> list[FaultRow]:
    """The cells to mend, then those to look at."""
    told = [(False, one) for one in judged.faults[:MOST]] + [(True, one) for one in judged.warnings[:MOST]]
    return [
        FaultRow(is_warning, one.row, one.column, one.cell, one.value, sort_of(one), one.reason.zh, one.reason.en)
        for is_warning, one in told
    ]


def sort_of(fault: Fault) -> str:
    """What is wrong with all cells alike, in both languages, without the values."""
    if fault.sort is not None:
        return f"{fault.sort.zh} / {fault.sort.en}"
    return f"{_plain(fault.reason.zh)} / {_plain(fault.reason.en)}"


def _plain(text: str) -> str:
    head = _DETAIL.split(text, maxsplit=1)[0].strip()
    return head if text.startswith(_EXPECTED) else _VALUES.sub("…", head)


def _refused(refused: Iterable[FactRefusal]) -> list[list[str]]:
    return [
        [one.student_no, "；".join(x.sentence.zh for x in one.verdicts), "; ".join(x.sentence.en for x in one.verdicts)]
        for one in refused
    ]
