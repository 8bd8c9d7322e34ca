"""Two processes approve the same cases at the same time: every case moves once, every loser hears of a conflict."""

import random
from threading import Thread

import pytest

from console.wiring import Office
from engine.store.database import Connection
from tests.faults.clerks import Clerk, clerks
from tests.sabotage.office import Premises, replayed, rows

TWO = ("operator.one", "operator.two")


@pytest.fixture(params=[500, pytest.param(2000, marks=pytest.mark.heavy)])
def many(request: pytest.FixtureRequest) -> int:
    """How many cases both have on their lists."""
    number: int = request.param
    return number


def seen_list(connection: Connection) -> list[tuple[int, int]]:
    """Every case with the revision a person sees now."""
    return [
        (int(str(case)), int(str(seen)))
        for case, seen in rows(connection, "SELECT id, revision FROM cases ORDER BY id")
    ]


def race(started: list[Clerk], lists: list[list[tuple[int, int]]]) -> None:
    """Both begin at once and are heard to the end."""
    heard = [Thread(target=clerk.finish) for clerk in started]
    for clerk, cases in zip(started, lists, strict=True):
        clerk.begin(cases)
    for thread in heard:
        thread.start()
    for thread in heard:
        thread.join()


def assert_each_moved_once(office: Office, started: list[Clerk], everyone: list[int]) -> None:
    """What the two heard adds up to every case once, and the trail says the same."""
    first, second = (clerk.said for clerk in started)
    assert sorted(first["moved"] + second["moved"]) == everyone
    assert sorted(first["conflict"]) == sorted(second["moved"])
    assert sorted(second["conflict"]) == sorted(first["moved"])
    assert [*first["other"], *second["other"]] == []
    told = rows(office.desk.connection, "SELECT chain, count(*) FROM outbox GROUP BY chain ORDER BY chain")
    assert told == [(case, 1) for case in everyone]
    found = replayed(office)
    assert (found.cases, found.diverged) == (len(everyone), ())


def test_of_two_people_deciding_the_same_list_one_by_one_each_case_has_one_winner(premises: Premises, many: int):
    with premises.furnished(many) as office, clerks(premises, "apply", TWO) as started:
        cases = seen_list(office.desk.connection)
        race(started, [cases, cases])

        assert_each_moved_once(office, started, [case for case, _ in cases])


def test_two_people_moving_the_same_list_in_bulk_share_it_whatever_order_they_sort_it_in(premises: Premises, many: int):
    with premises.furnished(many) as office, clerks(premises, "apply", TWO, chunk=100) as started:
        cases = seen_list(office.desk.connection)
        shuffled = random.Random(7).sample(cases, len(cases))  # noqa: S311 an order, no secret
        race(started, [cases, shuffled])

        assert_each_moved_once(office, started, [case for case, _ in cases])
