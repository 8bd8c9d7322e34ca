"""What a page tells of one case: its events with what opens them, and what was told to whom because of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from engine.records import NOTHING, Json
from engine.store.database import Connection
from engine.store.outbox import SPREAD


class StoryLine(NamedTuple):
    """One event of a chain, and the personal values behind its commitment as far as they have not been erased."""

    chain: int
    seq: int
    event: Mapping[str, Any]
    opened: Mapping[str, Json]


class ToldLine(NamedTuple):
    """Something that was told because of an event: to whom, which message, and what became of its mail.

    `mail` is empty while it is in none; `state` is that of the mail, or empty.
    """

    id: int
    seq: int
    recipient: str
    message: str
    deadline: str | None
    mail: int | None
    state: str
    answer: str | None
    changed_at: datetime | None


def story(connection: Connection, chains: Sequence[int]) -> list[StoryLine]:
    """The events of some chains in the order in which they were written."""
    rows = connection.execute(
        "SELECT e.chain, e.seq, e.body, p.body FROM event e LEFT JOIN personal p ON p.chain = e.chain AND p.seq = e.seq"  # noqa: S608
        f" WHERE e.chain IN ({','.join('?' * len(chains))}) ORDER BY e.id",
        tuple(chains),
    )
    return [
        StoryLine(int(chain), int(seq), orjson.loads(bytes(body)), NOTHING if sealed is None else _opened(sealed))
        for chain, seq, body, sealed in rows.fetchall()
    ]


def _opened(sealed: bytes) -> Mapping[str, Json]:
    opened: Mapping[str, Json] = orjson.loads(bytes(sealed))
    return opened


def told(connection: Connection, case: int) -> list[ToldLine]:
    """What was told because of a case, newest first; what was told to a role stands with its people."""
    rows = connection.execute(
        "SELECT o.id, o.seq, o.recipient, o.message, o.deadline, o.mail, m.state, m.answer, m.changed_at"
        " FROM outbox o LEFT JOIN mail m ON m.id = o.mail WHERE o.chain = ? AND (o.mail IS NULL OR o.mail <> ?)"
        " ORDER BY o.id DESC",
        (case, SPREAD),
    )
    return [
        ToldLine(
            int(number), int(seq), recipient, message, deadline, mail, state or "", answer,
            None if changed is None else datetime.fromisoformat(changed),
        )
        for number, seq, recipient, message, deadline, mail, state, answer, changed in rows.fetchall()
    ]  # fmt: skip
