"""Many cases, the same step: the engine in commits of a thousand against `executemany` or COPY by hand."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from console.bench import hand_postgres, hand_sqlite
from console.bench.hand_sql import CHUNK, ManyByHand, right_of
from console.bench.honesty import Cycle
from console.bench.races import Prepare, race
from console.bench.results import Line, ratio_line
from console.bench.scene import CYCLE, Scene
from console.bench.single import asked_of, grants, letterhead
from engine.bulk import move_many
from engine.records import case_number
from engine.store.database import Row

NAME = "bulk"
ENGINE = "engine, commits of 1,000"
HAND = "by hand, commits of 1,000"
HAND_ONCE = "by hand, one commit"


class NotMovedError(Exception):
    """A bulk step of the engine left cases behind: the race would not compare the same work."""


def run_bulk(scene: Scene, rounds: int) -> list[Line]:
    """Race bulk steps; a round is one whole cycle of every case of the scene."""
    racers = {name: _preparing(cycle, scene.cases) for name, cycle in cyclers(scene).items()}
    raced = race(racers, rounds=rounds, things=len(scene.cases) * len(CYCLE))
    return [
        ratio_line(NAME, f"engine / {HAND}", raced.ratio(ENGINE, HAND), 0.8),
        ratio_line(NAME, f"engine / {HAND_ONCE}", raced.ratio(ENGINE, HAND_ONCE), 0.7),
        *(Line(race=NAME, what=name, value=raced.per_second(name), unit="moves/s") for name in racers),
    ]


def cyclers(scene: Scene) -> dict[str, Cycle]:
    """Everybody who can take the cycle on many cases at once, by name; the engine first."""
    module = hand_sqlite if scene.desk.connection.is_sqlite else hand_postgres
    hand = module.many(scene.desk.connection.raw, letterhead(scene))
    return {
        ENGINE: _by_engine(scene),
        HAND: _by_hand(scene, hand, commit_every=CHUNK),
        HAND_ONCE: _by_hand(scene, hand, commit_every=len(scene.cases)),
    }


def _preparing(cycle: Cycle, cases: Sequence[int]) -> Prepare:
    return lambda _number: lambda: cycle(cases)


def _by_engine(scene: Scene) -> Cycle:
    """Each act is asked for with the revisions seen, as a queue hands them out; reading them costs a hundredth."""

    def cycle(cases: Sequence[int]) -> None:
        revisions = {int(case): int(revision) for case, revision in _revisions(scene)}
        for turn, act in enumerate(CYCLE):
            asked = [(case, revisions[case] + turn) for case in cases]
            answer = move_many(scene.desk, asked, asked_of(scene, act, uuid4().hex))
            if len(answer.moved) != len(asked):
                raise NotMovedError(act.trigger)

    return cycle


def _revisions(scene: Scene) -> list[Row]:
    return scene.desk.connection.execute("SELECT id, revision FROM cases").fetchall()


def _by_hand(scene: Scene, hand: ManyByHand, *, commit_every: int) -> Cycle:
    held = grants(scene)

    def cycle(cases: Sequence[int]) -> None:
        for act in CYCLE:
            own = uuid4().hex
            asked = [(case, f"{own}/{case_number(case)}") for case in cases]
            hand.take(asked, act, right_of(act, [held[act.login]]), commit_every=commit_every)

    return cycle
