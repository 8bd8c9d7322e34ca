"""Absences that somebody else tells: by whom, with whom standing in, what the person hears, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from engine.absences import Away, change, end, end_own, tell
from engine.errors import NotAllowed, Unknown, Unreadable
from engine.organisation import disable, give_role
from engine.records import Request
from engine.store import absences, people
from engine.trail.event import REGISTRY
from tests.engine.passing import hire, lend
from tests.engine.town import NOW, Town

MONDAY, FRIDAY = date(2024, 4, 22), date(2024, 4, 26)
ILL = Away(login="approver.s1", first=MONDAY, last=FRIDAY, reason="电话请假", stand_in="spare.s1")


@pytest.fixture
def staffed(town: Town) -> Town:
    """Somebody who looks after the people of the branch, and a colleague who could stand in at its site."""
    hire(town, "people.b1", "security_admin", "SX")
    hire(town, "spare.s1", "site_operator")
    return town


def asks(town: Town, login: str = "people.b1", days: int = 0) -> Request:
    return Request(trigger="absence", actor=town.actor(login), at=NOW + timedelta(days=days))


def refused(town: Town, away: Away, login: str = "people.b1") -> list[str]:
    return [one.id for one in tell(town.desk, away, asks(town, login))]


def lent_to(town: Town, login: str) -> list[tuple[str | None, str]]:
    return [(one.giver, one.role) for one in town.actor(login).delegated]


def row(town: Town, login: str = "approver.s1") -> absences.AbsenceRow:
    [one] = absences.of_person(town.connection, login)
    return one


def test_who_looks_after_people_tells_an_absence_and_the_person_is_told_by_whom_and_why(staffed: Town):
    assert tell(staffed.desk, ILL, asks(staffed)) == ()

    told = row(staffed)
    assert (told.first, told.last, told.told_by, told.reason) == (MONDAY, FRIDAY, "people.b1", "电话请假")
    assert people.away(staffed.connection, MONDAY) == {"approver.s1"}
    event = next(one for one in staffed.events(REGISTRY) if one["kind"] == "account_changed")
    assert (event["actor"], event["data"]) == ("people.b1", {
        "login": "approver.s1", "away": {"from": "2024-04-22", "to": "2024-04-26"},
        "stand_in": "spare.s1", "roles": ["site_approver"], "why": "电话请假",
    })  # fmt: skip
    assert [one[2:] for one in staffed.told()][-2:] == [
        ("person/approver.s1", "absence"), ("person/spare.s1", "delegated"),
    ]  # fmt: skip
    assert staffed.replayed().diverged == ()


def test_who_stands_in_has_the_persons_roles_on_these_days_and_on_no_others(staffed: Town):
    tell(staffed.desk, ILL, asks(staffed))

    [right] = staffed.actor("spare.s1").delegated
    assert (right.giver, right.role, right.unit) == ("approver.s1", "site_approver", "S1")
    assert (right.since, right.until) == ("2024-04-21T16:00:00.000000Z", "2024-04-26T15:59:59.000000Z")


def test_nobody_makes_themselves_the_stand_in_of_whom_they_tell_to_be_away(staffed: Town):
    assert refused(staffed, replace(ILL, stand_in="people.b1")) == ["X-33"]
    assert refused(staffed, replace(ILL, stand_in="approver.s1")) == ["X-33"]
    assert (lent_to(staffed, "people.b1"), absences.of_person(staffed.connection, "approver.s1")) == ([], [])


def test_a_stand_in_who_may_not_hold_the_role_is_away_too_or_works_elsewhere_is_refused(staffed: Town):
    for login, role in (("system.sx", "system_admin"), ("audit.sx", "audit_admin")):
        hire(staffed, login, role, "SX")
    machine = replace(ILL, login="system.sx", stand_in="audit.sx")
    assert refused(staffed, machine) == ["X-52"]

    people.add_absence(staffed.connection, people.Absence("spare.s1", FRIDAY, FRIDAY))
    assert refused(staffed, ILL) == ["X-62"]
    hire(staffed, "closed.s1", "site_operator")
    disable(staffed.desk, "closed.s1", at=NOW, actor="people.b1")
    assert refused(staffed, replace(ILL, stand_in="closed.s1")) == ["X-61"]
    give_role(staffed.desk, "far.t1", "site_operator", "T1", at=NOW, actor="setup")
    assert refused(staffed, replace(ILL, stand_in="far.t1")) == ["X-61"]
    assert refused(staffed, replace(ILL, stand_in="nobody")) == ["X-36"]
    assert absences.of_person(staffed.connection, "approver.s1") == []


def test_a_refusal_names_every_reason_once_and_stands_in_the_trail(staffed: Town):
    tell(staffed.desk, replace(ILL, stand_in=None), asks(staffed))
    hire(staffed, "approver.s1", "site_operator")  # two roles, and each reason is said once

    said = refused(staffed, replace(ILL, reason=" ", stand_in="people.b1"))

    assert sorted(said) == ["X-05", "X-33", "X-60"]
    event = staffed.events(REGISTRY)[-1]
    assert (event["kind"], event["data"]["failed"]) == ("refused", ["X-05", "X-33", "X-60"])
    assert staffed.replayed().diverged == ()


def test_an_auditors_role_stays_with_the_auditor_who_is_away(staffed: Town):
    hire(staffed, "audits.sx", "auditor", "SX")

    assert refused(staffed, replace(ILL, login="audits.sx")) == ["X-63"]
    assert refused(staffed, replace(ILL, login="audits.sx", stand_in=None)) == []


def test_who_looks_after_people_elsewhere_or_after_nobody_tells_nothing_and_nobody_their_own(staffed: Town):
    hire(staffed, "people.kf", "security_admin", "KF")
    for away, login in (
        (ILL, "people.kf"), (ILL, "operator.s1"), (replace(ILL, login="people.b1"), "people.b1"),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            tell(staffed.desk, away, asks(staffed, login))
    tell(staffed.desk, ILL, asks(staffed))
    number = row(staffed).id
    with pytest.raises(NotAllowed):
        end(staffed.desk, number, asks(staffed, "people.kf"))
    with pytest.raises(NotAllowed):
        change(staffed.desk, number, ILL, asks(staffed, "operator.s1"))
    assert row(staffed).last == FRIDAY


@pytest.mark.parametrize(("first", "last"), [(FRIDAY, MONDAY), (date(2024, 4, 1), date(2024, 4, 19)),
                                             (MONDAY, date(2026, 1, 1))])  # fmt: skip
def test_days_that_are_over_in_the_wrong_order_or_years_ahead_are_no_absence(staffed: Town, first: date, last: date):
    with pytest.raises(Unreadable):
        tell(staffed.desk, replace(ILL, first=first, last=last), asks(staffed))
    assert absences.of_person(staffed.connection, "approver.s1") == []


def test_an_absence_is_changed_and_what_was_lent_for_it_goes_to_who_stands_in_now(staffed: Town):
    tell(staffed.desk, ILL, asks(staffed))
    hire(staffed, "other.s1", "site_operator")
    longer = replace(ILL, last=FRIDAY + timedelta(days=3), stand_in="other.s1", reason="再请三天")

    assert change(staffed.desk, row(staffed).id, longer, asks(staffed, days=1)) == ()

    assert (row(staffed).last, row(staffed).reason) == (longer.last, "再请三天")
    assert (lent_to(staffed, "spare.s1"), lent_to(staffed, "other.s1")) == ([], [("approver.s1", "site_approver")])
    told = [one["data"] for one in staffed.events(REGISTRY) if one["kind"] == "account_changed"][-1]
    assert told["was"] == {"from": "2024-04-22", "to": "2024-04-26"}
    assert staffed.replayed().diverged == ()


def test_a_change_that_is_refused_leaves_who_stands_in_as_it_was(staffed: Town):
    tell(staffed.desk, ILL, asks(staffed))

    said = change(staffed.desk, row(staffed).id, replace(ILL, stand_in="people.b1"), asks(staffed))

    assert [one.id for one in said] == ["X-33"]
    assert lent_to(staffed, "spare.s1") == [("approver.s1", "site_approver")]
    assert row(staffed).stand_in == "spare.s1"


def test_the_person_ends_what_somebody_else_told_and_nobody_stands_in_any_more(staffed: Town):
    tell(staffed.desk, ILL, asks(staffed))

    end_own(staffed.desk, asks(staffed, "approver.s1", days=2))

    assert absences.of_person(staffed.connection, "approver.s1") == []
    assert lent_to(staffed, "spare.s1") == []
    kinds = [(one["kind"], one["actor"]) for one in staffed.events(REGISTRY)][-2:]
    assert kinds == [("delegation_revoked", "approver.s1"), ("account_changed", "approver.s1")]
    assert [one[2] for one in staffed.told() if one[3] == "absence"] == ["person/approver.s1"], "not of the own act"
    assert staffed.replayed().diverged == ()


def test_what_one_says_of_oneself_is_ended_without_an_event_and_by_another_with_one(staffed: Town):
    for _ in range(2):
        people.add_absence(staffed.connection, people.Absence("approver.s1", MONDAY, FRIDAY))
    before = len(staffed.events(REGISTRY))
    end_own(staffed.desk, asks(staffed, "approver.s1"))
    assert len(staffed.events(REGISTRY)) == before
    people.add_absence(staffed.connection, people.Absence("approver.s1", MONDAY, FRIDAY))

    end(staffed.desk, row(staffed).id, asks(staffed))

    assert staffed.events(REGISTRY)[-1]["data"]["back"] == {"from": "2024-04-22", "to": "2024-04-26"}
    with pytest.raises(Unknown):
        end(staffed.desk, 1, asks(staffed))


def test_what_the_person_lends_others_outlasts_the_absence(staffed: Town):
    hire(staffed, "own.s1", "site_operator")
    assert lend(staffed, "approver.s1", "own.s1", "site_approver", "S1") == ()
    tell(staffed.desk, ILL, asks(staffed))

    end(staffed.desk, row(staffed).id, asks(staffed, days=1))

    assert lent_to(staffed, "own.s1") == [("approver.s1", "site_approver")]
