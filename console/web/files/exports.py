"""What somebody may take along as a workbook: tables of batches, and what waits for them, case by case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qsl, quote

from console.web.batches.index import shown_batches
from console.web.lettering import local
from console.web.queue.filtering import LANES, Filter, read_filter
from console.web.queue.open_case import lang_of
from console.web.queue.people import ROW, name_of, words_of
from console.web.queue.waiting import waiting_for
from console.web.visit import Visit
from engine.definition import Bilingual
from engine.exporting import listed
from engine.lane_queries import Placed
from engine.lanes import Lane
from engine.records import Json, case_number
from engine.store.cases import Found, read_cases
from engine.store.lanes import NEVER
from exchange.cells import Cell
from exchange.plain_tables import table_workbook

MOST = 10_000
TRIGGER = "export:queue"
"""What the trail calls it."""
_CANCELLED = Bilingual(zh="已撤销", en="Cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTables:
    """A batch and the tables of its page, each with its address."""

    title: str
    tables: tuple[tuple[str, str], ...]


def batches(visit: Visit) -> list[BatchTables]:
    """The batches whose students the person sees; their tables count and name nobody."""
    names = {
        "units": visit.say("各单位"), "missing": visit.say("缺什么"), "funnel": visit.say("进度漏斗"),
        "burn": visit.say("燃尽：未申请的人数"),
    }  # fmt: skip
    return [
        BatchTables(
            title=one.title,
            tables=tuple((words, f"/batches/{quote(one.code)}/table/{name}.xlsx") for name, words in names.items()),
        )
        for one in shown_batches(visit)
    ]


def lanes(visit: Visit) -> list[tuple[str, str, int]]:
    """What waits for the person, by lane: the filter, its words, how many."""
    counts = waiting_for(visit, Filter()).counts(Filter())
    words = _words(visit)
    whole = [("", visit.say("全部待办"), sum(counts.values()))]
    return whole + [(Filter(lane=name).query(), words[lane], counts[lane]) for name, lane in LANES.items()]


def _words(visit: Visit) -> Mapping[Lane, str]:
    return {Lane.BLOCKED: visit.say("受阻"), Lane.LOOK: visit.say("需细看"), Lane.READY: visit.say("可直接办")}


def queue(visit: Visit) -> bytes:
    """The cases a filter of the queue shows, as a workbook; that they were taken along stands in the trail."""
    asked = read_filter(dict(parse_qsl(visit.form.get("filter", "")))).with_(case="", after="")
    heads = [
        visit.say(one)
        for one in ("件号", "姓名", "学号", "单位", "层次、年级、专业", "事项", "状态", "分类", "截止", "进入本环节")
    ]
    rows = list(_rows(visit, asked))
    body = table_workbook(visit.say("待办"), heads, rows)
    scope: dict[str, Json] = {"kind": "queue", "name": asked.query()}
    told: dict[str, Json] = {"scope": scope, "cases": len(rows), "sha256": sha256(body).hexdigest()}
    listed(visit.desk, visit.asks(TRIGGER), told)
    return body


def _rows(visit: Visit, asked: Filter) -> Iterator[tuple[Cell, ...]]:
    waiting, after, number = waiting_for(visit, asked), "", 0
    while number < MOST:
        page, after = waiting.page(asked.with_(after=after))
        found = read_cases(visit.desk.connection, [one.case for one in page]) if page else {}
        yield from (
            _row(visit, one, found[one.case])
            for one in page
            if one.case in found and visit.visible.sees(found[one.case].case)
        )
        number += len(page)
        if not after:
            return


def _row(visit: Visit, placed: Placed, found: Found) -> tuple[Cell, ...]:
    machine = visit.desk.machine(found.case.shape)
    state = machine.definition.states.get(found.case.state)
    due = placed.row.due_at
    return (
        case_number(found.case.id),
        name_of(found),
        found.student_no or "",
        visit.desk.units()[found.case.unit].name,
        "　".join(words_of(machine, found, ROW, lang_of(visit))),
        visit.title(machine.definition.title),
        visit.title(_CANCELLED if state is None else state.title),
        _words(visit)[placed.lane],
        None if due == NEVER else local(due).date(),
        local(placed.row.entered_at).date(),
    )
