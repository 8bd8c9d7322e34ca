"""The end of study at the open university: audit, upload lists, exemptions, degrees, wrong certificates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.records import Json
from tests.definitions.change_acts import SCANNED, proves
from tests.definitions.conftest import Furnish
from tests.definitions.status_acts import DECISION
from tests.definitions.world import Told, World
from tests.exchange.pictures import package, picture, sheet

ROUNDS, UPLOAD = "graduation-audit-rounds", "diploma-registration.upload_list"
GAP, SHEET = "online-exam-exemption-list", "online-exam-exemption-list.sheet"
DEGREE, WRONG = "degree-application", "wrong-certificate-replacement"
BATCH = "2024-07-open"
DATES = {"graduation_on": "2024-06-30", "school_name": "示范开放大学", "president": "校长甲"}
NEW: dict[str, Json] = {"upper_decision_no": "国开〔2024〕7号", "new_certificate_no": "511615202405009999"}


def with_batch(world: World) -> World:
    """An open university with a published batch of graduation."""
    library = world.town.desk.library
    batch = library.batches["2024-06"].model_copy(update={"batch": BATCH, "profile": "open-university"})
    world.town.desk.library = replace(library, batches={**library.batches, BATCH: batch})
    world.publishes(BATCH, **DATES)
    return world


def approved(world: World, student: str) -> Told:
    """The record of a student for whom teaching point and branch have approved."""
    record = world.record(student).takes("apply", "site_operator", batch=BATCH)
    return record.takes("site_approve", "site_approver").takes("branch_approve", "branch_approver")


def audited(world: World, student: str) -> Told:
    return approved(world, student).takes("provincial_audit", "provincial_auditor")


def graduate(world: World, **facts: Json) -> str:
    """A student of the open university whose credential is registered, outside any round of audit."""
    world.publishes("2024-06", **DATES)
    student = world.ready(None, **facts)
    record = world.record(student).takes("apply", "site_operator", batch="2024-06")
    record.takes("site_approve", "site_approver").takes("branch_approve", "branch_approver")
    record.takes("provincial_audit", "provincial_auditor").takes("register", "records_section", final_audit="通过")
    return student


def supplied(world: World, *students: str) -> Told:
    """The upload list of the teaching point with the sheet of the central school."""
    listed = world.opens(UPLOAD, "S1", "supply", "provincial_auditor", batch=BATCH)
    return listed.hands_in("F-83", by="provincial_auditor", body=upload_of(*students), name="上传名单.xlsx")


def upload_of(*students: str) -> bytes:
    return sheet([["学号"], *[[student] for student in students]])


def photos_sent(listed: Told) -> Told:
    listed.hands_in("F-84", by="site_operator", body=package({"1.jpg": picture()}), name="照片.zip")
    return listed.takes("send_photos", "site_operator")


def test_the_province_audits_in_four_rounds_uploads_and_closes(world_of: Furnish):
    world = with_batch(world_of("open-university"))
    [rounds] = world.cases(ROUNDS)
    student = world.ready()

    assert (rounds.state, rounds.case.unit, rounds.field("term")) == ("planned", "P", "2023-2")
    assert rounds.due("D-39") == "2024-06-12 23:59:59"
    assert approved(world, student).refuses("provincial_audit", "provincial_auditor") == {"G-GR-27"}
    rounds.takes("start_round_1", "provincial_auditor")
    assert rounds.refuses("start_round_2", "provincial_auditor", results_issued_on="2024-06-20") == {"G-GR-30"}
    assert rounds.refuses("upload", "provincial_auditor") == {"G-GR-30"}
    world.record(student).takes("provincial_audit", "provincial_auditor")
    assert rounds.refuses("start_round_2", "provincial_auditor") == {"X-05"}
    rounds.takes("start_round_2", "provincial_auditor", results_issued_on="2024-06-20")
    rounds.takes("supplement_results", "provincial_auditor")
    rounds.takes("start_round_3", "provincial_auditor", combined_results_on="2024-06-25")
    rounds.takes("start_round_4", "provincial_auditor")
    listed = supplied(world, student)
    assert rounds.refuses("upload", "provincial_auditor") == {"G-GR-31"}
    photos_sent(listed.takes("confirm_count", "site_operator"))
    assert rounds.takes("upload", "provincial_auditor").state == "uploaded"
    assert [row[0] for row in rounds.made("F-80")] == [student]
    assert rounds.refuses("close", "provincial_auditor") == {"G-GR-32"}
    record = world.record(student)
    assert record.refuses("register", "records_section", final_audit="未通过") == {"G-GR-26"}
    record.takes("register", "records_section", final_audit="通过")
    assert rounds.takes("close", "provincial_auditor").state == "closed"
    world.replays_clean()


@pytest.mark.parametrize("used", [1, 2, 3])
def test_the_province_may_upload_from_an_earlier_round(world_of: Furnish, used: int):
    world = with_batch(world_of("open-university"))
    rounds = world.cases(ROUNDS)[0].takes("start_round_1", "provincial_auditor")
    if used > 1:
        rounds.takes("start_round_2", "provincial_auditor", results_issued_on="2024-06-20")
    if used > 2:
        rounds.takes("supplement_results", "provincial_auditor")
        rounds.takes("start_round_3", "provincial_auditor", combined_results_on="2024-06-25")

    rounds.takes("upload", "provincial_auditor").takes("close", "provincial_auditor")

    assert rounds.state == "closed"
    world.replays_clean()


def test_the_upload_list_of_a_site_agrees_with_its_audited_students_and_brings_their_photos(world_of: Furnish):
    world = with_batch(world_of("open-university"))
    world.cases(ROUNDS)[0].takes("start_round_1", "provincial_auditor")
    first, second = world.ready(), world.ready()
    audited(world, first)
    audited(world, second)
    listed = world.opens(UPLOAD, "S1", "supply", "provincial_auditor", batch=BATCH)

    assert listed.refuses("confirm_count", "site_operator") == {"G-GR-25", "X-10"}
    listed.hands_in("F-83", by="provincial_auditor", body=upload_of(first), name="上传名单.xlsx")
    listed.takes("supply_again", "provincial_auditor")
    assert listed.refuses("confirm_count", "site_operator") == {"G-GR-25"}
    world.record(second).takes("national_reject", "records_section", reason="照片不符")
    assert listed.takes("confirm_count", "site_operator").state == "count_confirmed"
    assert listed.refuses("reopen", "site_operator") == {"X-05"}
    listed.takes("reopen", "provincial_auditor", reason="漏一人").takes("confirm_count", "site_operator")
    world.knows(first, electronic_photo=None)
    listed.hands_in("F-84", by="site_operator", body=package({"1.jpg": picture()}), name="照片.zip")
    assert listed.refuses("send_photos", "site_operator") == {"G-PH-01"}
    world.knows(first, electronic_photo=True)
    assert listed.takes("send_photos", "site_operator").state == "photos_sent"
    world.replays_clean()


ROW: dict[str, Json] = {"centre_code": "00123456", "reason_code": "01"}


def gap(world: World, student: str, subject: str = "71") -> Told:
    return world.opens(GAP, student, "find_gap", "site_operator", subject_code=subject)


def lists_reasons(world: World) -> None:
    rows = [{"subject_code": code, "reason_code": "01", "reason": "已具有本科学历"} for code in ("71", "69")]
    world.fills("exemption_reasons", rows)


def sheet_sent(world: World) -> Told:
    return world.opens(SHEET, "S1", "compile", "site_operator").takes("submit", "site_operator")


def test_an_exemption_is_found_missing_listed_sent_and_confirmed_by_the_province(world_of: Furnish):
    world = world_of("open-university")
    lists_reasons(world)
    student = world.ready(unified_exam_synced=False)
    english, computing = gap(world, student), gap(world, student, "69")

    assert world.opening_refused(SHEET, "S1", "compile", "site_operator") == {"G-EX-07"}
    for case in (english, computing):
        case.takes("add_row", "site_operator", **ROW)
    compiled = world.opens(SHEET, "S1", "compile", "site_operator")
    assert [row[0] for row in compiled.made("F-70")] == ["00123456", "00123456", "/记录行结束/"]
    assert compiled.takes("submit", "site_operator").state == "submitted"
    assert english.state == "list_submitted"
    english.takes("confirm_sync", "provincial_auditor")
    assert (english.state, world.fact(student, "unified_exam_synced")) == ("synced", False)
    computing.takes("confirm_sync", "provincial_auditor")
    assert world.fact(student, "unified_exam_synced") is True
    world.replays_clean()


def test_a_rejected_exemption_is_corrected_and_sent_again_or_dropped(world_of: Furnish):
    world = world_of("open-university")
    lists_reasons(world)
    corrected, dropped = world.ready(unified_exam_synced=False), world.ready(unified_exam_synced=None)
    rows = [gap(world, student).takes("add_row", "site_operator", **ROW) for student in (corrected, dropped)]
    sheet_sent(world)
    for row in rows:
        assert row.refuses("reject", "provincial_auditor") == {"X-05"}
        assert row.takes("reject", "provincial_auditor", reason="原因代码有误").state == "rejected"

    rows[0].takes("add_row", "site_operator", **ROW)
    rows[0].takes("correct_row", "site_operator", reason="代码有误").takes("add_row", "site_operator", **ROW)
    discarded = world.opens(SHEET, "S1", "compile", "site_operator")
    discarded.takes("discard", "site_operator", reason="少一人")
    sheet_sent(world)
    assert (discarded.state, rows[0].state) == ("cancelled", "list_submitted")
    assert rows[1].takes("drop", "site_operator", reason="不再申请").state == "cancelled"
    world.replays_clean()


def test_codes_of_an_exemption_are_those_of_the_tables(world_of: Furnish):
    world = world_of("open-university")
    lists_reasons(world)
    student, synced, failed = (
        world.ready(unified_exam_synced=False),
        world.ready(),
        world.ready(unified_exam_passed=False),
    )
    start = ("find_gap", "site_operator")

    assert world.opening_refused(GAP, student, *start, subject_code="70") == {"G-EX-02"}
    assert world.opening_refused(GAP, synced, *start, subject_code="71") == {"G-EX-05"}
    assert world.opening_refused(GAP, failed, *start, subject_code="71") == {"G-EX-05"}
    case = gap(world, student)
    assert world.opening_refused(GAP, student, *start, subject_code="71") == {"G-EX-06"}
    for wrong in ("0123456", "0012345A"):
        assert case.refuses("add_row", "site_operator", **{**ROW, "centre_code": wrong}) == {"G-EX-01"}
    assert case.refuses("add_row", "site_operator", **{**ROW, "reason_code": "99"}) == {"G-EX-03"}
    assert case.takes("add_row", "site_operator", **ROW).state == "row_added"
    world.replays_clean()


BACHELOR: dict[str, Json] = {"level": "专升本", "wants_degree": True, "programme": "BK-01"}


def applicant(world: World, **facts: Json) -> str:
    """A student whose application for graduation is filed, and who has registered the degree course."""
    world.fills("programme_courses", [{"programme": "BK-01", "course_id": "00001", "term": 1, "degree_course": True}])
    world.publishes("2024-06", **DATES)
    student = world.ready(None, **{**BACHELOR, **facts})
    course = world.opens("course-registration", student, "plan", "site_operator", course_id="00001", term_no=1)
    course.takes("register", "site_operator")
    world.record(student).takes("apply", "site_operator", batch="2024-06")
    return student


def test_a_degree_is_applied_for_with_the_record_and_granted_level_by_level(world_of: Furnish):
    world = world_of("open-university")
    student = applicant(world)
    case = world.opens(DEGREE, student, "apply", "site_operator")

    assert world.record(student).field("degree_applied") is True
    world.gives("site_operator@S1", "site_approver", "S1")
    assert case.refuses("approve", "site_operator", slot="site") == {"G-SG-08"}
    assert case.refuses("approve", "branch_approver", slot="branch") == {"X-15"}
    case.signs("approve", "site", "site_approver").signs("approve", "branch", "branch_approver")
    assert case.refuses("approve", "provincial_auditor", slot="province") == {"X-05"}
    case.signs("approve", "province", "provincial_auditor", **DECISION)

    assert case.state == "approved"
    world.replays_clean()


def test_a_degree_is_refused_by_a_signature_or_a_step_and_the_application_taken_back(world_of: Furnish):
    world = world_of("open-university")
    student = applicant(world)
    by_step = world.opens(DEGREE, student, "apply", "site_operator")
    assert by_step.refuses("refuse", "branch_approver") == {"X-05"}
    assert by_step.takes("refuse", "branch_approver", reason="平均成绩不足").state == "refused"
    by_signature = world.opens(DEGREE, student, "apply", "site_operator")
    by_signature.signs("approve", "site", "site_approver", yes=False, reason="平均成绩不足")
    taken_back = world.opens(DEGREE, student, "apply", "site_operator")

    assert by_signature.state == "refused"
    assert taken_back.takes("take_back", "site_operator", reason="暂缓").state == "cancelled"
    world.replays_clean()


@pytest.mark.parametrize(
    ("facts", "refused"),
    [({"level": "专科"}, "G-GR-11"), ({"wants_degree": False}, "G-CR-04"), ({"programme": "BK-02"}, "G-CR-04")],
)
def test_a_degree_is_for_bachelors_who_want_it_and_have_its_courses(
    world_of: Furnish, facts: dict[str, Json], refused: str
):
    world = world_of("open-university")
    student = applicant(world)
    rows = [
        {"programme": code, "course_id": f"0000{code[-1]}", "term": 1, "degree_course": True}
        for code in ("BK-01", "BK-02")
    ]
    world.fills("programme_courses", rows)
    world.knows(student, **facts)

    assert refused in world.opening_refused(DEGREE, student, "apply", "site_operator")


def test_nobody_applies_for_a_degree_before_the_application_for_graduation(world_of: Furnish):
    world = world_of("open-university")
    student = applicant(world)
    world.record(student).takes("cancel_application", "site_operator", reason="推迟")

    assert "X-04" in world.opening_refused(DEGREE, student, "apply", "site_operator")


def wrong(world: World, student: str, **changes: Json) -> Told:
    given: dict[str, Json] = {"item": "name", "changed_on": "2022-03-01", "right_value": "测验", **changes}
    return world.opens(WRONG, student, "apply", "site_operator", **given)


def checked(world: World, student: str) -> Told:
    case = proves(wrong(world, student), "E-IC-ID", "E-IC-ENROL", "E-IC-GRADFORM", by="site_operator")
    case.hands_in("E-OLD-CERT", by="site_operator")
    return case.takes("check_evidence", "site_operator", **SCANNED, pages_complete=True)


def sent_up(case: Told) -> Told:
    case.hands_in("F-76b", by="responsible_head").signs("head_approve", "head", "responsible_head")
    case.signs("head_approve", "seal", "seal_keeper@B1")
    return case.takes("send_up", "provincial_auditor")


def test_a_wrong_certificate_is_proved_approved_sent_up_returned_and_replaced(world_of: Furnish):
    world = world_of("open-university")
    student = graduate(world)
    case = wrong(world, student)

    asked = {**SCANNED, "pages_complete": True}
    assert {"X-10", "EM-5a", "EM-6"} <= case.refuses("check_evidence", "site_operator", **asked)
    proves(case, "E-IC-ID", "E-IC-ENROL", "E-IC-GRADFORM", by="site_operator").hands_in(
        "E-OLD-CERT", by="site_operator"
    )
    assert case.takes("check_evidence", "site_operator", **asked).state == "evidence_checked"
    assert case.refuses("head_approve", "responsible_head", slot="head") == {"X-10"}
    case.hands_in("F-76b", by="responsible_head")
    assert case.refuses("head_approve", "seal_keeper@B1", slot="seal") == {"G-IC-05"}
    case.signs("head_approve", "head", "responsible_head").signs("head_approve", "seal", "seal_keeper@B1")
    assert case.state == "head_approved"
    assert case.takes("send_up", "provincial_auditor").state == "sent_up"
    assert case.takes("return_old", "site_operator").state == "old_certificate_returned"
    assert case.takes("replace", "records_section", **NEW).state == "replaced"
    assert world.record(student).state == "registered"
    world.replays_clean()


def test_a_wrong_certificate_is_refused_declined_sent_back_or_taken_back(world_of: Furnish):
    world = world_of("open-university")
    student = graduate(world)
    case = checked(world, student)
    case.takes("send_back", "responsible_head", reason="扫描不清")
    case.takes("check_evidence", "site_operator", **SCANNED, pages_complete=True)
    assert case.refuses("refuse", "responsible_head") == {"X-05"}
    assert case.takes("refuse", "responsible_head", reason="证据不足").state == "refused"

    declined = sent_up(checked(world, student)).takes("return_old", "site_operator")
    assert declined.takes("decline", "records_section", reason="不予换发").state == "refused"
    taken_back = wrong(world, student).takes("take_back", "student", reason="无误")
    assert taken_back.state == "cancelled"
    world.replays_clean()


def test_only_an_error_of_a_registered_certificate_that_was_there_at_graduation_is_corrected(world_of: Furnish):
    world = world_of("open-university")
    student, unregistered = graduate(world), world.ready()
    given: dict[str, Json] = {"item": "name", "changed_on": "2022-03-01", "right_value": "测验"}

    later = {**given, "changed_on": "2024-07-01"}
    assert world.opening_refused(WRONG, student, "apply", "site_operator", **later) == {"G-IC-04"}
    assert "G-LC-02" in world.opening_refused(WRONG, unregistered, "apply", "site_operator", **given)
