"""What is worked out for an auditor is kept until it is worked out anew; heads are listed and found over an event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from engine.store import audit_runs, leaves
from engine.store.audit_runs import BROKEN, DONE, FAILED, FINDINGS, RUNNING, SILENCE, WHAT_IF, Run
from engine.store.registry import add_account
from engine.trail.event import moment
from tests.engine.vault import Vault, vault_at

NOW = datetime(2024, 5, 13, 1, tzinfo=UTC)
WHO, OTHER = "shen.sx", "shen.kf"


@pytest.fixture
def vault(database_url: str) -> Iterator[Vault]:
    with vault_at(database_url) as vault:
        for login in (WHO, OTHER):
            add_account(vault.connection, login, moment(NOW))
        yield vault


def run(name: str, minutes: int = 0, *, kind: str = FINDINGS, login: str = WHO, batch: str = "a") -> Run:
    at = moment(NOW + timedelta(minutes=minutes))
    return Run(name, kind, login, batch, "title", RUNNING, 0, 0, at, at)


def test_runs_that_are_done_are_found_newest_first_with_what_was_asked_whoever_asked(vault: Vault):
    connection = vault.connection
    runs = (run("1"), run("2", 1), run("3", 2, batch="b"), run("4", 3, login=OTHER), run("5", 4, kind=WHAT_IF))
    for one in runs:
        audit_runs.add_run(connection, one, f'"asked {one.id}"')
    for name in ("1", "2", "3", "4"):
        audit_runs.end(connection, name, NOW, DONE, f'"came {name}"')

    audit_runs.add_run(connection, run("6", 5), "{}")
    audit_runs.end(connection, "6", NOW, FAILED, "{}")
    with connection.reading():
        done = [(one.id, one.login, asked, came) for one, asked, came in audit_runs.done(connection, FINDINGS)]
    assert done == [
        (name, OTHER if name == "4" else WHO, f'"asked {name}"', f'"came {name}"') for name in ("4", "3", "2", "1")
    ]
    found = [audit_runs.latest_of(connection, FINDINGS, WHO, batch) for batch in ("a", "b", "", "none")]
    assert [one and one[0].id for one in found] == ["6", "3", "6", None]
    assert [one.id for one in audit_runs.runs_of(connection, FINDINGS, WHO, 2)] == ["6", "3"]
    assert [audit_runs.asked_of(connection, one) for one in ("5", "none")] == ['"asked 5"', ""]
    waiting = audit_runs.run_of(connection, "5")
    assert waiting is not None
    assert (waiting[0], waiting[1]) == (runs[4], None)


def test_only_a_run_whose_worker_fell_silent_is_taken_up_and_by_one(vault: Vault):
    connection = vault.connection
    audit_runs.add_run(connection, run("1"), "{}")
    assert not audit_runs.take(connection, "1", NOW + SILENCE)
    audit_runs.beat(connection, "1", NOW + timedelta(seconds=1), (2, 5))
    later = NOW + SILENCE + timedelta(seconds=2)
    assert audit_runs.take(connection, "1", later)
    assert not audit_runs.take(connection, "1", later)
    audit_runs.end(connection, "1", later, DONE, "{}")
    assert not audit_runs.take(connection, "1", later + 2 * SILENCE)
    found = audit_runs.run_of(connection, "1")
    assert found is not None
    assert (found[0].stage, found[0].done, found[0].total) == (DONE, 5, 5)


def test_a_run_that_is_over_stays_as_it_ended_whoever_comes_later(vault: Vault):
    connection = vault.connection
    audit_runs.add_run(connection, run("1"), "{}")
    audit_runs.end(connection, "1", NOW, DONE, '"first"')
    audit_runs.end(connection, "1", NOW + SILENCE, BROKEN, '"second"')
    audit_runs.RUNS.live_on(connection, "1", NOW + SILENCE, RUNNING)
    found = audit_runs.run_of(connection, "1")
    assert found is not None
    assert (found[0].stage, found[0].beat_at, found[1]) == (DONE, moment(NOW), '"first"')


def test_only_runs_of_the_own_that_are_worked_on_count_as_open(vault: Vault):
    connection = vault.connection
    for one in (run("1"), run("2", 1), run("3", 1), run("4", 1, login=OTHER)):
        audit_runs.add_run(connection, one, "{}")
    audit_runs.end(connection, "3", NOW, DONE, "{}")
    assert audit_runs.RUNS.count_open(connection, WHO, NOW + SILENCE) == 2
    assert audit_runs.RUNS.count_open(connection, WHO, NOW + SILENCE + timedelta(seconds=1)) == 1
    audit_runs.RUNS.live_on(connection, "1", NOW + SILENCE, RUNNING)
    assert audit_runs.RUNS.count_open(connection, WHO, NOW + SILENCE + timedelta(seconds=1)) == 2


def test_heads_are_listed_newest_first_and_an_event_is_under_the_first_that_was_signed_over_it(vault: Vault):
    assert leaves.newest_heads(vault.connection, None, 9) == ([], leaves.low_mark(vault.connection))
    for seq in (1, 2, 3):
        vault.write((7, seq))
        if seq < 3:
            vault.seal()

    heads, low = leaves.newest_heads(vault.connection, None, 9)
    assert [int(one.note.text.splitlines()[1]) for one in heads] == [2, 1]
    assert leaves.count_unsealed_after(vault.connection, low) == leaves.count_unsealed(vault.connection) == 1
    older, _ = leaves.newest_heads(vault.connection, 2, 9)
    assert [one.note for one in older] == [heads[1].note]
    assert [leaves.sealed_under(vault.connection, 7, seq) for seq in (1, 2, 3)] == [1, 2, None]
