"""Being at work on a case: claims, which tell others, and drafts, which keep what was typed. Neither is evidence."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Response

from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFault, FieldFaults
from console.web.queue.filtering import read_filter
from console.web.queue.step_fields import LONGEST, Typed
from console.web.visit import Visit
from engine.errors import NotAllowed
from engine.lane_queries import Queue
from engine.store import desk_work
from engine.urging import awaited

doors = Doors()


@doors.post("/cases/{no}/claim", to=Audience.STAFF)
def claim(visit: Visit, no: str) -> Response:
    """Take a case over from whoever is at it, or (`leave`) be at it no more; back to the queue as it was filtered.

    Raises:
        NotAllowed: If the case does not wait for the person: who only looks keeps nobody from the work.
    """
    found, connection = visit.case(no), visit.desk.connection
    asked = read_filter(dict(parse_qsl(visit.form.get("from", ""))))
    if visit.form.get("leave"):
        with connection.writing():
            desk_work.let_go(connection, found.case.id, visit.login)
        return visit.go(asked.address(case=""))
    if Queue(connection, visit.actor, visit.at, visit.house.lengths).find(found.case.id) is None:
        machine = visit.desk.machine(found.case.shape)
        raise NotAllowed(visit.login, "claim", awaited(machine, found.case.state), found.case.unit)
    with connection.writing():
        desk_work.take_over(connection, found.case.id, visit.login, visit.at)
    return visit.go(asked.address(case=found.case.number))


@doors.post("/cases/{no}/draft", to=Audience.PARTAKER)
def draft(visit: Visit, no: str) -> Response:
    """Keep what was typed into the form of a step."""
    found, trigger = visit.case(no), visit.form.get("trigger", "")
    if trigger not in visit.desk.definition(found.case.shape).transitions:
        raise FieldFaults([FieldFault("trigger", visit.say("步骤"), visit.say("没有这个步骤"))])
    typed = Typed.of(visit.posted.multi_items()).draft
    if any(typed.values()) and visit.form.get("seen"):
        typed = {**typed, "seen": visit.form["seen"][:LONGEST]}
    connection = visit.desk.connection
    with connection.writing():
        desk_work.keep_draft(connection, (visit.login, found.case.id, trigger), typed, visit.at)
    return Response(status_code=204)
