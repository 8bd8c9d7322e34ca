"""What somebody was told, as they read it under 抄送我的: from the outbox, with the event it tells of."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import orjson

from engine.store.database import Connection, Row
from engine.store.people import PERSON


class Copy(NamedTuple):
    """Something a person was told: about which event of which case, as what, and when (aware UTC).

    `is_read`: the person has opened the case since. Of an event that is not there the moment is None.
    """

    id: int
    case: int
    seq: int
    message: str
    at: datetime | None
    is_read: bool


def copies_of(connection: Connection, login: str, before: int, limit: int) -> list[Copy]:
    """What a person was told, the newest first; `before` 0: from the newest on."""
    sql = (
        "SELECT o.id, o.chain, o.seq, o.message, e.body,"
        " (SELECT max(a.at) FROM access_row a WHERE a.case_id = o.chain AND a.login = ?)"
        " FROM outbox o LEFT JOIN event e ON e.chain = o.chain AND e.seq = o.seq"
        " WHERE o.recipient = ? AND o.chain > 0"
    )
    params: list[object] = [login, f"{PERSON}{login}"]
    if before:
        sql, params = f"{sql} AND o.id < ?", [*params, before]
    rows = connection.execute(f"{sql} ORDER BY o.id DESC LIMIT ?", (*params, limit)).fetchall()
    return [_copy(row) for row in rows]


def _copy(row: Row) -> Copy:
    number, chain, seq, message, body, opened = row
    told = None if body is None else datetime.fromisoformat(str(orjson.loads(bytes(body))["at"]))
    is_read = told is not None and opened is not None and datetime.fromisoformat(opened) >= told
    return Copy(int(number), int(chain), int(seq), str(message), told, is_read)
