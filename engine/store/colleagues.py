"""Colleagues in the database: people with the rights held and lent now, how they are addressed, and who is kept out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from engine.actors import Actor, Grant
from engine.store.database import Connection, Row
from engine.store.delegations import HOLDS

_RIGHTS = (
    "SELECT a.login, a.name, a.student, c.disabled_at IS NOT NULL, r.role, r.unit, r.path, r.giver, r.case_id, r.since,"  # noqa: S608 constant
    " r.until FROM account a LEFT JOIN credential c ON c.login = a.login LEFT JOIN ("
    "SELECT g.login, g.role, g.unit, u.path, NULL AS giver, NULL AS case_id, NULL AS since, NULL AS until"
    " FROM role_grant g JOIN unit u ON u.code = g.unit WHERE g.until IS NULL"
    " UNION ALL SELECT d.taker, d.role, d.unit, u.path, d.giver, d.case_id, d.since, d.until"
    " FROM delegation d JOIN unit u ON u.code = d.unit WHERE d.revoked_at IS NULL AND NOT d.for_good"
    f" AND {HOLDS.format('giver')}) r ON r.login = a.login"
)
"""Everything somebody may act by, beside who it is; an account without any right gives one row."""


class Colleague(NamedTuple):
    """Somebody with an account: the rights held and lent now, how they are addressed, and whether they are kept out."""

    actor: Actor
    name: str | None
    is_closed: bool

    @property
    def said(self) -> str:
        """Name and login, as a sentence names somebody so that nobody else can be meant."""
        return f"{self.name} {self.actor.login}" if self.name else self.actor.login


def by_login(connection: Connection, logins: Sequence[str]) -> dict[str, Colleague]:
    """People by login; those not known are absent."""
    if not logins:
        return {}
    where = f"a.login IN ({','.join('?' * len(logins))})"
    return {one.actor.login: one for one in _read(connection, where, tuple(logins))}


def around(connection: Connection, paths: Iterable[str]) -> list[Colleague]:
    """Everybody who holds or is lent a role at one of some units or above it, with those rights; by login."""
    every = sorted({part for path in paths for part in _upwards(path)})
    return _read(connection, f"r.path IN ({','.join('?' * len(every))})", tuple(every)) if every else []


def _upwards(path: str) -> list[str]:
    """The paths of a unit and of those above it."""
    parts = path.strip("/").split("/")
    return [f"/{'/'.join(parts[:count])}/" for count in range(1, len(parts) + 1)]


def _read(connection: Connection, where: str, params: tuple[str, ...]) -> list[Colleague]:
    sql = f"{_RIGHTS} WHERE {where} ORDER BY a.login, r.path, r.role"
    rows = connection.execute(sql, params).fetchall()
    return [_colleague(list(some)) for _, some in groupby(rows, key=lambda row: str(row[0]))]


def _colleague(rows: Sequence[Row]) -> Colleague:
    login, name, student, is_closed, *_ = rows[0]
    rights = [_grant(row) for row in rows if row[4] is not None]
    actor = Actor(
        login=str(login),
        grants=tuple(one for one in rights if one.giver is None),
        delegated=tuple(one for one in rights if one.giver is not None),
        student=student,
    )
    return Colleague(actor, name, bool(is_closed))


def _grant(row: Row) -> Grant:
    role, unit, path, giver, case, since, until = row[4:]
    return Grant(role=role, unit=unit, path=path, giver=giver, case=case, since=since or "", until=until)
