"""The ladder of a deadline: what is told when; and that every rung comes once, in order, never after its hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calendars import WorkCalendar
from engine.definition import Deadline
from engine.errors import Unreadable
from engine.expressions.functions import end_of_day
from engine.ladder import Rung, next_look, next_rung, over_at, read_offset, rungs
from engine.vocabulary import CalendarText

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVER = datetime(2023, 1, 1, tzinfo=UTC)
DUE = datetime(2024, 5, 13, 23, 59, 59, tzinfo=SHANGHAI)
NATIONAL_DAY = CalendarText.model_validate(
    {
        "years": [
            {
                "year": 2024, "status": "confirmed", "source": "test",
                "holidays": [
                    {"title": {"zh": "国庆节", "en": "National Day"}, "from": "2024-10-01", "to": "2024-10-07"}
                ],
                "working_days": ["2024-09-29", "2024-10-12"],
            }
        ]
    }
)  # fmt: skip


def deadline(*, to: str = "student", **written: object) -> Deadline:
    """A deadline with a ladder; `escalate` beside what `remind` says."""
    escalate = written.pop("escalate", None)
    remind = {"remind": {"to": to, **written}} if written else {}
    more = {} if escalate is None else {"escalate": {"to": "records_section", "after": escalate}}
    titled = {"title": {"zh": "期限", "en": "Deadline"}, "while": "open", "due": "date(2024, 5, 13)"}
    return Deadline.model_validate({**titled, **remind, **more})


def told(one: Deadline, due: datetime = DUE, *, days: int = 30, calendar: WorkCalendar | None = None) -> list[str]:
    """The rungs up to so many days after the deadline, on the clocks of Shanghai."""
    return [f"{rung.name} {local(rung)}" for rung in rungs(one, due, calendar, EVER, due + timedelta(days=days))]


def local(rung: Rung) -> str:
    return f"{rung.at.astimezone(SHANGHAI):%m-%d %H:%M}"


def test_seven_three_and_one_day_before_and_on_the_day_at_nine() -> None:
    assert told(deadline(before=["7d", "3d", "1d", "0d"]), days=1) == [
        "before:7d 05-06 09:00", "before:3d 05-10 09:00", "before:1d 05-12 09:00", "day:0d 05-13 09:00",
    ]  # fmt: skip


def test_after_the_day_it_is_told_every_day_until_somebody_does_it() -> None:
    assert told(deadline(overdue="1d"), days=3) == [
        "overdue:1 05-14 09:00", "overdue:2 05-15 09:00", "overdue:3 05-16 09:00",
    ]  # fmt: skip


def test_the_escalation_counts_from_the_deadline_and_comes_once() -> None:
    assert told(deadline(escalate="1d"), days=9) == ["escalate 05-14 09:00"]
    assert told(deadline(escalate="0d"), days=9) == ["escalate 05-14 00:00"]


def test_working_days_skip_the_holiday_and_count_the_saturday_that_is_worked() -> None:
    due = datetime(2024, 10, 8, 23, 59, 59, tzinfo=SHANGHAI)
    calendar = WorkCalendar(NATIONAL_DAY)
    assert told(deadline(before=["1wd", "3wd"], overdue="2wd"), due, days=4, calendar=calendar) == [
        "before:3wd 09-27 09:00", "before:1wd 09-30 09:00", "overdue:1 10-10 09:00", "overdue:2 10-12 09:00",
    ]  # fmt: skip


def test_without_a_calendar_working_days_are_monday_to_friday() -> None:
    assert told(deadline(before=["1wd"]), days=0) == ["before:1wd 05-10 09:00"]


@pytest.mark.parametrize(
    ("hour", "minute", "when"),
    [(17, 40, "05-13 09:00"), (9, 0, "05-13 09:00"), (8, 30, "05-13 07:30"), (0, 20, "05-13 00:00")],
)
def test_on_the_day_it_is_told_before_it_is_over_even_if_that_is_early(hour: int, minute: int, when: str) -> None:
    due = datetime(2024, 5, 13, hour, minute, tzinfo=SHANGHAI)
    assert told(deadline(before=["0d"]), due) == [f"day:0d {when}"]


def test_the_day_itself_and_the_first_time_overdue_are_urgent_and_everything_is_that_stands_alone() -> None:
    plain = rungs(deadline(before=["1d", "0d"], overdue="1d", escalate="1d"), DUE, None, EVER, DUE + timedelta(days=2))
    assert {rung.name for rung in plain if rung.is_urgent} == {"day:0d", "overdue:1"}
    alone = rungs(deadline(before=["1d", "0d"], overdue="1d", alone=True), DUE, None, EVER, DUE + timedelta(days=2))
    assert all(rung.is_urgent for rung in alone)


def test_the_late_mark_is_made_in_the_second_after_the_last_one_in_time() -> None:
    due = datetime(2024, 4, 24, 17, 40, tzinfo=SHANGHAI)
    clock = deadline(overdue="1d")
    assert next_look(clock, due, None, EVER, is_missed=False) == due + timedelta(seconds=1) == over_at(due)
    assert next_look(clock, due, None, EVER, is_missed=True) == datetime(2024, 4, 25, 9, tzinfo=SHANGHAI)
    assert next_look(deadline(), due, None, EVER, is_missed=True) is None


@pytest.mark.parametrize("text", ["3", "d", "-3d", "3w", "3 d", "٣d"])
def test_an_offset_that_cannot_be_read_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(Unreadable, match="3wd"):
        read_offset(text)


OFFSETS = st.builds(lambda count, unit: f"{count}{unit}", st.integers(0, 40), st.sampled_from(["d", "wd"]))
LADDERS = st.builds(
    lambda before, overdue, escalate, at: deadline(
        before=before, at=at, **{} if overdue is None else {"overdue": overdue}, escalate=escalate
    ),
    st.lists(OFFSETS, max_size=4),
    st.none() | OFFSETS,
    st.none() | OFFSETS,
    st.sampled_from(["09:00", "00:00", "23:30"]),
)
DUES = st.integers(0, 500 * 24 * 60).map(lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))
CALENDARS = st.sampled_from([None, WorkCalendar(NATIONAL_DAY)])


@given(one=LADDERS, due=DUES, calendar=CALENDARS)
@settings(max_examples=150, deadline=None)
def test_every_rung_comes_once_in_order_and_on_its_own_side_of_the_deadline(
    one: Deadline, due: datetime, calendar: WorkCalendar | None
) -> None:
    every = rungs(one, due, calendar, EVER - timedelta(days=900), due + timedelta(days=60))
    assert [rung.at for rung in every] == sorted(rung.at for rung in every)
    assert len({rung.name for rung in every}) == len(every)
    for rung in every:
        is_early = rung.message in ("approaching", "due_today")
        assert rung.at <= due if is_early else rung.at > due


@given(one=LADDERS, due=DUES, calendar=CALENDARS, cuts=st.lists(st.integers(-60 * 24, 60 * 24), max_size=6))
@settings(max_examples=150, deadline=None)
def test_looking_often_or_seldom_finds_the_same_rungs(
    one: Deadline, due: datetime, calendar: WorkCalendar | None, cuts: list[int]
) -> None:
    start, end = due - timedelta(days=90), due + timedelta(days=60)
    moments = [start, *sorted(due + timedelta(hours=hours) for hours in cuts), end]
    pieces = [rung for after, until in pairwise(moments) for rung in rungs(one, due, calendar, after, until)]
    assert sorted(pieces) == sorted(rungs(one, due, calendar, start, end))


@given(one=LADDERS, due=DUES, calendar=CALENDARS, hours=st.integers(-60 * 24, 60 * 24))
@settings(max_examples=150, deadline=None)
def test_the_next_rung_is_the_first_of_those_to_come(
    one: Deadline, due: datetime, calendar: WorkCalendar | None, hours: int
) -> None:
    after = due + timedelta(hours=hours)
    following = next_rung(one, due, calendar, after)
    to_come = rungs(one, due, calendar, after, after + timedelta(days=400))
    assert (to_come[0] if to_come else None) == following


def test_a_ladder_that_nobody_ends_does_not_take_longer_from_year_to_year() -> None:
    last = end_of_day(date(1990, 1, 1))
    assert last is not None
    following = next_rung(deadline(overdue="1d"), last, None, datetime(2024, 1, 1, 12, tzinfo=UTC))
    assert following is not None
    assert following.name == f"overdue:{(date(2024, 1, 2) - date(1990, 1, 1)).days}"
