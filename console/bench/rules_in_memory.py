"""Rules alone: every student judged for graduation on one core, in memory, with the answer lists, unexplained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter

import orjson

from console.bench.results import Line
from console.bench.scene import BATCH, CYCLE, IN_ORDER, Scene
from console.bench.single import asked_of
from engine.eligibility import judge
from engine.expressions.kinds import Value
from engine.records import Json
from engine.sight import Seeing
from engine.step import Step
from engine.store.cases import read_case

NAME = "rules"

_TROUBLES: Sequence[Mapping[str, Json]] = (
    {}, {}, {"fee_owed": "1280.50"}, {}, {}, {"photo_review": None, "photo_collected": False}, {}, {},
    {"terms_passed": None}, {}, {}, {"level_exam": "缺考", "prior_qualification": "待审"},
)  # fmt: skip
"""A third of the students have a gap or a fault, as in the trial the aim comes from (core-trial.md, 3)."""


def run_rules(scene: Scene, students: int, rounds: int) -> list[Line]:
    """Judge that many students by the rules of the application; the best of the rounds counts, as nothing is raced."""
    step, seen = _seen(scene)
    texts = [orjson.dumps({**IN_ORDER, **_TROUBLES[place % len(_TROUBLES)]}) for place in range(students)]
    in_memory = [_values(step, seen, text) for text in texts]
    asked = students * step.unless_from
    judging = min(_judged(step, in_memory) for _ in range(rounds))
    reading = min(_read_and_judged(step, seen, texts) for _ in range(rounds))
    return [
        Line(
            race=NAME,
            what=f"{step.unless_from} rules, answer lists",
            value=asked / judging,
            unit="rules/s",
            promised=500_000,
        ),
        Line(race=NAME, what="the same, facts read from JSON", value=asked / reading, unit="rules/s"),
    ]


def _seen(scene: Scene) -> tuple[Step, Mapping[str, Json]]:
    """The application's step, and what is seen beside a student's own facts."""
    desk, request = scene.desk, asked_of(scene, CYCLE[0], None)
    found = read_case(desk.connection, scene.cases[0])
    assert found is not None  # noqa: S101 the scene has just opened it
    machine = desk.machine_for(found.case, {"batch": BATCH})
    step = machine.step("enrolled", request.trigger)
    return step, Seeing(desk, machine, found, request).see((), step.others)


def _values(step: Step, seen: Mapping[str, Json], text: bytes) -> Mapping[str, Value | None]:
    facts = orjson.loads(text)
    return step.decoded({**seen, **{name: facts.get(name) for name in step.facts}})


def _judged(step: Step, students: Sequence[Mapping[str, Value | None]]) -> float:
    start = perf_counter()
    for values in students:
        judge(step, values)
    return perf_counter() - start


def _read_and_judged(step: Step, seen: Mapping[str, Json], texts: Sequence[bytes]) -> float:
    start = perf_counter()
    for text in texts:
        judge(step, _values(step, seen, text))
    return perf_counter() - start
