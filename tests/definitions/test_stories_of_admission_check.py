"""The admission check of freshmen (入学资格审查, W-02), from the admission data to each end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from engine.bulk import move_many
from engine.records import Moved
from tests.definitions.conftest import Furnish
from tests.definitions.enrolment_acts import (
    DOCUMENTS,
    admits,
    case_of,
    check_opened,
    checked,
    class_report_confirmed,
    concluded,
    documents_checked,
    face_scanned,
    faculty_sheet_signed,
    intake_of,
    publishes_intake,
    the_list,
)
from tests.definitions.world import Told, World

CHECK = "admission-qualification-check"
REPORT, SHEET, PASSED = f"{CHECK}.class_report", f"{CHECK}.faculty_sheet", f"{CHECK}.passed_list"
RECHECK = "admission-qualification-recheck"


@pytest.fixture
def world(world_of: Furnish) -> World:
    world = world_of("fulltime-vocational")
    publishes_intake(world)
    return world


def face_mismatched(world: World, student: str) -> Told:
    return documents_checked(world, student).takes("scan_face_fail", "admissions", face_result="未通过")


def documents_mismatched(world: World, student: str) -> Told:
    wrong = {**DOCUMENTS, "same_person": False, "reason": "照片不像"}
    return check_opened(world, student).takes("check_documents_fail", "class_teacher", **wrong)


def by_hand(case: Told, trigger: str, one: str = "class_teacher", **fields: str) -> Told:
    """Decided by two offices over a written finding."""
    case.hands_in("F-16", by=one)
    slot = "class_teacher" if one == "class_teacher" else "faculty"
    return case.signs(trigger, slot, one).signs(trigger, "admissions", "admissions", **fields)


def test_a_freshman_passes_the_check_over_report_sheet_and_list_and_the_recheck_opens(world: World):
    student = admits(world)
    case = check_opened(world, student)
    assert case.state == "expected"
    report, sheet = the_list(world, REPORT, "K1"), the_list(world, SHEET, "F1")
    assert (report.state, sheet.state) == ("open", "open")

    case.takes("check_documents", "class_teacher", **DOCUMENTS)
    assert (case.state, world.fact(student, "reported")) == ("documents_checked", True)
    case.hands_in("E-FACE", "E-SIGN", by="admissions").takes("scan_face_ok", "admissions", face_result="通过")
    assert case.state == "face_matched"

    report.takes("hand_in", "class_teacher")
    assert report.state == "handed_in"
    report.signs("section_confirm", "section", "student_affairs_section")
    report.signs("section_confirm", "seal", "seal_keeper")
    assert report.state == "section_confirmed"

    sheet.takes("compile", "student_affairs_section")
    assert sheet.state == "compiled"
    sheet.signs("faculty_sign", "faculty_head", "faculty_head").signs("faculty_sign", "seal", "seal_keeper")
    assert sheet.state == "faculty_signed"
    concluded(sheet)

    assert (sheet.state, case.state, case.field("concluded")) == ("concluded", "passed", True)
    assert case_of(world, student, RECHECK).state == "pending"
    world.replays_clean()


def test_those_who_passed_are_delivered_to_the_records_section_on_a_sealed_list(world: World):
    first, second = admits(world), admits(world)
    about = (PASSED, "U", "compile", "admissions")
    assert world.opening_refused(*about, batch=intake_of(world.profile)) == {"G-AD-33"}
    checked(world, first, second)

    passed = world.opens(PASSED, "U", "compile", "admissions", batch=intake_of(world.profile))
    assert passed.state == "compiled"
    assert passed.refuses("deliver", "seal_keeper", slot="seal") == {"G-AD-04"}
    passed.signs("deliver", "admissions", "admissions").signs("deliver", "seal", "seal_keeper")

    assert passed.state == "delivered"
    told = {recipient for _, _, recipient, _ in world.town.told()}
    assert {"academic_affairs", "records_section"} <= told
    world.replays_clean()


def test_a_list_of_those_who_passed_is_discarded_and_compiled_anew(world: World):
    checked(world, admits(world))
    passed = world.opens(PASSED, "U", "compile", "admissions", batch=intake_of(world.profile))

    passed.signs("deliver", "admissions", "admissions", yes=False, reason="漏一人")
    assert passed.state == "cancelled"
    again = world.opens(PASSED, "U", "compile", "admissions", batch=intake_of(world.profile))
    again.takes("discard", "admissions", reason="重编")
    assert again.state == "cancelled"
    assert world.opens(PASSED, "U", "compile", "admissions", batch=intake_of(world.profile)).state == "compiled"
    world.replays_clean()


def test_documents_that_do_not_agree_are_cleared_by_two_offices_over_a_written_finding(world: World):
    student = admits(world)
    case = documents_mismatched(world, student)
    assert (case.state, world.fact(student, "reported")) == ("document_mismatch", None)
    assert case.refuses("clear_documents", "student_affairs_section", slot="faculty", reason="核实") == {"X-10"}

    by_hand(case, "clear_documents", "student_affairs_section", reason="核实为本人")

    assert (case.state, world.fact(student, "reported")) == ("documents_checked", True)
    world.replays_clean()


def test_documents_that_are_not_the_persons_own_end_the_check(world: World):
    case = documents_mismatched(world, admits(world))
    by_hand(case, "reject_documents", "student_affairs_section", reason="冒名")
    assert case.state == "failed"
    world.replays_clean()


def test_a_portrait_that_differs_is_decided_by_hand_for_or_against_the_freshman(world: World):
    one, other = face_mismatched(world, admits(world)), face_mismatched(world, admits(world))
    assert one.refuses("manual_pass", "class_teacher", slot="class_teacher", reason="本人") == {"X-10"}

    by_hand(one, "manual_pass", reason="胖了二十斤")
    by_hand(other, "manual_fail", reason="并非本人")

    assert (one.state, one.field("decided_by_hand"), other.state) == ("face_matched", True, "failed")
    class_report_confirmed(world)
    concluded(faculty_sheet_signed(world))
    assert (one.state, other.state) == ("passed", "failed")
    world.replays_clean()


def test_nobody_is_absent_before_reporting_is_over(world: World):
    case = check_opened(world, admits(world))
    world.now = datetime(2024, 9, 2, 4, tzinfo=UTC)
    assert case.refuses("mark_absent", "class_teacher", reason="未到") == {"G-AD-27"}
    world.now = datetime(2024, 9, 3, 4, tzinfo=UTC)
    case.takes("mark_absent", "class_teacher", reason="未到")
    assert case.state == "failed"
    world.replays_clean()


def test_a_freshman_fails_with_the_signed_sheet_of_the_faculty_over_a_written_finding(world: World):
    case, other = face_scanned(world, admits(world)), face_scanned(world, admits(world))
    assert case.refuses("find_against", "admissions", reason="档案造假") == {"G-AD-32", "X-10"}
    class_report_confirmed(world)
    sheet = faculty_sheet_signed(world)
    assert case.refuses("doubt", "admissions", reason="档案造假") == {"X-12"}

    case.hands_in("F-16", by="admissions").takes("find_against", "admissions", reason="档案造假")
    case.bars("conclude_fail", "admissions")
    concluded(sheet)

    assert (case.state, other.state) == ("failed", "passed")
    world.replays_clean()


def test_a_freshman_needs_to_be_in_the_admission_data_and_a_missing_photo_is_warned_of(world: World):
    unknown, without_photo = admits(world, in_admission_data=False), admits(world, admission_photo=False)
    batch = intake_of(world.profile)

    assert world.opening_refused(CHECK, unknown, "import_and_open", "admissions", batch=batch) == {"G-AD-01"}
    world.knows(unknown, in_admission_data=True)
    check_opened(world, unknown)
    opened = world.tries_to_open(CHECK, without_photo, "import_and_open", "admissions", batch=batch)
    assert isinstance(opened, Moved)
    assert [one.id for one in opened.warnings] == ["G-AD-25"]


def test_papers_and_portrait_are_looked_at_before_anybody_is_checked(world: World):
    case = check_opened(world, admits(world))
    without_card = {**DOCUMENTS, "id_card": False}
    assert case.refuses("check_documents", "class_teacher", **without_card) == {"G-AD-02"}
    assert case.refuses("check_documents", "class_teacher", admission_notice=True) == {"G-AD-02", "X-05"}
    case.takes("check_documents", "class_teacher", **DOCUMENTS)

    case.hands_in("E-FACE", by="admissions")
    assert case.refuses("scan_face_ok", "admissions", face_result="未通过") == {"G-AD-03", "X-10"}
    case.hands_in("E-SIGN", by="admissions")
    one_tick = {"E-FACE.frontal": True}
    assert case.refuses_ticks("scan_face_ok", "admissions", one_tick, face_result="通过") == {"X-22"}
    case.takes("scan_face_ok", "admissions", face_result="通过")
    assert case.state == "face_matched"


def test_a_class_report_waits_for_every_row_and_for_the_section_before_the_seal(world: World):
    first, second = face_scanned(world, admits(world)), documents_checked(world, admits(world))
    report, sheet = the_list(world, REPORT, "K1"), the_list(world, SHEET, "F1")
    assert report.refuses("hand_in", "class_teacher") == {"G-AD-20"}
    assert sheet.refuses("compile", "student_affairs_section") == {"G-AD-21"}

    second.hands_in("E-FACE", "E-SIGN", by="admissions").takes("scan_face_ok", "admissions", face_result="通过")
    in_bulk = move_many(
        world.town.desk,
        [(report.id, report.case.revision)],
        world.request("hand_in", world.actor("class_teacher", "K1")),
    )
    assert [refused.failed for refused in in_bulk.refused] == [("G-WD-08",)]
    outcome = report.asks("hand_in", "class_teacher")
    assert isinstance(outcome, Moved)
    assert [one.id for one in outcome.warnings] == ["G-AD-26"]
    assert report.refuses("section_confirm", "seal_keeper", slot="seal") == {"G-AD-04"}
    assert first.refuses("doubt", "class_teacher", reason="存疑") == {"X-12"}

    report.signs("section_confirm", "section", "student_affairs_section", yes=False, reason="漏盖章")
    assert report.state == "open"
    world.now += timedelta(hours=1)
    first.takes("doubt", "class_teacher", reason="存疑")
    assert (first.state, first.case.rounds) == ("face_mismatched", 1)
    by_hand(first, "manual_pass", reason="核实为本人")
    class_report_confirmed(world)
    world.replays_clean()


def test_a_sheet_sent_back_by_admissions_takes_a_doubted_row_in_a_supplementary_report(world: World):
    case, other = face_scanned(world, admits(world)), face_scanned(world, admits(world))
    class_report_confirmed(world)
    sheet = faculty_sheet_signed(world)
    sheet.takes("send_back", "admissions", reason="系统不符")
    assert sheet.state == "open"

    world.now += timedelta(hours=1)
    case.takes("doubt", "admissions", reason="系统不符")
    by_hand(case, "manual_pass", reason="核实为本人")
    supplement = the_list(world, REPORT, "K1")
    assert sheet.refuses("compile", "student_affairs_section") == {"G-AD-21"}
    class_report_confirmed(world)
    assert supplement.state == "section_confirmed"
    concluded(faculty_sheet_signed(world))
    assert (case.state, other.state) == ("passed", "passed")
    world.replays_clean()
