"""Composing: what is to be told to roles is spread over their people, and what is told to people goes into mails.

What is urgent is a mail of its own; everything else is a line of the person's digest, one a day. Nothing is rendered
here: a mail is put into words when it leaves, when much of it may be settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from engine.calendars import calendar_of
from engine.delegating import DELEGATED
from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI
from engine.ladder import ESCALATED
from engine.records import Case
from engine.store import outbox, people
from engine.store.cases import read_cases
from engine.store.database import CONTENTION_ERRORS
from engine.store.outbox import SPREAD, UNTOLD, OutboxRow
from engine.store.people import Contact
from engine.trail.event import REGISTRY
from engine.urging import URGED
from engine.viewing import REVEALED_OFTEN
from notifications.audience import NOBODY_LEFT
from notifications.people import Roll, person_of
from notifications.reach import BY_MAIL, Reach

_DAY = timedelta(days=1)
_PAGE = 500
_ASKS_OF_ONE = frozenset({DELEGATED, URGED, REVEALED_OFTEN})
"""What somebody asks of these people now."""

_ABOUT_OWN_WORK = frozenset({"returned", "refused", "registered"})
"""What goes by itself to the student, and to those who took a step of the case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When people are written to, on the clocks of Shanghai.

    Attributes:
        hold: How long anything waits at least; what somebody's act is to tell waits as long as it can be undone.
        digest: When a digest leaves; a little after the 09:00 of the ladders, so that a day's reminders are in it.
        quiet_from: When people are left in peace, unless what is told would be too late afterwards.
        quiet_to: Until when; the same as `quiet_from`: never.
        working_days_only: Whether nothing leaves on days on which nobody works.
    """

    hold: timedelta = timedelta(seconds=10)
    digest: time = time(9, 10)
    quiet_from: time = time(21)
    quiet_to: time = time(7)
    working_days_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """What was done: messages to roles spread, put into mails of their own, put into digests; and told nobody."""

    spread: int = 0
    singles: int = 0
    digests: int = 0
    untold: int = 0

    def __add__(self, other: Composed) -> Composed:
        return Composed(
            spread=self.spread + other.spread,
            singles=self.singles + other.singles,
            digests=self.digests + other.digests,
            untold=self.untold + other.untold,
        )


def compose(desk: Desk, at: datetime, hours: Hours, reach: Reach = BY_MAIL) -> Composed:
    """Spread and gather everything that waits in the outbox, page by page, each page in one transaction.

    Two composers at once make the same mails: the slots are unique, and a row goes into one mail.

    Args:
        desk: Where the cases are worked.
        at: Now.
        hours: When people are written to, by mail or otherwise.
        reach: Who has a channel, and so needs no address.
    """
    desk.refresh()
    done = Composed()
    with suppress(*CONTENTION_ERRORS):  # another composer is at the same rows; what is left waits for the next round
        for part in _parts(desk, at, hours, reach):
            done += part
    return done


def _parts(desk: Desk, at: datetime, hours: Hours, reach: Reach) -> Iterator[Composed]:
    roll, post, last = Roll(desk, at), _PostOffice(desk, at, hours), 0
    while page := outbox.waiting_for_roles(desk.connection, _PAGE):
        yield _spread(desk, roll, page)
    while page := outbox.waiting_for_people(desk.connection, last, _PAGE):
        yield _gather(desk, post, _sheets(desk, page, reach), page)
        last = page[-1].id


def _spread(desk: Desk, roll: Roll, page: Sequence[OutboxRow]) -> Composed:
    cases = _cases(desk, page)
    roll.expect(cases.values())
    found = [(row, *_heard_by(roll, row, cases.get(row.chain))) for row in page]
    spread = untold = 0
    with desk.connection.writing():
        for row, keys, message in found:
            if outbox.settle_row(desk.connection, row.id, SPREAD if keys else UNTOLD):
                outbox.add_copies(desk.connection, row, keys, message)
                spread, untold = spread + bool(keys), untold + (not keys)
    return Composed(spread=spread, untold=untold)


def _heard_by(roll: Roll, row: OutboxRow, case: Case | None) -> tuple[tuple[str, ...], str | None]:
    """Who is told, and with which message if not that of the row: where nobody can act, those above hear of that."""
    if case is None:
        return (), None
    found = tuple(one.key for one in roll.find(case, row.recipient).people)
    return (found, None) if found else (tuple(one.key for one, _, _ in roll.above(case)), NOBODY_LEFT)


def _cases(desk: Desk, page: Sequence[OutboxRow]) -> dict[int, Case]:
    wanted = sorted({row.chain for row in page})
    return {number: found.case for number, found in read_cases(desk.connection, wanted).items()}


class _Sheet(NamedTuple):
    """One row with what is known about it: whom it is for, its case, and until when it is held.

    No case: it tells of the registry's chain.
    """

    row: OutboxRow
    contact: Contact
    case: Case | None
    held_until: datetime | None


def _gather(desk: Desk, post: _PostOffice, found: Iterable[_Sheet], page: Sequence[OutboxRow]) -> Composed:
    sheets = {sheet.row.id: sheet for sheet in found}
    done = Composed()
    with desk.connection.writing():
        held = outbox.hold_waiting(desk.connection, page)
        for row in page:
            if row.id not in held:
                continue
            sheet = sheets.get(row.id)
            done += _without_mail(desk, row) if sheet is None else post.take(sheet)
    return done


def _without_mail(desk: Desk, row: OutboxRow) -> Composed:
    return Composed(untold=int(outbox.settle_row(desk.connection, row.id, UNTOLD)))


def _sheets(desk: Desk, page: Sequence[OutboxRow], reach: Reach) -> Iterator[_Sheet]:
    """The rows of a page that mail, or a channel, can take to somebody."""
    cases = _cases(desk, page)
    reached = people.reached(desk.connection, {row.recipient for row in page})
    held = outbox.held_until(desk.connection, page)
    for row in page:
        case, contact = cases.get(row.chain), reached.get(row.recipient)
        if contact is None or not reach.of(person_of(contact)).is_reachable:
            continue
        if case is not None or row.chain == REGISTRY:
            yield _Sheet(row, contact, case, held.get(row.id))


class _PostOffice:
    """Puts rows into mails, inside the caller's transaction."""

    def __init__(self, desk: Desk, at: datetime, hours: Hours) -> None:
        self._desk = desk
        self._at = at
        self._hours = hours
        self._calendar = calendar_of(desk.library.rulebook.calendar, "") if hours.working_days_only else None

    def take(self, sheet: _Sheet) -> Composed:
        """Put one row into its mail."""
        ready_at = self._ready_at(sheet)
        while not _is_urgent(self._desk, sheet):
            day, leaves_at = self._next_digest(ready_at)
            if _is_too_late(sheet.row, self._at, leaves_at):
                break
            if self._put(sheet, f"digest/{day.isoformat()}", leaves_at):
                return Composed(digests=1)
            ready_at = datetime.combine(day + _DAY, time(), SHANGHAI)
        return self._alone(sheet)

    def _alone(self, sheet: _Sheet) -> Composed:
        ready_at = self._ready_at(sheet)
        leaves_at = self._waking(ready_at)
        is_too_late = _is_too_late(sheet.row, self._at, leaves_at)
        self._put(sheet, f"single/{sheet.row.id}", ready_at if is_too_late else leaves_at)
        return Composed(singles=1)

    def _ready_at(self, sheet: _Sheet) -> datetime:
        """From when on nobody can take back any more what is told."""
        soonest = self._at + self._hours.hold
        return soonest if sheet.held_until is None else max(soonest, sheet.held_until)

    def _put(self, sheet: _Sheet, slot: str, leaves_at: datetime) -> bool:
        """Put a row into a mail; False when that one is already on its way."""
        mail = outbox.mail_for(self._desk.connection, sheet.row.recipient, slot, leaves_at, self._at)
        if mail is not None:
            outbox.settle_row(self._desk.connection, sheet.row.id, mail)
        return mail is not None

    def _next_digest(self, ready_at: datetime) -> tuple[date, datetime]:
        """The day of the next digest not before a moment, and when it leaves."""
        local = self._waking(ready_at).astimezone(SHANGHAI)
        return local.date(), max(local, datetime.combine(local.date(), self._hours.digest, SHANGHAI))

    def _waking(self, moment: datetime) -> datetime:
        """A moment, or if nobody is written to then, the next at which people are."""
        hours, local = self._hours, moment.astimezone(SHANGHAI)
        if _is_between(local.time(), hours.quiet_from, hours.quiet_to):
            day = local.date() + _DAY if local.time() >= hours.quiet_to else local.date()
            local = datetime.combine(day, hours.quiet_to, SHANGHAI)
        while self._calendar is not None and not self._calendar.is_working_day(local.date()):
            local = datetime.combine(local.date() + _DAY, hours.quiet_to, SHANGHAI)
        return local


def _is_between(now: time, start: time, end: time) -> bool:
    """Whether a time of day lies in a stretch that may go over midnight."""
    return start <= now < end if start <= end else now >= start or now < end


def _is_too_late(row: OutboxRow, at: datetime, leaves_at: datetime) -> bool:
    """Whether what is told of a deadline in time would come after it if it left only then."""
    return row.due_at is not None and at <= datetime.fromisoformat(row.due_at) < leaves_at


def _is_urgent(desk: Desk, sheet: _Sheet) -> bool:
    """Whether it goes as a mail of its own: reminders on the last day, the first of being late, one's own case."""
    row, contact, case, _ = sheet
    if case is not None and row.rung is not None and row.deadline is not None:
        return row.message != ESCALATED and _is_urgent_rung(desk, case, row.deadline, row.rung)
    if row.message in _ASKS_OF_ONE:
        return True
    if case is None or row.message not in _ABOUT_OWN_WORK:
        return False
    is_own = contact.student is not None and contact.student == case.student
    return is_own or contact.login in outbox.actors_of(desk.connection, row.chain)


def _is_urgent_rung(desk: Desk, case: Case, deadline: str, rung: str) -> bool:
    name = rung.removesuffix("/nobody")
    one = desk.definition(case.shape).deadlines.get(deadline)
    is_alone = one is not None and one.remind is not None and one.remind.alone
    return is_alone or name.startswith("day:") or name == "overdue:1"
