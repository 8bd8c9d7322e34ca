"""Backups: a copy is read back before it is called one, and nothing damaged or older is put in place unsaid."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.store.database import Connection, open_engine
from tests import postgres
from tests.console.counter import NOW, READY, Counter


def _elsewhere(counter: Counter, folder: Path) -> Counter:
    """A machine of its own, with the key of the first."""
    folder.mkdir()
    shutil.copy(counter.folder / "xueji.db.key", folder / "xueji.db.key")
    return Counter(url=f"sqlite:///{folder / 'xueji.db'}", folder=folder)


def _backed_up(counter: Counter, tmp_path: Path) -> Path:
    folder = tmp_path / "kept" / "2024-05-13"
    assert counter.xueji("backup", str(folder)).exit_code == 0
    return folder


def test_what_was_backed_up_is_restored_whole(counter: Counter, tmp_path: Path) -> None:
    folder = _backed_up(counter, tmp_path)
    other = _elsewhere(counter, tmp_path / "other")
    answer = other.xueji("restore", str(folder))
    assert answer.exit_code == 0, answer.output
    assert other.document("replay", "--all", "--json") == counter.document("replay", "--all", "--json")
    assert other.document("case", READY[0], "--json") == counter.document("case", READY[0], "--json")


def test_the_keys_are_not_in_the_backup_and_are_named(counter: Counter, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    answer = counter.xueji("backup", str(folder))
    assert "xueji.db.key" in answer.output
    key = (counter.folder / "xueji.db.key").read_bytes().strip()
    assert all(key not in file.read_bytes() for file in folder.iterdir())


def test_a_backup_made_while_people_work_is_one_moment_of_it(counter: Counter, tmp_path: Path) -> None:
    words = (
        "--database",
        counter.url,
        "--now",
        NOW,
        "move",
        "--all-eligible",
        "apply",
        "--as",
        "op",
        "--batch",
        "2024-06",
    )
    with subprocess.Popen([sys.executable, "-m", "console", *words], stdout=subprocess.DEVNULL):
        folder = _backed_up(counter, tmp_path)
    other = _elsewhere(counter, tmp_path / "other")
    assert other.xueji("restore", str(folder)).exit_code == 0
    assert other.document("replay", "--all", "--json")["diverged"] == []


def test_a_folder_that_is_there_is_not_written_over(counter: Counter, tmp_path: Path) -> None:
    folder = _backed_up(counter, tmp_path)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert counter.xueji("backup", str(folder)).exit_code != 0
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_a_database_with_a_changed_event_is_not_called_backed_up(counter: Counter, tmp_path: Path) -> None:
    engine = open_engine(counter.url)
    connection = Connection(engine)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("UPDATE event SET body = body || x'20' WHERE id = (SELECT max(id) FROM event)")
    connection.execute("UPDATE event SET body = CAST(body AS BLOB)")
    connection.close()
    engine.dispose()
    answer = counter.xueji("backup", str(tmp_path / "kept"))
    assert answer.exit_code != 0
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("damage", ["flip", "truncate", "missing", "no manifest", "another log"])
def test_a_damaged_backup_is_refused_and_nothing_is_put_in_place(counter: Counter, tmp_path: Path, damage: str) -> None:
    folder = _backed_up(counter, tmp_path)
    copied, manifest = folder / "xueji.db", folder / "manifest.json"
    if damage == "flip":
        body = bytearray(copied.read_bytes())
        body[len(body) // 2] ^= 1
        copied.write_bytes(body)
    elif damage == "truncate":
        copied.write_bytes(copied.read_bytes()[:-4096])
    elif damage == "missing":
        copied.unlink()
    elif damage == "no manifest":
        manifest.unlink()
    else:
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "log": "xueji/another"}))
    other = _elsewhere(counter, tmp_path / "other")
    assert other.xueji("restore", str(folder)).exit_code != 0
    assert sorted(file.name for file in other.folder.iterdir()) == ["xueji.db.key"]


def test_a_database_that_is_there_is_not_restored_over(counter: Counter, tmp_path: Path) -> None:
    folder = _backed_up(counter, tmp_path)
    before = counter.document("replay", "--all", "--json")
    answer = counter.xueji("restore", str(folder))
    assert answer.exit_code != 0
    assert "不会覆盖" in answer.output, answer.output
    assert counter.document("replay", "--all", "--json") == before


def test_a_backup_older_than_the_published_head_needs_a_yes(counter: Counter, tmp_path: Path) -> None:
    counter.xueji("audit", "key")
    counter.xueji("audit", "seal")
    folder = _backed_up(counter, tmp_path)
    counter.xueji("move", READY[0], "apply", "--as", "op", "batch=2024-06")
    counter.xueji("audit", "seal")
    other = _elsewhere(counter, tmp_path / "other")
    shutil.copy(counter.folder / "xueji.db.checkpoint", other.folder)
    refused = other.xueji("restore", str(folder))
    assert refused.exit_code != 0
    assert "--accept-loss" in refused.output
    assert other.xueji("restore", str(folder), "--accept-loss").exit_code == 0


def test_nobody_is_told_again_what_was_waiting_at_the_backup(counter: Counter, tmp_path: Path) -> None:
    counter.xueji("move", READY[0], "apply", "--as", "op", "batch=2024-06")
    folder = _backed_up(counter, tmp_path)
    other = _elsewhere(counter, tmp_path / "other")
    other.xueji("restore", str(folder))
    assert other.xueji("work", "--status").output.count("waiting") == 0


def test_postgresql_is_backed_up_and_restored_by_its_own_tools(
    bare_postgres_url: str, postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(postgres.client_programs()), prepend=os.pathsep)
    monkeypatch.setenv("XUEJI_KEY_FILE", str(tmp_path / "log.key"))
    counter = Counter(url=bare_postgres_url, folder=tmp_path).set_up()
    folder = tmp_path / "kept"
    assert counter.xueji("backup", str(folder)).exit_code == 0
    with postgres.fresh_database(postgres_server) as empty:
        other = Counter(url=empty, folder=tmp_path)
        assert other.xueji("restore", str(folder)).exit_code == 0
        assert other.document("replay", "--all", "--json") == counter.document("replay", "--all", "--json")
