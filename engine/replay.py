"""Replay: read the whole trail back, check every link and MAC, fold each case, and compare it with its row.

Chains are read in order of chain and sequence, in step with the rows they must agree with, so memory does not grow
with the number of events. A range of chains can be replayed by itself: that is how several processes share the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import orjson

from engine.records import ZERO
from engine.replaying.aside import TOLD_ASIDE, Aside, Kept, Shelf
from engine.replaying.erasures import NOT_COVERED, Erasures, left_behind
from engine.replaying.registry import Registered
from engine.store.database import Connection, open_engine
from engine.store.trail import CaseEnd, End, EventRow, StudentEnd, ends, events, personal_values
from engine.trail.chain import commitment, event_hash, mac_maker
from engine.trail.event import REGISTRY, EventKind, chain_name

_REPORT_EVERY = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Divergence:
    """Where the stored history does not add up: the chain, the event (0: the chain as a whole), and why."""

    chain: str
    seq: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay found; nothing diverged means every row equals the fold of its chain."""

    cases: int
    events: int
    diverged: tuple[Divergence, ...] = ()

    def __add__(self, other: Replayed) -> Replayed:
        """Two ranges together."""
        return Replayed(
            cases=self.cases + other.cases,
            events=self.events + other.events,
            diverged=self.diverged + other.diverged,
        )


class _Data(msgspec.Struct):
    trigger: str | None = None
    to: str | None = None
    rests: bool = False
    rounds: int | None = None
    fields: dict[str, Any] | None = None
    facts: dict[str, dict[str, object]] | list[str] | None = None
    sealed: str | None = None
    sealed_fields: list[str] | None = None
    sealed_facts: list[str] | None = None
    taken: dict[str, list[str]] | None = None
    people: list[str] | None = None
    slot: str | None = None
    vote: str | None = None
    signing: str | None = None
    slots: dict[str, dict[str, Any]] | None = None
    documents: dict[str, str] | None = None
    ticks: dict[str, bool] | None = None
    deadlines: dict[str, Any] | None = None
    members: dict[str, Any] | msgspec.UnsetType | None = msgspec.UNSET
    unit: str | None = None
    workflow: str | None = None


class _Event(msgspec.Struct):
    log: str
    chain: str
    seq: int
    kind: str
    prev: str
    data: _Data
    actor: str = ""
    at: str = ""
    definition: str = ""
    request: str | None = None


_decode = msgspec.json.Decoder(_Event).decode


@dataclass(slots=True)
class Fold:
    """What a chain's events add up to."""

    state: str = "new"
    fields: dict[str, Any] = field(default_factory=dict)
    taken: dict[str, list[str]] = field(default_factory=dict)
    slots: dict[str, dict[str, Any]] = field(default_factory=dict)
    rounds: int = 0
    facts: dict[str, object] = field(default_factory=dict)
    shape: str = ""
    workflow: str | None = None
    unit: str | None = None
    opened_at: str = ""
    entered_at: str = ""

    def apply(self, event: _Event) -> None:
        """Add one event."""
        data = event.data
        if event.kind in (EventKind.MOVED, EventKind.OPENED):
            self._move(event)
        elif event.kind == EventKind.SIGNED:
            self._sign(event)
        elif event.kind == EventKind.SIGNER_CHANGED:
            self.slots = data.slots or {}
        elif event.kind == EventKind.RETRACTED:
            self._retract(event)
        elif event.kind == EventKind.RELOCATED:
            self.unit = data.unit
        elif event.kind == EventKind.MIGRATED:
            self.shape = event.definition
            self.entered_at = self.entered_at if data.to == self.state else event.at
            self.state = data.to or self.state
        elif event.kind == EventKind.FACT_CHANGED:
            self._learn(data)

    def forget(self, data: _Data) -> None:
        """Of what an event sealed nothing is known any more: it was erased, from the row too."""
        self.fields.update(dict.fromkeys(data.sealed_fields or ()))
        self.facts.update(dict.fromkeys(data.sealed_facts or ()))

    def _learn(self, data: _Data) -> None:
        if isinstance(data.facts, dict):
            self.unit = data.unit or self.unit
            self.facts.update((name, change.get("new")) for name, change in data.facts.items())

    def _move(self, event: _Event) -> None:
        data = event.data
        if event.kind == EventKind.OPENED:
            self.shape, self.workflow, self.unit = event.definition, data.workflow, data.unit
            self.opened_at = self.entered_at = event.at
        if data.fields:
            self.fields.update(data.fields)
        if data.rests:
            self.taken, self.rounds = {}, 0
        else:
            people = [event.actor] if data.people is None else data.people
            if data.slot is not None:
                self.taken.setdefault(f"{data.signing}.{data.slot.partition('@')[0]}", []).extend(people)
            self.taken.setdefault(data.trigger or "", []).extend(people)
            self.rounds = self.rounds if data.rounds is None else data.rounds
        if data.to != self.state:
            self.state, self.entered_at, self.slots = data.to or self.state, event.at, {}
        elif data.slot is not None or self.slots:
            self.slots.pop(data.signing or data.trigger or "", None)

    def _sign(self, event: _Event) -> None:
        data = event.data
        self.fields.update(data.fields or {})
        people = [event.actor] if data.people is None else data.people
        seat, trigger = data.slot or "", data.signing or ""
        self.taken.setdefault(f"{trigger}.{seat.partition('@')[0]}", []).extend(people)
        block = self.slots.setdefault(trigger, {})
        block.setdefault("given", {})[seat] = {"by": event.actor, "yes": data.vote == "yes"}
        if len(people) > 1:  # the one who delegated has signed with it
            block["given"][seat]["for"] = people[1]

    def _retract(self, event: _Event) -> None:
        data = event.data
        self.fields, self.slots = data.fields or {}, data.slots or {}
        self.taken, self.rounds = data.taken or {}, data.rounds or 0
        if data.to != self.state:  # a signature or a mark taken back does not interrupt the stay
            self.state, self.entered_at = data.to or self.state, event.at


def fold_chain(bodies: Iterable[bytes], fold: Fold | None = None) -> Fold:
    """What the events of one chain add up to, or add to what is folded already; their links are not checked here."""
    fold = fold or Fold()
    for body in bodies:
        fold.apply(_decode(body))
    return fold


def replay_range(
    connection: Connection,
    log: str,
    key: bytes,
    span: tuple[int, int],
    progress: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Replay the chains from `span[0]` to `span[1]`, both included."""
    with connection.reading():
        walk = _Walk(connection, log, key, span)
        for row in events(connection, span):
            if row[0] != walk.chain:
                walk.begin(row[0])
            walk.take(row)
            if not walk.events % _REPORT_EVERY:
                progress(_REPORT_EVERY)
        walk.finish()
    progress(walk.events % _REPORT_EVERY)
    return Replayed(cases=walk.cases, events=walk.events, diverged=tuple(walk.diverged))


def replay_one(connection: Connection, log: str, key: bytes, chain: int) -> Replayed:
    """Replay a single chain."""
    return replay_range(connection, log, key, (chain, chain))


class _Walk:
    """One walk along a range of chains, beside the rows that must agree; keeps one fold at a time."""

    __slots__ = (
        "_aside", "_connection", "_ends", "_erasures", "_fold", "_head", "_is_broken", "_log", "_mac", "_name",
        "_next_end", "_personal", "_registered", "_sealed", "_seq", "_shelf", "cases", "chain", "diverged", "events",
    )  # fmt: skip

    def __init__(self, connection: Connection, log: str, key: bytes, span: tuple[int, int]) -> None:
        self._connection = connection
        self._shelf = Shelf(connection, span)
        self._registered = Registered()
        self._erasures = Erasures(connection)
        self._ends = ends(connection, span)
        self._personal = personal_values(connection, span)
        self._sealed = next(self._personal, None)
        self._next_end = next(self._ends, None)
        self._log, self._mac = log, mac_maker(key)
        self.chain: int | None = None
        self._name = ""
        self.cases = self.events = 0
        self.diverged: list[Divergence] = []
        self._fresh()

    def _fresh(self) -> None:
        self._fold, self._head, self._seq, self._is_broken = Fold(), ZERO, 0, False
        self._aside: Aside | None = None

    def begin(self, chain: int) -> None:
        """The next chain starts; the one before is compared with its row, and rows without any event are named."""
        self._close()
        self._rows_before(chain)
        self.chain, self._name = chain, chain_name(chain)
        self._fresh()

    def finish(self) -> None:
        """All events are read: close the last chain and name the rows that have none."""
        self._close()
        self._rows_before(None)

    def take(self, row: EventRow) -> None:
        """Check one event against the one before it, and add it to the fold."""
        _, seq, body, digest, mac, request = row
        self.events += 1
        if self._is_broken:
            return
        self._seq += 1
        if seq != self._seq:
            self._fail(self._seq, f"缺少事件 event #{self._seq} is missing; the next one there is #{seq}")
            return
        if event_hash(body) != digest:
            self._fail(seq, "内容与哈希不符 the bytes do not have the hash stored beside them")
            return
        if self._mac(body) != mac:
            self._fail(seq, "MAC 不符 the MAC is not of these bytes under this log's key")
            return
        event = _decode(body)
        if event.prev != self._head.hex():
            self._fail(seq, "前一事件的哈希不符 it does not name the hash of the event before it")
            return
        if (event.seq, event.log, event.chain, event.request) != (seq, self._log, self._name, request):
            said = f"{event.log} {event.chain} #{event.seq}, {event.request or '无请求 no request'}"
            self._fail(seq, f"事件不属于此处 it says {said}")
            return
        self._head = digest
        self._add(event, body)

    def _add(self, event: _Event, body: bytes) -> None:
        """Fold a sound event; what stands aside of the row is read anew from the bytes, for it is rare."""
        data = event.data
        self._fold.apply(event)
        told_aside = data.documents or data.ticks or data.deadlines or data.members is not msgspec.UNSET
        if told_aside or event.kind in TOLD_ASIDE:
            self._aside = self._aside or Aside(self.chain or 0)
            self._aside.apply(orjson.loads(body))
        if self.chain == REGISTRY:
            self._registered.apply(orjson.loads(body))
        if event.kind == EventKind.ERASED and (left := left_behind(self._connection, orjson.loads(body)["data"])):
            self._fail(event.seq, f"已抹除的个人信息仍在 values told to be erased are there: {', '.join(left)}")
        if data.sealed is not None:
            self._open_sealed(event, data.sealed)

    def _open_sealed(self, event: _Event, expected: str) -> None:
        """Personal values, where they are still kept, must be those the event committed to."""
        here = (self.chain or 0, event.seq)
        while self._sealed is not None and self._sealed[:2] < here:
            self._sealed = next(self._personal, None)
        if self._sealed is None or self._sealed[:2] != here:
            if not self._erasures.covers(*here):
                self._fail(event.seq, NOT_COVERED)
            self._fold.forget(event.data)
            return
        salt, body = bytes(self._sealed[2]), bytes(self._sealed[3])
        if commitment(salt, body) != expected:
            self._fail(event.seq, "个人信息与承诺不符 the personal values are not those the event committed to")
            return
        if self._aside is not None:
            self._aside.reveal(event.seq, orjson.loads(body))
        if event.data.sealed_fields:
            kept = orjson.loads(body)
            self._fold.fields.update((name, kept.get(f"fields.{name}")) for name in event.data.sealed_fields)
        if event.kind == EventKind.FACT_CHANGED:  # what a refused opening was shown stands in the chain too
            self._fold.facts.update((name, change.get("new")) for name, change in orjson.loads(body).items())

    def _fail(self, seq: int, why: str) -> None:
        self._is_broken = True
        self.diverged.append(Divergence(chain=chain_name(self.chain or 0), seq=seq, why=why))

    def _rows_before(self, chain: int | None) -> None:
        told: set[int] = set()
        while self._next_end is not None and (chain is None or self._next_end.chain < chain):
            end = self._next_end
            if end.seq:
                why = "没有任何事件 the row claims events, there are none"
                self.diverged.append(Divergence(chain=chain_name(end.chain), seq=1, why=why))
                told.add(end.chain)
            self._next_end = next(self._ends, None)
        while (least := self._shelf.least) is not None and (chain is None or least < chain):
            self._shelf.take(least)
            if least in told:
                continue
            why = "没有任何事件 documents, members, delegations or deadlines are kept, there are no events"
            self.diverged.append(Divergence(chain=chain_name(least), seq=1, why=why))

    def _close(self) -> None:
        if self.chain is None:
            return
        self.cases += self.chain > REGISTRY
        kept = self._shelf.take(self.chain) if self._shelf.least == self.chain else None
        end = self._next_end
        if end is None or end.chain != self.chain:
            if not self._is_broken:
                self._fail(0, "没有对应的记录 there are events but no row")
            return
        self._next_end = next(self._ends, None)
        if not self._is_broken:
            self._compare(end)
        if not self._is_broken and (kept is not None or self._aside is not None):
            aside = self._aside or Aside(self.chain)
            self._agree(aside.differences(self._connection, kept or Kept(), self._erasures))

    def _compare(self, end: End) -> None:
        if end.seq != self._seq:
            first = min(end.seq, self._seq) + 1
            self._fail(first, f"链尾缺失 the row has seen {end.seq} events, {self._seq} are there")
        elif end.head != self._head:
            self._fail(self._seq, "链尾哈希不符 the row does not end with this event")
        elif isinstance(end, CaseEnd):
            self._agree(_differences_of_case(end, self._fold))
        elif isinstance(end, StudentEnd):
            self._agree(_differences_of_student(end, self._fold))
        else:
            self._agree(self._registered.differences(self._connection))

    def _agree(self, differing: list[str]) -> None:
        if differing:
            names = ", ".join(differing)
            self._fail(self._seq, f"记录与事件不符 the row is not what the events add up to: {names}")


def _differences_of_case(end: CaseEnd, fold: Fold) -> list[str]:
    """The columns of a case that its events do not add up to."""
    batch = fold.fields.get("batch")
    pairs = {
        "state": (end.state, fold.state),
        "rounds": (end.rounds, fold.rounds),
        "slots": ({} if end.slots is None else orjson.loads(end.slots), fold.slots),
        "taken": (orjson.loads(end.taken), fold.taken),
        "fields": (_without_nulls(orjson.loads(end.fields)), _without_nulls(fold.fields)),
        "shape": (end.shape, fold.shape),
        "workflow": (end.workflow, fold.workflow),
        "unit": (end.unit, fold.unit),
        "batch": (end.batch, batch),
        "opened_at": (end.opened_at, fold.opened_at),
        "entered_at": (end.entered_at, fold.entered_at),
        "path": (end.path_agrees, True),
    }
    return [name for name, (kept, told) in pairs.items() if kept != told]


def _differences_of_student(end: StudentEnd, fold: Fold) -> list[str]:
    """The facts and columns of a student that the events do not add up to."""
    kept, told = _without_nulls(orjson.loads(end.facts)), _without_nulls(fold.facts)
    differing = sorted(name for name in kept.keys() | told.keys() if kept.get(name) != told.get(name))
    expected = {**{name: kept.get(name) for name in end.columns}, "unit": fold.unit}
    return differing + [f"column {name}" for name, value in end.columns.items() if value != expected[name]]


def _without_nulls(values: Mapping[str, object]) -> dict[str, object]:
    """A fact that was cleared and one that was never known are the same."""
    return {name: value for name, value in values.items() if value is not None}


def replay_part(part: tuple[str, str, bytes, tuple[int, int]]) -> Replayed:
    """Replay one range on a connection of its own: (database URL, log, key, span); what each worker process runs."""
    url, log, key, span = part
    engine = open_engine(url)
    connection = Connection(engine)
    if connection.is_sqlite:
        connection.execute("PRAGMA cache_size = -16384")  # 16 MiB: every page is read about once
    try:
        return replay_range(connection, log, key, span)
    finally:
        connection.close()
        engine.dispose()
