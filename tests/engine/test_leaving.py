"""Somebody leaves: a role is ended, an account is closed, and what only that person could do goes to somebody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from console.access import sessions
from engine.delegating import hand_on, left_behind
from engine.errors import NotAllowed
from engine.organisation import disable, enable, end_role, give_role
from engine.store import access, delegations, registry
from engine.trail.event import REGISTRY, moment
from tests.engine.passing import hand, hire
from tests.engine.town import FIRST, NOW, Town

LATER = NOW + timedelta(days=1)


@pytest.fixture
def handed(town: Town) -> tuple[Town, int]:
    """An application that was handed over to one of two approvers, and somebody who looks after people."""
    hire(town, "new.s1", "site_approver")
    give_role(town.desk, "people.sx", "security_admin", "SX", at=NOW, actor="setup")
    town.advance(FIRST, "applied")
    case = town.record(FIRST)
    assert hand(town, case, "approver.s1", "new.s1") == ()
    return town, case


def test_a_role_that_is_ended_is_an_event_ends_the_sessions_and_can_be_given_again(town: Town):
    token = sessions.begin(town.connection, "approver.s1", NOW)

    assert end_role(town.desk, "approver.s1", "site_approver", "S1", at=NOW, actor="setup")
    assert not end_role(town.desk, "approver.s1", "site_approver", "S1", at=NOW, actor="setup"), "it is ended already"

    assert town.actor("approver.s1").grants == ()
    assert sessions.resume(town.connection, token, NOW) is None
    event = town.events(REGISTRY)[-1]
    assert (event["kind"], event["data"]["login"], event["data"]["held"]) == ("role_changed", "approver.s1", False)
    assert town.replayed().diverged == ()
    assert give_role(town.desk, "approver.s1", "site_approver", "S1", at=LATER, actor="setup")
    assert town.replayed().diverged == ()


def test_an_end_that_no_event_tells_of_is_found(town: Town):
    end_role(town.desk, "approver.s1", "site_approver", "S1", at=NOW, actor="setup")

    town.edit(("role_grant", "until"), None, login="approver.s1")

    assert town.replayed().diverged != ()


def test_closing_an_account_is_an_event_once_and_so_is_opening_it(town: Town):
    done = [act(town.desk, "approver.s1", at=NOW, actor="setup") for act in (disable, disable, enable, enable)]
    told = [one["data"] for one in town.events(REGISTRY) if one["kind"] == "account_changed"]

    assert done == [True, False, True, False]
    assert told == [{"login": "approver.s1", "disabled": one} for one in (True, False)]
    row = access.credential(town.connection, "approver.s1")
    assert row is not None
    assert not row.is_disabled
    assert town.replayed().diverged == ()


def test_an_account_opened_closed_or_let_in_again_past_the_engine_is_named(town: Town):
    def named() -> list[str]:
        return [one.why.partition(": ")[2] for one in town.replayed().diverged]

    access.disable(town.connection, "approver.s1", NOW)
    assert named() == ["account_closed approver.s1"]
    access.enable(town.connection, "approver.s1")
    disable(town.desk, "approver.s1", at=NOW, actor="setup")
    assert named() == []
    town.edit(("credential", "disabled_at"), None, login="approver.s1")
    assert named() == ["account_closed approver.s1"]
    enable(town.desk, "approver.s1", at=NOW, actor="setup")  # nobody kept the person out: nothing to tell
    town.edit(("credential", "disabled_at"), moment(NOW), login="approver.s1")

    town.edit(("account", "created_at"), moment(LATER), login="operator.s1")
    assert named() == ["account_opened operator.s1"]
    registry.add_account(town.connection, "nobody", moment(NOW))
    assert named() == ["account_opened nobody, account_opened operator.s1"]


def test_what_was_handed_over_to_somebody_who_leaves_is_handed_on(handed: tuple[Town, int]):
    town, case = handed
    assert left_behind(town.desk, "new.s1") == [(case, "site_approver")]

    assert hand_on(town.desk, "new.s1", "approver.s1", "调离", town.request("hand_over", "people.sx")) == {}

    assert left_behind(town.desk, "new.s1") == []
    assert delegations.handed_to(town.connection, case, "site_approver") == "approver.s1"
    event = town.events(case)[-1]
    assert (event["kind"], event["actor"], event["data"]["by"]) == ("handed_over", "people.sx", "new.s1")
    assert town.replayed().diverged == ()


def test_it_is_handed_on_whole_or_not_at_all_and_only_by_who_looks_after_people_there(handed: tuple[Town, int]):
    town, case = handed
    before = town.events(case)

    against = hand_on(town.desk, "new.s1", "approver.s2", "调离", town.request("hand_over", "people.sx"))
    assert [one.rule for one in against[case]] == ["hand-over-outside"]
    with pytest.raises(NotAllowed):
        hand_on(town.desk, "new.s1", "approver.s1", "调离", town.request("hand_over", "records.sx"))

    assert town.events(case) == before
    assert left_behind(town.desk, "new.s1") == [(case, "site_approver")]


def test_what_was_handed_over_comes_back_to_all_when_the_role_ends(handed: tuple[Town, int]):
    town, case = handed

    end_role(town.desk, "new.s1", "site_approver", "S1", at=NOW, actor="people.sx")

    assert delegations.handed_to(town.connection, case, "site_approver") is None
