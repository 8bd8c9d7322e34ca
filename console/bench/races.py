"""Races: everybody does the same work in every round, in an order that rotates, and is compared within the round.

A ratio is taken round by round and its median reported: a machine that is shared gets slower and faster for everybody.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A speed relative to another's: the median over the rounds, and the lowest and highest round."""

    median: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Raced:
    """What everybody took for every round, in seconds, and how many things one round does."""

    things: int
    seconds: Mapping[str, Sequence[float]]

    def per_second(self, name: str) -> float:
        """Things a second in the median round."""
        return self.things / median(self.seconds[name])

    def ratio(self, name: str, yardstick: str) -> Ratio:
        """How many times as fast as the yardstick."""
        rounds = [by / own for own, by in zip(self.seconds[name], self.seconds[yardstick], strict=True)]
        return Ratio(median=median(rounds), lowest=min(rounds), highest=max(rounds))

    def microseconds_more(self, name: str, than: str) -> float:
        """How much longer one thing takes, in microseconds."""
        return median(
            (own - other) / self.things * 1e6 for own, other in zip(self.seconds[name], self.seconds[than], strict=True)
        )


Prepare = Callable[[int], Callable[[], None]]
"""Makes ready the work of a turn (its number given), untimed; what it returns is timed."""


def race(racers: Mapping[str, Prepare], *, rounds: int, turns: int, things: int) -> Raced:
    """Let everybody do every round, in short turns one after the other, the first being another one each time.

    Short turns, because what disturbs a shared machine for a second should disturb everybody. One round more is run
    first and thrown away: statements are prepared in it and pages read.

    Args:
        racers: By name.
        rounds: How many ratios the median is taken of.
        turns: How many turns each has in a round.
        things: What one turn does, by count.
    """
    names = tuple(racers)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        gc.collect()
        taken = dict.fromkeys(names, 0.0)
        for turn in range(number * turns, (number + 1) * turns):
            first = turn % len(names)
            for name in (*names[first:], *names[:first]):
                taken[name] += _timed(racers[name](turn))
        if number:
            for name in names:
                seconds[name].append(taken[name])
    return Raced(things=things * turns, seconds=seconds)


def _timed(work: Callable[[], None]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start
