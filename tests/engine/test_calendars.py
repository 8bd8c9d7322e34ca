"""Days are counted as the law and the notices say; check values from requirements.md, 4.1."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendars import WorkCalendar, calendar_of
from engine.definition import Bilingual
from engine.errors import Unreadable
from engine.expressions.compiling import compile_expression
from engine.expressions.functions import working_days_after
from engine.expressions.kinds import DATE, NUMBER, TERM, Value
from engine.expressions.scope import Scope
from engine.guards import asking, compile_guard
from engine.loading.calendars import load_calendar
from engine.records import Outcome
from engine.vocabulary import CalendarText, Rule

ROOT = Path(__file__).parents[2]
TEXT, _ = load_calendar(ROOT)
CALENDAR = WorkCalendar(TEXT)
SCOPE = Scope(names={"start": DATE, "days": NUMBER, "term": TERM}, calendar=CALENDAR)
DAYS = st.dates(date(2018, 3, 1), date(2026, 9, 30))
COUNTS = st.integers(-60, 60)


def counted_to(start: date, count: int) -> date:
    end = working_days_after(CALENDAR, start, count)
    assert end is not None
    return end


def value_of(text: str, **seen: Value):
    return compile_expression(text, SCOPE).evaluate(seen)


@pytest.mark.parametrize(
    ("text", "start", "due"),
    [
        ("teaching_week_end(start, 2)", date(2024, 9, 2), date(2024, 9, 15)),
        ("teaching_week_end(start, 3)", date(2024, 9, 2), date(2024, 9, 22)),
        ("months_after(start, 1)", date(2024, 9, 2), date(2024, 10, 2)),
        ("working_days_after(days_after(months_after(start, 1), -1), 1)", date(2024, 9, 2), date(2024, 10, 8)),
        ("working_days_after(start, 10)", date(2024, 9, 2), date(2024, 9, 14)),
        ("working_days_after(start, 15)", date(2024, 9, 18), date(2024, 10, 14)),
        ("months_after(start, 3)", date(2023, 9, 4), date(2023, 12, 4)),
        ("months_after(start, 1)", date(2024, 8, 31), date(2024, 9, 30)),
        ("months_after(start, 3)", date(2023, 11, 30), date(2024, 2, 29)),
        ("months_after(start, -1)", date(2024, 7, 12), date(2024, 6, 12)),
        ("days_after(start, -7)", date(2024, 9, 2), date(2024, 8, 26)),
        ("days_after(start, 40)", date(2024, 3, 1), date(2024, 4, 10)),
        ("days_after(teaching_week_end(start, 2), -2)", date(2024, 9, 2), date(2024, 9, 13)),
        ("working_days_after(start, -3)", date(2024, 9, 18), date(2024, 9, 12)),
        ("working_days_after(start, 0)", date(2024, 10, 1), date(2024, 10, 1)),
    ],
)
def test_a_count_ends_on_the_day_the_requirements_computed(text, start, due):
    assert value_of(text, start=start) == due


def test_a_naive_count_of_weekdays_would_give_other_days():
    weekdays_only = WorkCalendar(CalendarText())

    assert working_days_after(weekdays_only, date(2024, 9, 2), 10) == date(2024, 9, 16)
    assert working_days_after(weekdays_only, date(2024, 9, 18), 15) == date(2024, 10, 9)


@given(start=DAYS, count=st.integers(1, 60))
def test_counting_forth_and_back_returns_to_the_last_working_day_not_after_the_start(start, count):
    there = counted_to(start, count)
    back = counted_to(there, -count)

    if CALENDAR.is_working_day(start):
        assert back == start
    else:
        assert back == counted_to(start, -1)


@given(start=DAYS, one=COUNTS, other=COUNTS)
def test_a_longer_count_never_ends_earlier(start, one, other):
    less, more = sorted((one, other))

    assert counted_to(start, less) <= counted_to(start, more)


@given(start=DAYS, later=st.integers(0, 30), count=st.integers(1, 60))
def test_a_later_start_never_ends_earlier(start, later, count):
    after = start + timedelta(days=later)

    assert counted_to(start, count) <= counted_to(after, count)


@given(start=DAYS, count=COUNTS)
def test_every_day_on_the_way_is_counted_or_explained(start, count):
    counted = CALENDAR.explain(start, f"{count}wd")

    passed = abs((counted.day - start).days)
    assert passed - len(counted.skipped) == abs(count)
    assert all(one.reason.zh and one.reason.en for one in (*counted.skipped, *counted.made_up))
    assert CALENDAR.is_working_day(counted.day) or count == 0


def test_an_explanation_names_the_holiday_the_weekend_and_the_day_made_up():
    counted = CALENDAR.explain(date(2024, 9, 18), "+15wd")

    assert counted.day == date(2024, 10, 14)
    assert [(one.day.isoformat(), one.reason.zh) for one in counted.skipped[:4]] == [
        ("2024-09-21", "周六"),
        ("2024-09-22", "周日"),
        ("2024-09-28", "周六"),
        ("2024-10-01", "国庆节"),
    ]
    assert [one.day for one in counted.made_up] == [date(2024, 9, 29), date(2024, 10, 12)]


@pytest.mark.parametrize(
    ("offset", "day"), [("+7d", "2024-10-07"), ("-1d", "2024-09-29"), ("1m", "2024-10-30"), ("-7m", "2024-02-29")]
)
def test_calendar_days_and_months_skip_nothing(offset, day):
    counted = CALENDAR.explain(date(2024, 9, 30), offset)

    assert (counted.day.isoformat(), counted.skipped) == (day, ())


@pytest.mark.parametrize("offset", ["", "15", "+wd", "1.5d", "2w", "999999d", "99999m", "٣d"])
def test_an_offset_that_is_none_is_answered_with_what_is_expected(offset):
    with pytest.raises(Unreadable, match=r"\+15wd"):
        CALENDAR.explain(date(2024, 9, 30), offset)


def test_a_count_into_a_year_without_a_notice_is_provisional():
    assert CALENDAR.explain(date(2026, 12, 25), "+10wd").is_provisional
    assert CALENDAR.explain(date(2031, 3, 3), "-1wd").is_provisional
    assert not CALENDAR.explain(date(2026, 12, 1), "+10wd").is_provisional
    assert not CALENDAR.explain(date(2026, 12, 25), "+1m").is_provisional


# --- terms and closures --------------------------------------------------------------------------


LOCAL = CalendarText.model_validate(
    {
        "terms": {
            "2024-1": {"from": "2024-09-02", "to": "2025-01-10"},
            "2024-2": {"from": "2025-02-17", "to": "2025-07-04", "vacation_to": "2025-08-31"},
            "2026-1": {"from": "2026-09-07", "to": "2027-01-22"},
        },
        "profiles": {"evening": {"terms": {"2024-1": {"from": "2024-09-09", "to": "2025-01-10"}}}},
        "units": {
            "C1": {
                "terms": {"2024-1": {"from": "2024-09-16", "to": "2025-01-10"}},
                "closures": [{"title": {"zh": "校庆", "en": "Anniversary"}, "from": "2024-09-18"}],
            }
        },
    }
)


@pytest.mark.parametrize(
    ("day", "term"),
    [
        ("2024-09-01", None),
        ("2024-09-02", (2024, 1)),
        ("2025-01-10", (2024, 1)),
        ("2025-02-16", (2024, 1)),
        ("2025-02-17", (2024, 2)),
        ("2025-08-31", (2024, 2)),
        ("2025-09-01", None),
        ("2027-01-22", (2026, 1)),
        ("2027-01-23", None),
    ],
)
def test_a_vacation_day_belongs_to_the_term_before_it_and_beyond_what_is_set_nothing_is_guessed(day, term):
    assert WorkCalendar(LOCAL).term_of(date.fromisoformat(day)) == term


def test_the_nearest_calendar_wins_and_closures_add_up():
    term = (2024, 1)
    everybody, evening = WorkCalendar(LOCAL), WorkCalendar(LOCAL, "evening")
    site = WorkCalendar(LOCAL, "evening", ("C1", "SX"))

    firsts = [one.first_day(term) for one in (everybody, evening, site)]
    assert firsts == [date(2024, 9, 2), date(2024, 9, 9), date(2024, 9, 16)]
    assert evening.is_working_day(date(2024, 9, 18))
    assert not site.is_working_day(date(2024, 9, 18))
    assert site.reason_off(date(2024, 9, 18)) == Bilingual(zh="校庆", en="Anniversary")
    assert site.last_day((2024, 2)) == date(2025, 7, 4)
    assert site.last_day((2030, 1)) is None


def test_a_rulebook_without_calendars_has_none_so_that_its_old_verdicts_stay_undecided():
    assert calendar_of(CalendarText(), "college") is None
    assert calendar_of(LOCAL, "college") is not None


# --- what is compiled in a scope goes by the scope's calendar ------------------------------------


def test_a_guard_goes_by_the_calendar_of_its_scope_without_being_handed_one():
    rule = Rule.model_validate(
        {
            "id": "T-1",
            "title": {"zh": "限期", "en": "Limit"},
            "source": "S-1",
            "applies": "term_number(term_of(start)) == 1",
            "holds": "working_days_after(start, days) == last_day(term_of(start))",
            "otherwise": {"zh": "应为{limit}", "en": "{limit}"},
            "show": {"limit": "working_days_after(start, days)"},
        }
    )
    values: dict[str, Value | None] = {"start": date(2025, 1, 9), "days": 1}

    bound, unbound = (compile_guard("limit", rule, scope, {}) for scope in (SCOPE, Scope(names=SCOPE.names)))

    assert asking([bound])(values) == [Outcome.HOLDS]
    assert asking([unbound])(values) == [Outcome.UNDECIDED]
    assert bound.shown["limit"].evaluate(values) == date(2025, 1, 10)


def test_a_reading_goes_by_the_calendar_of_its_scope():
    def rows(_function: str, _argument: str):
        return {"opened_on": DATE}

    scope = Scope(names={"this_term": TERM}, rows=rows, calendar=CALENDAR, workflows=("leave",))
    text = "any(cases('leave'), term_of(it.opened_on) == this_term)"
    expression = compile_expression(text, scope)
    [reading] = expression.readings
    supplied = {reading.sources[0]: [{"opened_on": date(2025, 1, 30)}]}

    assert reading.evaluate({"this_term": (2024, 1)}, supplied) is True
    assert reading.evaluate({"this_term": (2024, 2)}, supplied) is False
