"""Taking in a roster: new students and their records, and what has changed of known ones; all or nothing.

Candidates (录取名单) are taken in without a record: they exist with facts and a unit, and a procedure opens it later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine import lanes
from engine.collecting import collector_paused
from engine.desk import Desk
from engine.errors import Unknown, XuejiError
from engine.facts import FactChange, FactRefusal, check_facts, fact_event, keep_refusals, unentitled, write_facts
from engine.opening import Opened, Subject, open_one, write_opened
from engine.records import Head, Json, Refused, Request
from engine.steps import Machine
from engine.store import students
from engine.store.cases import write_events, write_personal
from engine.store.students import StudentRow
from engine.trail.event import Written

CHUNK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """One line of a roster: a student, the unit, and what the roster says."""

    student_no: str
    unit: str
    facts: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What a roster did: nothing at all if anything was refused. `added` are new students without a record."""

    opened: int
    changed: int
    unchanged: int
    added: int = 0
    refused: tuple[FactRefusal, ...] = ()


def enrol(
    desk: Desk,
    rows: Sequence[Enrolment],
    request: Request,
    *,
    opens_record: bool = True,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Enrolled:
    """Take in a roster: open the records of new students, write what has changed of known ones; all or nothing.

    Args:
        desk: Where they are kept.
        rows: The roster.
        request: Its trigger is the opening of the record; moment, actor and source stand in every event.
        opens_record: False for candidates, who exist before any record of theirs does.
        dry_run: Judge everything and write nothing.
        progress: Told of new students done.

    Raises:
        RosterRefused: If a student is refused; nothing of the roster was written, and known students' chains say so.
            Inside a transaction of the caller's, which takes that back as well, the caller says so (`keep_refusals`).
    """
    desk.refresh()
    try:
        with desk.connection.writing():
            return _enrol(desk, rows, request, progress, opens_record=opens_record, dry_run=dry_run)
    except RosterRefused as problem:
        with desk.connection.writing():
            keep_refusals(desk, problem.refused, replace(request, trigger="roster"))
        raise


def _enrol(
    desk: Desk,
    rows: Sequence[Enrolment],
    request: Request,
    progress: Callable[[int], None],
    *,
    opens_record: bool,
    dry_run: bool,
) -> Enrolled:
    known = students.by_numbers(desk.connection, [row.student_no for row in rows])
    old = {row.student_no: row.facts for row in rows if row.student_no in known}
    written = write_facts(desk, old, replace(request, trigger="roster"), dry_run=dry_run)
    new = [row for row in rows if row.student_no not in known]
    refused = [*written.refused, *_moved_elsewhere(desk, rows, known, request)]
    last_student, last_case = students.last_ids(desk.connection)
    for start in range(0, len(new), CHUNK):
        chunk = new[start : start + CHUNK]
        last = (last_student + start, last_case + start)
        with collector_paused():
            intake = _take_in(desk, chunk, last, request, opens_record=opens_record)
            refused += intake.refused
            if not dry_run and not refused:
                _write_intake(desk, intake, request)
        progress(len(chunk))
    if refused and not dry_run:
        raise RosterRefused(tuple(refused))
    return Enrolled(
        opened=len(new) if opens_record else 0,
        changed=written.changed,
        unchanged=written.unchanged,
        added=0 if opens_record else len(new),
        refused=tuple(refused),
    )


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


@dataclass(slots=True)
class _Intake:
    """A part of a roster, judged and ready to be written."""

    students: list[StudentRow] = field(default_factory=list)
    events: list[Written] = field(default_factory=list)
    personal: list[tuple[int, int, bytes, bytes]] = field(default_factory=list)
    opened: list[Opened] = field(default_factory=list)
    refused: list[FactRefusal] = field(default_factory=list)


def _take_in(
    desk: Desk, rows: Sequence[Enrolment], last: tuple[int, int], request: Request, *, opens_record: bool
) -> _Intake:
    """Judge new students; `last` are the highest student and case numbers so far."""
    intake = _Intake()
    for place, row in enumerate(rows, start=1):
        case = last[1] + place if opens_record else None
        student = _new_student(desk, row, (last[0] + place, case), request, intake)
        if case is None:
            continue
        machine = _record_machine(desk, row.unit, request)
        one = request if request.id is None else replace(request, id=f"{request.id}/{row.student_no}")
        outcome = open_one(desk, machine, Subject(row.unit, student), case, one)
        if isinstance(outcome, Refused):
            intake.refused.append(FactRefusal(student_no=row.student_no, verdicts=outcome.verdicts))
        else:
            intake.opened.append(outcome)
    intake.refused += unentitled(desk, (FactChange(row=one, new=one.facts) for one in intake.students), request)
    return intake


def _new_student(
    desk: Desk, row: Enrolment, numbers: tuple[int, int | None], request: Request, intake: _Intake
) -> StudentRow:
    """A student as first heard of, under a number, with the number of the record if there will be one.

    Raises:
        Unknown: If there is no such unit, or it works by no profile.
    """
    check_facts(desk.library.rulebook.vocabulary.student, row.facts)
    desk.profile_of(row.unit)
    number, record = numbers
    nobody = StudentRow(id=number, student_no=row.student_no, unit=row.unit, record=record, facts={}, head=Head())
    event, sealed = fact_event(desk, FactChange(row=nobody, new=row.facts), replace(request, trigger="roster", id=None))
    student = nobody._replace(facts=row.facts, head=Head(seq=event.seq, hash=event.hash))
    intake.students.append(student)
    intake.events.append(event)
    if sealed is not None:
        intake.personal.append(sealed)
    return student


def _write_intake(desk: Desk, intake: _Intake, request: Request) -> None:
    students.add_students(desk.connection, intake.students)
    write_events(desk.connection, intake.events)
    write_personal(desk.connection, intake.personal)
    write_opened(desk, intake.opened)
    lanes.settle(desk, [one.moved.case.id for one in intake.opened], request)


def _record_machine(desk: Desk, unit: str, request: Request) -> Machine:
    definition = desk.library.record(desk.profile_of(unit))
    if request.trigger not in definition.openings:
        raise Unknown("开始步骤 opening", request.trigger, definition.openings)
    return desk.machine(desk.hash_of(definition))
