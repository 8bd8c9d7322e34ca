"""What was read of a folder is remembered, and only while it is still what the folder says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.errors import DefinitionFaults
from engine.loading import remembered
from engine.loading.folder import load
from engine.loading.remembered import load_remembered
from tests.engine.town import HOME

EMPTY = """\
batch: none
kind: checking
title: {{zh: 校对, en: Check}}
profile: fulltime-university
class_of: {}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of definitions of one's own: all the rules, and one procedure, which is enough and soon read."""
    home = tmp_path / "home"
    shutil.copytree(HOME / "rules", home / "rules", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (home / "workflows").mkdir()
    shutil.copy(HOME / "workflows" / "transcript-issue.yaml", home / "workflows")
    return home


def test_a_folder_read_from_memory_says_what_its_files_say(folder: Path, tmp_path: Path, monkeypatch):
    read = load_remembered(folder, tmp_path / "memory")
    monkeypatch.setattr(remembered, "load", None)  # from here on only memory is left
    again = load_remembered(folder, tmp_path / "memory")
    assert (again.definitions, again.rulebook, again.batches) == (read.definitions, read.rulebook, read.batches)
    assert read.definitions == load(folder).definitions


def test_one_letter_changed_in_one_file_is_read_anew(folder: Path, tmp_path: Path):
    load_remembered(folder, tmp_path / "memory")
    file = folder / "workflows" / "transcript-issue.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("version: 1", "version: 2"), encoding="utf-8")
    library = load_remembered(folder, tmp_path / "memory")
    assert {one.version for (name, _), one in library.definitions.items() if name == "transcript-issue"} == {2}
    assert len(list((tmp_path / "memory").iterdir())) == 2


def test_a_text_laid_over_a_file_is_read_instead_of_it_and_remembered_beside_it(folder: Path, tmp_path: Path):
    name = "workflows/transcript-issue.yaml"
    over = {name: (folder / name).read_text(encoding="utf-8").replace("version: 1", "version: 2")}
    for texts, version in (({}, 1), (over, 2), ({}, 1)):
        library = load_remembered(folder, tmp_path / "memory", {}, texts)
        assert {one.version for one in library.definitions.values()} == {version}


def test_only_the_newest_few_are_remembered(folder: Path, tmp_path: Path):
    for number in range(6):
        load_remembered(folder, tmp_path / "memory", {}, {"workflows/batches/none.yaml": EMPTY.format(number)})
    assert len(list((tmp_path / "memory").iterdir())) == 4


def test_a_fault_is_never_remembered(folder: Path, tmp_path: Path):
    (folder / "workflows" / "transcript-issue.yaml").write_text("workflow: [", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(DefinitionFaults):
            load_remembered(folder, tmp_path / "memory")


def test_a_torn_or_forbidden_memory_costs_a_reading_and_nothing_else(folder: Path, tmp_path: Path):
    memory = tmp_path / "memory"
    load_remembered(folder, memory)
    [file] = memory.iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    assert load_remembered(folder, memory).definitions == load(folder).definitions
    no_folder = tmp_path / "a file, no folder"
    no_folder.write_text("", encoding="utf-8")
    assert load_remembered(folder, no_folder).definitions == load(folder).definitions
