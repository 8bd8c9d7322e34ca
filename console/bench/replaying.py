"""Replay of a whole log with hash, MAC and fold, in one process and shared by two, and what memory it takes.

The events are the engine's own, made by opening records and taking the cycle in bulk until there are enough. Every
measured process is a fresh one: its memory is that of the replay alone.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from uuid import uuid4

from console.bench.results import Line
from console.bench.scene import CYCLE, Scene
from console.bench.single import asked_of
from engine.bulk import move_many
from engine.replay import replay_part
from engine.store.trail import spans

NAME = "replay"
_MOST_MIB = 150
_PARTS = 32
"""Chains are handed out in that many ranges, whoever is free taking the next: students' are short, cases' are long."""
_ROUNDS_OF_CYCLE = 4
EVENTS_A_STUDENT = 2 + _ROUNDS_OF_CYCLE * len(CYCLE)
"""The facts, the opening, and the cycle a few times."""

Part = tuple[str, str, bytes, tuple[int, int]]
"""Database URL, log, key, and the chains: what one process replays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A range replayed: events, faults, seconds of processor time; the process's memory in MiB, at most and now."""

    events: int
    faults: int
    seconds: float
    peak: float
    now: float


class NotWholeError(Exception):
    """The replay found faults in a log nobody touched: its speed would mean nothing."""


def make_events(scene: Scene, progress: Callable[[int], None] = lambda _: None) -> None:
    """Take the cycle on all cases a few times, in bulk."""
    revision = 1
    for _ in range(_ROUNDS_OF_CYCLE):
        for act in CYCLE:
            request = asked_of(scene, act, uuid4().hex)
            move_many(scene.desk, [(case, revision) for case in scene.cases], request, progress)
            revision += 1


def run_replay(scene: Scene, *, one_core: float, two_cores: float) -> list[Line]:
    """Replay everything in the scene's database, by one process and by two."""
    office = scene.office
    lines = []
    for processes, promised in ((1, one_core), (2, two_cores)):
        parts = [(office.url, office.log, office.key, span) for span in spans(scene.desk.connection, _PARTS)]
        seconds, parent, workers = _in_fresh_processes(parts, processes)
        if any(one.faults for one in workers):
            raise NotWholeError
        events = sum(one.events for one in workers)
        who = "one process" if processes == 1 else "two processes"
        lines.append(
            Line(
                race=NAME, what=f"{events:,} events, {who}", value=events / seconds, unit="events/s", promised=promised
            )
        )
        busy = sum(one.seconds for one in workers)
        lines.append(Line(race=NAME, what=f"a second of processor time, {who}", value=events / busy, unit="events"))
        lines += _memory(who, parent, workers)
    return lines


def _memory(who: str, parent: float, done: list[Weighed]) -> Iterator[Line]:
    peak = max(one.peak for one in done)
    yield Line(race=NAME, what=f"memory of a worker, {who}", value=peak, unit="MiB", promised=_MOST_MIB, at_most=True)
    grown = max(one.now for one in done) - _memory_early(done)
    yield Line(race=NAME, what=f"of it grown after the first tenth, {who}", value=grown, unit="MiB")
    yield Line(
        race=NAME, what=f"memory of the parent, {who}", value=parent, unit="MiB", promised=_MOST_MIB, at_most=True
    )


def _memory_early(done: list[Weighed]) -> float:
    """What a worker held when a tenth of the events were read."""
    wanted, read, held = sum(one.events for one in done) / 10, 0, 0.0
    for one in done:
        if read >= wanted:
            break
        read, held = read + one.events, max(held, one.now)
    return held


def _in_fresh_processes(parts: list[Part], processes: int) -> tuple[float, float, list[Weighed]]:
    """Seconds, the parent's peak memory, and what each worker did; the parent is a fresh process as well."""
    with _pool(1) as parent:
        return parent.submit(_share, parts, processes).result()


def _share(parts: list[Part], processes: int) -> tuple[float, float, list[Weighed]]:
    with _pool(processes) as workers:
        # Started and imported first: `xueji replay` has that behind it as well.
        list(workers.map(_memory_now, ["VmRSS"] * processes))
        start = perf_counter()
        done = list(workers.map(_weigh, parts))
        return perf_counter() - start, _memory_now("VmHWM"), done


def _weigh(part: Part) -> Weighed:
    start = process_time()
    found = replay_part(part)
    return Weighed(
        events=found.events,
        faults=len(found.diverged),
        seconds=process_time() - start,
        peak=_memory_now("VmHWM"),
        now=_memory_now("VmRSS"),
    )


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))


def _memory_now(field: str) -> float:
    """This process's memory in MiB as Linux tells it (`VmRSS` now, `VmHWM` at most); 0 where it does not."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024
