"""How a record ends: voluntary, automatic, by decision (自愿退学, 自动退学, 学籍注销), from start to each end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.delegating import Mandate, delegate
from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.status_acts import (
    BATCH,
    BY_HAND,
    DECISION,
    applied,
    branch_and_province_approve,
    caused_by,
    faculty_confirms,
    last_change,
    records_approve,
    site_confirms,
    suspended,
    withdrawn,
)
from tests.definitions.world import Told, World

FORM: dict[str, Json] = {"change_reason": "39", "copies": 4, **BY_HAND}
ABSENCE: dict[str, Json] = {"absent_since": "2024-03-01", "facts_found": "未报到，电话不通"}
EXPELLED: dict[str, Json] = {"cause": "expelled", **DECISION}
SCHOOLS = ["fulltime-university", "fulltime-vocational", "fulltime-college"]


def drafted(world: World, student: str) -> Told:
    case = world.opens("voluntary-withdrawal", student, "draft", "site_operator", cause="工作")
    return case.hands_in("F-56", by="site_operator")


def approved(world: World, student: str) -> Told:
    case = drafted(world, student).takes("submit", "site_operator", **FORM)
    return branch_and_province_approve(site_confirms(case))


def with_course(world: World, student: str) -> Told:
    """A course the student is about to take: something open that ends with the record."""
    world.knows(student, programme="ZK-01")
    world.fills("programme_courses", [{"programme": "ZK-01", "course_id": "00001", "term": 1, "degree_course": False}])
    return world.opens("course-registration", student, "plan", "site_operator", course_id="00001", term_no=1)


def climbs(record: Told, upto: str) -> Told:
    """An application for graduation on its way up."""
    steps = [
        ("site_approved", "site_approve", "site_approver"),
        ("branch_approved", "branch_approve", "branch_approver"),
        ("provincially_audited", "provincial_audit", "provincial_auditor"),
    ]
    for state, trigger, by in steps:
        if record.state != upto:
            assert record.takes(trigger, by).state == state
    return record


def test_a_voluntary_withdrawal_ends_the_record_and_what_is_open_when_it_is_deregistered(world_of: Furnish):
    world = world_of("open-university")
    student = world.enrols()
    course = with_course(world, student)

    case = drafted(world, student)
    case.takes("submit", "site_operator", **FORM)
    site_confirms(case)
    branch_and_province_approve(case)
    assert world.record(student).state == "enrolled"
    case.takes("deregister", "records_section")

    record = world.record(student)
    assert (case.state, record.state, course.state) == ("deregistered", "withdrawn", "cancelled")
    assert record.field("reason_code") == "voluntary"
    assert caused_by(record, case)
    assert last_change(world, student) == ("31", DECISION["decided_on"], DECISION["document_no"])
    world.replays_clean()


def test_a_student_on_leave_withdraws_likewise(world_of: Furnish):
    world = world_of("open-university")
    student = world.enrols()
    suspended(world, student)

    assert approved(world, student).takes("deregister", "records_section").state == "deregistered"
    assert world.record(student).state == "withdrawn"
    world.replays_clean()


def test_an_application_filed_meanwhile_ends_with_the_record_in_one_step(world_of: Furnish):
    world = world_of("open-university")
    world.publishes(BATCH)
    student = world.ready()
    case = approved(world, student)
    record = applied(world, student)
    before = len(record.events())

    case.takes("deregister", "records_section")

    assert record.state == "withdrawn"
    assert len(record.events()) == before + 1
    world.replays_clean()


def test_a_record_with_the_province_is_not_deregistered(world_of: Furnish):
    world = world_of("open-university")
    world.publishes(BATCH, graduation_on="2024-06-30")
    student = world.ready()
    case = approved(world, student)
    record = climbs(applied(world, student), "provincially_audited")

    assert case.refuses("deregister", "records_section") == {"G-SC-09"}
    assert record.state == "provincially_audited"


def test_a_voluntary_withdrawal_is_returned_rejected_taken_back_or_revoked(world_of: Furnish):
    world = world_of("open-university")
    case, back = drafted(world, world.enrols()), drafted(world, world.enrols())
    revoked = approved(world, world.enrols())

    case.takes("submit", "site_operator", **FORM).takes("send_back", "site_approver", reason="份数有误")
    site_confirms(case.takes("submit", "student", **FORM))
    site_confirms(case.takes("return", "provincial_auditor", to="submitted", reason="印章不清"))
    case.signs("approve", "branch", "branch_approver", yes=False, reason="不符合条件")
    back.takes("take_back", "student", reason="继续学习")
    revoked.takes("revoke", "records_section", reason="学生申请撤销")

    assert (case.state, back.state, revoked.state) == ("rejected", "cancelled", "cancelled")
    world.replays_clean()


def test_a_voluntary_withdrawal_needs_four_copies_written_by_hand(world_of: Furnish):
    world = world_of("open-university")
    case = world.opens("voluntary-withdrawal", world.enrols(), "draft", "site_operator", cause="工作")

    assert case.refuses("submit", "site_operator", **FORM) == {"X-10"}
    case.hands_in("F-56", by="site_operator")
    assert case.refuses("submit", "site_operator", **{**FORM, "copies": 3}) == {"G-WD-09"}
    assert case.refuses("submit", "site_operator", **{**FORM, "signed_by_hand": False}) == {"G-SC-01"}
    assert case.takes("submit", "site_operator", **FORM).state == "submitted"
    world.replays_clean()


def test_nobody_submits_a_withdrawal_for_the_student_in_a_right_that_is_lent(world_of: Furnish):
    world = world_of("open-university")
    case = drafted(world, world.enrols())
    lender = world.actor("site_operator", "S1")
    until = datetime(2024, 5, 31, tzinfo=UTC)
    mandate = Mandate(taker="handler@S1", role="site_operator", reason="请假")
    assert not delegate(world.town.desk, "S1", mandate, until, world.request("delegate", lender))

    assert case.refuses("submit", "handler@S1", **FORM) == {"G-SG-01"}


def test_who_applied_for_graduation_cancels_that_before_withdrawing(world_of: Furnish):
    world = world_of("open-university")
    world.publishes(BATCH)
    student = world.ready()
    record = applied(world, student)

    start = ("voluntary-withdrawal", student, "draft", "student")
    assert world.opening_refused(*start, cause="工作") == {"G-SC-06"}
    record.takes("cancel_application", "site_operator", reason="退学")
    assert world.opens(*start, cause="工作").state == "drafted"


def test_online_the_records_section_alone_approves_a_withdrawal(world_of: Furnish):
    world = world_of("online-ed")
    student = world.enrols()
    records_approve(site_confirms(drafted(world, student).takes("submit", "site_operator", **FORM)))
    [case] = world.cases_of(student, "voluntary-withdrawal")

    assert case.takes("deregister", "records_section").state == "deregistered"
    assert world.record(student).state == "withdrawn"
    world.replays_clean()


@pytest.mark.parametrize("profile", SCHOOLS)
def test_at_a_school_a_withdrawal_goes_over_faculty_and_records_section(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = world.enrols()
    case = world.opens("voluntary-withdrawal", student, "draft", "class_teacher", cause="工作")
    assert case.refuses("submit", "class_teacher", change_reason="39") == {"X-10"}
    case.hands_in("F-51", by="class_teacher").takes("submit", "class_teacher", change_reason="39")
    records_approve(faculty_confirms(case)).takes("deregister", "records_section")

    assert (case.state, world.record(student).state) == ("deregistered", "withdrawn")
    world.replays_clean()


def absent(world: World, student: str) -> Told:
    case = world.opens("automatic-withdrawal", student, "find_absence", "class_teacher", **ABSENCE)
    return case.hands_in("F-50", by="counsellor")


def initiated(world: World, student: str) -> Told:
    return absent(world, student).signs("initiate", "counsellor", "counsellor")


@pytest.mark.parametrize("profile", ["fulltime-college", "fulltime-university", "fulltime-vocational"])
def test_the_counsellor_initiates_an_automatic_withdrawal_for_the_student_who_is_gone(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = world.enrols()

    case = absent(world, student)
    case.signs("initiate", "counsellor", "counsellor")
    assert case.state == "initiated_by_counsellor"
    case.takes("faculty_approve", "faculty_head")
    case.takes("decide", "academic_affairs", **DECISION)
    case.takes("deregister", "records_section")

    record = world.record(student)
    assert (case.state, record.state) == ("deregistered", "withdrawn")
    assert record.field("reason_code") == "automatic"
    assert last_change(world, student) == ("31", DECISION["decided_on"], DECISION["document_no"])
    transcript = ("transcript-issue", student, "request", "student")
    assert world.opening_refused(*transcript, purpose="individual") == {"G-WD-10"}
    world.replays_clean()


def test_after_an_automatic_withdrawal_nothing_is_certified_by_annotation(world_of: Furnish):
    world = world_of("fulltime-university")
    student = world.enrols()
    record = world.record(student).takes("withdraw", "records_section", reason_code="automatic", **DECISION)
    said: dict[str, Json] = {"kind": "certificate_of_study", "content": "学习证明", "happened_on": "2024-04-22"}

    assert record.state == "withdrawn"
    assert "G-WD-10" in world.opening_refused("record-annotation", student, "propose", "records_officer", **said)


def test_an_absent_student_who_appears_stops_the_automatic_withdrawal(world_of: Furnish):
    world = world_of("fulltime-college")
    first, second = absent(world, world.enrols()), initiated(world, world.enrols())

    assert first.refuses("student_appears", "counsellor") == {"X-05"}
    for case in (first, second):
        assert case.takes("student_appears", "counsellor", reason="已到校").state == "cancelled"
    world.replays_clean()


def test_an_automatic_withdrawal_is_sent_back_rejected_or_revoked(world_of: Furnish):
    world = world_of("fulltime-college")
    rejected, revoked = initiated(world, world.enrols()), initiated(world, world.enrols())

    rejected.takes("send_back", "faculty_head", reason="未联系家长").signs("initiate", "counsellor", "counsellor")
    rejected.takes("faculty_approve", "faculty_head").takes("reject", "academic_affairs", reason="已请假")
    revoked.takes("faculty_approve", "faculty_head").takes("decide", "academic_affairs", **DECISION)
    revoked.takes("revoke", "academic_affairs", reason="已请假")

    assert (rejected.state, revoked.state) == ("rejected", "cancelled")
    world.replays_clean()


def test_only_a_counsellor_with_the_form_initiates_and_every_level_is_another_person(world_of: Furnish):
    world = world_of("fulltime-college")
    for role, unit in (("faculty_head", "F1"), ("academic_affairs", "U"), ("records_section", "U")):
        world.gives("counsellor@K1", role, unit)
    case = world.opens("automatic-withdrawal", world.enrols(), "find_absence", "class_teacher", **ABSENCE)

    assert case.refuses("initiate", "counsellor", slot="counsellor") == {"X-10"}
    case.hands_in("F-50", by="class_teacher")
    case.bars("initiate", "class_teacher")
    case.bars("initiate", "student")
    case.signs("initiate", "counsellor", "counsellor")
    assert case.refuses("faculty_approve", "counsellor") == {"G-SG-08"}
    case.takes("faculty_approve", "faculty_head")
    assert case.refuses("decide", "counsellor", **DECISION) == {"G-SG-08"}
    case.takes("decide", "academic_affairs", **DECISION)
    assert case.refuses("deregister", "counsellor") == {"G-SG-08"}
    assert case.takes("deregister", "records_section").state == "deregistered"
    world.replays_clean()


def decided(world: World, student: str, **said: Json) -> Told:
    by = "provincial_auditor" if world.profile == "open-university" else "academic_affairs"
    return world.opens("record-deregistration", student, "record_decision", by, **{**EXPELLED, **said})


@pytest.mark.parametrize(
    ("cause", "code"),
    [("expelled", "42"), ("deceased", "51"), ("record_cancelled", "18"), ("ordered", "31"), ("academic", "31")],
)
def test_a_decision_ends_the_record_with_its_cause_and_category(world_of: Furnish, cause: str, code: str):
    world = world_of("fulltime-university")
    student = world.enrols()
    case = decided(world, student, cause=cause)
    assert case.refuses("deregister", "records_section") == {"X-10"}
    case.hands_in("E-DECISION", by="records_section").takes("deregister", "records_section")

    record = world.record(student)
    assert (case.state, record.state, record.field("reason_code")) == ("deregistered", "withdrawn", cause)
    assert last_change(world, student) == (code, DECISION["decided_on"], DECISION["document_no"])
    world.replays_clean()


@pytest.mark.parametrize(
    "profile",
    ["fulltime-vocational", "fulltime-college", "vocational-branch", "generic", "open-university", "online-ed"],
)
def test_a_decision_is_carried_out_the_same_way_in_every_profile(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = world.enrols("SU" if profile == "online-ed" else None)
    case = decided(world, student)
    case.hands_in("E-DECISION", by="records_section").takes("deregister", "records_section")

    assert world.record(student).state == "withdrawn"
    world.replays_clean()


@pytest.mark.parametrize("state", ["applied", "site_approved", "branch_approved"])
def test_a_decision_ends_an_application_that_has_not_left_for_the_province(world_of: Furnish, state: str):
    world = world_of("open-university")
    world.publishes(BATCH)
    student = world.ready()
    record = climbs(applied(world, student), state)
    case = decided(world, student).hands_in("E-DECISION", by="records_section")
    before = len(record.events())

    case.takes("deregister", "records_section")

    assert record.state == "withdrawn"
    assert len(record.events()) == before + 1
    world.replays_clean()


def test_a_decision_on_the_record_is_revoked_with_a_reason(world_of: Furnish):
    world = world_of("fulltime-university")
    case = decided(world, world.enrols())

    assert case.refuses("revoke", "academic_affairs") == {"X-05"}
    assert case.takes("revoke", "academic_affairs", reason="申诉成立").state == "cancelled"
    world.replays_clean()


def test_a_decision_has_its_date_and_a_cause_of_its_own_and_is_for_a_record_that_can_end(world_of: Furnish):
    world = world_of("fulltime-university")
    student, gone = world.enrols(), world.enrols()
    withdrawn(world, gone)
    start = ("record-deregistration", student, "record_decision", "academic_affairs")

    assert world.opening_refused(*start, **{**EXPELLED, "cause": "transferred_out"}) == {"G-WD-15"}
    assert world.opening_refused(*start, cause="expelled", document_no="学字2024-7") == {"X-05"}
    assert world.opening_refused("record-deregistration", gone, *start[2:], **EXPELLED) == {"G-SC-09"}
    assert world.opens(*start, **EXPELLED).state == "decided"
    world.replays_clean()


def test_a_record_with_the_province_or_registered_is_ended_by_no_decision(world_of: Furnish):
    world = world_of("open-university")
    world.publishes(BATCH, graduation_on="2024-06-30")
    student = world.ready()
    climbs(applied(world, student), "provincially_audited")

    start = ("record-deregistration", student, "record_decision", "provincial_auditor")
    assert world.opening_refused(*start, **EXPELLED) == {"G-SC-09"}


def test_who_records_a_decision_does_not_deregister(world_of: Furnish):
    world = world_of("fulltime-university")
    world.gives("academic_affairs@U", "records_section", "U")
    case = decided(world, world.enrols()).hands_in("E-DECISION", by="records_section")

    assert case.refuses("deregister", "academic_affairs") == {"G-SG-08"}
    assert case.takes("deregister", "records_section").state == "deregistered"


def test_a_record_is_deregistered_within_fifteen_working_days_of_the_decision(world_of: Furnish):
    """The days worked and not worked around the Mid-Autumn Festival and the National Day of 2024 count as they were."""
    world = world_of("fulltime-college")
    on: dict[str, Json] = {"decided_on": "2024-09-18", "document_no": "学字2024-21"}
    gone, leaving = initiated(world, world.enrols()), world.enrols()
    gone.takes("faculty_approve", "faculty_head").takes("decide", "academic_affairs", **on)
    own = world.opens("voluntary-withdrawal", leaving, "draft", "student", cause="工作")
    own.hands_in("F-51", by="class_teacher").takes("submit", "student", change_reason="39")
    faculty_confirms(own).signs("approve", "records", "records_section", **on)

    for case in (decided(world, world.enrols(), **on), gone, own):
        assert case.due("D-10") == "2024-10-14 23:59:59"


def test_a_deregistration_that_is_late_stays_possible(world_of: Furnish):
    world = world_of("fulltime-university")
    student = world.enrols()
    case = decided(world, student, decided_on="2024-09-18").hands_in("E-DECISION", by="records_section")

    world.now = datetime(2024, 10, 15, tzinfo=UTC)
    assert case.takes("deregister", "records_section").state == "deregistered"
    world.replays_clean()
