"""Dates and the time that is left, in words: 2024年5月13日（周一）24:00 前，还剩 3 个工作日."""

from __future__ import annotations

from datetime import date, datetime, time

from engine.expressions.kinds import SHANGHAI
from engine.records import Sentence
from notifications.messages.letters import Left

_WEEKDAYS = "一二三四五六日"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WORKING_DAYS_WORTH_COUNTING = 10
"""Up to here people plan by working days, beyond by the calendar."""

_LAST_SECOND = time(23, 59, 59)


def local(at: datetime) -> datetime:
    """A moment on the clocks of Shanghai."""
    return at.astimezone(SHANGHAI)


def is_whole_day(due_at: datetime) -> bool:
    """Whether a deadline ends with its day, as one does that was given as a date (language, section 8)."""
    return local(due_at).time().replace(microsecond=0) == _LAST_SECOND


def day_words(day: date) -> Sentence:
    """A day as an office writes it: 2024年5月13日（周一）, 13 May 2024 (Mon)."""
    weekday = day.weekday()
    return Sentence(
        zh=f"{day.year}年{day.month}月{day.day}日（周{_WEEKDAYS[weekday]}）",
        en=f"{day.day} {_MONTHS[day.month - 1]} {day.year} ({_DAYS[weekday]})",
    )


def days_words(first: date, last: date) -> Sentence:
    """Days from one to another, as `day_words` has each; a single day alone."""
    one, other = day_words(first), day_words(last)
    return one if first == last else Sentence(zh=f"{one.zh}至{other.zh}", en=f"{one.en} to {other.en}")


def moment_words(at: datetime) -> Sentence:
    """A moment to the minute: 2024年5月13日（周一）17:40, 13 May 2024 (Mon), 17:40; the end of a day is 24:00."""
    day, clock = day_words(local(at).date()), "24:00" if is_whole_day(at) else f"{local(at):%H:%M}"
    return Sentence(zh=f"{day.zh}{clock}", en=f"{day.en}, {clock}")


def due_words(due_at: datetime) -> Sentence:
    """The last moment in time: 2024年5月13日（周一）24:00 前, by 13 May 2024 (Mon), 24:00."""
    day, clock = day_words(local(due_at).date()), _clock(due_at)
    return Sentence(zh=f"{day.zh}{clock} 前", en=f"by {day.en}, {clock}")


def left_words(due_at: datetime, at: datetime, left: Left) -> Sentence:
    """How long there is, or how long it has been over: 还剩 3 个工作日, 今天截止, 逾期 1 天."""
    if due_at < at:
        return _over(-left.days, -(left.working_days or 0))
    if left.days == 0:
        return Sentence(zh="今天截止", en="due today")
    if left.working_days == 0:
        return Sentence(
            zh=f"还剩 {left.days} 天，其间没有工作日", en=f"{_days(left.days)} left, none of them a working day"
        )
    if left.working_days is not None and left.working_days <= _WORKING_DAYS_WORTH_COUNTING:
        return Sentence(zh=f"还剩 {left.working_days} 个工作日", en=f"{_days(left.working_days, 'working ')} left")
    return Sentence(zh=f"还剩 {left.days} 天", en=f"{_days(left.days)} left")


def when_words(due_at: datetime, at: datetime, left: Left, *, is_provisional: bool) -> str:
    """The same with the day, as short as a subject line needs it: 还剩 3 个工作日（5月13日截止）."""
    day = local(due_at)
    hour = "" if is_whole_day(due_at) else f" {_clock(due_at)}"
    is_today = left.days == 0 and due_at >= at
    ends = f"{day.month}月{day.day}日{hour}" + ("" if is_today else "截止")
    return f"{left_words(due_at, at, left).zh}（{ends}{'，暂定' if is_provisional else ''}）"


def _over(days: int, working_days: int) -> Sentence:
    if working_days > 0:
        return Sentence(zh=f"逾期 {working_days} 个工作日", en=f"{_days(working_days, 'working ')} late")
    if days > 0:
        return Sentence(zh=f"逾期 {days} 天", en=f"{_days(days)} late")
    return Sentence(zh="今天已过截止时间", en="the time ran out today")


def _days(count: int, kind: str = "") -> str:
    return f"{count} {kind}day{'' if count == 1 else 's'}"


def _clock(due_at: datetime) -> str:
    """The time of day, to the second only where a deadline has seconds; the end of a day is 24:00."""
    if is_whole_day(due_at):
        return "24:00"
    at = local(due_at)
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
