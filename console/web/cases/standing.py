"""Where a case stands: every step that is open, what its rules say, who mends what is missing, and until when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from console.web.cases.masking import Sight, Veil
from console.web.cases.reading import Dossier
from console.web.lettering import valued
from engine.actors import Actor
from engine.deadlines import BoundDeadline
from engine.definition import Bilingual, MoveKind
from engine.expressions.kinds import Lang, Value
from engine.guards import Guard, explain
from engine.prospects import Prospect
from engine.records import Outcome, Request, Sentence, Verdict
from engine.rights import right_at
from engine.store.deadlines import Row
from exchange.diagrams import main_road

_ORDER = (Outcome.FAILS, Outcome.UNDECIDED, Outcome.HOLDS, Outcome.NOT_APPLICABLE)
_MACHINES = frozenset({"effect", "timer", "members", "import"})
"""Roles that no person acts in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mender:
    """Who can mend something: a role, and the names of those who hold it here."""

    role: str
    title: Bilingual
    names: tuple[str, ...]
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """What one rule said: the value it saw in words, who mends it and how, by when, and the clause behind it."""

    outcome: Outcome
    rule: str
    id: str
    title: Sentence
    seen: str
    mender: Mender | None
    remedy: Sentence | None
    due_at: datetime | None
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStep:
    """One step out of the state of a case.

    Attributes:
        rules: What its rules and its documents say; what stands in the way first.
        menders: Who has to mend how many things, most first.
        could: Who could take it.
        is_mine: Whether whoever looks could take it.
        apart: Titles of steps the viewer took, from which this one is kept apart.
        asks: The fields it asks for.
    """

    trigger: str
    title: Bilingual
    kind: MoveKind
    targets: tuple[Bilingual, ...]
    rules: tuple[RuleLine, ...]
    menders: tuple[Mender, ...]
    could: tuple[Mender, ...]
    is_mine: bool
    apart: tuple[Bilingual, ...]
    is_automatic: bool

    @property
    def fails(self) -> int:
        """How many rules fail."""
        return self._count(Outcome.FAILS)

    @property
    def undecided(self) -> int:
        """How many rules cannot be decided."""
        return self._count(Outcome.UNDECIDED)

    @property
    def holds(self) -> int:
        """How many rules hold."""
        return self._count(Outcome.HOLDS)

    @property
    def is_open(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.fails and not self.undecided

    @property
    def missing(self) -> int:
        """How many things have to be mended."""
        return self.fails + self.undecided

    def _count(self, outcome: Outcome) -> int:
        return sum(1 for one in self.rules if one.outcome is outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads the page: the person, what is seen of values, and the language."""

    actor: Actor
    veil: Veil
    lang: Lang


def open_steps(dossier: Dossier, reader: Reader) -> tuple[OpenStep, ...]:
    """Every step out of the state of a case, the likeliest first."""
    road = main_road(dossier.definition)
    here = road.index(dossier.case.state) if dossier.case.state in road else None
    ahead = None if here is None or here + 1 == len(road) else road[here + 1]
    ordered = sorted(dossier.steps, key=lambda one: _likelihood(dossier, one, ahead))
    return tuple(_open_step(dossier, one, reader) for one in ordered)


def _likelihood(dossier: Dossier, one: Prospect, ahead: str | None) -> tuple[bool, bool, bool]:
    """What tells the likelier step: along the road, onward, taken by people."""
    step = dossier.definition.transitions[one.trigger]
    roles = {seat.role for seat in one.signatures.seats} if one.signatures else set(one.roles)
    return (ahead not in one.targets or step.kind is not MoveKind.ADVANCE, bool(roles) and roles <= _MACHINES,
            step.kind is not MoveKind.ADVANCE)  # fmt: skip


def _open_step(dossier: Dossier, one: Prospect, reader: Reader) -> OpenStep:
    definition = dossier.definition
    roles = tuple(seat.role for seat in one.signatures.seats if seat.is_turn) if one.signatures else one.roles
    rules = [_rule_line(dossier, one, verdict, reader) for verdict in _without_warnings(one)]
    rules += [_paper_line(dossier, verdict, reader) for verdict in one.papers]
    ordered = sorted(rules, key=lambda line: _ORDER.index(line.outcome))
    step = dossier.machine.step(dossier.case.state, one.trigger)
    mine = [key.partition(".")[0] for key in step.apart if reader.actor.login in dossier.case.taken.get(key, ())]
    return OpenStep(
        trigger=one.trigger,
        title=one.title,
        kind=definition.transitions[one.trigger].kind,
        targets=tuple(definition.states[name].title for name in one.targets if name in definition.states),
        rules=tuple(ordered),
        menders=_menders(ordered),
        could=tuple(mender(dossier, role) for role in dict.fromkeys(roles) if role not in _MACHINES),
        is_mine=_is_mine(dossier, one, reader.actor) and not mine,
        apart=tuple(definition.transitions[name].title for name in dict.fromkeys(mine)),
        is_automatic=bool(roles) and set(roles) <= _MACHINES,
    )


def _without_warnings(one: Prospect) -> Iterator[Verdict]:
    """The verdicts of a step as far as they say whether it is open; what only warns, its form shows.

    A rule that must not hold (`unless`) and does stands in the way like one that fails.
    """
    refusing = {verdict.rule for verdict in one.refusing}
    for verdict in one.verdicts:
        if verdict.rule in refusing:
            yield verdict if verdict.outcome.refuses else replace(verdict, outcome=Outcome.FAILS)
        elif not verdict.outcome.refuses:
            yield verdict


def _is_mine(dossier: Dossier, one: Prospect, actor: Actor) -> bool:
    """Whether a person has a right to take a step, own or lent, or to sign for it."""
    case, request = dossier.case, Request(trigger=one.trigger, actor=actor, at=dossier.at)
    if one.signatures is not None:
        return any(actor.login in seat.could for seat in one.signatures.seats if seat.is_turn)
    return any(
        found.barred is None
        for who, roles in dossier.machine.step(case.state, one.trigger).entitled
        if (place := (case.unit, case.path) if who.at is None else dossier.sight.place(who.at)) is not None
        and (found := right_at(who, roles, place, case, request)) is not None
    )


def _rule_line(dossier: Dossier, one: Prospect, verdict: Verdict, reader: Reader) -> RuleLine:
    guard = next(guard for guard in dossier.machine.guards_of([verdict.rule]))
    return RuleLine(
        outcome=verdict.outcome,
        rule=verdict.rule,
        id=verdict.id,
        title=verdict.title,
        seen=_seen(dossier, guard, verdict.outcome, one.values, reader),
        mender=_who_mends(dossier, verdict),
        remedy=verdict.remedy if verdict.outcome.refuses else None,
        due_at=_due(dossier, verdict.rule) if verdict.outcome.refuses else None,
        clauses=verdict.source,
    )


def _paper_line(dossier: Dossier, verdict: Verdict, reader: Reader) -> RuleLine:
    """A document that is missing, or not as it must be."""
    return RuleLine(
        outcome=verdict.outcome,
        rule=verdict.rule,
        id=verdict.id,
        title=verdict.title,
        seen=verdict.sentence.zh if reader.lang == "zh" else verdict.sentence.en,
        mender=_who_mends(dossier, verdict),
        remedy=verdict.remedy,
        due_at=None,
        clauses=verdict.source,
    )


def _seen(dossier: Dossier, guard: Guard, outcome: Outcome, values: Mapping[str, Value | None], reader: Reader) -> str:
    """What a rule saw, in words: its own sentence where it refuses, else the values it read; nothing unveiled."""
    veiled = {key: _veiled(key, value, reader.veil) for key, value in values.items()}
    if outcome.refuses:
        said = explain(guard, outcome, veiled if outcome is Outcome.FAILS else values, dossier.machine.readers)
        return said.sentence.zh if reader.lang == "zh" else said.sentence.en
    return ("，" if reader.lang == "zh" else ", ").join(_worded(dossier, guard.reads, veiled, reader.lang))


def _veiled(key: str, value: Value | None, veil: Veil) -> Value | None:
    """A value as it is shown; anything but a text that is not shown in full is not shown at all."""
    if value is None or veil.sight(key) is Sight.FULL:
        return value
    shown = veil.over(key, value) if isinstance(value, str) else None
    return shown if isinstance(shown, str) else None


def _worded(
    dossier: Dossier, keys: Iterable[str], values: Mapping[str, Value | None], lang: Literal["zh", "en"]
) -> Iterator[str]:
    """Values with what they are called; what is looked up elsewhere, or not known, says nothing here."""
    machine = dossier.machine
    for key in keys:
        kind, title, value = machine.kind(key), machine.readers.titles.get(key), values.get(key)
        if kind is not None and title is not None and value is not None and kind.name not in ("rows", "set"):
            said = valued(kind, value, lang, machine.readers.choices)
            yield f"{title.zh} {said}" if lang == "zh" else f"{title.en} {said}"


def _who_mends(dossier: Dossier, verdict: Verdict) -> Mender | None:
    if verdict.remedy_by is None or not verdict.outcome.refuses:
        return None
    return mender(dossier, verdict.remedy_by)


def mender(dossier: Dossier, role: str) -> Mender:
    """A role with its title and the names of those who hold it at the case's unit or above."""
    organisation = dossier.desk.library.rulebook.organisation
    holding = [] if role not in organisation.roles else dossier.staff.holding(role, dossier.case.path)
    return Mender(
        role=role, title=organisation.called(role), names=tuple(one.name or dossier.name(one.login) for one in holding)
    )


def _menders(rules: Sequence[RuleLine]) -> tuple[Mender, ...]:
    """The smallest set of things to mend, by who mends them; the student first, then whoever has most to do."""
    found = {one.mender.role: one.mender for one in rules if one.mender is not None and one.outcome.refuses}
    counts = Counter(one.mender.role for one in rules if one.mender is not None and one.outcome.refuses)
    ordered = sorted(found, key=lambda role: (role != "student", -counts[role]))
    return tuple(
        Mender(role=role, title=found[role].title, names=found[role].names, count=counts[role]) for role in ordered
    )


def _due(dossier: Dossier, rule: str) -> datetime | None:
    """Until when what a rule refuses has to be mended: the deadline that it settles, else the first that runs."""
    rows = [
        (case, row.due_at, row)
        for case in (dossier.case, *dossier.beside)
        for row in dossier.running.get(case.id, ())
        if row.due_at is not None and not row.settled
    ]
    settled_by = [due_at for case, due_at, row in rows if rule in _settling(dossier, case.shape, row)]
    own = [due_at for case, due_at, _ in rows if case.id == dossier.case.id]
    return min(settled_by or own, default=None)


def _settling(dossier: Dossier, shape: str, row: Row) -> Sequence[str]:
    bound: BoundDeadline = dossier.desk.machine(shape).deadline(row.name)
    return [guard.name for guard in bound.settled]
