"""Delegations in the database: who lets whom act (委派), and to whom a case was handed over (转办)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.store.database import Connection

_HOLDS = (
    "EXISTS (SELECT 1 FROM role_grant h JOIN unit hu ON hu.code = h.unit WHERE h.login = d.{0} AND h.role = d.role"
    " AND h.until IS NULL AND substr(u.path, 1, length(hu.path)) = hu.path)"
)

LENT = (
    "SELECT a.student, d.role, d.unit, u.path, d.giver, d.case_id, d.until, d.reason FROM account a"  # noqa: S608 constant
    " JOIN delegation d ON d.taker = a.login JOIN unit u ON u.code = d.unit"
    " WHERE a.login = ? AND d.revoked_at IS NULL AND NOT d.for_good"
    f" AND (d.role = 'student' OR {_HOLDS.format('giver')})"
)
"""What is lent to a person and not taken back; what its giver has lost is lent no more. A student's is never lost."""


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


def revoke_delegation(connection: Connection, delegation: int, at: str) -> None:
    """Take one back; the row stays."""
    connection.execute("UPDATE delegation SET revoked_at = ? WHERE id = ?", (at, delegation))


def handed_to(connection: Connection, case: int, role: str) -> str | None:
    """Who has a case for good in a role: the last it was handed over to, as long as that person holds the role."""
    sql = (
        "SELECT d.taker FROM delegation d JOIN unit u ON u.code = d.unit"  # noqa: S608 constant text
        " WHERE d.case_id = ? AND d.role = ?"
        f" AND d.for_good AND {_HOLDS.format('taker')} ORDER BY d.id DESC LIMIT 1"
    )
    row = connection.execute(sql, (case, role)).fetchone()
    return None if row is None else str(row[0])


def handed_over(connection: Connection, roles: Sequence[str]) -> dict[tuple[int, str], str]:
    """Who has cases for good in some roles, by case and role; as `handed_to`, for all of them at once."""
    if not roles:
        return {}
    marks = ",".join("?" * len(roles))
    sql = (
        "SELECT d.case_id, d.role, d.taker FROM delegation d JOIN unit u ON u.code = d.unit"  # noqa: S608 marks only
        f" WHERE d.role IN ({marks}) AND d.case_id IS NOT NULL"
        f" AND d.for_good AND {_HOLDS.format('taker')} ORDER BY d.id"
    )
    rows = connection.execute(sql, tuple(roles)).fetchall()
    return {(int(case), str(role)): str(taker) for case, role, taker in rows}
