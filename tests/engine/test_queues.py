"""Queues (待办): what waits for whom, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from engine.queues import Waiting, waiting_for
from engine.records import Moved
from tests.engine.town import ELSEWHERE, FIRST, NOW, OPEN_FIRST, SECOND, THIRD, Town


def queue(town: Town, login: str) -> tuple[Waiting, ...]:
    return waiting_for(town.desk, town.actor(login))


def students_in(town: Town, login: str) -> list[str | None]:
    """Who waits for a person's approval, in order; that a withdrawal could be entered too is no approval."""
    return [one.student_no for one in queue(town, login) if set(one.triggers) - {"withdraw"}]


def everybody(town: Town) -> list[str]:
    return [str(row[0]) for row in town.connection.execute("SELECT login FROM account ORDER BY login").fetchall()]


def test_nothing_waits_for_anybody_while_records_rest(town: Town):
    assert {login: queue(town, login) for login in everybody(town)} == dict.fromkeys(everybody(town), ())


def test_a_case_waits_for_those_who_may_take_it_and_for_nobody_else(town: Town):
    town.advance(FIRST, "applied")
    case = town.case(FIRST)
    assert {login for login in everybody(town) if students_in(town, login)} == {"approver.s1", "both.s1"}
    [waiting] = queue(town, "approver.s1")
    assert (waiting.case, waiting.number, waiting.revision) == (case.id, case.number, case.revision)
    assert (waiting.state, waiting.unit, waiting.batch) == ("applied", "S1", "2024-06")
    assert (waiting.role, waiting.triggers) == ("site_approver", ("site_approve",))
    assert waiting.since == case.entered_at


def test_what_a_queue_offers_can_be_taken_as_it_is_offered(town: Town):
    for no in (FIRST, SECOND):
        town.advance(no, "applied")
    for waiting in queue(town, "approver.s1"):
        outcome = town.take(str(waiting.student_no), waiting.triggers[0], "approver.s1", seen=waiting.revision)
        assert isinstance(outcome, Moved)
    assert queue(town, "approver.s1") == ()
    assert students_in(town, "records.sx") == [FIRST, SECOND]


def test_the_longest_waiting_comes_first(town: Town):
    for no, hours in ((SECOND, 1), (THIRD, 2), (FIRST, 3)):
        town.take(no, "apply", "operator.s1", at=NOW + timedelta(hours=hours))
    assert students_in(town, "approver.s1") == [SECOND, THIRD, FIRST]


def test_a_mark_without_a_move_does_not_send_a_case_to_the_end_of_the_queue(town: Town):
    town.know(OPEN_FIRST, level="专升本")
    town.advance(OPEN_FIRST, "applied")
    since = town.case(OPEN_FIRST).entered_at
    town.take(OPEN_FIRST, "apply_degree", "operator.t1", at=NOW + timedelta(days=1))
    assert [one.since for one in queue(town, "approver.t1")] == [since]


def test_another_site_is_not_seen(town: Town):
    town.go(ELSEWHERE, (("apply", "operator.s2"),))
    assert students_in(town, "approver.s1") == []
    assert students_in(town, "approver.s2") == [ELSEWHERE]


def test_what_a_person_filed_does_not_wait_for_that_person(town: Town):
    """features.md 6, 1; G-SG-08."""
    town.go(FIRST, (("apply", "both.s1"),))
    town.go(SECOND, (("apply", "operator.s1"),))
    assert students_in(town, "both.s1") == [SECOND]
    assert students_in(town, "approver.s1") == [FIRST, SECOND]


def test_who_approved_for_the_branch_does_not_see_it_waiting_for_the_province(town: Town):
    town.advance(FIRST, "branch_approved")
    assert students_in(town, "records.sx") == []
    assert students_in(town, "auditor.sx") == [FIRST]


def test_nothing_waits_in_final_and_resting_states(town: Town):
    town.advance(FIRST, "registered")
    town.go(SECOND, (("suspend", "records.sx"),))
    town.go(THIRD, (("withdraw", "records.sx"),))
    assert [login for login in everybody(town) if queue(town, login)] == []


def test_a_case_that_came_back_waits_again(town: Town):
    town.advance(FIRST, "site_approved")
    assert students_in(town, "approver.s1") == []
    town.go(FIRST, (("branch_return", "records.sx"),))
    assert students_in(town, "approver.s1") == [FIRST]
    assert students_in(town, "auditor.sx") == []


def test_a_queue_can_be_cut_short_and_keeps_its_oldest(town: Town):
    for no, hours in ((SECOND, 1), (THIRD, 2), (FIRST, 3)):
        town.take(no, "apply", "operator.s1", at=NOW + timedelta(hours=hours))
    short = waiting_for(town.desk, town.actor("approver.s1"), limit=2)
    assert [one.student_no for one in short] == [SECOND, THIRD]


def test_every_case_of_a_queue_names_what_its_person_can_do_and_advances(town: Town):
    town.advance(OPEN_FIRST, "branch_approved")
    [waiting] = queue(town, "province.kf")
    assert set(waiting.triggers) == {"provincial_audit"}
