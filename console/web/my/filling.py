"""Steps a student takes in person: what is asked is filled in here; what must be signed goes on to the signature."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Response

from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFault, FieldFaults
from console.web.my.acting import own_form, take, would_refuse
from console.web.my.reading import Own, OwnStep, read_own
from console.web.my.todos import SIGNATURE
from console.web.my.view import contact, own_facts
from console.web.my.wording import lang_of
from console.web.queue.step_fields import read_given, step_form
from console.web.visit import Visit
from engine.records import Json, Sentence
from engine.store import desk_work

doors = Doors()


@doors.get("/my/do/{no}/{trigger}", to=Audience.STUDENT)
def filling(visit: Visit, no: str, trigger: str) -> Response:
    """The form of a step, with what was typed before."""
    own = read_own(visit)
    one = own.own_step(no, trigger)
    return _page(visit, own, one, desk_work.draft(visit.desk.connection, visit.login, one.case.id, trigger))


@doors.post("/my/do/{no}/{trigger}", to=Audience.STUDENT)
def fill(visit: Visit, no: str, trigger: str) -> Response:
    """Take the step; or, where it must be signed, keep what was filled in and go on to sign."""
    own = read_own(visit)
    one = own.own_step(no, trigger)
    try:
        given = read_given(visit, one.machine, one.step).fields
    except FieldFaults as problem:
        return _page(visit, own, one, visit.form, faults=problem.faults)
    if missing := lacking(visit, one, given):
        return _page(visit, own, one, visit.form, faults=missing)
    if SIGNATURE not in one.step.transition.needs:
        refused = take(visit, one, given)
        return _page(visit, own, one, visit.form, refused=refused) if refused else visit.go("/my")
    if refused := would_refuse(own, one, given):
        return _page(visit, own, one, visit.form, refused=refused)
    with visit.desk.connection.writing():
        desk_work.keep_draft(visit.desk.connection, (visit.login, one.case.id, trigger), typed(visit.form), visit.at)
    return visit.go(f"/my/sign/{one.case.number}")


def typed(form: Mapping[str, str]) -> dict[str, str]:
    """The fields of a step among what was posted."""
    return {name: value for name, value in form.items() if name.startswith("field-")}


def lacking(visit: Visit, one: OwnStep, given: Mapping[str, Json]) -> tuple[FieldFault, ...]:
    """The fields a step asks for that nobody filled in."""
    titles = one.machine.readers.titles
    return tuple(
        FieldFault(f"field-{name}", visit.title(title), visit.say("要填"))
        for name in one.step.asked
        if name not in given and (title := titles.get(f"case.{name}")) is not None
    )


def _page(
    visit: Visit,
    own: Own,
    one: OwnStep,
    before: Mapping[str, str],
    *,
    faults: tuple[FieldFault, ...] = (),
    refused: tuple[Sentence, ...] = (),
) -> Response:
    documents = own.glance.documents.get(one.case.id, ())
    return visit.page(
        "my/do.html",
        status=422 if faults or refused else 200,
        step=step_form(one.machine, one.step, documents, before),
        number=one.case.number,
        workflow=own.desk.definition(one.case.shape).title,
        form=own_form(visit, one, refused),
        faults=faults,
        reason=before.get("reason", ""),
        is_signed=SIGNATURE in one.step.transition.needs,
        facts=own_facts(own, lang_of(visit)),
        contact=contact(own),
    )
