"""A worker as a process: it ends when told to, survives a lost database and other writers, and no clock confuses it."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from console.wiring import Office
from engine.casework import move
from engine.expressions.kinds import SHANGHAI
from engine.records import Moved
from engine.store.leases import leader
from engine.store.timekeeping import mark
from tests.faults.workers import FIRST_RUNG, Hands, Shop, mails, owing, told, until
from tests.sabotage.office import asked, asked_to_leave, replayed, rows

STUDENTS = 6
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def shop(premises, tmp_path: Path) -> Shop:
    return Shop(premises=premises, folder=tmp_path, lease_seconds=5)


@pytest.fixture
def sqlite_shop(sqlite_premises, tmp_path: Path) -> Shop:
    return Shop(premises=sqlite_premises, folder=tmp_path, lease_seconds=5)


@pytest.fixture
def postgres_shop(postgres_premises, tmp_path: Path) -> Shop:
    return Shop(premises=postgres_premises, folder=tmp_path, lease_seconds=5)


def hands_of(office: Office, shop: Shop, at: datetime) -> Hands:
    hands = Hands(connection=office.desk.connection, file=shop.shift)
    hands.set_to(at)
    return hands


def everybody_is_told(office: Office, rung: str) -> bool:
    return told(office.desk.connection).get(rung) == STUDENTS


def worked_at(office: Office) -> datetime:
    at = mark(office.desk.connection)
    assert at is not None
    return at


def is_past(office: Office, at: datetime) -> bool:
    return worked_at(office) > at


def test_told_to_end_a_worker_ends_well_and_gives_up_its_lease(shop):
    with owing(shop.premises, STUDENTS) as office, shop.workers(1) as [worker]:
        hands_of(office, shop, FIRST_RUNG + MINUTE)
        until(lambda: everybody_is_told(office, "before:7d"))

        assert worker.end() == 0

        assert leader(office.desk.connection, "work") is None
        assert replayed(office).diverged == ()


def test_what_a_worker_says_names_counts_and_nobody(sqlite_shop):
    with owing(sqlite_shop.premises, STUDENTS) as office, sqlite_shop.workers(1) as [worker]:
        hands_of(office, sqlite_shop, FIRST_RUNG + 15 * MINUTE)
        until(lambda: mails(office.desk.connection).get("accepted", 0) > 0)
        worker.end()

        assert f"event=scan looked={STUDENTS}" in worker.said
        for secret in ("测试", "2022030", "610103", "@xueji.invalid", "1280.50"):
            assert secret not in worker.said


def test_a_clock_that_leaps_a_day_tells_nobody_anything_until_it_is_confirmed(sqlite_shop):
    with owing(sqlite_shop.premises, STUDENTS) as office, sqlite_shop.workers(1) as [worker]:
        hands = hands_of(office, sqlite_shop, FIRST_RUNG - MINUTE)
        until(lambda: "leading" in worker.said)

        hands.move(DAY)
        until(lambda: "clock leapt ahead" in worker.said)
        assert told(office.desk.connection) == {}

        hands.set_to(FIRST_RUNG + DAY)
        until(lambda: everybody_is_told(office, "before:7d"))


def test_while_the_clock_is_not_believed_steps_are_taken_as_ever(sqlite_shop):
    with owing(sqlite_shop.premises, STUDENTS) as office, sqlite_shop.workers(1) as [worker]:
        hands = hands_of(office, sqlite_shop, FIRST_RUNG - MINUTE)
        until(lambda: "leading" in worker.said)
        hands.move(30 * DAY)
        until(lambda: "clock leapt ahead" in worker.said)

        assert isinstance(move(office.desk, 1, asked_to_leave(office.desk)), Moved)


def test_a_clock_turned_back_tells_nothing_twice_and_skips_nothing(sqlite_shop):
    with owing(sqlite_shop.premises, STUDENTS) as office, sqlite_shop.workers(1) as [worker]:
        hands = hands_of(office, sqlite_shop, FIRST_RUNG + 15 * MINUTE)
        until(lambda: everybody_is_told(office, "before:7d"))
        hands.move(-5 * HOUR)
        until(lambda: "clock was turned back" in worker.said)
        hands.move(5 * HOUR)
        for _ in range(17):  # four days, but never more than six hours at once
            wanted = worked_at(office) + 5 * HOUR
            hands.move(6 * HOUR - MINUTE)
            until(partial(is_past, office, wanted))
        until(lambda: everybody_is_told(office, "before:3d"))
        worker.end()

        assert told(office.desk.connection) == {"before:7d": STUDENTS, "before:3d": STUDENTS}
        assert set(sqlite_shop.left().values()) == {1}


def test_the_time_zone_of_the_server_and_its_daylight_saving_change_nothing(sqlite_shop):
    """New York puts its clocks back on 3 November 2024 at 06:00 UTC: nine in Shanghai stays nine in Shanghai."""
    back = datetime(2024, 11, 3, 6, tzinfo=UTC)
    with owing(sqlite_shop.premises, STUDENTS, fees_by="2024-11-07") as office:
        hands = hands_of(office, sqlite_shop, back - timedelta(seconds=2))
        with sqlite_shop.workers(1, TZ="America/New_York") as [worker]:
            until(lambda: everybody_is_told(office, "before:7d"))  # what was due before it was started
            until(partial(is_past, office, back))
            nine = datetime(2024, 11, 4, 9, 0, tzinfo=SHANGHAI)
            hands.set_to(nine - timedelta(seconds=2))
            until(lambda: everybody_is_told(office, "before:3d"))
            worker.end()

        at = rows(office.desk.connection, "SELECT min(told_at), max(told_at) FROM deadline WHERE name = 'D-02'")[0]
        assert all(nine <= datetime.fromisoformat(str(one)) < nine + MINUTE for one in at)


def test_a_worker_whose_connection_is_cut_says_so_and_goes_on(postgres_shop):
    with owing(postgres_shop.premises, STUDENTS) as office, postgres_shop.workers(1) as [worker]:
        hands = hands_of(office, postgres_shop, FIRST_RUNG - MINUTE)
        until(lambda: "leading" in worker.said)
        own = rows(office.desk.connection, "SELECT pg_backend_pid()")[0][0]
        others = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> ? AND datname = current_database()"
        )
        office.desk.connection.execute(others, (own,))

        until(lambda: "database lost" in worker.said)
        hands.set_to(FIRST_RUNG + MINUTE)
        until(lambda: everybody_is_told(office, "before:7d"))

        assert worker.end() == 0


def test_a_worker_and_somebody_who_takes_steps_do_not_get_in_each_others_way(shop):
    with owing(shop.premises, 60) as office, shop.workers(1) as [worker]:
        hands_of(office, shop, FIRST_RUNG - MINUTE).set_to(FIRST_RUNG + MINUTE)
        records = [case for (case,) in rows(office.desk.connection, "SELECT record FROM student ORDER BY id")]

        answers = [move(office.desk, case, asked(office.desk, "operator.one", "apply")) for case in records]
        until(lambda: told(office.desk.connection).get("before:7d") == 60)
        worker.end()

        assert len(answers) == 60
        assert "database lost" not in worker.said
        assert "round failed" not in worker.said
        assert replayed(office).diverged == ()
