"""What was taken out, as the registry's chain tells of it: `exported` events, newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import orjson

from engine.store.database import Connection
from engine.store.trail import containing
from engine.trail.event import REGISTRY, EventKind, canonical

_CHUNK = 200
_MARK = b'"kind":"exported"'  # canonical bytes: an event of the kind has them, and few others


def taken_out(
    connection: Connection, units: Collection[str], login: str, before: int, most: int
) -> list[Mapping[str, Any]]:
    """What somebody (empty: anybody) took out in a right held at some units, newest first.

    Args:
        connection: Of the database.
        units: By their codes.
        login: Who took it out.
        before: The place in the registry's chain before which is read.
        most: So many at most.
    """
    found: list[Mapping[str, Any]] = []
    for event in _events(connection, login, before):
        if event.get("unit") in units:
            found.append(event)
            if len(found) == most:
                break
    return found


def _events(connection: Connection, login: str, before: int) -> Iterator[Mapping[str, Any]]:
    marks = [_MARK, *([b'"actor":' + canonical(login)] if login else [])]
    sql = (
        "SELECT e.seq, e.body FROM event e WHERE e.chain = ? AND e.seq < ?"  # noqa: S608 constant text
        f" AND {' AND '.join([containing(connection)] * len(marks))} ORDER BY e.seq DESC LIMIT ?"
    )
    while rows := connection.execute(sql, (REGISTRY, before, *marks, _CHUNK)).fetchall():
        for seq, body in rows:
            before = int(seq)
            event = orjson.loads(bytes(body))
            if event["kind"] == EventKind.EXPORTED and login in ("", event["actor"]):
                yield event
