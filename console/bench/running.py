"""`xueji bench`: the races asked for, each in a scratch database of the kind the settings name."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from console.bench import bulk, parts, queueing, replaying, report, roster, rules_in_memory, scanning, single, verifying
from console.bench.honesty import check_honesty, cycle_of, cycle_of_many
from console.bench.results import Line
from console.bench.scene import found_province, scene
from console.bench.scratch import is_sqlite, scratch_office
from console.settings import Settings
from engine.collecting import set_aside
from engine.errors import Unknown
from engine.library import Library
from engine.loading.folder import load


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is raced; `turns` are those of a round of single moves, `bulk` the cases moved at once."""

    rounds: int
    turns: int
    bulk: int
    bulk_rounds: int
    students: int
    events: int
    roster: int

    def quick(self) -> Sizes:
        """Sizes for a look in seconds: too small for figures to quote."""
        return Sizes(
            rounds=min(self.rounds, 3), turns=4, bulk=1000, bulk_rounds=1, students=min(self.students, 10_000),
            events=min(self.events, 20_000), roster=500,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What every race is given."""

    settings: Settings
    library: Library
    sizes: Sizes


def run(  # noqa: PLR0913 one parameter for each option of the command
    settings: Settings, *, quick: bool, only: tuple[str, ...], rounds: int, students: int, events: int, json: bool
) -> int:
    """Run the races and print what they found; 0 whatever the figures are, for speed is reported, not asserted.

    Args:
        settings: Name the definitions and the kind of database; the database named is never written to.
        quick: Small sizes.
        only: Names of races; all when empty.
        rounds: Rounds of each race of single moves; bulk takes half as many.
        students: Judged in memory.
        events: Replayed, about.
        json: One JSON document instead of the table.

    Raises:
        Unknown: If there is no race of a name.
    """
    for name in only:
        if name not in RACES:
            raise Unknown("比赛 race", name, RACES)
    sizes = Sizes(
        rounds=rounds,
        turns=15,
        bulk=10_000,
        bulk_rounds=(rounds + 1) // 2,
        students=students,
        events=events,
        roster=10_000,
    )
    bench = Bench(settings=settings, library=load(settings.definitions), sizes=sizes.quick() if quick else sizes)
    set_aside()  # as every process does that works by definitions
    lines: list[Line] = []
    for name in only or RACES:
        sys.stderr.write(f"{name} …\n")
        lines += RACES[name](bench)
    with scratch_office(settings, bench.library) as office:
        taken_on = report.about(office.desk.connection)
    (report.print_document if json else report.print_table)(taken_on, lines)
    return 0


def _single(bench: Bench) -> list[Line]:
    with scene(bench.settings, bench.library, bench.sizes.bulk) as stage:
        check_honesty(stage, {name: cycle_of(take) for name, take in single.takers(stage).items()})
        return single.run_single(stage, single.Size(rounds=bench.sizes.rounds, turns=bench.sizes.turns))


def _bulk(bench: Bench) -> list[Line]:
    with scene(bench.settings, bench.library, 3 * bench.sizes.bulk) as stage:
        check_honesty(stage, {name: cycle_of_many(take) for name, take in bulk.takers_of_many(stage).items()})
        return bulk.run_bulk(stage, bench.sizes.bulk_rounds)


def _parts(bench: Bench) -> list[Line]:
    with scene(bench.settings, bench.library, 100) as stage:
        return parts.run_parts(stage)


def _rules(bench: Bench) -> list[Line]:
    with scene(bench.settings, bench.library, 1) as stage:
        return rules_in_memory.run_rules(stage, bench.sizes.students, 3)


def _replay(bench: Bench) -> list[Line]:
    students = max(1, bench.sizes.events // replaying.EVENTS_A_STUDENT)
    with scene(bench.settings, bench.library, students) as stage:
        replaying.make_events(stage)
        one, two = (60_000, 90_000) if is_sqlite(bench.settings) else (45_000, 70_000)
        return replaying.run_replay(stage, one_core=one, two_cores=two)


def _verify(bench: Bench) -> list[Line]:
    students = max(1, bench.sizes.events // replaying.EVENTS_A_STUDENT)
    with scene(bench.settings, bench.library, students) as stage:
        replaying.make_events(stage)
        return verifying.run_verify(stage)


def _queue(bench: Bench) -> list[Line]:
    with scene(bench.settings, bench.library, queueing.FEW) as stage:
        return queueing.run_queue(stage)


def _roster(bench: Bench) -> list[Line]:
    with scratch_office(bench.settings, bench.library) as office, tempfile.TemporaryDirectory() as folder:
        found_province(office.desk)
        path = roster.write_roster(Path(folder) / "roster.xlsx", bench.sizes.roster)
        return roster.run_roster(office.desk, path)


def _scan(bench: Bench) -> list[Line]:
    with scratch_office(bench.settings, bench.library) as office:
        return scanning.run_scan(office.desk, 10 * bench.sizes.students, max(10, bench.sizes.students // 200))


RACES: Mapping[str, Callable[[Bench], list[Line]]] = {
    single.NAME: _single,
    bulk.NAME: _bulk,
    parts.NAME: _parts,
    rules_in_memory.NAME: _rules,
    replaying.NAME: _replay,
    verifying.NAME: _verify,
    roster.NAME: _roster,
    scanning.NAME: _scan,
    queueing.NAME: _queue,
}
