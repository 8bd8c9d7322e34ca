"""Erasing a person's values by command: what would go, what went, and why it is kept."""

from __future__ import annotations

from pathlib import Path

from tests.console.counter import NUMBERS, ROSTER, Counter

WHO = NUMBERS[0]
NAME, IDENTITY = next((str(one["name"]), str(one["id_number"])) for one in ROSTER if one["student_no"] == WHO)
ACT = ("erase", WHO, "--as", "rec", "--reason", "本人申请")
LEAVE = ("reason_code=voluntary", "decided_on=2024-05-13", "document_no=2024-7")


def gone(counter: Counter) -> Counter:
    """The first student has withdrawn."""
    counter.done("move", WHO, "withdraw", "--as", "rec", *LEAVE)
    return counter


def test_while_the_record_runs_the_values_are_kept_and_every_reason_is_said(counter: Counter):
    refused = counter.xueji(*ACT)
    assert refused.exit_code == 1
    assert "X-50" in refused.stdout
    assert "依法须保存" in refused.stdout
    told = counter.document(*ACT, code=1)
    assert (told["outcome"], [one["id"] for one in told["refused"]]) == ("refused", ["X-50"])


def test_a_preview_takes_nothing_and_the_act_takes_what_it_said(counter: Counter):
    gone(counter)
    planned = counter.document(*ACT, "--dry-run")
    assert planned["outcome"] == "would_erase"
    assert {"name", "id_number", "gender", "born_on"} <= set(planned["facts"])
    assert counter.document(*ACT, "--dry-run") == planned
    done = counter.document(*ACT)
    assert done == {**planned, "outcome": "erased"}
    assert counter.document(*ACT)["outcome"] == "empty"
    assert counter.xueji("replay", "--all").exit_code == 0


def test_what_is_printed_names_what_goes_and_what_stays_and_no_value(counter: Counter):
    gone(counter)
    said = counter.xueji(*ACT)
    assert said.exit_code == 0
    for words in ("已抹除", "身份证号", "保留", "events, hashes and MACs"):
        assert words in said.stdout
    assert "备份" in said.stderr
    assert IDENTITY not in said.stdout + said.stderr
    assert NAME not in said.stdout + said.stderr
    assert "nothing is left to erase" in counter.xueji(*ACT).stdout


def test_afterwards_the_file_of_the_database_does_not_hold_the_values(counter: Counter):
    gone(counter)
    path = Path(counter.url.removeprefix("sqlite:///"))
    assert IDENTITY.encode() in path.read_bytes()
    counter.done(*ACT)
    held = b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*") if one.suffix != ".key")
    assert IDENTITY.encode() not in held


def test_only_who_keeps_the_records_may(counter: Counter):
    gone(counter)
    refused = counter.xueji("erase", WHO, "--as", "op", "--reason", "本人申请")
    assert refused.exit_code == 2
    assert "records_section" in refused.stderr
