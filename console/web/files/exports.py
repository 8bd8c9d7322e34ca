"""What somebody may take along as a workbook: tables of batches, which name nobody, and the tables of their pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from urllib.parse import quote

from console.web import lettering
from console.web.batches.index import shown_batches
from console.web.files.tables import OF_CASES, queue_under
from console.web.queue.filtering import LANES, Filter
from console.web.queue.waiting import waiting_for
from console.web.shown import MOST, Shown
from console.web.visit import Visit
from engine.exporting import listed
from engine.lanes import Lane
from engine.records import Json
from exchange.plain_tables import table_workbook


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


def taken(visit: Visit, kind: str, shown: Shown) -> bytes:
    """A table as a workbook; that it was taken along stands in the trail: which table, how much, never who is on it.

    Of more than fit the first are in it, and a last row says so.
    """
    found = list(islice(shown.rows, MOST + 1))
    rows = found[:MOST]
    if len(found) > MOST:
        said = visit.say("后面的没有列出：只列前 {n} 条", n=lettering.number(MOST))
        rows = [*rows, (said, *[None] * (len(shown.heads) - 1))]
    body = table_workbook(visit.say(shown.title), shown.heads, rows)
    scope: dict[str, Json] = {"kind": kind, "name": shown.name}
    many = {"cases" if kind in OF_CASES else "rows": min(len(found), MOST)}
    told: dict[str, Json] = {"scope": scope, **many, "sha256": sha256(body).hexdigest()}
    listed(visit.desk, visit.asks(f"export:{kind}"), told)
    return body


def queue(visit: Visit, asked: Filter) -> bytes:
    """The cases a filter of the queue shows, as a workbook."""
    return taken(visit, "queue", queue_under(visit, asked))
