"""Who can act on a case in a role: the nearest holders, less those away or barred, and those who act for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from engine.definition import Definition
from engine.library import Library
from engine.records import Case, Moved
from engine.trail.event import chain_name
from notifications.people import Found, Roll, why
from tests.engine.lab import CHECK, lending, loan, opened, working
from tests.engine.town import FIRST, NOW, SECOND, Town
from tests.notifications.lending import address, away, grant, hand, lend, lend_case, own_account, people_for, shanghai

MAY = shanghai("2024-05-13 09:00")


@contextmanager
def asked_for(url: str, library: Library, definition: Definition | None = None) -> Iterator[tuple[Town, Case]]:
    """A town, and a loan that waits for the approvers of S1: approver.s1 and both.s1."""
    with lending(url, library, definition or loan(CHECK)) as (town, case):
        yield town, town.by_id(case)


def logins(found: Found) -> list[str]:
    return [one.key.removeprefix("person/") for one in found.people]


def approvers(town: Town, case: Case) -> list[str]:
    return logins(people_for(town, town.by_id(case.id), "site_approver", MAY))


def test_those_who_hold_the_role_at_the_cases_unit_can_act(district_url: str, library: Library):
    with asked_for(district_url, library) as (town, case):
        found = people_for(town, case, "site_approver", MAY)

        assert (logins(found), found.unit, found.absent) == (["approver.s1", "both.s1"], "S1", ())


def test_a_role_nobody_holds_at_the_unit_is_looked_for_above_it(district_url: str, library: Library):
    with asked_for(district_url, library) as (town, case):
        found = people_for(town, case, "records_section", MAY)

        assert (logins(found), found.unit) == (["auditor.sx", "records.sx"], "SX")
        assert people_for(town, case, "class_teacher", MAY) == Found()


def test_the_nearest_holders_hide_those_further_up(district_url: str, library: Library):
    with asked_for(district_url, library) as (town, case):
        grant(town, "above", "handler", "B1")
        assert people_for(town, case, "handler", MAY).unit == "B1"

        grant(town, "near", "handler", "S1")

        assert logins(people_for(town, case, "handler", MAY)) == ["near"]


def test_what_a_unit_does_is_told_to_those_below_it_who_alone_hold_the_role(town: Town):
    [row] = town.connection.execute("SELECT id FROM cases WHERE workflow = 'graduation-audit-rounds'").fetchall()
    rounds = town.by_id(int(row[0]))

    assert (rounds.unit, rounds.student) == ("KF", None)
    assert logins(people_for(town, rounds, "site_operator", MAY)) == ["operator.t1"]
    assert people_for(town, town.case(FIRST), "class_teacher", MAY) == Found(), "but not in a student's case"


def test_whoever_is_away_is_left_out_from_the_first_day_to_the_last(district_url: str, library: Library):
    with asked_for(district_url, library) as (town, case):
        away(town, "approver.s1", "2024-05-13", "2024-05-14")
        by_day = {
            day: logins(people_for(town, case, "site_approver", shanghai(f"2024-05-{day} 00:00")))
            for day in (12, 13, 14, 15)
        }

        assert by_day == {12: ["approver.s1", "both.s1"], 13: ["both.s1"], 14: ["both.s1"], 15: by_day[12]}
        assert people_for(town, case, "site_approver", MAY).absent == ("approver.s1",)


def test_somebody_who_is_away_is_stood_in_for_by_whom_the_role_was_lent_to(district_url: str, library: Library):
    with asked_for(district_url, library) as (town, case):
        grant(town, "deputy", "site_head", "S1")
        lend(town, "approver.s1", "deputy", "site_approver")
        assert approvers(town, case) == ["approver.s1", "both.s1"], "who is there does it"

        away(town, "approver.s1", "2024-05-01", "2024-05-31")
        found = people_for(town, case, "site_approver", MAY)

        assert (logins(found), found.stand_ins) == (["both.s1", "deputy"], frozenset({"person/deputy"}))


def test_whoever_holds_the_role_too_stands_in_for_nobody(district_url: str, library: Library):
    with asked_for(district_url, library) as (town, case):
        lend(town, "approver.s1", "both.s1", "site_approver")
        away(town, "approver.s1", "2024-05-01", "2024-05-31")
        found = people_for(town, case, "site_approver", MAY)

        assert (logins(found), found.stand_ins) == (["both.s1"], frozenset())


def test_what_was_lent_until_yesterday_is_lent_no_more(district_url: str, library: Library):
    with asked_for(district_url, library) as (town, case):
        grant(town, "deputy", "site_head", "S1")
        lend(town, "approver.s1", "deputy", "site_approver", days=10)
        away(town, "approver.s1", "2024-04-01", "2024-05-31")

        before = people_for(town, case, "site_approver", NOW + timedelta(days=10))
        after = people_for(town, case, "site_approver", NOW + timedelta(days=10, seconds=1))

        assert (logins(before), logins(after)) == (["both.s1", "deputy"], ["both.s1"])


def test_a_stand_in_who_is_away_too_stands_in_for_nobody(district_url: str, library: Library):
    with asked_for(district_url, library) as (town, case):
        grant(town, "deputy", "site_head", "S1")
        lend(town, "approver.s1", "deputy", "site_approver")
        away(town, "approver.s1", "2024-05-01", "2024-05-31")
        away(town, "deputy", "2024-05-13", "2024-05-13")

        assert approvers(town, case) == ["both.s1"]


def test_a_case_that_is_lent_is_its_givers_and_its_takers(district_url: str, library: Library):
    with asked_for(district_url, library) as (town, case):
        grant(town, "deputy", "site_head", "S1")
        other = town.by_id(opened(town, "loan", SECOND))
        lend_case(town, case.id, "approver.s1", "deputy", "site_approver")

        assert approvers(town, case) == ["approver.s1", "both.s1", "deputy"]
        assert approvers(town, other) == ["approver.s1", "both.s1"]


def test_a_case_that_was_handed_over_is_its_takers_alone(district_url: str, library: Library):
    with asked_for(district_url, library) as (town, case):
        hand(town, case.id, "approver.s1", "both.s1", "site_approver")
        assert approvers(town, case) == ["both.s1"]

        away(town, "both.s1", "2024-05-13", "2024-05-13")

        assert approvers(town, case) == []


def test_nobody_is_told_as_staff_of_their_own_case(district_url: str, library: Library):
    with asked_for(district_url, library) as (town, case):
        own_account(town, "approver.s1", FIRST)

        assert approvers(town, case) == ["both.s1"]
        assert logins(people_for(town, case, "student", MAY)) == ["approver.s1"]


def test_whoever_took_a_step_that_is_kept_apart_is_left_out(district_url: str, library: Library):
    apart = loan(CHECK, distinct=[["ask", "check"]])
    with working(district_url, library, [apart]) as town:
        outcome = town.open(("loan", "ask"), FIRST, "both.s1")
        assert isinstance(outcome, Moved)
        case = outcome.case
        assert approvers(town, case) == ["approver.s1"]

        grant(town, "deputy", "site_head", "S1")
        lend(town, "both.s1", "deputy", "site_approver")
        away(town, "both.s1", "2024-05-01", "2024-05-31")

        assert approvers(town, case) == ["approver.s1"], "nor does anybody in that person's right"


def test_a_student_is_found_by_the_own_account_else_by_the_chain(district_url: str, library: Library):
    with asked_for(district_url, library) as (town, case):
        student = town.student(FIRST)
        town.know(FIRST, email="zhao@example.org")
        [before] = people_for(town, case, "student", MAY).people
        own_account(town, "zhao", FIRST)
        [linked] = people_for(town, case, "student", MAY).people
        with town.connection.writing():
            town.connection.execute("UPDATE account SET email = 'own@example.org', name = '赵𠮷' WHERE login = 'zhao'")
        [own] = people_for(town, case, "student", MAY).people

        assert before.key == chain_name(-student.id)
        assert FIRST not in before.key
        assert (before.address, before.name) == ("zhao@example.org", "测试")
        assert (linked.key, linked.address) == ("person/zhao", "zhao@example.org")
        assert (own.address, own.name) == ("own@example.org", "赵𠮷")


SIGNED = {
    "sign": {
        "slots": {"first": "site_approver", "second": "site_approver", "above": {"role": "records_section"}},
        "order": "sequence",
    }
}


def test_a_signature_is_asked_of_those_whose_turn_it_is_and_who_have_not_signed(district_url: str, library: Library):
    signed = loan({"check": {"from": "asked", "to": "checked", **SIGNED}})
    with asked_for(district_url, library, signed) as (town, case):
        above = people_for(town, case, "records_section", MAY)
        assert approvers(town, case) == ["approver.s1", "both.s1"]
        assert above.is_idle, "it is not their turn"

        town.decided(case.id, "check", "approver.s1")
        assert approvers(town, case) == ["both.s1"]

        town.decided(case.id, "check", "both.s1")
        assert people_for(town, town.by_id(case.id), "site_approver", MAY).is_idle
        assert not people_for(town, town.by_id(case.id), "records_section", MAY).is_idle


def test_a_step_done_elsewhere_is_its_holders_there(district_url: str, library: Library):
    at_branch = loan({"check": {"from": "asked", "to": "checked", "by": {"role": "branch_approver", "at": "province"}}})
    with asked_for(district_url, library, at_branch) as (town, case):
        grant(town, "branch.b1", "branch_approver", "B1")

        assert people_for(town, case, "branch_approver", MAY).people == (), "they do it at the province"


def test_what_people_can_do_is_theirs_to_read(district_url: str, library: Library):
    with asked_for(district_url, library) as (town, case):
        roll = Roll(town.desk, MAY)

        assert [one.zh for one in roll.todo(case, "person/approver.s1")] == ["check"]
        assert roll.todo(case, "person/operator.s1") == ()


def test_the_reason_names_the_role_and_the_unit_in_both_languages(town: Town):
    operator = why(town.desk, "site_approver", "S1", stands_in=False)

    assert operator.zh.startswith("您是S1的")
    assert operator.en.startswith("your role at S1 is ")
    assert "委派" in why(town.desk, "site_approver", "S1", stands_in=True).zh
    assert why(town.desk, "student", None, stands_in=False).zh == "这是您本人的业务"


@pytest.mark.parametrize("count", [2, 5])
def test_a_role_is_read_once_however_many_cases_there_are(sqlite_district: str, library: Library, count: int):
    numbers = (FIRST, SECOND, "2022030000003", "2022030000004")
    with working(sqlite_district, library, [loan(CHECK, unique="never")]) as town:
        address(town, "approver.s1")
        cases = [town.by_id(opened(town, "loan", number)) for number in numbers for _ in range(count)]
        said: list[str] = []
        town.connection.raw.set_trace_callback(said.append)
        roll = Roll(town.desk, MAY)
        roll.expect(cases)
        found = [roll.find(case, role) for case in cases for role in ("site_approver", "student", "records_section")]
        town.connection.raw.set_trace_callback(None)

    assert len(found) == 12 * count
    assert len(said) < 16
