"""A unit moves under another: who sees what below it, what deadlines read, and what the trail makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from engine.errors import Misplaced, Unknown, Unreadable
from engine.library import Library
from engine.looking_back import as_it_stood
from engine.moving_units import move_unit, rearranged
from engine.organisation import give_role, rename_unit
from engine.records import Moved
from engine.store.waiting import places_of
from engine.trail.event import REGISTRY
from engine.visibility import visible_to
from tests.engine.lab import loan, opened, working
from tests.engine.test_unit_facts import READS_THE_BRANCH, due, for_anybody, meets
from tests.engine.town import FIRST, NOW, Town


def move(town: Town, code: str, under: str, at: datetime = NOW) -> list[str]:
    asked = replace(town.request("unit_move", "setup-admin"), at=at)
    return [one.en for one in move_unit(town.desk, code, under, asked).against]


def sees(town: Town, login: str) -> bool:
    return visible_to(town.desk, town.actor(login), NOW).sees(town.case(FIRST))


@pytest.fixture
def peopled(town: Town) -> Town:
    """A town with somebody at each of two branches, and somebody who looks after people."""
    for login, unit in (("branch.b1", "B1"), ("branch.b2", "B2")):
        give_role(town.desk, login, "branch_approver", unit, at=NOW, actor="setup")
    give_role(town.desk, "setup-admin", "security_admin", "SX", at=NOW, actor="setup")
    return town


def test_a_preview_names_who_gains_and_who_loses_sight_and_changes_nothing(peopled: Town):
    before = peopled.events(REGISTRY)

    meant = rearranged(peopled.desk, "S1", "B2", NOW)

    assert [one.login for one in meant.lose] == ["branch.b1"]
    assert [one.login for one in meant.gain] == ["branch.b2"]
    assert (meant.units, meant.was, meant.against) == (1, "B1", ())
    assert meant.cases >= 3
    assert peopled.events(REGISTRY) == before


def test_after_a_move_exactly_those_see_whom_the_preview_named(peopled: Town):
    assert (sees(peopled, "branch.b1"), sees(peopled, "branch.b2"), sees(peopled, "records.sx")) == (True, False, True)

    assert move(peopled, "S1", "B2") == []

    assert peopled.case(FIRST).path == peopled.desk.units()["S1"].path == "/GK/SX/B2/S1/"
    assert (sees(peopled, "branch.b1"), sees(peopled, "branch.b2"), sees(peopled, "records.sx")) == (False, True, True)
    event = peopled.events(REGISTRY)[-1]
    assert (event["kind"], event["data"]["parent"], event["data"]["was"]) == ("unit_changed", "B2", "B1")
    assert peopled.replayed().diverged == ()


def test_a_case_moves_on_after_its_unit_has_moved_and_is_seen_where_it_was_then(peopled: Town):
    peopled.advance(FIRST, "applied")
    assert move(peopled, "S1", "B2", NOW + timedelta(hours=1)) == []

    assert isinstance(peopled.take(FIRST, "site_approve", "approver.s1", at=NOW + timedelta(hours=2)), Moved)

    with as_it_stood(peopled.desk, FIRST, peopled.case(FIRST).number, NOW) as past:
        assert past.desk.units()["S1"].path == "/GK/SX/B1/S1/"
    assert peopled.replayed().diverged == ()


def test_a_renamed_unit_is_called_by_the_name_of_then_wherever_then_is_looked_at(peopled: Town):
    later = NOW + timedelta(hours=1)
    assert rename_unit(peopled.desk, "S1", " 新桥教学点 ", at=later, actor="setup-admin")
    assert not rename_unit(peopled.desk, "S1", "新桥教学点", at=later, actor="setup-admin")
    assert move(peopled, "S1", "B2", later + timedelta(hours=1)) == []

    event = next(one for one in reversed(peopled.events(REGISTRY)) if "name_was" in one["data"])
    assert (event["kind"], event["data"]["name"], event["data"]["name_was"]) == ("unit_changed", "新桥教学点", "S1")
    assert [peopled.desk.unit_named("S1", at) for at in (NOW, later)] == ["S1", "新桥教学点"]
    with as_it_stood(peopled.desk, FIRST, peopled.case(FIRST).number, NOW) as past:
        assert past.desk.units()["S1"].name == "S1"
    assert peopled.replayed().diverged == ()
    with peopled.connection.writing():
        peopled.connection.execute("UPDATE unit SET name = 'S1' WHERE code = 'S1'")
    assert [one.why.partition(": ")[2] for one in peopled.replayed().diverged] == ["unit S1"]


@pytest.mark.parametrize("name", ["", "  ", "新桥\n教学点", "新桥\u200b教学点", "点" * 61])
def test_a_name_that_nobody_could_read_or_type_again_is_no_name_of_a_unit(town: Town, name: str):
    with pytest.raises(Unreadable):
        rename_unit(town.desk, "S1", name, at=NOW, actor="setup")
    assert town.desk.units()["S1"].name == "S1"


def test_deadlines_that_read_the_unit_above_follow_a_move(district_url: str, library: Library):
    with working(district_url, for_anybody(library), [READS_THE_BRANCH]) as town:
        give_role(town.desk, "setup-admin", "security_admin", "SX", at=NOW, actor="setup")
        case = opened(town, "loan")
        assert isinstance(town.decided(case, "check", "operator.s1"), Moved)
        meets(town, "B1", "2024-05-20")
        meets(town, "B2", "2024-05-27")

        assert move(town, "S1", "B2") == []

        assert due(town, case) == "2024-05-27T15:59:59.000000Z"
        event = town.events(case)[-1]
        assert (event["kind"], event["cause"]["chain"]) == ("deadline_moved", "registry")
        assert town.replayed().diverged == ()


def test_what_waits_at_the_unit_above_waits_at_the_new_one(district_url: str, library: Library):
    at_branch = loan({"check": {"by": {"role": "branch_approver", "at": "branch"}, "from": "asked", "to": "checked"}})
    with working(district_url, library, [at_branch]) as town:
        give_role(town.desk, "setup-admin", "security_admin", "SX", at=NOW, actor="setup")
        case = opened(town, "loan")
        assert places_of(town.connection, case) == [("branch_approver", "/GK/SX/B1/")]

        assert move(town, "S1", "B2") == []

        assert places_of(town.connection, case) == [("branch_approver", "/GK/SX/B2/")]


def test_a_unit_does_not_move_where_it_cannot_stand_or_would_work_otherwise(peopled: Town):
    before = peopled.desk.units()["S1"]
    assert move(peopled, "S1", "C1")[0].startswith("It would work by open-university")
    assert move(peopled, "S1", "B1") == ["It stands under 'B1' already."]
    with pytest.raises(Misplaced):
        move(peopled, "S1", "S2")
    with pytest.raises(Unknown):
        move(peopled, "S1", "B9")
    assert peopled.desk.units()["S1"] == replace(before)
