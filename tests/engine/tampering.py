"""Taking the database's guards off, as an attacker would who owns the tables; afterwards they stand again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.store.append_only import GUARDED
from engine.store.database import Connection

GUARDS_OFF = [f"ALTER TABLE {table} DISABLE TRIGGER USER".encode() for table in GUARDED]
GUARDS_ON = [f"ALTER TABLE {table} ENABLE TRIGGER USER".encode() for table in GUARDED]
"""On PostgreSQL, where a template is filled again and again."""


@contextmanager
def unguarded(connection: Connection) -> Iterator[None]:
    """Nothing forbids changing or removing what is only added to."""
    if connection.is_sqlite:
        sql = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        standing = [(str(name), str(text)) for name, text in connection.execute(sql).fetchall()]
        off = [f"DROP TRIGGER {name}" for name, _ in standing]
        on = [text for _, text in standing]
    else:
        off, on = ([one.decode() for one in statements] for statements in (GUARDS_OFF, GUARDS_ON))
    for statement in off:
        connection.execute(statement)
    try:
        yield
    finally:
        for statement in on:
            connection.execute(statement)


def tamper(connection: Connection, sql: str, params: tuple[object, ...] = ()) -> None:
    """One statement that the guards would refuse."""
    with unguarded(connection):
        connection.execute(sql, params)
