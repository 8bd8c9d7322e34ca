"""Who was urged and when, and who is about to be, in the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from engine.records import Json
from engine.store.database import Connection
from engine.store.figures import parts
from engine.trail.event import canonical


class UrgedKey(NamedTuple):
    """Who is urged about what: the number of a case or `unit/CODE`, the role, and the rule."""

    scope: str
    role: str
    about: str


class UrgingRow(NamedTuple):
    """A selection of people to urge: by whom it was made and when, whom it names, and what came of it."""

    login: str
    made_at: str
    body: Mapping[str, Json]
    result: Mapping[str, Json] | None


def add_urged(connection: Connection, key: UrgedKey, day: str, at: str, login: str) -> bool:
    """Say that somebody is told on a day; False when they were told on it already."""
    done = connection.execute(
        "INSERT INTO urged (scope, role, about, day, at, login) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (*key, day, at, login),
    )
    return done.rowcount == 1


def last_urged(connection: Connection, about: str, scopes: Iterable[str]) -> dict[UrgedKey, str]:
    """When people were last urged about something, of those cases and units for which they were."""
    found: dict[UrgedKey, str] = {}
    for part in parts(sorted(set(scopes))):
        marks = ",".join("?" * len(part))
        sql = f"SELECT scope, role, max(at) FROM urged WHERE about = ? AND scope IN ({marks}) GROUP BY scope, role"  # noqa: S608
        for scope, role, at in connection.execute(sql, (about, *part)).fetchall():
            found[UrgedKey(str(scope), str(role), about)] = str(at)
    return found


def add_urging(connection: Connection, handle: str, login: str, made_at: str, body: Mapping[str, Json]) -> None:
    """Keep a selection."""
    connection.execute(
        "INSERT INTO urging (handle, login, made_at, body) VALUES (?, ?, ?, ?)",
        (handle, login, made_at, canonical(body).decode()),
    )


def urging(connection: Connection, handle: str) -> UrgingRow | None:
    """A selection by its handle, or None."""
    sql = "SELECT login, made_at, body, result FROM urging WHERE handle = ?"
    row = connection.execute(sql, (handle,)).fetchone()
    if row is None:
        return None
    login, made_at, body, result = row
    return UrgingRow(str(login), str(made_at), orjson.loads(body), None if result is None else orjson.loads(result))


def end_urging(connection: Connection, handle: str, result: Mapping[str, Json]) -> bool:
    """Keep what came of a selection; False when something has already."""
    sql = "UPDATE urging SET result = ? WHERE handle = ? AND result IS NULL"
    return connection.execute(sql, (canonical(result).decode(), handle)).rowcount == 1
