"""What is judged, one state machine at a time, and how it is noted before it is placed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from engine.definition import CANCELLED, Definition, MachineFile, MoveKind, Transition
from engine.expressions.scope import Scope
from engine.library import Library
from engine.loading.positions import Finding, key_of
from engine.scopes import case_scope, machines_called, part_of
from engine.vocabulary import Rule

Step = str | int
Point = TypeVar("Point", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A finding, and the path in a loaded tree where it shows; `at_key`: at the key, not the value.

    `profile`: for whom it was found, if the tree is a kind of file that profiles may have otherwise.
    `story`: the fewest steps that show it, a sentence each in both languages (`engine.analysis`).
    """

    tree: str
    path: tuple[Step, ...]
    finding: Finding
    at_key: bool = False
    profile: str = ""
    story: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One machine of one definition: the workflow itself, or (`part`) one of its lists.

    `library` has the rulebook as the definition's profile reads it (`subjects`).
    Without slots, because its scope is built once and kept.
    """

    library: Library
    definition: Definition
    part: str | None = None

    @property
    def machine(self) -> MachineFile:
        """The states, transitions and so on that are judged."""
        return part_of(self.definition, self.part)

    @cached_property
    def scope(self) -> Scope:
        """What names mean in the expressions of this machine."""
        return case_scope(self.library, self.definition, self.part)

    @property
    def name(self) -> str:
        """What rules and effects call this machine."""
        own = self.definition.workflow
        return own if self.part is None else f"{own}.{self.part}"

    @property
    def neighbours(self) -> Mapping[str, Definition]:
        """The workflows of the same profile, by name."""
        return self.library.of_profile(self.definition.profile)

    def called(self, name: str) -> tuple[MachineFile, ...]:
        """The machines an effect or a list means by a name, seen from here."""
        if name == "record":
            return tuple(one for one in self.neighbours.values() if one.record)
        if name == "members":
            of = self.machine.members.of if self.machine.members else ""
            return tuple(machines_called(of, self.neighbours))
        return tuple(machines_called(name, self.neighbours))

    def says(self, code: str, message: str, *path: Step) -> Complaint:
        """A complaint about the value at a path within this machine."""
        finding = Finding(code=code, message=message)
        return Complaint(tree=self.tree, path=(*self.prefix, *path), finding=finding)

    def says_of(self, code: str, message: str, *path: Step) -> Complaint:
        """A complaint about the entry whose key ends a path."""
        finding = Finding(code=code, message=message)
        return Complaint(tree=self.tree, path=(*self.prefix, *path), finding=finding, at_key=True)

    @property
    def tree(self) -> str:
        """The loaded tree this machine stands in."""
        return key_of(self.definition.workflow, self.definition.profile)

    @property
    def prefix(self) -> tuple[Step, ...]:
        """Where the machine begins within its file."""
        return () if self.part is None else ("lists", self.part)


Check = Callable[[Subject], Iterator[Complaint]]
LibraryCheck = Callable[[Library], Iterator[Complaint]]


def subjects(library: Library) -> Iterator[Subject]:
    """Every machine of every definition."""
    seen = {profile: seen_from(library, profile) for _, profile in library.definitions}
    for definition in library.definitions.values():
        own = seen[definition.profile]
        yield Subject(library=own, definition=definition)
        for part in definition.lists:
            yield Subject(library=own, definition=definition, part=part)


def seen_from(library: Library, profile: str) -> Library:
    """The library with the rulebook as a profile reads it."""
    return replace(library, rulebook=library.rulebook_for(profile))


def moves(machine: MachineFile) -> Iterator[tuple[str, Transition]]:
    """The transitions from a state to a state, by trigger; openings and mere marks are none."""
    for trigger, one in machine.transitions.items():
        if one.targets and not one.opens:
            yield trigger, one


def leads_to(machine: MachineFile, kinds: frozenset[MoveKind]) -> Mapping[str, frozenset[str]]:
    """State → the states that one move of these kinds leads to."""
    found: dict[str, set[str]] = {state: set() for state in machine.states}
    for _, one in moves(machine):
        if one.kind in kinds:
            for origin in one.origins:
                found.setdefault(origin, set()).update(one.targets)
    return {state: frozenset(targets) for state, targets in found.items()}


def reached(start: frozenset[Point], edges: Mapping[Point, frozenset[Point]]) -> frozenset[Point]:
    """Everything that can be reached from some points of a graph, these included."""
    found: set[Point] = set()
    waiting = set(start)
    while waiting:
        state = waiting.pop()
        found.add(state)
        waiting |= edges.get(state, frozenset()) - found
    return frozenset(found)


def conditions(names: Iterable[str], rules: Mapping[str, Rule]) -> Mapping[str, Rule]:
    """The single rules behind names; what does not exist, or contains itself, is another fault."""
    found: dict[str, Rule] = {}
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop(0)
        rule = rules.get(name)
        if rule is None or name in seen:
            continue
        seen.add(name)
        waiting = [*rule.all_of, *waiting]
        if not rule.all_of:
            found[name] = rule
    return found


def is_final(machine: MachineFile, state: str) -> bool:
    """Whether nothing may lead on from a state; a state that does not exist is not final."""
    return state == CANCELLED or (state in machine.states and machine.states[state].final)
