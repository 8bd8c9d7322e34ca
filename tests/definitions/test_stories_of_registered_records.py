"""What the registration of credentials makes of the record at full-time schools, and what it asks of it."""

from __future__ import annotations

import pytest

from engine.publishing import change_batch
from tests.definitions.conftest import Furnish
from tests.definitions.credential_acts import (
    FULLTIME,
    TO_BE_SET,
    archived,
    expected,
    graduate,
    left_to,
    list_sealed,
    photo_matched,
    registered,
    row_of,
    student_signed,
)
from tests.definitions.world import Told, World

OTHERS = ["fulltime-university", "fulltime-college", "vocational-branch", "generic"]
BY_EFFECT = ["apply", "cancel_application", "site_approve", "branch_approve", "provincial_audit", "provincial_return",
             "register", "national_reject"]  # fmt: skip
NOT_THERE = ["apply_degree", "site_return", "site_reject", "branch_return", "record_preliminary_check", "supply"]


def published(world: World, **values: str) -> None:
    world.publishes(FULLTIME, **{**TO_BE_SET, **values})


def on_the_way(world: World) -> tuple[str, Told]:
    """One student on the list of the published class."""
    student = expected(world)
    published(world)
    return student, row_of(world, student)


LACKING: dict[str, tuple[dict[str, str | None], str]] = {
    "no certificate number": ({"certificate_no": None}, "G-GR-19a"),
    "no photo": ({"electronic_photo": None}, "G-GR-19c"),
    "issued on another day": ({"issued_on": "2024-07-01"}, "G-GR-20"),
    "no conclusion": ({"conclusion": None}, "G-CT-01"),
}


@pytest.mark.parametrize("lacking", list(LACKING))
def test_a_credential_that_is_not_in_order_is_not_registered_and_the_record_says_why(world_of: Furnish, lacking: str):
    facts, refused = LACKING[lacking]
    world = world_of("fulltime-vocational")
    student = expected(world, **facts)
    published(world)
    row = row_of(world, student)
    student_signed(world, student)
    list_sealed(world)
    archived(world)

    failed = row.refuses("register_credential", "records_section")

    assert {"X-04", refused} <= failed
    assert (row.field("registered"), world.record(student).state) == (False, "provincially_audited")
    world.knows(
        student, certificate_no="511615202400009999", electronic_photo=True, issued_on="2024-06-30", conclusion="毕业"
    )
    row.takes("register_credential", "records_section")
    assert world.record(student).state == "registered"
    world.replays_clean()


def test_a_certificate_that_differs_from_the_registration_is_not_registered(world_of: Furnish):
    world = world_of("fulltime-vocational")
    student, row = on_the_way(world)
    student_signed(world, student)
    list_sealed(world)
    archived(world)
    row.takes("print", "records_section")
    world.knows(student, major="物流管理")

    assert row.refuses("register_credential", "records_section") == {"G-GR-19b"}
    world.knows(student, major="电子商务")
    row.takes("register_credential", "records_section")
    world.replays_clean()


def test_a_certificate_is_printed_from_the_archived_book_with_the_day_of_graduation(world_of: Furnish):
    world = world_of("fulltime-vocational")
    student = expected(world, issued_on="2024-07-01")
    published(world)
    student_signed(world, student)
    list_sealed(world)
    row = row_of(world, student)
    row.bars("print", "records_section")
    archived(world)

    assert row.refuses("print", "records_section") == {"G-GR-20"}
    world.knows(student, issued_on="2024-06-30")
    row.takes("print", "records_section")
    row.takes("register_credential", "records_section").takes("hand_to_faculty", "records_section")
    assert row.state == "handed_to_faculty"
    world.replays_clean()


def test_what_keeps_a_record_from_being_applied_refuses_the_signature_of_the_student(world_of: Furnish):
    world = world_of("fulltime-vocational")
    over, changing, poor = expected(world, max_study_until="2024-04-21"), expected(world), expected(world)
    published(world)
    rows = {student: photo_matched(world, student) for student in (over, changing, poor)}
    world.opens("leave-of-absence", changing, "draft", "class_teacher", cause="因病", leave_from="2024-09-02",
                leave_to="2025-02-28")  # fmt: skip
    world.knows(poor, credits_earned=119)

    assert {"X-04", "G-GR-24"} <= rows[over].refuses("student_sign", "class_teacher")
    assert {"X-04", "G-CR-05"} <= rows[changing].refuses("student_sign", "class_teacher")
    assert {"X-04", "G-GR-23"} <= rows[poor].refuses("student_sign", "class_teacher")
    world.knows(poor, credits_earned=120)
    rows[poor].takes("student_sign", "class_teacher")
    world.replays_clean()


@pytest.mark.parametrize("profile", ["fulltime-vocational", *OTHERS])
def test_no_person_applies_approves_audits_or_registers_at_a_full_time_school(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = graduate(world)
    record, other = world.record(student), world.record(expected(world))

    for trigger in BY_EFFECT:
        for role in ("records_section", "academic_affairs"):
            other.bars(trigger, role)
            record.bars(trigger, role)
    assert not {*NOT_THERE} & {*record.definition.transitions}


@pytest.mark.parametrize("profile", OTHERS)
def test_the_other_full_time_schools_register_and_hand_over_in_the_same_way(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = graduate(world)
    row = row_of(world, student)

    assert world.record(student).state == "registered"
    row.takes("print", "records_section").takes("hand_to_faculty", "records_section")
    row.signs("hand_to_student", "receipt", "records_officer")
    assert row.state == "handed_to_student"
    world.replays_clean()


def test_a_certificate_is_received_for_the_graduate_by_somebody_entrusted_only(world_of: Furnish):
    world = world_of("fulltime-vocational")
    row = row_of(world, graduate(world))
    row.takes("print", "records_section").takes("hand_to_faculty", "records_section")

    assert row.refuses("hand_to_student", "class_teacher", slot="receipt") == {"G-SG-02"}
    assert left_to(row, "class_teacher@K1", "epidemic") == {"G-SG-02"}
    assert left_to(row, "class_teacher@K1", "entrusted") == set()
    assert row.signs("hand_to_student", "receipt", "class_teacher").state == "handed_to_student"
    world.replays_clean()


def test_the_list_and_the_book_are_due_the_day_before_graduation_and_the_certificate_on_the_day(world_of: Furnish):
    world = world_of("fulltime-vocational")
    student = expected(world)
    world.publishes(FULLTIME)
    row = row_of(world, student)

    assert row.due("D-16") is None
    change_batch(world.town.desk, FULLTIME, TO_BE_SET, world.request("set", world.actor("records_section", "U")))
    assert row.due("D-16") == "2024-06-29 23:59:59"
    student_signed(world, student)
    list_sealed(world)
    archived(world)
    assert row.due("D-17") == "2024-06-30 23:59:59"


def test_two_classes_graduate_with_one_book(world_of: Furnish):
    world = world_of("fulltime-college")
    world.publishes(FULLTIME, **TO_BE_SET)
    students = expected(world, "K1"), expected(world, "K2")

    registered(world, *students)

    assert {world.record(one).state for one in students} == {"registered"}
    world.replays_clean()
