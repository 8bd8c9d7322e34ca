"""The calendar on screen: what a year's notice says, and why a count of days ends where it does.

It is the calendar in force: the files of the folder, and over them what two persons have published in the database.
Without a database the files answer alone. Each answer says by which it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from console.calling import Caller, read_day
from console.printing import both, document, line, long_date, stacked, table
from engine.calendars import Counted, Named, WorkCalendar
from engine.errors import Unknown
from engine.expressions.kinds import TERM, encode
from engine.expressions.scalars import Term
from engine.loading.calendars import load_calendar
from engine.store.proposals import Line
from engine.vocabulary import CalendarText, CalendarYear, Stretch, TermDates

_CALENDARS = "rules/calendars/"
_PROVISIONAL = "暂定：放假通知尚未发布，公布后将重新推算。Provisional: the notice is not out; it will be counted again."


class _Shown(NamedTuple):
    """The calendar that an answer goes by, and where it comes from: the publications that stand for files of it."""

    text: CalendarText
    calendar: WorkCalendar
    folder: str
    has_database: bool
    publications: tuple[Line, ...]


def explain(caller: Caller, profile: str, count: tuple[str, str], *, as_json: bool) -> int:
    """Count from a day and list every day that did not count, with the reason.

    Raises:
        Unreadable: If the day or the offset cannot be read.
        Unknown: If there is no such profile.
    """
    start, offset = read_day(count[0], "起算日 DATE", "2024-09-18"), count[1]
    shown = _read(caller, profile)
    counted = shown.calendar.explain(start, offset)
    if as_json:
        document({**_counted(start, offset, counted), "calendar": _origin(shown)})
        return 0
    line(f"{long_date(start)} {offset} → {long_date(counted.day)}", style="bold")
    for title, days in (("跳过 skipped", counted.skipped), ("调休上班 made up", counted.made_up)):
        if days:
            rows = [(long_date(one.day), both(one.reason)) for one in days]
            table(("日期 day", "原因 reason"), rows, f"{title}：{len(days)}")
    if counted.is_provisional:
        line(_PROVISIONAL, style="yellow")
    _tell_origin(shown)
    return 0


def show(caller: Caller, profile: str, year: int, *, as_json: bool) -> int:
    """Show holidays, make-up working days, closures and terms of a year.

    Raises:
        Unknown: If there is no such profile.
    """
    shown = _read(caller, profile)
    text, calendar = shown.text, shown.calendar
    notice = next((one for one in text.years if one.year == year), None)
    closures = [one for one in calendar.closures if year in {one.first.year, one.last.year}]
    terms = {name: one for name, one in sorted(calendar.terms.items()) if year in {one.first.year, one.last.year}}
    if as_json:
        document({**_year(year, notice, closures, terms), "calendar": _origin(shown)})
        return 0
    _show_notice(year, notice)
    if closures:
        table(("日期 days", "停办 closed"), [_stretch(one) for one in closures], "停办 Closures")
    if terms:
        rows = [(_term(name), long_date(one.first), long_date(one.last)) for name, one in terms.items()]
        table(("学期 term", "第一天 first", "最后一天 last"), rows, "学期 Terms")
    _tell_origin(shown)
    return 0


def _read(caller: Caller, profile: str) -> _Shown:
    folder, published = caller.settings.definitions, caller.published()
    text, profiles = load_calendar(folder, {} if published is None else published.over)
    if profile and profile not in profiles:
        raise Unknown("profile", profile, profiles)
    lines = () if published is None else published.lines.values()
    own = tuple(one for one in lines if one.file.startswith(_CALENDARS))
    return _Shown(text, WorkCalendar(text, profile), str(folder), published is not None, own)


def _tell_origin(shown: _Shown) -> None:
    """By which calendar an answer goes."""
    if not shown.has_database:
        line(f"按 {shown.folder} 的日历文件；还没有数据库。By the files there; there is no database yet.", style="dim")
    elif not shown.publications:
        line(f"按 {shown.folder} 的日历文件，没有另行发布。By the files there; nothing else is published.", style="dim")
    for one in shown.publications:
        line(
            f"按数据库中发布的 {one.file}（第 {one.number} 号，{one.effective_on} 起）。"
            f" By what is published in the database: no. {one.number}, in force from {one.effective_on}.",
            style="dim",
        )


def _origin(shown: _Shown) -> dict[str, object]:
    own = [{"number": one.number, "file": one.file, "effective_on": one.effective_on} for one in shown.publications]
    return {"folder": shown.folder, "database": shown.has_database, "publications": own}


def _show_notice(year: int, notice: CalendarYear | None) -> None:
    if notice is None:
        line(f"{year}：没有放假安排，按周一至周五计。No holidays are known; Monday to Friday are counted.")
        line(_PROVISIONAL, style="yellow")
        return
    line(f"{year}  {'、'.join(notice.source)}", style="bold")
    table(("日期 days", "放假 holiday"), [_stretch(one) for one in notice.holidays])
    if notice.working_days:
        line(f"调休上班 make-up working days：{'、'.join(map(long_date, notice.working_days))}")
    if notice.status == "provisional":
        line(_PROVISIONAL, style="yellow")


def _stretch(one: Stretch) -> tuple[str, str]:
    days = long_date(one.first) if one.last == one.first else f"{long_date(one.first)}\n至 {long_date(one.last)}"
    return days, stacked(one.title)


def _term(term: Term) -> str:
    return str(encode(TERM, term))


def _counted(start: date, offset: str, counted: Counted) -> dict[str, object]:
    return {
        "from": start.isoformat(),
        "offset": offset,
        "day": counted.day.isoformat(),
        "provisional": counted.is_provisional,
        "skipped": [_named(one) for one in counted.skipped],
        "made_up": [_named(one) for one in counted.made_up],
    }


def _named(one: Named) -> dict[str, object]:
    return {"day": one.day.isoformat(), "reason": one.reason.model_dump()}


def _year(
    year: int, notice: CalendarYear | None, closures: Sequence[Stretch], terms: dict[Term, TermDates]
) -> dict[str, object]:
    return {
        "year": year,
        "status": "provisional" if notice is None else notice.status,
        "source": [] if notice is None else list(notice.source),
        "holidays": [] if notice is None else [_stretch_document(one) for one in notice.holidays],
        "working_days": [] if notice is None else [one.isoformat() for one in notice.working_days],
        "closures": [_stretch_document(one) for one in closures],
        "terms": [
            {"term": _term(name), "from": one.first.isoformat(), "to": one.last.isoformat()}
            for name, one in terms.items()
        ],
    }


def _stretch_document(one: Stretch) -> dict[str, object]:
    return {"title": one.title.model_dump(), "from": one.first.isoformat(), "to": one.last.isoformat()}
