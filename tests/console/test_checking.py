"""`check`: the installed definitions are without fault, and a fault is placed."""

import json
import shutil
import sys
from pathlib import Path

from typer.testing import CliRunner, Result

from console.commands import app
from console.settings import HOME
from tests.engine.loading.folders import clean_folder, spoil


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
    assert all(list(one) == ["file", "line", "column", "code", "message", "story"] for one in faults)
    assert {one["file"] for one in faults} == {"workflows/leave-of-absence.yaml"}
    assert "workflows/leave-of-absence.yaml:" in this_file.stdout
    assert "^" in this_file.stdout
    assert another_file.exit_code == 0


def test_a_case_that_can_be_stuck_is_told_as_a_story(tmp_path: Path) -> None:
    spoil(clean_folder(tmp_path), "workflows/record.yaml", "record: true", "record: true\nunique: ever")

    told, listed = _check(str(tmp_path)), _check(str(tmp_path), "--json")

    (fault,) = json.loads(listed.stdout)
    assert told.exit_code == listed.exit_code == 1
    assert "stuck: 卡死 · " in told.stdout
    assert "    1. 学籍：经办“建立” → 在籍 · Record: Clerk: Open → Enrolled" in told.stdout
    assert fault["code"] == "stuck"
    assert len(fault["story"]) > 2


def test_a_message_that_does_not_exist_is_named_with_the_nearest_that_does(tmp_path: Path) -> None:
    told = "    needs: [F-01]\n    tell: {to: clerk, message: delegatd}\n"
    spoil(clean_folder(tmp_path), "workflows/leave.yaml", "    needs: [F-01]\n", told)

    result = _check(str(tmp_path))

    assert result.exit_code == 1
    assert "unknown-message: 没有这种消息" in result.stdout
    assert "Did you mean 'delegated'?" in result.stdout


def test_guards_are_read_as_logic_only_when_asked_for(tmp_path: Path) -> None:
    spoil(clean_folder(tmp_path), "rules/conditions.yaml", "fee_owed <= limit", "fee_owed < limit and fee_owed > 0")

    plain, logic = _check(str(tmp_path)), _check(str(tmp_path), "--guards")

    assert plain.exit_code == 0
    assert logic.exit_code == 1
    assert "never-holds" in logic.stdout
    assert "    欠费：" in logic.stdout


def test_a_missing_solver_is_said_with_the_command_to_install_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "z3", None)
    monkeypatch.delitem(sys.modules, "engine.analysis.guards", raising=False)
    monkeypatch.delitem(sys.modules, "engine.analysis.logic", raising=False)

    result = _check(str(clean_folder(tmp_path)), "--guards")

    assert result.exit_code == 2
    assert "requirements/analysis.txt" in result.stderr


def test_a_path_without_definitions_is_misuse(tmp_path: Path) -> None:
    result = _check(str(tmp_path))

    assert result.exit_code == 2
    assert "workflows/" in result.stderr
