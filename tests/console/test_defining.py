"""Writing definitions: a draft that checks clean, differences told in sentences, publishing by two at the keyboard."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from typer.testing import CliRunner, Result

from console.commands import app
from console.settings import HOME
from engine.loading.folder import read_workflow
from tests.console.counter import Counter

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


REASON = ("--reason", "按学校 2024 年 5 月通知")


def _second_version(counter: Counter) -> str:
    file = counter.folder / "student-card-replacement.yaml"
    text = (HOME / "workflows" / file.name).read_text(encoding="utf-8")
    file.write_text(text.replace("version: 1\n", "version: 2\n", 1), encoding="utf-8")
    return str(file)


def test_a_file_is_published_by_two_at_the_keyboard_and_nobody_approves_their_own(empty: Counter) -> None:
    for login in ("sys", "sys2"):
        empty.done("user", "add", login, "--role", "system_admin", "--unit", "SX")
    file = _second_version(empty)

    tried = empty.document("definition", "propose", file, "--as", "sys", *REASON, "--dry-run")
    assert (tried["number"], tried["refused"], tried["open_cases"]) == (None, [], 0)
    assert {"zh": "版本由“1”改为“2”。", "en": "version was '1', is '2'."} in tried["differences"]
    assert empty.document("definition", "list") == []  # nothing was written
    early = ("--reason", "改", "--from", "2024-05-12")
    wrong = empty.document("definition", "propose", file, "--as", "sys", *early, code=2)
    assert len(wrong["refused"]) == 2, "every reason is told"
    number = empty.document("definition", "propose", file, "--as", "sys", *REASON)["number"]
    assert [one["number"] for one in empty.document("definition", "list", "--waiting")] == [number]

    own = empty.document("definition", "approve", str(number), "--as", "sys", code=1)
    assert [one["kind"] for one in own["refused"]] == ["NeedsAnother"]
    would = empty.document("definition", "approve", str(number), "--as", "sys2", "--dry-run")
    done = empty.document("definition", "approve", str(number), "--as", "sys2")
    assert (would["stage"], done["stage"], done["decided_by"]) == ("proposed", "approved", "sys2")
    assert would["hashes"] == done["hashes"]
    assert "sys2" in empty.done("definition", "show", str(number)).stdout

    again = empty.xueji("definition", "propose", file, "--as", "sys", *REASON)
    assert again.exit_code == 1
    assert "没有差别" in again.stderr
    assert empty.document("definition", "withdraw", str(number), "--as", "sys", code=1)["refused"]
    assert empty.xueji("definition", "refuse", "99", "--as", "sys2", *REASON).exit_code == 2


def _new_batch(counter: Counter, name: str, **changes: str) -> str:
    """The file of a batch of the next year, after that of June 2024."""
    text = (HOME / "workflows" / "batches" / "2024-06.yaml").read_text(encoding="utf-8")
    for old, new in {"batch: 2024-06": f"batch: {name}", "2024-05-": "2025-05-", **changes}.items():
        text = text.replace(old, new)
    file = counter.folder / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_new_batch_is_brought_in_by_two_at_the_keyboard_and_then_published(empty: Counter) -> None:
    for login in ("sys", "sys2"):
        empty.done("user", "add", login, "--role", "system_admin", "--unit", "SX")
    file = _new_batch(empty, "2025-06")

    wrong = _new_batch(empty, "june", **{"review_by: 2025-05-15": "review_by: 2025-04-30"})
    refused = empty.document("definition", "propose", wrong, "--as", "sys", *REASON, code=1)
    assert [one["file"] for one in refused["faults"]] == ["workflows/batches/june.yaml"] * 4, "its order, thrice"
    told = empty.document("definition", "propose", file, "--as", "sys", *REASON)
    assert (told["file"], told["faults"], told["open_cases"]) == ("workflows/batches/2025-06.yaml", [], 0)
    assert empty.xueji("batch", "publish", "2025-06", "--as", "rec").exit_code == 2, "nobody has approved it"
    done = empty.done("definition", "approve", str(told["number"]), "--as", "sys2").stdout
    assert "workflows/batches/2025-06.yaml" in done
    assert "学籍科发布" in empty.done("definition", "show", str(told["number"])).stdout

    empty.done("batch", "publish", "2025-06", "--as", "rec")
    late = _new_batch(empty, "2025-06", **{"photo_by: 2025-05-13": "photo_by: 2025-05-12"})
    changed = empty.document("definition", "propose", late, "--as", "sys", *REASON)
    assert any("批次已发布" in one["zh"] for one in changed["differences"])
    assert empty.xueji("replay", "--all").exit_code == 0
