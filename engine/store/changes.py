"""Changes of people, their tokens and units, as the registry's chain tells of them, newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import orjson

from engine.records import Json
from engine.store.database import NEWEST, Connection
from engine.store.trail import containing
from engine.trail.event import REGISTRY, EventKind, canonical

OF_PEOPLE_AND_UNITS = frozenset(
    map(str, (EventKind.ROLE_CHANGED, EventKind.ACCOUNT_CHANGED, EventKind.TOKEN_CHANGED, EventKind.UNIT_CHANGED))
)
"""Kinds of event that tell who may do what, and which units there are."""
_CHUNK = 500


def changes(connection: Connection, kinds: Collection[str], before: int | None) -> Iterator[Mapping[str, Any]]:
    """The registry's events of some kinds before one of them, newest first, read as they are wanted."""
    sql = "SELECT seq, body FROM event WHERE chain = ? AND seq < ? ORDER BY seq DESC LIMIT ?"
    last = before or NEWEST
    while rows := connection.execute(sql, (REGISTRY, last, _CHUNK)).fetchall():
        for seq, body in rows:
            last = int(seq)
            event = orjson.loads(bytes(body))
            if event["kind"] in kinds:
                yield event


def givers(connection: Connection, logins: Sequence[str]) -> dict[tuple[str, str, str, str], str]:
    """Who gave people their roles: by login, role, unit and moment. What began before the trail is not told."""
    has = containing(connection)
    found: dict[tuple[str, str, str, str], str] = {}
    for start in range(0, len(logins), _CHUNK):
        asked = [_said(login=login) for login in logins[start : start + _CHUNK]]
        anybody = " OR ".join([has] * len(asked))
        sql = f"SELECT e.body FROM event e WHERE e.chain = ? AND {has} AND {has} AND ({anybody})"  # noqa: S608 constant text
        params = (REGISTRY, _said(kind=EventKind.ROLE_CHANGED), b'"held":true', *asked)
        for (body,) in connection.execute(sql, params).fetchall():
            event = orjson.loads(bytes(body))
            data = event["data"]
            if event["kind"] == EventKind.ROLE_CHANGED and "unit" in data:
                found[data["login"], data["role"], data["unit"], event["at"]] = str(event["actor"])
    return found


def _said(**what: Json) -> bytes:
    """A name and its value as they stand in the bytes of an event."""
    return canonical(what)[1:-1]


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
