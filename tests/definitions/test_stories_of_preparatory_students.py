"""Preparatory students (预科, W-06): filed with the province and registered, or not qualified."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.enrolment_acts import (
    admits,
    case_of,
    checked,
    intake_of,
    list_issued,
    publishes_intake,
    register,
)
from tests.definitions.world import Told, World

PREPARATORY, REGISTRATION = "preparatory-transition", "freshman-record-registration"
RECHECK, FILING = "admission-qualification-recheck", "preparatory-transition.filing"
TRANSFER = datetime(2025, 9, 10, 4, tzinfo=UTC)
"""In the autumn after the preparatory year."""
TOO_LATE = datetime(2026, 1, 5, 4, tzinfo=UTC)
FILED: dict[str, Json] = {"filed_on": "2025-09-12", "filing_no": "备2025-3"}


@pytest.fixture
def world(world_of: Furnish) -> World:
    world = world_of("fulltime-university")
    publishes_intake(world)
    return world


def preparatory(world: World) -> tuple[str, Told]:
    """A student registered as preparatory a year ago; the number and the case."""
    student, _ = register(world, level="预科", admitted_level="预科", education_type="预科")
    case = world.opens(PREPARATORY, student, "register_preparatory", "records_section")
    return student, case


def requirements_met(world: World) -> tuple[str, Told]:
    """A preparatory student who may go on with the freshmen of the next year."""
    student, case = preparatory(world)
    following = publishes_intake(world, 2025)
    world.now = TRANSFER
    case.takes("assess_ok", "academic_affairs", target_level="本科", assessment="合格", batch=following)
    return student, case


def list_sealed(world: World) -> Told:
    listed = world.opens(FILING, "U", "compile", "records_section", batch=intake_of(world.profile, 2025))
    return listed.signs("seal_list", "office_head", "academic_affairs_head").signs("seal_list", "seal", "seal_keeper@U")


def freshman_again(world: World, student: str) -> Told:
    """The student on the list of freshmen of the year of transfer, re-checked with them."""
    batch = intake_of(world.profile, 2025)
    world.opens(RECHECK, student, "start", "admissions", batch=batch).takes("clear", "admissions", reason="档案一致")
    return world.opens(REGISTRATION, student, "issue_list", "records_section", batch=batch)


def test_a_preparatory_student_is_filed_with_the_province_and_then_registered_with_the_freshmen_of_that_year(
    world: World,
):
    student, case = preparatory(world)
    assert (case.state, world.fact(student, "level"), world.record(student).state) == (
        "preparatory",
        "预科",
        "enrolled",
    )
    following = publishes_intake(world, 2025)
    world.now = TRANSFER
    case.takes("assess_ok", "academic_affairs", target_level="本科", assessment="合格", batch=following)
    assert case.state == "requirements_met"
    assert case.due("D-12") == "2025-12-31 23:59:59"

    listed = world.opens(FILING, "U", "compile", "records_section", batch=following)
    assert listed.state == "compiled"
    listed.signs("seal_list", "office_head", "academic_affairs_head").signs("seal_list", "seal", "seal_keeper@U")
    assert listed.state == "sealed"
    again = freshman_again(world, student)
    assert again.refuses("register", "records_section", registered_level="本科") == {"G-AD-08"}
    listed.takes("file", "records_section", **FILED)
    assert (listed.state, case.state, case.field("filing_no")) == ("filed", "filed", FILED["filing_no"])

    again.takes("register", "records_section", registered_level="本科")
    assert (again.state, case.state, world.fact(student, "level")) == ("registered_record", "registered_record", "本科")
    assert len(world.cases_of(student, "diploma-registration")) == 1
    world.replays_clean()


def test_a_student_who_does_not_meet_the_requirements_or_whose_transfer_is_revoked_is_not_qualified(world: World):
    _, failed = preparatory(world)
    _, revoked = requirements_met(world)
    assert failed.refuses("assess_fail", "academic_affairs", assessment="不合格") == {"X-05"}
    failed.takes("assess_fail", "academic_affairs", assessment="不合格", reason="两门不及格")
    revoked.takes("revoke", "academic_affairs", reason="放弃")
    assert (failed.state, revoked.state) == ("not_qualified", "not_qualified")
    world.replays_clean()


def test_only_who_was_admitted_as_preparatory_is_registered_as_such(world: World):
    student = admits(world)
    about = (PREPARATORY, student, "register_preparatory", "records_section")
    assert world.opening_refused(*about) == {"G-AD-28"}
    world.knows(student, admitted_level="预科")
    assert world.opens(*about).state == "preparatory"


def test_a_transfer_is_filed_in_its_year_or_carried_over_and_filed_again_twice_at_most(world: World):
    _, case = requirements_met(world)
    listed = list_sealed(world)
    following = publishes_intake(world, 2026)
    carried: dict[str, Json] = {"batch": following, "reason": "逾期"}
    assert case.refuses("carry_over", "academic_affairs", **carried) == {"X-12"}
    late: dict[str, Json] = {**FILED, "filed_on": "2026-01-04"}
    assert listed.refuses("file", "records_section", **late) == {"G-AD-38", "X-04"}
    listed.takes("discard", "records_section", reason="逾期")

    case.takes("carry_over", "academic_affairs", **carried)
    assert (case.state, case.field("batch"), case.field("filing_no")) == ("requirements_met", following, None)
    case.takes("carry_over", "academic_affairs", **carried)
    assert case.refuses("carry_over", "academic_affairs", **carried) == {"X-01"}
    world.replays_clean()


def test_a_filing_is_for_the_year_of_transfer_only(world: World):
    student, case = requirements_met(world)
    list_sealed(world).takes("file", "records_section", **FILED)
    again = freshman_again(world, student)

    world.now = TOO_LATE
    assert again.refuses("register", "records_section", registered_level="本科") == {"G-AD-09", "X-04"}
    case.takes("carry_over", "academic_affairs", batch=publishes_intake(world, 2026), reason="逾期")
    assert (case.state, case.field("filed_on")) == ("requirements_met", None)
    world.replays_clean()


def test_the_head_of_the_office_sends_a_filing_list_back(world: World):
    _, case = requirements_met(world)
    listed = world.opens(FILING, "U", "compile", "records_section", batch=intake_of(world.profile, 2025))
    listed.signs("seal_list", "office_head", "academic_affairs_head", yes=False, reason="层次有误")
    assert (listed.state, case.state) == ("cancelled", "requirements_met")
    assert list_sealed(world).state == "sealed"
    world.replays_clean()


def test_a_vocational_college_registers_preparatory_students_in_the_same_way(world_of: Furnish):
    world = world_of("fulltime-vocational")
    publishes_intake(world)
    student = admits(world, admitted_level="预科")
    checked(world, student)
    assert list_issued(world, student).state == "list_issued"
    case = world.opens(PREPARATORY, student, "register_preparatory", "records_section")
    following = publishes_intake(world, 2025)
    world.now = TRANSFER
    case.takes("assess_ok", "academic_affairs", target_level="专科", assessment="合格", batch=following)
    list_sealed(world).takes("file", "records_section", **FILED)
    assert case_of(world, student, PREPARATORY).state == "filed"
    world.replays_clean()
