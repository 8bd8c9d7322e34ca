"""Leave, resumption and retention (休学, 复学, 保留学籍) from start to each end."""

from __future__ import annotations

import pytest

from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.status_acts import (
    BATCH,
    BY_HAND,
    DECISION,
    NEXT_TERM,
    branch_and_province_approve,
    caused_by,
    faculty_confirms,
    last_change,
    records_approve,
    site_confirms,
    suspended,
)
from tests.definitions.world import Told, World

LEAVE = {"cause": "因病", "leave_from": "2024-09-02", "leave_to": "2025-02-28"}
RETENTION = {"cause": "参军", "retained_from": "2024-04-01", "retained_to": "2024-08-31"}
OF_LEAVE = ("11", DECISION["decided_on"], DECISION["document_no"])
SCHOOLS = ["fulltime-university", "fulltime-vocational", "fulltime-college"]


def drafted(world: World, student: str) -> Told:
    return world.opens("leave-of-absence", student, "draft", "site_operator", **LEAVE)


def submitted(case: Told) -> Told:
    return case.takes("submit", "site_operator", change_reason="10", **BY_HAND)


def leave(world: World, student: str) -> Told:
    """A leave at an open university, up to its approval."""
    case = drafted(world, student).hands_in("F-55", by="site_operator")
    return branch_and_province_approve(site_confirms(submitted(case)))


def retained(world: World, student: str) -> Told:
    case = world.opens("status-retention", student, "draft", "class_teacher", **RETENTION)
    return records_approve(faculty_confirms(case.takes("submit", "class_teacher", change_reason="34")))


def test_a_leave_goes_over_two_signings_and_suspends_the_record_in_the_same_act(world_of: Furnish):
    world = world_of("open-university")
    student = world.enrols()

    case = drafted(world, student)
    assert case.state == "drafted"
    assert submitted(case.hands_in("F-55", by="site_operator")).state == "submitted"
    assert site_confirms(case).state == "site_confirmed"
    assert world.record(student).state == "enrolled"
    assert branch_and_province_approve(case).state == "approved"

    record = world.record(student)
    assert record.state == "suspended"
    assert record.field("suspended_until") == LEAVE["leave_to"]
    assert caused_by(record, case)
    assert last_change(world, student) == OF_LEAVE
    world.replays_clean()


def test_a_leave_that_is_returned_goes_the_same_way_again_and_a_fourth_return_is_refused(world_of: Furnish):
    world = world_of("open-university")
    case = drafted(world, world.enrols()).hands_in("F-55", by="site_operator")

    submitted(case).signs("confirm", "site", "site_approver", yes=False, reason="日期有误")
    assert case.state == "drafted"
    site_confirms(submitted(case)).takes("return", "provincial_auditor", to="submitted", reason="印章不清")
    assert case.state == "submitted"
    case.takes("send_back", "site_approver", reason="原因不明")
    submitted(case)

    assert case.refuses("send_back", "site_approver", reason="原因不明") == {"X-01"}
    assert case.refuses("confirm", "site_approver", slot="site", yes=False, reason="原因不明") == {"X-01"}
    branch_and_province_approve(site_confirms(case))
    assert case.state == "approved"
    world.replays_clean()


def test_a_leave_that_the_branch_signs_against_is_rejected_and_the_record_stays(world_of: Furnish):
    world = world_of("open-university")
    student = world.enrols()
    case = site_confirms(submitted(drafted(world, student).hands_in("F-55", by="site_operator")))

    assert case.refuses("approve", "branch_approver", slot="branch", yes=False) == {"X-05"}
    case.signs("approve", "branch", "branch_approver", yes=False, reason="不符合条件")

    assert case.state == "rejected"
    assert world.record(student).state == "enrolled"
    world.replays_clean()


@pytest.mark.parametrize("by", ["student", "site_operator"])
def test_a_leave_is_taken_back_by_the_student_or_the_teaching_point_with_a_reason(world_of: Furnish, by: str):
    world = world_of("open-university")
    case = drafted(world, world.enrols())

    assert case.refuses("take_back", by) == {"X-05"}
    case.takes("take_back", by, reason="不再休学")

    assert case.state == "cancelled"
    world.replays_clean()


def test_a_leave_is_submitted_when_dates_form_and_paper_are_in_order(world_of: Furnish):
    world = world_of("open-university")
    case = drafted(world, world.enrols())

    assert case.refuses("submit", "site_operator", change_reason="10", **BY_HAND) == {"X-10"}
    case.hands_in("F-55", by="site_operator")
    assert case.refuses("submit", "site_operator", change_reason="10") == {"G-SC-01", "X-05"}
    for lacking in BY_HAND:
        form = {**BY_HAND, lacking: False}
        assert case.refuses("submit", "site_operator", change_reason="10", **form) == {"G-SC-01"}
    backwards = {**BY_HAND, "change_reason": "10", "leave_to": "2024-09-01"}
    assert case.refuses("submit", "site_operator", **backwards) == {"G-SC-11"}

    assert submitted(case).state == "submitted"
    world.replays_clean()


def test_who_submits_a_leave_neither_confirms_nor_approves_it(world_of: Furnish):
    world = world_of("open-university")
    world.gives("site_operator@S1", "site_approver", "S1")
    world.gives("site_operator@S1", "branch_approver", "B1")
    case = submitted(drafted(world, world.enrols()).hands_in("F-55", by="site_operator"))

    assert case.refuses("confirm", "site_operator", slot="site") == {"G-SG-08"}
    site_confirms(case)
    assert case.refuses("approve", "site_operator", slot="branch") == {"G-SG-08"}
    assert branch_and_province_approve(case).state == "approved"
    world.replays_clean()


def test_a_leave_is_for_somebody_on_roll_from_the_draft_to_the_approval(world_of: Furnish):
    world = world_of("open-university")
    away, graduating = world.enrols(), world.ready()
    suspended(world, away)
    assert "G-SC-06" in world.opening_refused("leave-of-absence", away, "draft", "site_operator", **LEAVE)

    case = site_confirms(submitted(drafted(world, graduating).hands_in("F-55", by="site_operator")))
    case.signs("approve", "branch", "branch_approver")
    world.record(graduating).takes("suspend", "records_section", **DECISION)
    refused = case.refuses("approve", "provincial_auditor", slot="province", **DECISION)

    assert refused == {"G-SC-06"}
    world.replays_clean()


def test_while_a_leave_is_open_no_other_change_no_application_and_no_course_goes_on(world_of: Furnish):
    world = world_of("open-university")
    world.publishes(BATCH)
    student = world.ready()
    world.knows(student, programme="ZK-01")
    world.fills("programme_courses", [{"programme": "ZK-01", "course_id": "00001", "term": 1, "degree_course": False}])
    course = world.opens("course-registration", student, "plan", "site_operator", course_id="00001", term_no=1)
    case = drafted(world, student)

    assert "G-CR-05" in world.opening_refused("major-transfer", student, "draft", "site_operator", **TARGET)
    assert course.refuses("register", "site_operator") == {"G-CR-05"}
    record = world.record(student)
    assert "G-SC-07" in record.refuses("apply", "site_operator", batch=BATCH)

    case.takes("take_back", "site_operator", reason="不再休学")
    course.takes("register", "site_operator")
    record.takes("apply", "site_operator", batch=BATCH)
    assert "G-SC-06" in world.opening_refused("leave-of-absence", student, "draft", "site_operator", **LEAVE)
    world.replays_clean()


TARGET: dict[str, Json] = {"cause": "兴趣", "target_major": "530701", "target_major_name": "电子商务"}


def test_during_a_leave_nobody_applies_for_graduation(world_of: Furnish):
    world = world_of("open-university")
    world.publishes(BATCH)
    student = world.ready()
    leave(world, student)

    world.record(student).bars("apply", "site_operator", batch=BATCH)


def test_an_open_student_has_one_change_of_status_a_term(world_of: Furnish):
    world = world_of("open-university")
    taken_back, rejected = world.enrols(), world.enrols()
    drafted(world, taken_back).takes("take_back", "student", reason="改期")
    drafted(world, taken_back).takes("take_back", "student", reason="改期")
    case = submitted(drafted(world, rejected).hands_in("F-55", by="site_operator"))
    case.takes("reject", "site_approver", reason="不符合条件")
    again = leave(world, rejected)
    assert again.state == "approved"

    resume = ("resumption-of-study", rejected, "draft", "site_operator")
    assert world.opening_refused(*resume, resume_from="2024-09-02") == {"G-SC-10"}
    world.now = NEXT_TERM
    assert world.opens(*resume, resume_from="2024-09-02").state == "drafted"
    world.replays_clean()


def test_online_the_records_section_alone_approves_a_leave(world_of: Furnish):
    world = world_of("online-ed")
    student = world.enrols()
    case = site_confirms(submitted(drafted(world, student).hands_in("F-55", by="site_operator")))
    case.takes("return", "records_section", to="submitted", reason="印章不清")

    site_confirms(case)
    records_approve(case)

    assert case.state == "approved"
    assert world.record(student).state == "suspended"
    world.replays_clean()


@pytest.mark.parametrize("profile", SCHOOLS)
def test_at_a_school_the_faculty_confirms_a_leave_and_the_records_section_approves(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = world.enrols()
    world.gives("faculty_head@F1", "records_section", "U")

    case = world.opens("leave-of-absence", student, "draft", "class_teacher", **LEAVE)
    assert case.refuses("submit", "class_teacher", change_reason="10") == {"X-10"}
    case.hands_in("F-52", by="class_teacher").takes("submit", "class_teacher", change_reason="10")
    case.signs("confirm", "class_teacher", "class_teacher")
    case.signs("confirm", "faculty_head", "faculty_head", yes=False, reason="原因不明")
    assert case.state == "drafted"
    faculty_confirms(case.takes("submit", "student", change_reason="10"))
    assert case.refuses("approve", "faculty_head", slot="records", **DECISION) == {"G-SG-08"}
    records_approve(case)

    assert case.state == "approved"
    assert world.record(student).state == "suspended"
    assert last_change(world, student) == OF_LEAVE
    world.replays_clean()


def resumption(world: World, student: str) -> Told:
    case = world.opens("resumption-of-study", student, "draft", "site_operator", resume_from="2024-09-02")
    return case.hands_in("F-55", by="site_operator")


def test_a_resumption_puts_the_record_back_on_roll_and_clears_the_end_of_the_leave(world_of: Furnish):
    world = world_of("open-university")
    student = world.enrols()
    leave(world, student)
    world.now = NEXT_TERM

    case = resumption(world, student)
    assert case.field("predecessor") == "11"
    case.takes("submit", "site_operator", **BY_HAND)
    assert case.field("change_code") == "12"
    site_confirms(case)
    branch_and_province_approve(case)

    record = world.record(student)
    assert (case.state, record.state) == ("approved", "enrolled")
    assert record.field("suspended_until") is None
    assert caused_by(record, case)
    assert world.fact(student, "last_change") == "12"
    world.replays_clean()


def test_a_resumption_is_returned_and_sent_back_rejected_or_taken_back(world_of: Furnish):
    world = world_of("open-university")
    first, second = world.enrols(), world.enrols()
    for student in (first, second):
        suspended(world, student)
        world.knows(student, last_change="11")

    case = resumption(world, first).takes("submit", "site_operator", **BY_HAND)
    case.takes("send_back", "site_approver", reason="日期有误").takes("submit", "student", **BY_HAND)
    site_confirms(case).takes("return", "branch_approver", to="drafted", reason="印章不清")
    site_confirms(case.takes("submit", "site_operator", **BY_HAND))
    case.signs("approve", "branch", "branch_approver")
    case.signs("approve", "province", "provincial_auditor", yes=False, reason="不符合条件")
    back = resumption(world, second).takes("take_back", "student", reason="延长休学")

    assert (case.state, back.state) == ("rejected", "cancelled")
    assert world.record(first).state == world.record(second).state == "suspended"
    world.replays_clean()


def test_a_resumption_follows_a_leave_a_stop_or_a_retention_and_nothing_else(world_of: Furnish):
    world = world_of("open-university")
    student = world.enrols()
    start = ("resumption-of-study", student, "draft", "site_operator")
    assert "G-SC-08" in world.opening_refused(*start, resume_from="2024-09-02")

    suspended(world, student)
    case = resumption(world, student)
    assert case.refuses("submit", "site_operator", **BY_HAND) == {"G-SC-12"}
    assert case.refuses("submit", "site_operator", predecessor="23", **BY_HAND) == {"G-SC-12"}
    assert case.refuses("submit", "site_operator", predecessor="13", **{**BY_HAND, "body_typed": False}) == {"G-SC-01"}
    case.takes("submit", "site_operator", predecessor="13", **BY_HAND)

    assert (case.state, case.field("change_code")) == ("submitted", "12")
    world.replays_clean()


def restored(world: World, student: str) -> Told:
    """A resumption at a school, up to its approval."""
    case = world.opens("resumption-of-study", student, "draft", "class_teacher", resume_from="2024-05-06")
    assert case.refuses("submit", "class_teacher") == {"X-10"}
    faculty_confirms(case.hands_in("F-53", by="class_teacher").takes("submit", "class_teacher"))
    return records_approve(case)


@pytest.mark.parametrize("profile", SCHOOLS)
def test_a_retention_is_resumed_in_the_act_that_restores_the_record(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = world.enrols()
    retention = retained(world, student)

    case = restored(world, student)

    assert (case.state, case.field("change_code")) == ("approved", "17")
    assert retention.state == "resumed"
    assert caused_by(retention, case)
    assert world.record(student).state == "enrolled"
    assert world.fact(student, "last_change") == "17"
    world.replays_clean()


def test_online_the_records_section_alone_approves_a_resumption(world_of: Furnish):
    world = world_of("online-ed")
    student = world.enrols()
    suspended(world, student)
    world.knows(student, last_change="11")

    case = resumption(world, student).takes("submit", "site_operator", **BY_HAND)
    assert records_approve(site_confirms(case)).state == "approved"
    assert world.record(student).state == "enrolled"
    world.replays_clean()


def test_a_retention_suspends_the_record_until_its_end_in_the_same_act(world_of: Furnish):
    world = world_of("fulltime-university")
    student = world.enrols()

    case = world.opens("status-retention", student, "draft", "class_teacher", **RETENTION)
    case.takes("submit", "class_teacher", change_reason="34")
    assert faculty_confirms(case).state == "site_confirmed"
    assert records_approve(case).state == "approved"

    record = world.record(student)
    assert record.state == "suspended"
    assert record.field("suspended_until") == RETENTION["retained_to"]
    assert caused_by(record, case)
    assert last_change(world, student) == ("19", DECISION["decided_on"], DECISION["document_no"])
    assert "G-SC-06" in world.opening_refused("status-retention", student, "draft", "class_teacher", **RETENTION)
    world.replays_clean()
