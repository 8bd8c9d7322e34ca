"""Replay by command: whole, by student, in processes; one changed byte is found and named."""

from pathlib import Path

import pytest

from console.settings import Settings
from console.wiring import office
from engine.records import case_number
from tests.console.counter import READY, Counter
from tests.engine.tampering import tamper


def test_every_chain_replays_and_nothing_diverges(counter: Counter) -> None:
    answer = counter.document("replay", "--all")

    assert list(answer) == ["cases", "events", "diverged", "invariants"]
    assert {one["id"]: one["cases"] for one in answer["invariants"] if one["cases"]} == {}
    assert len(answer["invariants"]) == 43
    assert (answer["cases"], answer["diverged"]) == (6, [])
    assert answer["events"] > 18


def test_several_processes_find_what_one_finds(counter: Counter) -> None:
    assert counter.document("replay", "--all", "--workers", "2") == counter.document("replay", "--all")


@pytest.mark.parametrize("column", ["body", "hash", "mac"])
def test_one_byte_changed_in_the_trail_is_found_and_named(counter: Counter, column: str) -> None:
    counter.done("move", READY[0], "apply", "batch=2024-06", "--as", "op")
    with office(Settings(database=counter.url)) as opened:
        connection = opened.desk.connection
        chain, kept = _last_event(counter, column)
        with connection.writing():
            change = f"UPDATE event SET {column} = ? WHERE chain = ? AND seq = 2"  # noqa: S608 a column named above
            tamper(connection, change, (_flipped(kept), chain))

    answer = counter.document("replay", "--all", code=1)
    shown = counter.xueji("replay", "--all")

    assert [(one["case"], one["seq"]) for one in answer["diverged"]] == [(case_number(chain), 2)]
    assert shown.exit_code == 1
    assert READY[0] in shown.stdout
    assert case_number(chain) in shown.stdout


def test_a_student_is_replayed_with_the_timeline(counter: Counter) -> None:
    counter.done("move", READY[0], "apply", "batch=2024-06", "--as", "op")

    shown = counter.xueji("replay", READY[0])

    assert shown.exit_code == 0
    assert "提出毕业申请" in shown.stdout
    assert "4 个事件" in shown.stdout


def _last_event(counter: Counter, column: str) -> tuple[int, bytes]:
    with office(Settings(database=counter.url)) as opened:
        sql = f"SELECT chain, {column} FROM event WHERE chain > 0 AND seq = 2"  # noqa: S608 a column named above
        row = opened.desk.connection.execute(sql).fetchone()
    assert row is not None
    chain, kept = row
    assert isinstance(chain, int)
    assert isinstance(kept, bytes)
    return chain, kept


def _flipped(kept: bytes) -> bytes:
    return kept[:-3] + bytes([kept[-3] ^ 1]) + kept[-2:]


def test_the_whole_way_works_on_both_databases(
    bare_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    counter = Counter(url=bare_database_url, folder=tmp_path).set_up().enrol()

    applied = counter.document("move", "--all-eligible", "apply", "--as", "op", "--batch", "2024-06", code=1)
    one = counter.xueji("move", READY[0], "site_approve", "--as", "ap")
    rest = counter.document("move", "--all-eligible", "site_approve", "--as", "ap", "--batch", "2024-06")
    replayed = counter.document("replay", "--all", "--workers", "2")

    assert applied["moved"] == 4
    assert one.exit_code == 0
    assert rest["moved"] == 3
    assert replayed["diverged"] == []
    assert replayed["cases"] == 6
