"""Members: what a frozen list committed to, worked out anew from the members' own events before the freezing.

Source: the definition language, section 7; `engine.lists.digest_of` is what the event was given.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

from engine.store.database import Connection
from engine.trail.event import EventKind, canonical, chain_name

_MOVING = frozenset(map(str, (EventKind.OPENED, EventKind.MOVED, EventKind.RETRACTED, EventKind.MIGRATED)))
_BEFORE = (
    "SELECT e.chain, e.hash, e.body FROM member m JOIN event e ON e.chain = m.member WHERE m.list_id = ?"
    " AND e.id < (SELECT f.id FROM event f WHERE f.chain = ? AND f.seq = ?) ORDER BY e.chain, e.seq"
)


class _Data(msgspec.Struct):
    to: str | None = None


class _Event(msgspec.Struct):
    kind: str
    data: _Data


_decode = msgspec.json.Decoder(_Event).decode


def digest_then(connection: Connection, chain: int, seq: int) -> str:
    """The digest of a list's members as they stood when event `seq` of its chain was written.

    Events are numbered in the order they are written, whatever chain they belong to; call inside `reading`.
    """
    rows: dict[int, list[str]] = {}
    for member, digest, body in connection.execute(_BEFORE, (chain, chain, seq)).fetchall():
        row = rows.setdefault(int(member), [chain_name(int(member)), "", ""])
        event = _decode(bytes(body))
        if event.kind in _MOVING and event.data.to is not None:
            row[1] = event.data.to
        row[2] = bytes(digest).hex()
    return sha256(canonical(list(rows.values()))).hexdigest()
