"""How pages write moments, time left, numbers and masks: the lines of the specification's section 5."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.settings import Settings
from console.web import lettering
from engine.calendars import WorkCalendar, calendar_of
from engine.expressions.kinds import SHANGHAI, parse_kind
from engine.loading.remembered import load_remembered
from rules.functions import FUNCTIONS


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


EVENING = at("2024-05-15T17:31")
MIDNIGHT = at("2024-05-16T00:00")
LAST_SECOND = at("2024-05-15T23:59:59")
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 given a zone


@pytest.fixture(scope="module")
def calendar(tmp_path_factory) -> WorkCalendar:
    library = load_remembered(Settings().definitions, tmp_path_factory.mktemp("memory"), FUNCTIONS)
    found = calendar_of(library.rulebook.calendar, "")
    assert found is not None
    return found


@pytest.mark.parametrize(("lang", "told"), [("zh", "2024年5月15日（周三）17:31"), ("en", "15 May 2024 (Wed) 17:31")])
def test_a_moment_is_written_out_with_its_day_of_the_week(lang, told):
    assert lettering.long_moment(EVENING, lang) == told


@pytest.mark.parametrize(
    ("moment", "zh", "en"),
    [
        (EVENING - timedelta(hours=2), "今天 15:31", "today 15:31"),
        (at("2024-05-13T10:22"), "5月13日 10:22", "13 May 10:22"),
        (at("2022-03-01T08:05"), "2022年3月1日 08:05", "1 Mar 2022 08:05"),
    ],
)
def test_a_moment_in_a_table_says_no_more_than_is_needed(moment, zh, en):
    assert (lettering.short_moment(moment, "zh", EVENING), lettering.short_moment(moment, "en", EVENING)) == (zh, en)


def test_a_moment_is_read_as_the_trail_writes_it():
    assert lettering.short_moment("2024-05-15T07:31:00.000000Z", "zh", EVENING) == "今天 15:31"


@pytest.mark.parametrize("due", [MIDNIGHT, LAST_SECOND], ids=["midnight", "last-second"])
def test_the_end_of_a_day_is_its_own_24_00_and_not_the_next_days_nought(due):
    assert lettering.end_of(due, "zh", EVENING) == "今天 24:00"
    assert lettering.before_end_of(due, "zh") == "5月15日（周三）24:00 前"
    assert lettering.before_end_of(due, "en") == "by 15 May 2024 (Wed), 24:00"
    assert lettering.last_day(due) == date(2024, 5, 15)


@pytest.mark.parametrize(
    ("now", "due", "zh", "tone"),
    [
        pytest.param("2024-05-15T17:31", "2024-05-16T00:00", "还剩 6 小时 29 分", "bad", id="today"),
        pytest.param("2024-05-15T23:31", "2024-05-16T00:00", "还剩 29 分", "bad", id="the-last-minutes"),
        pytest.param(
            "2024-05-10T09:00", "2024-05-14T00:00", "还剩 2 个工作日（11日 周六 上班）", "warn", id="worked-saturday"
        ),
        pytest.param(
            "2024-05-06T09:00", "2024-05-16T00:00", "还剩 8 个工作日（11日 周六 上班）", "neutral", id="within-ten"
        ),
        pytest.param("2024-05-17T09:00", "2024-05-16T00:00", "逾期 2 个工作日", "bad", id="late"),
        pytest.param("2024-04-01T09:00", "2024-06-30T00:00", "2024年6月29日（周六）", "neutral", id="far"),
    ],
)
def test_time_left_is_told_as_people_plan(calendar, now, due, zh, tone):
    assert lettering.time_left(at(due), "zh", at(now), calendar) == (zh, tone)


def test_time_left_beyond_the_confirmed_calendar_is_provisional(calendar):
    assert lettering.time_left(at("2031-01-08T00:00"), "zh", at("2031-01-06T09:00"), calendar).text.endswith("（暂定）")


def test_a_count_is_exact_as_far_as_it_is_counted():
    assert lettering.capped(10_000, "zh") == "10,000"
    assert (lettering.capped(10_001, "zh"), lettering.capped(10_001, "en")) == ("1万+", "10,000+")


@given(part=st.integers(0, 10_000), rest=st.integers(0, 10_000))
def test_a_share_is_all_only_when_it_is_all(part, rest):
    told = lettering.share(part, part + rest)

    assert (told == "100%") == (part > 0 and rest == 0)
    assert (told == "—") == (part + rest == 0)


def test_money_is_written_with_its_cents():
    assert lettering.money(Decimal(1260)) == "¥1,260.00"
    assert lettering.valued(parse_kind("money"), Decimal("1280.5"), "zh", {}) == "¥1,280.50"
    assert lettering.valued(parse_kind("yes_no"), True, "zh", {}) == "是"  # noqa: FBT003 a value


def test_a_case_number_is_read_in_two_fours():
    assert lettering.number_shown("7QK4M2T9") == "7QK4-M2T9"


@pytest.mark.parametrize(
    ("mask", "value", "told"),
    [
        (lettering.masked_id, "330106200001010428", "3301****0428"),
        (lettering.masked_phone, "13800005502", "138****5502"),
    ],
)
def test_what_is_masked_can_be_recognised(mask, value, told):
    assert mask(value) == told


@given(value=st.text(st.characters(codec="ascii", categories=["L", "Nd"]), min_size=3, max_size=20))
def test_a_mask_never_shows_the_whole_value(value):
    for mask in (lettering.masked_id, lettering.masked_phone, lettering.masked_mail):
        assert value not in mask(value)


@given(moment=MOMENTS)
def test_a_moment_in_a_file_is_the_same_moment(moment):
    assert datetime.fromisoformat(lettering.exported(moment)) == moment.replace(microsecond=0)


@given(now=MOMENTS, hours=st.integers(-2000, 2000))
def test_what_is_over_is_never_said_to_have_time_left(now, hours):
    told = lettering.time_left(now + timedelta(hours=hours), "zh", now, None).text

    assert ("逾期" in told) == (hours <= 0)
