"""Cases beside a case: those about the same student, in the same batch, in the same part of the organisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from engine.definition import CANCELLED
from engine.records import Case, Json
from engine.store.cases import CASE_COLUMNS, case_from
from engine.store.database import Connection
from engine.store.students import below

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What cases are looked for: of which workflows, and what they have in common with a case.

    `student`, `batch` and `path` narrow the search where they are given; `path` takes what lies at a unit, below it or
    above it. `apart_from` is the case itself.
    """

    workflows: tuple[str, ...]
    student: int | None = None
    batch: str | None = None
    path: str | None = None
    apart_from: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A case beside another, with what is known about its student."""

    case: Case
    facts: Mapping[str, Json]


def beside(connection: Connection, wanted: Beside) -> list[Neighbour]:
    """The cases that agree, those that are cancelled left out; by number."""
    where = [f"c.workflow IN ({_marks(wanted.workflows)})", "c.state <> ?", "c.id <> ?"]
    params: list[object] = [*wanted.workflows, CANCELLED, wanted.apart_from]
    if wanted.student is not None:
        where.append("c.student = ?")
        params.append(wanted.student)
    if wanted.batch is not None:
        where.append("c.batch = ?")
        params.append(wanted.batch)
    if wanted.path is not None:
        above = _prefixes(wanted.path)
        where.append(f"(c.path >= ? AND c.path < ? OR c.path IN ({_marks(above)}))")
        params += [*below(wanted.path), *above]
    sql = f"SELECT {CASE_COLUMNS}, s.facts FROM cases c LEFT JOIN student s ON s.id = c.student"  # noqa: S608 constant
    rows = connection.execute(f"{sql} WHERE {' AND '.join(where)} ORDER BY c.id", params).fetchall()
    return [Neighbour(case=case_from(row[:-1]), facts={} if row[-1] is None else orjson.loads(row[-1])) for row in rows]


def lock_students(connection: Connection, students: Iterable[int]) -> None:
    """Hold students for the rest of the transaction, in one order for everybody.

    So two acts cannot wait for each other in a circle. SQLite's writer has the whole database already.
    """
    ordered = sorted(set(students))
    if connection.is_sqlite:
        return
    for start in range(0, len(ordered), _CHUNK):
        part = ordered[start : start + _CHUNK]
        connection.execute("SELECT id FROM student WHERE id = ANY(?) ORDER BY id FOR UPDATE", (part,))


def students_on(connection: Connection, case: int) -> list[int]:
    """The student a case is about, and those of the members of a frozen list."""
    sql = (
        "SELECT student FROM cases WHERE id = ? AND student IS NOT NULL"
        " UNION SELECT c.student FROM member m JOIN cases c ON c.id = m.member"
        " WHERE m.list_id = ? AND c.student IS NOT NULL"
    )
    return [int(row[0]) for row in connection.execute(sql, (case, case)).fetchall()]


def _prefixes(path: str) -> tuple[str, ...]:
    """The paths of the units above one."""
    parts = path.split("/")[:-1]
    return tuple("/".join(parts[:count]) + "/" for count in range(1, len(parts)))


def _marks(many: Sequence[object]) -> str:
    return ",".join("?" * len(many))
