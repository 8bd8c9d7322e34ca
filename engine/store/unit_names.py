"""What units were called before: told by the registry's chain alone, for the row of a unit has its name of now."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from engine.store.database import Connection
from engine.store.trail import containing
from engine.trail.event import REGISTRY, EventKind

NAME_WAS = "name_was"
"""By which an event tells that a unit was renamed: the name it had until then."""


class EarlierName(NamedTuple):
    """A name a unit had: from when (moment of the trail; empty: not told), until when, and who renamed it then."""

    name: str
    since: str
    until: str
    by: str


def earlier_names(connection: Connection) -> dict[str, tuple[EarlierName, ...]]:
    """The names units had, by code and oldest first; without units that were always called as they are now."""
    sql = f"SELECT e.body FROM event e WHERE e.chain = ? AND {containing(connection)} ORDER BY e.seq"  # noqa: S608 constant text
    found: dict[str, tuple[EarlierName, ...]] = {}
    for (body,) in connection.execute(sql, (REGISTRY, f'"{NAME_WAS}"'.encode())).fetchall():
        event = orjson.loads(bytes(body))
        data = event["data"]
        if event["kind"] == EventKind.UNIT_CHANGED and NAME_WAS in data:
            before = found.get(data["unit"], ())
            since = before[-1].until if before else ""
            one = EarlierName(str(data[NAME_WAS]), since, str(event["at"]), str(event["actor"]))
            found[data["unit"]] = (*before, one)
    return found
