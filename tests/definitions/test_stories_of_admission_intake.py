"""Application, admission and entry registration (报考录取与入学登记, W-45), to each end."""

from __future__ import annotations

import pytest

from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.enrolment_acts import admits, publishes_intake
from tests.definitions.world import Told, World

INTAKE = "admission-intake"
ALL_SIX: dict[str, Json] = {
    "online_form": True, "material_submitted": True, "came_in_person": True, "id_card": True,
    "application_receipt": True, "prior_proof": True,
}  # fmt: skip
ENTERED: dict[str, Json] = {"new_record_no": "G2024000001", "family": "父母", "state_of_health": "良好"}


@pytest.fixture
def world(world_of: Furnish) -> World:
    return world_of("generic")


def candidate(world: World, **facts: Json) -> str:
    """Somebody who may be entered with nothing missing on the sheet."""
    return admits(world, None, **{"address": "示范路1号", "enrolled_on": "2024-09-02", **facts})


def applied(world: World, student: str, by: str = "student") -> Told:
    batch = f"2024-09-{world.profile}"
    return world.opens(INTAKE, student, "apply", by, batch=batch)


def qualified(world: World, student: str) -> Told:
    case = applied(world, student).takes("admit", "admissions", exam_passed=True)
    case.takes("initial_check", "records_section", **ALL_SIX)
    return case.takes("qualify", "academic_affairs", entry_conditions_met=True)


def test_a_candidate_is_admitted_checked_qualified_and_registered_and_another_person_opens_the_record(world: World):
    publishes_intake(world)
    student = candidate(world)
    case = applied(world, student)
    assert case.state == "applied"
    assert case.refuses("admit", "admissions", exam_passed=False) == {"G-AD-39"}
    case.takes("admit", "admissions", exam_passed=True)
    assert case.state == "admitted"
    case.takes("initial_check", "records_section", **ALL_SIX)
    assert (case.state, world.fact(student, "reported")) == ("initially_checked", True)
    assert case.refuses("qualify", "academic_affairs", entry_conditions_met=False) == {"G-AD-40"}
    case.takes("qualify", "academic_affairs", entry_conditions_met=True)
    assert case.state == "qualified"
    assert case.refuses("register", "records_section", **ENTERED) == {"X-10"}
    case.hands_in("F-40", by="records_section").takes("register", "records_section", **ENTERED)
    assert (case.state, world.fact(student, "record_no")) == ("registered_record", "G2024000001")
    case.takes("confirm", "academic_affairs2")

    assert (case.state, case.field("card_issued")) == ("confirmed", True)
    assert world.record(student).state == "enrolled"
    world.replays_clean()


def test_everything_missing_at_the_first_check_is_told_at_once(world: World):
    publishes_intake(world)
    case = applied(world, candidate(world)).takes("admit", "admissions", exam_passed=True)
    absent = {**ALL_SIX, "came_in_person": False}
    assert case.refuses("initial_check", "records_section", **absent) == {"G-AD-17"}
    without_receipt = {**absent, "application_receipt": False}
    assert case.refuses("initial_check", "admissions", **without_receipt) == {"G-AD-17", "G-AD-18"}
    case.takes("initial_check", "admissions", **ALL_SIX)
    assert case.state == "initially_checked"


def test_a_candidate_is_rejected_with_a_reason_or_gives_up(world: World):
    publishes_intake(world)
    rejected = [applied(world, candidate(world)) for _ in range(3)]
    for case in rejected[1:]:
        case.takes("admit", "admissions", exam_passed=True)
    rejected[2].takes("initial_check", "admissions", **ALL_SIX)
    assert rejected[0].refuses("reject", "admissions") == {"X-05"}
    for case in rejected:
        case.takes("reject", "admissions", reason="条件不符")
    given_up = applied(world, candidate(world)).takes("take_back", "student", reason="另有去处")
    assert ({case.state for case in rejected}, given_up.state) == ({"rejected"}, "cancelled")
    world.replays_clean()


def test_an_entry_sheet_is_complete_its_number_nobody_elses_and_its_confirmation_anothers(world: World):
    publishes_intake(world)
    world.gives("records_section@U", "academic_affairs", "U")
    first, second = candidate(world), candidate(world, address=None)
    qualified(world, first).hands_in("F-40", by="records_section").takes("register", "records_section", **ENTERED)
    case = qualified(world, second).hands_in("F-40", by="records_section")

    assert case.refuses("register", "records_section", **ENTERED) == {"G-AD-41", "G-AD-43"}
    world.knows(second, address="示范路2号")
    another = {**ENTERED, "new_record_no": "G2024000002"}
    case.takes("register", "records_section", **another)
    assert case.refuses("confirm", "records_section") == {"G-SG-08"}
    case.takes("correct", "academic_affairs", reason="家庭情况有误")
    assert (case.state, case.case.rounds) == ("qualified", 1)
    case.takes("register", "records_section2", **another).takes("confirm", "academic_affairs2")
    assert case.state == "confirmed"
    world.replays_clean()


def test_a_school_of_compulsory_education_takes_children_in_without_examination(world_of: Furnish):
    world = world_of("k12-generic")
    publishes_intake(world)
    case = applied(world, candidate(world), by="admissions").takes("admit", "admissions")
    papers: dict[str, Json] = {"household_register": True, "id_card": True}
    without = {**papers, "household_register": False}
    assert case.refuses("initial_check", "records_section", **without) == {"G-AD-16"}
    case.takes("initial_check", "records_section", **papers)
    case.takes("qualify", "academic_affairs", entry_conditions_met=True).hands_in("F-40", by="records_section")
    case.takes("register", "records_section", **ENTERED).takes("confirm", "academic_affairs2")
    assert case.state == "confirmed"
    world.replays_clean()
