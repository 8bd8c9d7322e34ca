"""The calendar of a year at a glance, and terms: what a notice says, what is provisional, and changes as proposals."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from console.web.visit import Visit
from engine.calendars import WorkCalendar
from engine.definition import Bilingual
from engine.vocabulary import CalendarYear, LocalCalendar, TermDates

_MONTHS = range(1, 13)
_WORKDAYS_A_WEEK = 5
WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
"""As the columns of a month are headed, by a name for `say`."""


class Day(NamedTuple):
    """A day of a month; `kind` is work, weekend, off, made-up, or other where it belongs to the month beside.

    `has_changed`: it is not as it is in force.
    """

    day: date
    kind: str
    reason: Bilingual | None
    has_changed: bool = False


class Month(NamedTuple):
    """A month by weeks, from Monday on, and how many working days it has."""

    number: int
    weeks: tuple[tuple[Day, ...], ...]
    working_days: int


class Year(NamedTuple):
    """A year as the rulebook in force has it; `notice` None: nothing is known of it but its weekends."""

    year: int
    notice: CalendarYear | None
    months: tuple[Month, ...]
    years: tuple[int, ...]

    @property
    def is_confirmed(self) -> bool:
        """Whether its notice is out."""
        return self.notice is not None and self.notice.status == "confirmed"


class Terms(NamedTuple):
    """Terms of everybody, then of profiles and units that differ: whose, and each by name."""

    groups: tuple[tuple[str, tuple[tuple[str, TermDates], ...]], ...]


def year_of(visit: Visit, year: int) -> Year:
    """A year at a glance."""
    text = visit.desk.library.rulebook.calendar
    notice = next((one for one in text.years if one.year == year), None)
    days = WorkCalendar(text)
    return Year(
        year=year,
        notice=notice,
        months=months_of(days, year),
        years=tuple(sorted({one.year for one in text.years} | {year})),
    )


def months_of(days: WorkCalendar, year: int) -> tuple[Month, ...]:
    """The months of a year."""
    return tuple(_month(days, year, number) for number in _MONTHS)


def _month(days: WorkCalendar, year: int, number: int) -> Month:
    weeks = tuple(
        tuple(_day(days, day, number) for day in week) for week in Calendar().monthdatescalendar(year, number)
    )
    own = [day for week in weeks for day in week if day.kind in ("work", "made-up")]
    return Month(number, weeks, len(own))


def _day(days: WorkCalendar, day: date, month: int) -> Day:
    if day.month != month:
        return Day(day, "other", None)
    is_weekend = day.weekday() >= _WORKDAYS_A_WEEK
    if days.is_working_day(day):
        return Day(day, "made-up" if is_weekend else "work", None)
    reason = days.reason_off(day)
    is_holiday = reason is not None and reason.zh not in ("周六", "周日")
    return Day(day, "off" if is_holiday else "weekend", reason if is_holiday else None)


def terms_of(visit: Visit) -> Terms:
    """Every term that is set."""
    text = visit.desk.library.rulebook.calendar
    every: dict[str, LocalCalendar] = {"": text, **text.profiles, **text.units}
    groups = tuple((name, tuple(_newest_first(one))) for name, one in every.items() if one.terms)
    return Terms(groups)


def _newest_first(one: LocalCalendar) -> Iterator[tuple[str, TermDates]]:
    yield from sorted(one.terms.items(), reverse=True)
