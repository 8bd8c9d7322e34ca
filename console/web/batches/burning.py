"""The burn-down of a batch: how many have not applied, day by day, beside the plan and what is foretold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from itertools import groupby

from markupsafe import Markup

from console.web import charts
from console.web.batches.counting import Course, Looked
from console.web.charts import Burn, BurnWords
from console.web.lettering import short_day
from engine.calendars import WorkCalendar
from engine.expressions.kinds import SHANGHAI
from engine.pace import plan

_DAY = timedelta(days=1)
_FRIDAY = 4
_PLAIN_REST = ("周六", "周日")


def burn_of(looked: Looked, course: Course) -> Burn | None:
    """What the drawing shows; None where there is no day to draw towards."""
    if course.due is None:
        return None
    today, due = looked.visit.today, course.due.astimezone(SHANGHAI).date()
    first = course.days[0] if course.days else course.now
    since, until = first.day, max(due, today)
    whole = first.open + first.filed
    return Burn(
        days=[*((one.day, one.open) for one in course.days if one.day < today), (today, course.now.open)],
        plan=list(plan(since, due, whole, course.work)) if since <= due else [],
        due=due,
        left=course.left(looked.sight.top.path),
        off=_days_off(looked, course, since, until),
        made_up=[day for day in _span(since, until) if day.weekday() > _FRIDAY and course.work.is_working_day(day)],
    )


def _days_off(looked: Looked, course: Course, since: date, until: date) -> list[tuple[date, date, str]]:
    """Days on end on which nobody works, with the name of the holiday if they are one."""
    stretches = groupby(_span(since, until), course.work.is_working_day)
    found = []
    for is_worked, days in stretches:
        if is_worked:
            continue
        some = list(days)
        found.append((some[0], some[-1], next((name for day in some if (name := _holiday(looked, course, day))), "")))
    return found


def _holiday(looked: Looked, course: Course, day: date) -> str:
    calendar = course.work if isinstance(course.work, WorkCalendar) else None
    reason = None if calendar is None else calendar.reason_off(day)
    return "" if reason is None or reason.zh in _PLAIN_REST else looked.visit.title(reason)


def _span(first: date, last: date) -> Iterator[date]:
    return (first + count * _DAY for count in range((last - first).days + 1))


def draw_burn(looked: Looked, course: Course) -> Markup | None:
    """The drawing of what burns down; None where there is no day to draw towards."""
    burn, say = burn_of(looked, course), looked.visit.say
    if burn is None:
        return None
    worked = sum(course.work.is_working_day(day) for day, _ in burn.plan)
    share = -(-burn.plan[0][1] // worked) if burn.plan and worked else 0
    now = say("今天 {n}", n=course.now.open)
    left = "" if burn.left is None else say("约剩 {n}", n=burn.left)
    words = BurnWords(
        title=say("燃尽：未申请的人数"),
        description=f"{now}；{left}",
        plan=say("计划（每个工作日 {n} 人）", n=share),
        now=now,
        left=left,
        due=say("截止"),
        off=say("休"),
        made_up=say("班"),
        day=partial(short_day, lang=looked.visit.lang, today=looked.visit.today),
    )
    return charts.burn_down(burn, words)
