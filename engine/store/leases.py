"""Leases: which process leads a kind of work. Never what makes a thing happen once: that is for unique keys.

A lease is a row with an end and an epoch. Whoever holds it and was paused beyond its end finds, inside the very
transaction it was about to write in, that it holds it no more (docs/decisions/0013).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from engine.store.database import Connection
from engine.trail.event import moment

LONGEST = timedelta(hours=1)
"""No lease is given for longer; an end further off was written by another clock (a rehearsal) and binds nobody."""

_TAKE = (
    "INSERT INTO lease (name, holder, epoch, until) VALUES (?, ?, 1, ?) ON CONFLICT (name) DO UPDATE SET"
    " epoch = CASE WHEN lease.holder = excluded.holder THEN lease.epoch ELSE lease.epoch + 1 END,"
    " holder = excluded.holder, until = excluded.until"
    " WHERE lease.holder = excluded.holder OR lease.until <= ? OR lease.until > ? RETURNING epoch"
)
_HELD = "SELECT 1 FROM lease WHERE name = ? AND holder = ? AND epoch = ? AND until > ?"
_GIVE_UP = "UPDATE lease SET until = ? WHERE name = ? AND holder = ? AND epoch = ?"


class Held(NamedTuple):
    """A lease as its holder has it; `epoch` rises with every change of hands, so what bears it is one holder's."""

    name: str
    holder: str
    epoch: int
    until: datetime


def take(connection: Connection, name: str, holder: str, now: datetime, seconds: float) -> Held | None:
    """Take a lease that is free or over, or hold on to one's own; None while somebody else has it.

    Args:
        connection: The held connection.
        name: The kind of work.
        holder: Unlike any other process's, on whatever machine.
        now: By a clock that never runs backwards (`engine.store.timekeeping`).
        seconds: How long it lasts unless it is taken again; at most an hour.

    Raises:
        ValueError: If it is asked for longer.
    """
    lasting = timedelta(seconds=seconds)
    if lasting > LONGEST:
        message = f"a lease lasts at most {LONGEST}, not {lasting}"
        raise ValueError(message)
    until = now + lasting
    with connection.writing():
        asked = (name, holder, moment(until), moment(now), moment(now + LONGEST))
        row = connection.execute(_TAKE, asked).fetchone()
    return None if row is None else Held(name=name, holder=holder, epoch=int(row[0]), until=until)


def still_held(connection: Connection, held: Held, now: datetime) -> bool:
    """Whether a lease is still its holder's; inside a transaction it stays so until that transaction ends.

    On PostgreSQL the row is locked against being taken; on SQLite nobody else writes meanwhile.
    """
    sql = _HELD if connection.is_sqlite else f"{_HELD} FOR SHARE"
    return connection.execute(sql, (held.name, held.holder, held.epoch, moment(now))).fetchone() is not None


def give_up(connection: Connection, held: Held) -> None:
    """Let the next one begin at once; a lease that is another's by now stays that one's."""
    with connection.writing():
        connection.execute(_GIVE_UP, ("", held.name, held.holder, held.epoch))


def leader(connection: Connection, name: str) -> Held | None:
    """Who held a lease last, and until when; None while nobody does."""
    row = connection.execute("SELECT holder, epoch, until FROM lease WHERE name = ? AND until > ''", (name,)).fetchone()
    return None if row is None else Held(name, str(row[0]), int(row[1]), datetime.fromisoformat(str(row[2])))
