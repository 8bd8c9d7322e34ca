"""Absences in the database, row by row: who is away when, who said so where it was not the person, who stands in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from engine.store.database import Connection, Row
from engine.store.students import below
from engine.trail.event import moment

_ROWS = (
    "SELECT a.id, a.login, a.first_day, a.last_day, a.told_by, a.told_at, a.reason, a.stand_in, a.roles FROM absence a"
)


class AbsenceRow(NamedTuple):
    """Days on which a person is away, first and last included.

    `told_by` None: the person said so. Else who did, when and why; `stand_in` is who stands in, if anybody, in which
    of the person's `roles`.
    """

    id: int
    login: str
    first: date
    last: date
    told_by: str | None = None
    told_at: datetime | None = None
    reason: str | None = None
    stand_in: str | None = None
    roles: tuple[str, ...] = ()


def at_units(connection: Connection, paths: Sequence[str], day: date, most: int) -> list[AbsenceRow]:
    """Who is away, from a day on, of those who hold a role at some units or below: by first day, so many at most."""
    within = " OR ".join("u.path >= ? AND u.path < ?" for _ in paths) or "1 = 0"
    ends = [end for path in paths for end in below(path)]
    rows = connection.execute(
        f"{_ROWS} WHERE a.last_day >= ? AND EXISTS (SELECT 1 FROM role_grant g JOIN unit u ON u.code = g.unit"  # noqa: S608 question marks only
        f" WHERE g.login = a.login AND g.until IS NULL AND ({within})) ORDER BY a.first_day, a.login, a.id LIMIT ?",
        (day.isoformat(), *ends, most),
    ).fetchall()
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


def add(connection: Connection, one: AbsenceRow) -> int:
    """Keep one, whatever its `id`; its number."""
    row = connection.execute(
        "INSERT INTO absence (login, first_day, last_day, told_by, told_at, reason, stand_in, roles)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (one.login, *_kept(one)),
    ).fetchone()
    assert row is not None  # noqa: S101 a row that was written has a number
    return int(row[0])


def change(connection: Connection, one: AbsenceRow) -> None:
    """Keep one otherwise than it was."""
    connection.execute(
        "UPDATE absence SET first_day = ?, last_day = ?, told_by = ?, told_at = ?, reason = ?, stand_in = ?, roles = ?"
        " WHERE id = ?",
        (*_kept(one), one.id),
    )


def end(connection: Connection, number: int) -> None:
    """Forget one."""
    connection.execute("DELETE FROM absence WHERE id = ?", (number,))


def _kept(one: AbsenceRow) -> tuple[str | None, ...]:
    days = (one.first.isoformat(), one.last.isoformat())
    told_at = None if one.told_at is None else moment(one.told_at)
    return *days, one.told_by, told_at, one.reason, one.stand_in, " ".join(one.roles) or None


def _absence(row: Row) -> AbsenceRow:
    number, login, first, last, told_by, told_at, reason, stand_in, roles = row
    return AbsenceRow(
        id=int(number), login=str(login), first=date.fromisoformat(first), last=date.fromisoformat(last),
        told_by=told_by, told_at=None if told_at is None else datetime.fromisoformat(told_at), reason=reason,
        stand_in=stand_in, roles=tuple((roles or "").split()),
    )  # fmt: skip
