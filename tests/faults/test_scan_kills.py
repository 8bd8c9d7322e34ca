"""Scanning and composing, killed with SIGKILL before any statement: another then leaves what one alone would have left.

The normal suite kills where others can tell it apart: before each statement that makes something visible (COMMIT, or a
writing one outside of a transaction), and before the next one; another works where what is left has not been seen
before, row by row. The `heavy` tests kill before every statement, and another works after each.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from engine.store.database import Connection
from engine.store.outbox import SPREAD, UNTOLD
from engine.store.tables import METADATA
from tests.engine.tampering import GUARDS_OFF, GUARDS_ON
from tests.faults.crews import Crew, Ended, crew
from tests.faults.scanner import Job
from tests.faults.shop import DAY, MORNING, State, connected, fingerprint, furnish, replayed, state_of
from tests.postgres import fresh_database

DAYS = 9
"""From 14 May on, until the last of the deadlines is late."""
TABLES = tuple(Identifier(table.name) for table in METADATA.sorted_tables)


@pytest.fixture(scope="module")
def scanners() -> Iterator[Crew[Job]]:
    with crew("tests.faults.scanner") as process:
        yield Crew(process)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shops:
    """The shop as it was furnished, as often as it is asked for."""

    scanners: Crew[Job]
    fresh: Callable[[], str]

    def work(self, url: str, at: datetime = MORNING, *, kill_at: int = 0) -> Ended:
        """One who scans and composes, in a process of its own."""
        [ended] = self.scanners.work(Job(url=url, at=at.isoformat(), kill_at=kill_at))
        return ended


@pytest.fixture(scope="module")
def sqlite_shops(scanners: Crew[Job], tmp_path_factory: pytest.TempPathFactory) -> Shops:
    furnished = tmp_path_factory.mktemp("shop") / "furnished.db"
    copy = furnished.with_name("copy.db")
    furnish(f"sqlite:///{furnished}")

    def fresh() -> str:
        for left in copy.parent.glob("copy.db*"):  # with what a killed process left beside it
            left.unlink()
        shutil.copy(furnished, copy)
        return f"sqlite:///{copy}"

    return Shops(scanners=scanners, fresh=fresh)


@pytest.fixture(scope="module")
def postgres_shops(scanners: Crew[Job], postgres_server: str) -> Iterator[Shops]:
    with fresh_database(postgres_server) as url, psycopg.connect(url, autocommit=True) as connection:
        furnish(url)
        connection.execute("CREATE SCHEMA kept")
        for table in TABLES:
            connection.execute(SQL("CREATE TABLE kept.{0} AS TABLE public.{0}").format(table))

        def fresh() -> str:
            with connection.transaction():
                for statement in GUARDS_OFF:
                    connection.execute(statement)
                for table in reversed(TABLES):  # so few rows are deleted sooner than so many tables are truncated
                    connection.execute(SQL("DELETE FROM {}").format(table))
                for table in TABLES:
                    connection.execute(SQL("INSERT INTO public.{0} SELECT * FROM kept.{0}").format(table))
                for statement in GUARDS_ON:
                    connection.execute(statement)
            return url

        yield Shops(scanners=scanners, fresh=fresh)


@pytest.fixture(params=["sqlite", "postgresql"])
def shops(request: pytest.FixtureRequest) -> Shops:
    name = {"sqlite": "sqlite_shops", "postgresql": "postgres_shops"}[request.param]
    found: Shops = request.getfixturevalue(name)
    return found


def left_in(url: str) -> State:
    """What the shop looks like; its trail agrees."""
    with connected(url, Connection) as connection:
        assert replayed(connection).diverged == ()
        return state_of(connection)


def fingerprint_of(url: str) -> str:
    with connected(url, Connection) as connection:
        return fingerprint(connection)


def undisturbed(shops: Shops) -> tuple[State, Sequence[str]]:
    """What one who is left in peace leaves, and the statements that takes."""
    url = shops.fresh()
    ended = shops.work(url)
    return left_in(url), ended.said


def killed_before(shops: Shops, points: Sequence[int], expected: State, *, each: bool = False) -> int:
    """Kill one before each of these statements, let another finish; how many different shops the killed ones left.

    With `each` another finishes also where the killed one left nothing new.
    """
    seen: set[str] = set()
    for point in points:
        url = shops.fresh()
        assert shops.work(url, kill_at=point).signal == signal.SIGKILL
        left = fingerprint_of(url)
        if each or left not in seen:
            assert shops.work(url).signal == 0
            assert left_in(url) == expected, f"killed before statement {point}"
        seen.add(left)
    return len(seen)


def every(statements: Sequence[str]) -> range:
    return range(1, len(statements) + 1)


def telling_apart(statements: Sequence[str]) -> list[int]:
    """Where statements stand that make something visible to others, and those after them."""
    found, is_open, has_written = set[int](), False, False
    for number, word in enumerate(statements, 1):
        ends = word in {"COMMIT", "ROLLBACK"}
        writes = word not in {"BEGIN", "SELECT", "COMMIT", "ROLLBACK"}
        if (word == "COMMIT" and has_written) or (writes and not is_open):
            found |= {number, number + 1}
        is_open = word == "BEGIN" or (is_open and not ends)
        has_written = is_open and (has_written or writes)
    return sorted(found & set(every(statements)))


def test_the_shop_has_everything_that_can_be_cut_in_two(sqlite_shops: Shops):
    state, statements = undisturbed(sqlite_shops)

    assert {"BEGIN", "COMMIT", "SELECT", "INSERT", "UPDATE"} <= set(statements)
    kinds = {kind for _, kind, _ in state.events}
    assert {"late", "reminded", "escalated", "moved", "refused", "timer_blocked"} <= kinds
    assert max(state.events[one] for one in state.events if one[0] > 0) == 1
    assert {one.message for one in state.told} >= {"approaching", "due_today", "overdue", "escalated", "nobody_left"}
    assert {str(SPREAD), str(UNTOLD)} < {one.mail for one in state.told}
    assert {one.slot.partition("/")[0] for one in state.mails} == {"digest", "single"}


def test_killed_around_everything_others_can_see_another_leaves_the_same(shops: Shops):
    expected, statements = undisturbed(shops)

    assert len(statements) > 200
    assert killed_before(shops, telling_apart(statements), expected) > 10


def work_by_workers_killed_at_random(shops: Shops, chance: Random) -> tuple[State, int]:
    """Day after day two at a time, who are killed when they may have done a part; then one finishes the day."""
    url, killed = shops.fresh(), 0
    for day in range(DAYS):
        job = Job(url=url, at=(MORNING + day * DAY).isoformat())
        for _ in range(3):
            pair = [job._replace(kill_after=chance.uniform(0.005, 0.06)) for _ in range(2)]
            killed += sum(ended.signal == signal.SIGKILL for ended in shops.scanners.work(*pair))
        assert shops.scanners.work(job)[0].signal == 0
    return left_in(url), killed


def test_workers_killed_at_random_two_at_a_time_leave_what_one_leaves(shops: Shops):
    url = shops.fresh()
    for day in range(DAYS):
        assert shops.work(url, MORNING + day * DAY).signal == 0
    expected = left_in(url)

    left, killed = work_by_workers_killed_at_random(shops, Random(7))  # noqa: S311 delays, no secret

    assert killed > DAYS
    assert left == expected


@pytest.mark.heavy
def test_killed_before_any_statement_another_leaves_the_same_from_each(shops: Shops):
    expected, statements = undisturbed(shops)

    assert killed_before(shops, every(statements), expected, each=True) > 10
