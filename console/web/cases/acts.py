"""What can be done on a case beside its steps: passing it on, signers, a nudge, a comment, taking the own step back.

Each act has a form, as a page and as a part of one, and a post that asks the engine; what it refuses comes back with
every reason, and nothing typed is lost.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from fastapi import Response

from console.web.addresses import own_path
from console.web.audiences import Audience
from console.web.cases.looking import asked, dossier_of, reader_of, shown
from console.web.cases.masking import Veil
from console.web.cases.messages import last_nudge, messages
from console.web.cases.standing import OpenStep, open_steps
from console.web.doors import Doors
from console.web.visit import Visit
from engine.commenting import comment
from engine.definition import Bilingual
from engine.delegating import Mandate, Refusal, delegate_case, hand_over
from engine.errors import Unreadable
from engine.expressions.kinds import SHANGHAI
from engine.records import Repeated, Request, Verdict
from engine.repeating import once
from engine.retracting import retract
from engine.signers import add_signer, drop_signer
from engine.store.cases import Found
from engine.takers import Takers, roles_to_pass, takers
from engine.urging import Nudge, awaited, urge, urge_to_mend
from engine.viewing import MANY_REVEALS, Purpose, Reason, reveal

doors = Doors()

SHOWN_SECONDS = 60
"""For so long a personal value stands on the page."""
_LONGEST_LOAN = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What every form of a case has: whose it is, the revision seen, the request it is, and what was refused."""

    number: str
    name: str
    seen: int
    request: str
    refused: tuple[Verdict, ...] = ()
    faults: tuple[str, ...] = ()


def _form(visit: Visit, found: Found, refused: Iterable[Verdict] = (), faults: Iterable[str] = ()) -> Form:
    name = found.facts.get("name") or found.student_no or visit.desk.units()[found.case.unit].name
    return Form(
        number=found.case.number,
        name=str(name),
        seen=found.case.revision,
        request=visit.form.get("request") or secrets.token_hex(8),
        refused=tuple(refused),
        faults=tuple(faults),
    )


def _done(visit: Visit, found: Found) -> Response:
    return visit.go(f"/cases/{found.case.number}")


def _carry_out(visit: Visit, act: str, request: Request, do: Callable[[Request], Refusal]) -> tuple[Verdict, ...]:
    """Ask the engine once; what it refuses. A repeated click that was refused first says so by its ids alone."""
    answer = once(visit.desk, act, request, do)
    return () if isinstance(answer, Repeated) else answer


# --- remarks, and taking back ---------------------------------------------------------------------------------------


@doors.get("/cases/{no}/comment", to=Audience.PARTAKER)
def comment_form(visit: Visit, no: str) -> Response:
    """What is to be remarked."""
    return visit.page("case/comment.html", form=_form(visit, visit.case(no)))


@doors.post("/cases/{no}/comment", to=Audience.PARTAKER)
def comment_post(visit: Visit, no: str) -> Response:
    """Write a remark for everybody who works on the case."""
    found = visit.case(no)
    text = visit.form.get("text", "")
    if not text:
        faults = [visit.say("请写下备注")]
        return visit.page("case/comment.html", status=422, form=_form(visit, found, faults=faults))
    once(visit.desk, "comment", asked(visit, "comment"), lambda told: comment(visit.desk, found.case.id, text, told))
    return _done(visit, found)


@doors.get("/cases/{no}/withdraw", to=Audience.PARTAKER)
def withdraw_form(visit: Visit, no: str) -> Response:
    """Whether the own last step is to be taken back, and why."""
    return visit.page("case/withdraw.html", form=_form(visit, visit.case(no)))


@doors.post("/cases/{no}/withdraw", to=Audience.PARTAKER)
def withdraw_post(visit: Visit, no: str) -> Response:
    """Take the own last step back, while nobody has acted since."""
    found = visit.case(no)
    reason = visit.form.get("reason", "")
    if not reason:
        faults = [visit.say("请写明撤回的理由")]
        return visit.page("case/withdraw.html", status=422, form=_form(visit, found, faults=faults))
    request = asked(visit, "withdraw", reason=reason)
    once(visit.desk, "withdraw", request, lambda told: retract(visit.desk, found.case.id, told))
    return _done(visit, found)


# --- passing on -----------------------------------------------------------------------------------------------------


@doors.get("/cases/{no}/hand-over", to=Audience.STAFF)
def hand_over_form(visit: Visit, no: str, role: str = "") -> Response:
    """To whom the case is to be handed for good."""
    found = visit.case(no)
    return _passing_page(visit, found, role, None, _form(visit, found))


@doors.post("/cases/{no}/hand-over", to=Audience.STAFF)
def hand_over_post(visit: Visit, no: str) -> Response:
    """Hand the case over for good (转办)."""
    found = visit.case(no)
    mandate = _mandate(visit)
    if faults := _lacking(visit, mandate):
        return _passing_page(visit, found, mandate.role, None, _form(visit, found, faults=faults), status=422)
    refused = _carry_out(
        visit, "hand_over", asked(visit, "hand_over"), lambda told: hand_over(visit.desk, found.case.id, mandate, told)
    )
    if refused:
        return _passing_page(visit, found, mandate.role, None, _form(visit, found, refused), status=422)
    if "from" in visit.form:
        return visit.go(own_path(f"/queue/todo?{visit.form['from']}&said=handed"))
    return _done(visit, found)


@doors.get("/cases/{no}/delegate", to=Audience.STAFF)
def delegate_form(visit: Visit, no: str, role: str = "") -> Response:
    """To whom, and until when, somebody is to act in the person's stead."""
    found = visit.case(no)
    return _passing_page(visit, found, role, visit.today, _form(visit, found))


@doors.post("/cases/{no}/delegate", to=Audience.STAFF)
def delegate_post(visit: Visit, no: str) -> Response:
    """Let somebody act in one's stead on this case until a day (委派)."""
    found = visit.case(no)
    mandate, until = _mandate(visit), _day(visit.form.get("until", ""))
    faults = [*_lacking(visit, mandate), *_bad_day(visit, until)]
    if faults or until is None:
        form = _form(visit, found, faults=faults)
        return _passing_page(visit, found, mandate.role, until or visit.today, form, status=422)
    refused = _carry_out(
        visit, "delegate", asked(visit, "delegate"),
        lambda told: delegate_case(visit.desk, found.case.id, mandate, _end_of(until), told),
    )  # fmt: skip
    if refused:
        return _passing_page(visit, found, mandate.role, until, _form(visit, found, refused), status=422)
    return _done(visit, found)


def _passing_page(
    visit: Visit, found: Found, role: str, until: date | None, form: Form, *, status: int = 200
) -> Response:
    own = tuple(roles_to_pass(visit.actor, found.case.path))
    chosen = role if role in own else next(iter(own), "")
    request = visit.asks("delegate" if until else "hand_over")
    lent = None if until is None else _end_of(until)
    offered = (
        takers(visit.desk, found.case.id, chosen, request, until=lent) if chosen else Takers(against=(), people=())
    )
    titles = visit.desk.library.rulebook.organisation.roles
    return visit.page(
        "case/passing.html",
        status=status,
        form=form,
        is_lent=until is not None,
        until=until,
        role=chosen,
        roles={one: titles[one].title for one in own if one in titles},
        titles={name: one.title for name, one in titles.items()},
        takers=offered,
        taker=visit.form.get("taker") or _likeliest(offered, chosen),
        reason=visit.form.get("reason") or _known_reason(visit),
        origin=visit.form.get("from") or visit.request.query_params.get("from"),
    )


def _likeliest(offered: Takers, role: str) -> str:
    """The only one who can take the case, or the only one of them who has that role and no other; else nobody."""
    able = [one for one in offered.people if not one.against]
    plain = [one for one in able if one.roles == (role,)]
    for some in (able, plain):
        if len(some) == 1:
            return some[0].login
    return ""


def _known_reason(visit: Visit) -> str:
    """What is to be said where the page that led here knows why: the person is kept apart from the step."""
    is_apart = visit.request.query_params.get("why") == "apart"
    return visit.say("本人办过前一步，按规定须由别人审批") if is_apart else ""


def _mandate(visit: Visit) -> Mandate:
    form = visit.form
    return Mandate(taker=form.get("taker", ""), role=form.get("role", ""), reason=form.get("reason", ""))


def _lacking(visit: Visit, mandate: Mandate) -> list[str]:
    faults = [] if mandate.taker else [visit.say("请选择交给谁")]
    return faults if mandate.reason else [*faults, visit.say("请写明理由")]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _end_of(day: date) -> datetime:
    """The last second of a day in Shanghai."""
    return datetime.combine(day, time(23, 59, 59), SHANGHAI).astimezone(UTC)


def _bad_day(visit: Visit, until: date | None) -> list[str]:
    if until is None or not visit.today <= until <= visit.today + _LONGEST_LOAN:
        return [visit.say("请选择今天起一年以内的一天")]
    return []


# --- signers --------------------------------------------------------------------------------------------------------


@doors.get("/cases/{no}/signers", to=Audience.STAFF)
def signers_form(visit: Visit, no: str) -> Response:
    """Which signer is to be added or dropped, of the step that is being signed."""
    found = visit.case(no)
    return _signers_page(visit, found, _form(visit, found))


@doors.post("/cases/{no}/signers", to=Audience.STAFF)
def signers_post(visit: Visit, no: str) -> Response:
    """Add a signer (加签) or let a slot go unsigned (减签)."""
    found = visit.case(no)
    act, _, what = visit.form.get("change", "").partition(":")
    reason, trigger = visit.form.get("reason", ""), visit.form.get("trigger", "")
    if act not in ("add", "drop") or not reason:
        faults = [visit.say("请选择加签或减签")] if act not in ("add", "drop") else [visit.say("请写明理由")]
        return _signers_page(visit, found, _form(visit, found, faults=faults), status=422)
    change = add_signer if act == "add" else drop_signer
    request = asked(visit, trigger, reason=reason)
    refused = _carry_out(visit, f"{act}_signer", request, lambda told: change(visit.desk, found.case.id, what, told))
    if refused:
        return _signers_page(visit, found, _form(visit, found, refused), status=422)
    return _done(visit, found)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignersOffer:
    """What may be changed about who signs a step."""

    trigger: str
    title: Bilingual
    add: tuple[tuple[str, Bilingual], ...]
    drop: tuple[str, ...]


def _signers_page(visit: Visit, found: Found, form: Form, *, status: int = 200) -> Response:
    machine = visit.desk.machine_for(found.case, {})
    roles = visit.desk.library.rulebook.organisation.roles
    offers = []
    for trigger in machine.open_triggers(found.case.state):
        step = machine.step(found.case.state, trigger)
        sign = None if step.signing is None else step.signing.sign
        if sign is not None and (sign.add is not None or sign.drop is not None):
            add = () if sign.add is None else tuple((one, roles[one].title) for one in sign.add.roles if one in roles)
            drop = () if sign.drop is None else tuple(sign.drop.slots)
            offers.append(SignersOffer(trigger=trigger, title=step.transition.title, add=add, drop=drop))
    return visit.page("case/signers.html", status=status, form=form, offers=offers)


# --- a nudge --------------------------------------------------------------------------------------------------------


@doors.get("/cases/{no}/nudge", to=Audience.PARTAKER)
def nudge_form(visit: Visit, no: str) -> Response:
    """Who would be told what, and when they were told last."""
    found = visit.case(no)
    return _nudge_page(visit, found, _form(visit, found))


@doors.post("/cases/{no}/nudge", to=Audience.PARTAKER)
def nudge_post(visit: Visit, no: str) -> Response:
    """Remind whom the case waits for, and those who can mend what it lacks."""
    found = visit.case(no)
    wanted = visit.posted.getlist("about")
    chosen = [one for one in _nudges(_first_blocked(visit, found), found) if f"{one.role}:{one.about}" in wanted]
    request = asked(visit, "nudge")
    if chosen:
        told = urge_to_mend(visit.desk, chosen, request)
        if not told:
            return _nudge_page(
                visit, found, _form(visit, found, faults=[visit.say("今天已经催过，明天可再催")]), status=422
            )
    elif "waiting" in wanted:
        refused = _carry_out(visit, "urge", request, lambda again: urge(visit.desk, found.case.id, again))
        if refused:
            return _nudge_page(visit, found, _form(visit, found, refused), status=422)
    else:
        return _nudge_page(visit, found, _form(visit, found, faults=[visit.say("请选择催谁")]), status=422)
    return _done(visit, found)


def _first_blocked(visit: Visit, found: Found) -> OpenStep | None:
    """The likeliest step, if anything stands in its way."""
    dossier = dossier_of(visit, found)
    steps = open_steps(dossier, reader_of(visit, dossier))
    return steps[0] if steps and not steps[0].is_open else None


def _nudges(step: OpenStep | None, found: Found) -> list[Nudge]:
    """One for each thing that somebody can mend."""
    rules = () if step is None else step.rules
    return [
        Nudge(case=found.case.id, role=one.mender.role, about=one.rule, why=one.remedy.zh)
        for one in rules
        if one.mender is not None and one.remedy is not None
    ]


def _nudge_page(visit: Visit, found: Found, form: Form, *, status: int = 200) -> Response:
    dossier = dossier_of(visit, found)
    steps = open_steps(dossier, reader_of(visit, dossier))
    roles = visit.desk.library.rulebook.organisation.roles
    waits = [roles[one].title for one in awaited(dossier.machine, found.case.state) if one in roles]
    rules = steps[0].rules if steps and not steps[0].is_open else ()
    return visit.page(
        "case/nudge.html",
        status=status,
        form=form,
        rules=[one for one in rules if one.mender is not None and one.remedy is not None],
        waits=waits,
        last=last_nudge(messages(dossier).lines),
    )


# --- personal values ------------------------------------------------------------------------------------------------


@doors.get("/cases/{no}/reveal", to=Audience.SIGNED_IN)
def reveal_form(visit: Visit, no: str, fact: str = "") -> Response:
    """What a personal value is wanted for."""
    found = visit.case(no)
    return _reveal_page(visit, fact, _form(visit, found))


@doors.post("/cases/{no}/reveal", to=Audience.SIGNED_IN)
def reveal_post(visit: Visit, no: str) -> Response:
    """Show a personal value in full for a minute; that it was shown, and what for, is an event of the case."""
    found = visit.case(no)
    fact, purpose = visit.form.get("fact", ""), visit.form.get("purpose", "")
    dossier = dossier_of(visit, found)
    veil: Veil = reader_of(visit, dossier).veil
    if not veil.may_reveal(fact):
        return _reveal_page(visit, fact, _form(visit, found, faults=[visit.say("您不能看这一项")]), status=403)
    if purpose not in set(Purpose):
        return _reveal_page(visit, fact, _form(visit, found, faults=[visit.say("请选择用途")]), status=422)
    why = Reason(purpose=Purpose(purpose), note=visit.form.get("note", ""))
    try:
        done = reveal(visit.desk, found.case.id, [fact], why, visit.asks("reveal"))
    except Unreadable:
        return _reveal_page(visit, fact, _form(visit, found, faults=[visit.say("请写明用途")]), status=422)
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
