"""What waits for which role where, and who could act in it: read for the calendar of days on which nobody can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from engine.store.database import Connection
from engine.store.delegations import HOLDS
from engine.store.students import below
from engine.trail.event import moment


class Post(NamedTuple):
    """A role that is waited for at a unit, by its path, and how many cases wait."""

    role: str
    path: str
    cases: int


class Able(NamedTuple):
    """Somebody who can act in a role at a unit and below: by a right of the own, or one lent from when until when."""

    login: str
    role: str
    path: str
    since: datetime | None
    until: datetime | None


def posts(connection: Connection, paths: Sequence[str]) -> list[Post]:
    """What waits at some units and below them, most cases first."""
    within = " OR ".join("at_path >= ? AND at_path < ?" for _ in paths) or "1 = 0"
    ends = [end for path in paths for end in below(path)]
    rows = connection.execute(
        f"SELECT role, at_path, count(DISTINCT case_id) FROM lane WHERE {within}"  # noqa: S608 question marks only
        " GROUP BY role, at_path ORDER BY 3 DESC, at_path, role",
        tuple(ends),
    ).fetchall()
    return [Post(str(role), str(path), int(cases)) for role, path, cases in rows]


def able(connection: Connection, roles: Sequence[str], at: datetime) -> Iterator[Able]:
    """Everybody who may sign in and holds one of some roles, or is lent it for every case of a unit."""
    marks = ",".join("?" * len(roles))
    sql = (
        "SELECT g.login, g.role, u.path, NULL, NULL FROM role_grant g JOIN unit u ON u.code = g.unit"  # noqa: S608 marks only
        f" LEFT JOIN credential c ON c.login = g.login WHERE g.until IS NULL AND g.role IN ({marks})"
        " AND c.disabled_at IS NULL UNION ALL"
        " SELECT d.taker, d.role, u.path, d.since, d.until FROM delegation d JOIN unit u ON u.code = d.unit"
        f" LEFT JOIN credential c ON c.login = d.taker WHERE d.role IN ({marks}) AND d.case_id IS NULL"
        " AND d.revoked_at IS NULL AND NOT d.for_good AND d.until >= ? AND c.disabled_at IS NULL"
        f" AND {HOLDS.format('giver')}"
    )
    for login, role, path, since, until in connection.execute(sql, (*roles, *roles, moment(at))).fetchall():
        yield Able(str(login), str(role), str(path), _at(since), _at(until))


def _at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def away_from(connection: Connection, day: date) -> dict[str, list[tuple[date, date]]]:
    """Who is away from a day on, by login: first and last days."""
    found: dict[str, list[tuple[date, date]]] = {}
    sql = "SELECT login, first_day, last_day FROM absence WHERE last_day >= ? ORDER BY login, first_day"
    for login, first, last in connection.execute(sql, (day.isoformat(),)).fetchall():
        found.setdefault(str(login), []).append((date.fromisoformat(first), date.fromisoformat(last)))
    return found
