"""Taking the trail out: only auditors, only of their own units, never without an event, never half a file."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import orjson
import pytest

from console.settings import Settings
from console.wiring import office
from tests.console.counter import READY, Counter


@pytest.fixture
def audited(counter: Counter) -> Counter:
    """A counter with an auditor at the province."""
    counter.done("user", "add", "inspector", "--role", "auditor", "--unit", "SX")
    return counter


def told(counter: Counter, kind: str = "exported") -> list[dict[str, Any]]:
    """What the registry's chain keeps of exports, or of attempts."""
    with office(Settings(database=counter.url)) as opened:
        rows = opened.desk.connection.execute("SELECT body FROM event WHERE chain = 0 ORDER BY seq").fetchall()
    events = [orjson.loads(bytes(body)) for (body,) in rows]
    return [one for one in events if one["kind"] == kind]


def case_of(counter: Counter, student_no: str) -> str:
    return str(counter.document("case", student_no)["case"])


def test_an_export_is_an_event_that_says_by_whom_what_and_which_file(audited: Counter, tmp_path: Path) -> None:
    file = tmp_path / "all.zip"

    answer = audited.document("audit", "export", str(file), "--all", "--as", "inspector")

    [event] = told(audited)
    digest = sha256(file.read_bytes()).hexdigest()
    assert (event["actor"], event["role"], event["unit"]) == ("inspector", "auditor", "SX")
    assert event["data"] == {
        "trigger": "export:bundle", "scope": {"kind": "all", "name": None}, "events": answer["events"],
        "size": answer["size"], "sha256": digest,
    }  # fmt: skip
    assert (answer["file"], answer["sha256"]) == (str(file), digest)
    assert file.stat().st_mode & 0o077 == 0


def test_a_case_and_a_batch_are_taken_out_by_name(audited: Counter, tmp_path: Path) -> None:
    audited.done("move", READY[0], "apply", "batch=2024-06", "--as", "op")
    number = case_of(audited, READY[0])

    case = audited.document("audit", "export", str(tmp_path / "case.zip"), "--case", number, "--as", "inspector")
    batch = audited.document("audit", "export", str(tmp_path / "batch.zip"), "--batch", "2024-06", "--as", "inspector")

    assert case["scope"] == {"kind": "case", "name": number}
    assert batch["scope"] == {"kind": "batch", "name": "2024-06"}
    with ZipFile(tmp_path / "case.zip") as archive:
        assert archive.read("cases.jsonl").count(b"\n") == 1


@pytest.mark.parametrize("who", ["rec", "op"])
def test_who_is_no_auditor_gets_nothing(audited: Counter, tmp_path: Path, who: str) -> None:
    refused = audited.xueji("audit", "export", str(tmp_path / "all.zip"), "--all", "--as", who)

    assert refused.exit_code == 2
    assert "auditor" in refused.stderr
    assert list(tmp_path.glob("*.zip*")) == []
    assert told(audited) == []
    [attempt] = told(audited, "refused")
    data = attempt["data"]
    assert (attempt["actor"], data["trigger"], data["barred"]) == (who, "export:bundle", "not_allowed")


def test_an_auditor_takes_out_what_is_below_the_own_unit_and_nothing_else(audited: Counter, tmp_path: Path) -> None:
    audited.done("unit", "add", "SY", "另一省校", "--kind", "province")
    audited.done("user", "add", "stranger", "--role", "auditor", "--unit", "SY")
    case = ("--case", case_of(audited, READY[0]))

    below = audited.xueji("audit", "export", str(tmp_path / "one.zip"), *case, "--as", "inspector")
    above = audited.xueji("audit", "export", str(tmp_path / "all.zip"), "--all", "--as", "inspector")
    beside = audited.xueji("audit", "export", str(tmp_path / "two.zip"), *case, "--as", "stranger")

    assert (below.exit_code, above.exit_code, beside.exit_code) == (0, 2, 2)
    assert "SY" in above.stderr
    assert [one["data"]["scope"]["kind"] for one in told(audited)] == ["case"]


@pytest.mark.parametrize(
    "words", [(), ("--all", "--batch", "2024-06"), ("--case", "K7Q2M4XA", "--all"), ("--case", "no"), ("--batch", "x")]
)
def test_one_thing_that_is_there_must_be_asked_for(audited: Counter, tmp_path: Path, words: tuple[str, ...]) -> None:
    refused = audited.xueji("audit", "export", str(tmp_path / "x.zip"), *words, "--as", "inspector")

    assert refused.exit_code == 2
    assert told(audited) == []


def test_a_file_that_is_there_is_not_overwritten(audited: Counter, tmp_path: Path) -> None:
    file = tmp_path / "kept.zip"
    file.write_bytes(b"last year's")

    refused = audited.xueji("audit", "export", str(file), "--all", "--as", "inspector")
    nowhere = audited.xueji("audit", "export", str(tmp_path / "no" / "x.zip"), "--all", "--as", "inspector")

    assert (refused.exit_code, nowhere.exit_code) == (2, 2)
    assert file.read_bytes() == b"last year's"
    assert told(audited) == []


def test_where_the_event_cannot_be_kept_there_is_no_file(audited: Counter, tmp_path: Path) -> None:
    with office(Settings(database=audited.url)) as opened:
        opened.desk.connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON event BEGIN SELECT RAISE(ABORT, 'database is full'); END"
        )

    failed = audited.xueji("audit", "export", str(tmp_path / "x.zip"), "--all", "--as", "inspector")

    assert failed.exit_code == 2
    assert "database is full" in failed.stderr
    assert not any(path.name.startswith((".x", "x.")) for path in tmp_path.iterdir())


def test_replay_and_every_invariant_hold_after_an_export(audited: Counter, tmp_path: Path) -> None:
    audited.done("audit", "export", str(tmp_path / "x.zip"), "--all", "--as", "inspector")

    assert audited.xueji("replay", "--all").exit_code == 0


def test_the_verifier_answers_in_a_process_of_its_own_with_its_own_exit_codes(
    audited: Counter, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    policy, sealed, late, spoilt = (tmp_path / name for name in ("policy", "sealed.zip", "late.zip", "spoilt.zip"))
    key = audited.document("audit", "key")
    policy.write_text(f"log {key['vkey']}\nquorum none\n", encoding="utf-8")
    audited.done("audit", "seal")
    for file in (sealed, late):  # the second has the first one's event, which is not sealed yet
        audited.done("audit", "export", str(file), "--all", "--as", "inspector")
    spoilt.write_bytes(late.read_bytes()[:-100])
    capfd.readouterr()

    codes = [
        audited.xueji("audit", "verify", str(file), "--policy", str(policy), "--json").exit_code
        for file in (sealed, late, spoilt, tmp_path / "nothing.zip")
    ]

    told = [orjson.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert codes == [0, 10, 30, 2]
    assert [one["outcome"] for one in told] == ["sound", "unsealed", "invalid"]
