"""The resources: queue, cases, decisions, batches, units, definitions, the seal."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import Header, Path, Query

from console.access.programs import Scope
from console.api.answers import (
    BatchOut,
    CaseOut,
    DeadlineOut,
    DecisionIn,
    DecisionOut,
    EligibilityOut,
    EligibleOut,
    EventOut,
    GrantOut,
    HeadOut,
    ManyIn,
    ManyOut,
    MeOut,
    OpeningIn,
    QueueOut,
    RefusedOut,
    StepOut,
    UnitOut,
    WaitingOut,
    Words,
    WorkflowOut,
    verdict,
    words,
)
from console.api.doors import ApiDoors, Call
from console.documents import ids
from console.web.audiences import Audience
from console.web.cases.looking import looked_at
from console.web.faults import NotFound
from console.web.queue.step_fields import can_oppose
from engine.bulk import move_many
from engine.casework import move, open_case, read_fields
from engine.definition import CANCELLED, Definition
from engine.eligibility import eligibility
from engine.errors import Unknown, Unreadable
from engine.opening import machine_to_open, opening_of, unit_of
from engine.prospects import Prospect, prospects
from engine.queues import Waiting, waiting_for
from engine.records import Json, Moved, Outcome, Refused, Repeated, case_number
from engine.repeating import once
from engine.retracting import retract
from engine.steps import Machine
from engine.store import deadlines, leaves, registry
from engine.store.cases import Found
from engine.timeline import timeline

doors = ApiDoors()
MOST = 200
Number = Annotated[str, Path(max_length=9, description="The case's number, with or without its dash")]
After = Annotated[str | None, Query(max_length=40, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=MOST)]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=64,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="The same key is answered the same, and nothing is done twice",
    ),
]


@doors.door("GET", "/me", scope=Scope.READ)
def me(call: Call) -> MeOut:
    """For whom the token acts, and what for."""
    grants = [GrantOut(role=one.role, unit=one.unit) for one in call.actor.grants]
    return MeOut(login=call.actor.login, scopes=sorted(call.scopes), grants=grants)


@doors.door("GET", "/queue", scope=Scope.READ, to=Audience.STAFF)
def queue(call: Call, after: After = None, limit: Limit = 50) -> QueueOut:
    """What waits for the person, longest waiting first."""
    waiting = sorted(waiting_for(call.desk, call.actor, call.at), key=_cursor)
    left = [one for one in waiting if _cursor(one) > (after or "")]
    page = left[:limit]
    return QueueOut(cases=[_waiting(one) for one in page], next=_cursor(page[-1]) if len(left) > limit else None)


def _cursor(one: Waiting) -> str:
    """Where a case stands in the queue; it says so of cases that have left it, too."""
    return f"{one.since}~{one.number}"


def _waiting(one: Waiting) -> WaitingOut:
    return WaitingOut(
        number=one.number,
        workflow=one.workflow,
        state=one.state,
        revision=one.revision,
        unit=one.unit,
        batch=one.batch,
        student_no=one.student_no,
        since=one.since,
        triggers=list(one.triggers),
    )


@doors.door("GET", "/cases/{number}", scope=Scope.READ)
def case(call: Call, number: Number) -> CaseOut:
    """A case as it stands, with every step out of its state and what its rules say now; the look is kept."""
    return _case(call, looked_at(call, call.case(number)))


def _case(call: Call, found: Found) -> CaseOut:
    of, machine, steps = prospects(call.desk, found.case.id, call.asks("look"))
    one, batch = of.case, of.case.fields.get("batch")
    rows = deadlines.of_case(call.desk.connection, one.id)
    return CaseOut(
        number=one.number,
        workflow=one.workflow,
        state=one.state,
        state_title=state_title(machine.definition, one.state),
        revision=one.revision,
        unit=one.unit,
        batch=batch if isinstance(batch, str) else None,
        student_no=of.student_no,
        opened_at=one.opened_at,
        entered_at=one.entered_at,
        steps=[_step(step) for step in steps],
        deadlines=[
            DeadlineOut(
                name=row.name, due_at=None if row.due_at is None else row.due_at.isoformat(), settled=row.settled
            )
            for row in rows
        ],
    )


def state_title(definition: Definition, state: str) -> Words:
    """What a state is called; a cancelled case stands in none of the definition's own."""
    return Words(zh="已撤销", en="Cancelled") if state == CANCELLED else words(definition.states[state].title)


def _step(one: Prospect) -> StepOut:
    return StepOut(
        trigger=one.trigger,
        title=words(one.title),
        targets=list(one.targets),
        roles=list(one.roles),
        asks=list(one.asks),
        is_open=one.is_open,
        verdicts=[verdict(said) for said in one.verdicts],
        papers=[verdict(said) for said in one.papers],
        missing_signatures=[] if one.signatures is None else list(one.signatures.missing),
    )


@doors.door("GET", "/cases/{number}/events", scope=Scope.READ)
def events(call: Call, number: Number) -> list[EventOut]:
    """A case's history, oldest first: what was done and asked, never a value of its student."""
    return [
        EventOut(
            seq=one.seq,
            kind=str(one.kind),
            at=one.at,
            actor=one.actor,
            role=one.role,
            trigger=one.trigger,
            state=one.target or one.origin,
            failed=sorted(one.failed),
            undecided=sorted(one.undecided),
        )
        for one in timeline(call.desk, call.case(number))
    ]


@doors.door("POST", "/cases/{number}/transitions/{trigger}", scope=Scope.DECIDE, to=Audience.PARTAKER)
def decide(
    call: Call, number: Number, trigger: Annotated[str, Path(max_length=100)], decision: DecisionIn, key: Key
) -> DecisionOut:
    """Take a step on a case, or sign for it; a refusal is an answer with every reason."""
    found = call.case(number)
    given: dict[str, Json] = {**decision.fields}
    machine = call.desk.machine_for(found.case, given)
    fields = read_fields(call.desk, machine, trigger, decision.fields)
    if Audience.STAFF.admits(call.actor) and _wants_proof(machine, trigger):
        call.demand_proof()
    asked = call.asks(trigger, fields, seen=decision.revision, request=call.own(key))
    consents = _vote(machine, trigger, decision)
    asked = replace(asked, to=decision.to, slot=decision.slot, consents=consents, ticks=decision.ticks)
    outcome = move(call.desk, found.case.id, asked)
    return _decided(found.case.number, outcome)


def _vote(machine: Machine, trigger: str, said: DecisionIn | ManyIn) -> bool:
    """Yes or no, as it was said; where nobody can say no, a signature is a yes.

    Raises:
        Unreadable: If it was not said where one may say either.
    """
    if said.consents is None and can_oppose(machine.step_anywhere(trigger)):
        raise Unreadable("consents", "", "true 或 false，这一步要表态 true or false: this step asks for a vote")
    return said.consents is not False


def _wants_proof(machine: Machine, trigger: str) -> bool:
    """Whether the page asks staff for a fresh proof: the step ends the case, or is signed on a list."""
    step = machine.step_anywhere(trigger)
    is_signed = step.signing is not None and machine.definition.members is not None
    return is_signed or any(machine.is_final(target) for target in step.targets)


def _decided(number: str | None, outcome: Moved | Refused | Repeated) -> DecisionOut:
    if isinstance(outcome, Repeated):
        return DecisionOut(
            number=outcome.number,
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


@doors.door("POST", "/cases/{number}/retraction", scope=Scope.DECIDE, to=Audience.PARTAKER)
def take_back(call: Call, number: Number, key: Key) -> CaseOut:
    """Take back one's own last step, while nobody has acted on it."""
    found = call.case(number)
    once(call.desk, "retract", call.asks("retract", request=call.own(key)), partial(retract, call.desk, found.case.id))
    return _case(call, found)


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


@doors.door("POST", "/decisions", scope=Scope.DECIDE, to=Audience.STAFF)
def decide_many(call: Call, many: ManyIn, key: Key) -> ManyOut:
    """One decision on many cases, each judged by itself; a dry run unless said otherwise, which wants a proof."""
    if not many.dry_run:
        call.demand_proof()
    found = [(call.case(one.number), one.revision) for one in many.cases]
    first = found[0][0].case
    given: dict[str, Json] = {**many.fields}
    machine = call.desk.machine_for(first, given)
    fields = read_fields(call.desk, machine, many.trigger, many.fields)
    cases = [(one.case.id, revision) for one, revision in found]
    asked = call.asks(many.trigger, fields, request=call.own(key))
    asked = replace(asked, consents=_vote(machine, many.trigger, many))
    answer = move_many(call.desk, cases, asked, dry_run=many.dry_run)
    return ManyOut(
        dry_run=many.dry_run,
        moved=[case_number(one) for one in answer.moved],
        refused=[
            RefusedOut(
                number=one.case.number,
                failed=ids(one.verdicts, Outcome.FAILS),
                undecided=ids(one.verdicts, Outcome.UNDECIDED),
            )
            for one in answer.refused
        ],
        conflicts=[case_number(one) for one in answer.conflicts],
        barred=[case_number(one) for one, _ in answer.barred],
    )


@doors.door("GET", "/batches", scope=Scope.READ, to=Audience.STAFF)
def batches(call: Call) -> list[BatchOut]:
    """The published batches."""
    rows = (registry.batch(call.desk.connection, name) for name in registry.batches(call.desk.connection))
    return [
        BatchOut(name=row.name, kind=row.kind, profile=row.profile, title=row.title) for row in rows if row is not None
    ]


@doors.door("GET", "/batches/{name}/eligibility", scope=Scope.READ, to=Audience.RECORDS)
def eligible(
    call: Call, name: Annotated[str, Path(max_length=40)], after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 50
) -> EligibilityOut:
    """Who of a batch is eligible, by student number, with the ids of the rules that stand in the way."""
    if call.desk.batch(name) is None:
        raise NotFound
    answers = eligibility(call.desk, name, call.asks("eligibility"))
    students = [
        EligibleOut(
            student_no=one.student_no,
            eligible=one.eligible,
            failed=list(one.failed),
            undecided=list(one.undecided),
            not_applicable=list(one.not_applicable),
        )
        for one in answers[after : after + limit]
    ]
    return EligibilityOut(students=students, next=after + limit if after + limit < len(answers) else None)


@doors.door("GET", "/units", scope=Scope.READ, to=Audience.STAFF)
def units(call: Call) -> list[UnitOut]:
    """The organisation, from the top."""
    rows = sorted(call.desk.units().values(), key=lambda row: row.path)
    return [UnitOut(code=row.code, name=row.name, kind=row.kind, parent=row.parent) for row in rows]


@doors.door("GET", "/workflows", scope=Scope.READ, to=Audience.STAFF)
def workflows(call: Call) -> list[WorkflowOut]:
    """The definitions in force, each as a profile runs it."""
    return [
        WorkflowOut(
            workflow=one.workflow,
            profile=one.profile,
            version=one.version,
            title=words(one.title),
            states={name: words(state.title) for name, state in one.states.items()},
            steps={name: words(step.title) for name, step in one.transitions.items()},
        )
        for one in call.desk.library.machines()
    ]


@doors.door("GET", "/audit/head", scope=Scope.AUDIT)
def head(call: Call) -> HeadOut:
    """How far the log is sealed, and the newest signed head."""
    connection = call.desk.connection
    note = leaves.latest(connection)
    return HeadOut(
        log=call.office.log,
        events_sealed=leaves.size(connection),
        checkpoint=None if note is None else note.encoded(),
    )
