"""Ground: what an auditor holds a history against (people, units, delegations, definitions as published)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.auditing.history import Event, readable
from engine.definition import Definition
from engine.guards import flatten
from engine.outline import steps_apart
from engine.store import registry
from engine.store.database import Connection
from engine.store.trail import delegations_in_range
from engine.trail.event import REGISTRY, EventKind
from engine.vocabulary import Rule, RulebookText

_EVERY_CASE = (0, (1 << 40) - 1)


class Flaw(NamedTuple):
    """What is wrong with a case: since which event (0: as it stands), in Chinese and English."""

    seq: int
    zh: str
    en: str


class Term(NamedTuple):
    """How long a role was held at a unit; `until` None: it still is."""

    unit: str
    since: str
    until: str | None


class Loan(NamedTuple):
    """A right that was lent: for one case or (0) all, since when, until when at most, and why."""

    case: int
    since: str
    until: str | None
    reason: str


@dataclass(slots=True, kw_only=True)
class Ground:
    """Everything is read once; rules and separations are worked out when they are first asked for."""

    paths: Mapping[str, str]
    grants: Mapping[tuple[str, str], list[Term]]
    student_of: Mapping[str, int]
    lent: Mapping[tuple[str, str, str], list[Loan]]
    definitions: Mapping[str, Definition]
    published: dict[str, str]
    books: Mapping[str, str]
    _rules: dict[tuple[str, str], Mapping[str, Rule]] = field(default_factory=dict)
    _named: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    _apart: dict[tuple[str, str, str], tuple[str, ...]] = field(default_factory=dict)
    _books: dict[tuple[str, str], RulebookText | None] = field(default_factory=dict)

    def holds(self, login: str, role: str, unit: str, at: str) -> bool:
        """Whether a person's own right reached a unit at a moment: the role held there or above it."""
        terms = self.grants.get((login, role), ())
        return any(
            one.since <= at and (one.until is None or at <= one.until) and self.is_above(one.unit, unit)
            for one in terms
        )

    def is_above(self, upper: str, unit: str) -> bool:
        """Whether a unit is another or stands above it; one that nobody knows is above nothing."""
        return self.paths.get(unit, "").startswith(self.paths.get(upper, "?"))

    def loans(self, chain: int, one: Event) -> list[Loan]:
        """The recorded delegations by which an event of a case could be another's doing, good at its moment."""
        giver = str((one.delegation or {}).get("by"))
        return [
            loan
            for loan in self.lent.get((giver, one.actor, one.role or ""), [])
            if loan.case in (0, chain) and loan.since <= one.at and (loan.until is None or one.at <= loan.until)
        ]

    def guards(self, shape: str, trigger: str, rulebook: str) -> tuple[str, ...]:
        """The rules a step is refused by when they do not hold, sets opened, as the event's rulebook has them."""
        key = (shape, trigger, rulebook)
        if key not in self._named:
            one = self.definitions[shape]
            transition = one.transitions.get(trigger)
            rules = self._rules_of(rulebook, one.profile)
            names = [] if transition is None else [name for name in transition.guards if name in rules]
            self._named[key] = flatten(names, rules)
        return self._named[key]

    def _rules_of(self, rulebook: str, profile: str) -> Mapping[str, Rule]:
        key = (rulebook, profile)
        if key not in self._rules:
            book = self._read(rulebook, profile)
            self._rules[key] = {} if book is None else book.rules
        return self._rules[key]

    def book_of(self, one: Event) -> RulebookText | None:
        """The rulebook of an event as its profile reads it, for its words; the newest where it names none that is kept.

        None where none was ever published.
        """
        definition = self.definitions.get(one.definition)
        kept = [one.rulebook, *reversed(self.published)]
        book = next((each for each in kept if each in self.books), "")
        return self._read(book, "" if definition is None else definition.profile)

    def _read(self, rulebook: str, profile: str) -> RulebookText | None:
        key = (rulebook, profile)
        if key not in self._books:
            body = self.books.get(rulebook)
            book = None if body is None else RulebookText.model_validate_json(body)
            self._books[key] = None if book is None else book.for_profile(profile)
        return self._books[key]

    def apart(self, shape: str, trigger: str, slot: str) -> tuple[str, ...]:
        """The steps and signatures that nobody who takes this one may have taken."""
        key = (shape, trigger, slot)
        if key not in self._apart:
            self._apart[key] = steps_apart(self.definitions[shape], trigger, slot)
        return self._apart[key]


def ground_of(connection: Connection) -> Ground:
    """The ground of a database; call inside `reading`."""
    bodies = connection.execute("SELECT hash, body FROM shape").fetchall()
    books = connection.execute("SELECT hash, body FROM rulebook").fetchall()
    grants: dict[tuple[str, str], list[Term]] = {}
    for login, role, *term in connection.execute("SELECT login, role, unit, since, until FROM role_grant").fetchall():
        grants.setdefault((str(login), str(role)), []).append(Term(*term))
    students = connection.execute("SELECT login, student FROM account WHERE student IS NOT NULL").fetchall()
    lent: dict[tuple[str, str, str], list[Loan]] = {}
    for case, one in delegations_in_range(connection, _EVERY_CASE):
        ends = min((moment for moment in (one.until, one.revoked_at) if moment is not None), default=None)
        lent.setdefault((one.giver, one.taker, one.role), []).append(Loan(case, one.since, ends, one.reason))
    return Ground(
        paths={code: unit.path for code, unit in registry.units(connection).items()},
        grants=grants,
        student_of={str(login): int(str(student)) for login, student in students},
        lent=lent,
        definitions={str(shape): Definition.model_validate_json(str(body)) for shape, body in bodies},
        published=_published(connection),
        books={str(book): str(body) for book, body in books},
    )


def _published(connection: Connection) -> dict[str, str]:
    """When each definition and rulebook was first published, by hash, in the order of the registry's chain."""
    found: dict[str, str] = {}
    for (body,) in connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (REGISTRY,)).fetchall():
        event = readable(body)
        if event["kind"] == EventKind.DEFINITION_PUBLISHED:
            data = event["data"]
            if "message" not in data and "batch" not in data:
                found.setdefault(str(data.get("definition") or data.get("rulebook")), str(event["at"]))
    return found
