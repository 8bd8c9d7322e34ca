"""Data and photo of freshmen (新生信息与图像采集, W-20): from the notice to the complete roll."""

from __future__ import annotations

import pytest

from tests.definitions.conftest import Furnish
from tests.definitions.enrolment_acts import admits, case_of, publishes_intake, the_list
from tests.definitions.world import Told, World

COLLECTION = "freshman-information-and-photo"
OFFICER = "records_officer"


@pytest.fixture
def world(world_of: Furnish) -> World:
    return world_of("vocational-branch")


def notified(world: World, *students: str) -> list[Told]:
    """The collection of these freshmen, opened by the notice."""
    publishes_intake(world)
    return [case_of(world, student, COLLECTION) for student in students]


def filed(case: Told) -> Told:
    """Checked by the freshman, and the paper on its shelf."""
    return case.takes("check_data", OFFICER, data_correct=True).takes("file_original", OFFICER, shelf="丙-1")


def photographed(case: Told) -> Told:
    return case.hands_in("E-FACE", by="photo_vendor").takes("photograph", "photo_vendor")


def test_a_freshman_checks_the_data_is_photographed_and_complete_with_the_whole_roll(world: World):
    first, second = admits(world), admits(world)
    case, other = notified(world, first, second)
    assert case.state == "open"
    case.takes("check_data", OFFICER, data_correct=False, corrections="姓名有误")
    assert case.state == "data_checked"
    assert case.refuses("file_original", OFFICER) == {"X-05"}
    case.takes("file_original", OFFICER, shelf="丙-1")
    assert case.state == "original_filed"
    assert case.refuses("photograph", "photo_vendor") == {"X-10"}
    photographed(case)
    assert (case.state, world.fact(first, "entry_photo")) == ("photographed", True)

    roll = the_list(world, f"{COLLECTION}.roll", "FB")
    assert roll.state == "collecting"
    assert roll.refuses("complete", OFFICER) == {"G-PH-07"}
    photographed(filed(other))
    roll.takes("complete", OFFICER)
    assert (roll.state, case.state, other.state) == ("complete", "complete", "complete")
    world.replays_clean()


def test_who_misses_the_session_is_listed_and_called_to_another(world: World):
    [case] = notified(world, admits(world))
    filed(case).takes("mark_absent", OFFICER, reason="生病")
    assert case.state == "absent"
    roll = the_list(world, f"{COLLECTION}.roll", "FB").takes("list_absentees", OFFICER)
    assert roll.state == "collecting"
    assert case.refuses("recall", OFFICER, reason="补采") == {"X-05"}
    case.takes("recall", OFFICER, reason="补采", session_at="2024-10-08T01:00:00.000000Z")
    assert (photographed(case).state, roll.takes("complete", OFFICER).state) == ("photographed", "complete")
    world.replays_clean()


def test_a_photo_that_is_no_good_is_taken_again_and_data_may_be_checked_again(world: World):
    freshman = admits(world)
    [case] = notified(world, freshman)
    filed(case).takes("check_again", OFFICER, reason="签名不清")
    assert case.state == "open"
    photographed(filed(case)).takes("retake", OFFICER, reason="闭眼")
    assert (case.state, world.fact(freshman, "entry_photo")) == ("original_filed", False)
    assert case.refuses_ticks("photograph", "photo_vendor", {"E-FACE.frontal": True}) == {"X-22"}
    assert case.takes("photograph", "photo_vendor").state == "photographed"
    world.replays_clean()


def test_a_freshman_struck_leaves_the_roll(world: World):
    one, other = notified(world, admits(world), admits(world))
    one.takes("strike", OFFICER, reason="放弃入学")
    photographed(filed(other))
    the_list(world, f"{COLLECTION}.roll", "FB").takes("complete", OFFICER)
    assert (one.state, other.state) == ("cancelled", "complete")
    world.replays_clean()


def test_only_admitted_freshmen_of_the_intake_are_called(world: World):
    older, unknown = admits(world, cohort=2023), admits(world, in_admission_data=False)
    publishes_intake(world)
    assert [world.cases_of(one, COLLECTION) for one in (older, unknown)] == [[], []]
    for student, refused in ((older, "G-AD-42"), (unknown, "G-AD-01")):
        last = world.town.events(-world.town.student(student).id)[-1]
        assert (last["kind"], refused in str(last["data"])) == ("refused", True)
