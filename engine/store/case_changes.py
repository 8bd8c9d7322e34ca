"""What becomes of cases without a step: they go along with their student, or over to another version."""

from __future__ import annotations

from engine.definition import CANCELLED
from engine.records import Case
from engine.store.cases import CASE_COLUMNS, case_from, write_events
from engine.store.database import Connection
from engine.trail.event import Written


def relocate_case(connection: Connection, case: Case, place: tuple[str, str], event: Written) -> bool:
    """Write the unit and path a case belongs to from now on, and the end of its chain; False when it has moved on."""
    done = connection.execute(
        "UPDATE cases SET unit = ?, path = ?, seq = ?, head = ?, revision = revision + 1"
        " WHERE id = ? AND revision = ? AND seq = ?",
        (*place, event.seq, event.hash, case.id, case.revision, case.head.seq),
    )
    return done.rowcount == 1


def open_cases(connection: Connection, workflow: str) -> list[Case]:
    """The cases of a workflow that are not cancelled, by number."""
    sql = f"SELECT {CASE_COLUMNS} FROM cases c WHERE c.workflow = ? AND c.state <> ? ORDER BY c.id"  # noqa: S608 constant
    return [case_from(row) for row in connection.execute(sql, (workflow, CANCELLED)).fetchall()]


def migrate_case(connection: Connection, case: Case, kept: tuple[str, str, str], event: Written) -> bool:
    """Write the shape, state and moment of entering it that a case has from now on; False when it has moved on."""
    done = connection.execute(
        "UPDATE cases SET shape = ?, state = ?, entered_at = ?, seq = ?, head = ?, revision = revision + 1"
        " WHERE id = ? AND revision = ? AND seq = ?",
        (*kept, event.seq, event.hash, case.id, case.revision, case.head.seq),
    )
    if done.rowcount == 1:
        write_events(connection, (event,))
    return done.rowcount == 1
