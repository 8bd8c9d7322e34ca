"""Reporting at the start of a term (学期报到与请假, W-08): to the registration in the system, and every other end."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

import pytest

from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.enrolment_acts import case_of, the_list
from tests.definitions.world import Told, World

REPORTING = "term-reporting-and-leave"
CLASS_LIST = f"{REPORTING}.class_list"
FIRST_DAY = datetime(2024, 9, 2, 4, tzinfo=UTC)
DAY_AFTER = datetime(2024, 9, 3, 4, tzinfo=UTC)
AWAY: dict[str, Json] = {"reason": "家中有事", "away_from": "2024-09-02", "away_to": "2024-09-06"}
BACK = datetime(2024, 9, 7, 4, tzinfo=UTC)


@pytest.fixture
def world(world_of: Furnish) -> World:
    world = world_of("vocational-branch")
    world.numbers = count(24010001)
    return world


def enrols(world: World, **facts: Json) -> str:
    """A student on roll who owes nothing."""
    return world.enrols(None, **{"fee_owed": "0.00", **facts})


def opened(world: World, *students: str) -> list[Told]:
    """The reporting of these students at the start of the first term."""
    world.starts_term("2024-1", FIRST_DAY)
    return [case_of(world, student, REPORTING) for student in students]


def on_leave(world: World, student: str) -> Told:
    [case] = opened(world, student)
    case.hands_in("F-26", by="student").takes("request_leave", "student", **AWAY)
    return case.takes("grant_leave", "counsellor")


def class_reported(world: World, *cases: Told) -> Told:
    """The list of a class, handed in by the teacher and accepted at the college."""
    listed = the_list(world, CLASS_LIST, cases[0].case.unit)
    return listed.takes("hand_in", "class_teacher").takes("accept", "records_officer")


def test_a_student_reports_the_class_hands_in_and_the_number_is_entered_in_the_system(world: World):
    student = enrols(world)
    [case] = opened(world, student)
    assert (case.state, case.due("D-25")) == ("expected", "2024-09-08 23:59:59")
    case.takes("report", "student")
    assert case.state == "reported"

    listed = the_list(world, CLASS_LIST, "KB")
    assert (listed.state, listed.due("D-25")) == ("collecting", "2024-09-08 23:59:59")
    listed.takes("hand_in", "class_teacher")
    assert listed.state == "checked"
    listed.takes("accept", "records_officer")
    assert (listed.state, case.state) == ("accepted", "class_reported")
    world.knows(student, fee_owed="5.00")
    assert case.refuses("enter", "student_assistant") == {"G-AN-08"}
    world.knows(student, fee_owed="0.00")
    case.takes("enter", "student_assistant")
    assert case.state == "registered_in_system"
    world.replays_clean()


def test_who_owes_fees_reports_when_they_are_settled(world: World):
    student = enrols(world, fee_owed="120.00")
    case, other = opened(world, student, enrols(world))
    assert case.refuses("report", "student") == {"G-AN-08"}
    assert other.refuses("mark_arrears", "class_teacher") == {"G-AN-13"}
    case.takes("mark_arrears", "class_teacher")
    assert case.state == "fee_arrears"
    assert case.refuses("settle", "finance") == {"G-AN-08"}
    world.knows(student, fee_owed="0.00")
    case.takes("settle", "finance")
    assert case.state == "reported"
    world.replays_clean()


def test_a_student_asks_for_leave_by_the_first_day_and_reports_on_coming_back(world: World):
    case, late = opened(world, enrols(world), enrols(world))
    assert case.refuses("request_leave", "student", **AWAY) == {"X-10"}
    case.hands_in("F-26", by="student")
    backwards = {**AWAY, "away_to": "2024-09-01"}
    assert case.refuses("request_leave", "student", **backwards) == {"G-AN-11"}
    case.takes("request_leave", "student", **AWAY)
    assert case.state == "leave_requested"
    case.takes("grant_leave", "counsellor")
    assert (case.state, case.due("leave-ends")) == ("on_leave", "2024-09-06 23:59:59")
    case.takes("return", "student")
    assert case.state == "reported"

    world.now = DAY_AFTER
    late.hands_in("F-26", by="student")
    assert late.refuses("request_leave", "student", **AWAY) == {"G-AN-10"}
    world.replays_clean()


def test_a_leave_that_is_refused_or_overstayed_is_an_absence_and_may_be_made_good(world: World):
    refused, back = opened(world, enrols(world), enrols(world))
    for case in (refused, back):
        case.hands_in("F-26", by="student").takes("request_leave", "student", **AWAY)
    assert refused.refuses("refuse_leave", "counsellor") == {"X-05"}
    refused.takes("refuse_leave", "counsellor", reason="理由不足")
    back.takes("take_back", "student", reason="不请了")
    assert (refused.state, back.state) == ("absent_without_leave", "expected")
    refused.takes("report_late", "class_teacher", reason="已到校")
    assert refused.state == "reported"
    world.replays_clean()


def test_nobody_is_absent_before_the_day_is_over(world: World):
    case = on_leave(world, enrols(world))
    expected = case_of(world, enrols_now(world), REPORTING)
    assert expected.refuses("mark_absent", "class_teacher") == {"G-AN-12"}
    world.now = DAY_AFTER
    assert case.refuses("mark_absent", "class_teacher") == {"G-AN-12"}
    expected.takes("mark_absent", "class_teacher")
    world.now = BACK
    case.takes("mark_absent", "class_teacher")
    assert (case.state, expected.state) == ("absent_without_leave", "absent_without_leave")
    world.replays_clean()


def enrols_now(world: World) -> str:
    """A student who comes after the term has begun, for whom the reporting is opened by saying so again."""
    student = enrols(world)
    world.starts_term("2024-1", world.now)
    return student


def test_a_class_is_handed_in_when_everybody_is_accounted_for(world: World):
    there, away, debtor = enrols(world), enrols(world), enrols(world, fee_owed="9.00")
    one, other, owing = opened(world, there, away, debtor)
    one.takes("report", "student")
    owing.takes("mark_arrears", "class_teacher")
    listed = the_list(world, CLASS_LIST, "KB")
    assert listed.refuses("hand_in", "class_teacher") == {"G-AN-14"}
    other.hands_in("F-26", by="student").takes("request_leave", "student", **AWAY).takes("grant_leave", "counsellor")
    listed.takes("hand_in", "class_teacher")
    assert other.refuses("return", "student") == {"X-12"}
    listed.takes("send_back", "records_officer", reason="欠费有误")
    assert listed.state == "collecting"
    class_reported(world, one)
    assert (one.state, other.state, owing.state) == ("class_reported", "on_leave", "fee_arrears")
    other.takes("return", "student")
    assert the_list(world, CLASS_LIST, "KB").state == "collecting"
    world.replays_clean()


def test_a_row_struck_by_the_college_goes_back_to_the_class(world: World):
    [case] = opened(world, enrols(world))
    case.takes("report", "student")
    class_reported(world, case)
    world.now = DAY_AFTER
    case.takes("strike", "records_officer", reason="未见本人")
    assert case.state == "expected"
    case.takes("report", "class_teacher")
    class_reported(world, case)
    assert case.state == "class_reported"
    world.replays_clean()


def test_only_numbers_of_eight_digits_are_handed_in_and_entered(world: World):
    world.numbers = count(2024010000001)
    [case] = opened(world, enrols(world))
    case.takes("report", "student")
    assert the_list(world, CLASS_LIST, "KB").refuses("hand_in", "class_teacher") == {"G-TR-08"}


def test_nothing_opens_for_a_record_that_is_suspended(world: World):
    student = enrols(world)
    world.record(student).takes("suspend", "records_section", decided_on="2024-04-22", document_no="学字2024-7")
    world.starts_term("2024-1", FIRST_DAY)
    assert world.cases_of(student, REPORTING) == []
    last = world.town.events(-world.town.student(student).id)[-1]
    assert (last["kind"], "G-SC-06" in str(last["data"])) == ("refused", True)


def test_what_is_open_on_the_last_day_of_the_term_lapses(world: World):
    [case] = opened(world, enrols(world))
    assert case.due("term-over") is not None
    case.takes("lapse", "timer")
    assert case.state == "lapsed"
    world.replays_clean()


def test_in_a_vocational_college_reporting_is_done_once_the_student_has_reported(world_of: Furnish):
    world = world_of("fulltime-vocational")
    case, asked, debtor = opened(world, enrols(world), enrols(world), enrols(world, fee_owed="9.00"))
    assert case.due("D-15") == "2024-09-02 23:59:59"
    case.takes("report", "student")
    assert (case.state, case.is_over()) == ("reported", True)
    asked.hands_in("F-26", by="student").takes("request_leave", "student", **AWAY)
    asked.takes("grant_leave", "student_affairs_section").takes("return", "student")
    debtor.takes("mark_arrears", "class_teacher").takes("lapse", "timer")
    assert (asked.state, debtor.state) == ("reported", "lapsed")
    world.replays_clean()
