"""A student changes the unit: the student's row, and every open case with it (转学、转点).

Source: the definition language, section 7 (`move: student`).
"""

from __future__ import annotations

from collections.abc import Mapping

from engine import lanes
from engine.cautions import UNIT, Mark, read_marks, written_marks
from engine.desk import Desk
from engine.errors import StaleCase, Unknown
from engine.keeping import write_event
from engine.lists import wait_elsewhere
from engine.records import Head, Json, Request
from engine.settling import change_of, settle_lookers, write_changes
from engine.store import deadlines, students
from engine.store.case_changes import relocate_case
from engine.store.cases import Found, students_cases, write_events
from engine.trail.event import EventKind, moment


def relocate(desk: Desk, found: Found, unit: Json, request: Request, cause: Mapping[str, Json]) -> None:
    """Move the student of a case to a unit; open cases follow, each with an event; call inside the act's transaction.

    Raises:
        Unknown: If there is no such unit.
        StaleCase: If somebody wrote to the student or a case meanwhile.
    """
    row = desk.units().get(str(unit))
    if row is None or found.student_no is None:
        raise Unknown("单位 unit", str(unit), desk.units())
    student = students.student(desk.connection, found.student_no)
    if student is None:
        raise Unknown("学号 student number", found.student_no)
    data: dict[str, Json] = {"source": request.trigger, "facts": {}, "unit": row.code, "was": student.unit}
    event: dict[str, Json] = {"at": moment(request.at), "actor": request.actor.login, "cause": cause, "data": data}
    written = desk.scribe.write(-student.id, student.head, EventKind.FACT_CHANGED, event)
    students.set_unit(desk.connection, student, row.code, Head(seq=written.seq, hash=written.hash))
    write_events(desk.connection, [written])
    marks = {**read_marks(student.marks), UNIT: Mark(written.seq, moment(request.at), by_hand=False, replaced=True)}
    students.set_marks(desk.connection, [(written_marks(marks), student.id)])
    for case in students_cases(desk.connection, student.id):
        machine = desk.machine(case.shape)
        if machine.is_final(case.state):
            continue
        moved: dict[str, Json] = {"unit": row.code, "was": case.unit}
        after = case._replace(unit=row.code, path=row.path)
        there = Found(case=after, known=student.facts, student_no=student.student_no, record=student.record)
        change = change_of(desk, there, deadlines.of_case(desk.connection, case.id), request)
        if change is not None:
            moved["deadlines"] = change.told
            write_changes(desk, [change])
        told: dict[str, Json] = {"at": moment(request.at), "actor": request.actor.login, "cause": cause, "data": moved}
        event_of_case = write_event(desk, machine, case, EventKind.RELOCATED, told)
        if not relocate_case(desk.connection, case, (row.code, row.path), event_of_case):
            raise StaleCase(case.number, case.revision)
        write_events(desk.connection, [event_of_case])
        head = Head(seq=event_of_case.seq, hash=event_of_case.hash)
        there = there._replace(case=after._replace(revision=case.revision + 1, head=head))
        wait_elsewhere(desk, machine, there, request)
    settle_lookers(desk, {student.id: cause}, request)
    lanes.settle(desk, [case.id for case in students_cases(desk.connection, student.id)], request)
