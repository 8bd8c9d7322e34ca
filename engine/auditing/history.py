"""Histories: the events of one case, read back for an auditor, with the state the case was in before each.

A history is as the trail tells it; whether the trail is sound and the rows agree with it, `engine.replay` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import orjson

from engine.definition import NEW, Definition
from engine.records import case_of
from engine.store.database import Connection
from engine.trail.event import REGISTRY, EventKind

STEPS = frozenset(map(str, (EventKind.OPENED, EventKind.MOVED)))
SIGNED = str(EventKind.SIGNED)
REFUSED = str(EventKind.REFUSED)
VIEWED = str(EventKind.VIEWED)
NOTED = str(EventKind.NOTED)
MOVING = STEPS | {str(EventKind.RETRACTED), str(EventKind.MIGRATED)}


class Told(msgspec.Struct, rename={"origin": "from"}, gc=False):
    """The innermost part of an event, as far as an auditor asks."""

    trigger: str = ""
    origin: str | None = None
    to: str | None = None
    verdicts: dict[str, str] | None = None
    seen: dict[str, Any] | None = None
    sealed: str | None = None
    fields: dict[str, Any] | None = None
    facts: Any = None
    rests: bool = False
    people: list[str] | None = None
    taken: dict[str, list[str]] | None = None
    slot: str | None = None
    vote: str | None = None
    signing: str | None = None
    missing: list[str] | None = None
    slots: dict[str, dict[str, Any]] | None = None
    late: list[str] | None = None
    failed: list[str] | None = None
    undecided: list[str] | None = None
    engine: list[str] | None = None
    barred: str | None = None
    unit: str | None = None
    about: dict[str, str] | None = None
    deadlines: dict[str, Any] | None = None
    deadline: str | None = None
    due: str | None = None
    new: str | None = None
    settled: bool = False
    extended: bool = False
    reason: str | None = None
    rung: str | None = None
    document: str = ""
    documents: dict[str, str] | None = None
    file: dict[str, Any] | None = None
    added: int | str | None = None  # of a signer that was added, the seat
    sha256: str = ""


class Event(msgspec.Struct):
    """One event of a case."""

    seq: int
    kind: str
    data: Told
    at: str = ""
    actor: str = ""
    role: str | None = None
    unit: str | None = None
    definition: str = ""
    rulebook: str = ""
    done_by: str | None = None
    on_behalf_of: str | None = None
    delegation: dict[str, Any] | None = None
    cause: dict[str, Any] | None = None

    @property
    def people(self) -> Sequence[str]:
        """Who counts as having taken the step."""
        return (self.actor,) if self.data.people is None else self.data.people


_decode = msgspec.json.Decoder(Event).decode


def readable(body: object) -> Mapping[str, Any]:
    """An event as JSON; one whose bytes are spoilt says nothing here, for replay has named it."""
    try:
        event: Mapping[str, Any] = orjson.loads(bytes(cast("bytes", body)))
    except orjson.JSONDecodeError:
        return {"kind": "", "at": "", "data": {}}
    return event


@dataclass(slots=True, kw_only=True)
class History:
    """One case: its events, and before each of them its state and unit.

    `definition` is the one it stands under now, `student` whom it is about.
    """

    chain: int
    events: Sequence[Event]
    definition: Definition
    before: Sequence[str]
    units: Sequence[str]
    student: int | None

    def steps(self) -> Iterator[tuple[str, Event]]:
        """Every opening and move, with the state before it."""
        return ((state, one) for state, one in zip(self.before, self.events, strict=True) if one.kind in STEPS)

    def taken(self, *triggers: str) -> Iterator[Event]:
        """The times some steps were taken."""
        return (one for one in self.events if one.kind in STEPS and one.data.trigger in triggers)


Definitions = Mapping[str, Definition]


def histories(connection: Connection, span: tuple[int, int], definitions: Definitions) -> Iterator[History]:
    """Every case of a range of chains, in order; call inside `reading`. Memory holds one case at a time.

    A case whose bytes are spoilt, or whose definition is not there, is left out: replay has named it.
    """
    sql = "SELECT chain, body FROM event WHERE chain > 0 AND chain >= ? AND chain <= ? ORDER BY chain, seq"
    yield from gathered(connection.stream(sql, span), definitions)


def gathered(rows: Iterable[Sequence[Any]], definitions: Definitions) -> Iterator[History]:
    """The histories behind rows of chain and body, which come in order of chain and sequence."""
    chain, bodies = REGISTRY, list[bytes]()
    for number, body in rows:
        if number != chain:
            yield from _sound(chain, bodies, definitions)
            chain, bodies = int(number), []
        bodies.append(bytes(body))
    yield from _sound(chain, bodies, definitions)


def history_of(connection: Connection, chain: int, definitions: Definitions) -> Iterator[History]:
    """One case, read by itself; nothing where `histories` would leave it out."""
    rows = connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (chain,)).fetchall()
    yield from _sound(chain, [bytes(row[0]) for row in rows], definitions)


def _sound(chain: int, bodies: Sequence[bytes], definitions: Definitions) -> Iterator[History]:
    try:
        events = [_decode(body) for body in bodies]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    pinned = next((one.definition for one in reversed(events) if one.kind in MOVING and one.definition), "")
    if pinned in definitions:
        yield _history(chain, events, definitions[pinned])


def _history(chain: int, events: Sequence[Event], definition: Definition) -> History:
    state, unit, student = NEW, "", None
    before, units = [], []
    for event in events:
        data = event.data
        unit = data.unit or unit if event.kind in (EventKind.OPENED, EventKind.RELOCATED) else unit
        if event.kind == EventKind.OPENED and data.about and "student" in data.about:
            student = -(case_of(data.about["student"].removeprefix("student/")) or 0)
        before.append(state)
        units.append(unit)
        if event.kind in MOVING:
            state = data.to or state
    own = None if student is None else -student
    return History(chain=chain, events=events, definition=definition, before=before, units=units, student=own)
