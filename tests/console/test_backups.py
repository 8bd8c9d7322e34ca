"""Backups: a copy is read back before it is called one, and nothing damaged or older is put in place unsaid."""

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from console.backup_folders import Kept
from engine.store.database import Connection, open_engine
from engine.store.kept_forms import KeptForm, keep_form
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


def _change_an_event(counter: Counter) -> None:
    """The last one, past the guards of the database."""
    engine = open_engine(counter.url)
    connection = Connection(engine)
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("UPDATE event SET body = body || x'20' WHERE id = (SELECT max(id) FROM event)")
    connection.execute("UPDATE event SET body = CAST(body AS BLOB)")
    connection.close()
    engine.dispose()


def test_a_database_with_a_changed_event_is_not_called_backed_up(counter: Counter, tmp_path: Path) -> None:
    _change_an_event(counter)
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


def test_what_somebody_typed_and_did_not_send_again_is_not_restored(counter: Counter, tmp_path: Path) -> None:
    engine = open_engine(counter.url)
    connection = Connection(engine)
    keep_form(
        connection, "handle", "owner", KeptForm(address="/x", origin="/x"), datetime.fromisoformat(f"{NOW}+08:00")
    )
    connection.close()
    engine.dispose()
    folder = _backed_up(counter, tmp_path)
    other = _elsewhere(counter, tmp_path / "other")

    other.xueji("restore", str(folder))

    engine = open_engine(other.url)
    connection = Connection(engine)
    assert connection.execute("SELECT handle FROM kept_form").fetchall() == []
    connection.close()
    engine.dispose()


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


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of backups."""
    monkeypatch.setenv("XUEJI_BACKUPS", str(tmp_path / "backups"))
    return tmp_path / "backups"


def _names(home: Path) -> list[str]:
    return sorted(one.name for one in home.iterdir())


def test_without_a_folder_the_next_backup_is_made_where_backups_are_and_is_whole(
    counter: Counter, home: Path, tmp_path: Path
) -> None:
    assert counter.xueji("backup", now="2024-05-13T03:10").exit_code == 0
    assert counter.xueji("backup", now="2024-05-14T03:10").exit_code == 0
    assert _names(home) == ["2024-05-13-0310", "2024-05-14-0310"]
    other = _elsewhere(counter, tmp_path / "other")
    assert other.xueji("restore", str(home / "2024-05-14-0310")).exit_code == 0


def test_without_a_folder_and_without_a_setting_nothing_is_backed_up_and_it_is_said_what_to_set(
    counter: Counter,
) -> None:
    answer = counter.xueji("backup")
    assert answer.exit_code != 0
    assert "XUEJI_BACKUPS" in answer.output


def test_only_the_newest_are_kept_once_the_new_one_was_verified_and_what_is_no_backup_stays(
    counter: Counter, home: Path
) -> None:
    for day in (10, 11, 12, 13):
        counter.xueji("backup", now=f"2024-05-{day}T03:10")
    (home / "2024-05-11-0310" / "xueji.db").unlink()  # not whole any more: neither counted nor removed
    (home / "notes").mkdir()
    another = home / "2024-05-09-0310"
    shutil.copytree(home / "2024-05-10-0310", another)
    told = json.loads((another / "manifest.json").read_text())
    (another / "manifest.json").write_text(json.dumps({**told, "log": "xueji/another"}))

    foretold = counter.xueji("backup", "--keep", "2", "--dry-run", now="2024-05-14T03:10")
    before = _names(home)
    done = counter.xueji("backup", "--keep", "2", now="2024-05-14T03:10")

    assert "2024-05-14-0310" not in before
    going = ["2024-05-10-0310", "2024-05-12-0310"]
    for answer in (foretold, done):
        assert [name for name in before if f"{home / name}" in answer.output.replace("\n", "")] == going
    stays = ["2024-05-09-0310", "2024-05-11-0310", "2024-05-13-0310", "2024-05-14-0310", "notes"]
    assert _names(home) == stays


def test_the_backup_just_made_is_kept_though_a_clock_that_was_ahead_made_others_look_newer(
    counter: Counter, home: Path
) -> None:
    for day in (20, 21, 13):
        counter.xueji("backup", "--keep", "1", now=f"2024-05-{day}T03:10")
    assert _names(home) == ["2024-05-13-0310"]


def test_nothing_is_removed_where_the_new_backup_does_not_add_up(counter: Counter, home: Path) -> None:
    counter.xueji("backup", now="2024-05-12T03:10")
    _change_an_event(counter)
    assert counter.xueji("backup", "--keep", "1", now="2024-05-13T03:10").exit_code != 0
    assert _names(home) == ["2024-05-12-0310"]


def _killed_while_it_is_read_back(counter: Counter, home: Path) -> None:
    """A backup is begun; the copy waits for its key, and its process is killed there."""
    key = counter.folder / "xueji.db.key"
    text = key.read_text()
    key.unlink()
    os.mkfifo(key)
    words = ("--database", counter.url, "--now", "2024-05-13T03:10", "backup")
    with subprocess.Popen([sys.executable, "-m", "console", *words], stdout=subprocess.DEVNULL) as making:
        key.write_text(text)  # once for the database, which is copied then
        while not [*home.glob("*.part-*/xueji.db")]:
            assert making.poll() is None
        with key.open("w"):  # the second time, for the copy, it asks in vain
            making.kill()
    key.unlink()
    key.write_text(text)


def test_a_copy_whose_process_was_killed_before_it_was_read_back_is_no_backup(
    counter: Counter, home: Path, tmp_path: Path
) -> None:
    _killed_while_it_is_read_back(counter, home)

    [left] = home.iterdir()
    status = counter.xueji("work", "--status", now="2024-05-13T09:30").output
    restored = _elsewhere(counter, tmp_path / "other").xueji("restore", str(left))

    assert "没有核对过的备份" in status
    assert restored.exit_code != 0
    assert "不是完整的备份" in restored.output.replace("\n", "")


def test_a_copy_that_never_got_its_name_silences_no_warning_and_takes_no_place_of_a_backup(
    counter: Counter, home: Path
) -> None:
    counter.xueji("backup", now="2024-05-11T03:10")
    counter.xueji("backup", now="2024-05-13T03:10")
    (home / "2024-05-13-0310").rename(home / "2024-05-13-0310.part-k3x9")

    late = counter.xueji("work", "--status", now="2024-05-13T09:30").output
    counter.xueji("backup", "--keep", "2", now="2024-05-14T03:10")

    assert "超过 26 小时" in late
    assert _names(home) == ["2024-05-11-0310", "2024-05-13-0310.part-k3x9", "2024-05-14-0310"]


def test_a_folder_of_backups_that_may_not_be_read_is_said_in_words(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XUEJI_BACKUPS", str(counter.folder / "xueji.db.key"))  # a file

    answer = counter.xueji("backup", "--keep", "2", "--dry-run")

    assert answer.exit_code != 0
    assert "不能读取备份目录" in answer.output.replace("\n", "")


def test_the_worker_says_when_the_last_verified_backup_was_made_what_it_holds_and_when_it_is_too_old(
    counter: Counter, home: Path
) -> None:
    none = counter.xueji("work", "--status", now="2024-05-13T09:30").output
    counter.xueji("backup", now="2024-05-13T09:30")
    held = json.loads((home / "2024-05-13-0930" / "manifest.json").read_text())["events"]
    counter.xueji("move", READY[0], "apply", "--as", "op", "batch=2024-06")
    fresh = counter.xueji("work", "--status", now="2024-05-14T03:10").output
    late = counter.xueji("work", "--status", now="2024-05-14T11:31")

    assert "没有核对过的备份" in none
    assert "昨天 09:30" in fresh
    [line] = [one for one in fresh.splitlines() if "备份 backup" in one]
    saved, now = (int(one) for one in line.rpartition("events ")[2].replace(",", "").split(" / "))
    assert (saved, now > saved) == (held, True)
    assert "超过 26 小时" not in fresh
    assert "超过 26 小时" in late.output
    assert late.exit_code != 0


def test_a_backup_of_days_ago_is_told_by_days() -> None:
    at, kept = datetime.fromisoformat, Kept(Path(), datetime.fromisoformat("2024-05-11T03:10+08:00"), 1)
    assert [kept.when("zh", at(f"2024-05-{day}T01:00+08:00")) for day in (11, 12, 14)] == [
        "今天 03:10", "昨天 03:10", "3 天前（5月11日）",
    ]  # fmt: skip
    assert kept.is_late(at("2024-05-12T05:11+08:00"))
    assert not kept.is_late(at("2024-05-12T05:10+08:00"))


def test_postgresql_is_worked_on_and_backed_up_by_its_socket_without_a_password(
    bare_postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(bare_postgres_url) as connection:
        row = connection.execute("SELECT current_setting('unix_socket_directories'), current_user").fetchone()
        assert row is not None
        port, name = connection.info.port, connection.info.dbname
    folder = row[0].partition(",")[0]
    if not (Path(folder) / f".s.PGSQL.{port}").exists():
        pytest.skip("the server is on another machine, or has no socket")
    monkeypatch.setenv("PATH", str(postgres.client_programs()), prepend=os.pathsep)
    monkeypatch.setenv("XUEJI_KEY_FILE", str(tmp_path / "log.key"))
    by_socket = f"postgresql:///{name}?host={folder}&port={port}&user={row[1]}"
    counter = Counter(url=by_socket, folder=tmp_path).set_up()
    assert counter.xueji("backup", str(tmp_path / "kept")).exit_code == 0
