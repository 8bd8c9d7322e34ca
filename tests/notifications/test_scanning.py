"""Scanning: late marks, reminders by the ladder, escalations, timers; each once, whatever the clock and others do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.definition import Definition
from engine.ladder import rungs
from engine.library import Library
from engine.store.database import Cursor
from engine.store.deadlines import of_case
from engine.timers import ladder_of
from notifications.scanning import Scanned, scan
from tests.engine.lab import CHECK, loan, opened, working
from tests.engine.town import FIRST, NOW, Town, town_at
from tests.notifications.lending import WEEK, away, grant, lent, lent_and_undone, reminded, shanghai

LIMIT = 100


class Said(NamedTuple):
    """One message of the outbox about a deadline."""

    to: str
    message: str
    rung: str


@pytest.fixture
def waiting(district_url: str, library: Library) -> Iterator[tuple[Town, int]]:
    """A loan to be checked by 13 May by approver.s1 or both.s1; then the records section hears of it."""
    with lent(district_url, library, reminded()) as (town, case):
        yield town, case


def look(town: Town, when: str) -> Scanned:
    return scan(town.desk, shanghai(when), LIMIT)


def said(town: Town, case: int) -> list[Said]:
    sql = "SELECT recipient, message, rung FROM outbox WHERE chain = ? AND rung IS NOT NULL ORDER BY id"
    return [
        Said(who.removeprefix("person/"), message, rung) for who, message, rung in town.connection.execute(sql, (case,))
    ]


def by_rung(town: Town, case: int) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in said(town, case):
        found.setdefault(one.rung, set()).add(one.to)
    return found


def kinds(town: Town, case: int) -> list[str]:
    return [event["kind"] for event in town.events(case)]


BOTH = {"approver.s1", "both.s1"}
ABOVE = {"records.sx", "auditor.sx"}


def test_each_rung_is_told_once_to_each_when_its_time_has_come(waiting: tuple[Town, int]):
    town, case = waiting

    assert look(town, "2024-05-06 08:59:59") == Scanned()
    assert look(town, "2024-05-06 09:00:00") == Scanned(looked=1, told=2)
    assert look(town, "2024-05-06 09:00:30") == Scanned()
    assert by_rung(town, case) == {"before:7d": BOTH}
    assert kinds(town, case)[-1] == "reminded"
    assert town.replayed().diverged == ()


def test_day_by_day_the_whole_ladder_is_told(waiting: tuple[Town, int]):
    town, case = waiting
    for day in range(31):
        scan(town.desk, shanghai("2024-05-01 09:30") + timedelta(days=day), LIMIT)

    told = by_rung(town, case)
    assert list(told)[:4] == ["before:7d", "before:3d", "before:1d", "day:0d"]
    assert told["escalate"] == ABOVE
    assert [name for name in told if name.startswith("overdue")] == [f"overdue:{n}" for n in range(1, 19)]
    assert max(Counter(said(town, case)).values()) == 1
    assert kinds(town, case).count("late") == 1


def test_a_deadline_is_marked_late_once_in_the_first_second_that_is_too_late(waiting: tuple[Town, int]):
    town, case = waiting
    look(town, "2024-05-13 09:00")

    assert look(town, "2024-05-13 23:59:59.900000").late == 0
    assert look(town, "2024-05-14 00:00:00") == Scanned(looked=1, late=1)
    assert look(town, "2024-05-14 00:00:30") == Scanned()
    [row] = of_case(town.connection, case)
    assert row.missed_at == shanghai("2024-05-14 00:00:00")


def test_after_the_machine_was_off_only_the_newest_rung_is_told_and_the_late_mark_made(waiting: tuple[Town, int]):
    town, case = waiting

    done = look(town, "2024-05-20 12:00")

    assert (done.looked, done.late, done.told, done.escalated) == (1, 1, 2, 2)
    assert by_rung(town, case) == {"overdue:7": BOTH, "escalate": ABOVE}


def test_a_reminder_that_could_not_be_told_in_time_says_that_it_is_late(district_url: str, library: Library):
    with lent(district_url, library, reminded({"overdue": None})) as (town, case):
        look(town, "2024-05-14 00:30")

        assert {(one.message, one.rung) for one in said(town, case)} == {("overdue", "day:0d")}


def test_a_clock_that_was_set_back_tells_nothing_twice_and_skips_nothing(waiting: tuple[Town, int]):
    town, case = waiting
    look(town, "2024-05-10 09:00")

    assert look(town, "2024-05-06 12:00") == Scanned()
    [row] = of_case(town.connection, case)
    assert row.told_at == shanghai("2024-05-10 09:00")
    look(town, "2024-05-12 09:00")

    assert by_rung(town, case) == {"before:3d": BOTH, "before:1d": BOTH}


def test_what_is_done_is_not_reminded_of(waiting: tuple[Town, int]):
    town, case = waiting
    town.decided(case, "check", "approver.s1")

    assert look(town, "2024-05-20 12:00") == Scanned()
    assert said(town, case) == []


def test_a_row_that_another_has_dealt_with_since_it_was_read_is_left_alone(waiting: tuple[Town, int]):
    town, case = waiting
    with town_at(town.url, town.desk.library) as other:
        honest, first = type(town.connection).execute, iter((look,))

        def execute(sql: str, params: Sequence[object] = ()) -> Cursor:
            if "FROM cases c" in sql and (scan_first := next(first, None)) is not None:
                assert scan_first(other, "2024-05-06 09:00").told == 2
            return honest(town.connection, sql, params)

        town.connection.execute = execute  # type: ignore[method-assign] # between reading the page and its rows
        done = look(town, "2024-05-06 09:00")
        del town.connection.execute

    assert (next(first, None), done) == (None, Scanned(looked=1))
    assert Counter(said(town, case)) == Counter({Said(who, "approaching", "before:7d"): 1 for who in BOTH})


def test_two_who_scan_at_once_tell_everybody_once(district_url: str, library: Library):
    definition = reminded().model_copy(update={"unique": "never"})
    with working(district_url, library, [definition]) as town:
        cases = [opened(town, "loan", FIRST) for _ in range(20)]
        shelf = town.desk.library

        def scanning(_: int) -> int:
            with town_at(district_url, shelf) as clerk:
                return sum(look(clerk, "2024-05-06 09:00").told for _ in range(3))

        with ThreadPoolExecutor(2) as pool:
            told = sum(pool.map(scanning, range(2)))

        assert told == 2 * len(cases)
        assert all(Counter(one.to for one in said(town, case)) == dict.fromkeys(BOTH, 1) for case in cases)


class _Killed(Exception):
    """Stands for a process that ends between two statements."""


@contextmanager
def ending_after(town: Town, most: int) -> Iterator[None]:
    """A connection that is used for so many statements and then no more."""
    left = iter(range(most))
    honest = type(town.connection).execute

    def execute(sql: str, params: Sequence[object] = ()) -> Cursor:
        if next(left, None) is None:
            raise _Killed
        return honest(town.connection, sql, params)

    town.connection.execute = execute  # type: ignore[method-assign] # where a process would be killed
    try:
        with suppress(_Killed):
            yield
    finally:
        del town.connection.execute


def test_a_scan_that_ends_between_any_two_statements_leaves_the_row_whole_to_the_next(
    sqlite_district: str, library: Library
):
    with lent(sqlite_district, library, reminded()) as (town, case):
        done, most = ["opened", "late", "reminded", "escalated"], 0
        while kinds(town, case) == ["opened"]:
            most += 1
            with ending_after(town, most):
                look(town, "2024-05-14 09:00")
            assert kinds(town, case) in (["opened"], done)

        assert most > 10
        assert look(town, "2024-05-14 09:00") == Scanned()
        assert by_rung(town, case) == {"overdue:1": BOTH, "escalate": ABOVE}


def test_who_is_away_is_not_reminded_and_who_stands_in_is(waiting: tuple[Town, int]):
    town, case = waiting
    away(town, "approver.s1", "2024-05-06", "2024-05-06")

    look(town, "2024-05-06 09:00")
    look(town, "2024-05-10 09:00")

    assert by_rung(town, case) == {"before:7d": {"both.s1"}, "before:3d": BOTH}


def test_where_nobody_is_left_those_hear_of_it_who_hear_of_missed_deadlines(waiting: tuple[Town, int]):
    town, case = waiting
    for login in BOTH:
        away(town, login, "2024-05-06", "2024-05-06")

    done = look(town, "2024-05-06 09:00")

    assert done == Scanned(looked=1, escalated=2, nobody=1)
    assert {(one.to, one.message, one.rung) for one in said(town, case)} == {
        (login, "nobody_left", "before:7d/nobody") for login in ABOVE
    }
    assert town.events(case)[-1]["data"]["roles"] == ["site_approver"]


def test_without_an_escalation_those_hear_of_it_who_have_a_part_at_the_next_unit_above(
    district_url: str, library: Library
):
    close = {"close": {"from": "checked", "to": "lent", "by": "records_section"}}
    deadline = {**WEEK, "remind": {"to": ["site_approver"], "before": ["7d"]}}
    with lent(district_url, library, loan({**CHECK, **close}, deadlines={"D-01": deadline})) as (town, case):
        for login in BOTH:
            away(town, login, "2024-05-06", "2024-05-06")

        look(town, "2024-05-06 09:00")

        assert by_rung(town, case) == {"before:7d/nobody": ABOVE}


def test_where_nobody_is_left_at_all_the_trail_says_so(district_url: str, library: Library):
    deadline = {**WEEK, "remind": {"to": ["class_teacher"], "before": ["7d"]}}
    with lent(district_url, library, loan(CHECK, deadlines={"D-01": deadline})) as (town, case):
        assert look(town, "2024-05-06 09:00") == Scanned(looked=1, nobody=1)

        event = town.events(case)[-1]
        assert (event["kind"], event["data"]["message"]) == ("reminded", "nobody_left")
        assert (event["data"]["roles"], event["data"]["people"]) == (["class_teacher"], [])
        assert look(town, "2024-05-06 09:30") == Scanned(), "and that was that"


def test_somebody_with_two_of_the_roles_is_told_once(district_url: str, library: Library):
    with lent(district_url, library, reminded({"to": ["site_approver", "site_operator"]})) as (town, case):
        look(town, "2024-05-06 09:00")

        assert [one.to for one in said(town, case)] == ["approver.s1", "both.s1", "operator.s1"]


TIMED = loan(
    {**CHECK, "lapse": {"from": "asked", "to": "lent", "by": "timer"}},
    deadlines={"D-01": {**WEEK, "missed": {"fire": "lapse"}}},
)


def test_a_timer_fires_once_after_the_late_mark(district_url: str, library: Library):
    with lent(district_url, library, TIMED) as (town, case):
        done = look(town, "2024-05-14 00:00")

        assert (done.late, done.fired, done.blocked) == (1, 1, 0)
        assert town.by_id(case).state == "lent"
        assert look(town, "2024-05-14 00:01") == Scanned()
        assert kinds(town, case)[-2:] == ["late", "moved"]


@contextmanager
def taken_back(town: Town) -> Iterator[None]:
    """A transaction that ends in nothing, as a dry run's does."""
    with suppress(LookupError), town.connection.writing():
        yield
        raise LookupError


def test_a_scan_inside_a_transaction_is_taken_back_whole_with_the_timer_it_fired(district_url: str, library: Library):
    with lent(district_url, library, TIMED) as (town, case):
        before = town.counts(), of_case(town.connection, case), town.by_id(case)
        with taken_back(town):
            done = look(town, "2024-05-14 09:00")
        assert (done.late, done.fired, done.blocked) == (1, 1, 0)
        assert (town.counts(), of_case(town.connection, case), town.by_id(case)) == before


def test_many_due_rows_are_done_in_portions(sqlite_district: str, library: Library):
    with working(sqlite_district, library, [reminded().model_copy(update={"unique": "never"})]) as town:
        cases = [opened(town, "loan", FIRST) for _ in range(7)]

        portions = [scan(town.desk, shanghai("2024-05-06 09:00"), 3).looked for _ in range(4)]

        assert portions == [3, 3, 1, 0]
        assert all(by_rung(town, case) == {"before:7d": BOTH} for case in cases)


OFFSETS = st.lists(st.sampled_from(["0d", "1d", "2d", "3d", "1wd", "3wd", "7d"]), unique=True, max_size=4)
LADDERS = st.fixed_dictionaries(
    {
        "before": OFFSETS,
        "overdue": st.sampled_from([None, "1d", "2d", "1wd"]),
        "at": st.sampled_from(["09:00", "17:30", "00:00"]),
    }
)
LOOKS = st.lists(st.integers(min_value=1, max_value=35 * 24 * 4), min_size=1, max_size=14).map(
    lambda numbers: [NOW, *sorted(NOW + timedelta(minutes=15 * number) for number in numbers)]
)
DEFINITIONS = st.builds(
    lambda ladder, after: reminded(ladder, escalate={"to": "records_section", "after": after}),
    LADDERS,
    st.sampled_from(["0d", "1d", "3wd"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(definition=DEFINITIONS, looks=LOOKS)
def test_whenever_it_is_scanned_nothing_is_told_twice_and_no_rung_is_passed_over_while_a_scan_ran(
    sqlite_district: str, library: Library, definition: Definition, looks: Sequence[datetime]
):
    with lent_and_undone(sqlite_district, library, definition) as (town, [case]):
        for at in looks[1:]:
            scan(town.desk, at, LIMIT)
        told = [(one.rung, one.to) for one in said(town, case)]

        assert max(Counter(told).values(), default=1) == 1
        assert {rung for rung, _ in told} == set(expected(town, case, definition, looks))


def expected(town: Town, case: int, definition: Definition, looked_at: Sequence[datetime]) -> Iterator[str]:
    """Of the rungs between each two looks the last reminder, and the escalation."""
    due = shanghai("2024-05-13 23:59:59")
    deadline, calendar = ladder_of(town.desk, town.by_id(case), "D-01")
    assert deadline == definition.deadlines["D-01"]
    for before, at in pairwise(looked_at):
        passed = [rung.name for rung in rungs(deadline, due, calendar, before, at)]
        reminders = [name for name in passed if name != "escalate"]
        yield from (*reminders[-1:], *("escalate" for name in passed if name == "escalate"))


def test_a_grant_given_later_counts_from_then_on(waiting: tuple[Town, int]):
    town, case = waiting
    look(town, "2024-05-06 09:00")
    grant(town, "new.s1", "site_approver", "S1")

    look(town, "2024-05-10 09:00")

    assert by_rung(town, case)["before:3d"] == {*BOTH, "new.s1"}


SIGNED = {
    "check": {
        "from": "asked",
        "to": "checked",
        "sign": {"slots": {"first": "site_approver", "then": "records_section"}, "order": "sequence"},
    }
}


def test_whoever_has_signed_is_left_in_peace_while_others_have_not(district_url: str, library: Library):
    deadline = {**WEEK, "remind": {"to": ["site_approver", "records_section"], "before": ["7d", "3d", "1d"]}}
    with lent(district_url, library, loan(SIGNED, deadlines={"D-01": deadline})) as (town, case):
        look(town, "2024-05-06 09:00")
        town.decided(case, "check", "approver.s1")
        look(town, "2024-05-10 09:00")

        assert by_rung(town, case) == {"before:7d": BOTH, "before:3d": ABOVE}


def test_a_role_is_read_once_a_scan_however_many_rows_are_due(sqlite_district: str, library: Library):
    counts = []
    for number in (1, 12):
        with lent_and_undone(
            sqlite_district, library, reminded().model_copy(update={"unique": "never"}), [FIRST] * number
        ) as (town, _):
            said_to_database: list[str] = []
            town.connection.raw.set_trace_callback(said_to_database.append)
            assert look(town, "2024-05-06 09:00").told == 2 * number
            town.connection.raw.set_trace_callback(None)
            about_people = ("role_grant", "delegation", "absence", "account")
            counts.append(sum(any(table in one for table in about_people) for one in said_to_database))

    assert counts[0] == counts[1]
