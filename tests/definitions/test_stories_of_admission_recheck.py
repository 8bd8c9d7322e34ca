"""The re-check of freshmen within three months (入学资格复查, W-03), to each end."""

from __future__ import annotations

import pytest

from engine.records import Moved, Refused
from tests.definitions.conftest import Furnish
from tests.definitions.enrolment_acts import (
    AUTUMN,
    admits,
    case_of,
    checked,
    form_collected,
    intake_of,
    publishes_intake,
    recheck_cleared,
    recheck_delivered,
    recheck_signed,
    recheck_summed_up,
    stated,
    the_list,
)
from tests.definitions.world import Told, World
from tests.exchange.pictures import picture

RECHECK = "admission-qualification-recheck"
SUMMARY, SHEET, PASSED = f"{RECHECK}.class_summary", f"{RECHECK}.faculty_sheet", f"{RECHECK}.passed_list"


@pytest.fixture
def world(world_of: Furnish) -> World:
    world = world_of("fulltime-vocational")
    publishes_intake(world)
    return world


def two_pending(world: World) -> tuple[str, str]:
    """Two freshmen whose check is passed and whose re-check waits."""
    students = admits(world), admits(world)
    checked(world, *students)
    world.now = AUTUMN
    return students


def doubtful(world: World, student: str) -> Told:
    """A freshman whom section and admissions together mark as doubtful."""
    case = case_of(world, student, RECHECK)
    case.signs("mark_doubtful", "faculty", "student_affairs_section", reason="照片存疑")
    return case.signs("mark_doubtful", "admissions", "admissions", reason="照片存疑")


def test_a_freshman_is_cleared_and_delivered_once_every_level_and_the_leading_group_have_agreed(world: World):
    first, second = two_pending(world)
    case = case_of(world, first, RECHECK)
    case.takes("fill_form", "student", **stated(world, first))
    assert case.state == "form_filled"
    case.hands_in("E-RECHECK", by="class_teacher").takes("collect", "class_teacher", photo_agrees=True)
    assert case.state == "form_collected"
    form_collected(world, second)

    recheck_signed(world)
    for student in (first, second):
        case_of(world, student, RECHECK).takes("no_doubt", "admissions")
    assert case.state == "cleared"
    listed = recheck_summed_up(world)
    assert listed.state == "summarised"
    decision = {"decision_no": "领导小组2024-1", "decided_on": "2024-11-20"}
    assert listed.refuses("group_approve", "admissions", **decision) == {"X-10"}
    listed.bars("deliver", "admissions")
    listed.hands_in("F-17", by="admissions").takes("group_approve", "admissions", **decision)
    assert listed.state == "approved_by_group"
    listed.signs("deliver", "admissions", "admissions").signs("deliver", "seal", "seal_keeper")

    assert listed.state == "delivered"
    assert case.state == "list_delivered"
    world.replays_clean()


def test_answers_that_differ_from_the_archive_are_refused_without_showing_them_and_looked_into(world: World):
    first, second = two_pending(world)
    case = case_of(world, first, RECHECK)
    case.takes("fill_form", "student", **{**stated(world, first), "stated_name": "别名"})
    case.hands_in("E-RECHECK", by="class_teacher").takes("collect", "class_teacher", photo_agrees=True)
    assert case.refuses("no_doubt", "admissions") == {"G-AD-04", "G-AD-05"}
    form_collected(world, second)
    recheck_signed(world)

    outcome = case.asks("no_doubt", "admissions")
    assert isinstance(outcome, Refused)
    assert str(world.fact(first, "id_number")) not in " ".join(one.sentence.zh for one in outcome.verdicts)
    doubtful(world, first)
    assert case.state == "doubtful"
    assert case.refuses("clear", "admissions", reason="曾用名") == {"G-AD-06"}
    assert case.refuses("fail", "admissions", reason="冒名") == {"G-AD-06"}
    case.hands_in("F-16", by="admissions").takes("clear", "admissions", reason="曾用名")
    assert case.state == "cleared"
    world.replays_clean()


def test_a_doubt_that_is_not_cleared_up_fails_the_freshman_and_is_warned_of_before_the_list(world: World):
    first, second = two_pending(world)
    doubtful(world, first)
    form_collected(world, second)
    recheck_signed(world)
    case_of(world, second, RECHECK).takes("no_doubt", "admissions")

    outcome = world.tries_to_open(PASSED, "U", "summarise", "admissions", batch=intake_of(world.profile))
    assert isinstance(outcome, Moved)
    assert [one.id for one in outcome.warnings] == ["G-AD-31"]
    case = (
        case_of(world, first, RECHECK).hands_in("F-16", by="admissions").takes("fail", "admissions", reason="冒名顶替")
    )
    assert case.state == "failed"
    world.replays_clean()


def test_a_doubt_may_come_back_to_somebody_cleared_and_the_list_be_drawn_up_anew(world: World):
    first, second = two_pending(world)
    for student in (first, second):
        form_collected(world, student)
    recheck_signed(world)
    for student in (first, second):
        case_of(world, student, RECHECK).takes("no_doubt", "admissions")
    case = case_of(world, first, RECHECK)
    listed = recheck_summed_up(world)
    assert case.refuses("reopen_doubt", "admissions", reason="接举报") == {"X-12"}

    listed.takes("discard", "admissions", reason="重编")
    assert listed.state == "cancelled"
    case.takes("reopen_doubt", "admissions", reason="接举报")
    assert case.state == "doubtful"
    recheck_delivered(world)
    assert (case.state, case_of(world, second, RECHECK).state) == ("doubtful", "list_delivered")
    world.replays_clean()


def test_a_class_waits_for_every_form_and_a_faculty_for_every_class(world: World):
    first, second = two_pending(world)
    form_collected(world, first)
    summary, sheet = the_list(world, SUMMARY, "K1"), the_list(world, SHEET, "F1")
    assert summary.refuses("summarise_class", "class_teacher") == {"G-AD-34"}
    assert sheet.refuses("compile", "student_affairs_section") == {"G-AD-35"}

    form_collected(world, second)
    summary.takes("summarise_class", "class_teacher")
    assert summary.state == "class_summarised"
    assert summary.refuses("summarise_section", "seal_keeper", slot="seal") == {"G-AD-04"}
    summary.signs("summarise_section", "section", "student_affairs_section", yes=False, reason="漏盖章")
    assert summary.state == "open"
    recheck_signed(world)
    assert (summary.state, sheet.state) == ("section_summarised", "faculty_signed")
    world.replays_clean()


def test_a_form_is_named_after_number_and_name_and_may_be_filled_in_again(world: World):
    first, _ = two_pending(world)
    case = case_of(world, first, RECHECK)
    case.takes("fill_form", "student", **stated(world, first))

    assert case.refuses("collect", "class_teacher", photo_agrees=True) == {"X-10"}
    body = picture()
    assert case.hands_in_vainly("E-RECHECK", by="class_teacher", body=body, name="复查表.jpg") == {"G-EV-03"}
    case.takes("return_form", "class_teacher", reason="字迹不清")
    assert (case.state, case.case.rounds) == ("pending", 1)
    assert form_collected(world, first).state == "form_collected"
    world.replays_clean()


def test_nobody_who_did_not_report_is_re_checked(world: World):
    student = admits(world, reported=False)
    about = (RECHECK, student, "start", "admissions")
    assert world.opening_refused(*about, batch=intake_of(world.profile)) == {"G-AD-30"}
    world.knows(student, reported=True)
    assert world.opens(*about, batch=intake_of(world.profile)).state == "pending"


def test_a_university_decides_the_re_check_in_one_step(world_of: Furnish):
    world = world_of("fulltime-university")
    batch = publishes_intake(world)
    cleared = recheck_cleared(world, admits(world))
    failed = world.opens(RECHECK, admits(world, reported=True), "start", "admissions", batch=batch)
    failed.takes("fail", "admissions", reason="学历不实")

    assert (cleared.state, failed.state) == ("cleared", "failed")
    world.replays_clean()
