"""Where a step's time goes: the parts that were added to the trial's core, each timed alone, in microseconds."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import orjson

from console.bench.results import Line
from console.bench.scene import BATCH, CYCLE, Scene
from console.bench.single import asked_of
from engine.machine import decide
from engine.sight import Seeing
from engine.store.cases import read_case
from engine.store.registry import batch
from engine.trail.event import canonical

NAME = "parts"
_TIMES = 2000


def run_parts(scene: Scene) -> list[Line]:
    """Time the parts of an application: reading, facts, rights, deciding."""
    desk, request = scene.desk, asked_of(scene, CYCLE[0], None)
    case = scene.cases[0]
    found = read_case(desk.connection, case)
    assert found is not None  # noqa: S101 the scene has just opened it
    machine = desk.machine_for(found.case, request.fields)
    facts = canonical(found.facts).decode()
    parts: dict[str, Callable[[], object]] = {
        "rights looked up": lambda: desk.actor(CYCLE[0].login),
        "case and student read, facts left as text": lambda: read_case(desk.connection, case),
        f"{len(found.facts)} facts parsed from their one column": lambda: orjson.loads(facts),
        "batch looked up, where the registry has changed": lambda: batch(desk.connection, BATCH),
        "decided, ten rules": lambda: decide(machine, found.case, request, Seeing(desk, machine, found, request)),
    }
    return [Line(race=NAME, what=what, value=_microseconds(part), unit="µs") for what, part in parts.items()]


def _microseconds(part: Callable[[], object]) -> float:
    """The best of five runs: what the part costs when nothing else disturbs it."""
    best = float("inf")
    for _ in range(5):
        start = perf_counter()
        for _ in range(_TIMES // 5):
            part()
        best = min(best, (perf_counter() - start) / (_TIMES // 5))
    return best * 1e6
