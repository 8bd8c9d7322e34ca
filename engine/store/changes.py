"""Changes of people, their tokens and units, as the registry's chain tells of them, newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import orjson

from engine.store.database import Connection
from engine.trail.event import REGISTRY, EventKind

OF_PEOPLE_AND_UNITS = frozenset(
    map(str, (EventKind.ROLE_CHANGED, EventKind.ACCOUNT_CHANGED, EventKind.TOKEN_CHANGED, EventKind.UNIT_CHANGED))
)
"""Kinds of event that tell who may do what, and which units there are."""
_CHUNK = 500
_NEWEST = 2**62


def changes(connection: Connection, kinds: Collection[str], before: int | None) -> Iterator[Mapping[str, Any]]:
    """The registry's events of some kinds before one of them, newest first, read as they are wanted."""
    sql = "SELECT seq, body FROM event WHERE chain = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
    last = before or _NEWEST
    while rows := connection.execute(sql, (REGISTRY, last, _CHUNK)).fetchall():
        for seq, body in rows:
            last = int(seq)
            event = orjson.loads(bytes(body))
            if event["kind"] in kinds:
                yield event


def ever_at(connection: Connection, logins: Sequence[str]) -> dict[str, set[str]]:
    """The units, by code, at which people ever held a role, by login."""
    found: dict[str, set[str]] = {}
    for start in range(0, len(logins), _CHUNK):
        part = tuple(logins[start : start + _CHUNK])
        marks = ",".join("?" * len(part))
        sql = f"SELECT DISTINCT login, unit FROM role_grant WHERE login IN ({marks})"  # noqa: S608 marks only
        for login, unit in connection.execute(sql, part).fetchall():
            found.setdefault(str(login), set()).add(str(unit))
    return found
