"""Every wrong way to take a step: in a state it does not leave, without a part in it, at a unit it does not reach.

What is right is worked out here from the definition and the tree of units alone, so that the engine is measured by
something that is not the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from engine.actors import IMPORT, Actor, Grant
from engine.definition import RESERVED_ROLES, Definition, Slot, Transition, Who
from tests.definitions.world import World

TIMER = Actor(login="timer", grants=(Grant(role="timer", unit="", path=""),))
STRANGERS: tuple[tuple[str, Actor], ...] = (("import", IMPORT), ("timer", TIMER))
"""Who acts without being a person."""


class Answer(StrEnum):
    """What must be said to somebody who asks in a wrong way."""

    NOT_OPEN = "not_open"
    NOT_ALLOWED = "not_allowed"
    SIGNING_OVER = "signing-over"
    DELEGATION_MISSING = "delegation-missing"


class Way(StrEnum):
    """In which respect a request is wrong."""

    STATE = "state"
    ROLE = "role"
    UNIT = "unit"


class Wrong(NamedTuple):
    """One request that must not be granted."""

    trigger: str
    way: Way
    actor: Actor
    answer: Answer
    caused: bool = False


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A case as it stands somewhere: whose it is, at which unit, what its fields name, where its members are.

    `steps` are those to be tried there.
    """

    definition: Definition
    state: str
    steps: tuple[str, ...]
    unit: str
    student: int | None
    fields: Mapping[str, str]
    members_at: str | None


@dataclass(frozen=True, kw_only=True)
class Town:
    """Where roles are held: the tree of a world, the institutions next door, and who acts for whom there."""

    world: World
    parents: Mapping[str, str | None]
    holders: Mapping[str, Mapping[str, Actor]]
    another_student: int

    def above(self, unit: str) -> list[str]:
        """A unit and those above it, nearest first."""
        found: list[str] = []
        at: str | None = unit
        while at is not None:
            found.append(at)
            at = self.parents[at]
        return found

    def below(self, unit: str) -> list[str]:
        """A unit and those below it."""
        return [one for one in self.parents if unit in self.above(one)]

    def nearest(self, role: str, unit: str) -> Actor:
        """Who holds a role at or above a unit, or else anywhere: a wrong role should not be wrong by its unit too."""
        held = self.holders[role]
        return next((held[one] for one in self.above(unit) if one in held), next(iter(held.values())))

    def of_kind(self, kind: str, unit: str) -> str | None:
        """The nearest unit of a kind at or above a unit."""
        tree = self.world.tree
        return next((one for one in self.above(unit) if one in tree and tree[one][0] == kind), None)


def wrong_ways(town: Town, stop: Stop) -> Iterator[Wrong]:
    """Every wrong way of the steps of a case where it stands."""
    for trigger in stop.steps:
        one = stop.definition.transitions[trigger]
        tries = _where_open if stop.state in one.origins else _where_not_open
        yield from tries(town, stop, trigger, one)


def parties(one: Transition) -> list[Who]:
    """Who may take a step, or sign for it."""
    return [*one.by, *(one.sign.slots.values() if one.sign else ())]


def has_part(one: Transition) -> set[str]:
    """The roles with a part in a step: who acts, a student also where somebody records it, who may act for one."""
    return {role for who in parties(one) for role in _roles_of(who)}


def _roles_of(who: Who) -> set[str]:
    student = {"student"} if who.role == "student" else set()
    return {who.acting_role, *student, *(who.delegates.roles if who.delegates else ())}


def right_units(town: Town, stop: Stop, one: Transition, role: str) -> set[str]:
    """Where a role has its part in a step: the places it counts at, and all above them."""
    places = {place for who in parties(one) if role in _roles_of(who) for place in _places(town, stop, who)}
    return {unit for place in places for unit in town.above(place)}


def _places(town: Town, stop: Stop, who: Who) -> list[str]:
    """The units at which somebody counts: those of the members, the one a field names, a kind of unit, the case's."""
    if isinstance(who, Slot) and who.each is not None:
        found = None if stop.members_at is None else town.of_kind(who.each, stop.members_at)
    elif who.at is None:
        found = stop.unit
    elif who.at.startswith("case."):
        found = stop.fields.get(who.at.removeprefix("case."))
    else:
        found = town.of_kind(who.at, stop.unit) or (stop.unit if isinstance(who, Slot) else None)
    return [] if found is None else [found]


def _where_open(town: Town, stop: Stop, trigger: str, one: Transition) -> Iterator[Wrong]:
    """Everybody without a part in the step, and everybody with one, but of another unit."""
    part = has_part(one)
    acting = {who.acting_role for who in parties(one)}
    for role in town.holders:
        if role not in part:
            yield Wrong(trigger, Way.ROLE, town.nearest(role, stop.unit), Answer.NOT_ALLOWED)
            continue
        right = right_units(town, stop, one, role)
        for unit, actor in town.holders[role].items():
            if unit not in right:
                yield Wrong(trigger, Way.UNIT, actor, Answer.NOT_ALLOWED)
            elif role not in acting:
                yield Wrong(trigger, Way.ROLE, actor, Answer.DELEGATION_MISSING)
    for actor in _nobodies(town, stop, part):
        yield Wrong(trigger, Way.ROLE, actor, Answer.NOT_ALLOWED)


def _nobodies(town: Town, stop: Stop, part: set[str]) -> Iterator[Actor]:
    """Another student always; the case's own, the sheet and the clock where the step is not theirs."""
    yield _student(town.another_student)
    if stop.student is not None and "student" not in part:
        yield _student(stop.student)
    yield from (actor for role, actor in STRANGERS if role not in part)


def _where_not_open(town: Town, stop: Stop, trigger: str, one: Transition) -> Iterator[Wrong]:
    """Everybody who could take the step where it is open; a signature that comes too late is told so."""
    is_left = one.sign is not None and stop.state in _after(stop.definition, one.origins)
    acting = {who.acting_role for who in parties(one)}
    for role in sorted(acting | {"student"} & has_part(one) or {"effect"}):
        actor, is_entitled = _who_could(town, stop, one, role)
        answer = Answer.SIGNING_OVER if is_left and is_entitled else Answer.NOT_OPEN
        yield Wrong(trigger, Way.STATE, actor, answer, role in ("effect", "members"))


def _who_could(town: Town, stop: Stop, one: Transition, role: str) -> tuple[Actor, bool]:
    """Somebody who takes a step in a role, and whether the case is theirs; an effect is caused by anybody."""
    reserved: Mapping[str, Actor] = {"import": IMPORT, "timer": TIMER, "student": _student(stop.student or 0)}
    if role in RESERVED_ROLES:
        return reserved.get(role, town.nearest("records_section", stop.unit)), role == "student"
    right = _signs_somewhere(town, stop, one, role)
    held = [actor for unit, actor in town.holders[role].items() if unit in right]
    return (held or [town.nearest(role, stop.unit)])[0], bool(held)


def _signs_somewhere(town: Town, stop: Stop, one: Transition, role: str) -> set[str]:
    """Where a role would have had its part; a slot `each` unit of members that are gone, at any unit below the list."""
    own = {who.acting_role: who for who in parties(one)}[role]
    if isinstance(own, Slot) and own.each is not None:
        return set(town.below(stop.unit))
    return right_units(town, stop, one, role)


def _after(definition: Definition, origins: Sequence[str]) -> set[str]:
    """The states that a case may be in once it has left one of these."""
    found: set[str] = set()
    ahead = set(origins)
    while ahead:
        leaving = [one for one in definition.transitions.values() if ahead & set(one.origins)]
        ahead = {target for one in leaving for target in one.targets} - found
        found |= ahead
    return found


def _student(student: int) -> Actor:
    return Actor(login=f"student.{student}", student=student)
