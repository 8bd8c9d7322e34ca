"""Corrections of the admission data over the province (录取数据更正, W-05), to each end."""

from __future__ import annotations

import pytest

from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.enrolment_acts import admits, publishes_intake
from tests.definitions.world import Told, World

CORRECTION = "admission-data-correction"
WRONG: dict[str, Json] = {"correction": "amendment", "item": "姓名", "wrong_value": "张珊", "right_value": "张姗"}
SCHOOLS = ["fulltime-university", "fulltime-vocational"]


def found(world: World, student: str) -> Told:
    return world.opens(CORRECTION, student, "report", "records_section", **WRONG)


def applied(world: World, student: str) -> Told:
    case = found(world, student).hands_in("F-22", by="admissions")
    return case.takes("apply_province", "admissions", right_value="张姗", applied_on="2024-09-03")


@pytest.mark.parametrize("profile", SCHOOLS)
def test_a_correction_goes_to_the_province_and_the_ministry_and_closes_when_the_new_data_are_in(
    world_of: Furnish, profile: str
):
    world = world_of(profile)
    publishes_intake(world)
    case = found(world, admits(world))
    assert case.state == "found"
    case.hands_in("F-22", by="admissions")
    case.takes("apply_province", "admissions", right_value="张姗", applied_on="2024-09-03")
    assert case.state == "applied_to_province"
    case.takes("verify", "admissions", document_no="招办2024-5")
    assert case.state == "verified"
    case.takes("send_ministry", "admissions")
    assert case.state == "sent_to_ministry"
    case.takes("feed_back", "admissions", fed_back_on="2024-09-10")
    assert case.state == "fed_back"

    assert case.refuses("close", "records_section", imported_on="2024-09-09") == {"G-AD-37"}
    case.takes("close", "records_section", imported_on="2024-09-11")
    assert case.state == "closed"
    world.replays_clean()


def test_a_correction_is_rejected_sent_back_or_taken_back_with_a_reason(world_of: Furnish):
    world = world_of("fulltime-university")
    rejected, returned = applied(world, admits(world)), applied(world, admits(world))
    assert rejected.refuses("reject", "admissions") == {"X-05"}
    rejected.takes("reject", "admissions", reason="依据不足")
    returned.takes("send_back", "admissions", reason="缺附件")
    assert (rejected.state, returned.state, returned.case.rounds) == ("rejected", "found", 1)
    returned.takes("take_back", "records_section", reason="无误")
    assert returned.state == "cancelled"
    world.replays_clean()


def test_an_application_to_the_province_is_on_paper_with_the_seal_of_the_school(world_of: Furnish):
    world = world_of("fulltime-university")
    case = found(world, admits(world))
    asked: dict[str, Json] = {"right_value": "张姗", "applied_on": "2024-09-03"}
    assert case.refuses("apply_province", "admissions", **asked) == {"X-10"}
    case.hands_in("F-22", by="admissions")
    assert case.refuses_ticks("apply_province", "admissions", {}, **asked) == {"X-22"}
    assert case.refuses_ticks("apply_province", "admissions", {"F-22.sealed": False}, **asked) == {"X-24"}
    assert case.takes("apply_province", "admissions", **asked).state == "applied_to_province"


def test_a_supplement_is_for_rows_that_are_missing_and_closes_when_they_are_in(world_of: Furnish):
    world = world_of("fulltime-university")
    there, missing = admits(world), admits(world, in_admission_data=False)
    supplement: dict[str, Json] = {"correction": "supplement", "item": "全部"}
    about = (CORRECTION, there, "report", "admissions")
    assert world.opening_refused(*about, **supplement) == {"G-AD-29"}

    case = world.opens(CORRECTION, missing, "report", "admissions", **supplement).hands_in("F-22", by="admissions")
    case.takes("apply_province", "admissions", right_value="见附件", applied_on="2024-09-03")
    case.takes("verify", "admissions", document_no="招办2024-5").takes("send_ministry", "admissions")
    case.takes("feed_back", "admissions", fed_back_on="2024-09-10")
    assert case.refuses("close", "records_section", imported_on="2024-09-11") == {"G-AD-01"}
    world.knows(missing, in_admission_data=True)
    assert case.takes("close", "records_section", imported_on="2024-09-11").state == "closed"
    world.replays_clean()


def test_the_province_has_three_working_days_for_its_feedback(world_of: Furnish):
    world = world_of("fulltime-university")
    publishes_intake(world)
    case = applied(world, admits(world)).takes("verify", "admissions", document_no="招办2024-5")
    case.takes("send_ministry", "admissions")
    assert case.due("D-18") == "2024-09-04 23:59:59"
