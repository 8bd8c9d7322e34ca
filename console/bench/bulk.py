"""Many cases, the same step: the engine in commits of a thousand against `executemany` or COPY by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import uuid4

from console.bench import hand_postgres, hand_sqlite
from console.bench.by_hand import Grant
from console.bench.hand_sql import CHUNK, ManyByHand, right_of
from console.bench.races import Prepare, race
from console.bench.results import Line, ratio_line
from console.bench.scene import CYCLE, Scene
from console.bench.single import asked_of, grants, letterhead
from engine.bulk import move_many

NAME = "bulk"
ENGINE = "engine, commits of 1,000"
HAND = "by hand, commits of 1,000"
HAND_ONCE = "by hand, one commit"


class NotMovedError(Exception):
    """A bulk step of the engine left cases behind: the race would not compare the same work."""


def run_bulk(scene: Scene, rounds: int) -> list[Line]:
    """Race bulk steps; a round is one whole cycle of every case of the scene."""
    module = hand_sqlite if scene.desk.connection.is_sqlite else hand_postgres
    hand = module.many(scene.desk.connection.raw, letterhead(scene))
    held = grants(scene)
    racers: Mapping[str, Prepare] = {
        ENGINE: _by_engine(scene),
        HAND: _by_hand(hand, scene.cases, held, CHUNK),
        HAND_ONCE: _by_hand(hand, scene.cases, held, len(scene.cases)),
    }
    raced = race(racers, rounds=rounds, things=len(scene.cases) * len(CYCLE))
    return [
        ratio_line(NAME, f"engine / {HAND}", raced.ratio(ENGINE, HAND), 0.8),
        ratio_line(NAME, f"engine / {HAND_ONCE}", raced.ratio(ENGINE, HAND_ONCE), 0.7),
        *(Line(race=NAME, what=name, value=raced.per_second(name), unit="moves/s") for name in racers),
    ]


def _by_engine(scene: Scene) -> Prepare:
    def prepare(_number: int) -> Callable[[], None]:
        rows = scene.desk.connection.execute("SELECT id, revision FROM cases ORDER BY id").fetchall()
        seen = [(int(case), int(revision)) for case, revision in rows]

        def run() -> None:
            for turn, act in enumerate(CYCLE):
                asked = [(case, revision + turn) for case, revision in seen]
                answer = move_many(scene.desk, asked, asked_of(scene, act, uuid4().hex))
                if len(answer.moved) != len(asked):
                    raise NotMovedError(act.trigger)

        return run

    return prepare


def _by_hand(hand: ManyByHand, cases: Sequence[int], held: Mapping[str, Grant], commit_every: int) -> Prepare:
    def prepare(_number: int) -> Callable[[], None]:
        asked = {act.trigger: [(case, f"{uuid4().hex}/{case:08}") for case in cases] for act in CYCLE}

        def run() -> None:
            for act in CYCLE:
                hand.take(asked[act.trigger], act, right_of(act, [held[act.login]]), commit_every=commit_every)

        return run

    return prepare
