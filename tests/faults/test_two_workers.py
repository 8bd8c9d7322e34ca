"""Two workers, one of them paused beyond its lease again and again: everybody is told everything once, nobody twice."""

import time
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from console.wiring import Office
from console.worker import LEASE as LEADS
from tests.faults.standing import Working
from tests.faults.workers import FIRST_RUNG, READY, Hands, Shop, mails, one_day, owing, told, until
from tests.sabotage.office import replayed, rows

STUDENTS = 8
LEASE = 0.5


@pytest.fixture
def shop(premises, tmp_path: Path) -> Shop:
    return Shop(premises=premises, folder=tmp_path, lease_seconds=LEASE)


def days(number: int) -> list[tuple[str, datetime]]:
    """The rungs of the fees' deadline, each with its morning."""
    before = [("before:7d", 0), ("before:3d", 4), ("before:1d", 6), ("day:0d", 7)]
    after = [(f"overdue:{n}", 7 + n) for n in range(1, number)]
    return [(rung, FIRST_RUNG + timedelta(days=day)) for rung, day in [*before, *after][:number]]


def pause_one(workers: list[Working], chance: Random) -> None:
    """Stop either of the two at any point of its work for longer than its lease."""
    one = chance.choice(workers)
    time.sleep(chance.uniform(0, 0.4))
    one.pause()
    time.sleep(chance.uniform(1.1 * LEASE, 2 * LEASE))
    one.resume()


def assert_once(office: Office, shop: Shop, rungs: list[str]) -> None:
    connection = office.desk.connection
    left = shop.left()
    assert [mail for mail, times in left.items() if times != 1] == []
    assert mails(connection) == {"accepted": len(left)}
    assert {rung: count for rung, count in told(connection).items() if rung != "escalate"} == dict.fromkeys(
        rungs, STUDENTS
    )
    late = rows(connection, "SELECT count(*) FROM deadline WHERE name = 'D-02' AND missed_at IS NOT NULL")
    assert late == [(STUDENTS,)]


def many_rounds(shop: Shop, rounds: int, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 delays, no secret
    with owing(shop.premises, STUDENTS) as office:
        hands = Hands(connection=office.desk.connection, file=shop.shift)
        hands.set_to(FIRST_RUNG - timedelta(minutes=1))
        with shop.workers(2) as workers:
            until(lambda: all("working" in one.said for one in workers))
            mornings = days(rounds)
            for rung, morning in mornings:
                hands.set_to(morning + READY)
                pause_one(workers, chance)
                one_day(hands, morning, rung, STUDENTS)
            assert [one.end() for one in workers] == [0, 0]

        assert_once(office, shop, [rung for rung, _ in mornings])
        [(epoch,)] = rows(office.desk.connection, "SELECT epoch FROM lease WHERE name = ?", LEADS)
        assert epoch > rounds / 4, "the lead changed hands"
        assert all("round failed" not in one.said for one in workers)
        assert replayed(office).diverged == ()


def test_of_two_workers_paused_at_random_each_reminder_is_written_and_sent_once(shop):
    many_rounds(shop, 6, seed=1)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_of_two_workers_paused_two_hundred_times_in_all_each_reminder_is_written_and_sent_once(shop, seed):
    many_rounds(shop, 50, seed)
