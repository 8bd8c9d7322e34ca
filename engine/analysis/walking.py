"""Every configuration a case can come to, each by the shortest story that leads there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from engine.analysis.configurations import Move, Place, Space
from engine.checking.subjects import is_final

MOST_PLACES = 20_000
"""Where walking stops and says so: a machine beyond this is several machines."""


class Step(NamedTuple):
    """A step of a story: from where (None: an opening), and what was done."""

    origin: Place | None
    move: Move


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What walking found, nearest first.

    Attributes:
        space: The machine that was walked.
        moves: Every configuration that can be reached, with the steps from there.
        came: How each was reached first, which is by the fewest steps.
        is_whole: False if there were more than `MOST_PLACES`.
    """

    space: Space
    openings: tuple[Move, ...]
    moves: Mapping[Place, tuple[Move, ...]]
    came: Mapping[Place, Step]
    is_whole: bool = True

    def story(self, place: Place) -> tuple[Step, ...]:
        """The fewest steps that lead to a configuration, the opening first."""
        steps: list[Step] = []
        at: Place | None = place
        while at is not None:
            step = self.came[at]
            steps.append(step)
            at = step.origin
        return tuple(reversed(steps))

    def steps(self) -> Iterator[Step]:
        """Every step there is, those of openings first, then nearest first."""
        yield from (Step(None, move) for move in self.openings)
        for place, moves in self.moves.items():
            yield from (Step(place, move) for move in moves)

    def after(self, step: Step) -> tuple[Step, ...]:
        """The story that ends with a step."""
        return (step,) if step.origin is None else (*self.story(step.origin), step)

    def first(self, wanted: Callable[[Place], bool]) -> Place | None:
        """The nearest configuration of a kind."""
        return next((place for place in self.moves if wanted(place)), None)

    def is_final(self, place: Place) -> bool:
        """Whether a case is over there."""
        return is_final(self.space.machine, place.state)

    def is_at_peace(self, place: Place) -> bool:
        """Whether nobody waits for anything: a case is over, or it rests."""
        states = self.space.machine.states
        return self.is_final(place) or (place.state in states and states[place.state].rests)

    def doomed(self) -> tuple[Place, ...]:
        """The configurations from which no story leads to an end or a rest, nearest first."""
        saved = self.leading_to(place for place in self.moves if self.is_at_peace(place))
        return tuple(place for place in self.moves if place not in saved)

    def leading_to(self, wanted: Iterable[Place]) -> set[Place]:
        """Everything from which a story leads to one of these, themselves included."""
        before: dict[Place, list[Place]] = {place: [] for place in self.moves}
        for place, moves in self.moves.items():
            for move in moves:
                before[move.to].append(place)
        return spread(wanted, before)

    def ahead(self, place: Place) -> frozenset[Place]:
        """Everything that can come after a configuration, itself included."""
        targets = {one: [move.to for move in moves] for one, moves in self.moves.items()}
        return frozenset(spread((place,), targets))


def spread(starts: Iterable[Place], edges: Mapping[Place, Iterable[Place]]) -> set[Place]:
    """Everything that edges lead to from some configurations, these included."""
    found = set(starts)
    waiting = list(found)
    while waiting:
        for one in edges[waiting.pop()]:
            if one not in found:
                found.add(one)
                waiting.append(one)
    return found


def walk(space: Space, most: int = MOST_PLACES) -> Walk:
    """Try every step from every configuration, breadth first."""
    openings = tuple(space.starts())
    came: dict[Place, Step] = {}
    waiting: deque[Place] = deque()

    def arrive(step: Step) -> None:
        if step.move.to not in came:
            came[step.move.to] = step
            waiting.append(step.move.to)

    for move in openings:
        arrive(Step(None, move))
    moves: dict[Place, tuple[Move, ...]] = {}
    while waiting and len(moves) < most:
        place = waiting.popleft()
        moves[place] = tuple(space.moves(place))
        for move in moves[place]:
            arrive(Step(place, move))
    for place in waiting:  # beyond the bound: reached, and not walked
        moves[place] = ()
    return Walk(space=space, openings=openings, moves=moves, came=came, is_whole=not waiting)
