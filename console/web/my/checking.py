"""Checking the own data: every item beside the photo, right or wrong; a step of the engine keeps the answer."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import Response

from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.my.acting import own_form, take
from console.web.my.filling import lacking
from console.web.my.reading import STUDENT, Own, OwnStep, read_own
from console.web.my.todos import confirming
from console.web.my.view import contact, own_facts
from console.web.my.wording import lang_of
from console.web.queue.step_fields import read_given, step_form
from console.web.visit import Visit
from engine.records import Case, Sentence
from engine.viewing import Purpose, Reason, reveal

doors = Doors()

ID_NUMBER = "id_number"
PHOTO = "photo"
"""What the photo is called among the items."""
_RIGHT, _WRONG = "right", "wrong"
_PHOTO_FIELD = "field-photo_is_mine"
"""Some procedures ask it of their own; the item beside the photo answers it."""


@doors.get("/my/check", to=Audience.STUDENT)
def checking(visit: Visit) -> Response:
    """Each item, to be found right or wrong."""
    own = read_own(visit)
    return _page(visit, own, confirming(own))


@doors.post("/my/check", to=Audience.STUDENT)
def check(visit: Visit) -> Response:
    """All right: the step that says so. Something wrong: on to the report of it."""
    own = read_own(visit)
    wrong = [name for name in _items(own) if visit.form.get(f"item-{name}") == _WRONG]
    if wrong:
        return visit.go(f"/my/report?{urlencode({'wrong': ','.join(wrong)})}")
    one = confirming(own)
    unseen = tuple(
        FieldFault(f"item-{name}", _titles(visit, own)[name], visit.say("请选对或不对"))
        for name in _items(own)
        if visit.form.get(f"item-{name}") != _RIGHT
    )
    if one is None or unseen:
        return _page(visit, own, one, faults=unseen)
    return _confirm(visit, own, one)


@doors.post("/my/check/reveal", to=Audience.STUDENT)
def reveal_own(visit: Visit) -> Response:
    """The own ID number in full, on the page that asks whether it is right; it is an event like every look."""
    own = read_own(visit)
    case = _revealing(own)
    if case is None:
        raise NotFound
    revealed = reveal(visit.desk, case.id, (ID_NUMBER,), Reason(purpose=Purpose.CHECK), visit.asks("view:facts"))
    return _page(visit, own, confirming(own), revealed=str(revealed.values[ID_NUMBER]))


def _revealing(own: Own) -> Case | None:
    """A case in which the student has a part, so that a look can be kept there."""
    return next(
        (
            case
            for case in own.beside
            if any(
                who.role == STUDENT for one in own.desk.definition(case.shape).transitions.values() for who in one.by
            )
        ),
        None,
    )


def _confirm(visit: Visit, own: Own, one: OwnStep) -> Response:
    try:
        given = dict(read_given(visit, one.machine, one.step).fields)
    except FieldFaults as problem:
        return _page(visit, own, one, faults=problem.faults)
    if "photo_is_mine" in one.step.asked:
        given["photo_is_mine"] = True
    if missing := lacking(visit, one, given):
        return _page(visit, own, one, faults=missing)
    refused = take(visit, one, given)
    return _page(visit, own, one, refused=refused) if refused else visit.go("/my")


def _items(own: Own) -> tuple[str, ...]:
    names = tuple(one.name for one in own_facts(own, "zh"))
    return (PHOTO, *names) if own.glance.photo is not None else names


def _titles(visit: Visit, own: Own) -> dict[str, str]:
    return {PHOTO: visit.say("照片"), **{one.name: visit.title(one.title) for one in own_facts(own, lang_of(visit))}}


def _page(
    visit: Visit,
    own: Own,
    one: OwnStep | None,
    *,
    faults: tuple[FieldFault, ...] = (),
    refused: tuple[Sentence, ...] = (),
    revealed: str = "",
) -> Response:
    form = None if one is None else step_form(one.machine, one.step, (), visit.form)
    fields = () if form is None else tuple(field for field in form.fields if field.name != _PHOTO_FIELD)
    return visit.page(
        "my/check.html",
        status=422 if faults or refused else 200,
        facts=own_facts(own, lang_of(visit)),
        photo=None if own.glance.photo is None else "/my/photo",
        chosen=visit.form,
        revealed=revealed,
        may_reveal=_revealing(own) is not None,
        fields=fields,
        is_open=one is not None,
        is_confirmed=own.facts.get("key_info_confirmed") is True,
        blocked=() if one is None else one.refusing,
        form=own_form(visit, one, refused),
        faults=faults,
        contact=contact(own),
    )
