"""Graduates who are missing from the expected list of CHSI and are added to it (预计毕业生增补)."""

from __future__ import annotations

import pytest

from tests.definitions.conftest import Furnish
from tests.definitions.test_stories_of_information_check import at_the_school, planned
from tests.definitions.world import Told, World

CLAIM, CHECKING = "expected-graduates-supplement", "2020-check"
SUPPLEMENT = f"{CLAIM}.supplement"


def claimed(world: World, student: str) -> Told:
    return world.opens(CLAIM, student, "claim", "records_officer", batch=CHECKING, cause="复学后应届毕业")


def verified(case: Told) -> Told:
    return case.signs("verify", "records", "records_section").signs("verify", "college", "unit_leader")


def bundled(world: World) -> Told:
    return world.opens(SUPPLEMENT, "U", "bundle", "records_section", batch=CHECKING)


def sent(supplement: Told) -> Told:
    supplement.signs("send", "head", "academic_affairs_head")
    return supplement.signs("send", "seal", "seal_keeper")


def test_a_missing_graduate_is_claimed_verified_bundled_sent_and_then_on_the_list(world_of: Furnish):
    world = at_the_school(world_of)
    student = world.enrols()
    case = claimed(world, student)
    assert verified(case).state == "verified"
    case.bars("add", "records_section")

    supplement = bundled(world)
    assert [row[0] for row in supplement.made("F-36")] == [student]
    assert supplement.refuses("send", "seal_keeper", slot="seal") == {"X-15"}
    assert sent(supplement).state == "sent"

    assert (case.state, world.fact(student, "on_chsi_list")) == ("added", True)
    planned(world).takes("open_online", "academic_affairs")
    assert world.cases_of(student, "graduate-information-check")[0].state == "pending"
    world.replays_clean()


def test_who_is_on_the_list_already_is_not_claimed(world_of: Furnish):
    world = at_the_school(world_of)
    asked = {"batch": CHECKING, "cause": "复学后应届毕业"}

    student = world.enrols(on_chsi_list=True)
    assert world.opening_refused(CLAIM, student, "claim", "records_officer", **asked) == {"G-GR-16b"}
    world.knows(student, on_chsi_list=False)
    assert world.opens(CLAIM, student, "claim", "records_officer", **asked).state == "claimed"


def test_who_claims_does_not_verify_and_one_against_refuses(world_of: Furnish):
    world = at_the_school(world_of)
    world.gives("records_officer@F1", "unit_leader", "F1")
    case = claimed(world, world.enrols())

    assert case.refuses("verify", "records_officer", slot="college") == {"G-SG-08"}
    assert case.refuses("verify", "unit_leader", slot="college", yes=False) == {"X-05"}
    assert case.signs("verify", "college", "unit_leader", yes=False, reason="不属应届").state == "refused"
    world.replays_clean()


@pytest.mark.parametrize("state", ["claimed", "verified"])
def test_a_claim_is_refused_by_the_records_section_with_a_reason(world_of: Furnish, state: str):
    world = at_the_school(world_of)
    case = claimed(world, world.enrols())
    if state == "verified":
        verified(case)

    assert case.refuses("refuse", "records_section") == {"X-05"}
    assert case.takes("refuse", "records_section", reason="不属应届").state == "refused"
    world.replays_clean()


def test_a_claim_is_taken_back_by_the_faculty(world_of: Furnish):
    world = at_the_school(world_of)
    case = claimed(world, world.enrols())

    assert case.refuses("take_back", "records_officer") == {"X-05"}
    assert case.takes("take_back", "records_officer", reason="名单已有").state == "cancelled"
    world.replays_clean()


def test_an_empty_supplement_is_not_made_and_one_sent_back_leaves_its_students_verified(world_of: Furnish):
    world = at_the_school(world_of)
    world.gives("records_section@U", "academic_affairs_head", "U")
    assert world.opening_refused(SUPPLEMENT, "U", "bundle", "records_section", batch=CHECKING) == {"G-GR-34"}
    case = verified(claimed(world, world.enrols()))
    supplement = bundled(world)

    assert case.refuses("refuse", "records_section", reason="不属应届") == {"X-12"}
    assert supplement.refuses("send", "records_section", slot="head") == {"G-SG-08"}
    supplement.signs("send", "head", "academic_affairs_head", yes=False, reason="人数不符")
    assert (supplement.state, case.state) == ("cancelled", "verified")
    again = bundled(world)
    again.takes("discard", "records_section", reason="漏一人")
    assert (again.state, case.state) == ("cancelled", "verified")
    assert sent(bundled(world)).state == "sent"
    assert case.state == "added"
    world.replays_clean()


def test_a_vocational_college_adds_in_the_same_way(world_of: Furnish):
    world = at_the_school(world_of, "fulltime-vocational")
    student = world.enrols()
    verified(claimed(world, student))

    sent(bundled(world))

    assert world.fact(student, "on_chsi_list") is True
    world.replays_clean()
