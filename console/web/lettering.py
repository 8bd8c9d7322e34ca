"""How days, times, numbers and what must be masked are written on pages (the console's specification, section 5).

Pure: the language and the moment of the page are arguments. Moments are aware; days are those of Shanghai.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from engine.calendars import WorkCalendar
from engine.expressions.kinds import SHANGHAI, Kind, Lang, Titles, Value, show
from notifications.lettering import left_of

_WEEKDAYS_ZH = "一二三四五六日"
_WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAY_LONG = timedelta(days=1)
_NEAR = 10
"""Up to so many working days before it, a deadline says how many are left."""
_SOON = 3
MANY = 10_000
"""Counts are exact up to here."""
_ID_LENGTH = 18


def local(at: datetime | str) -> datetime:
    """A moment, aware or as the trail writes it, on the clocks of Shanghai."""
    return (datetime.fromisoformat(at) if isinstance(at, str) else at).astimezone(SHANGHAI)


def as_day(day: date | datetime | str) -> date:
    """The day of Shanghai that is meant."""
    if isinstance(day, datetime):
        return local(day).date()
    if isinstance(day, date):
        return day
    return date.fromisoformat(day) if len(day) == len("2024-05-13") else local(day).date()


def long_day(day: date | datetime | str, lang: str) -> str:
    """2024年5月15日（周三）, 15 May 2024 (Wed)."""
    one = as_day(day)
    if lang == "zh":
        return f"{one.year}年{one.month}月{one.day}日（周{_WEEKDAYS_ZH[one.weekday()]}）"
    return f"{one.day} {_MONTHS_EN[one.month - 1]} {one.year} ({_WEEKDAYS_EN[one.weekday()]})"


def short_day(day: date | datetime | str, lang: str, today: date) -> str:
    """The day in tables: without the year while it is this one."""
    one = as_day(day)
    if one.year != today.year:
        return f"{one.year}年{one.month}月{one.day}日" if lang == "zh" else long_day(one, lang).partition(" (")[0]
    return f"{one.month}月{one.day}日" if lang == "zh" else f"{one.day} {_MONTHS_EN[one.month - 1]}"


def long_moment(at: datetime | str, lang: str) -> str:
    """2024年5月15日（周三）17:31."""
    one = local(at)
    return f"{long_day(one, lang)}{'' if lang == 'zh' else ' '}{one:%H:%M}"


def short_moment(at: datetime | str, lang: str, now: datetime) -> str:
    """The moment in tables and streams: 今天 17:31, 5月15日 17:31."""
    one, today = local(at), local(now).date()
    if one.date() == today:
        return f"{'今天' if lang == 'zh' else 'today'} {one:%H:%M}"
    return f"{short_day(one, lang, today)} {one:%H:%M}"


def end_of(due: datetime | str, lang: str, now: datetime) -> str:
    """When something ends: a day that ends with midnight is that day's 24:00, never the next day's 0:00."""
    one, today = local(due), local(now).date()
    ends = last_day(due)
    clock = "24:00" if _ends_a_day(one) else f"{one:%H:%M}"
    if ends == today:
        return f"{'今天' if lang == 'zh' else 'today'} {clock}"
    return f"{short_day(ends, lang, today)} {clock}"


def before_end_of(due: datetime | str, lang: str) -> str:
    """5月15日（周三）24:00 前, by 15 May 2024 (Wed), 24:00."""
    one, ends = local(due), last_day(due)
    clock = "24:00" if _ends_a_day(one) else f"{one:%H:%M}"
    if lang == "zh":
        return f"{ends.month}月{ends.day}日（周{_WEEKDAYS_ZH[ends.weekday()]}）{clock} 前"
    return f"by {long_day(ends, lang)}, {clock}"


def last_day(due: datetime | str) -> date:
    """The last day on which something may still be done."""
    one = local(due)
    return (one - timedelta(microseconds=1)).date()


def _ends_a_day(one: datetime) -> bool:
    """Whether a moment is the end of a day: midnight, or the last instant before it."""
    return one.time() == time() or one.time() >= time(23, 59, 59)


class TimeLeft(NamedTuple):
    """How long is left, in words, and how it is to be shown: `neutral`, `warn` or `bad`."""

    text: str
    tone: str


def time_left(due: datetime | str, lang: str, now: datetime, calendar: WorkCalendar | None) -> TimeLeft:
    """How long is left until something is due: hours on the last day, working days before, and days when it is late.

    A Saturday or Sunday that is worked in between is named: people plan by the week. Days past the last confirmed
    calendar are marked as provisional.
    """
    at = datetime.fromisoformat(due) if isinstance(due, str) else due
    last = last_day(at)
    left = left_of(datetime.combine(last, time(12), SHANGHAI), calendar, now)
    days = left.days if left.working_days is None else left.working_days
    provisional = calendar is not None and calendar.is_provisional(last)
    mark = ("（暂定）" if lang == "zh" else " (provisional)") if provisional else ""
    if at <= now:
        return TimeLeft(_late(max(1, -days), lang, is_counted=left.working_days is not None) + mark, "bad")
    if at - now < _DAY_LONG:
        return TimeLeft(_hours(at - now, lang), "bad" if left.days == 0 else "warn")
    if days <= _NEAR:
        worked = _worked_weekend(local(now).date(), last, calendar, lang)
        return TimeLeft(_days(days, lang, is_counted=left.working_days is not None) + worked + mark,
                        "warn" if days <= _SOON else "neutral")  # fmt: skip
    return TimeLeft(long_day(last, lang) + mark, "neutral")


def _hours(left: timedelta, lang: str) -> str:
    hours, minutes = divmod(int(left.total_seconds()) // 60, 60)
    if lang == "zh":
        return f"还剩 {hours} 小时 {minutes} 分" if hours else f"还剩 {minutes} 分"
    return f"{hours} h {minutes} min left" if hours else f"{minutes} min left"


def _days(days: int, lang: str, *, is_counted: bool) -> str:
    if lang == "zh":
        return f"还剩 {days} 个工作日" if is_counted else f"还剩 {days} 天"
    what = "working day" if is_counted else "day"
    return f"{days} {what}{'' if days == 1 else 's'} left"


def _late(days: int, lang: str, *, is_counted: bool) -> str:
    if lang == "zh":
        return f"逾期 {days} 个工作日" if is_counted else f"逾期 {days} 天"
    what = "working day" if is_counted else "day"
    return f"{days} {what}{'' if days == 1 else 's'} late"


def _worked_weekend(today: date, last: date, calendar: WorkCalendar | None, lang: str) -> str:
    """The weekend days in between that are worked（11日 周六 上班）."""
    if calendar is None:
        return ""
    between = (today + timedelta(days=number) for number in range(1, (last - today).days + 1))
    worked = [one for one in between if one.weekday() >= 5 and calendar.is_working_day(one)]  # noqa: PLR2004 Saturday
    if not worked:
        return ""
    if lang == "zh":
        return "（" + "、".join(f"{one.day}日 周{_WEEKDAYS_ZH[one.weekday()]} 上班" for one in worked) + "）"
    return " (" + ", ".join(f"{_WEEKDAYS_EN[one.weekday()]} {one.day} is worked" for one in worked) + ")"


def number(count: int) -> str:
    """1,200."""
    return f"{count:,}"


def capped(count: int, lang: str) -> str:
    """A count that was not counted further than `MANY`: 1万+, 10,000+."""
    return number(count) if count <= MANY else "1万+" if lang == "zh" else "10,000+"


def share(part: int, whole: int) -> str:
    """64%; a dash of nothing. All of it only when it is all."""
    if not whole:
        return "—"
    return f"{100 if part == whole else min(99, round(100 * part / whole))}%"


def money(amount: Decimal | str) -> str:
    """¥1,260.00."""
    return f"¥{Decimal(amount):,.2f}"


def valued(kind: Kind, value: Value | None, lang: Lang, choices: Titles) -> str:
    """A value by itself on a page: as in a sentence, but money as ¥1,260.00."""
    return money(value) if kind.name == "money" and isinstance(value, Decimal) else show(kind, value, lang, choices)


def number_shown(case: str) -> str:
    """A case's number as people read it: 7QK4-M2T9."""
    return f"{case[:4]}-{case[4:]}" if "-" not in case else case


def masked_id(number: str) -> str:
    """3301****0428; of a number of another kind only the first and last letter."""
    return f"{number[:4]}****{number[-4:]}" if len(number) >= _ID_LENGTH - 3 else _ends_only(number)


def masked_phone(number: str) -> str:
    """138****5502."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= len("13812345678") else _ends_only(number)


def masked_mail(address: str) -> str:
    """c***@example.invalid."""
    name, at, host = address.partition("@")
    return f"{name[:1]}***@{host}" if at else _ends_only(address)


def _ends_only(text: str) -> str:
    return f"{text[:1]}****{text[-1:]}" if len(text) > 2 else "****"  # noqa: PLR2004 nothing would be left to hide


def exported(at: datetime | str) -> str:
    """A moment in a file: 2024-05-15T17:31:00+08:00."""
    return local(at).isoformat(timespec="seconds")
