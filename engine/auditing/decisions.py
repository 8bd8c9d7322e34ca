"""Decisions: what members of staff decided about cases that others had put forward, read in the order of time.

A decision is a step or signature of a person in an office, not caused by another step, on a case that waits for it: one
that opens a case, or leads out of a state in which it rests, puts the case forward and is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from engine.auditing.history import SIGNED, STEPS, Definitions, Event
from engine.auditing.scope import Scope
from engine.auditing.steps import NO_PERSONS
from engine.definition import NEW, Definition
from engine.store.database import Connection

_DECIDING = STEPS | {SIGNED}


class Decision(NamedTuple):
    """One decision: on which case, by which event, when, by whom; `profile` is the one whose calendar counts."""

    chain: int
    seq: int
    at: str
    actor: str
    profile: str


class _Data(msgspec.Struct, rename={"origin": "from"}, gc=False):
    origin: str | None = None


class _Told(msgspec.Struct):
    kind: str
    seq: int
    data: _Data
    at: str = ""
    actor: str = ""
    role: str | None = None
    definition: str = ""
    cause: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Told).decode


def is_acted(one: Event | _Told) -> bool:
    """Whether a person in an office took a step or signed, and no other step caused it."""
    return one.kind in _DECIDING and one.cause is None and one.role not in NO_PERSONS and one.role != "student"


def awaits(definition: Definition, state: str | None) -> bool:
    """Whether a case waits to be decided in a state, so that a step out of it is a decision."""
    kept = definition.states.get(state or NEW)
    return kept is not None and not kept.rests


def decisions(connection: Connection, scope: Scope, definitions: Definitions) -> Iterator[Decision]:
    """The decisions of a scope as they were written, whatever case they belong to; streamed, call inside `reading`.

    An event whose bytes are spoilt is left out: replay has named it.
    """
    where, params = scope.where()
    sql = f"SELECT e.chain, e.body FROM event e JOIN cases c ON c.id = e.chain WHERE {where} ORDER BY e.id"  # noqa: S608 constant text
    for chain, body in connection.stream(sql, params):
        try:
            one = _decode(bytes(body))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        definition = definitions.get(one.definition)
        if definition is not None and is_acted(one) and awaits(definition, one.data.origin):
            yield Decision(int(chain), one.seq, one.at, one.actor, definition.profile)
