"""Deciding: a step on one case, one step on many, a case opened.

What the page of a step asks of a person is asked of a program first, and everything that is wrong is told at once; then
the engine decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, NamedTuple

from fastapi import Path

from console.access.programs import Scope
from console.api.answers import (
    DecisionIn,
    DecisionOut,
    LookOut,
    ManyIn,
    ManyOut,
    OpeningIn,
    RefusedOut,
    verdict,
)
from console.api.doors import ApiDoors, Call
from console.api.errands import errand
from console.api.routes import Key, Number
from console.documents import ids
from console.web.audiences import Audience
from console.web.bulk.view import asks_for_sample
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.queue.filtering import Filter
from console.web.queue.step_fields import (
    CAUTION,
    GIVEN,
    NO,
    REASON,
    SLOT,
    TICK,
    TO,
    VOTE,
    YES,
    Decision,
    Typed,
    read_decision,
    to_look_at,
)
from console.web.queue.waiting import waiting_for
from console.web.visit import Visit
from engine.bulk import first_answers, move_many
from engine.casework import answered, move, open_case, read_fields
from engine.desk import Desk
from engine.errors import StaleCase, TransitionNotOpen, Unknown, Unreadable, XuejiError
from engine.lane_queries import Queue
from engine.lanes import to_be_looked_at
from engine.opening import machine_to_open, opening_of, unit_of
from engine.records import Json, Moved, Outcome, Refused, Repeated, Request, case_number, case_of
from engine.step import Step
from engine.steps import Machine
from engine.store.cases import Found, read_cases

doors = ApiDoors()
_CALLED = {TO: "to", VOTE: "consents", SLOT: "slot", REASON: f"fields.{REASON}"}
"""What a program calls the fields of a form."""


class SampleWanted(XuejiError):
    """Many are not decided together before a sample of them was opened."""

    def __init__(self) -> None:
        super().__init__(
            "一次办多件要先抽看：请用 POST /bulk 预览，打开抽到的件，再确认；或者逐件办。"
            "A sample is to be opened before many are decided together: preview them with POST /bulk, open those drawn,"
            " then confirm; or decide case by case."
        )


# --- one case --------------------------------------------------------------------------------------------------------


@doors.door("POST", "/cases/{number}/transitions/{trigger}", scope=Scope.DECIDE, to=Audience.PARTAKER)
def decide(
    call: Call,
    number: Number,
    trigger: Annotated[str, Path(max_length=100)],
    decision: DecisionIn,
    key: Key,
) -> DecisionOut:
    """Take a step on a case, or sign for it; a refusal is an answer with every reason."""
    found, visit = call.case(number), errand(call)
    first = answered(call.desk, call.asks(trigger, request=call.own(key)))
    if first is not None:
        return _decided(found.case.number, first)
    if decision.revision != found.case.revision:
        raise StaleCase(found.case.number, decision.revision, found.case.revision)
    given: dict[str, Json] = {**decision.fields}
    machine = call.desk.machine_for(found.case, given)
    step = _step(machine, trigger, found.case.state)
    typed = _typed(decision, to=decision.to, slot=decision.slot, ticks=decision.ticks, cautions=decision.cautions)
    told = _read(visit, machine, step, typed, () if _is_list(machine) else _unseen(visit, step, found, typed))
    if Audience.STAFF.admits(call.actor) and _wants_proof(machine, step):
        call.demand_proof()
    asked = call.asks(trigger, told.fields, seen=decision.revision, request=call.own(key))
    asked = replace(asked, to=told.to, slot=told.slot, consents=told.consents, ticks=told.ticks, cautions=told.cautions)
    return _decided(found.case.number, move(call.desk, found.case.id, asked))


def _step(machine: Machine, trigger: str, state: str) -> Step:
    """The step out of a state, else as it is elsewhere: the engine says then that it is not open, and keeps it.

    Raises:
        Unknown: If the workflow has no such step.
    """
    try:
        return machine.step(state, trigger)
    except TransitionNotOpen:
        return machine.step_anywhere(trigger)


def _typed(
    said: DecisionIn | ManyIn,
    *,
    to: str | None = None,
    slot: str | None = None,
    ticks: Mapping[str, bool] | None = None,
    cautions: Sequence[str] = (),
) -> Typed:
    """What a program says of a step, as a person puts it into its form."""
    votes = () if said.consents is None else ((VOTE, YES if said.consents else NO),)
    chosen = ((name, value) for name, value in ((TO, to), (SLOT, slot)) if value is not None)
    fields = ((REASON if name == REASON else f"{GIVEN}{name}", text) for name, text in said.fields.items())
    ticked = ((f"{TICK}{name}", YES if is_so else NO) for name, is_so in (ticks or {}).items())
    return Typed.of([*fields, *chosen, *votes, *ticked, *((CAUTION, one) for one in cautions)])


def _unseen(visit: Visit, step: Step, found: Found, typed: Typed) -> Iterator[FieldFault]:
    """What is to be looked at before the step, and has not been said to be."""
    queue = Queue(visit.desk.connection, visit.actor, visit.at, visit.house.lengths)
    for one in to_look_at(step, queue.find(found.case.id)):
        if one not in typed.cautions:
            yield FieldFault("cautions", visit.say("需细看"), one)


def _read(visit: Visit, machine: Machine, step: Step, typed: Typed, unseen: Iterable[FieldFault] = ()) -> Decision:
    """What was decided.

    Raises:
        FieldFaults: If something was not chosen, read or looked at, as a program calls it: all of it at once.
    """
    faults, told = [*unseen], None
    try:
        told = read_decision(visit, machine, step, typed)
    except FieldFaults as problem:
        faults += (one._replace(field=_called(one.field)) for one in problem.faults)
    if faults or told is None:
        raise FieldFaults(faults)
    return told


def _called(field: str) -> str:
    return _CALLED.get(field) or f"fields.{field.removeprefix(GIVEN)}"


def _is_list(machine: Machine) -> bool:
    """Whether it is about a list, whose own page says what was and asks for no ticks."""
    return machine.definition.members is not None


def _wants_proof(machine: Machine, step: Step) -> bool:
    """Whether the page asks staff for a fresh proof: the step ends the case, or is signed on a list."""
    is_signed = step.signing is not None and _is_list(machine)
    return is_signed or any(machine.is_final(target) for target in step.targets)


def _decided(number: str | None, outcome: Moved | Refused | Repeated) -> DecisionOut:
    if isinstance(outcome, Repeated):
        return DecisionOut(
            number=outcome.number or None,
            trigger=outcome.trigger,
            moved=outcome.moved,
            state=outcome.state,
            repeated=True,
            failed=list(outcome.failed),
            undecided=list(outcome.undecided),
        )
    said = outcome.verdicts if isinstance(outcome, Refused) else ()
    opened = outcome.case.number if isinstance(outcome, Moved) else None
    return DecisionOut(
        number=number or opened,
        trigger=outcome.trigger,
        moved=isinstance(outcome, Moved),
        state=outcome.case.state,
        failed=ids(said, Outcome.FAILS),
        undecided=ids(said, Outcome.UNDECIDED),
        verdicts=[verdict(one) for one in said],
    )


@doors.door("POST", "/cases", scope=Scope.DECIDE, status_code=201)
def open_one(call: Call, opening: OpeningIn, key: Key) -> DecisionOut:
    """Open a case about a student or a unit."""
    desk, workflow = call.desk, opening.workflow
    try:
        unit = unit_of(desk, opening.about)
    except Unknown as problem:
        raise NotFound from problem
    trigger = opening_of(desk.library.definition(workflow, desk.profile_of(unit)), call.actor)
    if trigger is None:
        raise Unreadable("workflow", workflow, "随手可开的业务 one that is opened by hand")
    fields = read_fields(desk, machine_to_open(desk, workflow, unit, trigger), trigger, opening.fields)
    return _decided(None, open_case(desk, workflow, opening.about, call.asks(trigger, fields, request=call.own(key))))


# --- many ------------------------------------------------------------------------------------------------------------


class _Asked(NamedTuple):
    """One case of many: as it is, and the revision at which it was seen."""

    found: Found
    seen: int


@doors.door("POST", "/decisions", scope=Scope.DECIDE, to=Audience.STAFF)
def decide_many(call: Call, many: ManyIn, key: Key) -> ManyOut:
    """One step on many cases, each judged by itself; a dry run unless said otherwise, which wants a proof.

    What is to be looked at first (需细看) is told apart and decided case by case; where that is refused, the refusal is
    kept like any other. Whoever has to open a sample before many are decided does that with `/bulk`.
    """
    if not many.dry_run:
        call.demand_proof()
    visit = errand(call)
    cases = _cases(visit, many)
    machine = machine_with(call.desk, [one.found.case.shape for one in cases.values()], many.trigger)
    told = _read(visit, machine, _step(machine, many.trigger, ""), _typed(many))
    asked = replace(call.asks(many.trigger, told.fields, request=call.own(key)), consents=told.consents)
    first = {} if many.dry_run else first_answers(call.desk, list(cases), asked.id)
    stepless = [case for case, one in cases.items() if not _has(call.desk, one.found.case.shape, many.trigger)]
    rest = {case: one for case, one in cases.items() if case not in first and case not in stepless}
    if rest and not many.dry_run and asks_for_sample(visit):
        raise SampleWanted
    warned = _cautions(visit, rest, asked)
    seen = {case: one.seen for case, one in rest.items()}
    answer = move_many(call.desk, list(seen.items()), asked, held=warned, dry_run=many.dry_run)
    if not many.dry_run:  # the same, asked twice at this moment
        first |= first_answers(call.desk, answer.conflicts, asked.id)
    moved = [case for case in answer.moved if case not in warned]
    look = [case for case in sorted(answer.moved) if case in warned]
    return ManyOut(
        dry_run=many.dry_run,
        moved=_numbers([*moved, *(case for case, one in first.items() if one.moved)]),
        look=[LookOut(number=case_number(case), cautions=list(warned[case])) for case in look],
        refused=[
            *(_refused(one) for one in answer.refused),
            *(
                RefusedOut(number=one.number, failed=list(one.failed), undecided=list(one.undecided))
                for one in first.values()
                if not one.moved
            ),
        ],
        conflicts=_numbers(case for case in answer.conflicts if case not in first),
        barred=_numbers([*stepless, *(case for case, _ in answer.barred)]),
    )


def _cases(visit: Visit, many: ManyIn) -> dict[int, _Asked]:
    """The cases that are named, each once, in one statement.

    Raises:
        NotFound: If one of them is none, or the person may not know of it.
    """
    visit.desk.refresh()
    seen: dict[int, int] = {}
    for one in many.cases:
        case = case_of(one.number.replace("-", ""))
        if case is None:
            raise NotFound
        seen.setdefault(case, one.revision)
    found = read_cases(visit.desk.connection, list(seen))
    if not all(case in found and visit.visible.sees(found[case].case) for case in seen):
        raise NotFound
    return {case: _Asked(found[case], revision) for case, revision in seen.items()}


def machine_with(desk: Desk, shapes: Iterable[str], trigger: str) -> Machine:
    """The machine of the first of some shapes that has a step; of the first of all where none has."""
    known = list(dict.fromkeys(shapes))
    return desk.machine(next((one for one in known if _has(desk, one, trigger)), known[0]))


def _has(desk: Desk, shape: str, trigger: str) -> bool:
    return trigger in desk.definition(shape).transitions


def _cautions(visit: Visit, cases: Mapping[int, _Asked], asked: Request) -> dict[int, tuple[str, ...]]:
    """Those of which something is to be looked at first, with what that is, as far as it is known before it is judged.

    Whatever lies in the lane 需细看 stays out, as of a bulk decision on its page; what waits for nobody is asked now.
    """
    waiting = waiting_for(visit, Filter()).standings(cases) if cases else {}
    others = [one.found for case, one in cases.items() if case not in waiting]
    resting = dict.fromkeys(to_be_looked_at(visit.desk, others, asked), ()) if others else {}
    return {**resting, **{case: one.cautions for case, one in waiting.items() if one.cautions}}


def _numbers(cases: Iterable[int]) -> list[str]:
    return [case_number(one) for one in sorted(cases)]


def _refused(one: Refused) -> RefusedOut:
    return RefusedOut(
        number=one.case.number,
        failed=ids(one.verdicts, Outcome.FAILS),
        undecided=ids(one.verdicts, Outcome.UNDECIDED),
    )
