"""The resources: cases, batches, units, definitions, the seal; and what parameters are in many an address."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Header, Path, Query

from console.access.programs import Scope
from console.api.answers import (
    BatchOut,
    CaseOut,
    DeadlineOut,
    EligibilityOut,
    EligibleOut,
    EventOut,
    GrantOut,
    HeadOut,
    MeOut,
    StepOut,
    UnitOut,
    Words,
    WorkflowOut,
    verdict,
    words,
)
from console.api.doors import ApiDoors, Call
from console.web.audiences import Audience
from console.web.cases.looking import looked_at, part_looked_at
from console.web.faults import NotFound
from engine.definition import CANCELLED, Definition
from engine.eligibility import eligibility
from engine.prospects import Prospect, prospects
from engine.repeating import once
from engine.retracting import retract
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
        steps=[_step(step, _usual(call, machine.definition, step)) for step in steps],
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


def _usual(call: Call, definition: Definition, one: Prospect) -> list[Words]:
    return [words(said) for said in call.desk.library.usual_reasons(definition, one.trigger)]


def _step(one: Prospect, reasons: list[Words]) -> StepOut:
    return StepOut(
        trigger=one.trigger,
        title=words(one.title),
        targets=list(one.targets),
        roles=list(one.roles),
        asks=list(one.asks),
        reasons=reasons,
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
        for one in timeline(call.desk, part_looked_at(call, call.case(number)))
    ]


@doors.door("POST", "/cases/{number}/retraction", scope=Scope.DECIDE, to=Audience.PARTAKER)
def take_back(call: Call, number: Number, key: Key) -> CaseOut:
    """Take back one's own last step, while nobody has acted on it."""
    found = call.case(number)
    once(call.desk, "retract", call.asks("retract", request=call.own(key)), partial(retract, call.desk, found.case.id))
    return _case(call, found)


@doors.door("GET", "/batches", scope=Scope.READ, to=Audience.STAFF)
def batches(call: Call) -> list[BatchOut]:
    """The published batches."""
    rows = (registry.batch(call.desk.connection, name) for name in registry.batches(call.desk.connection))
    return [
        BatchOut(name=row.name, kind=row.kind, profile=row.profile, title=row.title) for row in rows if row is not None
    ]


@doors.door("GET", "/batches/{name}/eligibility", scope=Scope.READ, to=Audience.RECORDS)
def eligible(
    call: Call,
    name: Annotated[str, Path(max_length=40)],
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Limit = 50,
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
