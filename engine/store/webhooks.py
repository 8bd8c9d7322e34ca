"""How far each webhook has been told of the sealed log, and what there is to tell it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from engine.store.database import Connection
from engine.store.leaves import size
from engine.trail.event import moment

_BEGIN = "INSERT INTO webhook (name, leaf, tries, due_at) VALUES (?, ?, 0, ?) ON CONFLICT (name) DO NOTHING"
_STANDS = "SELECT name, leaf, tries, due_at, answer FROM webhook ORDER BY name"
_EVENTS = (
    "SELECT l.idx, e.chain, e.seq, e.body FROM leaf l JOIN event e ON e.id = l.event"
    " WHERE l.idx >= ? AND l.idx < ? ORDER BY l.idx"
)
_MOVE_ON = "UPDATE webhook SET leaf = ?, tries = 0, due_at = ?, answer = NULL WHERE name = ? AND leaf = ?"
_STUMBLE = "UPDATE webhook SET tries = tries + 1, due_at = ?, answer = ? WHERE name = ? AND leaf = ?"


class Standing(NamedTuple):
    """How far a webhook is, how often the event at hand was tried in vain, when it is tried again, and why."""

    name: str
    leaf: int
    tries: int
    due_at: datetime
    answer: str | None


class SealedEvent(NamedTuple):
    """An event at its place in the log."""

    leaf: int
    chain: int
    seq: int
    body: bytes


def begin(connection: Connection, name: str, at: datetime) -> None:
    """Know a webhook from now on: it is told of what will be sealed; one that is known stays where it is."""
    connection.execute(_BEGIN, (name, size(connection), moment(at)))


def standings(connection: Connection) -> dict[str, Standing]:
    """How each webhook stands that was ever known, by name."""
    return {str(row[0]): _standing(*row) for row in connection.execute(_STANDS).fetchall()}


def _standing(name: str, leaf: int, tries: int, due_at: str, answer: str | None) -> Standing:
    return Standing(name, leaf, tries, datetime.fromisoformat(due_at), answer)


def sealed_events(connection: Connection, leaf: int, limit: int) -> list[SealedEvent]:
    """The events from a place of the log on, at most so many."""
    rows = connection.execute(_EVENTS, (leaf, leaf + limit)).fetchall()
    return [SealedEvent(int(place), int(chain), int(seq), bytes(body)) for place, chain, seq, body in rows]


def move_on(connection: Connection, before: Standing, leaf: int, at: datetime) -> bool:
    """It has been told of everything before this place; False if another sender was faster."""
    return connection.execute(_MOVE_ON, (leaf, moment(at), before.name, before.leaf)).rowcount == 1


def stumble(connection: Connection, before: Standing, again_at: datetime, answer: str) -> bool:
    """It did not take an event; tried again at that moment."""
    return connection.execute(_STUMBLE, (moment(again_at), answer, before.name, before.leaf)).rowcount == 1
