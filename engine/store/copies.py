"""What somebody was told, as they read it under 抄送我的: from the outbox, with the event it tells of.

What a colleague sent (`engine.copying`) is told with who sent it and what was written, as far as that is not erased.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import orjson

from engine.store.database import Connection, Row
from engine.store.people import PERSON, named
from engine.trail.event import EventKind


class Copy(NamedTuple):
    """Something a person was told: about which event of which case, as what, and when (aware UTC).

    `is_read`: the person has opened the case since. Of an event that is not there the moment is None. `sender`: the
    colleague who sent it by hand, by name, else login; empty where a step told it. `note`: what that person wrote.
    """

    id: int
    case: int
    seq: int
    message: str
    at: datetime | None
    is_read: bool
    sender: str = ""
    note: str = ""


def copies_of(connection: Connection, login: str, before: int, limit: int) -> list[Copy]:
    """What a person was told, the newest first; `before` 0: from the newest on."""
    sql = (
        "SELECT o.id, o.chain, o.seq, o.message, e.body,"
        " (SELECT max(a.at) FROM access_row a WHERE a.case_id = o.chain AND a.login = ?), p.body"
        " FROM outbox o LEFT JOIN event e ON e.chain = o.chain AND e.seq = o.seq"
        " LEFT JOIN personal p ON p.chain = o.chain AND p.seq = o.seq"
        " WHERE o.recipient = ? AND o.chain > 0"
    )
    params: list[object] = [login, f"{PERSON}{login}"]
    if before:
        sql, params = f"{sql} AND o.id < ?", [*params, before]
    rows = connection.execute(f"{sql} ORDER BY o.id DESC LIMIT ?", (*params, limit)).fetchall()
    found = [_copy(row) for row in rows]
    senders = sorted({one.sender for one in found if one.sender})
    names = named(connection, senders, None)[0] if senders else {}
    return [one._replace(sender=names.get(one.sender, one.sender)) for one in found]


def note_of(connection: Connection, chain: int, seq: int) -> str:
    """What was written with a copy; empty where nothing was, or it is erased."""
    row = connection.execute("SELECT body FROM personal WHERE chain = ? AND seq = ?", (chain, seq)).fetchone()
    return "" if row is None else _words(row[0])


def _copy(row: Row) -> Copy:
    number, chain, seq, message, body, opened, sealed = row
    event = None if body is None else orjson.loads(bytes(body))
    told = None if event is None else datetime.fromisoformat(event["at"])
    is_read = told is not None and opened is not None and datetime.fromisoformat(opened) >= told
    plain = Copy(int(number), int(chain), int(seq), str(message), told, is_read)
    if event is None or event["kind"] != EventKind.COPIED:
        return plain
    return plain._replace(sender=str(event["actor"]), note="" if sealed is None else _words(sealed))


def _words(sealed: bytes) -> str:
    return str(orjson.loads(bytes(sealed)).get("text", ""))
