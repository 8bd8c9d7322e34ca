"""How a graduate comes by the photo of the certificate (毕业生图像采集): with the class, alone, or from the vendor."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.status_acts import withdrawn
from tests.definitions.world import Told, World
from tests.exchange.pictures import picture

PHOTOS, CHECKING, SESSION = "graduate-photo-collection", "2020-check", "graduate-photo-collection.session"
APRIL_17 = datetime(2020, 4, 17, 4, tzinfo=UTC)
APRIL_22 = datetime(2020, 4, 22, 4, tzinfo=UTC)
ON_THE_21ST: dict[str, Json] = {"session_on": "2020-04-21", "place": "图书馆一楼"}
DIPLOMA_PHOTO = picture(size=(480, 640))


def at_the_school(world_of: Furnish, profile: str = "fulltime-university") -> World:
    """A school in the week in which the photos of 2020 are taken."""
    world = world_of(profile)
    world.now = APRIL_17
    world.publishes(CHECKING)
    return world


def started(world: World, student: str) -> Told:
    return world.opens(PHOTOS, student, "start", "records_section", batch=CHECKING)


def session_planned(world: World) -> Told:
    return world.opens(SESSION, "K1", "plan", "records_section", batch=CHECKING, **ON_THE_21ST)


def fee_paid(world: World, student: str) -> Told:
    case = started(world, student)
    session_planned(world)
    return case.takes("sign", "class_teacher").takes("pay_fee", "class_teacher")


def missed(world: World, student: str) -> Told:
    case = fee_paid(world, student)
    world.now = APRIL_22
    return case.takes("miss", "timer")


def online(world: World, student: str) -> Told:
    """The vendor has taken the photo with the class and put it online."""
    case = fee_paid(world, student)
    world.now = APRIL_22
    return case.takes("photograph", "records_officer", shot_on="2020-04-21").takes("go_online", "records_section")


def slot(day: int, clock: str) -> str:
    """A moment in April 2020 in Shanghai, as the student enters it."""
    hour, minute = map(int, clock.split(":"))
    return (
        datetime(2020, 4, day, hour - 8, minute, tzinfo=UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    )


def test_a_class_is_photographed_the_students_confirm_and_the_faculty_hands_both_photos_in(world_of: Furnish):
    world = at_the_school(world_of)
    student = world.enrols()
    case = started(world, student)
    session = session_planned(world)

    assert (session.state, case.field("session_on")) == ("planned", "2020-04-21")
    assert [row[0] for row in session.made("F-37")] == [student]
    assert case.takes("sign", "class_teacher").state == "signed"
    assert case.due("D-33") == "2020-04-21 23:59:59"
    assert case.takes("pay_fee", "class_teacher").state == "fee_paid"
    world.now = APRIL_22
    case.takes("photograph", "records_officer", shot_on="2020-04-21")
    assert (case.state, world.fact(student, "photo_vendor")) == ("photographed", "新华社")
    assert case.due("D-34") == "2020-05-31 23:59:59"
    assert session.takes("hold", "records_section").state == "held"
    assert case.takes("go_online", "records_section").state == "online"
    assert case.due("D-23") == "2020-05-13 23:59:59"
    case.takes("identity_pass", "records_section")
    case.takes("confirm", "student")
    assert (case.state, world.fact(student, "photo_collected")) == ("student_confirmed", True)

    case.takes("receive_paper", "records_officer").bars("receive_paper", "records_officer")
    case.hands_in("E-PHOTO", by="records_officer", body=DIPLOMA_PHOTO)
    case.takes("look_at_photo", "records_officer")
    assert world.fact(student, "photo_review") == "通过"
    assert case.takes("submit", "records_officer").state == "submitted"
    assert world.fact(student, "electronic_photo") is True
    world.replays_clean()


def test_a_session_that_is_planned_again_gives_its_class_another_day(world_of: Furnish):
    world = at_the_school(world_of)
    case = started(world, world.enrols())
    session = session_planned(world)
    case.takes("sign", "class_teacher")

    assert session.refuses("plan_again", "records_section") == {"X-05"}
    session.takes("plan_again", "records_section", reason="摄影师改期")
    another = {**ON_THE_21ST, "session_on": "2020-04-28"}
    world.opens(SESSION, "K1", "plan", "records_section", batch=CHECKING, **another)

    assert (session.state, case.field("session_on")) == ("cancelled", "2020-04-28")
    world.replays_clean()


def test_who_missed_the_session_books_a_time_gives_it_up_books_another_and_is_photographed(world_of: Furnish):
    world = at_the_school(world_of)
    case = missed(world, world.enrols())

    assert case.state == "missed_session"
    assert case.takes("book", "student", slot_at=slot(23, "10:00")).state == "appointed"
    assert case.due("D-24") == "2020-04-23 10:00:00"
    assert case.refuses("give_up_slot", "student") == {"X-05"}
    assert case.takes("give_up_slot", "student", reason="返乡未归").state == "missed_session"
    case.takes("book", "student", slot_at=slot(24, "16:59"), delivery="邮寄")
    assert case.takes("give_up_slot", "records_officer", reason="未到").state == "missed_session"
    case.takes("book", "student", slot_at=slot(27, "12:00"))
    world.now = datetime(2020, 4, 27, 6, tzinfo=UTC)
    assert case.takes("capture", "records_officer", shot_on="2020-04-27").state == "photographed"
    world.replays_clean()


WRONG_TIMES = {
    "a Saturday": (25, "10:00"), "a Sunday": (26, "10:00"), "at five o'clock": (23, "17:00"),
    "before ten": (23, "09:59"), "before the office opens": (17, "12:00"),
}  # fmt: skip


@pytest.mark.parametrize("when", list(WRONG_TIMES))
def test_a_time_outside_the_hours_of_the_office_is_not_booked(world_of: Furnish, when: str):
    day, clock = WRONG_TIMES[when]
    world = at_the_school(world_of)
    case = missed(world, world.enrols())

    assert case.refuses("book", "student", slot_at=slot(day, clock)) == {"G-PH-05"}
    assert case.takes("book", "student", slot_at=slot(23, "10:00")).state == "appointed"


def test_a_time_is_booked_by_one_student_only(world_of: Furnish):
    world = at_the_school(world_of)
    first, second = world.enrols("K1"), world.enrols("K3")
    missed(world, first).takes("book", "student", slot_at=slot(23, "10:00"))
    case = started(world, second).takes("sign", "class_teacher").takes("miss", "timer")

    assert case.refuses("book", "student", slot_at=slot(23, "10:00")) == {"G-PH-05"}
    assert case.takes("book", "student", slot_at=slot(23, "10:01")).state == "appointed"
    world.replays_clean()


def test_the_hundred_and_first_of_a_day_finds_no_room(world_of: Furnish):
    world = at_the_school(world_of)
    for minute in range(100):
        case = started(world, world.enrols()).takes("sign", "class_teacher").takes("miss", "timer")
        case.takes("book", "student", slot_at=slot(23, f"{10 + minute // 60}:{minute % 60:02d}"))
    late = started(world, world.enrols()).takes("sign", "class_teacher").takes("miss", "timer")

    assert late.refuses("book", "student", slot_at=slot(23, "16:00")) == {"G-PH-05"}
    assert late.takes("book", "student", slot_at=slot(24, "16:00")).state == "appointed"


def test_wrong_data_is_corrected_reviewed_and_confirmed_a_second_time(world_of: Furnish):
    world = at_the_school(world_of)
    student = world.enrols()
    case = online(world, student)

    assert case.refuses("correct", "student") == {"X-05"}
    assert case.takes("correct", "student", wrong="姓名用字").state == "correction_entered"
    assert case.takes("review", "records_section").state == "reviewed"
    assert case.takes("still_wrong", "student", reason="仍有误").state == "correction_entered"
    assert case.takes("refuse_correction", "records_section", reason="与身份证一致").state == "online"
    case.takes("correct", "student", wrong="姓名用字").takes("review", "records_section")
    assert case.takes("confirm", "student").state == "student_confirmed"
    assert world.fact(student, "photo_collected") is True
    world.replays_clean()


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_wrong_photo_or_a_failed_identity_check_leads_to_a_new_photo(world_of: Furnish, *, confirmed: bool):
    world = at_the_school(world_of)
    student = world.enrols()
    case = online(world, student)
    if confirmed:
        case.takes("confirm", "student")

    assert case.refuses("reject_photo", "student") == {"X-05"}
    case.takes("reject_photo", "student", reason="不是本人")
    assert (case.state, world.fact(student, "photo_collected")) == ("photo_wrong", False)
    assert case.takes("recollect", "records_officer").state == "missed_session"
    case.takes("import_progress", "records_section", shot_on="2020-04-22").takes("go_online", "records_section")
    case.takes("identity_fail", "records_section", reason="人像比对未通过")
    assert case.state == "identity_failed"
    assert (world.fact(student, "identity_check"), world.fact(student, "photo_collected")) == ("未通过", False)
    case.takes("import_progress", "records_section", shot_on="2020-04-22").takes("go_online", "records_section")
    case.takes("identity_pass", "records_section")
    assert (case.state, world.fact(student, "identity_check")) == ("online", "通过")
    world.replays_clean()


def test_a_photo_is_handed_in_on_paper_and_as_a_file_of_the_right_size_that_somebody_has_looked_at(world_of: Furnish):
    world = at_the_school(world_of)
    case = online(world, world.enrols()).takes("confirm", "student")

    lying = picture(size=(640, 480))
    assert case.hands_in_vainly("E-PHOTO", by="records_officer", body=lying) == {"G-PH-01"}
    assert case.refuses("look_at_photo", "records_officer") == {"X-10"}
    case.hands_in("E-PHOTO", by="records_officer", body=DIPLOMA_PHOTO)
    assert case.refuses("submit", "records_officer") == {"G-PH-02", "G-PH-06"}
    case.takes("receive_paper", "records_officer")
    assert case.refuses("submit", "records_officer") == {"G-PH-02"}
    blurred = {"E-PHOTO.no_border": True, "E-PHOTO.not_deformed": True, "E-PHOTO.sharp": False}
    assert case.refuses_ticks("look_at_photo", "records_officer", blurred) == {"X-24"}
    case.takes("look_at_photo", "records_officer")
    assert case.takes("submit", "records_officer").state == "submitted"
    world.replays_clean()


def test_a_photo_of_tomorrow_is_not_recorded(world_of: Furnish):
    world = at_the_school(world_of)
    case = fee_paid(world, world.enrols())

    assert case.refuses("photograph", "records_officer", shot_on="2020-04-18") == {"G-PH-04"}
    assert case.takes("photograph", "records_officer", shot_on="2020-04-17").state == "photographed"


def test_only_who_is_on_roll_is_photographed(world_of: Furnish):
    world = at_the_school(world_of)
    student = world.enrols()
    withdrawn(world, student)

    assert world.opening_refused(PHOTOS, student, "start", "records_section", batch=CHECKING) == {"G-SC-06"}


@pytest.mark.parametrize("profile", ["fulltime-vocational", "vocational-branch"])
def test_vocational_schools_collect_the_photos_in_the_same_way(world_of: Furnish, profile: str):
    world = at_the_school(world_of, profile)
    student = world.enrols()
    case = started(world, student)
    unit = "KB" if profile == "vocational-branch" else "K1"
    world.opens(SESSION, unit, "plan", "records_section", batch=CHECKING, **ON_THE_21ST)

    case.takes("sign", "class_teacher").takes("pay_fee", "class_teacher")
    case.takes("photograph", "records_officer", shot_on="2020-04-17").takes("go_online", "records_section")
    case.takes("confirm", "student").takes("receive_paper", "records_officer")
    case.hands_in("E-PHOTO", by="records_officer", body=DIPLOMA_PHOTO).takes("look_at_photo", "records_officer")

    assert case.takes("submit", "records_officer").state == "submitted"
    world.replays_clean()


def test_in_online_education_the_vendor_reports_the_photo_and_the_teaching_point_hands_it_in(world_of: Furnish):
    world = world_of("online-ed")
    world.publishes("2024-06")
    student = world.enrols()
    case = world.opens(PHOTOS, student, "start", "site_operator", batch="2024-06")

    assert not {"sign", "pay_fee", "photograph", "book", "capture", "receive_paper"} & {*case.definition.transitions}
    case.takes("import_progress", "records_section", shot_on="2024-04-20").takes("go_online", "records_section")
    assert case.due("D-23") == "2024-05-13 23:59:59"
    case.takes("reject_photo", "student", reason="不是本人").takes("recollect", "site_operator")
    case.takes("import_progress", "records_section", shot_on="2024-04-22").takes("go_online", "records_section")
    case.takes("confirm", "student")
    case.hands_in("E-PHOTO", by="site_operator", body=DIPLOMA_PHOTO)
    assert case.refuses("submit", "site_operator") == {"G-PH-02"}
    case.takes("look_at_photo", "site_operator").takes("submit", "site_operator")

    assert (case.state, world.fact(student, "electronic_photo")) == ("submitted", True)
    world.replays_clean()
