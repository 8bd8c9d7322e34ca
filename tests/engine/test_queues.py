"""Queues (待办): what waits for whom, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from engine.delegating import Mandate, delegate, delegate_case, hand_over
from engine.library import Library
from engine.organisation import add_student_account, give_role
from engine.queues import Waiting, waiting_for
from engine.records import Json, Moved
from tests.engine.lab import CHECK, STATES, lending, loan, titled, with_loan
from tests.engine.town import ELSEWHERE, FIRST, NOW, OPEN_FIRST, SECOND, THIRD, Town, town_at


def queue(town: Town, login: str) -> tuple[Waiting, ...]:
    """What waits for a person about students; the audit rounds of the open university's batch wait beside it."""
    return tuple(one for one in waiting_for(town.desk, town.actor(login), NOW) if one.student_no is not None)


def students_in(town: Town, login: str) -> list[str | None]:
    """Who waits for a person's approval, in order; that a withdrawal could be entered too is no approval."""
    return [one.student_no for one in queue(town, login) if set(one.triggers) - {"withdraw"}]


def everybody(town: Town) -> list[str]:
    return [str(row[0]) for row in town.connection.execute("SELECT login FROM account ORDER BY login").fetchall()]


def test_nothing_waits_for_anybody_while_records_rest(town: Town):
    assert {login: queue(town, login) for login in everybody(town)} == dict.fromkeys(everybody(town), ())


def test_a_case_about_a_unit_waits_like_any_other(town: Town):
    [rounds] = waiting_for(town.desk, town.actor("province.kf"), NOW)
    assert (rounds.workflow, rounds.student_no, rounds.unit) == ("graduation-audit-rounds", None, "KF")
    assert rounds.triggers == ("start_round_2", "upload")
    assert waiting_for(town.desk, town.actor("records.sx"), NOW) == ()


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
    short = waiting_for(town.desk, town.actor("approver.s1"), NOW, limit=2)
    assert [one.student_no for one in short] == [SECOND, THIRD]


def test_every_case_of_a_queue_names_what_its_person_can_do_and_advances(town: Town):
    town.advance(OPEN_FIRST, "branch_approved")
    [waiting] = queue(town, "province.kf")
    assert set(waiting.triggers) == {"provincial_audit"}


# --- taken at another unit, by others' leave, by students ---------------------------------------

STATION: Mapping[str, object] = {"type": "unit site", "title": {"zh": "转入点", "en": "Target"}}
URGENT: Mapping[str, object] = {"type": "yes_no", "starts": "false", "title": {"zh": "急", "en": "Urgent"}}
TRANSFER = loan({
    "ask": {"from": "new", "to": "asked", "by": "site_operator", "accepts": ["station", "urgent"]},
    "accept": {"from": "asked", "to": "checked", "by": {"role": "site_approver", "at": "case.station"}},
    "hand_out": {"from": "checked", "to": "lent", "by": "site_approver", "applies": "case.urgent"},
    "hand_out_slowly": {"from": "checked", "to": "lent", "by": "site_operator", "applies": "not case.urgent"},
    "shelve": {"from": "checked", "to": "shelved", "by": "records_section"},
    "take_up": {"from": "shelved", "to": "checked", "by": {"role": "site_approver", "at": "case.station"}},
}, fields={"station": STATION, "urgent": URGENT})  # fmt: skip


@contextmanager
def transferring(url: str, library: Library, **fields: Json) -> Iterator[tuple[Town, int]]:
    """A transfer just asked for at S1, to S2 unless said otherwise."""
    with town_at(url, with_loan(library, TRANSFER)) as town:
        town.desk.publish(NOW, "setup")
        opened = town.open(("loan", "ask"), FIRST, "operator.s1", **{"station": "S2", **fields})
        assert isinstance(opened, Moved), opened
        yield town, opened.case.id


def tasks(town: Town, login: str, at: datetime = NOW) -> list[tuple[str, str | None, str | None]]:
    """What waits for a person: step, place to sign, and who lends the right."""
    waiting = (one for one in waiting_for(town.desk, town.actor(login), at) if one.student_no is not None)
    return [(task.trigger, task.slot, task.giver) for one in waiting for task in one.tasks]


def waited_for(town: Town) -> dict[str, list[str]]:
    """Everybody who has something to do, with the steps."""
    found = {login: [task[0] for task in tasks(town, login)] for login in everybody(town)}
    return {login: steps for login, steps in found.items() if steps}


def test_a_step_taken_at_the_unit_a_field_names_waits_there_and_not_at_the_cases_own(
    district_url: str, library: Library
):
    with transferring(district_url, library) as (town, case):
        assert waited_for(town) == {"approver.s2": ["accept"]}
        [waiting] = queue(town, "approver.s2")
        assert (waiting.case, waiting.unit, waiting.student_no) == (case, "S1", FIRST)
        assert isinstance(town.decided(case, "accept", "approver.s2"), Moved)
        assert "approver.s2" not in waited_for(town)


def test_what_waits_elsewhere_is_in_no_queue_while_the_case_rests_and_is_gone_when_it_ends(
    district_url: str, library: Library
):
    with transferring(district_url, library) as (town, case):
        town.decided(case, "accept", "approver.s2")
        town.decided(case, "shelve", "records.sx")
        rows = town.connection.execute("SELECT count(*) FROM waiting").fetchone()
        assert rows == (1,), "the place is known"
        assert waited_for(town) == {}, "and a case at rest is in nobody's queue"
        town.decided(case, "take_up", "approver.s2")
        town.decided(case, "hand_out_slowly", "operator.s1")
        assert waited_for(town) == {}
        assert town.connection.execute("SELECT count(*) FROM waiting").fetchone() == (0,)


@pytest.mark.parametrize(("step", "who"), [("hand_out", "approver.s1"), ("hand_out_slowly", "operator.s1")])
def test_a_step_that_does_not_apply_waits_for_nobody(district_url: str, library: Library, step: str, who: str):
    with transferring(district_url, library, urgent=step == "hand_out") as (town, case):
        town.decided(case, "accept", "approver.s2")
        mine = {
            login: steps for login, steps in waited_for(town).items() if not login.startswith(("records", "auditor"))
        }
        assert mine == {who: [step], "both.s1": [step]}


def test_a_state_may_name_whose_queue_it_is_in(district_url: str, library: Library):
    states = titled({**STATES, "asked": {"queue": ["records_section"]}})
    both = {"check": {"from": "asked", "to": "checked", "by": ["site_approver", "records_section"]}}
    with lending(district_url, library, loan(both, states=states)) as (town, case):
        assert set(waited_for(town)) == {"records.sx", "auditor.sx"}
        assert isinstance(town.decided(case, "check", "approver.s1"), Moved), "others may take it all the same"


WEEK = NOW + timedelta(days=7)


def deputise(town: Town, taker: str, giver: str = "approver.s1", case: int | None = None) -> None:
    """Lend the approver's role for a week, at the site or for one case."""
    give_role(town.desk, taker, "handler", "S2", at=NOW, actor="setup")
    mandate = Mandate(taker=taker, role="site_approver", reason="出差")
    request = town.request("delegate", giver)
    if case is None:
        assert delegate(town.desk, "S1", mandate, WEEK, request) == ()
    else:
        assert delegate_case(town.desk, case, mandate, WEEK, request) == ()


def test_what_is_lent_is_in_the_queue_marked_with_its_giver_until_it_runs_out(district_url: str, library: Library):
    with lending(district_url, library, loan(CHECK)) as (town, _):
        deputise(town, "deputy")
        assert tasks(town, "deputy") == [("check", None, "approver.s1")]
        assert queue(town, "deputy")[0].givers == ("approver.s1",)
        assert tasks(town, "deputy", WEEK) == [("check", None, "approver.s1")]
        assert tasks(town, "deputy", WEEK + timedelta(seconds=1)) == []
        assert tasks(town, "approver.s1") == [("check", None, None)], "and it still waits for the giver"


def test_what_is_lent_for_one_case_shows_that_case_alone(district_url: str, library: Library):
    with lending(district_url, library, loan(CHECK)) as (town, case):
        town.open(("loan", "ask"), SECOND, "operator.s1")
        deputise(town, "deputy", case=case)
        assert [one.case for one in queue(town, "deputy")] == [case]
        assert len(queue(town, "approver.s1")) == 2


def test_what_is_done_in_person_does_not_wait_for_a_deputy(district_url: str, library: Library):
    check = {"check": {"from": "asked", "to": "checked", "by": {"role": "site_approver", "in_person": True}}}
    with lending(district_url, library, loan(check)) as (town, _):
        deputise(town, "deputy")
        assert tasks(town, "deputy") == []
        assert tasks(town, "approver.s1") == [("check", None, None)]


def test_a_deputy_stands_back_where_the_giver_has_to(district_url: str, library: Library):
    with lending(district_url, library, loan(CHECK, distinct=[["ask", "check"]])) as (town, _):
        opened = town.open(("loan", "ask"), SECOND, "both.s1")
        assert isinstance(opened, Moved)
        deputise(town, "deputy", giver="both.s1")
        assert [one.student_no for one in queue(town, "deputy")] == [FIRST], "both.s1 has asked for the second"


def test_a_case_handed_over_waits_for_its_taker_alone(district_url: str, library: Library):
    with lending(district_url, library, loan(CHECK)) as (town, case):
        mandate = Mandate(taker="both.s1", role="site_approver", reason="回避")
        assert hand_over(town.desk, case, mandate, town.request("hand_over", "approver.s1")) == ()
        assert waited_for(town) == {"both.s1": ["check"]}


def test_a_student_sees_the_steps_of_the_own_cases_and_as_staff_never_decides_them(district_url: str, library: Library):
    steps = {**CHECK, "confirm": {"from": "checked", "to": "lent", "by": ["student", "site_approver"]}}
    with lending(district_url, library, loan(steps)) as (town, case):
        town.open(("loan", "ask"), SECOND, "operator.s1")
        add_student_account(town.desk, "first", FIRST, at=NOW, actor="setup")
        add_student_account(town.desk, "second", SECOND, at=NOW, actor="setup")
        give_role(town.desk, "first", "site_approver", "S1", at=NOW, actor="setup")
        assert [one.student_no for one in queue(town, "first")] == [SECOND], "the own case is checked by others"
        town.decided(case, "check", "approver.s1")
        own = {one.student_no: one for one in queue(town, "first")}[FIRST]
        assert (own.role, own.triggers) == ("student", ("confirm",))
        assert queue(town, "second") == ()


def test_who_holds_two_roles_sees_one_line_with_what_either_may_do(district_url: str, library: Library):
    steps = {**CHECK, "note": {"from": "asked", "to": "checked", "by": "site_operator"}}
    with lending(district_url, library, loan(steps)) as (town, case):
        [waiting] = queue(town, "both.s1")
        assert (waiting.case, waiting.triggers) == (case, ("check", "note"))
        assert [task.role for task in waiting.tasks] == ["site_approver", "site_operator"]
