"""Cautions: what a person should have looked at before deciding, though no rule stands in the way.

Rule 1: pure, over the case, its last decision and what is marked of the student's facts; never over how a name looks,
over ethnicity or origin.
Rule 2: a caution rests on something the trail tells, and names it.

Source: console.md 6 (Cautions).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from engine.definition import Bilingual
from engine.records import NOTHING, Case, Json
from engine.vocabulary import Fact

CORRECTED, RETAKEN = "corrected", "retaken"
"""What `caution` of a fact may say: it tells who somebody is; it is a picture, or a judgement of one."""

BY_HAND = "by_hand"
"""The source of facts that a person typed, one by one; what comes by a step or in a sheet has another."""
UNIT = "@unit"
"""The mark of a change of the unit; no fact is called so."""
_A_TERM = timedelta(days=182)
"""About a term, for calendars name the terms that are coming and not how long one has been somewhere."""


class Mark(NamedTuple):
    """How a fact was last changed: by which event of the student's chain, when, how.

    `by_hand`: a person typed it, and it came by no step and in no sheet. `replaced`: another value has stood there
    before; a no that becomes a yes is what was waited for, and replaces nothing.
    """

    seq: int
    at: str
    by_hand: bool
    replaced: bool


Marks = Mapping[str, Mark]
"""The marks of one student's facts, by fact; one that an import has filled once has none."""


class Decision(NamedTuple):
    """The last decision on a case: when, in whose right where that was lent, and whether it came late."""

    at: str
    giver: str | None = None
    late: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Caution:
    """One thing to look at: its id (with the fact it is about after a dot), and what it rests on.

    `seq` is the event of the student's chain that changed `fact`; None where the case itself tells.
    """

    id: str
    title: Bilingual
    values: Mapping[str, Json] = field(default_factory=dict)
    fact: str | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What cautions are found in: a case before a step that reads some facts, as of a moment."""

    case: Case
    decision: Decision | None
    marks: Marks
    reads: Collection[str]
    is_late: bool
    at: datetime


def cautions(looked: Looked, facts: Mapping[str, Fact]) -> tuple[Caution, ...]:
    """Everything to be looked at, in the order of the specification; `facts` is the vocabulary."""
    found = [*_of_case(looked), *_of_facts(looked, facts)]
    return tuple(sorted(found, key=lambda one: _ORDER.index(one.id.partition(".")[0])))


def marked(
    marks: Marks, change: Mapping[str, tuple[Json, Json]], event: tuple[int, str], *, by_hand: bool
) -> dict[str, Mark]:
    """The marks after facts have changed.

    Args:
        marks: As they were.
        change: By fact, the old and the new value.
        event: Its place in the student's chain, and its moment.
        by_hand: Whether a person typed it (`BY_HAND`).
    """
    after = dict(marks)
    for name, (old, _) in change.items():
        replaced = old not in (None, False) or (name in marks and marks[name].replaced)
        if replaced or by_hand:
            after[name] = Mark(*event, by_hand, replaced)
        else:
            after.pop(name, None)
    return after


def read_marks(text: str | None) -> Marks:
    """Marks as a student's row keeps them."""
    return {} if text is None else {name: Mark(*one) for name, one in orjson.loads(text).items()}


def written_marks(marks: Marks) -> str | None:
    """Marks for a student's row."""
    rows = {name: [*mark] for name, mark in marks.items()}
    return orjson.dumps(rows, option=orjson.OPT_SORT_KEYS).decode() if marks else None


def _of_case(looked: Looked) -> Iterator[Caution]:
    case, decision = looked.case, looked.decision
    if case.sent_back:
        yield _caution("sent-back", {"n": case.sent_back + 1})
    if decision is not None and decision.giver is not None:
        yield _caution("by-delegate", {"giver": decision.giver})
    if looked.is_late or (decision is not None and decision.late):
        yield _caution("late")
    moved = looked.marks.get(UNIT)
    if moved is not None and looked.at - datetime.fromisoformat(moved.at) < _A_TERM:
        yield _caution("transferred", {"on": moved.at}, seq=moved.seq)


def _of_facts(looked: Looked, facts: Mapping[str, Fact]) -> Iterator[Caution]:
    for name, mark in looked.marks.items():
        fact = facts.get(name)
        if fact is None:
            continue
        what: dict[str, Json] = {"fact": fact.title.zh, "fact_en": fact.title.en, "at": mark.at}
        if mark.replaced and fact.caution is not None:
            yield _caution(fact.caution, what, fact=name, seq=mark.seq)
        if name not in looked.reads:
            continue
        if mark.by_hand:
            yield _caution("by-hand", what, fact=name, seq=mark.seq)
        elif mark.replaced and looked.decision is not None and mark.at > looked.decision.at:
            yield _caution("changed-since", what, fact=name, seq=mark.seq)


def _caution(
    name: str, values: Mapping[str, Json] = NOTHING, *, fact: str | None = None, seq: int | None = None
) -> Caution:
    return Caution(id=name if fact is None else f"{name}.{fact}", title=TITLES[name], values=values, fact=fact, seq=seq)


TITLES: Mapping[str, Bilingual] = {
    "sent-back": Bilingual(zh="第 {n} 次报送", en="Filed for the {n}th time"),
    "changed-since": Bilingual(zh="{fact}在上次决定后改过", en="{fact_en} changed since the last decision"),
    CORRECTED: Bilingual(zh="{fact}更正过", en="{fact_en} was corrected"),
    "by-hand": Bilingual(zh="{fact}由人工录入", en="{fact_en} was entered by hand"),
    "by-delegate": Bilingual(zh="前次由他人受{giver}委派办理", en="Last done by a delegate of {giver}"),
    RETAKEN: Bilingual(zh="{fact}重采或改判过", en="{fact_en} was retaken or judged again"),
    "late": Bilingual(zh="已标逾期", en="Marked late"),
    "transferred": Bilingual(zh="转入未满一学期", en="Transferred in less than a term ago"),
}
"""By id; the words in braces are the caution's values."""

_ORDER = tuple(TITLES)
