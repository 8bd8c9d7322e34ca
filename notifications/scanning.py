"""Scanning: what is to be done about deadlines whose moment has come: mark late, tell a rung, fire a timer.

A scan costs what is due, not what exists. Each row is a transaction of its own, so a scan that is ended anywhere
leaves the rest to the next one; what it did is in the rows, so nothing is done twice. After the clock stood still only
the newest reminder is told, and an escalation if it fell in that time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime

from engine.actors import TIMER
from engine.desk import Desk
from engine.errors import StaleCase
from engine.ladder import APPROACHING, DUE_TODAY, ESCALATED, OVERDUE, Rung, rungs
from engine.records import Case, Request
from engine.store.cases import hold_case, read_case, read_cases
from engine.store.database import CONTENTION_ERRORS
from engine.store.deadlines import Row, due_rows, hold
from engine.timers import Firing, fire_timer, is_to_fire, ladder_of, mark_late, tell
from notifications.audience import Audience, audience, reported_rung
from notifications.people import Roll


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What a scan did.

    Attributes:
        looked: Rows about which everything was done.
        late: Deadlines marked late.
        told: Reminders written, one a person.
        escalated: Messages to those above, one a person: of a missed deadline, or of a role nobody can act in.
        fired: Timers whose step was taken.
        blocked: Timers that were refused.
        nobody: Rungs with a role in which nobody could act.
    """

    looked: int = 0
    late: int = 0
    told: int = 0
    escalated: int = 0
    fired: int = 0
    blocked: int = 0
    nobody: int = 0

    def __add__(self, other: Scanned) -> Scanned:
        return Scanned(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(Scanned)})


def scan(desk: Desk, at: datetime, limit: int) -> Scanned:
    """Do what is due about deadlines, longest waiting first; there may be more when `looked` has reached the limit.

    What somebody else holds at the same moment, or a timer that cannot be judged yet, is left to the next scan.

    Args:
        desk: Where the cases are worked.
        at: Now.
        limit: After how many rows to stop.
    """
    desk.refresh()
    watch, done = _Watch(desk, at), Scanned()
    seen, left = set[tuple[int, str]](), 0
    while done.looked < limit:
        page = [row for row in due_rows(desk.connection, at, limit + left) if row[:2] not in seen]
        if not page:
            break
        watch.expect(page)
        for row in page[: limit - done.looked]:
            looked = watch.look(row)
            done, left = done + looked, left + (not looked.looked)
            seen.add(row[:2])
    return done


class _Watch:
    """One scan: everything is as of one moment, and who holds which role is read once."""

    def __init__(self, desk: Desk, at: datetime) -> None:
        self._desk = desk
        self._at = at
        self._request = Request(trigger="scan", actor=TIMER, at=at)
        self._roll = Roll(desk, at)

    def expect(self, page: list[Row]) -> None:
        """Read what the rows of a page have in common at once."""
        found = read_cases(self._desk.connection, sorted({row.case for row in page}))
        self._roll.expect(one.case for one in found.values())

    def look(self, row: Row) -> Scanned:
        """Do what is due about one row as it stands by now; it is not counted as looked at if something was left."""
        done = Scanned()
        try:
            done, held = self._write(row)
            if held is None or not is_to_fire(self._desk, held):
                return done
            firing = fire_timer(self._desk, held, self._request)
        except (StaleCase, *CONTENTION_ERRORS):
            return replace(done, looked=0)
        done += Scanned(fired=int(firing is Firing.FIRED), blocked=int(firing is Firing.BLOCKED))
        return replace(done, looked=0) if firing is Firing.NOTHING else done

    def _write(self, seen: Row) -> tuple[Scanned, Row | None]:
        """Mark late and tell, in one transaction."""
        desk = self._desk
        with desk.connection.writing():
            hold_case(desk.connection, seen.case)  # as every act does: first the case, then its rows
            row, found = hold(desk.connection, seen.case, seen.name), read_case(desk.connection, seen.case)
            if row is None or found is None or row.next_at is None or row.next_at > self._at:
                return Scanned(looked=1), None
            marked = mark_late(desk, row, self._request)
            done = Scanned(looked=1, late=int(marked is not row))
            for rung in self._due(found.case, marked):
                said, marked = self._tell(found.case, marked, rung)
                done += said
            return done, marked

    def _due(self, case: Case, row: Row) -> Iterator[Rung]:
        """What is to be told now: the newest reminder, and the escalation."""
        if row.due_at is None or row.settled:
            return
        deadline, calendar = ladder_of(self._desk, case, row.name)
        passed = rungs(deadline, row.due_at, calendar, row.told_at, self._at)
        reminders = [rung for rung in passed if rung.message != ESCALATED]
        for rung in reminders[-1:]:
            is_over = row.missed_at is not None and rung.message in (APPROACHING, DUE_TODAY)
            yield rung._replace(message=OVERDUE) if is_over else rung
        yield from (rung for rung in passed if rung.message == ESCALATED)

    def _tell(self, case: Case, row: Row, rung: Rung) -> tuple[Scanned, Row]:
        """Write one rung to everybody who is to hear of it; that nobody is to is written as well."""
        deadline = ladder_of(self._desk, case, row.name).deadline
        heard = audience(self._desk, self._roll, case, deadline, rung)
        if heard.told:
            row = tell(self._desk, row, rung, [one.person.key for one in heard.told], self._request)
        if heard.vacant:
            above = [one.person.key for one in heard.reported]
            row = tell(self._desk, row, reported_rung(rung, heard.vacant), above, self._request)
        return _counted(rung, heard), row


def _counted(rung: Rung, heard: Audience) -> Scanned:
    is_escalation = rung.message == ESCALATED
    return Scanned(
        told=0 if is_escalation else len(heard.told),
        escalated=len(heard.reported) + (len(heard.told) if is_escalation else 0),
        nobody=int(bool(heard.vacant)),
    )
