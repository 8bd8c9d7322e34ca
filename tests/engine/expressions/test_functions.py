"""Counting rules (requirements.md, 4.1) and the other functions of the language."""

from datetime import UTC, date, datetime

import pytest

from engine.expressions.compiling import compile_expression
from tests.engine.expressions.school import CALENDAR, SCOPE


class Autumn2024:
    """Working days around the holidays of autumn 2024, make-up days included."""

    OFF = (
        *(date(2024, 9, day) for day in (15, 16, 17)),
        *(date(2024, 10, day) for day in range(1, 8)),
    )
    MADE_UP = (date(2024, 9, 14), date(2024, 9, 29), date(2024, 10, 12))

    def is_working_day(self, day, /):
        return day in self.MADE_UP or (day.isoweekday() <= 5 and day not in self.OFF)

    def term_of(self, _day, /):
        return None

    first_day = last_day = term_of


def value_of(text, calendar=CALENDAR, **seen):
    return compile_expression(text, SCOPE).evaluate(seen, calendar)


@pytest.mark.parametrize(
    ("text", "today", "result"),
    [
        ("teaching_week_end(today, 2)", date(2024, 9, 2), date(2024, 9, 15)),
        ("teaching_week_end(today, 3)", date(2024, 9, 2), date(2024, 9, 22)),
        ("teaching_week_end(today, 1)", date(2024, 9, 8), date(2024, 9, 8)),
        ("months_after(today, 1)", date(2024, 9, 2), date(2024, 10, 2)),
        ("months_after(today, 1)", date(2024, 8, 31), date(2024, 9, 30)),
        ("months_after(today, 3)", date(2023, 11, 30), date(2024, 2, 29)),
        ("months_after(today, -1)", date(2024, 3, 31), date(2024, 2, 29)),
        ("months_after(today, 3)", date(2023, 9, 4), date(2023, 12, 4)),
        ("days_after(today, -1)", date(2024, 3, 1), date(2024, 2, 29)),
        ("days_after(today, 40)", date(2024, 5, 13), date(2024, 6, 22)),
        ("working_days_after(today, 10)", date(2024, 9, 2), date(2024, 9, 14)),
        ("working_days_after(today, 15)", date(2024, 9, 18), date(2024, 10, 14)),
        ("working_days_after(today, -1)", date(2024, 10, 8), date(2024, 9, 30)),
        ("working_days_after(today, 0)", date(2024, 10, 1), date(2024, 10, 1)),
        ("weekday(today)", date(2024, 5, 13), 1),
        ("weekday(today)", date(2024, 5, 12), 7),
        ("today - '2024-05-01'", date(2024, 5, 13), 12),
    ],
)
def test_days_are_counted_as_the_rules_count_them(text, today, result):
    assert value_of(text, Autumn2024(), today=today) == result


@pytest.mark.parametrize(
    ("text", "today"),
    [
        ("days_after(today, 1)", date.max),
        ("months_after(today, -1)", date.min),
        ("teaching_week_end(today, 2)", date.max),
        ("working_days_after(today, 5)", date.max),
        ("working_days_after(today, 10001)", date(2024, 5, 13)),
        ("start_of_day(today)", date.min),
        ("term(2024, 3)", date.max),
    ],
)
def test_there_is_no_answer_beyond_the_calendar(text, today):
    assert value_of(text, today=today) is None


def test_a_day_begins_and_ends_in_shanghai():
    may = date(2024, 5, 13)

    assert value_of("start_of_day(today)", today=may) == datetime(2024, 5, 12, 16, tzinfo=UTC)
    assert value_of("end_of_day(today)", today=may) == datetime(2024, 5, 13, 15, 59, 59, tzinfo=UTC)
    late = datetime(2024, 5, 12, 16, 30, tzinfo=UTC)
    assert value_of("day(now) == '2024-05-13' and clock(now) == '00:30'", now=late) is True


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("term_before(this_term)", (2023, 2)),
        ("term_before(term_before(this_term))", (2023, 1)),
        ("term_after(this_term)", (2024, 2)),
        ("term_after(term_after(this_term))", (2025, 1)),
        ("academic_year(this_term)", 2024),
        ("term_number(this_term)", 1),
        ("first_day(this_term)", date(2024, 9, 1)),
        ("this_term == term(2024, 1)", True),
        ("term_of(first_day(this_term)) == this_term", True),
    ],
)
def test_terms_follow_each_other(text, result):
    assert value_of(text, this_term=(2024, 1)) == result


@pytest.mark.parametrize(
    ("pattern", "text", "matched"),
    [
        ("[0-9]{18}", "1" * 18, True),
        ("[0-9]{18}", "1" * 17, False),
        ("[0-9]{17}[0-9X]", "1" * 17 + "X", True),
        ("[A-Z]{1,3}-[0-9]{2}", "AB-07", True),
        ("[A-Z]{1,3}-[0-9]{2}", "ABCD-07", False),
        ("[0-9]{0,2}[0-9]{2}", "12", True),
        ("毕[一-龥]{1,4}", "毕业生", True),
        ("abc", "abc", True),
        ("abc", "abcd", False),
        ("[a-]", "-", True),
    ],
)
def test_a_pattern_has_classes_and_counts_and_covers_the_whole_text(pattern, text, matched):
    assert value_of(f"matches(name, '{pattern}')", name=text) is matched


def test_texts_are_joined_measured_and_compared():
    assert value_of("name + id_number", name="甲", id_number="01") == "甲01"
    assert value_of("length(name)", name="诸葛亮") == 3
    assert value_of("starts_with(id_number, '51161')", id_number="511610") is True


def test_only_known_and_first_known_answer_about_a_missing_value():
    assert value_of("known(name)") is False
    assert value_of("first_known(cohort, 3)") == 3
    assert value_of("first_known(cohort, 3)", cohort=1) == 1
    assert value_of("length(name)") is None
