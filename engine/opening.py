"""Opening cases: one for a person at the counter, or the records of a whole roster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.casework import answered, seal, write_event
from engine.collecting import collector_paused
from engine.definition import NEW, Definition
from engine.desk import Desk
from engine.errors import AlreadyOpen, Unknown, XuejiError
from engine.expressions.kinds import encode
from engine.facts import FactChange, FactRefusal, check_facts, fact_event, keep_refusals, write_facts
from engine.machine import decide
from engine.records import Case, Head, Json, Moved, Refused, Repeated, Request, Verdict
from engine.sight import Seeing
from engine.steps import Machine
from engine.store import students
from engine.store.cases import (
    Found,
    Sealed,
    add_cases,
    holder_of,
    write_events,
    write_personal,
    write_told,
)  # fmt: skip
from engine.store.students import StudentRow
from engine.trail.event import EventKind, Written, chain_name, moment

CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """One line of a roster: a student, the unit, and what the roster says."""

    student_no: str
    unit: str
    facts: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What a roster did: nothing at all if anything was refused."""

    opened: int
    changed: int
    unchanged: int
    refused: tuple[FactRefusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A case that was opened, and the step that opened it."""

    moved: Moved
    event: Written
    sealed: Sealed | None
    unique_key: str | None


def open_case(desk: Desk, workflow: str, student_no: str, request: Request) -> Moved | Refused | Repeated:
    """Open a case of a workflow about one student.

    Raises:
        Unknown: If there is no such student, or the student's profile has no such workflow or opening.
        AlreadyOpen: If the workflow allows one and there is one.
        NotAllowed: If the actor may not open it here.
    """
    desk.refresh()
    repeated = answered(desk, request)
    if repeated is not None:
        return repeated
    with desk.connection.writing():
        row = students.student(desk.connection, student_no)
        if row is None:
            raise Unknown("学号 student number", student_no)
        machine = machine_to_open(desk, workflow, row.unit, request)
        _, last_case = students.last_ids(desk.connection)
        outcome = _open_one(desk, machine, row, last_case + 1, request)
        if isinstance(outcome, Refused):
            _record_refusal(desk, machine, row, outcome)
            return outcome
        if outcome.unique_key is not None and (held := holder_of(desk.connection, outcome.unique_key)) is not None:
            raise AlreadyOpen(machine.definition.title.zh, held.number, held.state)
        _write(desk, [outcome])
        if machine.definition.record:
            students.set_records(desk.connection, [(last_case + 1, row.id)])
        return outcome.moved


def enrol(
    desk: Desk,
    rows: Sequence[Enrolment],
    request: Request,
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Enrolled:
    """Take in a roster: open the records of new students, write what has changed of known ones; all or nothing.

    `request.trigger` is the opening of the record; its moment, actor and source are recorded with every event.

    Raises:
        RosterRefused: If a student is refused; nothing of the roster was written, and known students' chains say so.
    """
    desk.refresh()
    try:
        return _enrol(desk, rows, request, dry_run=dry_run, progress=progress)
    except RosterRefused as problem:
        with desk.connection.writing():
            keep_refusals(desk, problem.refused, replace(request, trigger="roster"))
        raise


def _enrol(
    desk: Desk, rows: Sequence[Enrolment], request: Request, *, dry_run: bool, progress: Callable[[int], None]
) -> Enrolled:
    with desk.connection.writing():
        known = students.by_numbers(desk.connection, [row.student_no for row in rows])
        old = {row.student_no: row.facts for row in rows if row.student_no in known}
        written = write_facts(desk, old, replace(request, trigger="roster"), dry_run=dry_run)
        new = [row for row in rows if row.student_no not in known]
        refused = [*written.refused, *_moved_elsewhere(desk, rows, known, request)]
        last_student, last_case = students.last_ids(desk.connection)
        for start in range(0, len(new), CHUNK):
            chunk = new[start : start + CHUNK]
            with collector_paused():
                intake = _take_in(desk, chunk, (last_student + start, last_case + start), request)
                refused += intake.refused
                if not dry_run and not refused:
                    _write_intake(desk, intake)
            progress(len(chunk))
        if refused and not dry_run:
            raise RosterRefused(tuple(refused))
    return Enrolled(opened=len(new), changed=written.changed, unchanged=written.unchanged, refused=tuple(refused))


def _moved_elsewhere(
    desk: Desk, rows: Sequence[Enrolment], known: Mapping[str, StudentRow], request: Request
) -> list[FactRefusal]:
    """A roster cannot move a student to another unit; that is a procedure of its own, with two consents."""
    refused = []
    for row in rows:
        student = known.get(row.student_no)
        if student is not None and student.unit != row.unit:
            machine = _record_machine(desk, student.unit, request)
            verdict = machine.engine_verdict("unit-by-transfer", here=student.unit, there=row.unit)
            refused.append(FactRefusal(student_no=row.student_no, verdicts=(verdict,)))
    return refused


class RosterRefused(XuejiError):
    """Some rows of a roster are refused, so the whole roster is; carries every refusal, and rolls everything back."""

    def __init__(self, refused: tuple[FactRefusal, ...]) -> None:
        self.refused = refused
        super().__init__(f"{len(refused)} 名学生不符合建立学籍的条件。{len(refused)} students are refused.")


def machine_to_open(desk: Desk, workflow: str, unit: str, request: Request) -> Machine:
    """The machine of a workflow as the unit's profile runs it now, for opening."""
    definition = desk.library.definition(workflow, desk.profile_of(unit))
    if request.trigger not in definition.openings:
        raise Unknown("开始步骤 opening", request.trigger, definition.openings)
    return desk.machine(desk.hash_of(definition))


@dataclass(slots=True)
class _Intake:
    """A part of a roster, judged and ready to be written."""

    students: list[StudentRow] = field(default_factory=list)
    events: list[Written] = field(default_factory=list)
    personal: list[tuple[int, int, bytes, bytes]] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)
    refused: list[FactRefusal] = field(default_factory=list)


def _take_in(desk: Desk, rows: Sequence[Enrolment], last: tuple[int, int], request: Request) -> _Intake:
    """Judge new students; `last` are the highest student and case numbers so far."""
    intake = _Intake()
    source = replace(request, trigger="roster", id=None)
    for place, row in enumerate(rows, start=1):
        check_facts(desk.library.rulebook.vocabulary.student, row.facts)
        case = last[1] + place
        nobody = StudentRow(
            id=last[0] + place, student_no=row.student_no, unit=row.unit, record=case, facts={}, head=Head()
        )
        event, sealed = fact_event(desk, FactChange(row=nobody, new=row.facts), source)
        student = nobody._replace(facts=row.facts, head=Head(seq=event.seq, hash=event.hash))
        intake.students.append(student)
        intake.events.append(event)
        if sealed is not None:
            intake.personal.append(sealed)
        machine = _record_machine(desk, row.unit, request)
        one = request if request.id is None else replace(request, id=f"{request.id}/{row.student_no}")
        outcome = _open_one(desk, machine, student, case, one)
        if isinstance(outcome, Refused):
            intake.refused.append(FactRefusal(student_no=row.student_no, verdicts=outcome.verdicts))
        else:
            intake.opened.append(outcome)
    return intake


def _write_intake(desk: Desk, intake: _Intake) -> None:
    students.add_students(desk.connection, intake.students)
    write_events(desk.connection, intake.events)
    write_personal(desk.connection, intake.personal)
    _write(desk, intake.opened)


def _record_machine(desk: Desk, unit: str, request: Request) -> Machine:
    definition = desk.library.record(desk.profile_of(unit))
    if request.trigger not in definition.openings:
        raise Unknown("开始步骤 opening", request.trigger, definition.openings)
    return desk.machine(desk.hash_of(definition))


def _open_one(desk: Desk, machine: Machine, row: StudentRow, case: int, request: Request) -> Opened | Refused:
    to_be = _case_to_be(desk, machine, row, case, request)
    found = Found(
        case=to_be,
        known=row.facts,
        student_no=row.student_no,
        record=row.record,
        has_others=row.record != case,
    )
    if machine.definition.status == "draft" and not desk.rehearsal:
        verdict = machine.engine_verdict("draft-definition", workflow=machine.definition.workflow)
        return _refused_by_engine(to_be, request, verdict)
    sight = Seeing(desk, machine, found, request)
    if machine.starts:
        to_be = to_be._replace(fields=_starting_fields(machine, sight))
        sight = Seeing(desk, machine, found._replace(case=to_be), request)
    outcome = decide(machine, to_be, request, sight)
    if isinstance(outcome, Refused):
        return outcome
    data = outcome.data
    data["about"] = {"student": chain_name(-row.id)}
    data["unit"] = row.unit
    data["workflow"] = machine.definition.workflow
    data["fields"] = {name: value for name, value in outcome.case.fields.items() if value is not None}
    sealed = seal(desk, outcome)
    event = write_event(desk, machine, to_be, EventKind.OPENED, outcome.event)
    return Opened(
        moved=outcome, event=event, sealed=sealed, unique_key=_unique_key(machine.definition, row, outcome.case)
    )


def _starting_fields(machine: Machine, sight: Seeing) -> dict[str, Json]:
    """What the fields of a case are when it opens."""
    started: dict[str, Json] = {}
    for name, expression in machine.starts.items():
        value = expression.evaluate(machine.decoded(sight.see((), expression.reads)))
        if value is not None:
            started[name] = encode(expression.kind, value)
    return started


def _refused_by_engine(case: Case, request: Request, verdict: Verdict) -> Refused:
    data: dict[str, Json] = {
        "trigger": request.trigger,
        "from": NEW,
        "engine": [verdict.rule],
        "failed": [verdict.id],
        "undecided": [],
    }
    event: dict[str, Json] = {"at": moment(request.at), "actor": request.actor.login, "data": data}
    if request.id is not None:
        event["request"] = request.id
    return Refused(trigger=request.trigger, case=case, verdicts=(verdict,), event=event, data=data)


def _case_to_be(desk: Desk, machine: Machine, row: StudentRow, case: int, request: Request) -> Case:
    at = moment(request.at)
    return Case(
        id=case,
        workflow=machine.definition.workflow,
        shape=machine.shape,
        student=row.id,
        unit=row.unit,
        path=desk.units()[row.unit].path,
        state=NEW,
        revision=0,
        head=Head(),
        fields={},
        taken={},
        rounds=0,
        opened_at=at,
        entered_at=at,
    )


def _unique_key(definition: Definition, row: StudentRow, case: Case) -> str | None:
    """What the database keeps unique: the workflow and everything the case is about."""
    if definition.unique == "never":
        return None
    about = []
    for dimension in definition.about:
        if dimension == "student":
            about.append(str(row.id))
        elif dimension.startswith("case."):
            about.append(str(case.fields.get(dimension.removeprefix("case."))))
        elif dimension.startswith("batch"):
            about.append(str(case.fields.get("batch")))
        else:
            about.append(case.unit)
    return f"{definition.workflow}:{':'.join(about)}"


def _write(desk: Desk, opened: Sequence[Opened]) -> None:
    add_cases(desk.connection, [(one.moved.case, one.event, one.unique_key) for one in opened])
    write_events(desk.connection, [one.event for one in opened])
    write_told(desk.connection, [(one.event, one.moved.told, one.sealed) for one in opened])


def _record_refusal(desk: Desk, machine: Machine, row: StudentRow, refused: Refused) -> None:
    """A refused opening has no case; it stands in the student's chain."""
    event = refused.event
    event["definition"], event["rulebook"] = machine.shape, machine.rulebook
    sealed = seal(desk, refused)
    written = desk.scribe.write(-row.id, row.head, EventKind.REFUSED, event)
    write_events(desk.connection, [written])
    if sealed is not None:
        write_personal(desk.connection, [(written.chain, written.seq, sealed.salt, sealed.body)])
    students.set_facts(desk.connection, row, row.facts, Head(seq=written.seq, hash=written.hash))
