"""Working one case: load, decide, keep; every answer, also a refusal, is in the trail before it is given.

Source: the definition language, section 11.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from engine import lanes
from engine.acting import carry_out_opening, carry_through
from engine.causing import LinkedRefusal
from engine.definition import NEW
from engine.desk import Desk
from engine.errors import NotAllowed, SeveralOpen, StaleCase, TransitionNotOpen, Unknown, Unreadable
from engine.expressions.kinds import encode, parse_input
from engine.facts import keep_facts
from engine.keeping import barred_event, keeping_of, kind_of, seal, write_event
from engine.machine import decide
from engine.opening import (
    Subject,
    machine_to_open,
    open_one,
    record_refused_opening,
    record_unopened,
    subject_named,
    unit_of,
)
from engine.records import Case, Json, Moved, Outcome, Refused, Repeated, Request, case_number, case_of
from engine.sight import Seeing
from engine.steps import Machine
from engine.store import students
from engine.store.cases import Found, extend, hold_case, keep, read_case, read_to_act, students_cases, units_cases
from engine.store.database import CONTENTION_ERRORS, INTEGRITY_ERRORS, LOCKING_ERRORS, Busy
from engine.store.relations import lock_students, students_on
from engine.store.students import StudentRow
from engine.trail.event import EventKind

_TRIES = 20
"""How often a step is decided anew because a chain grew (a refusal, a look) or a linked case moved meanwhile."""


def move(desk: Desk, case: int, request: Request) -> Moved | Refused | Repeated:
    """Take a step on a case, or sign for it, or hear every reason why not.

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
        for left in reversed(range(_TRIES)):
            outcome = _try_to_move(desk, case, request, is_last=not left)
            if outcome is not None:
                return outcome
    except (StaleCase, TransitionNotOpen, NotAllowed, *INTEGRITY_ERRORS) as problem:
        repeated = answered(desk, request)
        if repeated is not None:
            return repeated
        if isinstance(problem, TransitionNotOpen | NotAllowed):
            record_barred(desk, case, request, problem)
        raise
    raise Busy


def _try_to_move(desk: Desk, case: int, request: Request, *, is_last: bool) -> Moved | Refused | None:
    """One try; None when the chain has grown meanwhile, so that it must be decided again.

    What the database refuses may be somebody else's doing; refused to the last, it is ours, and told as it is.
    SQLite's writer has the whole database already, so that an act decides on what was read first.
    """
    is_plain = False
    try:
        with desk.connection.deciding():
            found = as_seen(desk, case, request)
            machine = desk.machine_for(found.case, request.fields)
            is_plain = not (found.has_others or _concerns_others(desk, machine, found.case.state, request.trigger))
            if is_plain:
                outcome = decide(machine, found.case, request, Seeing(desk, machine, found, request))
                return outcome if _keep(desk, machine, found, request, outcome) else None
            if desk.connection.is_sqlite:
                return _act_on(desk, machine, found, request)
        return _act(desk, case, request)
    except LinkedRefusal as refusal:
        return _refuse_whole(desk, case, request, refusal)
    except StaleCase as problem:
        if problem.case == case_number(case) and problem.now != problem.seen:
            raise
        return None  # a linked case was moved meanwhile, or a chain has grown: look again
    except CONTENTION_ERRORS:
        if is_plain or is_last or answered(desk, request) is not None:
            raise
        return None


def _concerns_others(desk: Desk, machine: Machine, state: str, trigger: str) -> bool:
    """Whether a step may change more than the case and its student's facts: other cases, papers, deadlines."""
    return machine.reaches_out(state, trigger) or machine.touches_deadlines(state, trigger) or bool(desk.lookers())


def _act(desk: Desk, case: int, request: Request) -> Moved | Refused | None:
    """A step and all it causes, in one transaction; whoever is concerned is locked before anything is read."""
    with desk.connection.writing():
        lock_students(desk.connection, students_on(desk.connection, case))
        hold_case(desk.connection, case)
        found = as_seen(desk, case, request)
        return _act_on(desk, desk.machine_for(found.case, request.fields), found, request)


def _act_on(desk: Desk, machine: Machine, found: Found, request: Request) -> Moved | Refused | None:
    """A step on a case that nobody else can move now, and all it causes."""
    outcome = decide(machine, found.case, request, Seeing(desk, machine, found, request))
    if isinstance(outcome, Refused):
        return outcome if _keep_refusal(desk, machine, found, outcome) else None
    left = carry_through(desk, found, machine, outcome, request)
    return outcome._replace(case=left or as_left(desk, outcome))


def record_barred(desk: Desk, case: int, request: Request, problem: TransitionNotOpen | NotAllowed) -> None:
    """Keep in the case's chain that somebody asked for what is not open, or not to that person.

    Call outside the transaction that the problem has taken back.
    """
    for _ in range(_TRIES):
        with desk.connection.writing():
            found = read_case(desk.connection, case)
            if found is None:
                return
            machine = desk.machine_for(found.case, request.fields)
            told = barred_event(found.case.state, request, problem)
            event = write_event(desk, machine, found.case, EventKind.REFUSED, told)
            if extend(desk.connection, found.case, event):
                return


def _refuse_whole(desk: Desk, case: int, request: Request, refusal: LinkedRefusal) -> Refused | None:
    """Record that a step was refused because linked cases are not ready, and name them."""
    with desk.connection.writing():
        found = as_seen(desk, case, request)
        machine = desk.machine_for(found.case, request.fields)
        outcome = decide(machine, found.case, request, Seeing(desk, machine, found, request))
        if isinstance(outcome, Moved):
            outcome = _as_refused(found, outcome, refusal)
        return outcome if _keep_refusal(desk, machine, found, outcome) else None


_STAYS = frozenset({"trigger", "from", "verdicts", "seen", "slot", "vote", "signing", "reason"})
"""What an event that tells of a step still says when linked cases have refused it."""


def _as_refused(found: Found, moved: Moved, refusal: LinkedRefusal) -> Refused:
    kept = {key: value for key, value in moved.data.items() if key in _STAYS}
    ids = {
        outcome: sorted({one.id for one in refusal.verdicts if one.outcome is outcome})
        for outcome in (Outcome.FAILS, Outcome.UNDECIDED)
    }
    data: dict[str, Json] = {
        **kept,
        "engine": ["linked-case"],
        "failed": ids[Outcome.FAILS],
        "undecided": ids[Outcome.UNDECIDED],
        "linked": refusal.linked,
    }
    return Refused(
        trigger=moved.trigger,
        case=found.case,
        verdicts=refusal.verdicts,
        event={**moved.event, "data": data},
        data=data,
        sealed=moved.sealed,
    )


def open_case(
    desk: Desk, workflow: str, about: str, request: Request, *, cause: Mapping[str, Json] | None = None
) -> Moved | Refused | Repeated:
    """Open a case of a workflow about a student or a unit.

    Args:
        desk: Where it will be worked.
        workflow: The workflow, or a list of one as `WORKFLOW.LIST`.
        about: The student's number, or the code of the unit.
        request: By whom, when, with which fields and dimensions.
        cause: The event that opens it, where that is not a person: chain and place.

    Raises:
        Unknown: If there is no such student or unit, or the profile there has no such workflow or opening.
        AlreadyOpen: If the workflow allows one and there is one.
        NotAllowed: If the actor may not open it here.
    """
    desk.refresh()
    repeated = answered(desk, request)
    if repeated is not None:
        return repeated
    subject, machine = _to_be_opened(desk, workflow, about, request)
    for _ in range(_TRIES):
        try:
            return _open(desk, machine, subject, request, cause)
        except LinkedRefusal as refusal:
            return _refuse_opening(desk, machine, subject, request, refusal)
        except (TransitionNotOpen, NotAllowed) as problem:
            _record_barred_opening(desk, machine, subject, request, problem)
            raise
        except (StaleCase, *LOCKING_ERRORS):
            continue  # a linked case was moved meanwhile: look again
    raise Busy


def _to_be_opened(desk: Desk, workflow: str, about: str, request: Request) -> tuple[Subject, Machine]:
    machine = machine_to_open(desk, workflow, unit_of(desk, about), request.trigger)
    return subject_named(desk, machine.definition, about), machine


def _open(
    desk: Desk, machine: Machine, subject: Subject, request: Request, cause: Mapping[str, Json] | None
) -> Moved | Refused:
    with desk.connection.writing():
        subject = _held(desk, subject)
        _, last_case = students.last_ids(desk.connection)
        outcome = open_one(desk, machine, subject, last_case + 1, request, cause=cause)
        if isinstance(outcome, Refused):
            record_refused_opening(desk, machine, subject, outcome)
            return outcome
        carry_out_opening(desk, outcome, request)
        return outcome.moved._replace(case=as_left(desk, outcome.moved))


def _refuse_opening(
    desk: Desk, machine: Machine, subject: Subject, request: Request, refusal: LinkedRefusal
) -> Refused:
    with desk.connection.writing():
        subject = _held(desk, subject)
        _, last_case = students.last_ids(desk.connection)
        outcome = open_one(desk, machine, subject, last_case + 1, request)
        refused = outcome if isinstance(outcome, Refused) else _as_refused(outcome.found, outcome.moved, refusal)
        record_refused_opening(desk, machine, subject, refused)
        return refused


def _record_barred_opening(
    desk: Desk, machine: Machine, subject: Subject, request: Request, problem: TransitionNotOpen | NotAllowed
) -> None:
    """Keep that somebody asked to open what is not open to that person."""
    with desk.connection.writing():
        record_unopened(desk, machine, _held(desk, subject), barred_event(NEW, request, problem))


def _held(desk: Desk, subject: Subject) -> Subject:
    """The subject as it stands, its student locked for the rest of the transaction."""
    if subject.student is None:
        return subject
    lock_students(desk.connection, [subject.student.id])
    row = students.by_id(desk.connection, subject.student.id)
    return Subject(row.unit, row)


def as_seen(desk: Desk, case: int, request: Request) -> Found:
    """The case, if it still is as the person saw it.

    Raises:
        Unknown: If there is no such case.
        StaleCase: If it has changed since.
    """
    found = read_to_act(desk.connection, case)
    if found is None:
        raise Unknown("办件 case", case_number(case))
    desk.as_of(found.registry)
    if request.seen is not None and found.case.revision != request.seen:
        raise StaleCase(found.case.number, request.seen, found.case.revision)
    return found


def as_left(desk: Desk, moved: Moved) -> Case:
    """The case as a step and all it caused have left it."""
    found = read_case(desk.connection, moved.case.id)
    return moved.case if found is None else found.case


def answered(desk: Desk, request: Request) -> Repeated | None:
    """The first answer to a request that has come before, or None."""
    if request.id is None:
        return None
    row = desk.connection.execute("SELECT chain, body FROM event WHERE request = ?", (request.id,)).fetchone()
    if row is None:
        return None
    return first_answer(int(row[0]), bytes(row[1]))


def first_answer(chain: int, body: bytes) -> Repeated:
    """What was answered by an event of a chain; the answer to an opening that was refused names no case."""
    event = orjson.loads(body)
    data = event["data"]
    return Repeated(
        trigger=data["trigger"],
        number=case_number(chain) if chain > 0 else "",
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
    if trigger not in machine.definition.transitions:
        raise Unknown("步骤 step", trigger, machine.definition.transitions)
    takes = machine.step_anywhere(trigger).takes
    read: dict[str, Json] = {}
    for name, text in given.items():
        if name not in takes:
            raise Unknown(f"“{trigger}”的字段 field", name, takes)
        read[name] = _read_field(desk, machine, name, text)
    return read


def _read_field(desk: Desk, machine: Machine, name: str, text: str) -> Json:
    kind = machine.field_kind(name)
    field = machine.definition.fields.get(name)
    title = name if field is None else f"{field.title.zh} {name}"
    try:
        value = encode(kind, parse_input(kind, text, machine.scope.choices))
    except ValueError as problem:
        raise Unreadable(title, text, f"{kind}（{problem}）") from problem
    if kind.name == "batch" and desk.batch(text) is None:
        raise Unknown("已发布批次 published batch", text, desk.library.batches)
    return value


def _keep(desk: Desk, machine: Machine, found: Found, request: Request, outcome: Moved | Refused) -> bool:
    if isinstance(outcome, Refused):
        return _keep_refusal(desk, machine, found, outcome)
    sealed = seal(desk, machine, outcome)
    event = write_event(desk, machine, found.case, kind_of(outcome), outcome.event)
    keeping = keeping_of(found.case, outcome, event, sealed, machine)
    if not outcome.facts:
        standing = lanes.standing_after((desk, machine), found, outcome, request, lanes.Basis())
        return keep(desk.connection, keeping._replace(standing=standing))
    with desk.connection.writing():
        lock_students(desk.connection, [found.case.student or 0])
        if not keep(desk.connection, keeping):
            return False
        row = students.student(desk.connection, found.student_no or "")
        if row is not None:
            keep_facts(desk, row, outcome.facts, request, cause=(event.chain, event.seq))
        lanes.settle(desk, [found.case.id], request)
    return True


def _keep_refusal(desk: Desk, machine: Machine, found: Found, outcome: Refused) -> bool:
    sealed = seal(desk, machine, outcome)
    event = write_event(desk, machine, found.case, EventKind.REFUSED, outcome.event)
    return extend(desk.connection, found.case, event, sealed)


def find_case(desk: Desk, about: str, number: str | None = None) -> int:
    """A case by its number, or the record of a student, or the one open case of a unit.

    Args:
        desk: Where cases are worked.
        about: The student's number, or the code of the unit a case is about.
        number: Which case; a student without a record, or a unit, needs none while only one is open.

    Raises:
        Unknown: If there is no such student, unit or case, or the case is not about the student or unit.
        SeveralOpen: If several cases could be meant.
    """
    row = students.student(desk.connection, about)
    if row is None and about not in desk.units():
        raise Unknown("学号或单位代码 student number or unit code", about)
    if number is not None:
        case = case_of(number)
        found = None if case is None else read_case(desk.connection, case)
        if found is None or not _is_about(found.case, row, about):
            raise Unknown(f"{about} 的办件 case", number)
        return found.case.id
    if row is not None and row.record is not None:
        return row.record
    return _only_open(desk, row, about)


def _is_about(case: Case, student: StudentRow | None, about: str) -> bool:
    if student is not None:
        return case.student == student.id
    return case.student is None and case.unit == about


def _only_open(desk: Desk, student: StudentRow | None, about: str) -> int:
    connection = desk.connection
    every = units_cases(connection, about) if student is None else students_cases(connection, student.id)
    still_open = [one for one in every if not desk.definition(one.shape).is_final(one.state)]
    if not still_open:
        raise Unknown(f"{about} 的学籍或未办结业务 record or open case", about)
    if len(still_open) > 1:
        open_ones = ((one.number, one.workflow, desk.machine(one.shape).state_title(one.state)) for one in still_open)
        raise SeveralOpen(about, open_ones)
    return still_open[0].id
