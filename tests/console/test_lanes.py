"""Lanes from the command line: what is kept otherwise than it should be is named before it is made anew."""

from __future__ import annotations

import sqlite3

from tests.console.counter import READY, Counter

AS = ("--as", "op")


def test_an_edited_lane_is_named_by_a_dry_run_which_changes_nothing_and_is_made_anew_by_the_rebuild(counter: Counter):
    counter.done("move", READY[0], "apply", "batch=2024-06", *AS)
    number = counter.document("case", READY[0])["case"]
    assert "0 件 cases" in counter.done("lanes", "rebuild", "--dry-run", *AS).stdout
    with sqlite3.connect(counter.folder / "xueji.db") as database:
        database.execute("UPDATE lane SET lane = 0, hindrances = '|x=1|' WHERE hindrances IS NULL")

    first, again = (counter.xueji("lanes", "rebuild", "--dry-run", *AS) for _ in range(2))

    assert first.exit_code == again.exit_code == 1
    assert number in first.stdout
    assert first.stdout == again.stdout
    counter.done("lanes", "rebuild", *AS)
    assert "0 件 cases" in counter.done("lanes", "rebuild", "--dry-run", *AS).stdout
