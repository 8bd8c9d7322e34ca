"""The clock of reminding never runs backwards; when it leaps ahead, nobody is told anything until it is confirmed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.clock import CLOSED, LEAP, Clock, machine_now, rehearsed
from engine.errors import Unreadable
from engine.store import schema
from engine.store.database import Connection, open_engine
from engine.store.timekeeping import confirm, mark

NOON = datetime(2024, 5, 13, 4, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@dataclass
class Machine:
    """A machine whose clock can be set, while its seconds pass as they pass."""

    wall: datetime = NOON
    passed: float = 0.0
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.clock = Clock(wall=lambda: self.wall, steady=lambda: self.passed, asks_server=False)

    def wait(self, span: timedelta) -> None:
        self.wall += span
        self.passed += span.total_seconds()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('clock') / 'xueji.db'}")
    schema.upgrade(engine)
    connection = Connection(engine)
    yield connection
    connection.close()
    engine.dispose()


@pytest.fixture
def kept(file: Connection) -> Connection:
    """A database that nobody has worked at yet."""
    file.execute("DELETE FROM setting WHERE name = 'clock'")
    return file


def test_while_all_is_well_the_clock_says_what_the_machine_says_and_the_mark_follows(kept):
    machine = Machine()
    for span in (SECOND, timedelta(minutes=5), timedelta(hours=9)):
        machine.wait(span)
        assert machine.clock.tick(kept) == (machine.wall, timedelta(0), timedelta(0))
        assert mark(kept) == machine.wall


def test_a_clock_turned_back_stands_still_until_time_has_caught_up(kept):
    machine = Machine()
    machine.clock.tick(kept)

    machine.wall -= timedelta(hours=2)
    assert machine.clock.tick(kept) == (NOON, timedelta(0), timedelta(hours=2))
    machine.wait(timedelta(hours=2, seconds=1))
    assert machine.clock.tick(kept) == (NOON + SECOND, timedelta(0), timedelta(0))


def test_a_leap_ahead_is_not_believed_and_is_forgotten_once_the_clock_is_set_right(kept):
    machine = Machine()
    machine.clock.tick(kept)

    machine.wall += DAY
    machine.wait(SECOND)
    leapt = machine.clock.tick(kept)
    assert (leapt.is_trusted, leapt.now, leapt.ahead) == (False, NOON, DAY)
    assert mark(kept) == NOON

    machine.wall -= DAY
    assert machine.clock.tick(kept) == (NOON + SECOND, timedelta(0), timedelta(0))


def test_a_leap_that_a_person_confirms_is_believed_from_the_next_round_on(kept):
    machine = Machine()
    machine.clock.tick(kept)
    machine.wall += DAY
    assert not machine.clock.tick(kept).is_trusted

    confirm(kept, machine.wall)

    machine.wait(SECOND)
    assert machine.clock.tick(kept) == (NOON + DAY + SECOND, timedelta(0), timedelta(0))


@pytest.mark.parametrize(("leap", "believed"), [(LEAP, True), (LEAP + SECOND, False)])
def test_six_hours_are_the_limit_for_a_machine_that_was_running(kept, leap, believed):
    machine = Machine()
    machine.clock.tick(kept)
    machine.wall += leap

    assert machine.clock.tick(kept).is_trusted is believed


def test_a_machine_that_slept_over_the_weekend_is_believed_because_its_steady_clock_slept_with_open_eyes(kept):
    machine = Machine()
    machine.clock.tick(kept)
    machine.wait(3 * DAY)

    assert machine.clock.tick(kept).is_trusted


@pytest.mark.parametrize(("closed", "believed"), [(CLOSED, True), (CLOSED + SECOND, False)])
def test_a_worker_that_has_just_been_started_believes_in_holidays_but_not_in_years(kept, closed, believed):
    machine = Machine()
    machine.clock.tick(kept)
    machine.wall += closed
    machine.restart()

    assert machine.clock.tick(kept).is_trusted is believed


def test_a_mark_far_too_late_is_set_right_by_confirming_the_right_clock(kept):
    machine = Machine()
    confirm(kept, datetime(2036, 1, 1, tzinfo=UTC))
    assert machine.clock.tick(kept).now.year == 2036

    confirm(kept, machine.wall)

    assert machine.clock.tick(kept) == (NOON, timedelta(0), timedelta(0))


def test_of_two_machines_five_minutes_apart_both_go_by_the_later(kept):
    fast, slow = Machine(wall=NOON + timedelta(minutes=5)), Machine()

    assert fast.clock.tick(kept).now == slow.clock.tick(kept).now == NOON + timedelta(minutes=5)


def test_beside_a_server_its_clock_is_asked_and_one_six_hours_ahead_of_it_is_not_believed(postgres_url):
    engine = open_engine(postgres_url)
    schema.upgrade(engine)
    connection = Connection(engine)
    try:
        for days, believed in [(0, True), (1, False)]:
            machine = Machine(wall=machine_now() + days * DAY)
            machine.clock.asks_server = True
            assert machine.clock.tick(connection).is_trusted is believed
    finally:
        connection.close()
        engine.dispose()


MOVES = st.lists(
    st.tuples(st.sampled_from(["wait", "set", "restart", "confirm"]), st.integers(-400_000, 400_000)), max_size=25
)


@settings(deadline=None, max_examples=60)
@given(moves=MOVES)
def test_however_a_clock_is_set_time_only_runs_forward_unless_a_person_vouches_for_it(file, moves):
    file.execute("DELETE FROM setting WHERE name = 'clock'")
    machine = Machine()
    told = [machine.clock.tick(file).now]
    for move, seconds in moves:
        if move == "wait":
            machine.wait(timedelta(seconds=abs(seconds)))
        elif move == "set":
            machine.wall += timedelta(seconds=seconds)
        elif move == "restart":
            machine.restart()
        else:
            confirm(file, machine.wall)
            told.clear()
        told.append(machine.clock.tick(file).now)

        assert all(one <= other for one, other in pairwise(told))
        assert machine.clock.tick(file).is_trusted or machine.wall - (mark(file) or NOON) > LEAP


def test_a_rehearsals_clock_begins_where_it_was_told_and_moves_as_its_file_says(tmp_path):
    shift = tmp_path / "shift"
    now = rehearsed(NOON, shift)
    assert NOON <= now() < NOON + 5 * SECOND

    shift.write_text("-3600")
    assert NOON - timedelta(hours=1) <= now() < NOON - timedelta(hours=1) + 5 * SECOND


def test_a_file_that_moves_the_clock_by_nonsense_is_named(tmp_path):
    Path(tmp_path / "shift").write_text("an hour")

    with pytest.raises(Unreadable, match="XUEJI_CLOCK"):
        rehearsed(NOON, tmp_path / "shift")()
