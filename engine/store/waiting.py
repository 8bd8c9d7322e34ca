"""What waits for whom, in the database: cases in a state, and the places to wait at other units than their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.definition import CANCELLED
from engine.records import Case
from engine.store.cases import CASE_COLUMNS, case_from
from engine.store.database import Connection
from engine.store.students import below

_WIDTH = len(CASE_COLUMNS.split(","))
_FROM = " FROM cases c LEFT JOIN student s ON s.id = c.student"
_OLDEST_FIRST = " ORDER BY c.entered_at, c.id LIMIT ?"


class Reach(NamedTuple):
    """Which cases a right reaches: those at a unit or below it, of them one case only, or those of one student."""

    path: str = ""
    case: int | None = None
    student: int | None = None


class CaseRow(NamedTuple):
    """A case that waits, with the number of the student it is about."""

    case: Case
    student_no: str | None


class PlaceRow(NamedTuple):
    """A case that waits elsewhere than at its own unit: for which step, and at which seat if it is signed."""

    waiting: CaseRow
    trigger: str
    slot: str


def waiting_in(connection: Connection, place: tuple[str, str], reach: Reach, limit: int) -> list[CaseRow]:
    """The cases of a shape in a state that a right reaches, longest waiting first."""
    where, params = _within("c.path", reach)
    sql = f"SELECT {CASE_COLUMNS}, s.student_no{_FROM} WHERE c.shape = ? AND c.state = ? AND {where}{_OLDEST_FIRST}"
    rows = connection.execute(sql, (*place, *params, limit)).fetchall()
    return [CaseRow(case_from(row), row[_WIDTH]) for row in rows]


def waiting_elsewhere(connection: Connection, role: str, reach: Reach, limit: int) -> list[PlaceRow]:
    """The places where a role is waited for that a right reaches, those of the longest waiting cases first."""
    where, params = _within("w.path", reach)
    sql = (
        f"SELECT {CASE_COLUMNS}, s.student_no, w.trigger, w.slot{_FROM} JOIN waiting w ON w.case_id = c.id"
        f" WHERE w.role = ? AND {where}{_OLDEST_FIRST}"
    )
    rows = connection.execute(sql, (role, *params, limit)).fetchall()
    return [PlaceRow(CaseRow(case_from(row), row[_WIDTH]), *row[_WIDTH + 1 :]) for row in rows]


def places_of(connection: Connection, case: int) -> list[tuple[str, str]]:
    """Where a case waits elsewhere than at its own unit: role, and path of the unit."""
    rows = connection.execute("SELECT DISTINCT role, path FROM waiting WHERE case_id = ? ORDER BY role, path", (case,))
    return [(str(role), str(path)) for role, path in rows.fetchall()]


def frozen_in(connection: Connection, place: tuple[str, str]) -> list[tuple[int, str, str]]:
    """The cases of a shape in a state that stand on frozen lists: each with the shape and state of the list."""
    rows = connection.execute(
        "SELECT c.id, l.shape, l.state FROM member m JOIN cases c ON c.id = m.member AND m.stay = c.entered_at"
        " JOIN cases l ON l.id = m.list_id WHERE c.shape = ? AND c.state = ? AND l.state <> ?",
        (*place, CANCELLED),
    ).fetchall()
    return [(int(case), str(shape), str(state)) for case, shape, state in rows]


def _within(column: str, reach: Reach) -> tuple[str, Sequence[object]]:
    if reach.student is not None:
        return "c.student = ?", (reach.student,)
    if reach.case is None:
        return f"{column} >= ? AND {column} < ?", below(reach.path)
    return f"{column} >= ? AND {column} < ? AND c.id = ?", (*below(reach.path), reach.case)
