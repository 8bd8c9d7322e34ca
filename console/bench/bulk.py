"""Many cases, the same step: the engine in commits of a thousand against `executemany` or COPY by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import uuid4

from console.bench import hand_postgres, hand_sqlite
from console.bench.hand_sql import CHUNK, ManyByHand, right_of
from console.bench.races import Prepare, race
from console.bench.results import Line, ratio_line
from console.bench.scene import CYCLE, Act, Scene
from console.bench.single import asked_of, grants, letterhead
from engine.bulk import move_many
from engine.records import case_number
from engine.store.database import Connection

NAME = "bulk"
ENGINE = "engine, commits of 1,000"
HAND = "by hand, commits of 1,000"
HAND_ONCE = "by hand, one commit"


class NotMovedError(Exception):
    """A bulk step of the engine left cases behind: the race would not compare the same work."""


Racer = Callable[[Sequence[int], Act], None]
"""Takes one act on many cases."""


def run_bulk(scene: Scene, rounds: int) -> list[Line]:
    """Race bulk steps; everybody has a third of the scene's cases, a turn is one act on all of them."""
    racers = takers_of_many(scene)
    each = len(scene.cases) // len(racers)
    shares = {name: scene.cases[place * each : (place + 1) * each] for place, name in enumerate(racers)}
    prepared = {name: _preparing(take, shares[name]) for name, take in racers.items()}
    raced = race(prepared, rounds=rounds, turns=len(CYCLE), things=each)
    return [
        ratio_line(NAME, f"{each:,} cases: engine / {HAND}", raced.ratio(ENGINE, HAND), 0.8),
        ratio_line(NAME, f"{each:,} cases: engine / {HAND_ONCE}", raced.ratio(ENGINE, HAND_ONCE), 0.7),
        *(Line(race=NAME, what=name, value=raced.per_second(name), unit="moves/s") for name in racers),
    ]


def takers_of_many(scene: Scene) -> dict[str, Racer]:
    """Everybody who can take an act on many cases at once, by name; the engine first."""
    module = hand_sqlite if scene.desk.connection.is_sqlite else hand_postgres
    hand = module.many(scene.desk.connection.raw, letterhead(scene))
    return {
        ENGINE: _by_engine(scene),
        HAND: _by_hand(scene, hand, commit_every=CHUNK),
        HAND_ONCE: _by_hand(scene, hand, commit_every=len(scene.cases)),
    }


def _preparing(take: Racer, cases: Sequence[int]) -> Prepare:
    return lambda turn: lambda: take(cases, CYCLE[turn % len(CYCLE)])


def _by_engine(scene: Scene) -> Racer:
    """The engine is given the revision each case was seen at, as a queue hands them out."""

    def take(cases: Sequence[int], act: Act) -> None:
        answer = move_many(scene.desk, revisions.seen(cases), asked_of(scene, act, uuid4().hex))
        if len(answer.moved) != len(cases):
            raise NotMovedError(act.trigger)

    revisions = _Revisions(scene.desk.connection)
    return take


class _Revisions:
    """The revisions of cases that nobody else moves: each act raises them by one."""

    def __init__(self, connection: Connection) -> None:
        self._now = {
            int(case): int(now) for case, now in connection.execute("SELECT id, revision FROM cases").fetchall()
        }

    def seen(self, cases: Sequence[int]) -> list[tuple[int, int]]:
        """The cases with their revisions, about to be raised."""
        found = [(case, self._now[case]) for case in cases]
        self._now.update((case, now + 1) for case, now in found)
        return found


def _by_hand(scene: Scene, hand: ManyByHand, *, commit_every: int) -> Racer:
    held = grants(scene)

    def take(cases: Sequence[int], act: Act) -> None:
        own = uuid4().hex
        asked = [(case, f"{own}/{case_number(case)}") for case in cases]
        hand.take(asked, act, right_of(act, [held[act.login]]), commit_every=commit_every)

    return take
