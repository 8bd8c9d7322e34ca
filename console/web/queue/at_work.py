"""Being at work on a case: claims, which tell others, and drafts, which keep what was typed. Neither is evidence."""

from __future__ import annotations

from fastapi import Response

from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFault, FieldFaults
from console.web.queue.filtering import Filter
from console.web.queue.step_fields import LONGEST
from console.web.visit import Visit
from engine.store import desk_work

doors = Doors()


@doors.post("/cases/{no}/claim", to=Audience.STAFF)
def claim(visit: Visit, no: str) -> Response:
    """Take a case over from whoever is at it, or (`leave`) be at it no more."""
    found = visit.case(no)
    connection = visit.desk.connection
    with connection.writing():
        if visit.form.get("leave"):
            desk_work.let_go(connection, found.case.id, visit.login)
        else:
            desk_work.take_over(connection, found.case.id, visit.login, visit.at)
    return visit.go(Filter(case="" if visit.form.get("leave") else found.case.number).address())


@doors.post("/cases/{no}/draft", to=Audience.PARTAKER)
def draft(visit: Visit, no: str) -> Response:
    """Keep what was typed into the form of a step."""
    found, trigger = visit.case(no), visit.form.get("trigger", "")
    if trigger not in visit.desk.definition(found.case.shape).transitions:
        raise FieldFaults([FieldFault("trigger", visit.say("步骤"), visit.say("没有这个步骤"))])
    typed = {name: value[:LONGEST] for name, value in visit.form.items() if _is_typed(name)}
    connection = visit.desk.connection
    with connection.writing():
        desk_work.keep_draft(connection, (visit.login, found.case.id, trigger), typed, visit.at)
    return Response(status_code=204)


def _is_typed(name: str) -> bool:
    return name == "reason" or name.startswith(("field-", "tick-"))
