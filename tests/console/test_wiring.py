"""Opening a database: definitions it does not have yet are checked, once for as long as nobody changes a byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console import wiring
from console.settings import Settings
from engine.checking import examining
from engine.errors import DefinitionFaults
from tests.engine.loading.folders import clean_folder

EXAMINE = examining.examine


class Counting:
    """A folder of definitions, and how often it was checked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.times = 0
        self._databases = 0

    def opened(self) -> int:
        """Open a new database under the definitions; how often they were checked for it."""
        before = self.times
        self._databases += 1
        settings = Settings(
            database=f"sqlite:///{self.folder / f'{self._databases}.db'}",
            definitions=self.folder / "definitions",
            memory=self.folder / "memory",
        )
        wiring.create(settings, rehearsal=True, profile=None)
        with wiring.office(settings):
            return self.times - before

    def examine(self, *args: Any, **options: Any) -> object:
        self.times += 1
        return EXAMINE(*args, **options)


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counting:
    clean_folder(tmp_path / "definitions")
    one = Counting(tmp_path)
    monkeypatch.setattr(examining, "examine", one.examine)
    return one


def test_definitions_found_sound_are_checked_again_only_when_a_byte_has_changed(counting: Counting):
    assert [counting.opened(), counting.opened()] == [1, 0]
    with (counting.folder / "definitions" / "workflows" / "trip.yaml").open("a", encoding="utf-8") as file:
        file.write("# a word\n")
    assert [counting.opened(), counting.opened()] == [1, 0]


def test_faulty_definitions_are_refused_every_time(counting: Counting):
    with (counting.folder / "definitions" / "workflows" / "trip.yaml").open("a", encoding="utf-8") as file:
        file.write("nonsense: true\n")

    for _ in range(2):
        with pytest.raises(DefinitionFaults):
            counting.opened()
