"""Findings: what an auditor may want to ask about, by code. They prove what the trail says, and accuse nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import NamedTuple

from engine.auditing.clocks import late_is_marked, missed_unmarked
from engine.auditing.corrected import FACTS_CORRECTED, corrected
from engine.auditing.decisions import Decision, decisions
from engine.auditing.found import Finding, Limits, Place, mark
from engine.auditing.ground import Flaw, Ground, ground_of
from engine.auditing.hands import ALWAYS_PAIRED, TWO_LEVELS, Pairs, two_levels
from engine.auditing.history import History
from engine.auditing.scope import Scope, histories_in
from engine.auditing.steps import all_signatures
from engine.auditing.tempo import IN_BULK, OUT_OF_HOURS, TOO_FAST, CalendarOf, out_of_hours, paces
from engine.calendars import WorkCalendar, calendar_of
from engine.desk import Desk
from engine.errors import Unknown
from engine.library import Library
from engine.records import Sentence
from engine.store.database import Connection
from engine.store.people import contacts
from engine.trail.event import moment

SIGNATURES_MISSING, LATE_UNMARKED = "signatures-missing", "late-unmarked"

CODES: Mapping[str, Sentence] = {
    TOO_FAST: Sentence(zh="办理快于阅读", en="Decided faster than one reads"),
    IN_BULK: Sentence(zh="批量办理", en="Decided in bulk"),
    OUT_OF_HOURS: Sentence(zh="非工作时间办理", en="Decided out of hours"),
    TWO_LEVELS: Sentence(zh="同一人办理两级", en="One person at two levels"),
    ALWAYS_PAIRED: Sentence(zh="固定搭档审批", en="The same two always approve"),
    FACTS_CORRECTED: Sentence(zh="所据信息其后更正", en="Facts corrected afterwards"),
    SIGNATURES_MISSING: Sentence(zh="缺少签字", en="Signatures are missing"),
    LATE_UNMARKED: Sentence(zh="逾期未标记", en="Late and not marked"),
}
"""Every code with its title, in the order of a report."""

_OF_EACH = (SIGNATURES_MISSING, LATE_UNMARKED)
_OF_CASES = frozenset({TWO_LEVELS, ALWAYS_PAIRED, *_OF_EACH})


def findings(desk: Desk, scope: Scope, limits: Limits, at: datetime, only: Collection[str] = ()) -> tuple[Finding, ...]:
    """Everything found in a scope, by code and moment.

    The trail is read in the order of time and case by case; memory holds what is found, and of the rest one person's
    second and one case.

    Args:
        desk: Where the trail is, and whose calendars say on which days nobody works.
        scope: Which cases.
        limits: From where on something is found.
        at: The moment that deadlines are compared with.
        only: The codes looked for; empty for all.

    Raises:
        Unknown: If there is no such code.
    """
    for code in only:
        if code not in CODES:
            raise Unknown("发现代码 finding", code, CODES)
    wanted = frozenset(only or CODES)
    with desk.connection.reading():
        look = _Look(desk, scope, limits, ground_of(desk.connection), moment(at))
        found = [*look.of_time(wanted), *look.of_cases(wanted)]
    order = list(CODES)
    return tuple(sorted(found, key=lambda one: (order.index(one.code), one.at, one.people, one.places)))


def called(connection: Connection, found: Iterable[Finding]) -> dict[str, str]:
    """How the people of some findings are addressed, by login; call inside `reading`.

    Absent is who has no name, and a student: a report names none (`engine.auditing.summary`).
    """
    found_of = contacts(connection, sorted({login for one in found for login in one.people}))
    return {login: one.name for login, one in found_of.items() if one.name and one.student is None}


class _Look(NamedTuple):
    """One look at a scope."""

    desk: Desk
    scope: Scope
    limits: Limits
    ground: Ground
    at: str

    def of_time(self, wanted: frozenset[str]) -> Iterator[Finding]:
        """What is told by decisions in the order of time."""
        if wanted & {TOO_FAST, IN_BULK}:
            yield from (one for one in paces(self._decisions(), self.limits) if one.code in wanted)
        if OUT_OF_HOURS in wanted:
            yield from out_of_hours(self._decisions(), self.limits, _calendars(self.desk.library))

    def _decisions(self) -> Iterator[Decision]:
        return decisions(self.desk.connection, self.scope, self.ground.definitions)

    def _histories(self) -> Iterator[History]:
        return histories_in(self.desk.connection, self.scope, self.ground.definitions)

    def of_cases(self, wanted: frozenset[str]) -> Iterator[Finding]:
        """What is told by each case, and by all of them together."""
        pairs = Pairs(self.limits)
        for history in self._histories() if wanted & _OF_CASES else ():
            pairs.add(history, self.ground)
            for code in (*_OF_EACH, TWO_LEVELS):
                if code in wanted:
                    yield from self._of_case(code, history)
        if ALWAYS_PAIRED in wanted:
            yield from pairs.found()
        if FACTS_CORRECTED in wanted:
            yield from corrected(self.desk.connection, self._histories(), self.ground)

    def _of_case(self, code: str, history: History) -> Iterator[Finding]:
        if code == TWO_LEVELS:
            yield from two_levels(history, self.ground)
        elif code == SIGNATURES_MISSING:
            yield from _named(code, history, all_signatures(history, self.ground))
        else:
            yield from _named(code, history, late_is_marked(history, self.ground))
            yield from _named(code, history, missed_unmarked(history, self.at))


def _named(code: str, history: History, flaws: Iterable[Flaw]) -> Iterator[Finding]:
    """What an invariant's check finds in one case, as findings of the person behind the event."""
    by_seq = {one.seq: one for one in history.events}
    for flaw in flaws:
        one = by_seq[flaw.seq]
        place = Place(history.chain, (flaw.seq,))
        who = mark(one.actor)
        said = Sentence(zh=f"{who}，{place.number}：{flaw.zh}", en=f"{who}, {place.number}: {flaw.en}")
        yield Finding(code=code, people=(one.actor,), at=one.at, places=(place,), said=said)


def _calendars(library: Library) -> CalendarOf:
    @cache
    def of_profile(profile: str) -> WorkCalendar | None:
        return calendar_of(library.rulebook_for(profile).calendar, profile)

    return of_profile
