"""The ladder of a deadline: which reminder is due when, for whom, and what is the next thing to be done about it.

Pure. Days are days in Asia/Shanghai; working days are those of the calendar given, without one Monday to Friday.

- `before: 3d` is told at `at` on the third day before the day the deadline falls on; `0d` on that day itself.
- On that day nothing is told after it is over: where the deadline is a moment earlier than `at`, one hour before it,
  or at the beginning of the day if that is later.
- `overdue: 1d` is told at `at` on every following day until the deadline is settled, the first time urgently.
- `escalate.after` counts from the deadline, once; with `0d` as soon as it is over.

Source: the definition language, section 8; requirements.md, 4.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from engine.calendars import WorkCalendar
from engine.definition import Deadline, Remind
from engine.errors import Unreadable
from engine.expressions.functions import days_after, working_days_after
from engine.expressions.kinds import SHANGHAI
from engine.vocabulary import CalendarText

APPROACHING, DUE_TODAY, OVERDUE, ESCALATED = "approaching", "due_today", "overdue", "escalated"
"""The messages of the rungs."""

_SECOND = timedelta(seconds=1)
_HOUR = timedelta(hours=1)
_MORNING = time(9)
_OFFSET = re.compile(r"(?P<count>[0-9]{1,4})(?P<unit>d|wd)", re.ASCII)
_WEEKDAYS = WorkCalendar(CalendarText())


class Rung(NamedTuple):
    """One thing to be told about a deadline, once.

    Attributes:
        name: `before:7d`, `day:0d`, `overdue:1` (the n-th) or `escalate`; each once per deadline and due date.
        at: When it is told, UTC.
        message: `approaching`, `due_today`, `overdue` or `escalated`.
        to: The roles it is told to.
        is_urgent: Whether it is a mail of its own instead of a line of the day's.
    """

    name: str
    at: datetime
    message: str
    to: tuple[str, ...]
    is_urgent: bool


class Offset(NamedTuple):
    """A number of calendar days (`d`) or working days (`wd`)."""

    number: int
    unit: str


def read_offset(text: str) -> Offset:
    """A number of days as a ladder writes it.

    Raises:
        Unreadable: If it is not written `3d` or `3wd`.
    """
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise Unreadable("提醒时距 offset of a reminder", text, "3d（天 days）、3wd（工作日 working days）")
    return Offset(int(match["count"]), match["unit"])


def read_time(text: str) -> time:
    """A time of day in Asia/Shanghai.

    Raises:
        Unreadable: If it is not written `09:00`.
    """
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise Unreadable("提醒时刻 time of a reminder", text, "09:00") from None


def over_at(due: datetime) -> datetime:
    """The first moment that is too late: seconds count, their fractions do not (S004-6.1)."""
    return due.replace(microsecond=0) + _SECOND


def rungs(
    deadline: Deadline, due: datetime, calendar: WorkCalendar | None, after: datetime, until: datetime
) -> list[Rung]:
    """The rungs whose moment lies after `after` and not after `until`, in order of time.

    Args:
        deadline: As the definition has it.
        due: The last moment in time.
        calendar: By which working days are counted.
        after: What was due up to then has been told.
        until: How far to look.
    """
    found = [one for one in _once(deadline, due, calendar) if after < one.at <= until]
    for one in _overdue(deadline, due, calendar, after):
        if one.at > until:
            break
        found.append(one)
    return sorted(found, key=lambda one: (one.at, one.name))


def next_rung(deadline: Deadline, due: datetime, calendar: WorkCalendar | None, after: datetime) -> Rung | None:
    """The first rung whose moment lies after `after`; None where there is none any more."""
    once = [one for one in _once(deadline, due, calendar) if one.at > after]
    again = next(_overdue(deadline, due, calendar, after), None)
    every = once if again is None else [*once, again]
    return min(every, key=lambda one: (one.at, one.name), default=None)


def next_look(
    deadline: Deadline, due: datetime, calendar: WorkCalendar | None, told_at: datetime, *, is_missed: bool
) -> datetime | None:
    """When something is next to be done about a deadline: to tell a rung, or to mark it late. None: nothing more.

    Args:
        deadline: As the definition has it.
        due: The last moment in time.
        calendar: By which working days are counted.
        told_at: Rungs up to then are done.
        is_missed: Whether it has been marked late.
    """
    rung = next_rung(deadline, due, calendar, told_at)
    moments = [] if rung is None else [rung.at]
    return min(moments if is_missed else [*moments, over_at(due)], default=None)


@lru_cache(maxsize=4096)
def _once(deadline: Deadline, due: datetime, calendar: WorkCalendar | None) -> tuple[Rung, ...]:
    """The rungs that come once; a thousand cases of a batch are due at the same moment."""
    return tuple(_before_and_escalated(deadline, due, calendar))


def _before_and_escalated(deadline: Deadline, due: datetime, calendar: WorkCalendar | None) -> Iterator[Rung]:
    remind, escalate, day = deadline.remind, deadline.escalate, _day_of(due)
    if remind is not None:
        for text in dict.fromkeys(remind.before):
            told_on = _shifted(calendar, day, read_offset(text), -1)
            if told_on is not None:
                yield _before(remind, text, told_on, due)
    if escalate is not None:
        told_on = _shifted(calendar, day, read_offset(escalate.after), 1)
        if told_on is not None:
            at = max(_at(told_on, _told_at(remind)), over_at(due))
            yield Rung("escalate", at, ESCALATED, (escalate.to,), is_urgent=False)


def _before(remind: Remind, text: str, told_on: date, due: datetime) -> Rung:
    at = _at(told_on, _told_at(remind))
    if told_on < _day_of(due):
        return Rung(f"before:{text}", at, APPROACHING, remind.to, is_urgent=remind.alone)
    if at > due:
        at = max(due - _HOUR, _at(told_on, time()))
    return Rung(f"day:{text}", at, DUE_TODAY, remind.to, is_urgent=True)


def _overdue(deadline: Deadline, due: datetime, calendar: WorkCalendar | None, after: datetime) -> Iterator[Rung]:
    """The reminders after a deadline is over, without end; those up to `after` are left out."""
    remind = deadline.remind
    if remind is None or remind.overdue is None:
        return
    count, unit = read_offset(remind.overdue)
    every, at, told_on = Offset(max(count, 1), unit), _told_at(remind), _day_of(due)
    number = _days_passed(told_on, after) // every.number if unit == "d" else 0
    told_on += timedelta(days=number * every.number)
    while (following := _shifted(calendar, told_on, every, 1)) is not None:
        told_on, number = following, number + 1
        moment = _at(told_on, at)
        if moment > after:
            yield Rung(f"overdue:{number}", moment, OVERDUE, remind.to, is_urgent=remind.alone or number == 1)


def _days_passed(day: date, after: datetime) -> int:
    """The whole days between a day and the day before a moment: none of the rungs passed over lies after it."""
    return max((_day_of(after) - day).days - 1, 0)


def _shifted(calendar: WorkCalendar | None, day: date, offset: Offset, sign: int) -> date | None:
    if offset.unit == "d":
        return days_after(day, sign * offset.number)
    return working_days_after(_WEEKDAYS if calendar is None else calendar, day, sign * offset.number)


def _told_at(remind: Remind | None) -> time:
    return _MORNING if remind is None else read_time(remind.at)


@lru_cache(maxsize=4096)
def _at(day: date, at: time) -> datetime:
    moment = datetime.combine(day, at, SHANGHAI)
    return moment.astimezone(UTC)


def _day_of(moment: datetime) -> date:
    return moment.astimezone(SHANGHAI).date()
