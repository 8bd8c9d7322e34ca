"""Looks at cases in the database: who opened which, when, and for what purpose."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from engine.store.database import Connection
from engine.trail.event import moment

OPEN, REVEAL = "open", "reveal/"
"""What a look was for: the case as a whole, or (before the purpose) personal values in full."""


class Look(NamedTuple):
    """Somebody who looks at a case at a moment, and what for."""

    login: str
    case: int
    at: datetime
    purpose: str = OPEN


def add_look(connection: Connection, look: Look) -> None:
    """Keep a look."""
    connection.execute(
        "INSERT INTO access_row (login, case_id, at, purpose) VALUES (?, ?, ?, ?)",
        (look.login, look.case, moment(look.at), look.purpose),
    )


def reveals(connection: Connection, login: str, since: datetime) -> int:
    """How often somebody had personal values shown in full since a moment."""
    row = connection.execute(
        "SELECT count(*) FROM access_row WHERE login = ? AND at >= ? AND substr(purpose, 1, ?) = ?",
        (login, moment(since), len(REVEAL), REVEAL),
    ).fetchone()
    return 0 if row is None else int(row[0])
