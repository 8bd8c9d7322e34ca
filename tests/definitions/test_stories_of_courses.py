"""Registration of courses (课程注册), and entry and correction of results (成绩录入与更正)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.world import Told, World

COURSE, RESULT, TEACHING = "course-registration", "grade-entry-and-correction", "2024-1-teaching"
RULE: list[Mapping[str, Json]] = [
    {"programme": "R1", "course_id": "C1", "term": 2, "degree_course": False},
    {"programme": "R1", "course_id": "C2", "term": 1, "degree_course": False},
    {"programme": "R1", "course_id": "C3", "term": 2, "degree_course": True},
]
OFFERS: list[Mapping[str, Json]] = [
    {"programme": "R1", "course_id": "C2", "cohort": 2022, "term": "2023-2"},
    {"programme": "R1", "course_id": "C2", "cohort": 2023, "term": "2024-1"},
]
LATER: dict[str, Json] = {"term_no": 3, "takes_in": "2024-1"}
BEFORE_ENTRY = datetime(2024, 12, 29, 4, tzinfo=UTC)
ENTRY = datetime(2025, 1, 6, 4, tzinfo=UTC)
AFTER_ENTRY = datetime(2025, 1, 20, 4, tzinfo=UTC)


def studies(world: World) -> str:
    """A student of a programme whose rule and courses are known, who does not want the degree."""
    world.fills("programme_courses", RULE)
    world.fills("course_offers", OFFERS)
    return world.enrols(programme="R1", wants_degree=False)


def planned(world: World, student: str, course: str, term_no: int, by: str = "student") -> Told:
    return world.opens(COURSE, student, "plan", by, course_id=course, term_no=term_no)


def refused_to_plan(world: World, student: str, course: str, term_no: int) -> set[str]:
    return world.opening_refused(COURSE, student, "plan", "student", course_id=course, term_no=term_no)


def test_a_course_is_planned_and_registered_in_the_term_its_rule_prescribes(world_of: Furnish):
    world = world_of("open-university")
    case = planned(world, studies(world), "C1", 2)
    assert (case.state, case.field("takes_in"), case.due("D-38")) == ("planned", "2023-2", "2024-07-12 23:59:59")
    case.takes("register", "student")

    assert case.state == "registered"
    world.replays_clean()


def test_a_course_moved_later_is_taken_with_a_later_cohort_and_registered_then(world_of: Furnish):
    world = world_of("open-university")
    student = studies(world)
    case = planned(world, student, "C2", 1, "site_operator")

    assert case.refuses("move_later", "site_operator", term_no=3, takes_in="2024-2") == {"G-CR-07"}
    assert case.refuses("move_later", "site_operator", term_no=0, takes_in="2024-1") == {"G-CR-07"}
    assert case.takes("move_later", "site_operator", **LATER).state == "moved_to_later_term"
    assert case.due("D-38") == "2025-01-10 23:59:59"
    case.takes("register", "site_operator")
    assert case.state == "registered"
    case.takes("move_later", "student", term_no=4, takes_in="2024-1").takes("register", "student")

    assert (case.state, case.field("term_no")) == ("registered", 4)
    world.replays_clean()


def test_a_course_is_planned_only_if_the_rule_has_it_and_never_before_its_term(world_of: Furnish):
    world = world_of("open-university")
    student = studies(world)

    assert refused_to_plan(world, student, "C9", 1) == {"G-CR-02"}
    assert refused_to_plan(world, student, "C1", 1) == {"G-CR-07"}
    case = planned(world, student, "C1", 3)
    assert case.refuses("register", "student") == {"G-CR-01"}
    case.takes("drop", "student", reason="填错学期")
    planned(world, student, "C1", 2).takes("register", "student")
    world.replays_clean()


def test_a_degree_course_is_registered_by_those_who_want_the_degree(world_of: Furnish):
    world = world_of("open-university")
    student = studies(world)
    assert refused_to_plan(world, student, "C3", 2) == {"G-CR-04"}
    world.knows(student, wants_degree=True)
    case = planned(world, student, "C3", 2)
    world.knows(student, wants_degree=False)
    assert case.refuses("register", "student") == {"G-CR-04"}
    world.knows(student, wants_degree=True)
    case.takes("register", "student")
    world.replays_clean()


def test_no_course_is_registered_or_moved_while_a_change_of_status_is_open(world_of: Furnish):
    world = world_of("open-university")
    student = studies(world)
    case = planned(world, student, "C2", 1)
    dates: dict[str, Json] = {"leave_from": "2024-09-02", "leave_to": "2025-02-28"}
    leave = world.opens("leave-of-absence", student, "draft", "site_operator", cause="因病", **dates)

    assert case.refuses("register", "student") == {"G-CR-05"}
    assert case.refuses("move_later", "student", **LATER) == {"G-CR-05"}
    leave.takes("take_back", "student", reason="不再休学")
    case.takes("register", "student")
    world.replays_clean()


def test_a_course_is_registered_once_and_again_only_after_it_was_dropped(world_of: Furnish):
    world = world_of("open-university")
    student = studies(world)
    case = planned(world, student, "C1", 2).takes("register", "student")

    assert refused_to_plan(world, student, "C1", 2) == {"G-CR-06"}
    case.takes("drop", "student", reason="不修")
    assert case.state == "cancelled"
    assert planned(world, student, "C1", 2).state == "planned"
    world.replays_clean()


def test_an_examined_course_is_neither_moved_nor_dropped(world_of: Furnish):
    world = world_of("open-university")
    case = planned(world, studies(world), "C2", 1).takes("register", "student")
    case.takes("record_examination", "site_operator")

    assert case.refuses("move_later", "student", **LATER) == {"G-CR-08"}
    assert case.refuses("drop", "student", reason="不修") == {"G-CR-08"}
    assert case.state == "registered"
    world.replays_clean()


def test_a_planned_or_moved_course_is_dropped_with_a_reason(world_of: Furnish):
    world = world_of("open-university")
    student = studies(world)
    moved = planned(world, student, "C2", 1).takes("move_later", "student", **LATER)
    for case in (planned(world, student, "C1", 2), moved):
        assert case.refuses("drop", "student") == {"X-05"}
        assert case.takes("drop", "student", reason="不修").state == "cancelled"
    world.replays_clean()


def test_who_lacks_a_course_of_the_rule_does_not_apply_for_graduation(world_of: Furnish):
    world = world_of("open-university")
    world.publishes("2024-06")
    studies(world)
    student = world.ready(programme="R1", wants_degree=False)
    record = world.record(student)

    planned(world, student, "C1", 2).takes("register", "student")
    second = planned(world, student, "C2", 1)
    assert record.refuses("apply", "site_operator", batch="2024-06") == {"G-CR-03"}
    second.takes("register", "student")
    record.takes("apply", "site_operator", batch="2024-06")

    assert record.state == "applied"
    world.replays_clean()


def teaches(world: World) -> str:
    """A student at a branch whose results may be entered from 30 December to 15 January."""
    world.publishes(TEACHING, entry_opens_on="2024-12-30", entry_closes_at="2025-01-15 17:40")
    world.now = ENTRY
    return world.enrols()


def entered(world: World, student: str, result: str = "58") -> Told:
    return world.opens(RESULT, student, "enter", "teacher", batch=TEACHING, course_id="C1", result=result)


def closed(world: World, student: str) -> Told:
    """A result that was published in time, after the module is closed."""
    case = entered(world, student).takes("amend", "teacher", result="85").takes("publish", "records_officer")
    world.now = AFTER_ENTRY
    return case.takes("close_entry", "academic_affairs")


def test_a_result_is_entered_amended_published_and_closed(world_of: Furnish):
    world = world_of("vocational-branch")
    case = entered(world, teaches(world))
    assert case.due("D-29") == "2025-01-15 17:40:00"
    case.takes("amend", "teacher", result="85").takes("publish", "records_officer")
    assert case.refuses("close_entry", "academic_affairs") == {"G-MK-02"}
    world.now = AFTER_ENTRY
    case.takes("close_entry", "academic_affairs")

    assert (case.state, case.field("result")) == ("entry_closed", "85")
    world.replays_clean()


@pytest.mark.parametrize("moment", [BEFORE_ENTRY, AFTER_ENTRY], ids=["before", "after"])
def test_results_are_entered_amended_and_published_while_the_module_is_open(world_of: Furnish, moment: datetime):
    world = world_of("vocational-branch")
    student = teaches(world)
    case = entered(world, student)
    world.now = moment
    given = {"batch": TEACHING, "course_id": "C2", "result": "60"}

    assert world.opening_refused(RESULT, student, "enter", "teacher", **given) == {"G-MK-02"}
    assert case.refuses("amend", "teacher", result="85") == {"G-MK-02"}
    assert case.refuses("publish", "records_officer") == {"G-MK-02"}
    assert case.takes("remove", "teacher", reason="误录").state == "cancelled"
    world.replays_clean()


def test_a_result_not_published_in_time_is_published_by_academic_affairs_with_the_reason(world_of: Furnish):
    world = world_of("vocational-branch")
    case = entered(world, teaches(world))

    assert case.refuses("publish_late", "academic_affairs", reason="阅卷延误") == {"G-MK-02"}
    world.now = AFTER_ENTRY
    assert case.refuses("publish_late", "academic_affairs") == {"X-05"}
    case.takes("publish_late", "academic_affairs", reason="阅卷延误")

    assert case.state == "published"
    world.replays_clean()


def test_a_correction_is_asked_for_with_evidence_and_made_by_somebody_else(world_of: Furnish):
    world = world_of("vocational-branch")
    case = closed(world, teaches(world))

    assert case.refuses("request_correction", "teacher", proposed_result="85", reason="漏计一题") == {"G-MK-10"}
    case.takes("request_correction", "teacher", proposed_result="90", reason="漏计一题")
    assert case.refuses("correct", "academic_affairs") == {"X-10"}
    case.hands_in("E-SCORE", by="teacher")
    case.takes("correct", "academic_affairs")

    assert (case.state, case.field("former_result"), case.field("result")) == ("corrected", "85", "90")
    world.replays_clean()


def test_who_entered_a_result_does_not_publish_it_and_who_asks_for_a_correction_does_not_decide_it(world_of: Furnish):
    world = world_of("vocational-branch")
    world.gives("teacher@KB", "records_officer", "FB")
    world.gives("teacher2@KB", "academic_affairs", "U")
    case = entered(world, teaches(world))
    assert case.refuses("publish", "teacher@KB") == {"G-SG-08"}
    case.takes("publish", "records_officer")
    case.takes("request_correction", "teacher2", proposed_result="90", reason="漏计一题").hands_in(
        "E-SCORE", by="teacher"
    )

    assert case.refuses("correct", "teacher2@KB") == {"G-SG-08"}
    assert case.refuses("refuse", "teacher2@KB", reason="无误") == {"G-SG-08"}
    world.replays_clean()


def test_a_refused_correction_may_be_asked_for_again_as_a_case_of_its_own(world_of: Furnish):
    world = world_of("vocational-branch")
    student = teaches(world)
    again = {"batch": TEACHING, "course_id": "C1", "result": "85", "proposed_result": "90", "reason": "另有证据"}
    case = closed(world, student).takes("request_correction", "teacher", proposed_result="90", reason="漏计一题")
    case.takes("refuse", "academic_affairs", reason="成绩无误")
    assert case.state == "refused"

    other = world.opening_refused(RESULT, student, "request_again", "teacher", **{**again, "course_id": "C2"})
    assert other == {"G-MK-11"}
    second = world.opens(RESULT, student, "request_again", "teacher", **again)
    assert second.state == "correction_requested"
    second.hands_in("E-SCORE", by="teacher").takes("correct", "academic_affairs")

    assert (second.state, second.field("result")) == ("corrected", "90")
    world.replays_clean()


def test_a_correction_taken_back_leaves_the_result_as_it_was(world_of: Furnish):
    world = world_of("vocational-branch")
    case = closed(world, teaches(world)).takes("request_correction", "teacher", proposed_result="90", reason="漏计")

    case.takes("take_back", "teacher", reason="核对无误")

    assert (case.state, case.field("result"), case.field("proposed_result")) == ("entry_closed", "85", None)
    world.replays_clean()


def test_at_a_college_results_are_entered_in_a_rehearsal_the_same_way(world_of: Furnish):
    world = world_of("fulltime-college")
    case = entered(world, teaches(world))

    case.takes("publish", "records_officer")
    case.takes("request_correction", "teacher", proposed_result="90", reason="漏计一题")
    case.hands_in("E-SCORE", by="teacher").takes("correct", "academic_affairs")

    assert (case.state, case.field("result")) == ("corrected", "90")
    world.replays_clean()
