"""What a person may know of: the same filter for a list and for one case."""

from __future__ import annotations

from datetime import timedelta

from engine.actors import Actor, Grant
from engine.library import Library
from engine.organisation import add_student_account, give_role
from engine.records import Moved
from engine.store.cases import CASE_COLUMNS, case_from
from engine.visibility import scopes_of, visible_to
from tests.engine.lab import CHECK, lending, loan, with_loan
from tests.engine.passing import LOAN, WEEK, leave, lend, lend_case
from tests.engine.test_queues import transferring
from tests.engine.town import ELSEWHERE, FIRST, NOW, OPEN_FIRST, SECOND, Town, town_at

EVERY = f"SELECT {CASE_COLUMNS} FROM cases c"  # noqa: S608 constant text


def seen(town: Town, login: str, at=NOW) -> set[int]:
    """The cases in the list of a person, each of which the person may also open, and no other."""
    visible = visible_to(town.desk, town.actor(login), at)
    where, params = visible.where("c")
    rows = town.connection.execute(f"{EVERY} WHERE {where}", params).fetchall()
    listed = {int(row[0]) for row in rows}
    every = town.connection.execute(EVERY).fetchall()
    assert {case.id for case in map(case_from, every) if visible.sees(case)} == listed
    return listed


def records(town: Town, *numbers: str) -> set[int]:
    return {town.record(number) for number in numbers}


def test_a_site_sees_its_own_cases_and_not_those_of_another(town: Town):
    mine = seen(town, "operator.s1")
    assert records(town, FIRST, SECOND) <= mine
    assert not records(town, ELSEWHERE, OPEN_FIRST) & mine


def test_a_province_sees_everything_below_it_and_nothing_of_another_province(town: Town):
    mine = seen(town, "records.sx")
    assert records(town, FIRST, SECOND, ELSEWHERE) <= mine
    assert not records(town, OPEN_FIRST) & mine


def test_a_role_without_a_part_in_a_workflow_does_not_see_its_cases(district_url: str, library: Library):
    with lending(district_url, library, loan(CHECK)) as (town, case):
        assert case in seen(town, "approver.s1")
        give_role(town.desk, "keeper", "seal_keeper", "S1", at=NOW, actor="setup")
        assert case not in seen(town, "keeper")


def test_an_auditor_sees_every_workflow_at_or_below_the_unit(district_url: str, library: Library):
    with lending(district_url, library, loan(CHECK)) as (town, case):
        give_role(town.desk, "watch", "auditor", "SX", at=NOW, actor="setup")
        mine = seen(town, "watch")
        assert {case, *records(town, FIRST, ELSEWHERE)} <= mine
        assert not records(town, OPEN_FIRST) & mine


def test_who_administers_the_system_sees_no_case():
    grants = tuple(Grant(role=f"{one}_admin", unit="GK", path="/GK/") for one in ("system", "security", "audit"))
    assert scopes_of(Actor(login="root", grants=grants), {"site_operator": ("loan",)}, NOW) == ()


def test_who_has_no_right_sees_an_empty_list(town: Town):
    give_role(town.desk, "nobody", "handler", "S2", at=NOW, actor="setup")
    town.connection.execute("UPDATE role_grant SET until = since WHERE login = 'nobody'")
    assert seen(town, "nobody") == set()


def test_a_student_sees_the_own_cases_alone(town: Town):
    add_student_account(town.desk, "first", FIRST, at=NOW, actor="setup")
    student = town.student(FIRST).id
    rows = town.connection.execute("SELECT id FROM cases WHERE student = ?", (student,)).fetchall()
    assert seen(town, "first") == {int(row[0]) for row in rows} >= records(town, FIRST)


def test_what_is_lent_is_seen_until_it_runs_out(district_url: str, library: Library):
    with lending(district_url, library, loan(CHECK)) as (town, case):
        give_role(town.desk, "deputy", "handler", "S2", at=NOW, actor="setup")
        before = seen(town, "deputy")
        assert lend(town, "approver.s1", "deputy", "site_approver", "S1") == ()
        assert seen(town, "deputy") == seen(town, "approver.s1") | before
        assert case in seen(town, "deputy", WEEK)
        assert seen(town, "deputy", WEEK + timedelta(seconds=1)) == before


def test_what_is_lent_for_one_case_is_seen_alone(district_url: str, library: Library):
    with lending(district_url, library, loan(CHECK)) as (town, case):
        give_role(town.desk, "deputy", "handler", "S2", at=NOW, actor="setup")
        before = seen(town, "deputy")
        assert lend_case(town, case, "approver.s1", "deputy", "site_approver") == ()
        assert seen(town, "deputy") == before | {case}


def test_a_signature_left_by_a_student_shows_that_case_alone(district_url: str, library: Library):
    with lending(district_url, library, LOAN) as (town, case):
        add_student_account(town.desk, "first", FIRST, at=NOW, actor="setup")
        give_role(town.desk, "clerk", "handler", "S1", at=NOW, actor="setup")
        before = seen(town, "clerk")
        town.decided(case, "check", "approver.s1")
        assert leave(town, case, "first", "clerk") == ()
        assert seen(town, "clerk") == before | {case}


def test_a_case_is_seen_at_the_unit_it_waits_at_as_long_as_it_waits(district_url: str, library: Library):
    with transferring(district_url, library) as (town, case):
        assert case in seen(town, "approver.s2")
        assert case not in seen(town, "operator.s2")
        assert isinstance(town.decided(case, "accept", "approver.s2"), Moved)
        assert town.decided(case, "hand_out_slowly", "operator.s1")
        assert case not in seen(town, "approver.s2")


def test_what_this_desk_publishes_counts_at_once(town: Town, library: Library):
    assert "loan" not in town.desk.workflows_by_role()["site_approver"]
    with town_at(town.url, with_loan(library, loan(CHECK))) as later:
        assert "loan" in later.desk.workflows_by_role()["site_approver"]
        later.desk.publish(NOW, "setup")
    town.desk.as_of(10_000)
    assert "loan" in town.desk.workflows_by_role()["site_approver"]
