"""A deadline is due when its expression says, in Asia/Shanghai, to the second."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendars import WorkCalendar
from engine.deadlines import Before, bind_deadline, due_of, is_before, lies_within, opens_of
from engine.definition import Deadline
from engine.expressions.kinds import DATE, MOMENT, SHANGHAI
from engine.expressions.scope import Scope
from engine.vocabulary import CalendarText

SCOPE = Scope(names={"photos_by": DATE, "feedback_at": MOMENT, "opens_on": DATE}, calendar=WorkCalendar(CalendarText()))
BOTH: tuple[Before, ...] = ("inclusive", "exclusive")
MAY_13 = {"photos_by": date(2024, 5, 13)}


def bound(due: str, opens: str | None = None, before: Before = "inclusive"):
    deadline = Deadline.model_validate({"title": {"zh": "照片", "en": "Photos"}, "while": "open", "due": due})
    return bind_deadline(deadline.model_copy(update={"opens": opens}), (), SCOPE, {}, before)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


@pytest.mark.parametrize(("before", "day"), [("inclusive", "2024-05-13"), ("exclusive", "2024-05-12")])
def test_before_13_may_ends_with_13_may_or_with_the_day_before_as_the_profile_reads_it(before, day):
    assert due_of(bound("photos_by", before=before), MAY_13) == at(f"{day}T23:59:59")


@pytest.mark.parametrize("before", BOTH)
def test_a_moment_stands_for_itself_however_the_profile_reads_before(before):
    due = {"feedback_at": at("2020-04-24T17:40")}
    one = bound("feedback_at", before=before)

    assert due_of(one, due) == at("2020-04-24T17:40")
    assert is_before(one, due, at("2020-04-24T17:40:00"))
    assert not is_before(one, due, at("2020-04-24T17:40:01"))


def test_the_last_second_of_a_day_is_in_time_to_its_end():
    one = bound("photos_by")

    assert is_before(one, MAY_13, at("2024-05-13T23:59:59.999999"))
    assert not is_before(one, MAY_13, at("2024-05-14T00:00:00"))


def test_an_open_date_is_neither_due_nor_missed():
    one = bound("photos_by", opens="opens_on")

    assert due_of(one, {}) is None
    assert is_before(one, {}, at("2024-05-13T09:00")) is None
    assert lies_within(one, {}, due_of(one, {}), at("2024-05-13T09:00")) is None


def test_a_window_is_open_from_the_first_moment_of_its_first_day():
    one = bound("photos_by", opens="opens_on")
    values = {**MAY_13, "opens_on": date(2024, 4, 16)}

    assert opens_of(one, values) == at("2024-04-16T00:00")
    assert lies_within(one, values, due_of(one, values), at("2024-04-15T23:59:59")) is False
    assert lies_within(one, values, due_of(one, values), at("2024-04-16T00:00:00")) is True
    assert lies_within(one, values, due_of(one, values), at("2024-05-14T00:00:00")) is False


def test_a_window_is_decided_by_the_end_that_is_known():
    one = bound("photos_by", opens="opens_on")

    undated = {"opens_on": date(2024, 4, 16)}

    assert lies_within(one, undated, due_of(one, undated), at("2024-04-15T12:00")) is False
    assert lies_within(one, MAY_13, due_of(one, MAY_13), at("2024-05-14T12:00")) is False
    assert lies_within(one, MAY_13, due_of(one, MAY_13), at("2024-05-13T12:00")) is None


def test_without_a_beginning_the_window_was_always_open():
    one = bound("photos_by")

    assert opens_of(one, MAY_13) is None
    assert lies_within(one, MAY_13, due_of(one, MAY_13), at("1999-01-01T00:00")) is True


def test_a_due_date_counts_working_days_by_the_calendar_of_the_scope():
    one = bound("working_days_after(photos_by, 5)")

    assert due_of(one, MAY_13) == at("2024-05-20T23:59:59")
    assert one.reads == ("photos_by",)


def test_a_date_beyond_the_calendar_of_python_is_not_due():
    assert due_of(bound("photos_by", before="exclusive"), {"photos_by": date.min}) is None


@given(day=st.dates(date(2018, 1, 1), date(2030, 1, 1)))
def test_the_exclusive_reading_is_always_one_day_earlier(day):
    inclusive, exclusive = (due_of(bound("photos_by", before=one), {"photos_by": day}) for one in BOTH)

    assert inclusive is not None
    assert exclusive is not None
    assert inclusive - exclusive == timedelta(days=1)
