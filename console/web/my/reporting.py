"""Reporting what is wrong: a photo that is not mine or not clear, or wrong data, each by the step there is for it.

A photo goes back by the procedure of photos where it stands there, else by the report of an error; a change of name,
gender, ethnicity, ID number or education opens a change of information (W-19), and its papers are handed in at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from fastapi import Response

from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.my.acting import asked, own_form, refusals
from console.web.my.reading import Own, OwnStep, read_own
from console.web.my.todos import CHANGE, reporting
from console.web.my.view import answered_in, contact, own_facts
from console.web.my.wording import lang_of
from console.web.queue.step_fields import read_given, step_form
from console.web.visit import Visit
from engine.casework import move, open_case
from engine.definition import MoveKind
from engine.errors import AlreadyOpen, Unknown
from engine.opening import machine_to_open
from engine.records import Json, Moved, Repeated, Sentence
from engine.steps import Machine

doors = Doors()

DRAFT = "draft"
"""How a change of data (W-19) is opened."""
_PHOTOS = {"not-me": "照片不是我", "not-clear": "照片不清楚"}
_DATA = "data"
_ELSEWHERE = "other"
_PHOTO = "photo"


@doors.get("/my/report", to=Audience.STUDENT)
def reporting_page(visit: Visit, wrong: str = "") -> Response:
    """What is wrong: the photo, or the data."""
    return _choosing(visit, read_own(visit), wrong)


@doors.post("/my/report", to=Audience.STUDENT)
def report(visit: Visit) -> Response:
    """A wrong photo is reported at once; wrong data are asked for on the next page."""
    what, wrong = visit.form.get("what", ""), visit.form.get("wrong", "")
    own = read_own(visit)
    if what == _DATA:
        named = ",".join(name for name in _named(own, wrong) if name != _PHOTO)
        return visit.go(f"/my/report/data?{urlencode({'wrong': named})}" if named else "/my/report/data")
    if what not in _PHOTOS:
        fault = FieldFault("what-not-me", visit.say("哪里有错"), visit.say("请选一项"))
        return _choosing(visit, own, wrong, faults=(fault,))
    one = _photo_step(own)
    if one is None:
        return _choosing(visit, own, wrong, refused=(_NO_STEP,))
    refused = _tell(visit, one, _PHOTOS[what])
    return _choosing(visit, own, wrong, refused=refused) if refused else visit.go(f"/my/reported/{one.case.number}")


@doors.get("/my/report/data", to=Audience.STUDENT)
def data_page(visit: Visit, wrong: str = "") -> Response:
    """Which item, and what would be right; the first of those found wrong is chosen already."""
    own = read_own(visit)
    named = _named(own, wrong)
    return _data(visit, own, {"field-item": _item(own, named[0]), "wrong": wrong} if named else visit.form)


@doors.post("/my/report/data", to=Audience.STUDENT)
def report_data(visit: Visit) -> Response:
    """Open the change, or report the error where no change is provided for."""
    own = read_own(visit)
    if visit.form.get("field-item") == _ELSEWHERE:
        return _elsewhere(visit, own)
    machine = _change(own)
    if machine is None:
        return _data(visit, own, visit.form, refused=(_NO_STEP,))
    try:
        given = dict(read_given(visit, machine, machine.step("new", DRAFT)).fields)
    except FieldFaults as problem:
        return _data(visit, own, visit.form, faults=problem.faults)
    if missing := _missing(visit, machine, given):
        return _data(visit, own, visit.form, faults=missing)
    return _open(visit, own, given)


@doors.get("/my/reported/{no}", to=Audience.STUDENT)
def reported(visit: Visit, no: str) -> Response:
    """That it was reported, under which number, and who deals with it."""
    own = read_own(visit)
    plain = no.replace("-", "").upper()
    case = next((one for one in own.cases if one.number == plain), None)
    if case is None:
        raise NotFound
    return visit.page(
        "my/reported.html",
        number=case.number,
        title_of=own.desk.definition(case.shape).title,
        answered_in=answered_in(visit, own, case),
        contact=contact(own),
    )


def _open(visit: Visit, own: Own, given: Mapping[str, Json]) -> Response:
    request = asked(visit, DRAFT, given)
    try:
        answer = open_case(visit.desk, CHANGE, own.record.student_no or "", request)
    except AlreadyOpen as problem:
        return visit.go(f"/my/upload/{problem.case}")
    if isinstance(answer, Moved):
        return visit.go(f"/my/upload/{answer.case.number}")
    if isinstance(answer, Repeated) and answer.moved:
        return visit.go(f"/my/upload/{answer.number}")
    return _data(visit, own, visit.form, refused=refusals(answer))


def _elsewhere(visit: Visit, own: Own) -> Response:
    """An item that no change of information is provided for: the report of an error says it in words."""
    one, words = reporting(own), visit.form.get("field-new_value", "")
    if not words:
        fault = FieldFault("field-new_value", visit.say("正确的是"), visit.say("要填"))
        return _data(visit, own, visit.form, faults=(fault,))
    if one is None:
        return _data(visit, own, visit.form, refused=(_NO_STEP,))
    refused = _tell(visit, one, words)
    return _data(visit, own, visit.form, refused=refused) if refused else visit.go(f"/my/reported/{one.case.number}")


def _tell(visit: Visit, one: OwnStep, words: str) -> tuple[Sentence, ...]:
    """Take a step that says what is wrong, in the words it has a field for."""
    said: dict[str, Json] = {
        "reason": words, "wrong_items": words, "wrong": words, "checked_where": "platform",
        "photo_is_mine": words not in _PHOTOS.values(),
    }  # fmt: skip
    takes = {*one.step.takes, "reason"}
    fields = {name: value for name, value in said.items() if name in takes}
    return refusals(move(visit.desk, one.case.id, asked(visit, one.trigger, fields)))


def _photo_step(own: Own) -> OwnStep | None:
    """Where the photo itself is sent back; else where an error is reported."""
    back = (one for one in own.steps if one.writes.get("photo_collected") is False)
    return next((one for one in back if one.step.transition.kind is MoveKind.RETURN), None) or reporting(own)


def _named(own: Own, wrong: str) -> tuple[str, ...]:
    """The items found wrong, as an address names them; what is no item of the own data is nobody's."""
    known = {_PHOTO, *(one.name for one in own_facts(own, "zh"))}
    return tuple(name for name in dict.fromkeys(wrong.split(",")) if name in known)


def _titles(visit: Visit, own: Own, named: Sequence[str]) -> tuple[str, ...]:
    """What these items are called."""
    called = {one.name: visit.title(one.title) for one in own_facts(own, lang_of(visit))}
    return tuple(called.get(name, visit.say("照片")) for name in named)


def _item(own: Own, name: str) -> str:
    """What the change of information calls an item; what it does not provide for is reported in words."""
    machine = _change(own)
    return name if machine is not None and name in machine.readers.choices.get("changed_item", {}) else _ELSEWHERE


def _change(own: Own) -> Machine | None:
    """The change of information as the student's unit runs it; None where its profile has none."""
    try:
        return machine_to_open(own.desk, CHANGE, own.record.case.unit, DRAFT)
    except Unknown:
        return None


def _missing(visit: Visit, machine: Machine, given: Mapping[str, Json]) -> tuple[FieldFault, ...]:
    step = machine.step("new", DRAFT)
    titles = machine.readers.titles
    lacks = [name for name in step.asked if name not in given]
    return tuple(
        FieldFault(f"field-{name}", visit.title(titles[f"case.{name}"]), visit.say("要填"))
        for name in lacks
        if f"case.{name}" in titles
    )


def _choosing(
    visit: Visit,
    own: Own,
    wrong: str,
    *,
    faults: tuple[FieldFault, ...] = (),
    refused: tuple[Sentence, ...] = (),
) -> Response:
    named = _named(own, wrong)
    return visit.page(
        "my/report.html",
        status=422 if faults or refused else 200,
        form=own_form(visit, _photo_step(own), refused),
        faults=faults,
        chosen=visit.form.get("what") or (_DATA if [name for name in named if name != _PHOTO] else ""),
        wrong=wrong,
        named=_titles(visit, own, named),
        photo=None if own.glance.photo is None else "/my/photo",
        contact=contact(own),
    )


def _data(
    visit: Visit,
    own: Own,
    typed: Mapping[str, str],
    *,
    faults: tuple[FieldFault, ...] = (),
    refused: tuple[Sentence, ...] = (),
) -> Response:
    machine = _change(own)
    fields = () if machine is None else step_form(machine, machine.step("new", DRAFT), (), typed).fields
    return visit.page(
        "my/report_data.html",
        status=422 if faults or refused else 200,
        fields={one.name.removeprefix("field-"): one for one in fields},
        typed=typed,
        named=_titles(visit, own, _named(own, typed.get("wrong", ""))),
        may_tell=reporting(own) is not None,
        form=own_form(visit, None, refused),
        faults=faults,
        contact=contact(own),
    )


_NO_STEP = Sentence(
    zh="现在没有可以在这里办的步骤，请直接联系教学点",
    en="There is no step for this here at present: please contact the teaching point",
)
