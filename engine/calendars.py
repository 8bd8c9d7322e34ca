"""Working days and terms as a profile, or a unit of it, goes by them; and why a count of days ends where it does.

Pure. The days come from `rules/calendars/`: first the State Council's holidays and make-up working days of each year,
then terms and closures. They are part of the rulebook, so a date can be derived again from the rulebook's hash.
Source: requirements.md, 4.1 and 4.3.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from engine.definition import Bilingual
from engine.errors import Unreadable
from engine.expressions.functions import days_after, months_after, working_days_after
from engine.expressions.scalars import Term
from engine.vocabulary import CalendarText, LocalCalendar, Stretch, TermDates

_DAY = timedelta(days=1)
_WORKDAYS_A_WEEK = 5
_OFFSET = re.compile(r"(?P<count>[+-]?[0-9]{1,5})(?P<unit>wd|d|m)", re.ASCII)
_WEEKEND: Mapping[int, Bilingual] = {
    6: Bilingual(zh="周六", en="Saturday"),
    7: Bilingual(zh="周日", en="Sunday"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A day and what it is: why nobody works on it, or as what it is worked."""

    day: date
    reason: Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A count of days, explained.

    Attributes:
        day: The day it leads to.
        skipped: The days on the way that did not count, each with its reason, in the order met.
        made_up: The Saturdays and Sundays that did count, because a notice made them working days.
        is_provisional: Working days were counted in a year whose notice is not out.
    """

    day: date
    skipped: tuple[Named, ...]
    made_up: tuple[Named, ...]
    is_provisional: bool


class WorkCalendar:
    """Working days and terms; answers everything `engine.expressions.functions.Calendar` asks for.

    Args:
        text: The files under `rules/calendars/`.
        profile: Whose terms and closures apply on top of everybody's.
        units: Codes of a unit and those above it, nearest first; the nearest that sets a term wins.
    """

    def __init__(self, text: CalendarText, profile: str = "", units: Sequence[str] = ()) -> None:
        layers = _layers(text, profile, units)
        self._confirmed = frozenset(one.year for one in text.years if one.status == "confirmed")
        self._off = _by_day(stretch for one in text.years for stretch in one.holidays)
        self.closures = tuple(stretch for layer in layers for stretch in layer.closures)
        self._closed = _by_day(self.closures)
        self._made_up = frozenset(day for one in text.years for day in one.working_days)
        self.terms = _terms(layers)
        self._spans = sorted((one.first, _end(term, self.terms), term) for term, one in self.terms.items())
        self._starts = [first for first, _, _ in self._spans]

    def is_working_day(self, day: date, /) -> bool:
        """Tell whether people work on that day, make-up working days (调休) included, closures not."""
        if day in self._closed:
            return False
        return day in self._made_up or (day.weekday() < _WORKDAYS_A_WEEK and day not in self._off)

    def reason_off(self, day: date) -> Bilingual | None:
        """Why nobody works on a day; None if it is a working day."""
        if self.is_working_day(day):
            return None
        return self._closed.get(day) or self._off.get(day) or _WEEKEND[day.isoweekday()]

    def is_provisional(self, day: date) -> bool:
        """Whether the notice for the year of a day is not out, so that it may still become another kind of day."""
        return day.year not in self._confirmed

    def term_of(self, day: date, /) -> Term | None:
        """Give the term a day belongs to; a vacation day belongs to the term before it, None beyond what is set."""
        place = bisect_right(self._starts, day) - 1
        if place < 0:
            return None
        _, end, term = self._spans[place]
        return term if day <= end else None

    def first_day(self, term: Term, /) -> date | None:
        """Give the first day of a term, if it is set."""
        dates = self.terms.get(term)
        return None if dates is None else dates.first

    def last_day(self, term: Term, /) -> date | None:
        """Give the last day of a term, if it is set; its vacation follows."""
        dates = self.terms.get(term)
        return None if dates is None else dates.last

    def explain(self, start: date, offset: str) -> Counted:
        """Count from a day, and say which days did not count and why; the day itself is never counted.

        Args:
            start: The day the count is from.
            offset: `+15wd` working days, `-7d` calendar days, `3m` months.

        Raises:
            Unreadable: If the offset is not written so, or leads beyond the year 9999.
        """
        match = _OFFSET.fullmatch(offset)
        end = None if match is None else self._count(start, int(match["count"]), match["unit"])
        if match is None or end is None:
            raise Unreadable("推算 offset", offset, "+15wd（工作日 working days）、-7d（天 days）、3m（月 months）")
        passed = list(_between(start, end)) if match["unit"] == "wd" else []
        return Counted(
            day=end,
            skipped=tuple(Named(day=day, reason=why) for day in passed if (why := self.reason_off(day)) is not None),
            made_up=tuple(self._made_up_day(day) for day in passed if self._is_made_up(day)),
            is_provisional=any(map(self.is_provisional, passed)),
        )

    def _count(self, start: date, count: int, unit: str) -> date | None:
        if unit == "wd":
            return working_days_after(self, start, count)
        return days_after(start, count) if unit == "d" else months_after(start, count)

    def _is_made_up(self, day: date) -> bool:
        return day in self._made_up and day not in self._closed

    def _made_up_day(self, day: date) -> Named:
        weekday = _WEEKEND[day.isoweekday()]
        return Named(day=day, reason=Bilingual(zh=f"{weekday.zh}调休上班", en=f"{weekday.en}, a working day"))


def calendar_of(text: CalendarText, profile: str, units: Sequence[str] = ()) -> WorkCalendar | None:
    """The calendar of a rulebook for a profile; None where it has none, so that what needs one is undecided."""
    return _made(_Text(text), profile, tuple(units))


class _Text:
    """The text of a rulebook as a key: the same is only that very one, which is quicker told than that it says so."""

    __slots__ = ("said",)

    def __init__(self, said: CalendarText) -> None:
        self.said = said

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Text) and self.said is other.said

    def __hash__(self) -> int:
        return id(self.said)


@lru_cache(maxsize=256)
def _made(text: _Text, profile: str, units: tuple[str, ...]) -> WorkCalendar | None:
    """Made once for all pages, mails and steps that ask for it: it has every day of ten years."""
    return None if text.said == CalendarText() else WorkCalendar(text.said, profile, units)


def _layers(text: CalendarText, profile: str, units: Sequence[str]) -> list[LocalCalendar]:
    """What applies, from the general to the particular."""
    own = [text.profiles.get(profile), *(text.units.get(code) for code in reversed(units))]
    return [text, *(one for one in own if one is not None)]


def _terms(layers: Iterable[LocalCalendar]) -> dict[Term, TermDates]:
    named = {name: dates for layer in layers for name, dates in layer.terms.items()}
    return {(int(name[:4]), int(name[5:])): dates for name, dates in named.items()}


def _end(term: Term, terms: Mapping[Term, TermDates]) -> date:
    """The last day that belongs to a term, its vacation included."""
    year, number = term
    following = terms.get((year, 2) if number == 1 else (year + 1, 1))
    own = terms[term]
    return own.vacation_to or (own.last if following is None else following.first - _DAY)


def _by_day(stretches: Iterable[Stretch]) -> dict[date, Bilingual]:
    return {day: one.title for one in stretches for day in one.days()}


def _between(start: date, end: date) -> Iterable[date]:
    """The days after a day up to another, in the direction of the count."""
    step = _DAY if end > start else -_DAY
    return (start + step * count for count in range(1, abs((end - start).days) + 1))
