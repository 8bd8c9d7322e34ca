"""Signing by finger: the whole text, the signature, then the password once more; it is kept with the form.

Whoever has no JavaScript or no hand for it is sent to the teaching point: no profile takes a typed name for E-SIGN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fastapi import Response

from console.access import stepping_up
from console.access.passwords import Crowded
from console.access.refusals import MustWait, NotLetIn, WrongCode
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.fault_pages import in_language
from console.web.faults import NotFound
from console.web.my.acting import asked, own_form, refusals
from console.web.my.reading import Own, OwnStep, read_own
from console.web.my.todos import SIGNATURE, page_of, signing
from console.web.my.view import contact, form_text
from console.web.my.wording import lang_of
from console.web.visit import Visit
from engine.attaching import attach, withdraw_document
from engine.casework import move, read_fields
from engine.definition import MoveKind
from engine.documents import Upload
from engine.records import Json, Sentence
from engine.store import desk_work
from engine.store.documents import DocumentRow
from exchange.by_phone import signature
from exchange.evidence import FileRefused

doors = Doors()


@doors.get("/my/sign/{what}", to=Audience.STUDENT)
def signing_page(visit: Visit, what: str) -> Response:
    """The text to be signed; once it is, when that was."""
    own = read_own(visit)
    one = signing(own, what)
    if one is None:
        return _signed(visit, own, what)
    if one.step.asked and (one.case.id, one.trigger) not in own.glance.drafts:
        return visit.go(page_of(one, own)[0])
    return _page(visit, own, one)


@doors.post("/my/sign/{what}", to=Audience.STUDENT)
def sign(visit: Visit, what: str) -> Response:
    """First the drawing, then the password; only then anything is kept."""
    own = read_own(visit)
    one = signing(own, what)
    if one is None:  # the same request again, after it was done
        return visit.go(f"/my/sign/{what}")
    try:
        upload = signature(visit.form.get("signature", ""))
    except FileRefused as problem:
        return _page(visit, own, one, refused=(Sentence(zh=problem.reason.zh, en=problem.reason.en),))
    if not visit.form.get("proof"):
        return _proof(visit, one)
    if error := _doubt(visit):
        return _proof(visit, one, error=error)
    if refused := _keep(visit, own, one, upload):
        return _page(visit, own, one, refused=refused)
    return visit.go(f"/my/sign/{what}")


def _doubt(visit: Visit) -> str:
    """Why the password or code is not taken; empty when it is, and the session bears a new token then."""
    if visit.session is None:
        return visit.say("请重新登录")
    proof = str(visit.posted.get("proof", ""))
    try:
        token = stepping_up.prove(visit.desk.connection, visit.office.key, visit.session, proof, visit.at)
    except NotLetIn:
        return visit.say("密码不对")
    except (WrongCode, MustWait, Crowded) as problem:
        return in_language(str(problem), visit.lang)
    visit.begin_session(token)
    return ""


def _keep(visit: Visit, own: Own, one: OwnStep, upload: Upload) -> tuple[Sentence, ...]:
    """Put the signature on the case in the place of an older one, and take the step it belongs to."""
    there = [row for row in own.glance.documents.get(one.case.id, ()) if row.kind == SIGNATURE and row.sha256]
    if not any(row.sha256 == upload.sha256 for row in there):
        for row in there:
            _take_off(visit, one, row)
        answer = attach(
            visit.desk, one.case.id, SIGNATURE, upload, asked(visit, SIGNATURE, part=f"-file-{upload.sha256[:8]}")
        )
        if refused := refusals(answer):
            return refused
    fields = _drafted(visit, one)
    seen = visit.form.get("seen", "")
    if seen.isdigit() and int(seen) != one.case.revision:
        return (Sentence(zh="登记表刚才有改动，请再看一遍后签名", en="The form has changed: read it again, then sign"),)
    refused = _step(visit, one, fields)
    if not refused:
        with visit.desk.connection.writing():
            desk_work.leave(visit.desk.connection, one.case.id, visit.login)
    return refused


def _step(visit: Visit, one: OwnStep, fields: Mapping[str, Json]) -> tuple[Sentence, ...]:
    """The step itself; the signature has raised the revision that the page was seen at."""
    request = replace(asked(visit, one.trigger, fields), seen=None)
    return refusals(move(visit.desk, one.case.id, request))


def _take_off(visit: Visit, one: OwnStep, row: DocumentRow) -> None:
    request = asked(visit, SIGNATURE, {"reason": "重签"}, part=f"-off-{row.seq}")
    withdraw_document(visit.desk, one.case.id, row.seq, request)


def _drafted(visit: Visit, one: OwnStep) -> dict[str, Json]:
    """What was filled in before, as values of their kinds."""
    body = desk_work.draft(visit.desk.connection, visit.login, one.case.id, one.trigger)
    typed = {name.removeprefix("field-"): text for name, text in body.items() if text}
    return read_fields(visit.desk, one.machine, one.trigger, typed)


def _page(visit: Visit, own: Own, one: OwnStep, *, refused: tuple[Sentence, ...] = ()) -> Response:
    body = desk_work.draft(visit.desk.connection, visit.login, one.case.id, one.trigger)
    return visit.page(
        "my/sign.html",
        status=422 if refused else 200,
        number=one.case.number,
        step=one.step.transition.title,
        text=form_text(own, one, body, lang_of(visit)),
        again=f"/my/do/{one.case.number}/{one.trigger}" if one.step.asked else "",
        form=own_form(visit, one, refused),
        contact=contact(own),
    )


def _proof(visit: Visit, one: OwnStep, *, error: str = "") -> Response:
    asks = stepping_up.PASSWORD if visit.session is None else stepping_up.asks_for(visit.session)
    return visit.page(
        "my/proof.html",
        status=422 if error else 200,
        number=one.case.number,
        step=one.step.transition.title,
        drawing=visit.form.get("signature", ""),
        form=own_form(visit, one),
        asks=asks,
        error=error,
    )


def _signed(visit: Visit, own: Own, what: str) -> Response:
    """When it was signed.

    Raises:
        NotFound: If there is nothing of the student's that was.
    """
    plain = what.replace("-", "").upper()
    case = next((one for one in own.cases if one.number == plain), None)
    rows = [row for row in own.glance.documents.get(0 if case is None else case.id, ()) if row.kind == SIGNATURE]
    if case is None or not rows:
        raise NotFound
    event = next(one for one in own.glance.steps[case.id] if one["seq"] == rows[-1].seq)
    again = next((one for one in own.steps_of(case) if one.step.transition.kind is MoveKind.RETURN), None)
    is_open = not own.desk.machine_for(case, {}).is_final(case.state)
    return visit.page(
        "my/signed.html",
        at=event["at"],
        title_of=own.desk.definition(case.shape).title,
        is_open=is_open,
        again="" if again is None else f"/my/do/{case.number}/{again.trigger}",
    )
