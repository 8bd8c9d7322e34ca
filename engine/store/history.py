"""The steps a case has taken, read from its chain: asked where the order of steps has to be known."""

from __future__ import annotations

import orjson

from engine.store.database import Connection
from engine.trail.event import EventKind

_STEPS = (EventKind.OPENED, EventKind.MOVED)


def steps_of(connection: Connection, case: int) -> list[tuple[str, str]]:
    """The steps of a case, oldest first: trigger and the state it led to; one that was taken back is not among them.

    A case that was moved to another version of its definition has taken, there, a step without a name.
    """
    taken: list[tuple[str, str]] = []
    was_step = False
    rows = connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (case,)).fetchall()
    for event in (orjson.loads(bytes(row[0])) for row in rows):
        kind, data = event["kind"], event["data"]
        if kind in _STEPS:
            taken.append((data["trigger"], data["to"]))
        elif kind == EventKind.MIGRATED:
            taken.append(("", data["to"]))
        elif kind == EventKind.RETRACTED and was_step:
            taken.pop()
        if kind in (*_STEPS, EventKind.SIGNED, EventKind.RETRACTED):
            was_step = kind == EventKind.MOVED
    return taken
