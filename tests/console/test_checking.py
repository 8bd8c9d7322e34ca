"""`check`: the installed definitions are without fault, and a fault is placed."""

import json
import shutil
from pathlib import Path

from typer.testing import CliRunner, Result

from console.commands import app
from console.settings import HOME


def _check(*words: str) -> Result:
    return CliRunner().invoke(app, ["check", *words], catch_exceptions=False)


def _copy(folder: Path) -> Path:
    for name in ("workflows", "rules"):
        shutil.copytree(HOME / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_the_installed_definitions_have_no_fault() -> None:
    result = _check("--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == []


def test_a_misspelt_state_is_named_with_file_line_and_column_and_only_for_the_files_asked_for(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    file = folder / "workflows" / "leave-of-absence.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("states:", "sttes:", 1), encoding="utf-8")

    whole = _check(str(folder), "--json")
    this_file = _check(str(file))
    another_file = _check(str(folder / "workflows" / "course-registration.yaml"))

    faults = json.loads(whole.stdout)
    assert whole.exit_code == this_file.exit_code == 1
    assert all(list(one) == ["file", "line", "column", "code", "message"] for one in faults)
    assert {one["file"] for one in faults} == {"workflows/leave-of-absence.yaml"}
    assert "workflows/leave-of-absence.yaml:" in this_file.stdout
    assert "^" in this_file.stdout
    assert another_file.exit_code == 0


def test_a_path_without_definitions_is_misuse(tmp_path: Path) -> None:
    result = _check(str(tmp_path))

    assert result.exit_code == 2
    assert "workflows/" in result.stderr
