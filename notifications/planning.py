"""Planning: who is going to be told what, and why, before anything is told; and whom no mail would reach.

Nothing is written. The people are those who would be told if everything stays as it is: who is away on that day, what
is lent until then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from engine.definition import Bilingual
from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI
from engine.ladder import ESCALATED, Rung, rungs
from engine.records import Case
from engine.store import outbox, people
from engine.store.cases import read_cases
from engine.store.deadlines import Row, due_rows
from engine.store.outbox import Untold
from engine.timers import ladder_of
from notifications.audience import Addressee, audience, reported_rung
from notifications.people import Person, Roll, person_of
from notifications.reach import BY_MAIL, Reach

_EVERY_ROW = 1 << 31
_CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One thing that one person would be told.

    Attributes:
        when: The moment of the rung.
        rung: Its name: `before:7d`, `day:0d`, `overdue:1`, `escalate`; `/nobody` behind it where roles are vacant.
        message: What would be said: `approaching`, `due_today`, `overdue`, `escalated`, `nobody_left`.
        case: The number of the case.
        deadline: What the deadline is called.
        due_at: The last moment in time.
        vacant: The roles in which nobody can act, where it is about that.
        person: Who would be told; None: nobody at all.
        why: Why that person; None with it.
    """

    when: datetime
    rung: str
    message: str
    case: str
    deadline: Bilingual
    due_at: datetime
    vacant: tuple[str, ...]
    person: Person | None
    why: Bilingual | None

    @property
    def has_address(self) -> bool:
        """Whether a mail could be sent, or the person told through a channel."""
        return self.person is not None and self.person.is_reachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """Whom no mail reaches.

    Attributes:
        staff: Members of staff without an address, or with one that refused for good.
        missed: Recipients whose messages have gone into no mail: people without an address, roles nobody can act in.
    """

    staff: tuple[Person, ...]
    missed: tuple[Untold, ...]


def plan(desk: Desk, since: datetime, days: int, reach: Reach = BY_MAIL) -> list[Planned]:
    """Every reminder and escalation of running deadlines after a moment, for some days: by time, case and person.

    Args:
        desk: Where the cases are worked.
        since: What was to be told up to then counts as told.
        days: For how many days.
        reach: Who has a channel, and so needs no address.
    """
    desk.refresh()
    until = since + timedelta(days=days)
    coming = sorted(_coming(desk, since, until), key=lambda one: (one[2].at, one[0].number, one[1].name))
    return [_reached(one, reach) for one in _planned(desk, coming)]


def _reached(one: Planned, reach: Reach) -> Planned:
    return one if one.person is None else replace(one, person=reach.of(one.person))


def unreachable(desk: Desk, reach: Reach = BY_MAIL) -> Unreachable:
    """Whom nothing reaches, and who has missed something by that; who has a channel is reached by it."""
    staff = [person_of(one) for one in people.beyond_mail(desk.connection)]
    beyond = tuple(one for one in staff if not reach.of(one).is_reachable)
    return Unreachable(staff=beyond, missed=tuple(outbox.untold(desk.connection)))


def _coming(desk: Desk, since: datetime, until: datetime) -> Iterator[tuple[Case, Row, Rung]]:
    """The rungs to come of rows that something is to be done about until then."""
    rows = due_rows(desk.connection, until, _EVERY_ROW)
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        found = read_cases(desk.connection, sorted({row.case for row in chunk}))
        for row in chunk:
            if row.due_at is not None and not row.settled and row.case in found:
                case = found[row.case].case
                yield from ((case, row, rung) for rung in _rungs(desk, case, row, since, until))


def _rungs(desk: Desk, case: Case, row: Row, since: datetime, until: datetime) -> list[Rung]:
    """The rungs of one row: of several reminders at one moment only the last, as a scan does."""
    if row.due_at is None:
        return []
    deadline, calendar = ladder_of(desk, case, row.name)
    found = rungs(deadline, row.due_at, calendar, max(row.told_at, since), until)
    newest = {(rung.at, rung.message == ESCALATED): rung for rung in found}
    return list(newest.values())


def _planned(desk: Desk, coming: Iterable[tuple[Case, Row, Rung]]) -> Iterator[Planned]:
    """Each rung with its people as they are then; the people of one day are read once."""
    for _, group in groupby(coming, key=lambda one: one[2].at.astimezone(SHANGHAI).date()):
        of_day = list(group)
        roll = Roll(desk, of_day[0][2].at)
        roll.expect(case for case, _, _ in of_day)
        yield from _on_day(desk, roll, of_day)


def _on_day(desk: Desk, roll: Roll, coming: Iterable[tuple[Case, Row, Rung]]) -> Iterator[Planned]:
    for case, row, rung in coming:
        heard = audience(desk, roll, case, ladder_of(desk, case, row.name).deadline, rung)
        if heard.told:
            yield from _each(desk, case, row, rung, heard.told)
        if heard.vacant:
            yield from _each(desk, case, row, reported_rung(rung, heard.vacant), heard.reported)


def _each(desk: Desk, case: Case, row: Row, rung: Rung, heard: Iterable[Addressee]) -> Iterator[Planned]:
    title = ladder_of(desk, case, row.name).deadline.title
    everybody: list[Addressee | None] = [*sorted(heard, key=lambda one: one.person.key)]
    for one in everybody or [None]:
        yield Planned(
            when=rung.at,
            rung=rung.name,
            message=rung.message,
            case=case.number,
            deadline=title,
            due_at=row.due_at or rung.at,
            vacant=rung.to if rung.name.endswith("/nobody") else (),
            person=None if one is None else one.person,
            why=None if one is None else one.why,
        )
