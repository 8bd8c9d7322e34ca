"""The pages of a case: as it stands, as it stood, one event, its diagram, and on paper."""

from __future__ import annotations

from fastapi import Response

from console.road_drawing import Manner
from console.web.audiences import Audience
from console.web.cases.history import Group, happening
from console.web.cases.looking import dossier_of, inks, lang_of, opened, reader_of, shown, then
from console.web.cases.view import FIRST_LINES
from console.web.cases.way import picture, way_of
from console.web.doors import Doors
from console.web.faults import NotFound
from console.web.visit import Visit

doors = Doors()


@doors.get("/cases/{no}", to=Audience.SIGNED_IN)
def case_page(visit: Visit, no: str, show: str = "", whole: bool = False) -> Response:  # noqa: FBT001, FBT002 a flag of the address
    """A case as it stands; `show` narrows the stream, `whole` unfolds it."""
    is_part = visit.is_fragment and bool(show or whole)
    view = shown(visit, opened(visit, no, is_part=is_part))
    return visit.page(
        "case/page.html",
        block="history" if is_part else "main",
        view=view,
        group=_group(show),
        whole=whole,
        first=FIRST_LINES,
    )


@doors.get("/cases/{no}/at/{seq}", to=Audience.SIGNED_IN)
def case_then(visit: Visit, no: str, seq: int) -> Response:
    """A case as it stood right after one of its events."""
    found = opened(visit, no, seq=seq)
    with then(visit, found, seq) as view:
        return visit.page(
            "case/page.html", view=view, group=None, whole=True, first=FIRST_LINES, last_seq=found.case.head.seq
        )


@doors.get("/cases/{no}/events/{seq}", to=Audience.SIGNED_IN)
def case_event(visit: Visit, no: str, seq: int) -> Response:
    """One event of a case: what was decided, by whom, on what."""
    dossier = dossier_of(visit, opened(visit, no))
    one = happening(dossier, reader_of(visit, dossier), seq)
    if one is None:
        raise NotFound
    return visit.page("case/event.html", one=one, number=dossier.case.number, workflow=dossier.definition.title)


@doors.get("/cases/{no}/diagram.svg", to=Audience.SIGNED_IN)
def case_diagram(visit: Visit, no: str, tall: bool = False) -> Response:  # noqa: FBT001, FBT002 a flag of the address
    """The way of a case as a picture of its own."""
    dossier = dossier_of(visit, opened(visit, no))
    diagram, way = way_of(dossier)
    return Response(
        picture(diagram, way, Manner(inks=inks(), lang=lang_of(visit), is_tall=tall)), media_type="image/svg+xml"
    )


@doors.get("/cases/{no}/print", to=Audience.SIGNED_IN)
def case_print(visit: Visit, no: str) -> Response:
    """A case on paper: everything unfolded, times in full, masks as on screen."""
    view = shown(visit, opened(visit, no))
    return visit.page("case/page.html", view=view, group=None, whole=True, first=FIRST_LINES, printed=True)


def _group(show: str) -> Group | None:
    return next((one for one in Group if one.value == show), None)
