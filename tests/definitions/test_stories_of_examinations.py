"""Make-up examinations (补考) of a faculty, and the return of last term's papers and score sheets (试卷成绩归档)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.records import Json
from engine.store.documents import of_case
from tests.definitions.conftest import Furnish
from tests.definitions.world import Told, World

MAKE_UP, ARCHIVE, TEACHING = "make-up-examination", "examination-archive-return", "2024-1-teaching"
COURSE, SHEET = f"{MAKE_UP}.course", f"{ARCHIVE}.score_sheet"
FIRST_WEEK = datetime(2024, 9, 4, 4, tzinfo=UTC)
ENTRY = datetime(2024, 9, 20, 4, tzinfo=UTC)
AFTER_ENTRY = datetime(2024, 10, 20, 4, tzinfo=UTC)
EXAMINED: dict[str, Json] = {"course_name": "数据库", "course_kind": "examination", "students_counted": 12}
ASSESSED: dict[str, Json] = {"course_name": "体育", "course_kind": "assessment", "students_counted": 3}
SITTING: dict[str, Json] = {"sits_at": "2024-09-14T01:00:00.000000Z", "room": "A101", "invigilators": "监考甲、巡考乙"}
BOTH = ("F-67", "F-62")


def term(world: World) -> None:
    """The term of the batch has begun; results may be entered from 9 September to 18 October."""
    world.now = FIRST_WEEK
    world.publishes(TEACHING, entry_opens_on="2024-09-09", entry_closes_at="2024-10-18 17:40")


def of_faculty(world: World, workflow: str) -> Told:
    """The case of the faculty in whose classes the students are."""
    return next(one for one in world.cases(workflow) if one.case.unit == "FB")


def listed(world: World, course: str, **about: Json) -> Told:
    return world.opens(COURSE, "FB", "list", "records_officer", batch=TEACHING, course_id=course, **about)


def exported(world: World) -> tuple[Told, Told, Told]:
    """A make-up with a course that is examined and one that is assessed, whose list is out."""
    term(world)
    case, c1, c2 = of_faculty(world, MAKE_UP), listed(world, "C1", **EXAMINED), listed(world, "C2", **ASSESSED)
    return case.takes("export_failed", "records_officer", courses_stated=2), c1, c2


def announced(world: World) -> tuple[Told, Told, Told]:
    """A make-up with its papers printed and its classes told."""
    case, c1, c2 = exported(world)
    c1.takes("find_paper", "records_officer", copies=13).takes("timetable", "records_officer", **SITTING)
    assessed(c2)
    printed(filed(case.takes("find_papers", "records_officer")))
    return case.takes("announce", "records_officer"), c1, c2


def assessed(course: Told) -> Told:
    course.takes("deliver", "records_officer", delivered_on="2024-09-05").takes("tell", "records_officer")
    return course.takes("assess", "records_officer")


def filed(case: Told) -> Told:
    return case.signs("file_plan", "officer", "records_officer").signs("file_plan", "seal", "seal_keeper@FB")


def printed(case: Told) -> Told:
    return case.signs("order_print", "officer", "records_officer").signs(
        "order_print", "head", "academic_section_head@FB"
    )


def marked(world: World) -> tuple[Told, Told, Told]:
    case, c1, c2 = announced(world)
    case.takes("pack", "records_officer").takes("hold", "records_officer", held_on="2024-09-14")
    c1.takes("mark", "teacher@FB")
    world.now = ENTRY
    return case.takes("mark", "records_officer", one_room=True), c1, c2


def forms(case: Told) -> set[str]:
    """The forms that steps of a case made."""
    return {one.kind for one in of_case(case.world.town.connection, case.id) if one.made is not None}


def test_the_batch_plans_a_make_up_and_an_archive_return_for_every_faculty(world_of: Furnish):
    world = world_of("vocational-branch")
    term(world)

    assert of_faculty(world, MAKE_UP).due("D-27") == "2024-09-15 23:59:59"
    assert of_faculty(world, ARCHIVE).due("D-26") == "2024-09-08 23:59:59"
    for workflow, state in ((MAKE_UP, "planned"), (ARCHIVE, "open")):
        assert {(one.case.unit, one.state) for one in world.cases(workflow)} == {
            (at, state) for at in ("F1", "F2", "FB")
        }
    world.replays_clean()


def test_a_make_up_goes_from_the_list_to_published_results_and_its_courses_with_it(world_of: Furnish):
    world = world_of("vocational-branch")
    case, c1, c2 = exported(world)
    assert case.state == "list_exported"
    assert forms(case) == {"F-63"}
    c1.takes("find_paper", "records_officer", copies=13).takes("timetable", "records_officer", **SITTING)
    assert c2.takes("deliver", "records_officer", delivered_on="2024-09-05").state == "with_section"
    assert c2.takes("tell", "records_officer").takes("assess", "records_officer").state == "marked"
    assert case.takes("find_papers", "records_officer").state == "papers_found"
    assert filed(case).state == "plan_filed"
    assert printed(case).state == "sent_to_print"
    assert forms(case) == {"F-63", "F-64", "F-65", "F-66"}
    case.takes("announce", "records_officer").takes("pack", "records_officer")
    case.takes("hold", "records_officer", held_on="2024-09-14")
    assert (case.state, c1.state, c2.state) == ("held", "held", "marked")
    assert (case.due("D-28"), case.due("D-29")) == ("2024-09-21 23:59:59", "2024-10-18 17:40:00")
    c1.takes("mark", "teacher@FB")
    world.now = ENTRY
    assert case.takes("mark", "records_officer", one_room=True).state == "marked"
    assert case.refuses("report", "records_officer") == {"X-10"}
    case.hands_in(*BOTH, by="records_officer").takes("report", "records_officer")
    assert case.state == "reported"
    case.takes("publish_reported", "records_officer")

    assert (case.state, c1.state, c2.state) == ("completed", "published", "published")
    world.replays_clean()


def test_results_may_be_published_first_and_reported_then(world_of: Furnish):
    world = world_of("vocational-branch")
    case, c1, _ = marked(world)

    assert case.takes("publish", "records_officer").state == "published"
    assert c1.state == "published"
    assert case.refuses("report_published", "records_officer") == {"X-10"}
    case.hands_in(*BOTH, by="records_officer").takes("report_published", "records_officer")

    assert case.state == "completed"
    world.replays_clean()


@pytest.mark.parametrize("reported", [True, False], ids=["reported first", "published first"])
def test_after_the_entry_module_is_closed_academic_affairs_publishes_with_the_reason(world_of: Furnish, reported: bool):  # noqa: FBT001 a parameter
    world = world_of("vocational-branch")
    case, c1, _ = marked(world)
    case.hands_in(*BOTH, by="records_officer")
    step = "publish"
    if reported:
        step = "publish_reported"
        case.takes("report", "records_officer")

    assert case.refuses(f"{step}_late", "academic_affairs", reason="阅卷延误") == {"G-MK-02"}
    world.now = AFTER_ENTRY
    assert case.refuses(step, "records_officer") == {"G-MK-02"}
    case.takes(f"{step}_late", "academic_affairs", reason="阅卷延误")

    assert (case.state, c1.state) == ("completed" if reported else "published", "published")
    world.replays_clean()


def test_the_list_is_exported_with_its_true_number_of_courses_and_found_papers(world_of: Furnish):
    world = world_of("vocational-branch")
    term(world)
    case = of_faculty(world, MAKE_UP)
    assert case.refuses("export_failed", "records_officer", courses_stated=0) == {"G-MK-03"}
    c1 = listed(world, "C1", **EXAMINED)
    assert case.refuses("export_failed", "records_officer", courses_stated=2) == {"G-MK-03"}
    case.takes("export_failed", "records_officer", courses_stated=1)

    assert case.refuses("find_papers", "records_officer") == {"G-MK-01"}
    assert c1.refuses("find_paper", "records_officer", copies=11) == {"G-MK-06"}
    c1.bars("deliver", "records_officer", delivered_on="2024-09-05")
    c1.takes("recount", "records_officer", students_counted=11).takes("find_paper", "records_officer", copies=11)
    case.takes("find_papers", "records_officer")
    assert case.refuses("file_plan", "records_officer", slot="officer") == {"G-MK-07"}
    c1.takes("timetable", "records_officer", **SITTING)
    assert filed(case).state == "plan_filed"
    world.replays_clean()


def test_nobody_is_examined_in_a_course_without_students(world_of: Furnish):
    world = world_of("vocational-branch")
    term(world)
    given = {**EXAMINED, "batch": TEACHING, "course_id": "C1", "students_counted": 0}

    assert world.opening_refused(COURSE, "FB", "list", "records_officer", **given) == {"G-MK-05"}
    c1 = listed(world, "C1", **EXAMINED)
    assert c1.refuses("recount", "records_officer", students_counted=0) == {"G-MK-05"}
    world.replays_clean()


def test_a_make_up_is_marked_when_every_course_is(world_of: Furnish):
    world = world_of("vocational-branch")
    case, c1, _ = announced(world)
    case.takes("pack", "records_officer").takes("hold", "records_officer", held_on="2024-09-14")

    assert case.refuses("mark", "records_officer", one_room=True) == {"G-MK-08"}
    c1.takes("mark", "teacher@FB")
    case.takes("mark", "records_officer", one_room=True)
    world.replays_clean()


def test_an_assessed_course_is_marked_after_its_students_were_told(world_of: Furnish):
    world = world_of("vocational-branch")
    _, _, c2 = exported(world)
    c2.takes("deliver", "records_officer", delivered_on="2024-09-05")

    assert c2.refuses("assess", "records_officer") == {"G-MK-09"}
    c2.bars("find_paper", "records_officer", copies=3)
    c2.takes("tell", "records_officer").takes("assess", "records_officer")
    assert c2.state == "marked"
    world.replays_clean()


def test_a_no_to_the_print_corrects_the_plan_and_a_no_to_the_plan_the_list(world_of: Furnish):
    world = world_of("vocational-branch")
    case, c1, c2 = exported(world)
    c1.takes("find_paper", "records_officer", copies=13).takes("timetable", "records_officer", **SITTING)
    assessed(c2)
    filed(case.takes("find_papers", "records_officer"))

    case.signs("order_print", "officer", "records_officer")
    case.signs("order_print", "head", "academic_section_head@FB", yes=False, reason="份数有误")
    assert case.state == "papers_found"
    case.signs("file_plan", "officer", "records_officer", yes=False, reason="漏列课程")
    assert case.state == "planned"
    case.takes("export_failed", "records_officer", courses_stated=2)
    assert case.state == "list_exported"
    world.replays_clean()


def test_where_nobody_failed_there_is_no_make_up(world_of: Furnish):
    world = world_of("vocational-branch")
    term(world)
    case, c1 = of_faculty(world, MAKE_UP), listed(world, "C1", **EXAMINED)

    assert case.refuses("none_failed", "records_officer", reason="无不及格") == {"G-MK-04"}
    c1.takes("remove", "records_officer", reason="误列")
    assert c1.state == "cancelled"
    case.takes("none_failed", "records_officer", reason="无不及格")
    assert case.state == "cancelled"
    world.replays_clean()


def sheets(world: World) -> tuple[Told, Told, Told]:
    """The return of a faculty, and the two sheets it waits for."""
    term(world)
    overall = world.opens(SHEET, "KB", "expect", "records_officer", batch=TEACHING, sheet="overall", course_id="0")
    subject = world.opens(SHEET, "KB", "expect", "records_officer", batch=TEACHING, sheet="subject", course_id="C1")
    return of_faculty(world, ARCHIVE), overall, subject


def all_in(world: World) -> tuple[Told, Told, Told]:
    case, overall, subject = sheets(world)
    overall.hands_in("F-60", by="class_teacher").takes("hand_in_overall", "class_teacher")
    subject.hands_in("F-61", by="teacher").takes("hand_in_subject", "teacher")
    return case.hands_in("E-PAPERS", by="records_officer"), overall, subject


KEPT: dict[str, Json] = {"sheets_stated": 2, "kept_at": "档案室三柜"}


def test_papers_and_score_sheets_are_archived_and_reported_when_all_are_in(world_of: Furnish):
    world = world_of("vocational-branch")
    case, overall, subject = sheets(world)
    assert overall.refuses("hand_in_overall", "class_teacher") == {"X-10"}
    overall.bars("hand_in_subject", "teacher")
    overall.hands_in("F-60", by="class_teacher").takes("hand_in_overall", "class_teacher")
    assert case.refuses("archive", "records_officer", **KEPT) == {"G-AR-03", "X-10"}
    subject.hands_in("F-61", by="teacher").takes("hand_in_subject", "teacher")
    case.hands_in("E-PAPERS", by="records_officer")
    assert case.refuses("archive", "records_officer", **{**KEPT, "sheets_stated": 3}) == {"G-AR-02"}
    case.takes("archive", "records_officer", **KEPT)
    assert case.refuses("report", "records_officer") == {"X-10"}
    case.hands_in("F-62", by="records_officer").takes("report", "records_officer")

    assert (case.state, overall.state, subject.state) == ("reported", "filed", "filed")
    world.replays_clean()


def test_a_score_sheet_sent_back_is_missing_again_and_one_not_due_is_removed(world_of: Furnish):
    world = world_of("vocational-branch")
    case, overall, subject = all_in(world)
    subject.takes("send_back", "records_officer", reason="缺签字")

    assert case.refuses("archive", "records_officer", **KEPT) == {"G-AR-03"}
    subject.takes("remove", "records_officer", reason="本学期未开课")
    assert subject.state == "cancelled"
    case.takes("archive", "records_officer", **{**KEPT, "sheets_stated": 1})
    assert overall.refuses("send_back", "records_officer", reason="缺签字") == {"X-12"}
    assert case.takes("reopen", "academic_affairs", reason="漏交一份").state == "open"
    overall.takes("send_back", "records_officer", reason="缺签字")
    world.replays_clean()


@pytest.mark.parametrize(("workflow", "by_hand"), [(MAKE_UP, "plan_by_hand"), (ARCHIVE, "start_by_hand")])
def test_a_faculty_that_came_later_is_added_by_hand(world_of: Furnish, workflow: str, by_hand: str):
    world = world_of("vocational-branch")
    term(world)
    if workflow == MAKE_UP:
        of_faculty(world, MAKE_UP).takes("none_failed", "records_officer", reason="无不及格")
        case = world.opens(workflow, "FB", by_hand, "records_officer", batch=TEACHING)
        assert case.state == "planned"
    world.replays_clean()
