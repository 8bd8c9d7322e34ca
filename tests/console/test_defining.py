"""Writing definitions: a draft that checks clean, and differences told in sentences."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from typer.testing import CliRunner, Result

from console.commands import app
from console.settings import HOME
from engine.loading.folder import read_workflow

LEAVE = HOME / "workflows" / "leave-of-absence.yaml"


def _run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_a_new_workflow_checks_clean_as_it_is_written(tmp_path: Path) -> None:
    for name in ("workflows", "rules"):
        shutil.copytree(HOME / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))

    assert _run("new", "study-abroad", "--into", str(tmp_path)).exit_code == 0

    file = tmp_path / "workflows" / "study-abroad.yaml"
    assert file.read_text(encoding="utf-8").count("#") > 20
    assert set(read_workflow(file)) == {"generic"}
    assert _run("check", str(file)).exit_code == 0


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("kept", encoding="utf-8")

    result = _run("new", "mine", "--into", str(tmp_path))

    assert result.exit_code == 2
    assert (tmp_path / "mine.yaml").read_text(encoding="utf-8") == "kept"


def test_a_name_that_is_no_file_name_is_misuse(tmp_path: Path) -> None:
    assert _run("new", "../Study Abroad", "--into", str(tmp_path)).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_two_versions_differ_in_sentences_of_both_languages(tmp_path: Path) -> None:
    later = tmp_path / "leave-of-absence.yaml"
    text = LEAVE.read_text(encoding="utf-8").replace("version: 1", "version: 2")
    later.write_text(text.replace("rounds: 3", "rounds: 4"), encoding="utf-8")

    result = _run("diff", str(LEAVE), str(later), "--json")

    assert result.exit_code == 0
    told = json.loads(result.stdout)["changes"]["open-university"]
    assert {"zh": "版本由“1”改为“2”。", "en": "version was '1', is '2'."} in told


def test_a_step_that_is_gone_and_one_that_is_new_are_named_by_their_titles(tmp_path: Path) -> None:
    later = tmp_path / "leave-of-absence.yaml"
    later.write_text(LEAVE.read_text(encoding="utf-8").replace("take_back", "draw_back"), encoding="utf-8")

    result = _run("diff", str(LEAVE), str(later))

    assert "新增步骤“撤回”（draw_back）。" in result.stdout
    assert "取消步骤“撤回”（take_back）。" in result.stdout


def test_a_file_and_itself_have_no_difference() -> None:
    assert "没有差别" in _run("diff", str(LEAVE), str(LEAVE)).stdout
