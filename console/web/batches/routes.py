"""The doors of the batch pages."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Response

from console.web.audiences import Audience
from console.web.batches import nudging
from console.web.batches.burning import draw_burn
from console.web.batches.counting import Looked, course_of, look
from console.web.batches.forgotten import forgotten
from console.web.batches.index import shown_batches
from console.web.batches.listing import listing
from console.web.batches.overview import (
    answer_of,
    deadline_cells,
    funnel,
    lagging_units,
    missing,
    missing_legend,
    unit_legend,
    units,
)
from console.web.batches.tables import TABLES, Table
from console.web.batches.wording import Ways, filters_of, stages_of
from console.web.doors import Doors
from console.web.faults import NotFound
from console.web.visit import Visit
from exchange.plain_tables import table_workbook

doors = Doors()
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@doors.get("/batches", to=Audience.SIGNED_IN)
def batches(visit: Visit) -> Response:
    """Every published batch the visitor sees students of."""
    visit.leaves_trace("batches")
    return visit.page("batch/index.html", batches=shown_batches(visit))


@doors.get("/batches/{code}", to=Audience.SIGNED_IN)
def batch(visit: Visit, code: str) -> Response:
    """Shall we make it, who lags, what is missing."""
    looked = look(visit, code)
    course = course_of(looked)
    return visit.page(
        "batch/page.html",
        looked=looked,
        course=course,
        cells=deadline_cells(looked),
        answer=answer_of(looked, course),
        tally=looked.counts.node.tally,
        funnel=funnel(looked),
        drawing=draw_burn(looked, course),
        missing=missing(looked),
        lines=units(looked, course),
        unit_legend=unit_legend(looked),
        stages=[one for one in stages_of(looked) if one.waits],
        lagging=len(lagging_units(looked, course)),
        ways=Ways(looked=looked),
        filters=filters_of(looked),
        missing_legend=missing_legend(looked),
        may_nudge=Audience.STAFF.admits(visit.actor),
        forgotten=len(forgotten(visit, looked.roll, looked.counts.seen)),
    )


@doors.get("/batches/{code}/table/{table}.xlsx", to=Audience.SIGNED_IN)
def batch_workbook(visit: Visit, code: str, table: str) -> Response:
    """A table as a workbook, as shown."""
    _, shown = _table(visit, code, table)
    body = table_workbook(shown.caption, shown.columns, shown.plain())
    name = quote(f"{code}-{table}.xlsx")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(body, media_type=_WORKBOOK, headers=headers)


@doors.get("/batches/{code}/table/{table}", to=Audience.SIGNED_IN)
def batch_table(visit: Visit, code: str, table: str) -> Response:
    """The numbers behind a part of the page."""
    looked, shown = _table(visit, code, table)
    return visit.page(
        "batch/table.html",
        looked=looked,
        shown=shown,
        ways=Ways(looked=looked),
    )


@doors.get("/batches/{code}/cases", to=Audience.SIGNED_IN)
def batch_cases(visit: Visit, code: str, key: str = "expected", after: str = "", by: str = "") -> Response:
    """Exactly the students a number counts."""
    looked = look(visit, code)
    shown = listing(looked, key, after, by)
    return visit.page(
        "batch/cases.html",
        looked=looked,
        listing=shown,
        ways=Ways(looked=looked),
        forgotten=len(forgotten(visit, looked.roll, looked.counts.seen)) if key == "ready" else 0,
    )


@doors.post("/nudge", to=Audience.STAFF)
def nudge(visit: Visit) -> Response:
    """Freeze whom to urge, and go to look at it."""
    form = visit.form
    handle = nudging.choose(look(visit, form.get("batch", "")), form.get("about", ""))
    return visit.go(f"/nudge/{handle}")


@doors.get("/nudge/{handle}", to=Audience.STAFF)
def nudge_preview(visit: Visit, handle: str) -> Response:
    """Who would be told what; or what came of it."""
    return visit.page("batch/nudge.html", preview=nudging.preview(visit, handle))


@doors.post("/nudge/{handle}", to=Audience.STAFF)
def nudge_send(visit: Visit, handle: str) -> Response:
    """Tell them; whoever came from a queue goes back to it, where what came of it is said."""
    shown = nudging.send(visit, handle)
    if shown.batch:
        return visit.go(f"/nudge/{handle}")
    return visit.go(f"{shown.back}{'&' if '?' in shown.back else '?'}nudged={handle}")


def _table(visit: Visit, code: str, table: str) -> tuple[Looked, Table]:
    looked = look(visit, code)
    if table not in TABLES:
        raise NotFound
    return looked, TABLES[table](looked)
