"""Absences in the database, row by row: who is away when, and who said so where it was not the person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from engine.store.database import Connection, Row
from engine.store.students import below
from engine.trail.event import moment

_ROWS = "SELECT a.id, a.login, a.first_day, a.last_day, a.told_by, a.told_at, a.reason FROM absence a"
_AT_UNITS = (
    f"{_ROWS} WHERE a.last_day >= ? AND (a.first_day > ? OR a.first_day = ? AND a.id > ?)"  # noqa: S608 constant text
    " AND NOT EXISTS (SELECT 1 FROM credential c WHERE c.login = a.login AND c.disabled_at IS NOT NULL)"
    " AND EXISTS (SELECT 1 FROM role_grant g JOIN unit u ON u.code = g.unit"
    " WHERE g.login = a.login AND g.until IS NULL AND ({within})) ORDER BY a.first_day, a.id LIMIT ?"
)


class AbsenceRow(NamedTuple):
    """Days on which a person is away, first and last included; who told it, when and why, None: the person did."""

    id: int
    login: str
    first: date
    last: date
    told_by: str | None = None
    told_at: datetime | None = None
    reason: str | None = None


def at_units(
    connection: Connection, paths: Sequence[str], day: date, after: tuple[str, int], most: int
) -> list[AbsenceRow]:
    """Who is away, from a day on, of those who hold a role at some units or below and may sign in.

    By first day and number, from after one of them on (("", 0): from the first), so many at most.
    """
    within = " OR ".join("u.path >= ? AND u.path < ?" for _ in paths) or "1 = 0"
    ends = [end for path in paths for end in below(path)]
    first, number = after
    sql = _AT_UNITS.format(within=within)
    rows = connection.execute(sql, (day.isoformat(), first, first, number, *ends, most)).fetchall()
    return [_absence(row) for row in rows]


def of_person(connection: Connection, login: str | None) -> list[AbsenceRow]:
    """When a person, or (None) anybody, is away or was, by login and day."""
    where, params = ("", ()) if login is None else (" WHERE a.login = ?", (login,))
    rows = connection.execute(f"{_ROWS}{where} ORDER BY a.login, a.first_day, a.id", params).fetchall()
    return [_absence(row) for row in rows]


def absence(connection: Connection, number: int) -> AbsenceRow | None:
    """One of them by its number."""
    row = connection.execute(f"{_ROWS} WHERE a.id = ?", (number,)).fetchone()
    return None if row is None else _absence(row)


def add(connection: Connection, one: AbsenceRow) -> None:
    """Keep one, whatever its `id`."""
    connection.execute(
        "INSERT INTO absence (login, first_day, last_day, told_by, told_at, reason) VALUES (?, ?, ?, ?, ?, ?)",
        (one.login, *_kept(one)),
    )


def change(connection: Connection, one: AbsenceRow) -> None:
    """Keep one otherwise than it was."""
    connection.execute(
        "UPDATE absence SET first_day = ?, last_day = ?, told_by = ?, told_at = ?, reason = ? WHERE id = ?",
        (*_kept(one), one.id),
    )


def end(connection: Connection, number: int) -> None:
    """Forget one."""
    connection.execute("DELETE FROM absence WHERE id = ?", (number,))


def _kept(one: AbsenceRow) -> tuple[str | None, ...]:
    told_at = None if one.told_at is None else moment(one.told_at)
    return one.first.isoformat(), one.last.isoformat(), one.told_by, told_at, one.reason


def _absence(row: Row) -> AbsenceRow:
    number, login, first, last, told_by, told_at, reason = row
    return AbsenceRow(
        id=int(number), login=str(login), first=date.fromisoformat(first), last=date.fromisoformat(last),
        told_by=told_by, told_at=None if told_at is None else datetime.fromisoformat(told_at), reason=reason,
    )  # fmt: skip
