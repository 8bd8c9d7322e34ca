"""The functions of the language: their kinds, and what they compute once every argument is known.

All are pure and total: where there is no answer (a date beyond the calendar of Python, a term the
institution has not set) they give `None`, which makes the expression undecided.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import wraps
from typing import ParamSpec, Protocol, TypeVar

from engine.expressions.kinds import (
    CLOCK,
    CODE,
    DATE,
    MOMENT,
    NUMBER,
    SHANGHAI,
    TERM,
    TEXT,
    YES_NO,
    Kind,
    Value,
)  # fmt: skip
from engine.expressions.scalars import Term

_TERMS_A_YEAR = 2
_MOST_DAYS = 10_000  # working days are counted one by one; nobody counts more than these


class Calendar(Protocol):
    """Working days and terms of an institution."""

    def is_working_day(self, day: date, /) -> bool:
        """Tell whether people work on that day, make-up working days (调休) included."""

    def term_of(self, day: date, /) -> Term | None:
        """Give the term a day belongs to; a vacation day belongs to the term before it."""

    def first_day(self, term: Term, /) -> date | None:
        """Give the first day of a term, if it is set."""

    def last_day(self, term: Term, /) -> date | None:
        """Give the last day of a term, if it is set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A function an expression may call.

    Attributes:
        takes: Kinds of its arguments.
        gives: Kind of its result.
        run: What it computes; gives `None` where there is no answer. No argument is ever missing.
        wants_calendar: It is called with the calendar before its arguments; undecided without one.
        total: It always has an answer.
    """

    takes: tuple[Kind, ...]
    gives: Kind
    run: Callable[..., Value | None]
    wants_calendar: bool = False
    total: bool = False


_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def _or_nothing(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result | None]:
    @wraps(function)
    def total(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result | None:
        try:
            return function(*args, **kwargs)
        except (OverflowError, ValueError):  # beyond the years 1 to 9999
            return None

    return total


# --- dates (counting rules: requirements.md, 4.1) ----------------------------------------------


@_or_nothing
def days_after(day: date, days: int) -> date:
    """Count calendar days; the day itself is not counted, `days` may be negative."""
    return day + timedelta(days=days)


@_or_nothing
def months_after(day: date, months: int) -> date:
    """Give the same day of a later month, or its last day (31 August + 1 month = 30 September)."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@_or_nothing
def teaching_week_end(first: date, week: int) -> date:
    """Give the Sunday of a teaching week; week 1 is the calendar week of the first day."""
    return first + timedelta(days=7 * week - 1 - first.weekday())


@_or_nothing
def working_days_after(calendar: Calendar, day: date, days: int) -> date | None:
    """Count working days; the day itself is not counted, `days` may be negative."""
    if abs(days) > _MOST_DAYS:
        return None
    step = timedelta(days=1 if days > 0 else -1)
    left = abs(days)
    while left:
        day += step
        left -= calendar.is_working_day(day)
    return day


@_or_nothing
def start_of_day(day: date) -> datetime:
    """Give the first moment of a day in Asia/Shanghai."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


@_or_nothing
def end_of_day(day: date) -> datetime:
    """Give the last second of a day in Asia/Shanghai."""
    return datetime.combine(day, time(23, 59, 59), SHANGHAI).astimezone(UTC)


@_or_nothing
def day_of(moment: datetime) -> date:
    """Give the day of a moment in Asia/Shanghai."""
    return moment.astimezone(SHANGHAI).date()


@_or_nothing
def clock_of(moment: datetime) -> time:
    """Give the time of day of a moment in Asia/Shanghai, to the microsecond."""
    return moment.astimezone(SHANGHAI).time()


# --- terms and values --------------------------------------------------------------------------


def make_term(year: int, number: int) -> Term | None:
    """Give a term of an academic year, if the year has one of that number."""
    return (year, number) if 1 <= number <= _TERMS_A_YEAR else None


def term_before(term: Term) -> Term:
    """Give the term before."""
    year, number = term
    return (year, number - 1) if number > 1 else (year - 1, _TERMS_A_YEAR)


def term_after(term: Term) -> Term:
    """Give the term after."""
    year, number = term
    return (year, number + 1) if number < _TERMS_A_YEAR else (year + 1, 1)


_PATTERN_ITEM = re.compile(
    r"(?:\[(?P<some>[^\[\]\\^]+)\]|(?P<one>[^\[\]{}()\\.*+?|^$]))"
    r"(?:\{(?P<least>[0-9]{1,2})(?:,(?P<most>[0-9]{1,2}))?\})?"
)


def pattern_fault(pattern: str) -> str:
    """Say why a text is no pattern of characters, `[classes]`, `{counts}`; empty if it is one."""
    end = 0
    for item in _pattern_items(pattern):
        end = item.end()
        if item["most"] and int(item["most"]) < int(item["least"]):
            return f"the count {{{item['least']},{item['most']}}} runs backwards"
    if end < len(pattern):
        return f"'{pattern[end:]}' is neither a character, a [class] nor a {{count}}"
    return ""


def _pattern_items(pattern: str) -> list[re.Match[str]]:
    items: list[re.Match[str]] = []
    end = 0
    while item := _PATTERN_ITEM.match(pattern, end):
        items.append(item)
        end = item.end()
    return items


def _allows(item: re.Match[str], letter: str) -> bool:
    if item["one"] is not None:
        return letter == item["one"]
    letters = item["some"]
    ranges = re.findall(r"(.)-(.)", letters)
    singles = re.sub(r".-.", "", letters)
    return letter in singles or any(low <= letter <= high for low, high in ranges)


def matches(text: str, pattern: str) -> bool:
    """Tell whether the whole text has the form; takes no more steps than length times counts."""
    reached = {0}
    for item in _pattern_items(pattern):
        least = int(item["least"] or 1)
        most = int(item["most"] or least)
        reached = {end for start in reached for end in _ends(item, text, start, (least, most))}
    return len(text) in reached


def _ends(item: re.Match[str], text: str, start: int, counts: tuple[int, int]) -> range:
    least, most = counts
    run = 0
    while run < most and start + run < len(text) and _allows(item, text[start + run]):
        run += 1
    return range(start + least, start + run + 1)


def _term_of(calendar: Calendar, day: date) -> Term | None:
    return calendar.term_of(day)


def _first_day(calendar: Calendar, term: Term) -> date | None:
    return calendar.first_day(term)


def _last_day(calendar: Calendar, term: Term) -> date | None:
    return calendar.last_day(term)


def _academic_year(term: Term) -> int:
    return term[0]


def _term_number(term: Term) -> int:
    return term[1]


def _code_of(unit: str) -> str:
    return unit  # a unit is known by its code


_UNIT = Kind(name="unit")
_DAYS = (DATE, NUMBER)

FUNCTIONS: Mapping[str, Registered] = {
    "days_after": Registered(takes=_DAYS, gives=DATE, run=days_after),
    "months_after": Registered(takes=_DAYS, gives=DATE, run=months_after),
    "teaching_week_end": Registered(takes=_DAYS, gives=DATE, run=teaching_week_end),
    "working_days_after": Registered(takes=_DAYS, gives=DATE, run=working_days_after, wants_calendar=True),
    "start_of_day": Registered(takes=(DATE,), gives=MOMENT, run=start_of_day),
    "end_of_day": Registered(takes=(DATE,), gives=MOMENT, run=end_of_day),
    "day": Registered(takes=(MOMENT,), gives=DATE, run=day_of),
    "clock": Registered(takes=(MOMENT,), gives=CLOCK, run=clock_of),
    "weekday": Registered(takes=(DATE,), gives=NUMBER, run=date.isoweekday, total=True),
    "term_of": Registered(takes=(DATE,), gives=TERM, run=_term_of, wants_calendar=True),
    "term": Registered(takes=(NUMBER, NUMBER), gives=TERM, run=make_term),
    "term_before": Registered(takes=(TERM,), gives=TERM, run=term_before, total=True),
    "term_after": Registered(takes=(TERM,), gives=TERM, run=term_after, total=True),
    "first_day": Registered(takes=(TERM,), gives=DATE, run=_first_day, wants_calendar=True),
    "last_day": Registered(takes=(TERM,), gives=DATE, run=_last_day, wants_calendar=True),
    "academic_year": Registered(takes=(TERM,), gives=NUMBER, run=_academic_year, total=True),
    "term_number": Registered(takes=(TERM,), gives=NUMBER, run=_term_number, total=True),
    "starts_with": Registered(takes=(TEXT, TEXT), gives=YES_NO, run=str.startswith, total=True),
    "matches": Registered(takes=(TEXT, TEXT), gives=YES_NO, run=matches, total=True),
    "length": Registered(takes=(TEXT,), gives=NUMBER, run=len, total=True),
    "code_of": Registered(takes=(_UNIT,), gives=CODE, run=_code_of, total=True),
}

# Functions on rows, documents and history; their one argument is a name in quotes.
ROW_SOURCES = ("cases", "others", "rows", "same_person")
DOCUMENT_ANSWERS = ("has", "reviewed", "same_students")
DOCUMENT_ROWS: Mapping[str, Mapping[str, Kind]] = {
    "empty_fields": {"name": TEXT},
    "differing_fields": {"name": TEXT, "expected": TEXT, "found": TEXT},
}
HISTORY_ANSWERS = ("taken", "before", "within")
OVER_ROWS = ("every", "any", "none", "where", "count", "values")
SPECIAL = ("known", "first_known", "value_of")
ALL_NAMES = (
    *FUNCTIONS, *ROW_SOURCES, *DOCUMENT_ANSWERS, *DOCUMENT_ROWS, *HISTORY_ANSWERS, *OVER_ROWS,
    *SPECIAL,
)  # fmt: skip
