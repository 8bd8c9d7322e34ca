"""The tables of pages as they are taken along: the columns and rows that the page shows, all of them, narrowed alike.

What narrows a page stands in its address, and here as well: a table is exported under the query of its page. Values
stand as they are shown, masked where they are masked.

Source: console.md 1, rule 7; 5 (numbers and dates in sheets).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias
from urllib.parse import parse_qsl, urlencode

from console.web.admin.frame import demand
from console.web.admin.tables import ADMINISTERED, OF_PERSON, audited_changes, own_tokens
from console.web.audiences import Audience, audiences
from console.web.auditing.tables import AUDITED
from console.web.batches.counting import look
from console.web.batches.listing import rows_of, standings_of
from console.web.batches.wording import Ways
from console.web.cases.looking import opened
from console.web.faults import NotFound
from console.web.lettering import local
from console.web.lists.overview import in_sight, narrowing_of, shown_of
from console.web.lists.reading import read_book
from console.web.lists.view import list_view
from console.web.queue.columns import TITLES, Column, chosen, value_of
from console.web.queue.filtering import Filter, Which, read_filter
from console.web.queue.finding import hits_of
from console.web.queue.lists import Line, lines_of
from console.web.queue.open_case import lang_of
from console.web.queue.people import ROW, kind_of_list, name_of, words_of
from console.web.queue.waiting import waiting_for
from console.web.shown import Shown, both, minute
from console.web.visit import Visit
from engine.lane_queries import Placed
from engine.lanes import Lane
from engine.records import case_number
from engine.store.cases import Found, read_cases
from exchange.cells import Cell

_CHUNK = 500


def table_of(visit: Visit, kind: str) -> Shown:
    """A table by its kind, under the query of the address (of the queue also under the posted `filter`).

    Raises:
        NotFound: If there is none of that kind, or it is not for whoever visits.
    """
    theirs = audiences(visit.actor)
    if kind in _OF_STAFF and Audience.STAFF in theirs:
        return _OF_STAFF[kind](visit)
    if kind in _OF_OFFICE and theirs & {Audience.STAFF, Audience.AUDITOR}:
        return _OF_OFFICE[kind](visit)
    if kind in _OF_AUDITORS and Audience.AUDITOR in theirs:
        return _OF_AUDITORS[kind](visit)
    if kind in ADMINISTERED:
        demand(visit, f"/admin/{kind}")
        return ADMINISTERED[kind](visit)
    if kind in OF_PERSON:
        demand(visit, "/admin/people")
        return OF_PERSON[kind](visit)
    if kind == "tokens":
        return own_tokens(visit)
    raise NotFound


def _words(visit: Visit, words: Sequence[str]) -> str:
    return visit.say("、").join(words)


# --- the queue and what lies beside it --------------------------------------------------------------------------------


def queue(visit: Visit) -> Shown:
    """What waits for the person under a filter, case by case: in the columns chosen for the list, if any were."""
    asked = read_filter(dict(parse_qsl(visit.form.get("filter", "")))).with_(case="", after="")
    own = chosen(visit)
    if own is None:
        return queue_under(visit, asked)
    named = [one for one in own if one is not Column.CASE]
    heads = both("件号", "姓名", *(TITLES[one] for one in named), "分类")
    return Shown("待办", heads, _waiting(visit, asked, partial(_chosen, named)), asked.query())


def queue_under(visit: Visit, asked: Filter) -> Shown:
    """The cases that a filter of the queue shows, with all that is told of each."""
    asked = asked.with_(case="", after="")
    heads = both("件号", "姓名", "学号", "单位", "层次、年级、专业", "事项", "状态", "分类", "截止", "进入本环节")
    return Shown("待办", heads, _waiting(visit, asked, _placed), asked.query())


_Row: TypeAlias = Callable[[Visit, Placed, Found], tuple[Cell, ...]]


def _waiting(visit: Visit, asked: Filter, row: _Row) -> Iterator[tuple[Cell, ...]]:
    for page in waiting_for(visit, asked).pages(asked):
        found = read_cases(visit.desk.connection, [one.case for one in page]) if page else {}
        yield from (
            row(visit, one, found[one.case])
            for one in page
            if one.case in found and visit.visible.sees(found[one.case].case)
        )


def _placed(visit: Visit, placed: Placed, found: Found) -> tuple[Cell, ...]:
    machine, value = visit.desk.machine(found.case.shape), partial(value_of, visit, standing=placed, found=found)
    return (
        case_number(found.case.id),
        name_of(visit, found),
        found.student_no or "",
        value(Column.UNIT),
        "　".join(words_of(machine, found, ROW, lang_of(visit))),
        value(Column.WORKFLOW),
        value(Column.STATE),
        _lane(visit, placed),
        value(Column.DUE),
        value(Column.ENTERED),
    )


def _chosen(columns: Sequence[Column], visit: Visit, placed: Placed, found: Found) -> tuple[Cell, ...]:
    """A case in a person's own columns, as the row of the list has them; of a list its name says which it is."""
    of_list = kind_of_list(visit.desk.machine(found.case.shape), found, lang_of(visit))
    values = (value_of(visit, one, placed, found) for one in columns)
    return (case_number(found.case.id), "　".join((name_of(visit, found), *of_list)), *values, _lane(visit, placed))


def _lane(visit: Visit, placed: Placed) -> str:
    lanes = {Lane.BLOCKED: visit.say("受阻"), Lane.LOOK: visit.say("需细看"), Lane.READY: visit.say("可直接办")}
    return lanes[placed.lane]


def _done(visit: Visit) -> Shown:
    return _lines(visit, Which.DONE, "已办", "决定")


def _mine(visit: Visit) -> Shown:
    return _lines(visit, Which.MINE, "我发起的", "决定")


def _copies(visit: Visit) -> Shown:
    return _lines(visit, Which.COPIES, "抄送我的", "消息")


def _lines(visit: Visit, which: Which, title: str, what: str) -> Shown:
    asked = visit.request.query_params
    kept = {name: asked[name] for name in ("unit", "day") if asked.get(name)}
    heads = both("件号", "姓名", "学号", "层次、年级、专业", "业务", what, "时间", "现在", "在谁手里")
    return Shown(title, heads, _every_line(visit, which, kept), urlencode(kept))


def _every_line(visit: Visit, which: Which, kept: Mapping[str, str]) -> Iterator[tuple[Cell, ...]]:
    after, is_more = "", True
    while is_more:
        lines, after = lines_of(visit, which, after, **kept)
        yield from (
            (
                one.number, one.name, one.student_no, "　".join(one.words), visit.title(one.workflow),
                _message(visit, one), minute(one.at), visit.title(one.state),
                _words(visit, [visit.title(role) for role in one.waits_for]),
            )
            for one in lines
        )  # fmt: skip
        is_more = bool(after)


def _message(visit: Visit, one: Line) -> str:
    """The step or message; of a copy sent by hand also by whom, with which words."""
    told = [visit.title(one.what), one.sender, one.note]
    return "　".join(part for part in told if part)


def _found(visit: Visit) -> Shown:
    heads = both("件号", "姓名", "学号", "层次、年级、专业", "业务", "现在", "进入本环节")
    rows = [
        (
            one.number, one.name, one.student_no, "　".join(one.words), visit.title(one.workflow),
            visit.title(one.state), local(one.entered_at).date(),
        )
        for one in hits_of(visit, visit.request.query_params.get("of", ""))
    ]  # fmt: skip
    return Shown("查找结果", heads, rows, "")


# --- batches, lists ---------------------------------------------------------------------------------------------------


def _batch(visit: Visit) -> Shown:
    """The students behind a number of a batch's page."""
    asked = visit.request.query_params
    looked = look(visit, asked.get("of", ""))
    counted = standings_of(looked, asked.get("key", "expected"), asked.get("by", ""))
    heads = both("件号", "姓名", "学号", "单位", "层次、年级、专业", "状态", "缺什么")
    rows = (
        (one.number, one.name, one.student_no, one.unit, "　".join(one.marks), one.state, "；".join(one.lacking))
        for at in range(0, len(counted), _CHUNK)
        for one in rows_of(looked, counted[at : at + _CHUNK])
    )
    narrowed = Ways(looked=looked).cases(asked.get("key", "expected")).partition("?")[2]
    return Shown("学生", heads, rows, f"{looked.code}?{narrowed}")


def _lists(visit: Visit) -> Shown:
    visit.leaves_trace("lists")
    narrowed = narrowing_of(visit)
    heads = both("件号", "单位", "名单", "批次", "人数", "状态", "已签", "在谁手里", "从什么时候", "期限")
    rows = [
        (
            one.number, one.unit, visit.title(one.title), one.batch, one.members, visit.title(one.state),
            f"{one.signed} / {one.seats}" if one.seats else None,
            "" if one.held is None else f"{visit.title(one.held.role)} {_words(visit, one.held.names)}",
            minute(one.since), None if one.due_at is None else local(one.due_at).date(),
        )
        for one in shown_of(visit, in_sight(visit), narrowed)
    ]  # fmt: skip
    return Shown("名单名册", heads, rows, urlencode({name: value for name, value in narrowed.items() if value}))


def _members(visit: Visit) -> Shown:
    """Who stands on a list, or on one of its forms."""
    asked = visit.request.query_params
    book = read_book(visit, opened(visit, asked.get("of", "")))
    view = list_view(book, asked.get("in", ""), most=None)
    facts = [book.machine.book.vocabulary.student[one].title for one in view.columns]
    heads = [*both("件号", "姓名", "学号"), *(f"{one.zh} {one.en}" for one in facts), *both("状态", "在哪张表")]
    rows = [
        (
            one.number, one.name, one.student_no, *(one.values), visit.title(one.state),
            _words(visit, [visit.title(form) for form in one.on]),
        )
        for one in view.members
    ]  # fmt: skip
    return Shown("名单上的人", heads, rows, f"{book.case.number}?{urlencode({'in': view.shown})}")


_OF_STAFF: Mapping[str, Callable[[Visit], Shown]] = {
    "queue": queue, "done": _done, "mine": _mine, "copies": _copies,
}  # fmt: skip
_OF_OFFICE: Mapping[str, Callable[[Visit], Shown]] = {
    "found": _found, "batch": _batch, "lists": _lists, "members": _members,
}  # fmt: skip
"""By kind; auditors have those as well."""
_OF_AUDITORS: Mapping[str, Callable[[Visit], Shown]] = {**AUDITED, "audited-changes": audited_changes}
OF_CASES = frozenset({*_OF_STAFF, *_OF_OFFICE})
"""The kinds of which each row is a case, and counted as one where it is told what was taken along."""
