"""班/休: what kind of day somebody has put into a date field, and when people work next."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from fastapi import Response
from fastapi.responses import HTMLResponse

from console.web import forms, lettering
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.visit import Visit
from engine.calendars import WorkCalendar

doors = Doors()
_LONGEST_BREAK = 60
"""Days without work in a row; beyond, a calendar is not set that far."""
_WEEKDAYS = 5


class DayKind(NamedTuple):
    """A day in words, and whether people work on it."""

    text: str
    is_off: bool


@doors.get("/day", to=Audience.SIGNED_IN)
def day(visit: Visit) -> Response:
    """What kind of day the one value of the address is, whatever its field is called; nothing where it is none."""
    asked = next(iter(visit.request.query_params.values()), "")
    return HTMLResponse(visit.part("day.html", "line", kind=kind_of(visit, asked)))


def kind_of(visit: Visit, asked: str) -> DayKind | None:
    """What kind of day a date (YYYY-MM-DD, or a moment of it) is where the visitor works.

    None where it is none, or no calendar is set.
    """
    one, calendar = forms.day(asked.partition("T")[0]), visit.calendar
    if one is None or calendar is None:
        return None
    said = lettering.long_day(one, visit.lang)
    reason = calendar.reason_off(one)
    if reason is None:
        is_made_up = one.weekday() >= _WEEKDAYS
        plain = visit.say("{day} 调休上班", day=said) if is_made_up else visit.say("{day} 工作日", day=said)
        return DayKind(plain + _unsure(visit, calendar, one), is_off=False)
    text = visit.say("{day} 休息日（{reason}）", day=_plain(visit, one), reason=visit.title(reason))
    following = _next_worked(calendar, one)
    if following is not None:
        text += visit.say("，下一个工作日 {day}", day=lettering.long_day(following, visit.lang))
    return DayKind(text + _unsure(visit, calendar, one), is_off=True)


def _plain(visit: Visit, day: date) -> str:
    """Without its weekday, which is the reason mostly."""
    return lettering.short_day(day, visit.lang, visit.today)


def _next_worked(calendar: WorkCalendar, day: date) -> date | None:
    days = (day + timedelta(days=ahead) for ahead in range(1, _LONGEST_BREAK))
    return next((one for one in days if calendar.is_working_day(one)), None)


def _unsure(visit: Visit, calendar: WorkCalendar, day: date) -> str:
    """Where the notice for the year is not out."""
    return visit.say("；{year} 年放假通知未出，可能有变", year=day.year) if calendar.is_provisional(day) else ""
