"""Deadlines as entries for a calendar (.ics): one entry each, which a later mail moves instead of adding another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Event, Timezone

from engine.records import Sentence

FILE_NAME = "截止日期.ics"

_ZONE = ZoneInfo("Asia/Shanghai")
_LAST_SECOND = time(23, 59, 59)
_DAY_BEFORE = timedelta(days=-1)
_MORNING_BEFORE = timedelta(hours=-15)
"""A whole day begins at midnight, and nobody wants to be told then: 9:00 on the day before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A deadline of a case.

    Attributes:
        case: The number of the case.
        name: The deadline's name in the definition; with the case, what makes the entry the same one.
        title: What is due.
        due_at: The last moment in time; the last second of a day stands for the whole of it.
        is_provisional: The date may still change with the holidays of its year.
        sequence: How often it was moved; a higher one replaces a lower one.
        link: Where the case is dealt with.
    """

    case: str
    name: str
    title: Sentence
    due_at: datetime
    is_provisional: bool
    sequence: int
    link: str


def calendar_file(entries: Iterable[Entry], log: str, at: datetime) -> bytes:
    """The entries as a file for calendars; nobody is invited and nothing is to be answered.

    Args:
        entries: At most one for each deadline of each case.
        log: The name of the database's log, which tells its entries from those of others.
        at: When the file is written.
    """
    head, end = _frame()
    return b"".join((head, *(_event(entry, log, at).to_ical() for entry in entries), end))


@cache
def _frame() -> tuple[bytes, bytes]:
    """What stands before the entries of every file and after them; the zone is written once, not for each mail."""
    calendar = Calendar()
    calendar.add("prodid", "-//xueji//学籍//ZH")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(_zone())
    head, end, _ = bytes(calendar.to_ical()).partition(b"END:VCALENDAR")
    return head, end + b"\r\n"


def _event(entry: Entry, log: str, at: datetime) -> Event:
    mark = Sentence(zh="（暂定）", en=" (provisional)") if entry.is_provisional else Sentence(zh="", en="")
    summary = f"截止：{entry.title.zh}{mark.zh} Due: {entry.title.en}{mark.en}"
    event = Event()
    event.add("uid", f"{entry.case}-{entry.name}@{log}")
    event.add("sequence", entry.sequence)
    event.add("dtstamp", at.astimezone(UTC))
    event.add("summary", summary)
    event.add("description", f"{entry.case}\n{entry.link}")
    event.add("url", entry.link)
    event.add("transp", "TRANSPARENT")
    due = entry.due_at.astimezone(_ZONE)
    if due.time() == _LAST_SECOND:
        event.add("dtstart", due.date())
        event.add("dtend", due.date() + timedelta(days=1))
        event.add_component(_alarm(summary, _MORNING_BEFORE))
    else:
        event.add("dtstart", due)
        event.add_component(_alarm(summary, _DAY_BEFORE))
    return event


def _alarm(text: str, before: timedelta) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", text)
    alarm.add("trigger", before)
    return alarm


def _zone() -> Timezone:
    """What a calendar needs to know of Shanghai: no summer time since 1992."""
    zone = Timezone.from_tzid(_ZONE.key, first_date=date(1992, 1, 1), last_date=date(2038, 1, 1))
    del zone["comment"]  # says that it holds for those years only; it holds as long as the zone has no summer time
    return zone
