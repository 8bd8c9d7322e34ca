"""Figures of a batch: who stands where on the road, what is missing, and by how many; for a unit and all below it.

Pure: the students come from `engine.roll_call`, one value each. Everything a page counts is counted here, so that the
sum of the units is the whole and the sum of the stages is everybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import NamedTuple, Protocol

from engine.definition import Definition, MoveKind
from engine.records import NOTHING, Json


class Standing(NamedTuple):
    """One student of a batch: the record, where it is, and what stands in the way of applying.

    `failing` and `undecided` are rule ids, sorted; both are empty once the student has applied. `marks` are the facts
    that figures can be narrowed by, by name.
    """

    case: int
    student: int
    unit: str
    state: str
    failing: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    marks: Mapping[str, Json] = NOTHING

    @property
    def lacking(self) -> tuple[str, ...]:
        """The rules that fail or cannot be decided."""
        return (*self.failing, *self.undecided)


class Road(NamedTuple):
    """The main road of the record: the state one applies from, those in which a case then waits, the good end."""

    start: str
    waiting: tuple[str, ...]
    end: str

    @property
    def stages(self) -> tuple[str, ...]:
        """The states after the application, in order."""
        return (*self.waiting, self.end)

    @property
    def states(self) -> tuple[str, ...]:
        """All of them, in order."""
        return (self.start, *self.stages)


class Place(Protocol):
    """A unit of the organisation."""

    @property
    def code(self) -> str:
        """What it is known by."""
        ...

    @property
    def path(self) -> str:
        """The codes from the top, each followed by a slash."""
        ...


def road_of(definition: Definition, application: str) -> Road:
    """The main road from the application on: the steps that lead on, taken one after the other, to where none does.

    Args:
        definition: The procedure of the record.
        application: The step by which one applies.
    """
    first = definition.transitions[application]
    states = [first.origins[0], *first.targets[:1]]
    while following := next(_onward(definition, states), None):
        states.append(following)
    return Road(start=states[0], waiting=tuple(states[1:-1]), end=states[-1])


def _onward(definition: Definition, been: list[str]) -> Iterator[str]:
    """Where the steps out of the last state lead that are no return and cannot as well be taken at rest."""
    for one in definition.transitions.values():
        is_onward = one.kind is MoveKind.ADVANCE and been[-1] in one.origins
        if is_onward and not any(_rests(definition, origin) for origin in one.origins if origin != been[-1]):
            yield from (target for target in one.targets if target not in been)


def _rests(definition: Definition, state: str) -> bool:
    return state in definition.states and definition.states[state].rests


@dataclass(slots=True, kw_only=True)
class Tally:
    """How many students are where; of one unit, or of it and all below.

    Attributes:
        ready: May apply and have not.
        unready: Something stands in their way.
        sole: Of these, those who lack one thing only.
        at: Those who have applied, by the state of the road they are in.
        off: Those who left the road, by state: they cannot take part.
    """

    ready: int = 0
    unready: int = 0
    sole: int = 0
    at: dict[str, int] = field(default_factory=dict)
    off: dict[str, int] = field(default_factory=dict)

    @property
    def expected(self) -> int:
        """Everybody."""
        return self.takers + sum(self.off.values())

    @property
    def takers(self) -> int:
        """Those who may take part."""
        return self.open + self.filed

    @property
    def open(self) -> int:
        """Those who have not applied."""
        return self.ready + self.unready

    @property
    def filed(self) -> int:
        """Those who have applied, wherever they are by now."""
        return sum(self.at.values())

    def passed(self, road: Road, stage: str) -> int:
        """How many have come to a stage of the road, or beyond it."""
        return sum(self.at.get(state, 0) for state in road.stages[road.stages.index(stage) :])

    def count(self, state: str, lacking: int, many: int, road: Road) -> None:
        """Add so many students who are in a state and lack so many things."""
        if state == road.start:
            self.ready += 0 if lacking else many
            self.unready += many if lacking else 0
            self.sole += many if lacking == 1 else 0
            return
        where = self.at if state in road.stages else self.off
        where[state] = where.get(state, 0) + many

    def add(self, other: Tally) -> None:
        """Add the figures of another unit."""
        self.ready += other.ready
        self.unready += other.unready
        self.sole += other.sole
        for mine, its in ((self.at, other.at), (self.off, other.off)):
            for state, count in its.items():
                mine[state] = mine.get(state, 0) + count


class Node(NamedTuple):
    """A unit with the figures of it and all below it, and the units below that have students, by path."""

    unit: str
    tally: Tally
    below: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """The unit and those below it, each above its own."""
        yield self
        for one in self.below:
            yield from one.walk()


_ALIKE = attrgetter("unit", "state", "failing", "undecided")
_LACKS_ALIKE = attrgetter("failing", "undecided")
"""What makes students count alike: a hundred thousand of them differ in a few hundred ways."""


def tallies(standings: Iterable[Standing], road: Road) -> dict[str, Tally]:
    """The figures of each unit by itself, without those below it."""
    found: dict[str, Tally] = {}
    for (unit, state, failing, undecided), many in Counter(map(_ALIKE, standings)).items():
        found.setdefault(unit, Tally()).count(state, len(failing) + len(undecided), many, road)
    return found


def tree(own: Mapping[str, Tally], units: Mapping[str, Place], root: str) -> Node:
    """The figures of a unit and those below it, added upwards; units without students are left out.

    Args:
        own: The figures of each unit by itself (`tallies`).
        units: The organisation by code; every unit of `own` is in it.
        root: The unit at the top.
    """
    paths = {units[code].path: code for code in own if units[code].path.startswith(units[root].path)}
    parents = {one.path: one.code for one in units.values()}
    needed = {path[:cut] for path in paths for cut in _cuts(path, len(units[root].path))} | {units[root].path}
    nodes: dict[str, Node] = {}
    for path in sorted(needed, key=len, reverse=True):
        below = tuple(nodes.pop(one) for one in sorted(nodes) if one.startswith(path))
        tally = Tally()
        tally.add(own.get(parents[path], Tally()))
        for one in below:
            tally.add(one.tally)
        nodes[path] = Node(parents[path], tally, below)
    return nodes[units[root].path]


def _cuts(path: str, least: int) -> Iterator[int]:
    """The lengths of a path and those above it, from a least one on."""
    return (place + 1 for place, letter in enumerate(path) if letter == "/" and place + 1 >= least)


class Lack(NamedTuple):
    """One rule, and how many students it keeps from applying.

    Attributes:
        rule: Its id.
        fails: For how many it fails.
        undecided: For how many it cannot be decided.
        sole: For how many of these it is the only thing missing: 补上就齐.
        sole_undecided: Of the sole ones, those for whom it cannot be decided.
    """

    rule: str
    fails: int = 0
    undecided: int = 0
    sole: int = 0
    sole_undecided: int = 0

    @property
    def students(self) -> int:
        """Everybody it keeps from applying."""
        return self.fails + self.undecided

    @property
    def parts(self) -> tuple[int, int, int]:
        """Disjoint, together everybody: missing alone; fails beside others; undecided beside others."""
        beside = self.undecided - self.sole_undecided
        return self.sole, self.students - self.sole - beside, beside


def lacks(standings: Iterable[Standing]) -> tuple[Lack, ...]:
    """What is missing, by rule: what alone keeps most students from applying comes first."""
    found: dict[str, Lack] = {}
    for (failing, undecided), many in Counter(map(_LACKS_ALIKE, standings)).items():
        sole = many if len(failing) + len(undecided) == 1 else 0
        for rule in failing:
            had = found.get(rule) or Lack(rule)
            found[rule] = had._replace(fails=had.fails + many, sole=had.sole + sole)
        for rule in undecided:
            had = found.get(rule) or Lack(rule)
            found[rule] = had._replace(
                undecided=had.undecided + many, sole=had.sole + sole, sole_undecided=had.sole_undecided + sole
            )
    return tuple(sorted(found.values(), key=lambda one: (-one.sole, -one.students, one.rule)))


Choice = Callable[[Standing], bool]
"""Whether a student is among those that a number counts."""


def chosen(key: str, road: Road) -> Choice | None:
    """Who is counted by a number of the page, by its name; None where no number has that name.

    The names are those of addresses: `expected`, `takers`, `filed`, `complete`, `ready`, `unready`, `sole`, `off`,
    `open`, a state (`at:STATE`: waits in it; `passed:STATE`: has come to it or beyond), and a rule (`rule:ID`,
    `sole:ID`, `fails:ID`, `undecided:ID`).
    """
    word, _, of = key.partition(":")
    if not of:
        return _PLAIN[word](road) if word in _PLAIN else None
    if word == "passed":
        beyond = road.stages[road.stages.index(of) :] if of in road.stages else ()
        return lambda one: one.state in beyond
    return _NAMED[word](of) if word in _NAMED else None


_PLAIN: Mapping[str, Callable[[Road], Choice]] = {
    "expected": lambda _: lambda _one: True,
    "takers": lambda road: lambda one: one.state in road.states,
    "filed": lambda road: lambda one: one.state in road.stages,
    "open": lambda road: lambda one: one.state == road.start,
    "complete": lambda road: lambda one: one.state in road.states and not one.lacking,
    "ready": lambda road: lambda one: one.state == road.start and not one.lacking,
    "unready": lambda road: lambda one: one.state == road.start and bool(one.lacking),
    "sole": lambda road: lambda one: one.state == road.start and len(one.lacking) == 1,
    "off": lambda road: lambda one: one.state not in road.states,
}
_NAMED: Mapping[str, Callable[[str], Choice]] = {
    "at": lambda of: lambda one: one.state == of,
    "rule": lambda of: lambda one: of in one.lacking,
    "sole": lambda of: lambda one: one.lacking == (of,),
    "fails": lambda of: lambda one: of in one.failing,
    "undecided": lambda of: lambda one: of in one.undecided,
}
