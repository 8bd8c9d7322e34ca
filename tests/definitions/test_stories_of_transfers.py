"""Transfers of major and of school (转专业, 转学), from start to each end."""

from __future__ import annotations

import pytest

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
)
from tests.definitions.world import Told, World

TO_MAJOR: dict[str, Json] = {"cause": "兴趣", "target_major": "530701", "target_major_name": "电子商务"}
OWN_MAJOR = "530605"
INSIDE: dict[str, Json] = {
    "cause": "搬家", "leaves_system": False, "target_major": OWN_MAJOR, "target_site": "S2", "target_type": "开放教育",
}  # fmt: skip
OUTSIDE: dict[str, Json] = {
    "cause": "搬家", "leaves_system": True, "target_major": OWN_MAJOR, "target_school": "示范大学",
}  # fmt: skip
SCHOOLS = ["fulltime-university", "fulltime-vocational", "fulltime-college"]


def offers(world: World, *rows: tuple[str, str]) -> None:
    """Majors offered this term to the students' cohort: (major, teaching point)."""
    said: dict[str, Json] = {"cohort": 2022, "term": "2023-2"}
    world.fills("major_offers", [{"major_code": major, "site": site, **said} for major, site in rows])


def to_major(world: World, student: str, **changes: Json) -> Told:
    case = world.opens("major-transfer", student, "draft", "site_operator", **{**TO_MAJOR, **changes})
    return case.hands_in("F-55", by="site_operator")


def submits_major(case: Told, **changes: Json) -> Told:
    return case.takes("submit", "site_operator", target_programme="ZK-02", **BY_HAND, **changes)


def test_a_transfer_of_major_changes_the_programme_and_leaves_the_record_on_roll(world_of: Furnish):
    world = world_of("open-university")
    offers(world, ("530701", "S1"))
    student = world.enrols(programme="ZK-01", major="金融")

    case = to_major(world, student)
    submits_major(case)
    site_confirms(case)
    branch_and_province_approve(case)

    assert (case.state, world.record(student).state) == ("approved", "enrolled")
    named = [world.fact(student, name) for name in ("major_code", "major", "programme")]
    assert named == ["530701", "电子商务", "ZK-02"]
    assert last_change(world, student) == ("23", DECISION["decided_on"], DECISION["document_no"])
    world.replays_clean()


@pytest.mark.parametrize(
    "other",
    [
        {"major_code": "530702", "site": "S1", "cohort": 2022, "term": "2023-2"},
        {"major_code": "530701", "site": "S2", "cohort": 2022, "term": "2023-2"},
        {"major_code": "530701", "site": "S1", "cohort": 2023, "term": "2023-2"},
        {"major_code": "530701", "site": "S1", "cohort": 2022, "term": "2023-1"},
    ],
    ids=["major", "teaching point", "cohort", "term"],
)
def test_a_major_is_offered_here_to_the_same_cohort_this_term_or_refused(world_of: Furnish, other: dict[str, Json]):
    world = world_of("open-university")
    world.fills("major_offers", [other])
    case = to_major(world, world.enrols())

    assert case.refuses("submit", "site_operator", target_programme="ZK-02", **BY_HAND) == {"G-SC-02"}
    offers(world, ("530701", "S1"))
    assert submits_major(case).state == "submitted"


def test_a_transfer_of_major_needs_another_major_and_the_form_by_hand(world_of: Furnish):
    world = world_of("open-university")
    offers(world, ("530701", "S1"), (OWN_MAJOR, "S1"))
    case = to_major(world, world.enrols(), target_major=OWN_MAJOR)
    say: dict[str, Json] = {"target_programme": "ZK-02", **BY_HAND}

    assert case.refuses("submit", "site_operator", **say) == {"G-SC-13"}
    typed = {**say, "target_major": "530701", "body_typed": False}
    assert case.refuses("submit", "site_operator", **typed) == {"G-SC-01"}
    assert submits_major(case, target_major="530701").state == "submitted"
    world.replays_clean()


def test_a_transfer_of_major_is_for_somebody_on_roll(world_of: Furnish):
    world = world_of("open-university")
    student = world.enrols()
    suspended(world, student)

    refused = world.opening_refused("major-transfer", student, "draft", "site_operator", **TO_MAJOR)
    assert refused == {"G-SC-06"}


def test_a_transfer_of_major_is_returned_rejected_or_taken_back(world_of: Furnish):
    world = world_of("open-university")
    offers(world, ("530701", "S1"))
    case = submits_major(to_major(world, world.enrols())).takes("send_back", "site_approver", reason="专业有误")
    site_confirms(submits_major(case)).takes("return", "branch_approver", to="submitted", reason="印章不清")
    site_confirms(case).signs("approve", "branch", "branch_approver", yes=False, reason="名额已满")
    back = to_major(world, world.enrols()).takes("take_back", "student", reason="改主意")

    assert (case.state, back.state) == ("rejected", "cancelled")
    world.replays_clean()


def test_online_the_records_section_alone_approves_a_transfer_of_major(world_of: Furnish):
    world = world_of("online-ed")
    offers(world, ("530701", "S1"))
    student = world.enrols()
    records_approve(site_confirms(submits_major(to_major(world, student))))

    assert world.fact(student, "major_code") == "530701"
    world.replays_clean()


@pytest.mark.parametrize("profile", SCHOOLS)
def test_at_a_school_a_transfer_of_major_moves_the_student_to_the_class_named(world_of: Furnish, profile: str):
    world = world_of(profile)
    student = world.enrols()
    case = world.opens("major-transfer", student, "draft", "class_teacher", **TO_MAJOR)
    assert case.refuses("submit", "class_teacher") == {"X-10"}
    faculty_confirms(case.hands_in("F-54", by="class_teacher").takes("submit", "class_teacher"))
    assert case.refuses("approve", "records_section", slot="records", **DECISION) == {"X-05"}
    case.signs("approve", "records", "records_section", target_class="K3", **DECISION)

    assert case.state == "approved"
    assert world.town.student(student).unit == "K3"
    assert world.record(student).case.unit == "K3"
    assert world.fact(student, "major_code") == "530701"
    world.replays_clean()


def to_school(world: World, student: str, **said: Json) -> Told:
    case = world.opens("school-transfer", student, "draft", "site_operator", **said)
    return case.hands_in("F-55", by="site_operator").takes("submit", "site_operator", **BY_HAND)


def mover(world: World) -> str:
    return world.enrols(student_type="开放教育")


def test_a_transfer_inside_moves_the_student_with_all_that_is_open(world_of: Furnish):
    world = world_of("open-university")
    offers(world, (OWN_MAJOR, "S2"))
    student = mover(world)
    world.knows(student, programme="ZK-01")
    world.fills("programme_courses", [{"programme": "ZK-01", "course_id": "00001", "term": 1, "degree_course": False}])
    course = world.opens("course-registration", student, "plan", "site_operator", course_id="00001", term_no=1)

    case = world.opens("school-transfer", student, "draft", "site_operator", **INSIDE)
    case.hands_in("F-55", by="site_operator").takes("submit", "site_operator", **BY_HAND)
    assert case.field("change_code") == "22"
    case.takes("release", "site_operator2")
    case.bars("accept", "site_operator@S3")
    case.bars("accept", "site_operator@S1")
    case.takes("accept", "site_operator@S2")
    case.takes("approve", "provincial_auditor", **DECISION)

    assert (case.state, world.record(student).state) == ("approved", "enrolled")
    assert world.town.student(student).unit == "S2"
    assert course.case.unit == world.record(student).case.unit == "S2"
    assert last_change(world, student) == ("22", DECISION["decided_on"], DECISION["document_no"])
    world.replays_clean()


def test_a_transfer_out_ends_the_record_and_what_else_is_open(world_of: Furnish):
    world = world_of("open-university")
    student = mover(world)
    world.knows(student, programme="ZK-01")
    world.fills("programme_courses", [{"programme": "ZK-01", "course_id": "00001", "term": 1, "degree_course": False}])
    course = world.opens("course-registration", student, "plan", "site_operator", course_id="00001", term_no=1)

    case = to_school(world, student, **OUTSIDE)
    assert case.field("change_code") == "21"
    case.takes("release", "site_approver")
    case.bars("accept", "site_operator")
    assert case.refuses("record_acceptance", "branch_approver") == {"X-10"}
    case.hands_in("E-ACCEPTANCE", by="branch_approver").takes("record_acceptance", "branch_approver")
    case.takes("approve", "provincial_auditor", **DECISION)

    record = world.record(student)
    assert (case.state, record.state, course.state) == ("approved", "withdrawn", "cancelled")
    assert record.field("reason_code") == "transferred_out"
    assert caused_by(record, case)
    world.replays_clean()


def test_a_transfer_is_declined_sent_back_rejected_or_taken_back(world_of: Furnish):
    world = world_of("open-university")
    declined, rejected, back = (to_school(world, mover(world), **INSIDE) for _ in range(3))

    declined.takes("release", "site_approver").takes("decline", "site_operator@S2", reason="名额已满")
    rejected.takes("release", "site_approver").takes("send_back", "branch_approver", reason="日期有误")
    rejected.takes("submit", "student", **BY_HAND).takes("reject", "site_approver", reason="不符合条件")
    back.takes("release", "site_approver").takes("take_back", "student", reason="不再搬家")

    assert (declined.state, rejected.state, back.state) == ("rejected", "rejected", "cancelled")
    world.replays_clean()


def test_a_transfer_keeps_major_and_student_type_and_names_where_it_goes(world_of: Furnish):
    world = world_of("open-university")
    student = mover(world)
    start = ("school-transfer", student, "draft", "site_operator")
    nowhere = {name: value for name, value in INSIDE.items() if name != "target_site"}
    assert world.opening_refused(*start, **nowhere) == {"G-SC-14"}
    no_school = {name: value for name, value in OUTSIDE.items() if name != "target_school"}
    assert world.opening_refused(*start, **no_school) == {"G-SC-14"}

    case = world.opens(*start, **INSIDE).hands_in("F-55", by="site_operator")
    assert case.refuses("submit", "site_operator", target_major="530701", **BY_HAND) == {"G-SC-03"}
    assert case.refuses("submit", "site_operator", target_type="一村一", **BY_HAND) == {"G-SC-04"}
    assert case.refuses("submit", "site_operator", **{**BY_HAND, "dated_by_hand": False}) == {"G-SC-01"}
    case.takes("submit", "site_operator", **BY_HAND).takes("release", "site_approver")
    assert case.refuses("accept", "site_operator@S2") == {"G-SC-02"}
    offers(world, (OWN_MAJOR, "S2"))
    assert case.takes("accept", "site_operator@S2").state == "accepted_by_target"
    world.replays_clean()


def test_a_student_who_applied_for_graduation_is_not_released(world_of: Furnish):
    world = world_of("open-university")
    student = world.ready(student_type="开放教育")
    case = to_school(world, student, **INSIDE)
    suspended(world, student)

    assert case.refuses("release", "site_approver") == {"G-SC-06"}
    world.record(student).takes("resume", "records_section", **DECISION)
    assert case.takes("release", "site_approver").state == "released_by_origin"
    world.replays_clean()


def test_nobody_who_applied_for_graduation_drafts_a_transfer(world_of: Furnish):
    world = world_of("open-university")
    world.publishes(BATCH)
    student = world.ready(student_type="开放教育")
    applied(world, student)

    assert world.opening_refused("school-transfer", student, "draft", "site_operator", **INSIDE) == {"G-SC-06"}


def test_nobody_takes_two_levels_of_a_transfer(world_of: Furnish):
    world = world_of("open-university")
    offers(world, (OWN_MAJOR, "S2"))
    world.gives("site_operator@S1", "site_operator", "S2")
    world.gives("site_operator@S1", "provincial_auditor", "P")
    world.gives("site_operator@S2", "provincial_auditor", "P")
    case = to_school(world, mover(world), **INSIDE)

    assert case.refuses("release", "site_operator") == {"G-SG-08"}
    case.takes("release", "site_operator2")
    assert case.refuses("accept", "site_operator") == {"G-SG-08"}
    case.takes("accept", "site_operator@S2")
    assert case.refuses("approve", "site_operator@S2", **DECISION) == {"G-SG-08"}
    assert case.takes("approve", "provincial_auditor", **DECISION).state == "approved"
    world.replays_clean()


def test_online_the_records_section_approves_a_transfer(world_of: Furnish):
    world = world_of("online-ed")
    offers(world, (OWN_MAJOR, "S2"))
    student = mover(world)
    case = to_school(world, student, **INSIDE)
    case.takes("release", "site_approver").takes("accept", "site_operator@S2")
    case.takes("approve", "records_section", **DECISION)

    assert world.town.student(student).unit == "S2"
    world.replays_clean()


@pytest.mark.parametrize("by", ["records_section", "academic_affairs"])
def test_a_transfer_out_of_a_school_is_sent_back_rejected_or_taken_back(world_of: Furnish, by: str):
    world = world_of("fulltime-university")
    where: dict[str, Json] = {"cause": "搬家", "target_school": "示范大学", "target_major": OWN_MAJOR}
    case, back = (
        world.opens("school-transfer", world.enrols(), "draft", "class_teacher", **where).takes("submit", "student")
        for _ in range(2)
    )

    case.takes("release", "faculty_head").takes("send_back", by, reason="学校名称有误")
    case.takes("submit", "class_teacher").takes("release", "faculty_head").takes("reject", by, reason="不符合条件")
    back.takes("take_back", "class_teacher", reason="不再搬家")

    assert (case.state, back.state) == ("rejected", "cancelled")
    world.replays_clean()


def test_a_fulltime_student_transfers_to_another_school_only(world_of: Furnish):
    world = world_of("fulltime-university")
    student = world.enrols()
    where: dict[str, Json] = {"cause": "搬家", "target_school": "示范大学", "target_major": OWN_MAJOR}
    case = world.opens("school-transfer", student, "draft", "class_teacher", **where)
    case.takes("submit", "class_teacher").takes("release", "faculty_head")
    case.hands_in("E-ACCEPTANCE", by="records_section").takes("record_acceptance", "records_section")
    case.takes("approve", "academic_affairs", **DECISION)

    assert (case.state, world.record(student).state) == ("approved", "withdrawn")
    assert world.record(student).field("reason_code") == "transferred_out"
    world.replays_clean()
