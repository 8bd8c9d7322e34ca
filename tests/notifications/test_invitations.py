"""Deadlines as calendar entries, read back with a parser."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from icalendar import Calendar, Event

from engine.expressions.kinds import SHANGHAI
from engine.records import Sentence
from notifications.invitations import FILE_NAME, Entry, calendar_file
from notifications.messages.letters import Letter
from notifications.messages.rendering import Messages
from notifications.messages.samples import AT, sample_letter, sample_notice

LOG = "xueji/0a1b"
MESSAGES = Messages(
    None, url="https://xueji.school.example", sender="学籍科 <records@school.example>", log=LOG, is_rehearsal=False
)


def _entry(due_at: datetime, sequence: int = 0, *, is_provisional: bool = False) -> Entry:
    return Entry(
        case="7QK4M2T9", name="D-04", title=Sentence(zh="审核学籍卡；登记表", en="Review, card; form"), due_at=due_at,
        is_provisional=is_provisional, sequence=sequence, link="https://xueji.school.example/cases/7QK4M2T9",
    )  # fmt: skip


def _read(content: str | bytes) -> tuple[Calendar, list[Event]]:
    calendar = Calendar.from_ical(content)
    return calendar, list(calendar.events)


def _attached(letter: Letter) -> list[Event]:
    files = list(MESSAGES.mail(letter).iter_attachments())
    return [event for one in files for event in _read(one.get_content())[1]]


MIDNIGHT = datetime(2024, 5, 13, 23, 59, 59, tzinfo=SHANGHAI)
AFTERNOON = datetime(2024, 5, 13, 17, 40, tzinfo=SHANGHAI)


def test_a_deadline_at_the_end_of_a_day_is_that_whole_day_and_remembered_on_the_morning_before():
    _, (event,) = _read(calendar_file([_entry(MIDNIGHT)], LOG, AT))

    assert event.start == date(2024, 5, 13)
    assert event.end == date(2024, 5, 14)
    assert [alarm.decoded("TRIGGER") for alarm in event.walk("VALARM")] == [timedelta(hours=-15)]


def test_a_deadline_with_a_time_is_that_moment_in_shanghai_and_remembered_a_day_before():
    calendar, (event,) = _read(calendar_file([_entry(AFTERNOON)], LOG, AT))

    assert event.start == AFTERNOON
    assert event["DTSTART"].params["TZID"] == "Asia/Shanghai"
    assert [zone.tz_name for zone in calendar.timezones] == ["Asia/Shanghai"]
    assert [zone.to_tz().utcoffset(datetime(2024, 7, 1)) for zone in calendar.timezones] == [timedelta(hours=8)]  # noqa: DTZ001 the zone is asked about a wall clock
    assert [alarm.decoded("TRIGGER") for alarm in event.walk("VALARM")] == [timedelta(days=-1)]


def test_a_moved_deadline_replaces_its_entry_and_adds_none():
    first, moved = (
        _read(calendar_file([_entry(due_at, sequence)], LOG, AT))[1][0]
        for due_at, sequence in ((MIDNIGHT, 0), (MIDNIGHT + timedelta(days=7), 1))
    )

    assert first["UID"] == moved["UID"] == "7QK4M2T9-D-04@xueji/0a1b"
    assert first.decoded("SEQUENCE") < moved.decoded("SEQUENCE")
    assert moved.start == date(2024, 5, 20)


def test_an_entry_says_what_is_due_and_where_to_deal_with_it():
    calendar, (event,) = _read(calendar_file([_entry(MIDNIGHT, is_provisional=True)], LOG, AT))

    assert calendar["METHOD"] == "PUBLISH"
    assert event["SUMMARY"] == "截止：审核学籍卡；登记表（暂定） Due: Review, card; form (provisional)"
    assert event["URL"] == "https://xueji.school.example/cases/7QK4M2T9"
    assert event.decoded("DTSTAMP") == AT


def test_the_lines_of_the_file_are_as_short_as_the_format_asks():
    lines = calendar_file([_entry(MIDNIGHT), _entry(AFTERNOON)], LOG, AT).split(b"\r\n")

    assert max(map(len, lines)) <= 75


def test_a_mail_about_a_deadline_carries_it_for_the_calendar_under_a_chinese_file_name():
    mail = MESSAGES.mail(sample_letter((sample_notice("approaching"),)))

    (attached,) = mail.iter_attachments()

    assert attached.get_filename() == FILE_NAME == "截止日期.ics"
    assert attached.get_content_type() == "text/calendar"
    assert attached["Content-Type"].params["method"] == "PUBLISH"
    assert mail.get_content_type() == "multipart/mixed"


@pytest.mark.parametrize("message", ["moved", "returned", "overdue", "escalated"])
def test_what_has_no_date_or_is_over_is_not_put_into_a_calendar(message):
    mail = MESSAGES.mail(sample_letter((sample_notice(message),)))

    assert list(mail.iter_attachments()) == []
    assert mail.get_content_type() == "multipart/alternative"


def test_each_deadline_of_each_case_is_one_entry_however_often_it_is_told():
    approaching = sample_notice("approaching")
    letter = sample_letter((approaching, approaching, replace(approaching, case="8RK4M2T9"), sample_notice("moved")))

    events = _attached(letter)

    assert [event["UID"] for event in events] == ["7QK4M2T9-D-04@xueji/0a1b", "8RK4M2T9-D-04@xueji/0a1b"]
    assert [event.start for event in events] == [date(2024, 5, 13)] * 2
