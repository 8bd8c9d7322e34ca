"""Delegations in the database: who lets whom act (委派), and to whom a case was handed over (转办)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from engine.store.database import Connection, Row
from engine.store.students import below
from engine.trail.event import REGISTRY, EventKind, moment

HOLDS = (
    "EXISTS (SELECT 1 FROM role_grant h JOIN unit hu ON hu.code = h.unit WHERE h.login = d.{0} AND h.role = d.role"
    " AND h.until IS NULL AND substr(u.path, 1, length(hu.path)) = hu.path)"
)
"""That the giver, or the taker, of a delegation `d` holds its role at its unit `u` or above."""

LENT = (
    "SELECT a.student, d.role, d.unit, u.path, d.giver, d.case_id, d.since, d.until, d.reason FROM account a"  # noqa: S608 constant
    " JOIN delegation d ON d.taker = a.login JOIN unit u ON u.code = d.unit"
    " WHERE a.login = ? AND d.revoked_at IS NULL AND NOT d.for_good"
    f" AND (d.role = 'student' OR {HOLDS.format('giver')})"
)
"""What is lent to a person and not taken back; what its giver has lost is lent no more. A student's is never lost."""

_PASSED = (
    "SELECT d.id, d.giver, d.taker, coalesce(g.name, d.giver), coalesce(t.name, d.taker), d.role, d.unit,"
    " d.case_id, d.reason, d.since, d.until, d.revoked_at FROM delegation d JOIN unit u ON u.code = d.unit"
    " LEFT JOIN account g ON g.login = d.giver LEFT JOIN account t ON t.login = d.taker"
)
PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationRow:
    """One delegation as kept; moments as the trail writes them. `case` None: every case of the unit and below."""

    giver: str
    taker: str
    role: str
    unit: str
    case: int | None
    reason: str
    for_good: bool
    since: str
    until: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRow:
    """A delegation that can be taken back: its row, whose it is, where it counts, and its last moment."""

    id: int
    giver: str
    unit: str
    until: str


class Passed(NamedTuple):
    """A delegation as it is shown to people: who to whom, in which role where, why, from when until when.

    `giver` and `taker` are logins, the others how they are addressed. `case` None: every case of the unit. `ended`:
    taken back, or over.
    """

    id: int
    giver: str
    taker: str
    giver_name: str
    taker_name: str
    role: str
    unit: str
    case: int | None
    reason: str
    since: datetime
    until: datetime | None
    ended: bool


def passed(
    connection: Connection, paths: Sequence[str], at: datetime, before: int, most: int, *, is_over: bool
) -> list[Passed]:
    """What is lent (委派) at some units and below them, or was and is no more; newest first, so many at most."""
    within = " OR ".join("u.path >= ? AND u.path < ?" for _ in paths) or "1 = 0"
    ends = [end for path in paths for end in below(path)]
    counts = "(d.revoked_at IS NULL AND d.until >= ?)"
    rows = connection.execute(
        f"{_PASSED} WHERE NOT d.for_good AND d.id < ? AND ({within}) AND {'NOT ' if is_over else ''}{counts}"
        " ORDER BY d.id DESC LIMIT ?",
        (before, *ends, moment(at), most),
    ).fetchall()
    return [_passed(row, at) for row in rows]


def passed_by(connection: Connection, login: str, at: datetime) -> list[Passed]:
    """What somebody lends for every case of a unit, and is lent so; newest first."""
    rows = connection.execute(
        f"{_PASSED} WHERE NOT d.for_good AND d.case_id IS NULL AND d.revoked_at IS NULL AND d.until >= ?"
        " AND (d.giver = ? OR d.taker = ?) ORDER BY d.id DESC",
        (moment(at), login, login),
    ).fetchall()
    return [_passed(row, at) for row in rows]


def _passed(row: Row, at: datetime) -> Passed:
    number, giver, taker, giver_name, taker_name, role, unit, case, reason, since, until, revoked = row
    ends = None if until is None else datetime.fromisoformat(until)
    ended = revoked is not None or (ends is not None and ends < at)
    begun = datetime.fromisoformat(since)
    names = (giver, taker, giver_name, taker_name)
    return Passed(int(number), *names, role, unit, case, reason, begun, ends, ended)


def last_refused(connection: Connection, most: int) -> list[Mapping[str, Any]]:
    """By which events passing a role on at a unit was refused, newest first, among the registry's latest `most`."""
    rows = connection.execute(
        "SELECT body FROM event WHERE chain = ? ORDER BY seq DESC LIMIT ?", (REGISTRY, most)
    ).fetchall()
    events = (orjson.loads(bytes(row[0])) for row in rows)
    return [one for one in events if one["kind"] == EventKind.REFUSED and "given" in one["data"]]


def add_delegation(connection: Connection, row: DelegationRow) -> None:
    """Keep a delegation."""
    connection.execute(
        "INSERT INTO delegation (giver, taker, role, unit, case_id, reason, for_good, since, until)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (row.giver, row.taker, row.role, row.unit, row.case, row.reason, row.for_good, row.since, row.until),
    )


def standing(connection: Connection, giver: str, taker: str, role: str, case: int | None) -> list[StandingRow]:
    """What one person lends another in a role, for one case or (None) for all, oldest first."""
    rows = connection.execute(
        "SELECT id, unit, until FROM delegation WHERE giver = ? AND taker = ? AND role = ? AND coalesce(case_id, 0) = ?"
        " AND revoked_at IS NULL AND NOT for_good ORDER BY id",
        (giver, taker, role, case or 0),
    ).fetchall()
    return [StandingRow(id=number, giver=giver, unit=str(unit), until=str(until)) for number, unit, until in rows]


def lent_by(connection: Connection, giver: str, role: str, at: datetime) -> int:
    """How many things somebody lends of a role at a moment."""
    [(number,)] = connection.execute(
        "SELECT count(*) FROM delegation WHERE giver = ? AND role = ? AND revoked_at IS NULL AND NOT for_good"
        " AND (until IS NULL OR until >= ?)",
        (giver, role, moment(at)),
    ).fetchall()
    return int(number)


def revoke_delegation(connection: Connection, delegation: int, at: str) -> None:
    """Take one back; the row stays."""
    connection.execute("UPDATE delegation SET revoked_at = ? WHERE id = ?", (at, delegation))


def handed_to(connection: Connection, case: int, role: str) -> str | None:
    """Who has a case for good in a role: the last it was handed over to, as long as that person holds the role."""
    sql = (
        "SELECT d.taker FROM delegation d JOIN unit u ON u.code = d.unit"  # noqa: S608 constant text
        " WHERE d.case_id = ? AND d.role = ?"
        f" AND d.for_good AND {HOLDS.format('taker')} ORDER BY d.id DESC LIMIT 1"
    )
    row = connection.execute(sql, (case, role)).fetchone()
    return None if row is None else str(row[0])


def had_by(connection: Connection, login: str) -> list[tuple[int, str]]:
    """What somebody has for good, as `handed_to` has it: cases with the role, by case."""
    wanted = "d.case_id IN (SELECT o.case_id FROM delegation o WHERE o.taker = ? AND o.for_good)"
    found = _handed_over(connection, wanted, (login,))
    return sorted(key for key, taker in found.items() if taker == login)


def handed_over(connection: Connection, roles: Sequence[str]) -> dict[tuple[int, str], str]:
    """Who has cases for good in some roles, by case and role; as `handed_to`, for all of them at once."""
    if not roles:
        return {}
    return _handed_over(connection, f"d.role IN ({','.join('?' * len(roles))})", tuple(roles))


def _handed_over(connection: Connection, wanted: str, params: tuple[object, ...]) -> dict[tuple[int, str], str]:
    sql = (
        "SELECT d.case_id, d.role, d.taker FROM delegation d JOIN unit u ON u.code = d.unit"  # noqa: S608 constant text
        f" WHERE {wanted} AND d.case_id IS NOT NULL AND d.for_good AND {HOLDS.format('taker')} ORDER BY d.id"
    )
    rows = connection.execute(sql, params).fetchall()
    return {(int(case), str(role)): str(taker) for case, role, taker in rows}
