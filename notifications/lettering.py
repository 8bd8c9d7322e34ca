"""Lettering: what one mail says, worked out when it leaves.

Between the moment something was to be told and the moment it is read much may be settled: a reminder whose deadline
is settled, closed or has another date by now is left out, and so is news of a state that a case has left, unless it is
news of the reader's own case, of a delegation that is over, and a copy of a case that the reader may not know of any
more. A mail of which nothing is left is not sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, cast, get_args

import orjson

from engine.absences import AWAY, BACK, WAS
from engine.absences import TOLD as ABSENCE_TOLD
from engine.calendars import WorkCalendar
from engine.copying import may_read
from engine.definition import CANCELLED, Bilingual, Deadline
from engine.delegating import DELEGATION_ENDED
from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI
from engine.ladder import APPROACHING, DUE_TODAY, ESCALATED, OVERDUE
from engine.records import Case, Json
from engine.store import copies, deadlines, outbox, people
from engine.store.cases import read_cases
from engine.store.deadlines import Row
from engine.store.mails import MailRow
from engine.store.outbox import OutboxRow
from engine.store.people import PERSON
from engine.trail.event import REGISTRY, EventKind, moment
from engine.viewing import REVEALED_OFTEN
from notifications.audience import NOBODY_LEFT
from notifications.messages.letters import Left, Letter, Message, Notice
from notifications.passing import (
    Passing,
    colleague,
    delegation_of,
    passing,
    reason_to_tell,
    still_counts,
    title_of,
)
from notifications.people import Roll, person_of, why
from notifications.reach import BY_MAIL, Reach

_DAY = timedelta(days=1)
_FRESH = timedelta(minutes=1)
"""How long the people as read serve for one mail after the other."""

_MESSAGES: frozenset[str] = frozenset(get_args(Message))
"""`xueji check` lets no step tell of anything else; a case pinned to a definition from before it did may still do so,
and what it tells is said as of any step that was taken."""

_LADDER = frozenset({APPROACHING, DUE_TODAY, OVERDUE})
_FOR_GOOD = frozenset({"returned", "refused", "registered"})
"""News that stays news when the case has moved on."""

_GIVES_REASON = frozenset({"returned", "refused", "delegated", "deadline_moved", "urged"})
_CONCERNED = Bilingual(zh="您与该业务有关", en="you have a part in this case")
_REVEALING = Bilingual(zh="显示个人信息", en="Showing personal values")
_COLLEAGUE = Bilingual(zh="同事抄送给您", en="a colleague sent you a copy")
_LOOKS_AFTER = Bilingual(zh="您管理该单位的人员", en="you look after people there")
_ABSENCE = Bilingual(zh="不在岗", en="Absence")
_OWN_ABSENCE = Bilingual(zh="不在岗的是您本人", en="the absence is your own")
_CANCELLED = Bilingual(zh="已撤销", en="Cancelled")


class _Line(NamedTuple):
    """One row of the outbox with what is known of it now; `kept` is the row of its deadline, if that is still open."""

    row: OutboxRow
    case: Case
    event: Mapping[str, Json]
    kept: Row | None

    def says(self, key: str) -> str | None:
        """A text of the event's data."""
        data = cast("Mapping[str, Json]", self.event.get("data", {}))
        value = data.get(key)
        return value if isinstance(value, str) else None

    @property
    def same(self) -> tuple[object, ...]:
        """What says the same about one case: one reminder of each deadline, one state it has come to."""
        row = self.row
        return (row.chain, row.deadline, "ladder" if row.message in _LADDER else row.message)

    @property
    def led_to(self) -> str | None:
        """The state the case was in after the event."""
        return self.says("to") or self.says("from")


class _Passed(NamedTuple):
    """One row of the outbox that tells of a delegation; without a case it is a role at a unit."""

    row: OutboxRow
    case: Case | None
    passing: Passing
    reason: str | None

    @property
    def same(self) -> tuple[object, ...]:
        """What says the same: one thing of one right."""
        return (self.row.message, self.passing.right)


class _Copied(NamedTuple):
    """One row of the outbox that tells of a copy a colleague sent: who, with which words."""

    row: OutboxRow
    case: Case
    sender: str

    @property
    def same(self) -> tuple[object, ...]:
        """What says the same: nothing else does."""
        return (self.row.message, self.row.chain, self.row.seq)


class _Often(NamedTuple):
    """One row of the outbox that tells of a colleague who is shown personal values often: who, by a right where."""

    row: OutboxRow
    login: str
    unit: str

    @property
    def same(self) -> tuple[object, ...]:
        """What says the same: that of one colleague."""
        return (self.row.message, self.login)


class _Absence(NamedTuple):
    """One row of the outbox that tells of the reader's own absence: who told it, its days, and what they were before.

    `days` None: it ended.
    """

    row: OutboxRow
    login: str
    teller: str
    days: tuple[date, date] | None
    was: tuple[date, date] | None
    reason: str | None

    @property
    def same(self) -> tuple[object, ...]:
        """What says the same: that of one absence, which is its days, of which the last is true."""
        return (self.row.message, self.login, self.days or self.was)


class Letters:
    """Makes letters for mails.

    Args:
        desk: Where the cases are worked.
        reach: Who has a channel; a letter to such a person bears the address that stands for it.
    """

    def __init__(self, desk: Desk, reach: Reach = BY_MAIL) -> None:
        self._desk = desk
        self._reach = reach
        self._roll: tuple[datetime, Roll] | None = None

    def letter(self, mail: MailRow, at: datetime) -> Letter | None:
        """What a mail says at a moment; None when nothing is left to say, or nothing reaches the person any more."""
        contact = people.reached(self._desk.connection, [mail.recipient]).get(mail.recipient)
        reader = None if contact is None else self._reach.of(person_of(contact))
        if reader is None or reader.address is None or reader.refused:
            return None
        notices = tuple(self._notices(mail, at))
        if not notices:
            return None
        log = self._desk.scribe.log.replace("/", ".")
        return Letter(
            to=reader.address,
            name=reader.name,
            slot=mail.slot,
            message_id=f"<{mail.id}.{mail.slot.replace('/', '.')}@{log}>",
            at=at,
            notices=notices,
        )

    def _notices(self, mail: MailRow, at: datetime) -> Iterator[Notice]:
        roll = self._roll_at(at)
        for line in _newest(self._lines(outbox.in_mail(self._desk.connection, mail.id))):
            if isinstance(line, _Often):
                yield self._of_a_colleague(line)
                continue
            if isinstance(line, _Absence):
                yield self._of_an_absence(line)
                continue
            if isinstance(line, _Passed):
                yield from self._passed_on(line, mail.recipient, at)
                continue
            if isinstance(line, _Copied):
                yield from self._copy(line, mail.recipient, at)
                continue
            todo = roll.todo(line.case, mail.recipient)
            if _is_news(line, todo, is_own=roll.is_own(line.case, mail.recipient)):
                yield self._notice(line, mail.recipient, todo, at)

    def _roll_at(self, at: datetime) -> Roll:
        """The people as they are; read once for the mails of a minute."""
        if self._roll is None or not timedelta() <= at - self._roll[0] < _FRESH:
            self._desk.refresh()
            self._roll = at, Roll(self._desk, at)
        return self._roll[1]

    def _lines(
        self, told: Sequence[tuple[OutboxRow, bytes]]
    ) -> Iterator[_Line | _Passed | _Copied | _Often | _Absence]:
        connection, chains = self._desk.connection, sorted({row.chain for row, _ in told})
        cases = read_cases(connection, chains)
        kept = {one[:2]: one for many in deadlines.of_cases(connection, chains).values() for one in many}
        for row, body in told:
            found = cases.get(row.chain)
            if found is None and row.chain != REGISTRY:
                continue
            event, case = orjson.loads(body), None if found is None else found.case
            passed = passing(row.chain, event)
            if row.message == REVEALED_OFTEN:
                yield _Often(row, str(event["actor"]), str(event["unit"]))
            elif row.message == ABSENCE_TOLD:
                yield _absence(row, event)
            elif passed is not None:
                yield _Passed(row, case, passed, event["data"].get("why"))
            elif case is not None and event["kind"] == EventKind.COPIED:
                yield _Copied(row, case, str(event["actor"]))
            elif case is not None:
                yield _Line(row, case, event, kept.get((row.chain, row.deadline or "")))

    def _of_a_colleague(self, line: _Often) -> Notice:
        """That somebody was shown much; the case at which it became too much is not named."""
        found = people.contacts(self._desk.connection, [line.login]).get(line.login)
        units = self._desk.units()
        return Notice(
            message="revealed_often", case=None, workflow=_REVEALING, state=None,
            unit=units[line.unit].name if line.unit in units else line.unit, why=_LOOKS_AFTER,
            person=(found and found.name) or line.login,
        )  # fmt: skip

    def _of_an_absence(self, line: _Absence) -> Notice:
        """That somebody else told the reader's absence, or ended it; at the unit where the reader works."""
        desk = self._desk
        here = next((desk.units()[one.unit].name for one in desk.actor(line.login).grants), "—")
        return Notice(
            message="absence", case=None, workflow=_ABSENCE, state=None, unit=here, why=_OWN_ABSENCE,
            reason=line.reason, person=colleague(desk, line.teller), away=line.days, was_away=line.was,
        )  # fmt: skip

    def _copy(self, line: _Copied, reader: str, at: datetime) -> Iterator[Notice]:
        """What a colleague shows the reader, as long as the reader may know of it; the words if they are not erased."""
        desk, row = self._desk, line.row
        if may_read(desk, line.case, reader.removeprefix(PERSON), at):
            note = copies.note_of(desk.connection, row.chain, row.seq)
            yield replace(
                self._about(line.case, row, _COLLEAGUE),
                todo=self._roll_at(at).todo(line.case, reader),
                reason=note or None,
                person=colleague(desk, line.sender),
            )

    def _passed_on(self, line: _Passed, reader: str, at: datetime) -> Iterator[Notice]:
        """A delegation in words, if it still counts; a case that is over is nobody's work any more."""
        desk, case, one = self._desk, line.case, line.passing
        if not still_counts(desk, one, at) or (case is not None and desk.machine(case.shape).is_final(case.state)):
            return
        unit = one.right.unit if case is None else case.unit
        reason = reason_to_tell(desk, one, unit)
        if case is not None:
            plain = self._about(case, line.row, reason)
            todo = () if line.row.message == DELEGATION_ENDED else self._roll_at(at).todo(case, reader)
            plain = replace(plain, todo=todo)
        else:
            plain = Notice(
                message=_message(line.row), case=None, workflow=title_of(desk, one.right.role), state=None,
                unit=desk.units()[unit].name, why=reason,
            )  # fmt: skip
        yield replace(plain, reason=line.reason, delegation=delegation_of(desk, one))

    def _notice(self, line: _Line, reader: str, todo: tuple[Bilingual, ...], at: datetime) -> Notice:
        case, row = line.case, line.row
        machine = self._desk.machine(case.shape)
        own = machine.definition
        step = own.transitions.get(line.says("trigger") or "")
        plain = replace(
            self._about(case, row, self._why(line, reader, at)),
            step=None if step is None else step.title,
            todo=todo,
            reason=line.says("reason") or line.says("why") if row.message in _GIVES_REASON else None,
        )
        if line.kept is None:
            return plain
        return _dated(plain, line, own.deadlines[line.kept.name], machine.calendar, at)

    def _about(self, case: Case, row: OutboxRow, why_told: Bilingual) -> Notice:
        """What every notice about a case says."""
        own = self._desk.definition(case.shape)
        return Notice(
            message=_message(row),
            case=case.number,
            workflow=own.title,
            state=_CANCELLED if case.state == CANCELLED else own.states[case.state].title,
            unit=self._desk.units()[case.unit].name,
            why=why_told,
        )

    def _why(self, line: _Line, reader: str, at: datetime) -> Bilingual:
        """In which role the reader is told: of those the message goes to, the first that is the reader's."""
        roll = self._roll_at(at)
        for role in self._roles(line):
            found = roll.find(line.case, role)
            if any(one.key == reader for one in found.people):
                return why(self._desk, role, found.unit, stands_in=reader in found.stand_ins)
        above = (one for one in roll.above(line.case) if one[0].key == reader)
        for _, role, unit in above:
            return why(self._desk, role, unit, stands_in=False)
        return _CONCERNED

    def _roles(self, line: _Line) -> Iterable[str]:
        """The roles a message goes to."""
        own = self._desk.definition(line.case.shape)
        deadline = own.deadlines.get(line.row.deadline or "")
        if deadline is not None:
            reminded = () if deadline.remind is None else deadline.remind.to
            above = () if deadline.escalate is None else (deadline.escalate.to,)
            return (*above, *reminded) if line.row.message in (ESCALATED, NOBODY_LEFT) else (*reminded, *above)
        step = own.transitions.get(line.says("trigger") or "")
        data = cast("Mapping[str, Json]", line.event.get("data", {}))
        urged = cast("Sequence[str]", data.get("roles", ()))
        return (*urged, *(() if step is None else (tell.to for tell in step.tell)))


def _absence(row: OutboxRow, event: Mapping[str, Any]) -> _Absence:
    data = event["data"]
    was = _days(data.get(WAS) or data.get(BACK))
    return _Absence(row, str(data["login"]), str(event["actor"]), _days(data.get(AWAY)), was, data.get("why"))


def _days(told: Mapping[str, str] | None) -> tuple[date, date] | None:
    return None if told is None else (date.fromisoformat(told["from"]), date.fromisoformat(told["to"]))


def _message(row: OutboxRow) -> Message:
    return cast("Message", row.message) if row.message in _MESSAGES else "moved"


def _newest(
    lines: Iterable[_Line | _Passed | _Copied | _Often | _Absence],
) -> list[_Line | _Passed | _Copied | _Often | _Absence]:
    """Of what says the same only the last."""
    found: dict[tuple[object, ...], _Line | _Passed | _Copied | _Often | _Absence] = {}
    for line in lines:
        found.pop(line.same, None)
        if isinstance(line, _Absence):
            found.pop((*line.same[:-1], line.was), None)  # its days were others
        found[line.same] = line
    return list(found.values())


def _is_news(line: _Line, todo: Sequence[Bilingual], *, is_own: bool) -> bool:
    """Whether a message still says what is the case."""
    row, case, kept = line.row, line.case, line.kept
    if row.deadline is not None:
        due_at = None if kept is None or kept.due_at is None else moment(kept.due_at)
        return kept is not None and not kept.settled and due_at == row.due_at
    if case.state == CANCELLED or row.message not in _FOR_GOOD:
        return line.led_to == case.state or (is_own and case.state != CANCELLED) or bool(todo)
    return True


def _dated(notice: Notice, line: _Line, deadline: Deadline, calendar: WorkCalendar | None, at: datetime) -> Notice:
    """The notice with its deadline as it stands."""
    kept, was = line.kept, line.says("old")
    if kept is None:
        return notice
    return replace(
        notice,
        deadline=deadline.title,
        deadline_name=kept.name,
        due_at=kept.due_at,
        was_due_at=None if was is None else datetime.fromisoformat(was),
        is_provisional=_is_provisional(kept, deadline, calendar),
        left=None if kept.due_at is None else left_of(kept.due_at, calendar, at),
        sequence=kept.sequence,
    )


def _is_provisional(kept: Row, deadline: Deadline, calendar: WorkCalendar | None) -> bool:
    """Whether working days were counted in a year whose notice is not out."""
    if kept.due_at is None or kept.extended or calendar is None or "working_days_after(" not in deadline.due:
        return False
    return calendar.is_provisional(_day(kept.due_at))


def left_of(due: datetime, calendar: WorkCalendar | None, at: datetime) -> Left:
    """How far a deadline is from a moment, in days of Shanghai; the day of the moment itself is not counted."""
    today, last = _day(at), _day(due)
    days = (last - today).days
    if calendar is None:
        return Left(days=days, working_days=None)
    first, end = min(today, last), max(today, last)
    between = (first + _DAY * number for number in range(1, (end - first).days + 1))
    worked = sum(map(calendar.is_working_day, between))
    return Left(days=days, working_days=worked if days >= 0 else -worked)


def _day(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date()
