"""Changing a year or the terms by a form: a working copy that travels in the form, until it is handed in as a proposal.

Nothing is kept on the server meanwhile, so it works without a script and nobody sees what is not submitted. What is
handed in is the text of the file, as if it had been written by hand; two persons publish it (console, 7.11).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from console.web import forms
from console.web.definitions.calendars import Day, Month, months_of
from console.web.fault_pages import in_language
from console.web.faults import FieldFault, FieldFaults
from console.web.visit import Visit
from console.wiring import origin_of
from engine.calendars import WorkCalendar
from engine.definition import Bilingual
from engine.errors import DefinitionFaults
from engine.loading.rewriting import Days, days_of, spread, terms_in, with_days, with_terms, year_in
from engine.proposing import newest_text
from engine.vocabulary import CalendarYear, TermDates

TERMS = "terms.yaml"
_FOLDER = "rules/calendars/"
_EMPTY = """\
year: {year}
status: provisional
holidays: []
working_days: []
"""
_SATURDAY = 5
_A_YEAR = timedelta(days=366)
_SPARE = 2
"""Rows for terms that are not there yet."""
_OFF, _WORKED, _PLAIN = "off", "worked", "plain"
_STATUSES = ("confirmed", "provisional")


class YearForm(NamedTuple):
    """A year while it is changed: its text, what it says (None: it cannot be read), and how it looks."""

    year: int
    file: str
    text: str
    notice: CalendarYear | None
    months: tuple[Month, ...]
    changed: int
    names: tuple[tuple[str, str], ...]

    @property
    def source(self) -> str:
        """The notice it goes by."""
        return "、".join(self.notice.source) if self.notice else ""


class TermRow(NamedTuple):
    """A term as its row has it; empty ones are for terms to come."""

    field: str
    name: str
    first: str
    last: str
    vacation_to: str


class TermsForm(NamedTuple):
    """The terms while they are changed: by whose they are, and the text of the file."""

    groups: tuple[tuple[str, tuple[TermRow, ...]], ...]
    text: str


def text_of_year(visit: Visit, year: int) -> str:
    """What the file of a year says by the newest that was approved; a beginning where there is none."""
    return _newest(visit, f"{year}.yaml") or _EMPTY.format(year=year)


def year_form(visit: Visit, year: int, text: str) -> YearForm:
    """How a year looks by a text."""
    file = f"{_FOLDER}{year}.yaml"
    try:
        notice = year_in(file, text)
    except DefinitionFaults:
        return YearForm(year, file, text, None, (), 0, _names(visit))
    now = months_of(_calendar(visit, year, year_in(file, text_of_year(visit, year))), year)
    then = months_of(_calendar(visit, year, notice), year)
    months = tuple(_compared(old, new) for old, new in zip(now, then, strict=True))
    changed = sum(day.has_changed for month in months for week in month.weeks for day in week)
    return YearForm(year, file, text, notice, months, changed, _names(visit))


def changed_year(visit: Visit, year: int) -> str:
    """The working copy with what the form says now.

    Raises:
        FieldFaults: If it cannot be read, days are missing or run backwards, or a day off has no name.
    """
    form = visit.form
    text = form.get("text", "").replace("\r\n", "\n") + "\n"
    try:
        notice = year_in(f"{_FOLDER}{year}.yaml", text)
    except DefinitionFaults as problem:
        raise FieldFaults([_unreadable(visit, problem)]) from problem
    days = days_of(notice)
    if form.get("do") == "set":
        days = _with_kind(visit, days, _chosen(visit, year))
    status = form.get("status", "")
    return with_days(text, days, status if status in _STATUSES else notice.status, form.get("source", ""))


def _with_kind(visit: Visit, days: Days, chosen: frozenset[date]) -> Days:
    kind = visit.form.get("kind", "")
    off = {day: title for day, title in days.off.items() if day not in chosen}
    worked = days.worked - chosen
    if kind == _OFF:
        return Days({**off, **dict.fromkeys(chosen, _title(visit))}, worked)
    if kind == _WORKED:
        weekdays = sorted(day for day in chosen if day.weekday() < _SATURDAY)
        if weekdays:
            reason = visit.say("{day}是周一至周五，本来就上班；只有周六、周日要记“班”", day=weekdays[0].isoformat())
            raise FieldFaults([FieldFault("kind", visit.say("改为"), reason)])
        return Days(off, worked | chosen)
    if kind == _PLAIN:
        return Days(off, worked)
    raise FieldFaults([FieldFault("kind", visit.say("改为"), visit.say("请选一种"))])


def _title(visit: Visit) -> Bilingual:
    """What days off are called; the English of a name that is known need not be given."""
    zh, en = visit.form.get("name_zh", ""), visit.form.get("name_en", "")
    known = dict(_names(visit))
    if not zh or not (en or zh in known):
        field, title = ("name_en", visit.say("英文名称")) if zh else ("name_zh", visit.say("名称"))
        raise FieldFaults([FieldFault(field, title, visit.say("休的日子要写名称，如 国庆节 National Day"))])
    return Bilingual(zh=zh, en=en or known[zh])


def _chosen(visit: Visit, year: int) -> frozenset[date]:
    """The days ticked, and those from one date to another."""
    ticked = {_date(visit, "day", str(one)) for one in visit.posted.getlist("day")}
    first, last = (visit.form.get(name, "") for name in ("first", "last"))
    if first or last:
        begin = _date(visit, "first", first or last)
        end = _date(visit, "last", last or first)
        if end < begin:
            fault = FieldFault("last", visit.say("到"), visit.say("在第一天之前"))
            raise FieldFaults([fault])
        if end - begin > _A_YEAR:
            raise FieldFaults([FieldFault("last", visit.say("到"), visit.say("不超过一年"))])
        ticked |= set(spread(begin, end))
    if not ticked:
        raise FieldFaults([FieldFault("days", visit.say("日子"), visit.say("请在年历上勾选，或写从哪天到哪天"))])
    outside = sorted(day for day in ticked if (day.year, day.month) != (year - 1, 12) and day.year != year)
    if outside:
        reason = visit.say("{day}不在这一年", day=outside[0].isoformat())
        raise FieldFaults([FieldFault("days", visit.say("日子"), reason)])
    return frozenset(ticked)


def _date(visit: Visit, field: str, text: str) -> date:
    found = forms.day(text)
    if found is None:
        raise FieldFaults([FieldFault(field, visit.say("日子"), visit.say("请写日期，如 2024-06-01"))])
    return found


def _calendar(visit: Visit, year: int, notice: CalendarYear) -> WorkCalendar:
    text = visit.desk.library.rulebook.calendar
    years = (*(one for one in text.years if one.year != year), notice)
    return WorkCalendar(text.model_copy(update={"years": years}))


def _compared(old: Month, new: Month) -> Month:
    weeks = tuple(
        tuple(_marked(was, now) for was, now in zip(before, after, strict=True))
        for before, after in zip(old.weeks, new.weeks, strict=True)
    )
    return new._replace(weeks=weeks)


def _marked(was: Day, now: Day) -> Day:
    return now._replace(has_changed=(was.kind, was.reason) != (now.kind, now.reason))


def _names(visit: Visit) -> tuple[tuple[str, str], ...]:
    """What days off were ever called, in both languages."""
    years = visit.desk.library.rulebook.calendar.years
    return tuple(dict.fromkeys((day.title.zh, day.title.en) for one in years for day in one.holidays))


def terms_form(visit: Visit) -> TermsForm:
    """The terms as the newest that was approved has them, or as a form with faults has them."""
    text = _newest(visit, TERMS)
    given = visit.form
    groups = []
    for place, (path, terms) in enumerate(_groups(text).items()):
        rows = [
            (name, one.first.isoformat(), one.last.isoformat(), one.vacation_to.isoformat() if one.vacation_to else "")
            for name, one in sorted(terms.items(), reverse=True)
        ]
        shown = []
        for number, row in enumerate([*[("", "", "", "")] * _SPARE, *rows]):
            field = f"{place}-{number}"
            as_given = tuple(given.get(f"{what}-{field}", was) for what, was in zip(_CELLS, row, strict=True))
            shown.append(TermRow(field, *as_given))
        groups.append((path[-1] if path else "", tuple(shown)))
    return TermsForm(tuple(groups), text)


_CELLS = ("name", "first", "last", "vacation")
_TERM = re.compile(r"[0-9]{4}-[12]")


def changed_terms(visit: Visit) -> str:
    """The text of the terms with what the form says.

    Raises:
        FieldFaults: If a date is missing, or dates are not in their order; every one of them.
    """
    text = _newest(visit, TERMS)
    wanted: dict[tuple[str, ...], dict[str, TermDates]] = {}
    faults: list[FieldFault] = []
    for place, path in enumerate(_groups(text)):
        found: dict[str, tuple[str, TermDates]] = {}
        for field in _rows(visit.form, place):
            faults += _taken(visit, field, found)
        faults += _out_of_order(visit, found)
        wanted[path] = {name: one for name, (_, one) in found.items()}
    if faults:
        raise FieldFaults(faults)
    return with_terms(text, wanted)


def _rows(form: Mapping[str, str], place: int) -> list[str]:
    """The rows of a group, those that are left empty not among them: a term whose row is emptied is dropped."""
    fields = [name.partition("-")[2] for name in form if name.startswith(f"name-{place}-")]
    return [field for field in fields if any(form.get(f"{what}-{field}", "") for what in _CELLS)]


def _taken(visit: Visit, field: str, found: dict[str, tuple[str, TermDates]]) -> Iterator[FieldFault]:
    """Read a row into what was found; what is wrong with it."""
    form = visit.form
    name = form.get(f"name-{field}", "")
    title = visit.say("学期 {name}", name=name or "—")
    if not _TERM.fullmatch(name):
        yield FieldFault(f"name-{field}", title, visit.say("写作 2024-1（上学期）或 2024-2"))
        return
    days: dict[str, date | None] = {}
    for what in _CELLS[1:]:
        given = form.get(f"{what}-{field}", "")
        days[what] = forms.day(given)
        if given and days[what] is None:
            yield FieldFault(f"{what}-{field}", title, visit.say("请写日期，如 2024-06-01"))
            return
    first, last, vacation = (days[what] for what in _CELLS[1:])
    if first is None or last is None:
        yield FieldFault(f"{'last' if first else 'first'}-{field}", title, visit.say("第一天和最后一天都要写"))
    elif name in found:
        yield FieldFault(f"name-{field}", title, visit.say("写了两次"))
    else:
        dates = {"from": first, "to": last, **({"vacation_to": vacation} if vacation else {})}
        found[name] = (field, TermDates.model_validate(dates))


def _out_of_order(visit: Visit, found: Mapping[str, tuple[str, TermDates]]) -> Iterator[FieldFault]:
    """The order of the dates of each term, and of terms one after the other."""
    before: tuple[str, date] | None = None
    for name, (field, one) in sorted(found.items()):
        title = visit.say("学期 {name}", name=name)
        if one.last < one.first:
            yield FieldFault(f"last-{field}", title, visit.say("最后一天在第一天之前"))
        elif one.vacation_to is not None and one.vacation_to < one.last:
            yield FieldFault(f"vacation-{field}", title, visit.say("假期在学期结束之前"))
        elif before is not None and one.first <= before[1]:
            reason = visit.say("学期 {name} 及其假期到 {day}，还没有结束", name=before[0], day=before[1].isoformat())
            yield FieldFault(f"first-{field}", title, reason)
        before = (name, one.vacation_to or one.last)


def _groups(text: str) -> dict[tuple[str, ...], Mapping[str, TermDates]]:
    """Everybody's terms, and those of profiles and units that have their own."""
    terms = terms_in(f"{_FOLDER}{TERMS}", text)
    own = {(kind, name): one for kind in ("profiles", "units") for name, one in getattr(terms, kind).items()}
    return {(): terms.terms, **{path: one.terms for path, one in own.items() if one.terms}}


def _newest(visit: Visit, name: str) -> str:
    return newest_text(visit.desk.connection, origin_of(visit.house.settings), f"{_FOLDER}{name}")


def _unreadable(visit: Visit, problem: DefinitionFaults) -> FieldFault:
    return FieldFault("text", visit.say("年历文件"), in_language(str(problem), visit.lang))
