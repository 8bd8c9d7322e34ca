"""What can be done on a case beside its steps: passing it on, a comment, taking the own step back.

Each act has a form, as a page and as a part of one, and a post that asks the engine; what it refuses comes back with
every reason, and nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from fastapi import Response

from console.web import forms
from console.web.addresses import own_path
from console.web.audiences import Audience
from console.web.cases.asking import Form, carry_out, done, form_of
from console.web.cases.looking import asked, dossier_of, reader_of, shown
from console.web.cases.masking import Veil
from console.web.doors import Doors
from console.web.visit import Visit
from engine.commenting import comment
from engine.definition import Bilingual
from engine.delegating import Mandate, delegate_case, hand_over
from engine.errors import Unreadable
from engine.expressions.kinds import SHANGHAI
from engine.repeating import once
from engine.retracting import retract
from engine.store.cases import Found
from engine.takers import Takers, roles_to_pass, takers
from engine.viewing import MANY_REVEALS, Purpose, Reason, reveal

doors = Doors()

SHOWN_SECONDS = 60
"""For so long a personal value stands on the page."""
_LONGEST_LOAN = timedelta(days=366)


# --- remarks, and taking back ---------------------------------------------------------------------------------------


@doors.get("/cases/{no}/comment", to=Audience.PARTAKER)
def comment_form(visit: Visit, no: str) -> Response:
    """What is to be remarked."""
    return visit.page("case/comment.html", form=form_of(visit, visit.case(no)))


@doors.post("/cases/{no}/comment", to=Audience.PARTAKER, page=comment_form)
def comment_post(visit: Visit, no: str) -> Response:
    """Write a remark for everybody who works on the case."""
    found = visit.case(no)
    text = visit.form.get("text", "")
    if not text:
        faults = [visit.say("请写下备注")]
        return visit.page("case/comment.html", status=422, form=form_of(visit, found, faults=faults))
    comment(visit.desk, found.case.id, text, asked(visit, "comment"))
    return done(visit, found)


@doors.get("/cases/{no}/withdraw", to=Audience.PARTAKER)
def withdraw_form(visit: Visit, no: str) -> Response:
    """Whether the own last step is to be taken back, and why."""
    return visit.page("case/withdraw.html", form=form_of(visit, visit.case(no)))


@doors.post("/cases/{no}/withdraw", to=Audience.PARTAKER, page=withdraw_form)
def withdraw_post(visit: Visit, no: str) -> Response:
    """Take the own last step back, while nobody has acted since."""
    found = visit.case(no)
    reason = visit.form.get("reason", "")
    if not reason:
        faults = [visit.say("请写明撤回的理由")]
        return visit.page("case/withdraw.html", status=422, form=form_of(visit, found, faults=faults))
    request = asked(visit, "withdraw", reason=reason)
    once(visit.desk, "withdraw", request, lambda told: retract(visit.desk, found.case.id, told))
    return done(visit, found)


# --- passing on -----------------------------------------------------------------------------------------------------


@doors.get("/cases/{no}/hand-over", to=Audience.STAFF)
def hand_over_form(visit: Visit, no: str, role: str = "") -> Response:
    """To whom the case is to be handed for good."""
    found = visit.case(no)
    return _passing_page(visit, found, role, None, form_of(visit, found))


@doors.post("/cases/{no}/hand-over", to=Audience.STAFF, page=hand_over_form)
def hand_over_post(visit: Visit, no: str) -> Response:
    """Hand the case over for good (转办)."""
    found = visit.case(no)
    mandate = _mandate(visit)
    if faults := _lacking(visit, mandate):
        return _passing_page(visit, found, mandate.role, None, form_of(visit, found, faults=faults), status=422)
    refused = carry_out(
        visit, "hand_over", asked(visit, "hand_over"), lambda told: hand_over(visit.desk, found.case.id, mandate, told)
    )
    if refused:
        return _passing_page(visit, found, mandate.role, None, form_of(visit, found, refused), status=422)
    if "from" in visit.form:
        return visit.go(own_path(f"/queue/todo?{visit.form['from']}&said=handed"))
    return done(visit, found)


@doors.get("/cases/{no}/delegate", to=Audience.STAFF)
def delegate_form(visit: Visit, no: str, role: str = "") -> Response:
    """To whom, and until when, somebody is to act in the person's stead."""
    found = visit.case(no)
    until = forms.day(visit.form.get("until", "")) or visit.today
    return _passing_page(visit, found, role, until, form_of(visit, found))


@doors.post("/cases/{no}/delegate", to=Audience.STAFF, page=delegate_form)
def delegate_post(visit: Visit, no: str) -> Response:
    """Let somebody act in one's stead on this case until a day (委派)."""
    found = visit.case(no)
    mandate, until = _mandate(visit), forms.day(visit.form.get("until", ""))
    faults = [*_lacking(visit, mandate), *_bad_day(visit, until)]
    if faults or until is None:
        form = form_of(visit, found, faults=faults)
        return _passing_page(visit, found, mandate.role, until or visit.today, form, status=422)
    refused = carry_out(
        visit, "delegate", asked(visit, "delegate"),
        lambda told: delegate_case(visit.desk, found.case.id, mandate, _end_of(until), told),
    )  # fmt: skip
    if refused:
        return _passing_page(visit, found, mandate.role, until, form_of(visit, found, refused), status=422)
    return done(visit, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """One role that can be passed on, and to whom: whoever is chosen is chosen for this role."""

    role: str
    title: Bilingual
    takers: Takers


def _passing_page(
    visit: Visit, found: Found, role: str, until: date | None, form: Form, *, status: int = 200
) -> Response:
    request = visit.asks("delegate" if until else "hand_over")
    lent = None if until is None else _end_of(until)
    titles = visit.desk.library.rulebook.organisation.roles
    own = [one for one in roles_to_pass(visit.actor, found.case.path) if one in titles]
    offered = [
        Passing(role=one, title=titles[one].title, takers=takers(visit.desk, found.case.id, one, request, until=lent))
        for one in sorted(own, key=lambda name: name != role)
    ]
    asked_for = [one for one in offered if one.role == role] or offered
    return visit.page(
        "case/passing.html",
        status=status,
        form=form,
        is_lent=until is not None,
        until=until,
        offered=offered,
        titles={name: one.title for name, one in titles.items()},
        chosen=visit.form.get("taker") or _likeliest(asked_for),
        reason=visit.form.get("reason") or _known_reason(visit),
        origin=visit.form.get("from") or visit.request.query_params.get("from"),
    )


def _likeliest(offered: Sequence[Passing]) -> str:
    """The only one who can take the case, or the only one of them who has that role and no other; else nobody."""
    able = [(one, taker) for one in offered for taker in one.takers.people if not taker.against]
    plain = [(one, taker) for one, taker in able if taker.roles == (one.role,)]
    for some in (able, plain):
        if len(some) == 1:
            [(one, taker)] = some
            return f"{one.role}:{taker.login}"
    return ""


def _known_reason(visit: Visit) -> str:
    """What is to be said where the page that led here knows why: the person is kept apart from the step."""
    is_apart = visit.request.query_params.get("why") == "apart"
    return visit.say("本人办过前一步，按规定须由别人审批") if is_apart else ""


def _mandate(visit: Visit) -> Mandate:
    role, _, taker = visit.form.get("taker", "").partition(":")
    return Mandate(taker=taker, role=role, reason=visit.form.get("reason", ""))


def _lacking(visit: Visit, mandate: Mandate) -> list[str]:
    faults = [] if mandate.taker else [visit.say("请选择交给谁")]
    return faults if mandate.reason else [*faults, visit.say("请写明理由")]


def _end_of(day: date) -> datetime:
    """The last second of a day in Shanghai."""
    return datetime.combine(day, time(23, 59, 59), SHANGHAI).astimezone(UTC)


def _bad_day(visit: Visit, until: date | None) -> list[str]:
    if until is None or not visit.today <= until <= visit.today + _LONGEST_LOAN:
        return [visit.say("请选择今天起一年以内的一天")]
    return []


# --- personal values ------------------------------------------------------------------------------------------------


@doors.get("/cases/{no}/reveal", to=Audience.SIGNED_IN)
def reveal_form(visit: Visit, no: str, fact: str = "") -> Response:
    """What a personal value is wanted for."""
    found = visit.case(no)
    return _reveal_page(visit, fact, form_of(visit, found))


@doors.post("/cases/{no}/reveal", to=Audience.SIGNED_IN)
def reveal_post(visit: Visit, no: str) -> Response:
    """Show a personal value in full for a minute; that it was shown, and what for, is an event of the case."""
    found = visit.case(no)
    fact, purpose = visit.form.get("fact", ""), visit.form.get("purpose", "")
    dossier = dossier_of(visit, found)
    veil: Veil = reader_of(visit, dossier).veil
    if not veil.may_reveal(fact):
        return _reveal_page(visit, fact, form_of(visit, found, faults=[visit.say("您不能看这一项")]), status=403)
    if purpose not in set(Purpose):
        return _reveal_page(visit, fact, form_of(visit, found, faults=[visit.say("请选择用途")]), status=422)
    why = Reason(purpose=Purpose(purpose), note=visit.form.get("note", ""))
    try:
        done = reveal(visit.desk, found.case.id, [fact], why, visit.asks("reveal"))
    except Unreadable:
        return _reveal_page(visit, fact, form_of(visit, found, faults=[visit.say("请写明用途")]), status=422)
    view = shown(visit, visit.case(no), frozenset(done.values))
    answer = visit.page(
        "case/page.html",
        view=view,
        group=None,
        whole=False,
        first=6,
        revealed=fact,
        is_many=done.in_last_hour > MANY_REVEALS,
    )
    answer.headers["Refresh"] = f"{SHOWN_SECONDS};url=/cases/{found.case.number}"
    return answer


def _reveal_page(visit: Visit, fact: str, form: Form, *, status: int = 200) -> Response:
    known = visit.desk.library.rulebook.vocabulary.student.get(fact)
    title = Bilingual(zh="个人信息", en="personal data") if known is None else known.title
    return visit.page("case/reveal.html", status=status, form=form, fact=fact, fact_title=title, purposes=list(Purpose))
