"""Warnings, record decisions and sanctions (学籍预警, 学籍处理, 处分), from start to each end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.errors import AlreadyOpen, Unreadable
from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.status_acts import DECISION, NEXT_TERM, withdrawn
from tests.definitions.world import Told, World

TEACHING: dict[str, Json] = {"batch": "2024-1-teaching"}
REPEATS: dict[str, Json] = {"opinion": "repeat", "new_grade": 2023, **DECISION}


def make_up_reported(world: World) -> Told:
    """The make-up examination of the faculty, with the one course of it assessed and its results reported."""
    [case] = [one for one in world.cases("make-up-examination") if one.case.unit == "FB"]
    said: dict[str, Json] = {
        "course_id": "00001", "course_name": "高等数学", "course_kind": "assessment", "students_counted": 1,
    }  # fmt: skip
    course = world.opens("make-up-examination.course", "FB", "list", "records_officer", **TEACHING, **said)
    case.takes("export_failed", "records_officer", courses_stated=1)
    course.takes("deliver", "records_officer", delivered_on="2024-04-22").takes("tell", "records_officer")
    course.takes("assess", "records_officer")
    case.takes("find_papers", "records_officer")
    case.signs("file_plan", "officer", "records_officer").signs("file_plan", "seal", "seal_keeper")
    case.signs("order_print", "officer", "records_officer").signs("order_print", "head", "academic_section_head")
    case.takes("announce", "records_officer").takes("pack", "records_officer")
    case.takes("hold", "records_officer", held_on="2024-04-22").takes("mark", "records_officer", one_room=True)
    return case.hands_in("F-67", "F-62", by="records_officer").takes("report", "records_officer")


def computed(world: World, student: str, **said: Json) -> Told:
    return world.opens("academic-warning", student, "compute", "records_officer", **TEACHING, **said)


def test_a_warning_is_computed_after_the_make_up_issued_and_acknowledged(world_of: Furnish):
    world = world_of("vocational-branch")
    world.publishes("2024-1-teaching")
    student = world.enrols(courses_failed=2)
    start = ("academic-warning", student, "compute", "records_officer")
    assert world.opening_refused(*start, **TEACHING) == {"G-WN-06"}
    make_up_reported(world)

    case = computed(world, student, issue_by="2024-05-10")
    assert case.due("D-30") == "2024-05-10 23:59:59"
    assert case.refuses("issue", "records_officer") == {"X-05"}
    case.takes("issue", "records_officer", notice="两门不及格")
    case.takes("acknowledge", "student")

    assert case.state == "acknowledged"
    with pytest.raises(AlreadyOpen):
        world.tries_to_open(*start, **TEACHING)
    world.replays_clean()


def test_a_warning_needs_two_failed_courses_and_can_be_lifted(world_of: Furnish):
    world = world_of("vocational-branch")
    world.publishes("2024-1-teaching")
    make_up_reported(world)
    fine, warned, issued = (world.enrols(courses_failed=failed) for failed in (1, 2, 3))
    assert world.opening_refused("academic-warning", fine, "compute", "records_officer", **TEACHING) == {"G-WN-02"}

    case, told = computed(world, warned), computed(world, issued)
    world.knows(warned, courses_failed=1)
    assert case.refuses("issue", "records_officer", notice="两门不及格") == {"G-WN-02"}
    case.takes("lift", "records_officer", reason="成绩更正")
    told.takes("issue", "records_officer", notice="三门不及格").takes("lift", "records_officer", reason="成绩更正")

    assert (case.state, told.state) == ("cancelled", "cancelled")
    world.replays_clean()


def listed(world: World, student: str) -> Told:
    return world.opens("academic-record-decision", student, "list", "records_officer")


def sent(world: World) -> Told:
    """The list of the branch, sent to the academic affairs office."""
    [branch_list] = world.cases("academic-record-decision.branch_list")
    return branch_list.takes("send", "records_officer")


def announced(world: World, student: str, **said: Json) -> Told:
    case = listed(world, student)
    sent(world)
    return case.hands_in("E-RESULTS", by="records_officer").takes("announce", "academic_affairs", **said)


def test_a_student_with_four_failed_courses_repeats_the_year_by_decision(world_of: Furnish):
    world = world_of("vocational-branch")
    student = world.enrols(courses_failed=4)

    case = listed(world, student)
    [branch_list] = world.cases("academic-record-decision.branch_list")
    assert branch_list.state == "open"
    case.hands_in("E-RESULTS", by="records_officer")
    assert case.refuses("announce", "academic_affairs", **REPEATS) == {"G-WN-04"}
    branch_list.takes("send", "records_officer")
    case.takes("announce", "academic_affairs", **REPEATS)
    case.takes("execute", "records_section")

    [placement] = world.cases_of(student, "year-placement-change")
    assert (case.state, placement.state) == ("executed", "decided")
    assert (placement.field("change_code"), placement.field("new_grade")) == ("02", 2023)
    assert placement.field("document_no") == DECISION["document_no"]
    world.now = NEXT_TERM
    placement.takes("annotate", "records_section2")
    assert world.fact(student, "grade") == 2023
    world.replays_clean()


@pytest.mark.parametrize(
    ("said", "opens", "field", "value"),
    [
        ({"opinion": "move_down", "new_grade": 2023}, "year-placement-change", "change_code", "03"),
        ({"opinion": "withdraw"}, "record-deregistration", "cause", "academic"),
    ],
)
def test_an_opinion_opens_the_procedure_that_carries_it_out(
    world_of: Furnish, said: dict[str, Json], opens: str, field: str, value: str
):
    world = world_of("vocational-branch")
    student = world.enrols(courses_failed=5)
    case = announced(world, student, **said, **DECISION).takes("execute", "records_section")

    [opened] = world.cases_of(student, opens)
    assert (case.state, opened.state, opened.field(field)) == ("executed", "decided", value)
    assert world.record(student).state == "enrolled"
    world.replays_clean()


def test_an_opinion_that_changes_nothing_opens_nothing(world_of: Furnish):
    world = world_of("vocational-branch")
    student = world.enrols(courses_failed=4)
    case = announced(world, student, opinion="no_change", **DECISION).takes("execute", "records_section")

    assert case.state == "executed"
    assert not world.cases_of(student, "year-placement-change")
    assert not world.cases_of(student, "record-deregistration")
    world.replays_clean()


def test_an_opinion_is_reconsidered_and_a_student_taken_off_the_list(world_of: Furnish):
    world = world_of("vocational-branch")
    first, second = world.enrols(courses_failed=4), world.enrols(courses_failed=4)
    off = listed(world, second).takes("take_off", "records_officer", reason="成绩更正")
    case = announced(world, first, **REPEATS)

    case.takes("reconsider", "academic_affairs", reason="申诉").takes("announce", "academic_affairs", **REPEATS)
    case.takes("reconsider", "academic_affairs", reason="申诉").takes("announce", "academic_affairs", **REPEATS)
    assert case.refuses("reconsider", "academic_affairs", reason="申诉") == {"X-01"}

    assert (case.state, off.state) == ("opinion_announced", "cancelled")
    world.replays_clean()


def test_a_decision_needs_four_failures_evidence_and_the_year_it_speaks_of(world_of: Furnish):
    world = world_of("vocational-branch")
    fine, student = world.enrols(courses_failed=3), world.enrols(courses_failed=4)
    assert world.opening_refused("academic-record-decision", fine, "list", "records_officer") == {"G-WN-01"}

    case = listed(world, student)
    sent(world)
    assert case.refuses("announce", "academic_affairs", **REPEATS) == {"X-10"}
    case.hands_in("E-RESULTS", by="records_officer")
    assert case.refuses("announce", "academic_affairs", opinion="repeat", **DECISION) == {"G-WN-03"}
    assert case.refuses("announce", "academic_affairs", opinion="repeat", new_grade=2023) == {"X-05"}
    assert case.takes("announce", "academic_affairs", **REPEATS).state == "opinion_announced"
    world.replays_clean()


def test_list_opinion_and_execution_of_a_decision_are_three_people_s(world_of: Furnish):
    world = world_of("vocational-branch")
    for role in ("academic_affairs", "records_section"):
        world.gives("records_officer@FB", role, "U")
    world.gives("academic_affairs@U", "records_section", "U")
    case = listed(world, world.enrols(courses_failed=4)).hands_in("E-RESULTS", by="records_officer")
    sent(world)

    assert case.refuses("announce", "records_officer", **REPEATS) == {"G-SG-08"}
    case.takes("announce", "academic_affairs", **REPEATS)
    assert case.refuses("execute", "records_officer") == {"G-SG-08"}
    assert case.refuses("execute", "academic_affairs") == {"G-SG-08"}
    assert case.takes("execute", "records_section").state == "executed"
    world.replays_clean()


def test_the_list_of_the_branch_names_everybody_by_student_number(world_of: Furnish):
    world = world_of("vocational-branch")
    first, second = world.enrols(courses_failed=4), world.enrols(courses_failed=5)
    listed(world, second)
    listed(world, first)

    made = sent(world).made("F-68")

    assert [row[0] for row in made] == [first, second]
    world.replays_clean()


def test_the_list_of_the_branch_opens_with_the_first_term_of_an_academic_year_only(world_of: Furnish):
    world = world_of("vocational-branch")
    world.starts_term("2024-1", NEXT_TERM)
    opened = world.cases("academic-record-decision.branch_list")
    student = world.enrols(courses_failed=4)
    case = listed(world, student)

    assert {one.case.unit for one in opened} == {"F1", "F2", "FB"}
    assert {one.state for one in opened} == {"open"}
    [mine] = [one for one in opened if one.case.unit == "FB"]
    assert mine.due("D-31") == "2024-10-02 23:59:59"
    assert [row[0] for row in mine.takes("send", "records_officer").made("F-68")] == [student]
    world.starts_term("2024-2", datetime(2025, 2, 20, tzinfo=UTC))
    assert len(world.cases("academic-record-decision.branch_list")) == len(opened)
    assert case.state == "listed"
    world.replays_clean()


SCHOOLS = ["generic", "fulltime-university", "fulltime-vocational", "fulltime-college", "vocational-branch"]


def proposed(world: World, student: str, sanction: str = "warning") -> Told:
    return world.opens("disciplinary-sanction", student, "propose", "counsellor", sanction=sanction, facts_found="旷课")


@pytest.mark.parametrize("profile", SCHOOLS)
def test_a_sanction_is_proposed_decided_and_recorded(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = world.enrols()

    case = proposed(world, student)
    assert case.refuses("decide", "academic_affairs") == {"X-05"}
    case.takes("decide", "academic_affairs", **DECISION)
    case.takes("record", "records_section")

    assert (case.state, world.record(student).state) == ("recorded", "enrolled")
    assert not world.cases_of(student, "record-deregistration")
    world.replays_clean()


def test_an_ordered_withdrawal_ends_the_record_only_with_its_deregistration(world_of: Furnish):
    world = world_of("generic")
    student = world.enrols()
    proposed(world, student, "ordered_withdrawal").takes("decide", "academic_affairs", **DECISION).takes(
        "record", "records_section"
    )

    [ending] = world.cases_of(student, "record-deregistration")
    assert (ending.state, ending.field("cause")) == ("decided", "ordered")
    assert world.record(student).state == "enrolled"
    ending.hands_in("E-DECISION", by="records_section").takes("deregister", "records_section")
    record = world.record(student)
    assert (record.state, record.field("reason_code")) == ("withdrawn", "ordered")
    world.replays_clean()


def test_a_sanction_is_rejected_taken_back_or_revoked(world_of: Furnish):
    world = world_of("generic")
    rejected, back, revoked = (proposed(world, world.enrols()) for _ in range(3))
    revoked.takes("decide", "academic_affairs", **DECISION)

    assert revoked.refuses("revoke", "academic_affairs") == {"X-05"}
    rejected.takes("reject", "academic_affairs", reason="事实不清")
    back.takes("take_back", "counsellor", reason="已请假")
    revoked.takes("revoke", "academic_affairs", reason="申诉成立")

    assert (rejected.state, back.state, revoked.state) == ("rejected", "cancelled", "cancelled")
    world.replays_clean()


def test_a_sanction_is_one_of_the_list_and_for_a_record_that_has_not_ended(world_of: Furnish):
    world = world_of("generic")
    student, gone = world.enrols(), world.enrols()
    withdrawn(world, gone)
    start = ("disciplinary-sanction", student, "propose", "counsellor")

    with pytest.raises(Unreadable):
        world.tries_to_open(*start, sanction="detention", facts_found="旷课")
    refused = world.opening_refused("disciplinary-sanction", gone, *start[2:], sanction="warning", facts_found="旷课")
    assert refused == {"G-SC-09"}
    assert not world.cases_of(student, "disciplinary-sanction")


def test_proposal_decision_and_record_of_a_sanction_are_three_people_s(world_of: Furnish):
    world = world_of("generic")
    for role in ("academic_affairs", "records_section"):
        world.gives("counsellor@K1", role, "U")
    world.gives("academic_affairs@U", "records_section", "U")
    case = proposed(world, world.enrols())

    assert case.refuses("decide", "counsellor", **DECISION) == {"G-SG-08"}
    case.takes("decide", "academic_affairs", **DECISION)
    assert case.refuses("record", "counsellor") == {"G-SG-08"}
    assert case.refuses("record", "academic_affairs") == {"G-SG-08"}
    assert case.takes("record", "records_section").state == "recorded"
    world.replays_clean()
