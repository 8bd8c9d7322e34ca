"""Pace: how much working time is left before a deadline, and whether what is open will be done by then.

The forecast is the mean of the last five working days carried on over the working time left, in whole minutes: no
floats anywhere. Pure: days come from the figures that are kept, working days from the calendar.
Source: the console's specification, 7.4.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple, Protocol

from engine.expressions.kinds import SHANGHAI

DAYS = 5
"""The working days a forecast is drawn from; with fewer, none is made."""
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
_MINUTES = 24 * 60
_LONGEST = 400
"""Days looked ahead for the day on which all is done; who needs longer will not be on time in any batch."""


class WorkDays(Protocol):
    """Which days are worked."""

    def is_working_day(self, day: date, /) -> bool:
        """Tell whether people work on that day."""
        ...


class EveryDay:
    """Where no calendar says otherwise, every day counts."""

    def is_working_day(self, _day: date, /) -> bool:
        """Tell that people work on it."""
        return True


class DayOpen(NamedTuple):
    """The end of one day: how many had applied, and how many had not."""

    day: date
    filed: int
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What comes of it at the pace of the last working days.

    Attributes:
        gained: Applications of the last five working days, less those taken back; never below zero.
        open: How many have not applied now.
        left: How many will not have when time is over.
        done_on: The day on which all will have applied; None if that is beyond a year.
        needed: Applications each working day that it takes to be on time; None when no working time is left.
    """

    gained: int
    open: int
    left: int
    done_on: date | None
    needed: int | None

    @property
    def per_day(self) -> int:
        """The mean of a working day, rounded."""
        return (2 * self.gained + DAYS) // (2 * DAYS)


class Horizon:
    """The working time between a moment and a deadline; asked for one forecast or for that of many units.

    Args:
        at: Now.
        due: The last moment, aware.
        work: Which days are worked.
    """

    def __init__(self, at: datetime, due: datetime, work: WorkDays) -> None:
        self._at = at
        self._work = work
        self._day = at.astimezone(SHANGHAI).date()
        self.minutes_left = minutes_left(at, due, work)

    def forecast(self, days: Sequence[DayOpen], now: DayOpen) -> Forecast | None:
        """Carry the last five working days on to the deadline; None while there are fewer to go by.

        Args:
            days: The ends of the days before today, in order.
            now: As things stand at this moment.
        """
        ends = {one.day: one.filed for one in days}
        since = self.since
        if since not in ends or self._day - _DAY not in ends:
            return None
        gained = max(0, ends[self._day - _DAY] - ends[since])
        return Forecast(
            gained=gained,
            open=now.open,
            left=max(0, now.open - gained * self.minutes_left // (DAYS * _MINUTES)),
            done_on=self._done_on(now.open, gained),
            needed=-(-now.open * _MINUTES // self.minutes_left) if self.minutes_left else None,
        )

    @cached_property
    def since(self) -> date:
        """The day after which the last five working days before today begin."""
        day, left = self._day, DAYS
        while left:
            day -= _DAY
            left -= self._work.is_working_day(day)
        return day - _DAY

    @cached_property
    def _reached(self) -> Sequence[tuple[int, date]]:
        """The working minutes from now to the end of each coming day."""
        minutes, found = 0, []
        for day in _from(self._day, self._day + timedelta(days=_LONGEST)):
            minutes += _within(day, self._at, _last_second(day)) if self._work.is_working_day(day) else 0
            found.append((minutes, day))
        return found

    def _done_on(self, count: int, gained: int) -> date | None:
        """The day on which the last applies at this pace."""
        if not count:
            return self._day
        if not gained:
            return None
        wanted = -(-count * DAYS * _MINUTES // gained)
        place = bisect_left(self._reached, (wanted, date.min))
        return self._reached[place][1] if place < len(self._reached) else None


def minutes_left(at: datetime, due: datetime, work: WorkDays) -> int:
    """The working time between two moments in minutes; a working day has 24 hours of it, today what is left of it."""
    first, last = at.astimezone(SHANGHAI).date(), due.astimezone(SHANGHAI).date()
    return sum(_within(day, at, due) for day in _from(first, last) if work.is_working_day(day))


def _within(day: date, at: datetime, due: datetime) -> int:
    """The minutes of a day between two moments, the last second included."""
    ends = _last_second(day)
    begins = max(at, ends - _DAY + _SECOND)
    return max(0, int((min(due, ends) + _SECOND - begins).total_seconds()) // 60)


def _last_second(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), SHANGHAI)


def plan(first: date, last: date, count: int, work: WorkDays) -> Iterator[tuple[date, int]]:
    """How many should be open at the end of each day if every working day does its share, from `count` to none."""
    worked = sum(map(work.is_working_day, _from(first, last)))
    done = 0
    for day in _from(first, last):
        done += work.is_working_day(day)
        yield day, count - count * done // worked if worked else count


def _from(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=count) for count in range((last - first).days + 1))
