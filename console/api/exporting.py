"""What may be taken out: the tables of a batch, which count and name nobody, and one's queue, case by case.

What names people wants a token that was made with a proof, and each time it is taken out is an event of the registry.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import Path, Query

from console.access.programs import Scope
from console.api.answers_exporting import CountedIn, CountedOut, TableOut, WhomIn
from console.api.answers_queue import FilterIn
from console.api.doors import ApiDoors, Call, Workbook
from console.api.errands import errand
from console.api.queueing import filter_of
from console.web.audiences import Audience
from console.web.batches.counting import Looked, look
from console.web.batches.listing import listing
from console.web.batches.tables import TABLES
from console.web.faults import NotFound
from console.web.files import exports
from engine.errors import Unknown
from exchange.cells import Cell
from exchange.plain_tables import table_workbook

doors = ApiDoors()
BatchCode = Annotated[str, Path(max_length=40, description="A published batch")]
Which = Annotated[Literal["funnel", "burn", "missing", "units"], Path()]


def _look(call: Call, batch: str) -> Looked:
    """A look at a batch, of whom the address says: it is read there, as the page's is.

    Raises:
        NotFound: If there is no such batch, or the person sees nothing of it.
    """
    try:
        return look(errand(call), batch)
    except Unknown as problem:
        raise NotFound from problem


@doors.door("GET", "/batches/{name}/tables/{table}.xlsx", scope=Scope.READ, answers=Workbook)
def table_out(call: Call, name: BatchCode, table: Which, _whom: Annotated[WhomIn, Query()]) -> Workbook:
    """A table of a batch as a workbook."""
    shown = TABLES[table](_look(call, name))
    return Workbook(table_workbook(shown.caption, shown.columns, shown.plain()))


@doors.door("GET", "/batches/{name}/tables/{table}", scope=Scope.READ)
def table_told(call: Call, name: BatchCode, table: Which, _whom: Annotated[WhomIn, Query()]) -> TableOut:
    """The numbers behind a part of a batch's page: how far it is, how it went, who lags, what is missing."""
    shown = TABLES[table](_look(call, name))
    return TableOut(
        caption=shown.caption,
        columns=list(shown.columns),
        rows=[[_plain(cell) for cell in row] for row in shown.plain()],
    )


def _plain(cell: Cell) -> str | int | float | bool | None:
    return cell.isoformat() if isinstance(cell, date) else cell


@doors.door("GET", "/batches/{name}/cases", scope=Scope.READ)
def counted(call: Call, name: BatchCode, wanted: Annotated[CountedIn, Query()]) -> CountedOut:
    """Exactly the students that a number of a batch's page counts, by their records, fifty a page."""
    shown = listing(_look(call, name), wanted.key, wanted.after)
    numbers = [one.number for one in shown.rows]
    return CountedOut(total=shown.total, cases=numbers, next=numbers[-1] if shown.following else None)


@doors.door("POST", "/exports/queue", scope=Scope.READ, to=Audience.STAFF, answers=Workbook, proof=True)
def queue_out(call: Call, wanted: FilterIn) -> Workbook:
    """What waits for the person under a filter, as a workbook; each time it is taken out is an event."""
    return Workbook(exports.queue(errand(call), filter_of(call, wanted)))
