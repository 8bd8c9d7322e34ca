"""One moment of a case as an auditor sees it: where on the line of time, what was known, and why it was decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from console.web.cases.facts import FactLine, changes
from console.web.cases.history import Happening
from console.web.cases.looking import then
from console.web.cases.view import CaseView
from console.web.faults import NotFound
from console.web.visit import Visit
from engine.definition import Bilingual
from engine.records import Json, Outcome
from engine.steps import Machine
from engine.store import looks
from engine.store.cases import Found
from engine.store.stories import StoryLine, story
from engine.trail.event import EventKind, chain_name
from engine.viewing import CASE, VIEW, view_case

FIRST_FACTS = 10
"""Of what was known, before the rest is folded; what was changed later is never folded."""
_SILENT = {
    str(EventKind.VIEWED): Bilingual(zh="查看", en="Looked at"),
    str(EventKind.NOTED): Bilingual(zh="底稿", en="Working paper"),
}
"""Events of auditors, which the people of a case are not shown."""


_DECIDING = frozenset({str(EventKind.MOVED), str(EventKind.SIGNED)})
"""Events by which somebody decides, as findings have it (`engine.auditing.corrected`)."""


class Tick(NamedTuple):
    """One event on the line of time: its number in the chain, its moment, and what it is called if it was a step."""

    seq: int
    at: datetime
    title: Bilingual | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slider:
    """The line of time of a case; looks at its end are left out, or every look would make it longer."""

    ticks: tuple[Tick, ...]
    here: Tick

    @property
    def before(self) -> int | None:
        """The event before; None at the first."""
        return self.here.seq - 1 if self.here.seq > 1 else None

    @property
    def after(self) -> int | None:
        """The next event; None at the last."""
        return self.here.seq + 1 if self.here.seq < self.last else None

    @property
    def last(self) -> int:
        """The number of the last event."""
        return self.ticks[-1].seq


class WhyLine(NamedTuple):
    """What one rule said in that event: on which values, and by which clauses."""

    id: str
    title: Bilingual
    outcome: Outcome
    seen: tuple[tuple[Bilingual, str], ...]
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A case right after one of its events.

    Attributes:
        view: The case as it stood, as the page of a case shows it.
        event: What happened in that event; None for what only auditors wrote.
        why: What the rules said in it.
        later: When each fact that was changed afterwards was changed next, by name.
        undone: What the decision of this event rested on and is another value now, with the moment of its last change.
        version: That of the definition the event was written under.
    """

    slider: Slider
    view: CaseView
    event: Happening | None
    why: tuple[WhyLine, ...]
    later: Mapping[str, datetime]
    undone: tuple[tuple[Bilingual, datetime], ...]
    version: int

    @property
    def facts(self) -> tuple[FactLine, ...]:
        """What was known then, first what was changed later."""
        return tuple(sorted(self.view.facts, key=lambda one: one.name not in self.later))

    @property
    def shown_at_once(self) -> int:
        """How many of these are not folded."""
        return max(FIRST_FACTS, sum(1 for one in self.view.facts if one.name in self.later))


@contextmanager
def moment_of(visit: Visit, number: str, seq: int | None) -> Iterator[Moment]:
    """A case right after an event, by default its last that is no look; that it is looked at is kept first.

    Raises:
        NotFound: If there is no such case or event, or not for this person.
    """
    found = visit.case(number)
    case = found.case
    lines = story(visit.desk.connection, [case.id] if case.student is None else [case.id, -case.student])
    slider = _slider(visit, found, [line for line in lines if line.chain == case.id], seq)
    _keep_look(visit, found, slider.here.at)
    with then(visit, found, slider.here.seq, slider.here.at) as view:
        line = next(one for one in lines if one.chain == case.id and one.seq == slider.here.seq)
        event = next((one for one in view.stream if one.seq == slider.here.seq), None)
        yield Moment(
            slider=slider,
            view=view,
            event=event,
            why=() if event is None else tuple(_why(visit.desk.machine_for(case, {}), line, event)),
            later=_later(lines, slider.here.at),
            undone=tuple(_undone(visit.desk.machine_for(case, {}), lines, line)),
            version=_version(visit, found, line),
        )


def _slider(visit: Visit, found: Found, lines: Sequence[StoryLine], seq: int | None) -> Slider:
    titles = {name: one.title for name, one in visit.desk.definition(found.case.shape).transitions.items()}
    every = [_tick(line, titles) for line in lines]
    last = max((line.seq for line in lines if line.event["kind"] not in _SILENT), default=1)
    here = next((one for one in every if one.seq == (last if seq is None else seq)), None)
    if here is None:
        raise NotFound
    return Slider(ticks=tuple(every[: max(last, here.seq)]), here=here)


def _tick(line: StoryLine, titles: Mapping[str, Bilingual]) -> Tick:
    data = line.event["data"]
    title = titles.get(str(data.get("signing") or data.get("trigger")))
    return Tick(line.seq, datetime.fromisoformat(line.event["at"]), _SILENT.get(line.event["kind"], title))


def _keep_look(visit: Visit, found: Found, at: datetime) -> None:
    """Each moment looked at is a look of its own, asked for as a page or as a part of one."""
    if view_case(visit.desk, found.case.id, visit.asks(f"{VIEW}:{CASE}"), as_of=at):
        return
    connection = visit.desk.connection  # kept from the case by a conflict: no auditor of it, but seen it is
    with connection.writing():
        looks.add_look(connection, looks.Look(visit.login, found.case.id, visit.at))


def _why(machine: Machine, line: StoryLine, event: Happening) -> Iterator[WhyLine]:
    """What each rule said, with the values it reads as they were seen, and the clauses behind it."""
    known = machine.book.rules
    seen = {title.zh: (title, value) for title, value in event.seen}
    for name, said in zip(line.event["data"].get("verdicts", {}), event.said, strict=True):
        guard = next(iter(machine.guards_of([name])), None) if name in known else None
        titles = [] if guard is None else [machine.readers.titles.get(key) for key in guard.reads]
        values = tuple(seen[one.zh] for one in titles if one is not None and one.zh in seen)
        yield WhyLine(said.id, said.title, said.outcome, values, () if guard is None else guard.rule.source)


def _undone(machine: Machine, lines: Sequence[StoryLine], line: StoryLine) -> Iterator[tuple[Bilingual, datetime]]:
    """The values a decision had seen that are others now: not what it caused itself, nor what was set right back."""
    if line.event["kind"] not in _DECIDING:
        return
    data, facts = line.event["data"], machine.book.vocabulary.student
    seen = {**(data.get("seen") or {}), **line.opened}
    last: dict[str, tuple[Json, StoryLine]] = {}
    for one in lines:
        if one.event["kind"] == EventKind.FACT_CHANGED and one.event["at"] > line.event["at"]:
            last |= {name: (new, one) for name, _, new in changes(one)}
    for name, (new, one) in last.items():
        caused_by = (one.event["data"].get("cause") or {}).get("chain")
        is_other = name in facts and seen.get(name) is not None and seen[name] != new
        if is_other and caused_by != chain_name(line.chain):
            yield facts[name].title, datetime.fromisoformat(one.event["at"])


def _version(visit: Visit, found: Found, line: StoryLine) -> int:
    """The version of the definition that an event was written under."""
    return visit.desk.definition(str(line.event.get("definition") or found.case.shape)).version


def _later(lines: Sequence[StoryLine], at: datetime) -> dict[str, datetime]:
    """The facts that had another value before they were changed after a moment, with the first such change."""
    found: dict[str, datetime] = {}
    for line in lines:
        changed_at = datetime.fromisoformat(line.event["at"])
        if line.event["kind"] == EventKind.FACT_CHANGED and changed_at > at:
            for name, *_ in changes(line):
                found.setdefault(name, changed_at)
    return found
