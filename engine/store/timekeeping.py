"""The latest moment this database has been told of: what goes by it never sees time run backwards."""

from __future__ import annotations

from datetime import UTC, datetime

from engine.store.database import Connection
from engine.store.registry import setting
from engine.trail.event import moment

_MARK = "clock"
_RAISE = (
    "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    " WHERE setting.value < excluded.value"
)
_SET = "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"


def mark(connection: Connection) -> datetime | None:
    """The latest moment anybody has worked at here; None before the first."""
    text = setting(connection, _MARK)
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def raise_mark(connection: Connection, now: datetime) -> None:
    """Say that work is done at a moment; an earlier one than the mark changes nothing."""
    with connection.writing():
        connection.execute(_RAISE, (_MARK, moment(now)))


def confirm(connection: Connection, now: datetime) -> None:
    """Set the mark to a moment that a person vouches for, be it earlier or later."""
    with connection.writing():
        connection.execute(_SET, (_MARK, moment(now)))


def server_now(connection: Connection) -> datetime | None:
    """The database server's own clock; None on SQLite, which has no other than this machine's."""
    if connection.is_sqlite:
        return None
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    return None if row is None else datetime.fromisoformat(str(row[0])).astimezone(UTC)
