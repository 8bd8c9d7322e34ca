"""Processes killed with SIGKILL: what was acknowledged is there, nothing is there by half, and work simply goes on."""

import time
from random import Random

from console.wiring import Office
from engine.bulk import move_many
from tests.faults.clerks import Clerk, clerks
from tests.sabotage.office import asked, replayed, rows

TWO = ("operator.one", "operator.two")
STUDENTS, CHUNK = 600, 20


def in_state(office: Office, state: str) -> dict[int, int]:
    """The cases in a state, each with its revision."""
    sql = "SELECT id, revision FROM cases WHERE state = ? ORDER BY id"
    return dict(rows(office.desk.connection, sql, state))


def kill_in_the_middle(clerk: Clerk, work: list[tuple[int, int]], chance: Random) -> set[int]:
    """Let a clerk work for a few answers and a moment longer, kill it, and return what it had acknowledged."""
    clerk.begin(work)
    for _ in range(chance.randint(1, 9)):
        clerk.hear()
    time.sleep(chance.uniform(0, 0.01))
    return set(clerk.kill()["moved"])


def assert_the_rest_can_be_done(office: Office) -> None:
    """The next person finishes what is left."""
    left = list(in_state(office, "enrolled").items())
    assert move_many(office.desk, left, asked(office.desk, "operator.two", "apply")).moved == [case for case, _ in left]
    assert len(in_state(office, "applied")) == STUDENTS
    assert replayed(office).diverged == ()


def test_a_process_killed_between_single_steps_has_done_all_it_acknowledged_and_at_most_one_more(premises):
    chance = Random(3)  # noqa: S311 delays, no secret
    with premises.furnished(STUDENTS) as office, clerks(premises, "apply", TWO) as started:
        for clerk in started:
            before = in_state(office, "applied").keys()
            acknowledged = kill_in_the_middle(clerk, list(in_state(office, "enrolled").items()), chance)

            done = in_state(office, "applied").keys() - before
            assert acknowledged <= done
            assert len(done - acknowledged) <= 1
            assert replayed(office).diverged == ()

        assert any("done" not in clerk.said for clerk in started)
        assert_the_rest_can_be_done(office)


def test_a_process_killed_in_a_bulk_step_leaves_whole_chunks_only(premises):
    chance = Random(5)  # noqa: S311 delays, no secret
    with premises.furnished(STUDENTS) as office, clerks(premises, "apply", TWO, chunk=CHUNK) as started:
        for clerk in started:
            work = list(in_state(office, "enrolled").items())
            acknowledged = kill_in_the_middle(clerk, work, chance)

            applied = in_state(office, "applied").keys()
            chunks = [{case for case, _ in work[start : start + CHUNK]} for start in range(0, len(work), CHUNK)]
            assert acknowledged <= applied
            assert [chunk for chunk in chunks if chunk & applied and not chunk <= applied] == []
            assert replayed(office).diverged == ()

        assert any("done" not in clerk.said for clerk in started)
        assert_the_rest_can_be_done(office)
