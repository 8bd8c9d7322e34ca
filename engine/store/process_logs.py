"""Reading what happened to cases, case by case in the order of their chains, for logs that other tools read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from engine.store.database import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which cases: at or below one of the unit paths; of one batch, of one workflow, where these are given."""

    paths: tuple[str, ...]
    batch: str | None = None
    workflow: str | None = None


class LoggedCase(NamedTuple):
    """A case as its row stands now, with the number of its student where it has one."""

    id: int
    workflow: str
    shape: str
    unit: str
    batch: str | None
    state: str
    student: int | None
    student_no: str | None


_CASE = "c.id, c.workflow, c.shape, c.unit, c.batch, c.state, c.student, s.student_no"


def events_of(connection: Connection, scope: Scope) -> Iterator[tuple[LoggedCase, bytes]]:
    """Every event of the cases in scope with its case, by case and sequence; streamed, so call inside `reading`."""
    where, params = _where(scope)
    sql = (
        f"SELECT {_CASE}, e.body FROM cases c JOIN event e ON e.chain = c.id"  # noqa: S608 constant text and marks
        f" LEFT JOIN student s ON s.id = c.student WHERE {where} ORDER BY c.id, e.seq"
    )
    for *case, body in connection.stream(sql, params):
        yield LoggedCase(*case), bytes(body)


def cases_of(connection: Connection, scope: Scope) -> frozenset[int]:
    """The numbers of the cases in scope, as integers."""
    where, params = _where(scope)
    rows = connection.execute(f"SELECT c.id FROM cases c WHERE {where}", params)  # noqa: S608 constant text and marks
    return frozenset(int(row[0]) for row in rows)


def members_of(connection: Connection, scope: Scope) -> Iterator[tuple[int, int]]:
    """List and member of the lists in scope that are frozen, in that order; streamed, so call inside `reading`."""
    where, params = _where(scope)
    sql = f"SELECT m.list_id, m.member FROM cases c JOIN member m ON m.list_id = c.id WHERE {where} ORDER BY 1, 2"  # noqa: S608 constant text and marks
    for of, member in connection.stream(sql, params):
        yield int(of), int(member)


def _where(scope: Scope) -> tuple[str, tuple[object, ...]]:
    """The condition, and what its marks stand for: a path and all below it are one range of text."""
    reach = " OR ".join("(c.path >= ? AND c.path < ?)" for _ in scope.paths)
    params: list[object] = [bound for path in scope.paths for bound in (path, f"{path[:-1]}0")]
    conditions = [f"({reach})"]
    for column, value in (("c.batch", scope.batch), ("c.workflow", scope.workflow)):
        if value is not None:
            conditions.append(f"{column} = ?")
            params.append(value)
    return " AND ".join(conditions), tuple(params)
