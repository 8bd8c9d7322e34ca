"""Whole histories put in the place of the true one: rolled back, forked, foreign. One head kept outside finds them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.library import Library
from engine.records import case_number
from engine.store import leaves
from engine.store.bundles import Scope
from engine.trail.notes import Signer
from tests.engine.town import LOG, town_at
from tests.trail.prey import SEALING, STRANGER, HeadInMemory, Prey, signer
from tests.trail.verifying import verified

ELSEWHERE = signer(LOG, "another key of the same name")


@contextmanager
def put_back(before: Path, shelf: Library, folder: Path) -> Iterator[Prey]:
    """The old copy of the database in the place of the true one; its sealer knows of no later head."""
    path = shutil.copy(before, folder / "back.db")
    with town_at(f"sqlite:///{path}", shelf) as town:
        yield Prey(town=town, head=HeadInMemory(leaves.latest(town.connection)))


@contextmanager
def forked(before: Path, shelf: Library, folder: Path) -> Iterator[Prey]:
    """From the old copy on, something else has happened, and more of it; sealed by the same key."""
    with put_back(before, shelf, folder) as prey:
        prey.go_on(8, 9, 10)
        prey.seal()
        prey.go_on(12, 13, 14, 15, 16)
        prey.seal()
        yield prey


def test_an_old_copy_is_found_by_the_head_that_was_kept(prey: Prey, before: Path, shelf: Library, tmp_path: Path):
    with put_back(before, shelf, tmp_path) as back:
        said = verified(back.export(tmp_path / "back.zip"), seen=prey.seen)
        assert (said.outcome, said.codes) == ("invalid", {"rolled-back"})
        assert back.replayed() == set()


def test_without_a_head_from_outside_an_old_copy_is_as_good_as_the_true_one(
    before: Path, shelf: Library, tmp_path: Path
):
    with put_back(before, shelf, tmp_path) as back:
        assert verified(back.export(tmp_path / "back.zip")).outcome == "sound"


def test_a_second_history_of_the_same_key_is_found_by_the_head_that_was_kept(
    prey: Prey, before: Path, shelf: Library, tmp_path: Path
):
    with forked(before, shelf, tmp_path) as fork:
        said = verified(fork.export(tmp_path / "fork.zip"), seen=prey.seen)
        assert (said.outcome, said.codes) == ("invalid", {"forked"})
        assert fork.replayed() == set()


def test_a_part_of_a_second_history_is_found_too(prey: Prey, before: Path, shelf: Library, tmp_path: Path):
    with forked(before, shelf, tmp_path) as fork:
        scope = Scope(kind="case", name=case_number(fork.walked), case=fork.walked)
        said = verified(fork.export(tmp_path / "fork.zip", scope), seen=prey.seen)
        assert said.codes & {"no-consistency", "inconsistent", "forked"}
        assert said.outcome in ("invalid", "incomplete")


def test_without_a_head_from_outside_nobody_can_say_which_history_is_the_true_one(
    before: Path, shelf: Library, tmp_path: Path
):
    with forked(before, shelf, tmp_path) as fork:
        assert verified(fork.export(tmp_path / "fork.zip")).outcome == "sound"


@pytest.mark.parametrize("by", [STRANGER, ELSEWHERE])
def test_a_history_sealed_by_a_key_that_the_policy_does_not_name_is_not_believed(
    prey: Prey, tmp_path: Path, by: Signer
):
    policy = f"log {by.verifier.vkey()}\nquorum none\n"
    file = prey.export(tmp_path / "all.zip")
    assert verified(file, policy=policy).codes == {"signature"}
    assert verified(file, policy=f"log {SEALING.verifier.vkey()}\nquorum none\n").outcome == "sound"


def test_a_history_of_another_log_is_not_taken_for_this_one(prey: Prey, tmp_path: Path):
    other = signer("xueji/elsewhere", "elsewhere")
    said = verified(prey.export(tmp_path / "all.zip"), policy=f"log {other.verifier.vkey()}\nquorum none\n")
    assert said.codes == {"origin"}
