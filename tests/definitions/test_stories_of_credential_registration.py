"""Registration of credentials at full-time schools (应届毕业生学历注册), step by step."""

from __future__ import annotations

import pytest

from tests.definitions.conftest import Furnish
from tests.definitions.credential_acts import (
    BOOK,
    FACULTY_LIST,
    FULLTIME,
    ROWS,
    SAME_FACE,
    TO_BE_SET,
    archived,
    book_sealed,
    compiled,
    expected,
    list_sealed,
    photo_matched,
    row_of,
    student_signed,
)
from tests.definitions.status_acts import caused_by
from tests.definitions.world import Told, World


def published(world: World, **values: str) -> None:
    world.publishes(FULLTIME, **{**TO_BE_SET, **values})


def on_the_way(world: World) -> tuple[str, Told]:
    """One student on the list of the published class."""
    student = expected(world)
    published(world)
    return student, row_of(world, student)


def test_a_graduate_is_checked_signs_is_sealed_archived_registered_printed_and_handed_the_certificate(
    world_of: Furnish,
):
    world = world_of("fulltime-vocational")
    student, row = on_the_way(world)
    record = world.record(student)

    assert row.state == "expected"
    assert row.takes("find_eligible", "academic_section").state == "eligible"
    assert row.takes("compare_photo_ok", "records_section", **SAME_FACE).state == "photo_matched"
    assert world.fact(student, "photo_matches_id") is True
    assert row.takes("student_sign", "class_teacher").state == "student_signed"
    assert (record.state, record.field("batch")) == ("applied", FULLTIME)
    assert caused_by(record, row)

    list_sealed(world)
    assert (row.state, record.state) == ("faculty_sealed", "site_approved")
    book = compiled(world)
    book.takes("office_sign", "academic_affairs_head")
    assert (row.state, record.state) == ("office_signed", "branch_approved")
    book.signs("seal_book", "vice_president", "vice_president").signs("seal_book", "seal", "seal_keeper")
    book.takes("archive", "archive", shelf="3-2-1", pages=120)
    assert (row.state, record.state) == ("archived", "provincially_audited")

    row.takes("register_credential", "records_section")
    assert record.state == "registered"
    assert row.refuses("hand_to_faculty", "records_section") == {"G-CT-03"}
    row.bars("register_credential", "records_section")
    row.takes("print", "records_section")
    row.bars("print", "records_section")
    assert row.takes("hand_to_faculty", "records_section").state == "handed_to_faculty"
    row.signs("hand_to_student", "receipt", "records_officer")
    assert row.state == "handed_to_student"
    world.replays_clean()


def test_the_list_of_the_faculty_is_signed_in_its_order_and_the_book_by_persons_of_its_own(world_of: Furnish):
    world = world_of("fulltime-vocational")
    first, second = expected(world, "K1"), expected(world, "K2")
    published(world)
    student_signed(world, first)
    [listed] = world.cases(FACULTY_LIST)
    assert (listed.state, listed.case.unit) == ("collecting", "F1")
    student_signed(world, second)

    listed.takes("close", "academic_section")
    assert listed.state == "out"
    assert listed.refuses("seal_list", "faculty_head", slot="faculty_head") == {"G-GR-18"}
    listed.signs("seal_list", "class_teachers", "class_teacher@K1")
    assert listed.refuses("seal_list", "academic_section", slot="academic_section") == {"G-GR-18"}
    assert listed.refuses("seal_list", "class_teacher@K1", slot="class_teachers") == {"X-11", "X-14"}
    listed.signs("seal_list", "class_teachers", "class_teacher@K2")
    listed.signs("seal_list", "academic_section", "academic_section")
    listed.signs("seal_list", "student_affairs", "student_affairs_section")
    listed.signs("seal_list", "faculty_head", "faculty_head")
    assert (listed.state, row_of(world, first).state) == ("out", "student_signed")
    listed.signs("seal_list", "seal", "seal_keeper")
    assert listed.state == "sealed"
    assert {row_of(world, one).state for one in (first, second)} == {"faculty_sealed"}

    world.gives("records_section@U", "academic_affairs_head", "U")
    world.gives("records_section@U", "archive", "U")
    book = compiled(world)
    assert book.refuses("office_sign", "records_section") == {"G-SG-08"}
    book.takes("office_sign", "academic_affairs_head")
    assert book.refuses("seal_book", "seal_keeper", slot="seal") == {"G-SG-05"}
    book.signs("seal_book", "vice_president", "vice_president").signs("seal_book", "seal", "seal_keeper")
    assert book.state == "sealed"
    assert book.refuses("archive", "records_section", shelf="3-2-1", pages=120) == {"G-SG-08"}
    assert book.refuses("archive", "archive") == {"X-05"}
    assert book.takes("archive", "archive", shelf="3-2-1", pages=120).state == "archived"
    world.replays_clean()


def test_with_the_class_come_those_of_the_cohort_and_level_who_are_on_the_list_of_chsi(world_of: Furnish):
    world = world_of("fulltime-vocational")
    younger, bachelor = expected(world, cohort=2022), expected(world, level="本科")
    unlisted, unknown = expected(world, on_chsi_list=False), expected(world, on_chsi_list=None)
    published(world)

    assert world.cases(ROWS) == []
    late = {"batch": FULLTIME}
    for student, refused in ((younger, "G-GR-01"), (bachelor, "G-GR-01"), (unlisted, "G-GR-16"), (unknown, "G-GR-16")):
        assert world.opening_refused(ROWS, student, "expect_late", "records_section", **late) == {refused}

    world.knows(unlisted, on_chsi_list=True)
    assert world.opens(ROWS, unlisted, "expect_late", "records_section", **late).state == "expected"
    world.replays_clean()


def test_who_lacks_credits_is_not_eligible_until_they_are_earned_or_is_left_out(world_of: Furnish):
    world = world_of("fulltime-vocational")
    earns, stays = expected(world, credits_earned=119), expected(world, credits_earned=80)
    published(world)
    row, other = row_of(world, earns), row_of(world, stays)

    assert row.refuses("find_eligible", "academic_section") == {"G-GR-23"}
    assert row.refuses("find_not_eligible", "academic_section") == {"X-05"}
    row.takes("find_not_eligible", "academic_section", reason="学分不足")
    assert row.state == "not_eligible"
    world.knows(earns, credits_earned=120)
    assert row.takes("find_eligible", "academic_section").state == "eligible"

    other.takes("find_not_eligible", "academic_section", reason="学分不足")
    assert other.takes("leave_out", "academic_section", reason="本届不毕业").state == "left_out"
    assert world.record(stays).state == "enrolled"
    world.replays_clean()


def test_who_has_the_credits_is_not_found_ineligible(world_of: Furnish):
    world = world_of("fulltime-vocational")
    _, row = on_the_way(world)

    assert row.refuses("find_not_eligible", "academic_section", reason="学分不足") == {"G-GR-23"}
    assert row.state == "expected"


@pytest.mark.parametrize("differs", list(SAME_FACE))
def test_a_photo_that_differs_is_decided_by_hand_with_a_reason_and_by_nobody_who_checked_the_credits(
    world_of: Furnish, differs: str
):
    world = world_of("fulltime-vocational")
    world.gives("academic_section@F1", "records_section", "U")
    _, row = on_the_way(world)
    row.takes("find_eligible", "academic_section")
    other_face = {**SAME_FACE, differs: False}

    assert row.refuses("compare_photo_ok", "records_section", **other_face) == {"G-GR-17"}
    assert row.refuses("compare_photo_fail", "records_section", **SAME_FACE) == {"G-GR-17"}
    assert row.refuses("compare_photo_ok", "academic_section", **SAME_FACE) == {"G-SG-08"}
    row.takes("compare_photo_fail", "records_section", **other_face)
    assert row.state == "photo_mismatch"
    assert row.refuses("manual_photo_pass", "academic_section", reason="整容") == {"G-SG-08"}
    assert row.refuses("manual_photo_pass", "records_section") == {"X-05"}
    assert row.takes("manual_photo_pass", "records_section", reason="发型不同").state == "photo_matched"
    world.replays_clean()


def test_a_photo_of_somebody_else_makes_the_student_not_eligible(world_of: Furnish):
    world = world_of("fulltime-vocational")
    _, row = on_the_way(world)
    row.takes("find_eligible", "academic_section")

    row.takes("compare_photo_fail", "records_section", **{**SAME_FACE, "matches_id": False})
    assert row.takes("manual_photo_fail", "records_section", reason="非本人").state == "not_eligible"
    world.replays_clean()


def test_the_student_signs_in_person_and_the_list_goes_out_when_all_have_signed(world_of: Furnish):
    world = world_of("fulltime-vocational")
    signs, absent = expected(world), expected(world)
    published(world)
    student_signed(world, signs)
    row = photo_matched(world, absent)
    [listed] = world.cases(FACULTY_LIST)

    assert listed.refuses("close", "academic_section") == {"G-SG-09"}
    assert row.refuses("put_back", "academic_section") == {"X-05"}
    row.takes("put_back", "academic_section", reason="外出未归")
    assert row.state == "expected"
    assert listed.takes("close", "academic_section").state == "out"

    listed.takes("return_list", "academic_section", reason="漏一人")
    student_signed(world, absent)
    list_sealed(world)
    assert {row_of(world, one).state for one in (signs, absent)} == {"faculty_sealed"}
    world.replays_clean()


def test_who_is_late_goes_on_a_later_list_of_the_same_faculty(world_of: Furnish):
    world = world_of("fulltime-vocational")
    prompt, late = expected(world), expected(world)
    published(world)
    student_signed(world, prompt)
    list_sealed(world)

    student_signed(world, late)
    assert len(world.cases(FACULTY_LIST)) == 2
    list_sealed(world)

    assert row_of(world, late).state == "faculty_sealed"
    assert archived(world).state == "archived"
    assert {row_of(world, one).state for one in (prompt, late)} == {"archived"}
    world.replays_clean()


def test_one_who_signs_against_the_list_sends_it_back(world_of: Furnish):
    world = world_of("fulltime-vocational")
    student, row = on_the_way(world)
    student_signed(world, student)
    listed = world.cases(FACULTY_LIST)[0].takes("close", "academic_section")

    listed.signs("seal_list", "class_teachers", "class_teacher@K1", yes=False, reason="姓名有误")

    assert (listed.state, row.state) == ("collecting", "student_signed")
    world.replays_clean()


def test_a_student_taken_off_the_list_is_on_roll_again(world_of: Furnish):
    world = world_of("fulltime-vocational")
    signed, sealed = expected(world, "K1"), expected(world, "K3")
    published(world)
    student_signed(world, sealed)
    list_sealed(world)
    student_signed(world, signed)

    for student in (signed, sealed):
        row = row_of(world, student)
        assert row.refuses("take_off", "academic_section") == {"X-05"}
        row.takes("take_off", "academic_section", reason="成绩复核")
        assert (row.state, world.record(student).state) == ("expected", "enrolled")
    world.replays_clean()


def test_a_frozen_row_is_moved_by_its_list_only(world_of: Furnish):
    world = world_of("fulltime-vocational")
    student, row = on_the_way(world)
    student_signed(world, student)
    world.cases(FACULTY_LIST)[0].takes("close", "academic_section")

    assert row.refuses("take_off", "academic_section", reason="成绩复核") == {"X-12"}


def test_an_empty_book_is_not_compiled_and_one_not_signed_is_discarded(world_of: Furnish):
    world = world_of("fulltime-vocational")
    student, row = on_the_way(world)
    assert world.opening_refused(BOOK, "U", "compile", "records_section", batch=FULLTIME) == {"G-GR-33"}
    student_signed(world, student)
    list_sealed(world)

    book = compiled(world)
    assert book.refuses("discard", "records_section") == {"X-05"}
    book.takes("discard", "records_section", reason="漏列一班")
    assert (book.state, row.state) == ("cancelled", "faculty_sealed")
    assert compiled(world).state == "compiled"
    world.replays_clean()


@pytest.mark.parametrize("sent_back_from", ["office_signed", "sealed"])
def test_a_book_sent_back_takes_its_rows_and_records_back_to_the_faculty(world_of: Furnish, sent_back_from: str):
    world = world_of("fulltime-vocational")
    student, row = on_the_way(world)
    student_signed(world, student)
    list_sealed(world)
    book = compiled(world)
    if sent_back_from == "sealed":
        book_sealed(book).takes("send_back", "archive", reason="缺页")
    else:
        book.takes("office_sign", "academic_affairs_head")
        book.signs("seal_book", "vice_president", "vice_president", yes=False, reason="人数不符")

    assert (book.state, row.state) == ("cancelled", "faculty_sealed")
    assert world.record(student).state == "site_approved"
    archived(world)
    assert (row.state, world.record(student).state) == ("archived", "provincially_audited")
    world.replays_clean()


def test_a_student_whom_chsi_does_not_accept_begins_again(world_of: Furnish):
    world = world_of("fulltime-vocational")
    student, row = on_the_way(world)
    student_signed(world, student)
    list_sealed(world)
    archived(world)
    row.takes("print", "records_section")

    assert row.refuses("check_failed", "records_section") == {"X-05"}
    row.takes("check_failed", "records_section", reason="身份证号核验不通过")
    assert (row.state, row.field("printed")) == ("expected", False)
    assert world.record(student).state == "enrolled"

    student_signed(world, student)
    list_sealed(world)
    archived(world)
    assert row.state == "archived"
    world.replays_clean()
