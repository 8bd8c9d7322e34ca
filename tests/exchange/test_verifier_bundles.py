"""The offline verifier on whole bundles: honest ones, ones broken in one way each, and what is kept between."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import orjson
import pytest

from console.demo import story
from engine.erasing import erase
from engine.organisation import add_student_account
from engine.records import case_number
from engine.sealing import Sealer, seal
from engine.store.bundles import Scope
from engine.store.database import Connection, open_engine
from exchange.bundles import VERIFIER, write_bundle
from tests.engine.town import KEY, NOW
from tests.exchange.broken_bundles import BROKEN
from tests.trail.district import PUPILS
from tests.trail.parcels import Parcel, body_of, rechained, reseal
from tests.trail.prey import POLICY, SEALING, HeadInMemory, signer
from tests.trail.verifying import verified, verifier

MADE_AT = datetime(2024, 7, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def part(prey, tmp_path_factory):
    scope = Scope(kind="case", name=case_number(prey.walked), case=prey.walked)
    return Parcel.read(prey.export(tmp_path_factory.mktemp("part") / "case.zip", scope))


@pytest.fixture(scope="module")
def demonstrated(tmp_path_factory):
    """The bundle of the demonstration, sealed, with the policy that trusts its sealer."""
    folder = tmp_path_factory.mktemp("demo")
    assert story.run(students=36, seed=7, into=folder) == 0
    engine = open_engine(f"sqlite:///{folder / 'demo.db'}")
    connection = Connection(engine)
    [(body,)] = connection.execute("SELECT body FROM event WHERE chain = 0 AND seq = 1").fetchall()
    log = orjson.loads(bytes(body))["log"]
    own = signer(log, "the demonstration's")
    seal(connection, Sealer(log=log, signers=(own,), head=HeadInMemory()), "sealer", lambda: MADE_AT)
    write_bundle(folder / "demo.zip", connection, Scope(kind="all"), log=log, made_at=MADE_AT)
    connection.close()
    engine.dispose()
    return folder / "demo.zip", f"log {own.verifier.vkey()}\nquorum none\n"


def told(path, policy=POLICY, seen=None, jobs=1):
    asked = verifier.Asked(verifier.Policy.parse(policy), None if seen is None else seen.encoded().encode(), jobs)
    return verifier.as_json(verifier.verify(path, asked))


@pytest.mark.parametrize("name", ["whole", "part"])
def test_a_bundle_that_nobody_has_touched_is_sound(request, prey, tmp_path, name):
    path = request.getfixturevalue(name).write(tmp_path / "bundle.zip")

    said = told(path, seen=prey.seen)

    assert (said["outcome"], said["findings"]) == ("sound", [])
    assert said["verdicts"] > 0
    assert said["unjudged"] == 0


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.code)
def test_what_is_broken_is_named(request, prey, tmp_path, broken):
    parcel = request.getfixturevalue("part" if broken.part else "whole").copy()
    broken.breaks(parcel, prey)

    said = verified(parcel.write(tmp_path / "bundle.zip"), policy=broken.policy, seen=prey.seen)

    assert broken.code in said.codes, said


def test_every_verdict_of_the_demonstration_is_computed_again_and_agrees(demonstrated):
    path, policy = demonstrated
    recorded = 0
    for row in Parcel.read(path).rows("events.jsonl"):
        recorded += len(body_of(row)["data"].get("verdicts") or ())

    said = told(path, policy)

    assert (said["outcome"], said["codes"]) == ("sound", {})
    assert said["verdicts"] == recorded > 0


def test_several_processes_come_to_the_same(demonstrated, monkeypatch):
    path, policy = demonstrated
    monkeypatch.setattr(verifier, "_SPAN", 100_000)

    assert told(path, policy, jobs=2) == told(path, policy)


@pytest.mark.parametrize("change", ["verdict", "seen"])
def test_a_verdict_flipped_by_somebody_who_holds_every_key_is_found_and_named(prey, whole, tmp_path, change):
    parcel = whole.copy()

    def flip(rows):
        row = next(row for row in rows if row["chain"] == prey.walked and row["seq"] == 2)
        event = body_of(row)
        if change == "verdict":
            event["data"]["verdicts"]["fees-paid"] = "not_applicable"
        else:
            event["data"]["seen"]["fee_owed"] = "120.50"
        row["body"] = orjson.dumps(event, option=orjson.OPT_SORT_KEYS).decode()

    parcel.edit("events.jsonl", flip)
    rechained(parcel, prey.walked, KEY)
    reseal(parcel, SEALING)

    said = verified(parcel.write(tmp_path / "bundle.zip"))

    assert said.outcome == "diverged"
    assert ("verdict", prey.named("walked"), 2) in said.named


def test_a_step_that_names_another_cause_is_found(whole, tmp_path):
    parcel = whole.copy()

    def blame(rows):
        row = next(row for row in rows if row["chain"] > 0 and '"cause"' in row["body"] and '"effect"' in row["body"])
        event = body_of(row)
        event["cause"]["seq"] = 1
        row["body"] = orjson.dumps(event, option=orjson.OPT_SORT_KEYS).decode()
        chains.append(row["chain"])

    chains: list[int] = []
    parcel.edit("events.jsonl", blame)
    rechained(parcel, chains[0], KEY)
    reseal(parcel, SEALING)

    assert verified(parcel.write(tmp_path / "bundle.zip")).codes == {"cause"}


def test_personal_values_that_are_gone_without_an_erasure_are_missing(whole, tmp_path):
    parcel = whole.copy()
    parcel.edit("personal.jsonl", lambda rows: rows[1:])

    said = verified(parcel.write(tmp_path / "bundle.zip"))

    assert (said.outcome, said.codes) == ("incomplete", {"personal-missing", "row"})


def test_what_was_erased_is_not_missed_and_may_not_be_there(prey, whole, tmp_path):
    with prey.town.undone():
        prey.town.go(PUPILS[12], (("withdraw", "records.sx"),))
        request = prey.town.request("erase", "records.sx", reason="本人申请")
        assert erase(prey.town.desk, PUPILS[12], request).refused == ()
        path = prey.export(tmp_path / "erased.zip")
    parcel = Parcel.read(path)
    kept = parcel.rows("personal.jsonl")

    assert verified(path).codes == {"unsealed"}
    assert len(kept) < len(whole.rows("personal.jsonl"))

    parcel.set_rows("personal.jsonl", whole.rows("personal.jsonl"))
    assert "erasure" in verified(parcel.write(tmp_path / "there.zip")).codes


def test_a_tail_that_is_not_sealed_yet_is_told_and_counted(prey, tmp_path):
    with prey.town.undone():
        prey.go_on(9, 10)
        add_student_account(prey.town.desk, "pupil", PUPILS[9], at=NOW, actor="setup")
        path = prey.export(tmp_path / "tail.zip")

    said = told(path, seen=prey.seen)

    assert (said["outcome"], said["code"], said["unsealed"]) == ("unsealed", 10, 3)


def test_the_head_is_kept_for_the_next_time_and_only_after_success(whole, tmp_path):
    path, policy, head = whole.write(tmp_path / "bundle.zip"), tmp_path / "policy", tmp_path / "head"
    policy.write_text(POLICY, "utf-8")
    spoilt = whole.copy()
    spoilt.tell(events=1)
    command = [sys.executable, "-I", VERIFIER / "xueji_verify.py", "--policy", policy, "--seen", head, "--remember"]

    first = subprocess.run([*command, spoilt.write(tmp_path / "spoilt.zip")], capture_output=True, check=False)
    assert (first.returncode, head.exists()) == (40, False)

    done = subprocess.run([*command, path, "--json"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "sound"
    assert head.read_bytes() == whole["head.note"]


def test_the_verifier_runs_alone_and_says_what_it_did_not_check(whole, tmp_path):
    alone = shutil.copy(VERIFIER / "xueji_verify.py", tmp_path / "xueji_verify.py")
    (tmp_path / "policy").write_text(POLICY, "utf-8")
    path = whole.write(tmp_path / "bundle.zip")
    done = subprocess.run(
        [sys.executable, "-I", alone, path, "--policy", tmp_path / "policy"],
        capture_output=True, check=False, text=True, cwd=tmp_path,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("结论 Outcome: 完好 sound")
    assert "未核对 Not checked" in done.stdout
