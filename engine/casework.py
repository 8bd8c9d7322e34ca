"""Casework: load a case, decide, keep. The one way, beside `engine.bulk`, in which a case changes its state."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from engine.desk import Desk
from engine.errors import StaleCase, TransitionNotOpen, Unknown, Unreadable
from engine.expressions.kinds import encode, parse_input, parse_kind
from engine.facts import keep_facts
from engine.machine import decide
from engine.records import Case, Json, Moved, Refused, Repeated, Request, case_number, case_of
from engine.sight import Seeing
from engine.steps import Machine
from engine.store import students
from engine.store.cases import Found, Keeping, Sealed, extend, keep, read_case
from engine.store.database import INTEGRITY_ERRORS, Busy
from engine.trail.chain import commitment
from engine.trail.event import EventKind, Written, canonical

_TRIES = 20
"""How often a step is decided anew because the chain grew (a refusal, a look) while the case stayed as it was."""


def move(desk: Desk, case: int, request: Request) -> Moved | Refused | Repeated:
    """Take one step of one case, or answer why not.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer (`engine.records.case_of`).
        request: What is asked for; with `seen`, it is refused when the case has changed since.

    Returns:
        `Moved`, `Refused` with every reason, or, for a request that came before, its first answer.

    Raises:
        Unknown: If there is no such case, or its workflow has no such step.
        StaleCase: If somebody else was faster.
        TransitionNotOpen, NotAllowed: As `engine.machine.decide`.
        Busy: If the database stays occupied.
    """
    try:
        for _ in range(_TRIES):
            with desk.connection.deciding():
                found = as_seen(desk, case, request)
                machine = desk.machine_for(found.case, request.fields)
                outcome = decide(machine, found.case, request, Seeing(desk, machine, found, request))
                if _keep(desk, machine, found, request, outcome):
                    return outcome
    except (StaleCase, TransitionNotOpen, *INTEGRITY_ERRORS):
        repeated = answered(desk, request)
        if repeated is None:
            raise
        return repeated
    raise Busy


def as_seen(desk: Desk, case: int, request: Request) -> Found:
    """The case, if it still is as the person saw it.

    Raises:
        Unknown: If there is no such case.
        StaleCase: If it has changed since.
    """
    found = read_case(desk.connection, case)
    if found is None:
        raise Unknown("办件 case", case_number(case))
    desk.as_of(found.registry)
    if request.seen is not None and found.case.revision != request.seen:
        raise StaleCase(found.case.number, request.seen, found.case.revision)
    return found


def answered(desk: Desk, request: Request) -> Repeated | None:
    """The first answer to a request that has come before, or None."""
    if request.id is None:
        return None
    row = desk.connection.execute("SELECT chain, body FROM event WHERE request = ?", (request.id,)).fetchone()
    if row is None:
        return None
    chain, body = row
    event = orjson.loads(bytes(body))
    data = event["data"]
    return Repeated(
        trigger=data["trigger"],
        number=case_number(int(chain)),
        moved=event["kind"] != EventKind.REFUSED,
        state=data.get("to", data["from"]),
        failed=tuple(data.get("failed", ())),
        undecided=tuple(data.get("undecided", ())),
    )


def read_fields(desk: Desk, machine: Machine, trigger: str, given: Mapping[str, str]) -> dict[str, Json]:
    """What a person typed for a step's fields, as values of their kinds.

    Raises:
        Unreadable: If a value is not of its kind.
        Unknown: If the step neither asks for nor accepts a field, or a named batch is not published.
    """
    step = machine.definition.transitions.get(trigger)
    if step is None:
        raise Unknown("步骤 step", trigger, machine.definition.transitions)
    allowed = {*step.asked, *step.accepts, "reason"}
    read: dict[str, Json] = {}
    for name, text in given.items():
        if name not in allowed:
            raise Unknown(f"“{trigger}”的字段 field", name, allowed)
        read[name] = _read_field(desk, machine, name, text)
    return read


def _read_field(desk: Desk, machine: Machine, name: str, text: str) -> Json:
    field = machine.definition.fields.get(name)
    if field is None:
        return text
    kind = parse_kind(field.type)
    try:
        value = encode(kind, parse_input(kind, text, machine.scope.choices))
    except ValueError as problem:
        raise Unreadable(f"{field.title.zh} {name}", text, f"{kind}（{problem}）") from problem
    if kind.name == "batch" and desk.batch(text) is None:
        raise Unknown("已发布批次 published batch", text, desk.library.batches)
    return value


def _keep(desk: Desk, machine: Machine, found: Found, request: Request, outcome: Moved | Refused) -> bool:
    sealed = seal(desk, outcome)
    if isinstance(outcome, Refused):
        event = write_event(desk, machine, found.case, EventKind.REFUSED, outcome.event)
        return extend(desk.connection, found.case, event, sealed)
    event = write_event(desk, machine, found.case, EventKind.MOVED, outcome.event)
    keeping = keeping_of(found.case, outcome, event, sealed, machine)
    if not outcome.facts:
        return keep(desk.connection, keeping)
    with desk.connection.writing():
        if not keep(desk.connection, keeping):
            return False
        row = students.student(desk.connection, found.student_no or "")
        if row is not None:
            keep_facts(desk, row, outcome.facts, request, cause=(event.chain, event.seq))
    return True


def write_event(desk: Desk, machine: Machine, case: Case, kind: EventKind, event: dict[str, Json]) -> Written:
    """The next event of a case's chain, naming the definition and the rulebook it was judged by."""
    event["definition"] = machine.shape
    event["rulebook"] = machine.rulebook
    return desk.scribe.write(case.id, case.head, kind, event)


def seal(desk: Desk, outcome: Moved | Refused) -> Sealed | None:
    """Put the commitment to the personal values into the event, and return what opens it."""
    if not outcome.sealed:
        return None
    salt = desk.salt()
    body = canonical(outcome.sealed)
    outcome.data["sealed"] = commitment(salt, body)
    return Sealed(salt=salt, body=body)


def keeping_of(before: Case, outcome: Moved, event: Written, sealed: Sealed | None, machine: Machine) -> Keeping:
    """A decided step ready to be written; a `unique: open` case frees its key when it ends, any when cancelled."""
    after = outcome.case
    frees = outcome.ends and (machine.definition.unique == "open" or after.state == "cancelled")
    return Keeping(before, after, event, outcome.told, sealed, frees)


def find_case(desk: Desk, student_no: str, number: str | None = None) -> int:
    """A case by its number, or the record of a student.

    Raises:
        Unknown: If there is no such student or case, or the case is not about the student.
    """
    row = students.student(desk.connection, student_no)
    if row is None:
        raise Unknown("学号 student number", student_no)
    if number is not None:
        case = case_of(number)
        found = None if case is None else read_case(desk.connection, case)
        if found is None or found.case.student != row.id:
            raise Unknown(f"{student_no} 的办件 case", number)
        return found.case.id
    if row.record is None:
        raise Unknown(f"{student_no} 的学籍 record", student_no)
    return row.record
