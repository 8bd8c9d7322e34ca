"""The shipped years are what the State Council announced, and every shipped deadline can be counted by them."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import chinese_calendar
import pytest

from engine.calendars import WorkCalendar
from engine.deadlines import BoundDeadline, bind_deadline, due_of
from engine.definition import Bilingual
from engine.expressions.kinds import SHANGHAI, Value
from engine.library import Library
from engine.loading.calendars import load_calendar
from engine.loading.folder import load
from engine.loading.rewriting import Days, days_of, with_days, year_in
from engine.scopes import case_scope
from engine.vocabulary import RulebookText
from rules.functions import FUNCTIONS

HOME = Path(__file__).parents[2]
TEXT, PROFILES = load_calendar(HOME)
CALENDAR = WorkCalendar(TEXT)
CONFIRMED = range(2018, 2027)
EVERY_DAY = [date(2018, 1, 1) + timedelta(days=count) for count in range((date(2027, 1, 1) - date(2018, 1, 1)).days)]


def test_every_year_from_2018_to_2026_is_confirmed_by_its_notice_and_later_ones_say_that_they_are_not():
    found = {one.year: one.status for one in TEXT.years}

    assert found == {**dict.fromkeys(CONFIRMED, "confirmed"), 2027: "provisional", 2028: "provisional"}
    assert all(one.source[0].startswith("国办发明电〔") for one in TEXT.years if one.status == "confirmed")
    assert not CALENDAR.is_provisional(date(2026, 12, 31))
    assert CALENDAR.is_provisional(date(2027, 1, 1))


def test_every_day_from_2018_to_2026_is_the_day_that_chinesecalendar_says():
    assert len(EVERY_DAY) == 3287
    assert [day for day in EVERY_DAY if CALENDAR.is_working_day(day) != chinese_calendar.is_workday(day)] == []


def test_every_day_from_2018_to_2026_is_the_day_that_holidays_says():
    holidays = pytest.importorskip("holidays")
    china = holidays.country_holidays("CN", years=[*CONFIRMED])

    assert [day for day in EVERY_DAY if CALENDAR.is_working_day(day) != china.is_working_day(day)] == []


@pytest.mark.parametrize("year", [2027, 2028])
def test_in_a_provisional_year_only_the_days_that_the_law_names_are_off(year):
    """`holidays` also gives the days it expects to be moved; a date counted without them is earlier, never too late."""
    holidays = pytest.importorskip("holidays")
    china = holidays.country_holidays("CN", years=[year], language="en_US")
    named = {day for day, name in china.items() if day.year == year and "observed" not in name}
    off = {day for one in TEXT.years if one.year == year for stretch in one.holidays for day in stretch.days()}

    assert off == named


def test_make_up_days_are_as_many_as_the_notices_say():
    counts = {one.year: len(one.working_days) for one in TEXT.years if one.status == "confirmed"}

    assert counts == {2018: 6, 2019: 7, 2020: 6, 2021: 7, 2022: 7, 2023: 7, 2024: 8, 2025: 5, 2026: 6}


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_academic_year_from_2018_to_2026_has_two_terms_of_at_least_sixteen_weeks(profile):
    calendar = WorkCalendar(TEXT, profile)
    terms = [(year, number) for year in range(2018, 2027) for number in (1, 2)]

    assert sorted(calendar.terms) == terms
    for term in terms:
        first, last = calendar.first_day(term), calendar.last_day(term)
        assert first is not None
        assert last is not None
        assert first.weekday() == 0
        assert last - first > timedelta(weeks=16)
        assert calendar.is_working_day(first)


def test_between_the_first_and_the_last_term_every_day_has_its_term():
    days = [date(2018, 9, 3) + timedelta(days=count) for count in range((date(2027, 9, 1) - date(2018, 9, 3)).days)]

    assert [day for day in days if CALENDAR.term_of(day) is None] == []
    assert CALENDAR.term_of(date(2024, 8, 1)) == (2023, 2)
    assert CALENDAR.term_of(date(2027, 9, 1)) is None


# --- deadlines: requirements.md, 4.2, with the check values of 4.1 ------------------------------


@cache
def library() -> Library:
    return load(HOME, FUNCTIONS)


def derived(book: RulebookText) -> dict[str, str]:
    return {name: fact.derive for name, fact in book.vocabulary.student.items() if fact.derive}


@cache
def deadlines() -> dict[tuple[str, str, str], BoundDeadline]:
    """Every deadline of every shipped definition and list, as a machine would bind it."""
    found = {}
    for one in library().machines():
        book = library().rulebook_for(one.profile)
        scope = replace(case_scope(library(), one), calendar=WorkCalendar(book.calendar, one.profile))
        before = book.organisation.profiles[one.profile].before
        for name, deadline in one.deadlines.items():
            found[one.workflow, one.profile, name] = bind_deadline(deadline, (), scope, derived(book), before)
    return found


def due(name: str, profile: str, values: dict[str, Value | None]) -> set[datetime | None]:
    """When deadlines of this name are due, in every definition of a profile whose values are given."""
    named = [one for (_, of, called), one in deadlines().items() if (of, called) == (profile, name)]
    return {due_of(one, values) for one in named} - {None}


def test_every_shipped_deadline_is_counted_by_the_calendar_and_is_open_while_nothing_is_known():
    assert len(deadlines()) > 60
    assert {key: due_of(one, {}) for key, one in deadlines().items() if due_of(one, {}) is not None} == {}


@pytest.mark.parametrize(
    ("name", "profile", "values", "day"),
    [
        ("D-07", "fulltime-university", {"case.academic_year": 2024}, date(2024, 9, 15)),
        ("D-08", "fulltime-university", {"case.academic_year": 2024}, date(2024, 9, 22)),
        ("D-09", "fulltime-university", {"case.academic_year": 2024}, date(2024, 10, 2)),
        ("D-10", "fulltime-university", {"case.decided_on": date(2024, 9, 18)}, date(2024, 10, 14)),
        ("D-11", "fulltime-vocational", {"batch.entry_on": date(2023, 9, 4)}, date(2023, 12, 4)),
        ("D-35", "open-university", {"case.period": (2023, 2)}, date(2024, 9, 14)),
        ("D-39", "open-university", {"case.term": (2024, 1)}, date(2024, 12, 10)),
        ("D-41", "open-university", {"case.term": (2024, 1)}, date(2025, 2, 10)),
    ],
)
def test_a_shipped_deadline_falls_on_the_day_the_requirements_computed(name, profile, values, day):
    last_second = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=SHANGHAI)

    assert due(name, profile, values) == {last_second}


def test_a_notice_that_is_changed_by_a_form_keeps_the_comments_of_what_stays() -> None:
    text = (HOME / "rules" / "calendars" / "2024.yaml").read_text(encoding="utf-8")
    noted = text.replace("to: 2024-05-05}\n", "to: 2024-05-05}  # five days\n")
    days = days_of(year_in("rules/calendars/2024.yaml", noted))
    closed = Bilingual(zh="停课", en="Closed")

    later = with_days(
        noted, Days({**days.off, date(2024, 4, 8): closed}, days.worked), "confirmed", "国办发明电〔2023〕7号"
    )

    lines = later.splitlines()
    assert [one for one in lines if one not in noted.splitlines()] == [
        "  - {title: {zh: 停课, en: Closed}, from: 2024-04-08}"
    ]
    assert [one for one in noted.splitlines() if one not in lines] == []
