"""What a move of a unit touches, in the database: paths of units, cases and places to wait; who looks from above."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from engine.store.database import Connection
from engine.store.students import below
from engine.trail.event import moment

_PATHS = (("unit", "path"), ("cases", "path"), ("waiting", "path"), ("lane", "path"), ("lane", "at_path"))
"""Every column that keeps where something is in the tree."""
_ONLOOKERS = (
    "SELECT g.login, coalesce(a.name, g.login), g.role, g.unit, u.path FROM role_grant g JOIN unit u ON u.code = g.unit"
    " JOIN account a ON a.login = g.login WHERE g.until IS NULL AND u.path IN ({marks})"
    " UNION SELECT d.taker, coalesce(a.name, d.taker), d.role, d.unit, u.path FROM delegation d"
    " JOIN unit u ON u.code = d.unit JOIN account a ON a.login = d.taker"
    " WHERE d.revoked_at IS NULL AND NOT d.for_good AND d.case_id IS NULL AND d.until >= ? AND u.path IN ({marks})"
    " ORDER BY 5, 3, 1"
)


class Onlooker(NamedTuple):
    """Somebody who holds a role at a unit, or is lent it for every case there."""

    login: str
    name: str
    role: str
    unit: str
    path: str


def onlookers(connection: Connection, paths: Sequence[str], at: datetime) -> list[Onlooker]:
    """Who holds or is lent a role at some units, topmost unit first."""
    sql = _ONLOOKERS.format(marks=",".join("?" * len(paths)))
    rows = connection.execute(sql, (*paths, moment(at), *paths)).fetchall()
    return [Onlooker(*map(str, row)) for row in rows]


def cases_below(connection: Connection, path: str) -> list[tuple[int, str, str]]:
    """The cases at a unit and below with their shape and state, by number."""
    sql = "SELECT id, shape, state FROM cases WHERE path >= ? AND path < ? ORDER BY id"
    return [(int(case), str(shape), str(state)) for case, shape, state in connection.execute(sql, below(path))]


def counted_below(connection: Connection, path: str) -> list[tuple[str, str, str, int]]:
    """How many cases there are at each unit at or below one, by path, shape and state."""
    sql = "SELECT path, shape, state, count(*) FROM cases WHERE path >= ? AND path < ? GROUP BY path, shape, state"
    rows = connection.execute(sql, below(path)).fetchall()
    return [(str(at), str(shape), str(state), int(number)) for at, shape, state, number in rows]


def seated_below(connection: Connection, path: str) -> list[int]:
    """The cases in which a signer was added at a unit or below it: the seat keeps the path it was added at."""
    sql = "SELECT id FROM cases WHERE slots LIKE ? ESCAPE '!' ORDER BY id"
    escaped = path.replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return [int(row[0]) for row in connection.execute(sql, (f'%"path":"{escaped}%',)).fetchall()]


def move(connection: Connection, code: str, under: str, paths: tuple[str, str]) -> None:
    """Write a unit under another, and (old, new) where it and everything below it are in the tree."""
    old, new = paths
    connection.execute("UPDATE unit SET parent = ? WHERE code = ?", (under, code))
    for table, column in _PATHS:
        connection.execute(
            f"UPDATE {table} SET {column} = CAST(? AS text) || substr({column}, ?)"  # noqa: S608 names of this module
            f" WHERE {column} >= ? AND {column} < ?",
            (new, len(old) + 1, *below(old)),
        )
