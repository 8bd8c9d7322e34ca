"""Absences that somebody else tells: by whom, on which days, what the person hears, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from unicodedata import normalize

import pytest

from engine.absences import LONGEST_REASON, AbsenceChanged, AccountClosed, Away, change, end, end_now, tell
from engine.delegating import Refusal
from engine.errors import NotAllowed, Unknown, Unreadable
from engine.organisation import disable
from engine.records import Request
from engine.store import absences, people
from engine.trail.event import REGISTRY
from tests.engine.passing import hire, lend
from tests.engine.town import NOW, Town

MONDAY, FRIDAY = date(2024, 4, 22), date(2024, 4, 26)
TODAY = date(2024, 4, 20)
ILL = Away(login="approver.s1", first=MONDAY, last=FRIDAY, reason="电话请假")


@pytest.fixture
def staffed(town: Town) -> Town:
    """Somebody who looks after the people of the branch, and a colleague at its site."""
    hire(town, "people.b1", "security_admin", "SX")
    hire(town, "spare.s1", "site_operator")
    return town


def asks(town: Town, login: str = "people.b1", days: int = 0) -> Request:
    return Request(trigger="absence", actor=town.actor(login), at=NOW + timedelta(days=days))


def refused(town: Town, away: Away, login: str = "people.b1") -> list[str]:
    return [one.id for one in tell(town.desk, away, asks(town, login))]


def row(town: Town, login: str = "approver.s1") -> absences.AbsenceRow:
    [one] = absences.of_person(town.connection, login)
    return one


def changed(town: Town, away: Away, request: Request, seen: datetime | None) -> Refusal:
    return change(town.desk, row(town).id, away, seen, request)


def says(town: Town, login: str, first: date, last: date) -> None:
    """The person's own word, which is in no event."""
    people.add_absence(town.connection, people.Absence(login, first, last))


def test_who_looks_after_people_tells_an_absence_and_the_person_is_told_by_whom_and_why(staffed: Town):
    assert tell(staffed.desk, ILL, asks(staffed)) == ()

    told = row(staffed)
    assert (told.first, told.last, told.told_by, told.reason) == (MONDAY, FRIDAY, "people.b1", "电话请假")
    assert people.away(staffed.connection, MONDAY) == {"approver.s1"}
    event = next(one for one in staffed.events(REGISTRY) if one["kind"] == "account_changed")
    assert (event["actor"], event["data"]) == ("people.b1", {
        "login": "approver.s1", "away": {"from": "2024-04-22", "to": "2024-04-26"}, "why": "电话请假",
    })  # fmt: skip
    assert staffed.told()[-1][2:] == ("person/approver.s1", "absence")
    assert staffed.replayed().diverged == ()


def test_an_absence_lends_nobody_anything_and_takes_back_nothing_that_the_person_lent(staffed: Town):
    assert lend(staffed, "approver.s1", "spare.s1", "site_approver", "S1") == ()
    before = staffed.actor("spare.s1").delegated

    tell(staffed.desk, ILL, asks(staffed))
    changed(staffed, replace(ILL, reason="再请"), asks(staffed, days=1), row(staffed).told_at)
    end(staffed.desk, row(staffed).id, asks(staffed, days=1))

    assert staffed.actor("spare.s1").delegated == before
    assert [one.role for one in before] == ["site_approver"]


def test_an_absence_across_others_is_refused_with_the_days_of_each_and_who_told_it(staffed: Town):
    hire(staffed, "people.b2", "security_admin", "SX")
    tell(staffed.desk, ILL, asks(staffed, "people.b2"))
    says(staffed, "approver.s1", FRIDAY + timedelta(days=2), FRIDAY + timedelta(days=3))

    why = tell(staffed.desk, replace(ILL, reason=" ", last=FRIDAY + timedelta(days=9)), asks(staffed))

    assert [one.id for one in why] == ["X-05", "X-60", "X-60"]
    assert "2024-04-22至2024-04-26已登记不在岗（由people.b2登记）" in why[1].sentence.zh
    assert "2024-04-28至2024-04-29已登记不在岗（由approver.s1登记）" in why[2].sentence.zh
    event = staffed.events(REGISTRY)[-1]
    assert (event["kind"], event["data"]["failed"]) == ("refused", ["X-05", "X-60"])
    assert staffed.replayed().diverged == ()
    assert refused(staffed, replace(ILL, first=FRIDAY + timedelta(days=1), last=FRIDAY + timedelta(days=1))) == []


def test_who_looks_after_people_elsewhere_or_after_nobody_tells_nothing_and_nobody_their_own(staffed: Town):
    hire(staffed, "people.kf", "security_admin", "KF")
    for away, login in (
        (ILL, "people.kf"), (ILL, "operator.s1"), (replace(ILL, login="people.b1"), "people.b1"),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            tell(staffed.desk, away, asks(staffed, login))
    tell(staffed.desk, ILL, asks(staffed))
    told = row(staffed)
    with pytest.raises(NotAllowed):
        end(staffed.desk, told.id, asks(staffed, "people.kf"))
    with pytest.raises(NotAllowed):
        changed(staffed, ILL, asks(staffed, "operator.s1"), told.told_at)
    assert row(staffed) == told


def test_whose_account_is_closed_is_not_told_to_be_away(staffed: Town):
    disable(staffed.desk, "approver.s1", at=NOW, actor="people.b1")

    with pytest.raises(AccountClosed):
        tell(staffed.desk, ILL, asks(staffed))
    with pytest.raises(Unknown):
        tell(staffed.desk, replace(ILL, login="nobody"), asks(staffed))
    assert absences.of_person(staffed.connection, "approver.s1") == []


@pytest.mark.parametrize(
    ("first", "last"),
    [(FRIDAY, MONDAY), (TODAY - timedelta(days=9), TODAY - timedelta(days=1)), (MONDAY, date(2026, 1, 1)),
     (TODAY - timedelta(days=15), FRIDAY)],
)  # fmt: skip
def test_days_that_are_over_long_ago_in_the_wrong_order_or_years_ahead_are_no_absence(
    staffed: Town, first: date, last: date
):
    with pytest.raises(Unreadable):
        tell(staffed.desk, replace(ILL, first=first, last=last), asks(staffed))
    assert absences.of_person(staffed.connection, "approver.s1") == []


def test_an_absence_begins_two_weeks_ago_at_most_and_a_changed_one_no_earlier_than_it_did(staffed: Town):
    began = TODAY - timedelta(days=14)
    assert refused(staffed, replace(ILL, first=began)) == []

    later = asks(staffed, days=6)
    assert changed(staffed, replace(ILL, first=began, reason="住院"), later, row(staffed).told_at) == ()
    with pytest.raises(Unreadable):
        changed(staffed, replace(ILL, first=began - timedelta(days=1)), later, row(staffed).told_at)
    assert (row(staffed).first, row(staffed).reason) == (began, "住院")


@pytest.mark.parametrize("reason", ["假" * (LONGEST_REASON + 1), "请\x00假", "请\n假", normalize("NFD", "José请假")])
def test_a_reason_too_long_or_no_plain_line_is_refused_whole_and_never_cut(staffed: Town, reason: str):
    with pytest.raises(Unreadable):
        tell(staffed.desk, replace(ILL, reason=reason), asks(staffed))
    assert absences.of_person(staffed.connection, "approver.s1") == []
    assert refused(staffed, replace(ILL, reason="假" * LONGEST_REASON)) == []
    assert len(str(row(staffed).reason)) == LONGEST_REASON


def test_an_absence_is_changed_and_the_trail_says_what_it_was(staffed: Town):
    tell(staffed.desk, ILL, asks(staffed))
    longer = replace(ILL, last=FRIDAY + timedelta(days=3), reason="再请三天")

    assert changed(staffed, longer, asks(staffed, days=1), row(staffed).told_at) == ()

    assert (row(staffed).last, row(staffed).reason) == (longer.last, "再请三天")
    told = [one["data"] for one in staffed.events(REGISTRY) if one["kind"] == "account_changed"][-1]
    assert told["was"] == {"from": "2024-04-22", "to": "2024-04-26"}
    assert staffed.replayed().diverged == ()


def test_what_another_administrator_has_changed_meanwhile_is_not_overwritten(staffed: Town):
    hire(staffed, "people.b2", "security_admin", "SX")
    says(staffed, "approver.s1", MONDAY, FRIDAY)
    assert changed(staffed, replace(ILL, reason="住院"), asks(staffed), None) == ()
    seen = row(staffed).told_at
    changed(staffed, replace(ILL, reason="出院"), asks(staffed, "people.b2", days=1), seen)
    events = len(staffed.events(REGISTRY))

    with pytest.raises(AbsenceChanged) as problem:
        changed(staffed, replace(ILL, reason="转院"), asks(staffed, days=1), seen)
    with pytest.raises(AbsenceChanged):
        changed(staffed, replace(ILL, reason="转院"), asks(staffed, days=1), None)

    assert (problem.value.row.told_by, row(staffed).reason) == ("people.b2", "出院")
    assert len(staffed.events(REGISTRY)) == events


def test_the_person_who_is_back_ends_what_keeps_them_away_today_whoever_told_it_and_hears_nothing_of_it(staffed: Town):
    tell(staffed.desk, ILL, asks(staffed))

    assert end_now(staffed.desk, "approver.s1", asks(staffed, "approver.s1", days=3)) == 1

    assert absences.of_person(staffed.connection, "approver.s1") == []
    last = staffed.events(REGISTRY)[-1]
    assert (last["actor"], last["data"]["back"]) == ("approver.s1", {"from": "2024-04-22", "to": "2024-04-26"})
    assert [one[2] for one in staffed.told() if one[3] == "absence"] == ["person/approver.s1"], "not of the own act"
    assert staffed.replayed().diverged == ()


def test_to_be_back_leaves_what_is_over_and_what_is_still_to_come(staffed: Town):
    tell(staffed.desk, ILL, asks(staffed))
    says(staffed, "approver.s1", date(2024, 4, 28), date(2024, 4, 29))
    says(staffed, "approver.s1", date(2024, 5, 6), date(2024, 5, 7))
    tell(staffed.desk, replace(ILL, first=date(2024, 5, 20), last=date(2024, 5, 24)), asks(staffed))
    events, told = len(staffed.events(REGISTRY)), len(staffed.told())

    assert end_now(staffed.desk, "approver.s1", asks(staffed, "approver.s1", days=8)) == 1

    left = absences.of_person(staffed.connection, "approver.s1")
    assert [one.first for one in left] == [MONDAY, date(2024, 5, 6), date(2024, 5, 20)]
    assert not end(staffed.desk, left[0].id, asks(staffed, days=8)), "what is over is ended by nobody"
    assert (len(staffed.events(REGISTRY)), len(staffed.told())) == (events, told)
    assert end(staffed.desk, left[2].id, asks(staffed, "approver.s1", days=8)), "and what is to come by its number"


def test_what_is_over_is_not_changed_into_what_is_to_come(staffed: Town):
    tell(staffed.desk, ILL, asks(staffed))
    with pytest.raises(Unknown):
        changed(staffed, replace(ILL, last=date(2024, 5, 8)), asks(staffed, days=12), row(staffed).told_at)
    assert row(staffed).last == FRIDAY


def test_what_one_says_of_oneself_is_ended_without_an_event_and_by_another_with_one(staffed: Town):
    says(staffed, "approver.s1", TODAY, FRIDAY)
    before = len(staffed.events(REGISTRY))
    assert end_now(staffed.desk, "approver.s1", asks(staffed, "approver.s1")) == 1
    assert len(staffed.events(REGISTRY)) == before
    says(staffed, "approver.s1", MONDAY, FRIDAY)

    end(staffed.desk, row(staffed).id, asks(staffed))

    assert staffed.events(REGISTRY)[-1]["data"]["back"] == {"from": "2024-04-22", "to": "2024-04-26"}
    with pytest.raises(Unknown):
        end(staffed.desk, 1, asks(staffed))


def test_absences_at_units_are_read_page_by_page_without_those_over_or_of_closed_accounts(staffed: Town):
    for number in range(3):
        days = TODAY + timedelta(days=2 * number), TODAY + timedelta(days=2 * number)
        says(staffed, "approver.s1", *days)
        says(staffed, "spare.s1", *days)
    says(staffed, "operator.s1", TODAY, FRIDAY)
    disable(staffed.desk, "operator.s1", at=NOW, actor="people.b1")
    paths = [staffed.desk.units()["SX"].path]
    found: list[absences.AbsenceRow] = []
    after = ("", 0)

    while page := absences.at_units(staffed.connection, paths, TODAY + timedelta(days=1), after, 3):
        found += page
        after = (page[-1].first.isoformat(), page[-1].id)

    assert [(one.login, (one.first - TODAY).days) for one in found] == [
        ("approver.s1", 2), ("spare.s1", 2), ("approver.s1", 4), ("spare.s1", 4),
    ]  # fmt: skip
