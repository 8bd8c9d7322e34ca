"""The check of what is known about the graduates (毕业生信息校对), online and on paper."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.publishing import change_batch
from tests.definitions.conftest import Furnish
from tests.definitions.credential_acts import left_to
from tests.definitions.test_stories_of_graduate_photos import APRIL_17, CHECKING, online
from tests.definitions.world import Told, World

CHECK, COLLEGE = "graduate-information-check", "graduate-information-check.college"
CAMPAIGN = "graduate-information-check.campaign"
APRIL_24 = datetime(2020, 4, 24, 4, tzinfo=UTC)
JUNE_1 = datetime(2020, 6, 1, 4, tzinfo=UTC)
VOCATIONAL = ["fulltime-vocational", "vocational-branch"]


def at_the_school(world_of: Furnish, profile: str = "fulltime-university") -> World:
    world = world_of(profile)
    world.now = APRIL_17
    world.publishes(CHECKING)
    return world


def planned(world: World) -> Told:
    return world.opens(CAMPAIGN, "U", "plan", "academic_affairs", batch=CHECKING)


def expected(world: World, unit: str = "K1") -> str:
    return world.enrols(unit, on_chsi_list=True)


def opened(world: World, *units: str) -> tuple[Told, list[Told]]:
    """The campaign in its online phase, and the cases of one student in each of these classes."""
    students = [expected(world, unit) for unit in units]
    campaign = planned(world).takes("open_online", "academic_affairs")
    return campaign, [world.cases_of(student, CHECK)[0] for student in students]


def number(case: Told) -> str:
    student = case.case.student
    row = case.world.town.connection.execute("SELECT student_no FROM student WHERE id = ?", (student,)).fetchone()
    assert row is not None
    return str(row[0])


def recorded(case: Told) -> Told:
    return case.takes("check_ok", "student", photo_is_mine=True).takes("record", "records_officer")


def reported_online(world: World, faculty: str = "F1") -> Told:
    """The list of a college, closed, signed by three persons and sealed."""
    [college] = [one for one in world.cases(COLLEGE) if one.case.unit == faculty]
    college.takes("close", "records_officer").signs("report_online", "officer", "records_officer")
    return college.signs("report_online", "leader", "unit_leader").signs("report_online", "seal", "seal_keeper")


def offline(world: World, campaign: Told) -> Told:
    """The students are back: the paper phase is open."""
    world.now = JUNE_1
    campaign.takes("close_online", "timer")
    back_by(world, "2020-06-15")
    return campaign.takes("open_offline", "academic_affairs")


def back_by(world: World, day: str) -> None:
    """Academic Affairs announces until when the paper forms are signed."""
    change_batch(
        world.town.desk, CHECKING, {"offline_by": day}, world.request("set", world.actor("records_section", "U"))
    )


def signed(case: Told) -> Told:
    case.hands_in("E-F33", by="records_officer")
    return case.signs("confirm_paper", "student", "records_officer")


def reported_offline(college: Told) -> Told:
    college.takes("close_forms", "records_officer").signs("report_offline", "officer", "records_officer")
    return college.signs("report_offline", "leader", "unit_leader").signs("report_offline", "seal", "seal_keeper")


def test_graduates_check_online_sign_on_paper_the_college_reports_both_and_the_campaign_closes(world_of: Furnish):
    world = at_the_school(world_of)
    student = expected(world)
    campaign = planned(world)
    campaign.takes("open_online", "academic_affairs")
    [case], [college] = world.cases(CHECK), world.cases(COLLEGE)
    assert (case.state, college.state, college.case.unit) == ("pending", "collecting", "F1")
    assert case.due("D-19") == "2020-04-23 23:59:59"

    case.takes("check_ok", "student", photo_is_mine=True)
    assert (case.state, world.fact(student, "key_info_confirmed")) == ("online_ok", True)
    assert case.takes("record", "records_officer").state == "recorded"
    college.takes("supply_lists", "academic_affairs")
    assert [row[0] for row in college.made("F-34")] == [student]
    assert reported_online(world).state == "reported_online"
    assert [row[0] for row in college.made("F-32")] == [student]

    campaign.takes("close_online", "timer")
    world.now = JUNE_1
    back_by(world, "2020-06-15")
    campaign.takes("open_offline", "academic_affairs")
    college.takes("issue_forms", "academic_affairs")
    assert [row[0] for row in college.made("F-33")] == [student]
    assert (case.due("D-21"), college.due("D-21")) == ("2020-06-15 23:59:59", "2020-06-15 23:59:59")
    assert case.refuses("confirm_paper", "records_officer", slot="student") == {"X-10"}
    assert signed(case).state == "signed"
    assert reported_offline(college).state == "reported_offline"
    assert campaign.takes("close", "academic_affairs").state == "closed"
    world.replays_clean()


def test_the_campaign_opens_a_check_for_each_who_is_expected_and_passes_over_the_others(world_of: Furnish):
    world = at_the_school(world_of)
    there, unlisted, unknown = expected(world), world.enrols(on_chsi_list=False), world.enrols()
    away = expected(world)
    world.record(away).takes("suspend", "records_section", decided_on="2020-04-17", document_no="学字2020-7")

    planned(world).takes("open_online", "academic_affairs")

    assert len(world.cases_of(there, CHECK)) == 1
    assert not any(world.cases_of(one, CHECK) for one in (unlisted, unknown, away))
    for one in (unlisted, unknown, away):
        assert world.opening_refused(CHECK, one, "start", "records_officer", batch=CHECKING) == {"G-IN-05"}
    world.knows(unlisted, on_chsi_list=True)
    assert world.opens(CHECK, unlisted, "start", "records_officer", batch=CHECKING).state == "pending"
    world.replays_clean()


def test_an_error_goes_back_to_the_student_when_change_and_photo_are_settled(world_of: Furnish):
    world = at_the_school(world_of)
    _, [case] = opened(world, "K1")
    student = number(case)
    photo = online(world, student)
    assert case.refuses("check_error", "student", photo_is_mine=False) == {"X-05"}
    case.takes("check_error", "student", wrong_items="姓名；照片", photo_is_mine=False)

    assert (case.state, world.fact(student, "key_info_confirmed")) == ("online_error", False)
    assert photo.state == "photo_wrong"
    change = world.opens("student-information-change", student, "draft", "student", **NAME_CHANGE)
    assert case.refuses("correct", "records_officer", reason="已更正") == {"G-IN-04", "G-IN-11"}
    photo.takes("import_progress", "records_section", shot_on="2020-04-20")
    assert case.refuses("correct", "records_officer", reason="已更正") == {"G-IN-04"}
    change.takes("take_back", "student", reason="无误")
    assert case.takes("correct", "records_officer", reason="已更正").state == "pending"
    assert case.takes("check_ok", "student", photo_is_mine=True).state == "online_ok"
    world.replays_clean()


NAME_CHANGE = {"item": "name", "kind": "entry_error", "new_value": "测验", "changed_on": "2020-04-01"}


def test_an_error_that_is_not_about_the_photo_leaves_the_photo_alone(world_of: Furnish):
    world = at_the_school(world_of)
    _, [case] = opened(world, "K1")
    photo = online(world, number(case))

    case.takes("check_error", "student", wrong_items="姓名", photo_is_mine=True)

    assert (case.state, photo.state) == ("online_error", "online")
    assert case.takes("record", "records_officer").state == "recorded"
    world.replays_clean()


@pytest.mark.parametrize(
    ("moment", "in_time"),
    [
        (datetime(2020, 4, 15, 15, 59, 59, tzinfo=UTC), False), (datetime(2020, 4, 15, 16, tzinfo=UTC), True),
        (datetime(2020, 4, 23, 15, 59, 59, tzinfo=UTC), True), (datetime(2020, 4, 23, 16, tzinfo=UTC), False),
    ],
)  # fmt: skip
def test_a_student_checks_from_the_16th_to_the_end_of_the_23rd_of_april(
    world_of: Furnish, moment: datetime, *, in_time: bool
):
    world = at_the_school(world_of)
    _, [case] = opened(world, "K1")
    world.now = moment

    if in_time:
        assert case.takes("check_ok", "student", photo_is_mine=True).state == "online_ok"
    else:
        assert case.refuses("check_ok", "student", photo_is_mine=True) == {"G-IN-06"}
        assert case.refuses("check_error", "student", photo_is_mine=True, wrong_items="姓名") == {"G-IN-06"}


def test_nobody_confirms_data_beside_the_photo_of_somebody_else(world_of: Furnish):
    world = at_the_school(world_of)
    _, [case] = opened(world, "K1")

    assert case.refuses("check_ok", "student", photo_is_mine=False) == {"G-IN-08"}


def test_who_does_not_answer_is_recorded_when_the_window_is_over(world_of: Furnish):
    world = at_the_school(world_of)
    _, [case] = opened(world, "K1")

    assert case.refuses("record", "records_officer") == {"G-IN-07"}
    world.now = APRIL_24
    assert case.takes("record", "records_officer").state == "recorded"
    world.replays_clean()


def test_the_college_reports_when_every_graduate_is_recorded_and_three_have_signed(world_of: Furnish):
    world = at_the_school(world_of)
    _, [first, second] = opened(world, "K1", "K2")
    recorded(first)
    [college] = world.cases(COLLEGE)

    assert college.refuses("close", "records_officer") == {"G-IN-01"}
    recorded(second)
    college.takes("close", "records_officer")
    college.signs("report_online", "officer", "records_officer")
    assert college.refuses("report_online", "records_officer", slot="officer") == {"X-11", "X-14"}
    college.signs("report_online", "seal", "seal_keeper")
    assert college.state == "signing_feedback"
    college.signs("report_online", "leader", "unit_leader", yes=False, reason="人数不符")
    assert college.state == "collecting"
    assert reported_online(world).state == "reported_online"
    world.replays_clean()


def test_paper_that_differs_goes_back_to_the_student_and_holds_up_the_college(world_of: Furnish):
    world = at_the_school(world_of)
    campaign, [first, second] = opened(world, "K1", "K1")
    recorded(first)
    recorded(second)
    college = reported_online(world)
    assert first.hands_in("E-F33", by="records_officer").refuses("confirm_paper", "records_officer") == {"G-IN-09"}
    campaign.takes("close_online", "academic_affairs")
    assert campaign.refuses("open_offline", "academic_affairs") == {"G-IN-10"}
    back_by(world, "2020-06-15")
    campaign.takes("open_offline", "academic_affairs")
    first.signs("confirm_paper", "student", "records_officer")

    second.takes("differs", "records_officer", reason="姓名不一致")
    assert (second.state, world.fact(number(second), "key_info_confirmed")) == ("online_error", False)
    assert college.refuses("close_forms", "records_officer") == {"G-IN-02"}
    assert campaign.refuses("close", "academic_affairs") == {"G-IN-03"}
    signed(second.takes("record", "records_officer"))
    assert world.fact(number(second), "key_info_confirmed") is True
    college.takes("close_forms", "records_officer")
    college.signs("report_offline", "officer", "records_officer")
    college.signs("report_offline", "leader", "unit_leader", yes=False, reason="印章不清")
    assert college.state == "reported_online"
    assert reported_offline(college).state == "reported_offline"
    assert campaign.takes("close", "academic_affairs").state == "closed"
    world.replays_clean()


def test_a_student_who_cannot_return_leaves_the_signature_to_class_teacher_or_counsellor_for_the_epidemic_only(
    world_of: Furnish,
):
    world = at_the_school(world_of)
    campaign, [first, second] = opened(world, "K1", "K1")
    recorded(first)
    recorded(second)
    offline(world, campaign)
    first.hands_in("E-F33", by="records_officer")
    second.hands_in("E-F33", by="records_officer")

    assert "G-SG-02" in first.refuses("confirm_paper", "class_teacher", slot="student")
    assert "G-SG-02" in left_to(first, "class_teacher@K1", "convenience")
    assert "G-SG-02" in left_to(first, "unit_leader@F1", "epidemic")
    assert left_to(first, "class_teacher@K1", "epidemic") == set()
    assert left_to(second, "counsellor@F1", "epidemic") == set()

    assert first.signs("confirm_paper", "student", "class_teacher").state == "signed"
    assert second.signs("confirm_paper", "student", "counsellor@F1").state == "signed"
    delegation = first.events()[-1]["delegation"]
    assert isinstance(delegation, dict)
    assert delegation["why"] == "epidemic"
    world.replays_clean()


def test_the_feedback_form_is_due_at_17_40_on_the_24th(world_of: Furnish):
    world = at_the_school(world_of)
    opened(world, "K1")

    assert world.cases(COLLEGE)[0].due("D-20") == "2020-04-24 17:40:00"


def test_a_campaign_that_has_not_opened_is_called_off(world_of: Furnish):
    world = at_the_school(world_of)
    campaign = planned(world)

    assert campaign.refuses("call_off", "academic_affairs") == {"X-05"}
    assert campaign.takes("call_off", "academic_affairs", reason="改期").state == "cancelled"
    world.replays_clean()


@pytest.mark.parametrize("profile", VOCATIONAL)
def test_vocational_schools_check_in_the_same_way(world_of: Furnish, profile: str):
    world = at_the_school(world_of, profile)
    branch = profile == "vocational-branch"
    campaign, [case] = opened(world, "KB" if branch else "K1")
    recorded(case)
    college = reported_online(world, "FB" if branch else "F1")
    offline(world, campaign)

    signed(case)
    reported_offline(college)

    assert campaign.takes("close", "academic_affairs").state == "closed"
    world.replays_clean()
