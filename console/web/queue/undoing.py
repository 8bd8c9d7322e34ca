"""撤销: a decision is undone within seconds, by whoever took it, before anybody was told (engine.retracting)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Response

from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.queue.answers import GRACE, Beside, fragment, undo_span
from console.web.queue.conflicts import too_late
from console.web.queue.filtering import read_filter
from console.web.queue.people import name_of
from console.web.queue.view import queue_view
from console.web.queue.waiting import waiting_for
from console.web.visit import Visit
from engine.errors import NotRetractable, StaleCase
from engine.retracting import retract
from engine.store import desk_work
from engine.store.cases import Found
from engine.trail.event import EventKind

doors = Doors()


@doors.post("/cases/{no}/undo", to=Audience.PARTAKER)
def undo(visit: Visit, no: str) -> Response:
    """Take the own decision back while its seconds run; the case is open again, as it was."""
    found = visit.case(no)
    last = desk_work.last_deed(visit.desk.connection, found.case.id)
    if last is None or last[0] != visit.login or visit.at - last[1].at > undo_span(visit) + GRACE:
        return too_late(visit, found)
    if last[1].kind != EventKind.RETRACTED:
        try:
            retract(visit.desk, found.case.id, visit.asks("undo", seen=found.case.revision))
        except (NotRetractable, StaleCase):
            return too_late(visit, found)
    return _back_again(visit, visit.case(no))


def _back_again(visit: Visit, found: Found) -> Response:
    asked = read_filter(dict(parse_qsl(visit.form.get("from", "")))).with_(case=found.case.number)
    if not visit.is_fragment:
        return visit.go(f"{asked.address()}&said=undone")
    state = visit.desk.definition(found.case.shape).states[found.case.state].title
    said = visit.say(
        "已撤销，{name}回到“{state}”，没有发出任何消息", name=name_of(visit, found), state=visit.title(state)
    )
    view = queue_view(visit, asked, waiting_for(visit, asked))
    return fragment(visit, asked, view.open, Beside(said=said, counts=view.counts, whole=view))
