"""Days on which nobody can act on what waits: holders and those it is lent to, less whoever is away or kept out."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from engine.organisation import disable, end_role
from engine.store.people import Absence, add_absence
from engine.vacancies import vacancies
from tests.engine.passing import lend
from tests.engine.town import FIRST, NOW, Town


def weekday(day: date) -> bool:
    return day.weekday() < 5


def gaps(town: Town, path: str = "/GK/SX/", at: datetime = NOW) -> list[tuple[str, str, str, bool]]:
    found = vacancies(town.connection, [path], at, 14, weekday)
    return [(one.role, one.first.isoformat(), one.last.isoformat(), one.nobody) for one in found]


def away(town: Town, login: str, first: str, last: str) -> None:
    with town.connection.writing():
        add_absence(town.connection, Absence(login, date.fromisoformat(first), date.fromisoformat(last)))


@pytest.fixture
def waiting(town: Town) -> Town:
    """An application waits for the two approvers of a site."""
    town.advance(FIRST, "applied")
    return town


def test_one_of_two_who_is_away_is_no_gap_and_both_are_over_a_weekend_too(waiting: Town):
    away(waiting, "approver.s1", "2024-04-26", "2024-04-29")
    assert gaps(waiting) == []

    away(waiting, "both.s1", "2024-04-25", "2024-04-30")

    assert gaps(waiting) == [("site_approver", "2024-04-26", "2024-04-29", False)]
    assert gaps(waiting, "/GK/KF/") == []


def test_whom_the_role_is_lent_to_stands_in_until_it_runs_out(waiting: Town):
    away(waiting, "approver.s1", "2024-04-22", "2024-04-26")
    away(waiting, "both.s1", "2024-04-22", "2024-04-26")
    until = NOW + timedelta(days=3)
    assert lend(waiting, "approver.s1", "operator.s1", "site_approver", "S1", until=until) == ()

    assert gaps(waiting) == [("site_approver", "2024-04-24", "2024-04-26", False)]


def test_whom_the_role_is_lent_to_from_a_later_day_on_stands_in_from_that_day(waiting: Town):
    away(waiting, "approver.s1", "2024-04-22", "2024-04-26")
    away(waiting, "both.s1", "2024-04-22", "2024-04-26")
    since, until = NOW + timedelta(days=4), NOW + timedelta(days=30)
    assert lend(waiting, "approver.s1", "operator.s1", "site_approver", "S1", since=since, until=until) == ()

    assert gaps(waiting) == [("site_approver", "2024-04-22", "2024-04-23", False)]


def test_whoever_is_kept_out_or_holds_the_role_no_more_cannot_act(waiting: Town):
    disable(waiting.desk, "both.s1", at=NOW, actor="setup")
    end_role(waiting.desk, "approver.s1", "site_approver", "S1", at=NOW, actor="setup")

    assert gaps(waiting) == [("site_approver", "2024-04-22", "2024-05-03", True)]
