"""The guide for people who write definitions says what the loader and the checks say."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from engine.checking.examining import examine
from engine.definition import Definition, MachineFile, MoveKind, State, Transition, Who
from engine.library import Library
from engine.loading.folder import load
from engine.loading.positions import LABELS
from engine.vocabulary import Rule
from tests.engine.loading.folders import spoil, write

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")
PIECES = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NOT_CARRIED_OUT = PAGE[PAGE.index("## Loaded and checked") : PAGE.index("## Functions")]
OWN_BY_NAME = {"source", "legal_basis", "family"}
"""Keys that only cite or group; the reference (the definition language, section 3) has them."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The office of the page: pieces of one file stand one after the other, as they do on the page."""
    for name in dict(PIECES):
        write(tmp_path, name, "".join(piece for one, piece in PIECES if one == name))
    write(tmp_path, "rules/engine.yaml", (ROOT / "rules/engine.yaml").read_text(encoding="utf-8"))
    return tmp_path


@pytest.fixture
def library(folder: Path) -> Library:
    return load(folder)


def test_every_piece_of_yaml_on_the_page_belongs_to_a_file():
    assert len(PIECES) == PAGE.count("```yaml")
    assert len(PIECES) > 10


def test_the_office_of_the_page_loads_and_checks_clean(folder):
    assert examine(folder)[1] == ()


def test_the_profiles_of_the_page_differ_where_the_page_says(library):
    college, evening = (library.definition("transcript-request", one) for one in ("college", "evening"))

    assert "send_back" in college.transitions
    assert "send_back" not in evening.transitions
    limits = [library.rulebook_for(one).rules["copies-within-limit"].let["limit"] for one in ("college", "evening")]
    assert limits == ["3", "5"]


def keys(*models: type[BaseModel]) -> set[str]:
    return {one.alias or name for model in models for name, one in model.model_fields.items()}


def test_every_key_is_shown_in_an_example_or_named_as_not_carried_out():
    examples = "\n".join(piece for _, piece in PIECES)
    wanted = keys(Definition, MachineFile, Transition, State, Who, Rule) - OWN_BY_NAME
    shown = {key for key in wanted if re.search(rf"(?<![\w.]){key}:", examples)}
    told = {key for key in wanted if f"`{key}`" in NOT_CARRIED_OUT}

    assert wanted - shown - told == {"status", "frozen", "of"}
    assert not {"guards", "unless", "warns", "asks", "accepts", "distinct", "recorded_by"} - shown
    assert {f"kind: {one.value}" for one in MoveKind if f"kind: {one.value}" not in examples} == {"kind: advance"}


def test_the_fault_on_the_page_is_what_the_check_says(folder):
    (answer,) = re.findall(r"^```text\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    spoil(folder, "workflows/transcript-request.yaml", "warns: [fees-paid]", "warns: [fees-payd]")

    faults = examine(folder)[1]

    assert str(faults[0]) == answer


def test_the_table_of_codes_is_that_of_the_checks():
    table = re.findall(r"^\| `([a-z-]+)` \|", PAGE[PAGE.index("| code |") :], re.MULTILINE)

    assert table == sorted(LABELS)
