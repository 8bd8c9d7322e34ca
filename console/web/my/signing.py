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
from console.web.my.view import contact, form_mark, form_text
from console.web.my.wording import lang_of
from console.web.turns import of_proof
from console.web.visit import Visit
from engine.accompanying import Paper, take_with
from engine.casework import read_fields
from engine.definition import MoveKind
from engine.documents import Upload
from engine.errors import StaleCase
from engine.records import Json, Sentence
from engine.store import desk_work
from exchange.by_phone import signature
from exchange.evidence import FileRefused

doors = Doors()

_CHANGED = Sentence(
    zh="要签的内容刚才有改动，请再看一遍后签名", en="What you sign has just changed: read it again, then sign"
)


class _Changed(Exception):
    """What would be signed is not what the student has read."""


@doors.get("/my/sign/{what}", to=Audience.STUDENT)
def signing_page(visit: Visit, what: str) -> Response:
    """The text to be signed; once it is, when that was."""
    own = read_own(visit)
    one = signing(own, what)
    return _signed(visit, own, what) if one is None else _page(visit, own, one)


@doors.post("/my/sign/{what}", to=Audience.STUDENT, turn=of_proof)
def sign(visit: Visit, what: str) -> Response:
    """First the drawing, then the password; only then anything is kept, and only under the text that was read."""
    own = read_own(visit)
    one = signing(own, what)
    if one is None:  # the same request again, after it was done
        return visit.go(f"/my/sign/{what}")
    try:
        _fields_as_read(visit, own, one)
        upload = signature(visit.form.get("signature", ""))
        if not visit.form.get("proof"):
            return _proof(visit, one)
        if error := _doubt(visit):
            return _proof(visit, one, error=error)
        refused = _keep(visit, one, upload)
    except FileRefused as problem:
        refused = (Sentence(zh=problem.reason.zh, en=problem.reason.en),)
    except (_Changed, StaleCase):
        return _again(visit, what)
    return _page(visit, own, one, refused=refused) if refused else visit.go(f"/my/sign/{what}")


def _doubt(visit: Visit) -> str:
    """Why the password or code is not taken; empty when it is, and the session bears a new token then."""
    if visit.session is None:
        return visit.say("请重新登录")
    proof = str(visit.posted.get("proof", ""))
    try:
        visit.demand_turn()
        token = stepping_up.prove(visit.desk.connection, visit.office.key, visit.session, proof, visit.at)
    except NotLetIn:
        return visit.say("密码不对")
    except (WrongCode, MustWait, Crowded) as problem:
        return in_language(str(problem), visit.lang)
    visit.begin_session(token)
    return ""


def _keep(visit: Visit, one: OwnStep, upload: Upload) -> tuple[Sentence, ...]:
    """The step with its signature in the place of an older one, if the text still is what was read, with nobody at it.

    Raises:
        _Changed: If it is another by now; nothing has been kept.
    """
    paper = Paper(kind=SIGNATURE, upload=upload, reason="重签")
    desk, number = visit.desk, one.case.number

    def fields() -> Mapping[str, Json]:
        now = read_own(visit)
        return _fields_as_read(visit, now, signing(now, number))

    refused = refusals(take_with(desk, one.case.id, paper, asked(visit, one.trigger), fields))
    if not refused:
        with desk.connection.writing():
            desk_work.leave(desk.connection, one.case.id, visit.login)
    return refused


def _fields_as_read(visit: Visit, own: Own, one: OwnStep | None) -> dict[str, Json]:
    """What was filled in before, as values of their kinds.

    Raises:
        _Changed: If the form is not the one whose revision and mark came back from the page that was read.
    """
    if one is None:
        raise _Changed
    body = _draft(visit, one)
    now = (str(one.case.revision), form_mark(own, one, body, visit.office.key))
    if now != (visit.form.get("seen"), visit.form.get("read")):
        raise _Changed
    typed = {name.removeprefix("field-"): text for name, text in body.items() if text}
    return read_fields(visit.desk, one.machine, one.trigger, typed)


def _draft(visit: Visit, one: OwnStep) -> Mapping[str, str]:
    return desk_work.draft(visit.desk.connection, visit.login, one.case.id, one.trigger)


def _again(visit: Visit, what: str) -> Response:
    """The text as it is now, to be read before it is signed."""
    own = read_own(visit)
    one = signing(own, what)
    return visit.go(f"/my/sign/{what}") if one is None else _page(visit, own, one, refused=(_CHANGED,))


def _page(visit: Visit, own: Own, one: OwnStep, *, refused: tuple[Sentence, ...] = ()) -> Response:
    if one.step.asked and (one.case.id, one.trigger) not in own.glance.drafts:
        return visit.go(page_of(one, own)[0])
    body = _draft(visit, one)
    mark = form_mark(own, one, body, visit.office.key)
    return visit.page(
        "my/sign.html",
        status=422 if refused else 200,
        number=one.case.number,
        step=one.step.transition.title,
        text=form_text(own, one, body, lang_of(visit)),
        again=f"/my/do/{one.case.number}/{one.trigger}" if one.step.asked else "",
        form=replace(own_form(visit, one, refused), read=mark),
        contact=contact(own),
    )


def _proof(visit: Visit, one: OwnStep, *, error: str = "") -> Response:
    """The password; the form carries on what was read before, not what stands there now."""
    asks = stepping_up.PASSWORD if visit.session is None else stepping_up.asks_for(visit.session)
    return visit.page(
        "my/proof.html",
        status=422 if error else 200,
        number=one.case.number,
        step=one.step.transition.title,
        drawing=visit.form.get("signature", ""),
        form=replace(own_form(visit, one), seen=visit.form.get("seen", ""), read=visit.form.get("read", "")),
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
