"""One process leads at a time; one that was paused beyond its end finds so inside the transaction it would write in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.store.database import Connection, open_engine
from engine.store.leases import LONGEST, Held, give_up, leader, still_held, take
from engine.store.timekeeping import confirm, mark, raise_mark, server_now

NOW = datetime(2024, 5, 13, 1, tzinfo=UTC)
SECONDS = 30


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = open_engine(url)
    connection = Connection(engine)
    try:
        yield connection
    finally:
        connection.close()
        engine.dispose()


@pytest.fixture
def here(district_url: str) -> Iterator[Connection]:
    with connected(district_url) as connection:
        yield connection


@pytest.fixture
def there(here: Connection, district_url: str) -> Iterator[Connection]:
    """Another process's connection to the same database."""
    assert not here.in_transaction
    with connected(district_url) as connection:
        yield connection


@pytest.fixture(scope="module")
def shared_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """One file for the many examples of a property."""
    copy = tmp_path_factory.mktemp("leases") / "leases.db"
    shutil.copy(sqlite_template, copy)
    return f"sqlite:///{copy}"


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def taken(connection: Connection, holder: str, at: datetime = NOW) -> Held:
    held = take(connection, "work", holder, at, SECONDS)
    assert held is not None
    return held


def test_while_one_holds_a_lease_another_gets_none_and_a_lease_of_another_name_is_free(here, there):
    assert taken(here, "one") == Held(name="work", holder="one", epoch=1, until=later(30))

    assert take(there, "work", "two", later(29), SECONDS) is None
    assert take(there, "seal", "two", later(29), SECONDS) == Held("seal", "two", 1, later(59))


def test_holding_on_moves_the_end_and_keeps_the_epoch_even_after_the_end(here):
    taken(here, "one")

    assert taken(here, "one", later(10)) == Held("work", "one", 1, later(40))
    assert taken(here, "one", later(100)) == Held("work", "one", 1, later(130))


def test_with_every_change_of_hands_the_epoch_rises(here, there):
    epochs = [taken(where, who, later(30 * n)).epoch for n, (where, who) in enumerate([(here, "1"), (there, "2")] * 5)]

    assert epochs == list(range(1, 11))


def test_whoever_was_paused_beyond_its_end_finds_inside_its_transaction_that_it_leads_no_more(here, there):
    paused = taken(here, "one")
    taken(there, "two", later(30))

    with here.writing():
        assert not still_held(here, paused, NOW), "whatever its own clock says"
        assert not still_held(here, paused, later(31))


def test_a_lease_that_is_over_is_not_held_even_while_nobody_else_has_taken_it(here):
    held = taken(here, "one")

    assert still_held(here, held, later(29.999))
    assert not still_held(here, held, later(30))


def test_nobody_takes_a_lease_over_while_its_holder_is_writing_under_it(postgres_district):
    order: list[str] = []
    with connected(postgres_district) as here, connected(postgres_district) as there:
        held = taken(here, "one")
        begun = Barrier(2)

        def take_over() -> None:
            begun.wait()
            taken(there, "two", later(31))
            order.append("taken over")

        other = Thread(target=take_over)
        other.start()
        with here.writing():
            assert still_held(here, held, NOW)
            begun.wait()
            other.join(0.2)
            order.append("written")
        other.join()

    assert order == ["written", "taken over"]


def test_what_is_given_up_is_free_at_once_and_only_its_holder_can_give_it_up(here, there):
    first = taken(here, "one")
    give_up(here, first)
    assert leader(here, "work") is None
    second = taken(there, "two")

    give_up(here, first)

    assert second.epoch == 2
    assert still_held(there, second, NOW)
    assert leader(here, "work") == second


def test_a_lease_taken_by_a_clock_far_ahead_binds_nobody(here, there):
    taken(here, "rehearsal", datetime(2036, 1, 1, tzinfo=UTC))

    assert taken(there, "two").epoch == 2


def test_nobody_is_given_a_lease_for_longer_than_an_hour(here):
    with pytest.raises(ValueError, match="at most 1:00:00"):
        take(here, "work", "one", NOW, LONGEST.total_seconds() + 1)


@given(steps=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 45)), min_size=1, max_size=30))
@settings(deadline=None, max_examples=40)
def test_at_any_moment_at_most_one_of_three_leads_and_epochs_never_fall(shared_file, steps):
    with connected(shared_file) as connection:
        connection.execute("DELETE FROM lease")
        held: dict[int, Held] = {}
        epochs = []
        now = NOW
        for who, seconds in steps:
            now += timedelta(seconds=seconds)
            got = take(connection, "work", str(who), now, SECONDS)
            if got is not None:
                held[who] = got
                epochs.append(got.epoch)
            leading = [one for one in held.values() if still_held(connection, one, now)]
            assert len(leading) == 1
            assert (got is not None) == (leading[0].holder == str(who))

    assert epochs == sorted(epochs)


def test_the_mark_rises_and_never_falls_unless_a_person_vouches_for_the_clock(here, there):
    assert mark(here) is None
    for seconds, expected in [(5, 5), (3, 5), (9, 9)]:
        raise_mark(there, later(seconds))
        assert mark(here) == later(expected)

    confirm(here, NOW)

    assert mark(there) == NOW


def test_a_server_has_a_clock_of_its_own_and_a_file_has_none(here):
    told = server_now(here)

    assert (told is None) == here.is_sqlite
    assert told is None or told.tzinfo is UTC
