"""催办 from a case: who would read what, whether mail reaches them, when they were last told; then what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Response

from console.web.audiences import Audience
from console.web.batches.nudging import Recipient, recipients
from console.web.cases.asking import Form, carry_out, form_of
from console.web.cases.looking import asked, dossier_of, reader_of
from console.web.cases.messages import MessageLine, is_nudge, last_nudge, messages
from console.web.cases.reading import Dossier
from console.web.cases.standing import OpenStep, open_steps
from console.web.doors import Doors
from console.web.visit import Visit
from engine.definition import Bilingual
from engine.expressions.kinds import SHANGHAI
from engine.records import Sentence
from engine.store.cases import Found
from engine.urging import Nudge, awaited, urge, urge_to_mend

doors = Doors()

WAITING = "waiting"
"""What those are told of for whom the case waits, where nothing stands in its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing somebody can be asked for: what they read, who they are, whether and when they are reached.

    Attributes:
        about: How it is chosen.
        id: The rule's number in the catalogue; empty where the case waits for them.
    """

    about: str
    role: Bilingual
    text: Sentence
    id: str
    who: Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What came of today's nudges: mails sent, waiting, returned, and people without an address."""

    sent: int
    waiting: int
    bounced: int
    silent: int


@doors.get("/cases/{no}/nudge", to=Audience.PARTAKER)
def nudge_form(visit: Visit, no: str, said: str = "") -> Response:
    """Who would be told what, and when they were told last; after it was done, what came of it."""
    found = visit.case(no)
    return _page(visit, found, form_of(visit, found), is_done=said == "nudged")


@doors.post("/cases/{no}/nudge", to=Audience.PARTAKER)
def nudge_post(visit: Visit, no: str) -> Response:
    """Remind whom the case waits for, and those who can mend what it lacks."""
    found = visit.case(no)
    wanted = visit.posted.getlist("about")
    chosen = [one for one in _nudges(_first_blocked(visit, dossier_of(visit, found)), found) if _named(one) in wanted]
    request = asked(visit, "nudge")
    if chosen:
        if not urge_to_mend(visit.desk, chosen, request):
            faults = [visit.say("今天已经催过，明天可再催")]
            return _page(visit, found, form_of(visit, found, faults=faults), status=422)
    elif WAITING in wanted:
        refused = carry_out(visit, "urge", request, lambda again: urge(visit.desk, found.case.id, again))
        if refused:
            return _page(visit, found, form_of(visit, found, refused), status=422)
    else:
        return _page(visit, found, form_of(visit, found, faults=[visit.say("请选择催谁")]), status=422)
    if visit.desk.machine_for(found.case, {}).definition.members is not None:
        return visit.go(f"/lists/{found.case.number}?nudged=yes")
    return visit.go(f"/cases/{found.case.number}/nudge?said=nudged")


def _named(one: Nudge) -> str:
    return f"{one.role}:{one.about}"


def _first_blocked(visit: Visit, dossier: Dossier) -> OpenStep | None:
    """The likeliest step, if anything stands in its way."""
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


def _page(visit: Visit, found: Found, form: Form, *, status: int = 200, is_done: bool = False) -> Response:
    dossier = dossier_of(visit, found)
    step = _first_blocked(visit, dossier)
    told = messages(dossier).lines
    lines = tuple(_to_mend(visit, step, found)) or tuple(_waited_for(visit, dossier))
    return visit.page(
        "case/nudge.html",
        status=status,
        form=form,
        lines=lines,
        last=last_nudge(told),
        came=_came(visit, lines, told) if is_done else None,
    )


def _to_mend(visit: Visit, step: OpenStep | None, found: Found) -> Iterator[Line]:
    rules = [one for one in (() if step is None else step.rules) if one.mender is not None and one.remedy is not None]
    nudges = _nudges(step, found)
    for rule, nudge, who in zip(rules, nudges, recipients(visit, nudges), strict=True):
        if rule.mender is not None and rule.remedy is not None:
            yield Line(about=_named(nudge), role=rule.mender.title, text=rule.remedy, id=rule.id, who=who)


def _waited_for(visit: Visit, dossier: Dossier) -> Iterator[Line]:
    """Those for whom the case waits, who are told together."""
    organisation = dossier.desk.library.rulebook.organisation
    text = Sentence(zh="这件业务在等您办理", en="this case waits for you")
    nudges = [
        Nudge(case=dossier.case.id, role=one, about=WAITING, why=text.zh)
        for one in awaited(dossier.machine, dossier.case.state)
    ]
    for nudge, who in zip(nudges, recipients(visit, nudges), strict=True):
        yield Line(about=WAITING, role=organisation.called(nudge.role), text=text, id="", who=who)


def _came(visit: Visit, lines: Sequence[Line], told: Sequence[MessageLine]) -> Came:
    """What became of what was sent today; who has no address is known before the mails are made."""
    today = [one for one in told if is_nudge(one) and _day(one.at) == visit.today]
    silent = sum(1 for one in lines if not one.who.has_address and (one.who.is_told_today or one.about == WAITING))
    sent, bounced = sum(one.is_delivered for one in today), sum(one.is_bounced for one in today)
    return Came(sent=sent, waiting=max(len(today) - sent - max(bounced, silent), 0), bounced=bounced, silent=silent)


def _day(at: datetime) -> object:
    return at.astimezone(SHANGHAI).date()
