"""The desk: one held connection, the log's scribe, and every definition and rulebook a case may need, compiled once.

What a library on disk says is published into the registry's chain the first time it is used, so that every hash an
event names can be looked up for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from datetime import datetime

from engine.actors import Actor
from engine.checking.rulebooks import rule_in_use
from engine.definition import CANCELLED, Definition
from engine.errors import RuleInUse, Unknown
from engine.library import Library, canonical
from engine.outline import looks_around, roles_in
from engine.records import Case, Head, Json
from engine.steps import Machine
from engine.store import registry
from engine.store.database import Connection
from engine.store.registry import BatchRow, UnitRow
from engine.store.unit_names import EarlierName, earlier_names
from engine.trail.chain import Scribe
from engine.trail.event import REGISTRY, EventKind, Written, moment
from engine.vocabulary import RulebookText

SALT_BYTES = 16


class Desk:
    """Where cases are worked.

    Args:
        connection: The held connection.
        scribe: Writes events of this database's log.
        library: Definitions, rules and batches as they stand in the files.
        salt: Gives that many unpredictable bytes, for commitments.
        rehearsal: Whether this database may open cases of drafts and be told the time.
    """

    def __init__(
        self,
        connection: Connection,
        scribe: Scribe,
        library: Library,
        *,
        salt: Callable[[int], bytes],
        rehearsal: bool = False,
    ) -> None:
        self.connection = connection
        self.scribe = scribe
        self.library = library
        self.rehearsal = rehearsal
        self.rulebook, self._hashes = library.pins()
        self.shapes = {self._hashes[one.workflow, one.profile]: one for one in library.machines()}
        self._salt = salt
        self._libraries: dict[str, Library] = {self.rulebook: library}
        self._batches: dict[str, BatchRow | None] = {}
        self._units: dict[str, UnitRow] | None = None
        self._earlier: Mapping[str, tuple[EarlierName, ...]] | None = None
        self._tables: dict[str, list[dict[str, Json]]] = {}
        self._registry = self._taken_back = -1
        self._every: tuple[int, frozenset[str]] | None = None
        self._lookers: tuple[int, tuple[str, ...]] | None = None
        self._parts: tuple[int, Mapping[str, tuple[str, ...]]] | None = None
        self.unknown: set[str] = set()
        """What cannot be known here: `table/NAME`, `members/NUMBER`. Nothing, but where the desk looks back."""
        self._answering: str | None = None

    def elsewhere(self, connection: Connection) -> Desk:
        """The same desk at another database, such as the past in memory; what is compiled serves both."""
        other = copy(self)
        other.sit_at(connection)
        return other

    def sit_at(self, connection: Connection) -> None:
        """Look at another database from now on, and forget what was read of the one before."""
        self.connection = connection
        self._batches, self._tables, self._units, self._earlier = {}, {}, None, None
        self._every, self._lookers, self._parts, self.unknown = None, None, None, set()
        self._registry = self._taken_back = -1

    def salt(self) -> bytes:
        """A fresh salt for one event's commitment."""
        return self._salt(SALT_BYTES)

    def as_of(self, registry: int) -> None:
        """Forget batches and units as read if the registry's chain has grown since: each change of theirs is in it.

        Also if a transaction has been taken back since: what was read in it may have been its own.
        """
        if self.connection.taken_back != self._taken_back:
            self._taken_back = self.connection.taken_back
            self._registry, self._every, self._lookers, self._parts = -1, None, None, None
        if registry != self._registry:
            self.refresh()
            self._registry = registry

    def refresh(self) -> None:
        """Forget batches and units as read; called at the start of every act, for others may have changed them."""
        self._batches.clear()
        self._tables.clear()
        self._units = self._earlier = None

    def actor(self, login: str) -> Actor:
        """A person with the rights held now.

        Raises:
            Unknown: If there is no such account.
        """
        found = registry.actor(self.connection, login)
        if found is None:
            raise Unknown("用户 user", login, registry.logins(self.connection))
        return found

    def units(self) -> Mapping[str, UnitRow]:
        """The organisation by code."""
        if self._units is None:
            self._units = registry.units(self.connection)
        return self._units

    def earlier_names(self, unit: str) -> tuple[EarlierName, ...]:
        """What a unit was called before, oldest first; read when units are."""
        if self._earlier is None:
            self._earlier = earlier_names(self.connection)
        return self._earlier.get(unit, ())

    def unit_named(self, unit: str, at: datetime) -> str:
        """What a unit was called at a moment: papers and lists of then say it, whatever it is called since."""
        now = moment(at)
        return next((one.name for one in self.earlier_names(unit) if now < one.until), self.units()[unit].name)

    def profile_of(self, unit: str) -> str:
        """The profile a unit works by: its own or that of its nearest ancestor that names one.

        Raises:
            Unknown: If none does.
        """
        at: str | None = unit
        while at is not None:
            row = self.units().get(at)
            if row is None:
                raise Unknown("单位 unit", at, self.units())
            if row.profile is not None:
                return row.profile
            at = row.parent
        raise Unknown("profile at or above 单位 unit", unit)

    def unit_above(self, unit: str, kind: str) -> str | None:
        """The nearest unit of a kind at or above a unit, or None."""
        at: str | None = unit
        while at is not None and self.units()[at].kind != kind:
            at = self.units()[at].parent
        return at

    def batch(self, name: str) -> BatchRow | None:
        """A published batch, or None; read once an act."""
        if name not in self._batches:
            self._batches[name] = registry.batch(self.connection, name)
        return self._batches[name]

    def every_batch(self) -> list[BatchRow]:
        """Every published batch, by name, read in one go; none of them is read again in this act."""
        rows = registry.every_batch(self.connection)
        self._batches.update((row.name, row) for row in rows)
        return rows

    def hold_batch(self, name: str) -> None:
        """Keep others from changing a batch for the rest of the transaction, and read it anew."""
        registry.hold_batch(self.connection, name)
        self._batches.pop(name, None)

    def hold_units(self, paths: Iterable[str]) -> None:
        """Keep others from changing units and those above them for the rest of the transaction, and read them anew."""
        registry.hold_units(self.connection, paths)
        self._units = None

    def table_rows(self, name: str) -> list[dict[str, Json]] | None:
        """The rows of a table as kept, read once an act; None where nobody knows them any more."""
        if f"table/{name}" in self.unknown:
            return None
        if name not in self._tables:
            self._tables[name] = registry.table_rows(self.connection, name)
        return self._tables[name]

    def definition(self, shape: str) -> Definition:
        """A definition by its content hash, from the files or as it was pinned.

        Raises:
            Unknown: If neither has it.
        """
        if shape not in self.shapes:
            body = registry.shape_body(self.connection, shape)
            if body is None:
                raise Unknown("定义 definition", shape)
            self.shapes[shape] = Definition.model_validate_json(body)
        return self.shapes[shape]

    def hash_of(self, definition: Definition) -> str:
        """The content hash of a definition of the library, by which a case is pinned to it."""
        return self._hashes[definition.workflow, definition.profile]

    def shapes_in_use(self) -> tuple[str, ...]:
        """The hashes of definitions that have cases."""
        rows = self.connection.execute(
            "SELECT hash FROM shape s WHERE EXISTS (SELECT 1 FROM cases c WHERE c.shape = s.hash)"
        )
        return tuple(str(row[0]) for row in rows.fetchall())

    def lookers(self) -> tuple[str, ...]:
        """The definitions whose deadlines, or the steps these fire, look at other cases or at tables; few, mostly none.

        They are found by their texts, and anew when the registry's chain has grown: definitions are published in it.
        """
        if self._lookers is None or self._lookers[0] != self._registry:
            found = tuple(sorted(one for one in self._published() if self._looks_around(one)))
            self._lookers = (self._registry, found)
        return self._lookers[1]

    def _published(self) -> frozenset[str]:
        """The definitions that were ever published; read again when the registry's chain has grown."""
        if self._every is None or self._every[0] != self._registry:
            self._every = (self._registry, registry.shapes(self.connection))
        return self._every[1]

    def _looks_around(self, shape: str) -> bool:
        one = self.definition(shape)
        return bool(one.deadlines) and looks_around(one, self.library.rulebook_for(one.profile).rules)

    def workflows_by_role(self) -> Mapping[str, tuple[str, ...]]:
        """The workflows and lists in which each role has a part, by whatever version was ever published.

        Who has a part in a list has one in the workflow whose cases it gathers. Found anew when the registry's chain
        has grown.
        """
        if self._parts is None or self._parts[0] != self._registry:
            every = {*self.shapes, *self._published()}
            found: dict[str, set[str]] = {}
            for one in map(self.definition, every):
                names = [one.workflow] if one.members is None else [one.workflow, one.members.of]
                for role in roles_in(one):
                    found.setdefault(role, set()).update(names)
            self._parts = (self._registry, {role: tuple(sorted(names)) for role, names in found.items()})
        return self._parts[1]

    def machine(self, shape: str, rulebook: str | None = None) -> Machine:
        """A pinned definition under a rulebook, by default the one in force; compiled once."""
        book = rulebook or self.rulebook
        library = self._library(book)
        machine: Machine | None = library.compiled.get((shape, book))
        if machine is None:
            machine = Machine(library, self.definition(shape), shape=shape, rulebook=book)
            library.compiled[shape, book] = machine
        return machine

    def machine_for(self, case: Case, given: Mapping[str, Json]) -> Machine:
        """The machine a case is judged by: its pinned shape, under the rulebook its batch has pinned if it has one."""
        name = given.get("batch") or case.fields.get("batch")
        row = self.batch(name) if isinstance(name, str) else None
        return self.machine(case.shape, row.rulebook if row else None)

    def book(self, rulebook: str) -> RulebookText:
        """A pinned rulebook.

        Raises:
            Unknown: If it is not kept.
        """
        return self._library(rulebook).rulebook

    def _library(self, rulebook: str) -> Library:
        if rulebook not in self._libraries:
            body = registry.rulebook_body(self.connection, rulebook)
            if body is None:
                raise Unknown("规则集 rulebook", rulebook)
            book = RulebookText.model_validate_json(body)
            engine = {**self.library.rulebook.engine, **book.engine}  # an older one lacks what the engine refuses since
            self._libraries[rulebook] = replace(self.library, rulebook=book.model_copy(update={"engine": engine}))
        return self._libraries[rulebook]

    def unpublished(self) -> tuple[str, ...]:
        """The hashes of definitions and the rulebook of the files that the database does not have yet."""
        kept = registry.shapes(self.connection)
        shapes = [shape for shape in self._hashes.values() if shape not in kept]
        is_new_book = registry.rulebook_body(self.connection, self.rulebook) is None
        return (*shapes, *([self.rulebook] if is_new_book else []))

    def publish(self, at: datetime, actor: str) -> tuple[str, ...]:
        """Keep what the files define and the database does not have yet, rulebook included; returns the new hashes.

        Raises:
            RuleInUse: If the rulebook lacks a rule that an open case's definition names.
        """
        if not self.unpublished():
            return ()
        lacking = [one.finding.message for one in rule_in_use(self.definitions_in_use(), self.library.rulebook)]
        if lacking:
            raise RuleInUse(lacking)
        with self.connection.writing():
            registry.registry_head(self.connection)  # whoever else publishes the same files waits here
            new = self.unpublished()
            self.record([self._publish_one(one) for one in reversed(new)], at=at, actor=actor)
            self._every, self._lookers, self._parts = None, None, None
        return new

    def definitions_in_use(self) -> Iterator[Definition]:
        """The pinned definitions that have cases still open."""
        for shape in self.shapes_in_use():
            one = self.definition(shape)
            final = [state for state in (*one.states, CANCELLED) if one.is_final(state)]
            marks = ",".join("?" * len(final))
            sql = f"SELECT 1 FROM cases WHERE shape = ? AND state NOT IN ({marks}) LIMIT 1"  # noqa: S608 marks only
            if self.connection.execute(sql, (shape, *final)).fetchone() is not None:
                yield one

    def _publish_one(self, new: str) -> tuple[EventKind, dict[str, Json]]:
        if new == self.rulebook:
            return EventKind.DEFINITION_PUBLISHED, self.keep_rulebook(new, self.library.rulebook)
        return EventKind.DEFINITION_PUBLISHED, self.keep_definition(new, self.shapes[new])

    def keep_rulebook(self, digest: str, book: RulebookText) -> dict[str, Json]:
        """Keep a rulebook under its hash unless it is kept; how an event tells of it. Call inside its transaction."""
        if registry.rulebook_body(self.connection, digest) is None:
            registry.add_rulebook(self.connection, digest, book.effective_from.isoformat(), canonical(book).decode())
        return {"rulebook": digest}

    def keep_definition(self, digest: str, one: Definition) -> dict[str, Json]:
        """Keep a definition under its hash unless it is kept; how an event tells of it. Call inside its transaction."""
        if registry.shape_body(self.connection, digest) is None:
            pinned = (one.workflow, one.profile, one.version)
            registry.add_shape(self.connection, digest, pinned, canonical(one).decode())
        return {"definition": digest, "workflow": one.workflow, "profile": one.profile, "version": one.version}

    def record(self, events: Iterable[tuple[EventKind, dict[str, Json]]], *, at: datetime, actor: str) -> None:
        """Extend the registry's chain; call inside the transaction that the events tell of."""
        self.record_events((kind, {"at": moment(at), "actor": actor, "data": data}) for kind, data in events)

    def record_events(self, events: Iterable[tuple[EventKind, dict[str, Json]]]) -> list[Written]:
        """Extend the registry's chain by whole events, as written; call inside the transaction that they tell of."""
        head = registry.registry_head(self.connection)
        written = []
        for kind, event in events:
            one = self.scribe.write(REGISTRY, head, kind, self._answered(event))
            written.append(one)
            head = Head(seq=one.seq, hash=one.hash)
        registry.write_registry(self.connection, written)
        return written

    @contextmanager
    def answering(self, request: str) -> Iterator[None]:
        """The first event of the registry recorded inside answers this request, unless it names one itself."""
        self._answering = request
        try:
            yield
        finally:
            self._answering = None

    def _answered(self, event: dict[str, Json]) -> dict[str, Json]:
        if self._answering is None or "request" in event:
            return event
        request, self._answering = self._answering, None
        return {**event, "request": request}
