"""What a reader of definitions asks the database: where the cases of each version stand, who published what, when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from engine.store.database import Connection
from engine.trail.event import REGISTRY, EventKind

_MARK = f'"{EventKind.DEFINITION_PUBLISHED}"'.encode()
"""What stands in every event of that kind, and saves reading the others."""


class Version(NamedTuple):
    """A definition as kept: its hash, the profile, and its number."""

    hash: str
    profile: str
    version: int


class Publication(NamedTuple):
    """An event by which a definition or a rulebook was published; `data` is as in the event."""

    at: str
    actor: str
    data: Mapping[str, Any]


def standing(connection: Connection) -> dict[str, dict[str, int]]:
    """How many cases stand in each state, by the hash of their definition."""
    found: dict[str, dict[str, int]] = {}
    for shape, state, many in connection.execute("SELECT shape, state, count(*) FROM cases GROUP BY shape, state"):
        found.setdefault(str(shape), {})[str(state)] = int(many)
    return found


def versions(connection: Connection, workflow: str) -> list[Version]:
    """Every definition of a workflow that was ever published."""
    rows = connection.execute("SELECT hash, profile, version FROM shape WHERE workflow = ?", (workflow,)).fetchall()
    return [Version(str(one), str(profile), int(version)) for one, profile, version in rows]


def place_of_rulebook(connection: Connection, digest: str) -> int | None:
    """The place in the registry's chain of the last event that published a rulebook; None where none did."""
    rows = connection.execute("SELECT seq, body FROM event WHERE chain = ? ORDER BY seq DESC", (REGISTRY,)).fetchall()
    told = digest.encode()
    for seq, body in rows:
        if _MARK in bytes(body) and told in bytes(body):
            return int(seq)
    return None


def publications(connection: Connection) -> dict[str, Publication]:
    """When each definition and rulebook was last published and by whom, by hash."""
    found: dict[str, Publication] = {}
    for (body,) in connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (REGISTRY,)).fetchall():
        if _MARK in bytes(body):
            event = orjson.loads(bytes(body))
            data = event["data"]
            if "message" in data or "batch" in data:  # their texts are in no library by a hash
                continue
            one = Publication(event["at"], event["actor"], data)
            found[str(data.get("definition") or data.get("rulebook"))] = one
    return found
