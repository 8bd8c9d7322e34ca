"""What becomes of a retained status, and of a student who repeats, moves down or skips a year, to each end."""

from __future__ import annotations

import pytest

from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.status_acts import (
    DECISION,
    NEXT_TERM,
    faculty_confirms,
    last_change,
    records_approve,
    suspended,
)
from tests.definitions.world import Told, World

RETENTION: dict[str, Json] = {"cause": "参军", "retained_from": "2024-04-01", "retained_to": "2024-08-31"}
END: dict[str, Json] = {"end_decided_on": "2024-09-04", "end_document_no": "学字2024-19"}
REPEAT: dict[str, Json] = {"change_code": "02", "new_grade": 2023, "grounds": "五门不及格"}
PLACED = ["fulltime-university", "fulltime-vocational", "fulltime-college", "vocational-branch"]


def submitted(world: World, student: str) -> Told:
    case = world.opens("status-retention", student, "draft", "class_teacher", **RETENTION)
    return case.takes("submit", "student", change_reason="34")


def retained(world: World, student: str) -> Told:
    return records_approve(faculty_confirms(submitted(world, student)))


def expired(world: World, student: str) -> Told:
    """A retention whose end is past, as the clock of the registry finds it."""
    case = retained(world, student)
    assert case.due("retention-ends") == "2024-08-31 23:59:59"
    world.now = NEXT_TERM
    return case.takes("expire", "timer")


def test_a_retention_over_waits_for_the_resumption_that_ends_it(world_of: Furnish):
    world = world_of("fulltime-university")
    student = world.enrols()
    case = expired(world, student)
    assert case.state == "expired"

    back = world.opens("resumption-of-study", student, "draft", "class_teacher", resume_from="2024-09-09")
    back.hands_in("F-53", by="class_teacher").takes("submit", "class_teacher")
    records_approve(faculty_confirms(back))

    assert (case.state, world.record(student).state) == ("resumed", "enrolled")
    world.replays_clean()


def test_a_retention_over_and_not_resumed_ends_in_a_decision_to_deregister(world_of: Furnish):
    world = world_of("fulltime-university")
    student = world.enrols()
    case = expired(world, student)

    assert case.refuses("end_record", "academic_affairs") == {"X-05"}
    case.takes("end_record", "academic_affairs", **END)

    [ending] = world.cases_of(student, "record-deregistration")
    assert (case.state, ending.state) == ("not_resumed", "decided")
    assert (ending.field("cause"), ending.field("change_code")) == ("record_cancelled", "18")
    assert ending.field("decided_on") == END["end_decided_on"]
    assert world.record(student).state == "suspended"
    world.replays_clean()


def test_no_record_that_is_back_on_roll_is_ended_for_a_retention(world_of: Furnish):
    world = world_of("fulltime-university")
    student = world.enrols()
    case = expired(world, student)
    world.record(student).takes("resume", "records_section", **DECISION)

    assert "G-SC-08" in case.refuses("end_record", "academic_affairs", **END)
    case.takes("resume", "records_section")
    assert case.state == "resumed"
    world.replays_clean()


def test_a_retention_is_returned_rejected_or_taken_back(world_of: Furnish):
    world = world_of("fulltime-university")
    first, second = world.enrols(), world.enrols()

    case = submitted(world, first).takes("send_back", "class_teacher", reason="缺入伍通知")
    faculty_confirms(case.takes("submit", "class_teacher", change_reason="34"))
    faculty_confirms(case.takes("return", "records_section", reason="印章不清"))
    case.signs("approve", "records", "records_section", yes=False, reason="不符合条件")
    back = submitted(world, second).takes("take_back", "class_teacher", reason="未入伍")

    assert (case.state, back.state) == ("rejected", "cancelled")
    assert world.record(first).state == "enrolled"
    world.replays_clean()


def test_a_retention_ends_after_it_begins(world_of: Furnish):
    world = world_of("fulltime-university")
    backwards = {**RETENTION, "retained_to": "2024-03-01"}
    case = world.opens("status-retention", world.enrols(), "draft", "class_teacher", **backwards)

    assert case.refuses("submit", "class_teacher", change_reason="34") == {"G-SC-15"}
    case.takes("submit", "class_teacher", change_reason="34", retained_to=RETENTION["retained_to"])
    assert case.state == "submitted"


@pytest.mark.parametrize("profile", ["fulltime-vocational", "fulltime-college"])
def test_every_school_retains_a_status_in_the_same_way(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = world.enrols()

    assert retained(world, student).state == "approved"
    assert world.record(student).state == "suspended"
    world.replays_clean()


def proposed(world: World, student: str) -> Told:
    return world.opens("year-placement-change", student, "propose", "records_officer", **REPEAT)


@pytest.mark.parametrize("profile", PLACED)
def test_a_student_who_repeats_a_year_is_annotated_once_in_the_next_academic_year(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = world.enrols()

    case = proposed(world, student)
    case.takes("decide", "academic_affairs", **DECISION)
    assert case.refuses("annotate", "records_section") == {"G-SC-18"}
    world.now = NEXT_TERM
    case.takes("annotate", "records_section")

    assert case.state == "annotated"
    case.bars("annotate", "records_section")
    assert world.fact(student, "grade") == REPEAT["new_grade"]
    assert last_change(world, student) == ("02", DECISION["decided_on"], DECISION["document_no"])
    world.replays_clean()


def test_a_decision_taken_elsewhere_is_recorded_and_annotated(world_of: Furnish):
    world = world_of("fulltime-university")
    student = world.enrols(grade=2023)
    moved_down: dict[str, Json] = {"change_code": "03", "new_grade": 2024, **DECISION}

    case = world.opens("year-placement-change", student, "record_decided", "academic_affairs", **moved_down)
    world.now = NEXT_TERM
    case.takes("annotate", "records_section")

    assert (case.state, world.fact(student, "grade")) == ("annotated", 2024)
    world.replays_clean()


@pytest.mark.parametrize(("decided_on", "due"), [("2024-03-01", "2024-10-02"), ("2024-09-18", "2025-10-08")])
def test_a_placement_is_annotated_within_a_month_of_the_next_academic_year(
    world_of: Furnish, decided_on: str, due: str
):
    world = world_of("fulltime-university")
    case = proposed(world, world.enrols())

    case.takes("decide", "academic_affairs", decided_on=decided_on, document_no="学字2024-7")

    assert case.due("D-09") == f"{due} 23:59:59"


def test_a_placement_is_rejected_taken_back_or_revoked_with_a_reason(world_of: Furnish):
    world = world_of("fulltime-university")
    rejected, back, revoked = (proposed(world, world.enrols()) for _ in range(3))
    revoked.takes("decide", "academic_affairs", **DECISION)

    assert rejected.refuses("reject", "academic_affairs") == {"X-05"}
    rejected.takes("reject", "academic_affairs", reason="补考已过")
    back.takes("take_back", "records_officer", reason="成绩有误")
    revoked.takes("revoke", "academic_affairs", reason="成绩有误")

    assert (rejected.state, back.state, revoked.state) == ("rejected", "cancelled", "cancelled")
    world.replays_clean()


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"change_code": "11"}, "G-SC-16"),
        ({"new_grade": 2021}, "G-SC-17"),
        ({"new_grade": 2022}, "G-SC-17"),
        ({"change_code": "03", "new_grade": 2021}, "G-SC-17"),
        ({"change_code": "04", "new_grade": 2023}, "G-SC-17"),
    ],
)
def test_a_placement_moves_the_year_as_its_category_says(world_of: Furnish, said: dict[str, Json], refused: str):
    world = world_of("fulltime-university")
    student = world.enrols()
    start = ("year-placement-change", student, "propose", "records_officer")

    assert world.opening_refused(*start, **{**REPEAT, **said}) == {refused}
    assert world.opens(*start, **{**REPEAT, "change_code": "04", "new_grade": 2021}).state == "proposed"


def test_a_placement_is_for_somebody_on_roll_and_taken_by_three_people(world_of: Furnish):
    world = world_of("fulltime-university")
    away, student = world.enrols(), world.enrols()
    suspended(world, away)
    for role in ("academic_affairs", "records_section"):
        world.gives("records_officer@F1", role, "U")
    assert world.opening_refused("year-placement-change", away, "propose", "records_officer", **REPEAT) == {"G-SC-06"}

    case = proposed(world, student)
    assert case.refuses("decide", "records_officer", **DECISION) == {"G-SG-08"}
    case.takes("decide", "academic_affairs", **DECISION)
    world.now = NEXT_TERM
    assert case.refuses("annotate", "records_officer") == {"G-SG-08"}
    assert case.takes("annotate", "records_section").state == "annotated"
    world.replays_clean()
