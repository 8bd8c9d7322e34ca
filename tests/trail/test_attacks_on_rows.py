"""Attacks on the database: what replay names, and what a bundle made afterwards comes to in the auditor's hands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trail.attacks_on_rows import ATTACKS, Attack
from tests.trail.prey import Prey
from tests.trail.verifying import verified


def test_nothing_is_found_where_nothing_was_done(prey: Prey):
    assert prey.replayed() == set()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
def test_replay_names_the_chain_that_was_attacked(prey: Prey, attack: Attack):
    with prey.undone():
        attack.does(prey)
        found = prey.replayed()
        assert found >= {prey.named(attack.replay)} if attack.replay is not None else found == set()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
def test_the_auditor_finds_it_in_the_bundle_that_is_made_afterwards(prey: Prey, attack: Attack, tmp_path: Path):
    with prey.undone():
        attack.does(prey)
        said = verified(prey.export(tmp_path / "after.zip"), seen=prey.seen)
        assert said.outcome == attack.outcome, said
        assert attack.chain is None or prey.named(attack.chain) in said.chains, said
