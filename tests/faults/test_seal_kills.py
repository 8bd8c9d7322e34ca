"""Sealing, killed with SIGKILL before any statement and any touch of a file: one tree, never two heads of one size."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count, pairwise
from pathlib import Path
from random import Random

import pytest

from console.sealing import HeadFile
from engine.store import leaves
from engine.trail.notes import Checkpoint
from engine.trail.tree import root_of
from tests.engine.vault import NOW, Vault, vault_at
from tests.faults.crews import Crew, Ended, crew
from tests.faults.sealers import ROUND, Job

Step = timedelta(minutes=2)
"""Longer than a lease: whoever was killed does not lead any more."""


@pytest.fixture(scope="module")
def sealers() -> Iterator[Crew[Job]]:
    with crew("tests.faults.sealers") as process:
        yield Crew(process)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A log that goes on and on, with sealers on call."""

    vault: Vault
    sealers: Crew[Job]
    folder: Path
    _times: Iterator[int] = field(default_factory=count)
    _places: Iterator[int] = field(default_factory=lambda: count(1))

    def write(self, number: int) -> None:
        self.vault.write(*((place, 1) for _, place in zip(range(number), self._places, strict=False)))

    def seal(self, *, kill_at: int = 0) -> Ended:
        [ended] = self.sealers.work(self.job(kill_at=kill_at))
        return ended

    def job(self, **more: object) -> Job:
        at = NOW + next(self._times) * Step
        return Job(url=self.vault.url, folder=str(self.folder), at=at.isoformat())._replace(**more)  # type: ignore[arg-type] # a job's own fields

    def assert_sound(self) -> None:
        """Everything is sealed, and every head ever signed is one of this one tree."""
        hashes = self.vault.leaves()
        [(events,)] = self.vault.connection.execute("SELECT count(*) FROM event").fetchall()
        assert len(hashes) == events
        signed = {int(size): root for _, size, root in map(str.split, (self.folder / "all").read_text().splitlines())}
        lines = {tuple(line.split()[1:]) for line in (self.folder / "all").read_text().splitlines()}
        assert len(signed) == len(lines), "two heads of one size"
        kept = [head.size for head in self.vault.heads()]
        assert set(kept) <= signed.keys()
        for size, root in signed.items():
            assert Checkpoint("x", size, root_of(hashes[:size])).text().split()[2] == root
        assert all(old < new for old, new in pairwise(kept))
        last = HeadFile(self.folder / "head").read()
        assert last == leaves.latest(self.vault.connection)
        assert kept[-1] == events


@pytest.fixture
def office(database_url: str, sealers: Crew[Job], tmp_path: Path) -> Iterator[Office]:
    with vault_at(database_url) as vault:
        yield Office(vault=vault, sealers=sealers, folder=tmp_path)


def test_killed_before_anything_it_does_the_next_one_finishes_and_there_is_one_tree(office: Office):
    office.write(2 * ROUND + 1)
    acts = office.seal().said
    assert {"BEGIN", "COMMIT", "INSERT", "SELECT", "fsync", "replace"} <= set(acts)

    killed = 0
    for point in range(1, len(acts) + 1):
        office.write(2 * ROUND + 1)
        ended = office.seal(kill_at=point)
        killed += ended.signal == signal.SIGKILL
        assert office.seal().signal == 0

    assert killed > len(acts) * 0.9  # PostgreSQL may spare a statement or two
    office.assert_sound()


def test_two_who_seal_at_once_and_are_killed_at_random_leave_one_tree(office: Office):
    chance, killed = Random(11), 0  # noqa: S311 delays, no secret
    wait: Callable[[], float] = lambda: chance.uniform(0.001, 0.03)  # noqa: E731 one word for it
    for _ in range(12):
        office.write(ROUND + 1)
        pair = [office.job(name=name, kill_after=wait()) for name in ("one", "two")]
        killed += sum(ended.signal == signal.SIGKILL for ended in office.sealers.work(*pair))
        office.write(ROUND)
        both = office.sealers.work(office.job(name="three"), office.job(name="four"))
        assert {ended.signal for ended in both} == {0}
    assert office.seal().signal == 0

    assert killed > 6
    office.assert_sound()
