"""Frozen lists and places to wait, in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import orjson

from engine.definition import CANCELLED
from engine.records import Case
from engine.store.cases import CASE_COLUMNS, case_from
from engine.store.database import Connection
from engine.store.relations import Neighbour

_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a step or signature waits when that is not the case's own unit."""

    trigger: str
    slot: str
    role: str
    unit: str
    path: str


def freeze(connection: Connection, case: int, kind: str, members: Iterable[Case]) -> None:
    """Fix the members of a list; one that another list of the kind has taken in this stay is refused by its key."""
    connection.executemany(
        "INSERT INTO member (list_id, member, kind, stay) VALUES (?, ?, ?, ?)",
        [(case, one.id, kind, one.entered_at) for one in members],
    )


def release(connection: Connection, case: int) -> None:
    """Let the members of a list go."""
    connection.execute("DELETE FROM member WHERE list_id = ?", (case,))


def frozen_members(connection: Connection, case: int) -> list[Neighbour]:
    """The members of a frozen list as they stand, by number."""
    sql = (
        f"SELECT {CASE_COLUMNS}, s.facts FROM member m JOIN cases c ON c.id = m.member"  # noqa: S608 constant text
        " LEFT JOIN student s ON s.id = c.student WHERE m.list_id = ? ORDER BY c.id"
    )
    rows = connection.execute(sql, (case,)).fetchall()
    return [Neighbour(case=case_from(row[:-1]), facts={} if row[-1] is None else orjson.loads(row[-1])) for row in rows]


class Listing(NamedTuple):
    """A list as it stands: its case, how many members are fixed on it, and the deadline that ends first."""

    case: Case
    members: int
    due_at: datetime | None
    deadline: str | None


def standing(
    connection: Connection, workflows: Sequence[str], sight: tuple[str, Sequence[object]], limit: int
) -> list[Listing]:
    """The lists of some kinds, the newest first, each with the deadline that is still to be met and ends first.

    Args:
        connection: Where they are.
        workflows: The kinds.
        sight: The condition that says which may be known of (`engine.visibility`), and its parameters.
        limit: So many at most.
    """
    marks = ",".join("?" * len(workflows))
    sql = (
        f"SELECT {CASE_COLUMNS}, (SELECT count(*) FROM member m WHERE m.list_id = c.id),"  # noqa: S608 question marks
        " (SELECT min(d.due_at) FROM deadline d WHERE d.case_id = c.id AND NOT d.settled), (SELECT d.name FROM"
        " deadline d WHERE d.case_id = c.id AND NOT d.settled ORDER BY d.due_at IS NULL, d.due_at, d.name LIMIT 1)"
        f" FROM cases c WHERE c.workflow IN ({marks}) AND c.state <> ? AND {sight[0]} ORDER BY c.id DESC LIMIT ?"
    )
    rows = connection.execute(sql, (*workflows, CANCELLED, *sight[1], limit)).fetchall()
    return [_listing(case_from(row[:-3]), *row[-3:]) for row in rows]


def _listing(case: Case, members: int, due: str | None, deadline: str | None) -> Listing:
    return Listing(case, int(members), None if due is None else datetime.fromisoformat(due), deadline)


def lists_of(connection: Connection, case: int) -> list[int]:
    """The lists on which a case is frozen now."""
    sql = (
        "SELECT m.list_id FROM member m JOIN cases l ON l.id = m.list_id JOIN cases c ON c.id = m.member"
        " WHERE m.member = ? AND m.stay = c.entered_at AND l.state <> ? ORDER BY m.list_id"
    )
    return [int(row[0]) for row in connection.execute(sql, (case, CANCELLED)).fetchall()]


def gathered(connection: Connection, kind: str, cases: Sequence[Case]) -> set[int]:
    """Those of some cases that a list of a kind has taken already in their present stay."""
    stays = {one.id: one.entered_at for one in cases}
    found: set[int] = set()
    ids = list(stays)
    for start in range(0, len(ids), _MOST):
        part = ids[start : start + _MOST]
        marks = ",".join("?" * len(part))
        sql = f"SELECT member, stay FROM member WHERE kind = ? AND member IN ({marks})"  # noqa: S608 question marks
        rows = connection.execute(sql, (kind, *part)).fetchall()
        found.update(int(member) for member, stay in rows if stays[int(member)] == stay)
    return found


def member_paths(connection: Connection, case: int) -> list[str]:
    """The paths of the units that the members of a frozen list belong to, each once."""
    sql = "SELECT DISTINCT c.path FROM member m JOIN cases c ON c.id = m.member WHERE m.list_id = ? ORDER BY c.path"
    return [str(row[0]) for row in connection.execute(sql, (case,)).fetchall()]


def wait_at(connection: Connection, case: int, places: Iterable[Place]) -> None:
    """Write anew where a case waits beside its own unit."""
    connection.execute("DELETE FROM waiting WHERE case_id = ?", (case,))
    rows = [(case, one.trigger, one.slot, one.role, one.unit, one.path) for one in places]
    if rows:
        connection.executemany(
            "INSERT INTO waiting (case_id, trigger, slot, role, unit, path) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
