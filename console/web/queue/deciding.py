"""Deciding on a case: its form, the decision, and taking it back within seconds; claims and drafts.

A decision is asked of the engine under a number of its own: sent twice, it is taken once. What it cannot do comes back
with every reason, and nothing typed is lost.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl

from fastapi import Response

from console.web import forms, guarding
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFault, FieldFaults
from console.web.queue.answers import Beside, Leaving, concerned, go_on, next_after, undo_span
from console.web.queue.conflicts import conflict
from console.web.queue.filtering import Filter, read_filter
from console.web.queue.open_case import lang_of
from console.web.queue.people import ROW, name_of, words_of
from console.web.queue.reasons import Offered, chosen, offered
from console.web.queue.rows import minutes_since
from console.web.queue.step_fields import CAUTION, REASON, SLOT, StepForm, Typed, read_decision, step_form, to_look_at
from console.web.queue.view import Undoable
from console.web.queue.waiting import Short, Waiting, waiting_for
from console.web.queue.wording import words_for
from console.web.visit import Visit
from engine.casework import answered, move
from engine.definition import Bilingual
from engine.errors import StaleCase
from engine.forward import ways_on
from engine.lane_queries import Placed
from engine.records import Moved, Refused, Repeated, Request, Verdict, case_of
from engine.step import Step
from engine.steps import Machine
from engine.store import desk_work, documents
from engine.store.cases import Found
from engine.store.desk_work import Claim, Lying

doors = Doors()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPage:
    """The form of a step as a page: of which case, with what was typed, and what is wrong with it.

    `cautions` are to be looked at before, each with whether it was. `hidden` is what a form carries without showing it;
    `presets` are reasons to choose from by number. `before` are ids and titles of the rules by which this very form was
    refused when it came first.
    """

    number: str
    name: str
    words: tuple[str, ...]
    state: Bilingual
    form: StepForm
    reason: str
    slot: str
    cautions: tuple[tuple[str, bool], ...]
    hidden: tuple[tuple[str, str], ...]
    faults: tuple[FieldFault, ...] = ()
    refused: tuple[Verdict, ...] = ()
    before: Sequence[tuple[str, Bilingual]] | None = None
    unseen: tuple[str, ...] = ()
    presets: tuple[Offered, ...] = ()
    back: str = "/queue/todo"


@doors.get("/cases/{no}/do/{trigger}", to=Audience.PARTAKER)
def do_form(visit: Visit, no: str, trigger: str) -> Response:
    """What a step asks for, with what was posted and not done, else the draft of it if there is one."""
    found = visit.case(no)
    machine = visit.desk.machine_for(found.case, {})
    step = machine.step(found.case.state, trigger)
    asked = visit.request.query_params
    typed = Typed.of(visit.posted.multi_items() or [*_drafted(visit, found, trigger), *_looked_at(visit)])
    here = {name: text for name, text in asked.items() if name != "anyway"}
    seen = {"seen": str(found.case.revision), "seq": str(found.case.head.seq), **here, **visit.form}
    presets = offered(visit, machine, step, visit.request.url.path, asked.multi_items())
    if (reason := chosen(visit, presets)) is not None:
        typed = Typed((*typed.pairs, (REASON, reason)))
    page = _step_page(visit, found, (machine, step), typed, seen=seen)
    return visit.page("queue/step.html", q=words_for(visit), page=replace(page, presets=presets))


def _drafted(visit: Visit, found: Found, trigger: str) -> Iterator[tuple[str, str]]:
    """What the person has typed before; what was ticked on documents only while the case is as it was then."""
    kept = desk_work.draft(visit.desk.connection, visit.login, found.case.id, trigger)
    is_same = kept.get("seen") == str(found.case.revision)
    yield from ((name, text) for name, text in kept.items() if is_same or not name.startswith("tick-"))


def _looked_at(visit: Visit) -> Iterator[tuple[str, str]]:
    """The cautions ticked beside the open case, where they come from there; another's link ticks nothing."""
    if not guarding.foreign(visit.request.headers, visit.house.origin):
        yield from ((CAUTION, one) for one in visit.request.query_params.getlist(CAUTION))


@doors.post("/cases/{no}/do/{trigger}", to=Audience.PARTAKER, page=do_form)
def do(visit: Visit, no: str, trigger: str) -> Response:
    """Decide; the answer is the next case, or why not."""
    found = visit.case(no)
    asked = read_filter(dict(parse_qsl(visit.form.get("from", "")))).with_(case=found.case.number)
    seen = forms.number(visit.form.get("seen", ""))
    if seen is not None and seen != found.case.revision:
        return _answer_late(visit, found, asked, trigger)
    return _Decision(visit, found, asked, trigger).answer()


def _answer_late(visit: Visit, found: Found, asked: Filter, trigger: str) -> Response:
    """The case is no more as it was seen: either this very decision was taken before, or somebody else was faster."""
    repeated = answered(visit.desk, visit.asks(trigger, request=visit.form.get("request")))
    if repeated is None or not repeated.moved:
        return conflict(visit, found, trigger, asked)
    waiting = waiting_for(visit, asked)
    step = visit.desk.machine(found.case.shape).step_anywhere(trigger)
    return _gone_on(visit, found, (asked, waiting, waiting.standing(found.case.id)), step)


class _Decision:
    """One decision of one person on one case, from what was posted to the answer."""

    def __init__(self, visit: Visit, found: Found, asked: Filter, trigger: str) -> None:
        self._visit, self._found, self._asked = visit, found, asked
        self._typed = Typed.of(visit.posted.multi_items())
        self._machine = visit.desk.machine_for(found.case, {})
        self._step = self._machine.step(found.case.state, trigger)
        self._waiting = waiting_for(visit, asked)
        self._standing = self._waiting.standing(found.case.id)
        self._left = self._waiting.without(found.case.id)

    def answer(self) -> Response:
        """Ask the engine, unless something is to be looked at or said first."""
        visit, found = self._visit, self._found
        here = [found.case.id, *self._to_be_shown()]
        lying = desk_work.lying_on(visit.desk.connection, here, visit.login, visit.at)
        claim = lying.claims.get(found.case.id) if self._standing is not None else None
        if claim is not None and claim.login != visit.login and not visit.form.get("anyway"):
            return self._claimed(claim)
        if unseen := self._unseen():
            return self._again(unseen=unseen)
        if any(self._machine.is_final(target) for target in self._step.targets):
            visit.demand_fresh_proof(f"{visit.title(self._step.transition.title)} {name_of(visit, found)}")
        try:
            request = self._request()
        except FieldFaults as problem:
            return self._again(faults=problem.faults)
        return self._decided(request, lying)

    def _decided(self, request: Request, lying: Lying) -> Response:
        visit, found = self._visit, self._found
        try:
            outcome: Moved | Refused | Repeated = move(visit.desk, found.case.id, request)
        except StaleCase:
            return conflict(visit, visit.case(found.case.number), request.trigger, self._asked)
        if isinstance(outcome, Refused):
            return self._again(refused=outcome.verdicts)
        if isinstance(outcome, Repeated) and not outcome.moved:
            return self._again(before=_called(visit, (*outcome.failed, *outcome.undecided)))
        waiting = self._left
        if isinstance(outcome, Moved) and (outcome.effects or _waits_again(visit, self._machine, outcome)):
            waiting = waiting_for(visit, self._asked)
        can_undo = isinstance(outcome, Repeated) or not (outcome.ends or outcome.effects)
        place = (self._asked, waiting, self._standing)
        return _gone_on(visit, found, place, self._step if can_undo else None, self._leaving(lying))

    def _to_be_shown(self) -> Iterator[int]:
        """The cases that the answer is going to show, as far as that takes no statement to know."""
        if self._visit.is_fragment and isinstance(self._left, Short):
            following = _following(self._visit, (self._asked, self._left, self._standing))
            if following is not None:
                yield from concerned(self._left, self._asked, following.case)

    def _leaving(self, lying: Lying) -> Leaving:
        """The person is done with the case: drafts do not stay, and a claim goes on to the case that comes next."""
        case, connection = self._found.case.id, self._visit.desk.connection
        if case in lying.drafts:
            with connection.writing():
                desk_work.drop_drafts(connection, case, self._visit.login)
        claim = lying.claims.get(case)
        return Leaving(case=case, lying=lying, is_claimed=claim is not None and claim.login == self._visit.login)

    def _request(self) -> Request:
        visit, form = self._visit, self._visit.form
        told = read_decision(visit, self._machine, self._step, self._typed)
        request = visit.asks(
            self._step.trigger, told.fields, seen=forms.number(form.get("seen", "")),
            request=form.get("request") or None,
        )  # fmt: skip
        return replace(
            request, to=told.to, ticks=told.ticks, consents=told.consents, slot=told.slot, cautions=told.cautions
        )

    def _unseen(self) -> tuple[str, ...]:
        """The cautions that the person has not ticked, where the step leads on."""
        return tuple(one for one in to_look_at(self._step, self._standing) if one not in self._typed.cautions)

    def _again(
        self,
        *,
        faults: Sequence[FieldFault] = (),
        refused: Sequence[Verdict] = (),
        before: Sequence[tuple[str, Bilingual]] | None = None,
        unseen: tuple[str, ...] = (),
    ) -> Response:
        """The form once more, with everything that was typed and what stands against it.

        Once it was refused it is another request: under the old number it would stay refused, whatever is mended.
        """
        form = self._visit.form
        seen = {name: form[name] for name in form if name != "request"} if refused or before is not None else form
        again = [(name, form[name]) for name in ("from", "next") if form.get(name)]
        page = replace(
            self._page(seen), faults=tuple(faults), refused=tuple(refused), before=before, unseen=unseen,
            presets=offered(self._visit, self._machine, self._step, self._visit.request.url.path, again),
        )  # fmt: skip
        return self._visit.page("queue/step.html", q=words_for(self._visit), status=422, page=page)

    def _page(self, seen: Mapping[str, str]) -> StepPage:
        bound, told = (self._machine, self._step), to_look_at(self._step, self._standing)
        return _step_page(self._visit, self._found, bound, self._typed, seen=seen, told=told)

    def _claimed(self, claim: Claim) -> Response:
        """Somebody else is at the case: to be decided anyway only once that was read."""
        hidden = [*self._typed.pairs, *_carried(self._visit.form).items()]
        minutes = minutes_since(self._visit, claim.since)
        return self._visit.page(
            "queue/claimed.html",
            q=words_for(self._visit),
            status=409,
            page=self._page(self._visit.form),
            hidden=hidden,
            claim=claim,
            minutes=minutes,
        )


def _called(visit: Visit, ids: Sequence[str]) -> list[tuple[str, Bilingual]]:
    """Some rules by id, each with what it is called: of a first answer no more is known."""
    book = visit.desk.library.rulebook
    titles = {one.id: one.title for rules in (book.rules, book.engine) for one in rules.values()}
    return [(one, titles.get(one) or Bilingual(zh=one, en=one)) for one in ids]


def _waits_again(visit: Visit, machine: Machine, outcome: Moved) -> bool:
    """Whether a case that has moved may wait for the same person again, for the next step."""
    own = {grant.role for grant in (*visit.actor.grants, *visit.actor.delegated)}
    return machine.waits_elsewhere or any(
        role in own for way in ways_on(machine, outcome.case.state) for role, _ in way.roles
    )


_Place = tuple[Filter, Waiting, Placed | None]
"""The filter, what waits under it, and the case that is left as it stood there."""


def _following(visit: Visit, place: _Place) -> Placed | None:
    asked, waiting, standing = place
    return next_after(waiting, asked.with_(case=""), standing) if standing else _as_planned(visit, asked, waiting)


def _gone_on(
    visit: Visit, found: Found, place: _Place, undoing: Step | None, leaving: Leaving | None = None
) -> Response:
    """The next case, what can be undone, and everything beside it."""
    asked, waiting, _ = place
    undo = None
    if undoing is not None and undoing.transition.retractable:
        undo = Undoable(
            number=found.case.number, name=name_of(visit, found), verb=visit.title(undoing.transition.title),
            seconds=int(undo_span(visit).total_seconds()),
        )  # fmt: skip
    gone = "" if waiting.standing(found.case.id) is not None else found.case.number
    said = visit.say("已办：{name}", name=name_of(visit, found))
    beside = Beside(gone=gone, undo=undo, said="" if undo else said)
    return go_on(visit, (asked, waiting, _following(visit, place)), beside, leaving)


def _as_planned(visit: Visit, asked: Filter, waiting: Waiting) -> Placed | None:
    """The case that was to come next when the page was made, where the one that is left is not known any more."""
    planned = case_of(visit.form.get("next", ""))
    return (waiting.standing(planned) if planned is not None else None) or next_after(waiting, asked, None)


_CARRIED = ("seen", "seq", "at", "from", "request", "next", "anyway")
"""What the forms of a decision carry without showing it: of which moment of the case, from where, to which next."""


def _carried(said: Mapping[str, str]) -> dict[str, str]:
    return {name: said[name] for name in _CARRIED if said.get(name)}


def _step_page(
    visit: Visit,
    found: Found,
    bound: tuple[Machine, Step],
    typed: Typed,
    *,
    seen: Mapping[str, str],
    told: Sequence[str] | None = None,
) -> StepPage:
    """The form of a step; `told` is what is to be looked at before, which is asked for where it is not given."""
    machine, step = bound
    papers = documents.of_case(visit.desk.connection, found.case.id) if step.transition.reviews else ()
    states = machine.definition.states
    asked = read_filter(dict(parse_qsl(seen.get("from", "")))).with_(case=found.case.number)
    if told is None:
        told = to_look_at(step, waiting_for(visit, asked).standing(found.case.id))
    return StepPage(
        number=found.case.number,
        name=name_of(visit, found),
        words=tuple(words_of(machine, found, ROW, lang_of(visit))),
        state=states[found.case.state].title,
        form=step_form(machine, step, papers, typed.values),
        reason=typed.reason,
        slot=typed.values.get(SLOT, ""),
        cautions=tuple((one, one in typed.cautions) for one in told),
        hidden=tuple({"request": secrets.token_hex(16), **_carried(seen)}.items()),
        back=asked.address(),
    )
