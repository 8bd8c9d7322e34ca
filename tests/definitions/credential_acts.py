"""Acts that the stories of credentials have in common: how a full-time student comes by a registered credential."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from engine.delegating import Mandate, leave_to
from engine.records import Json
from tests.definitions.world import Told, World

FULLTIME, ROWS = "2024-06-fulltime", "credential-registration-fulltime"
FACULTY_LIST, BOOK = f"{ROWS}.faculty_list", f"{ROWS}.book"
SAME_FACE: Mapping[str, Json] = {"matches_admission": True, "matches_entry": True, "matches_id": True}
TO_BE_SET = {"graduation_on": "2024-06-30", "school_name": "示范学院", "president": "校长甲"}
EXPECTED: Mapping[str, Json] = {
    "cohort": 2021, "level": "专科", "major": "电子商务", "on_chsi_list": True, "credits_earned": 120,
    "credits_required": 120,
}  # fmt: skip
"""What else is known of a student of a full-time school who is about to graduate."""


def expected(world: World, unit: str | None = None, **facts: Json) -> str:
    """A student of the class of 2024 whom nothing keeps from graduating, except what these facts say."""
    return world.ready(unit, **{**EXPECTED, **facts})


def row_of(world: World, student: str) -> Told:
    """The case of a student in the procedure of registration."""
    return world.cases_of(student, ROWS)[0]


def photo_matched(world: World, student: str) -> Told:
    row = row_of(world, student).takes("find_eligible", "academic_section")
    return row.takes("compare_photo_ok", "records_section", **SAME_FACE)


def student_signed(world: World, student: str) -> Told:
    return photo_matched(world, student).takes("student_sign", "class_teacher")


def list_sealed(world: World) -> Told:
    """The list of the faculty that signed last goes out, is signed at every level and sealed."""
    listed = world.cases(FACULTY_LIST)[0].takes("close", "academic_section")
    for teacher in classes_on(world, listed):
        listed.signs("seal_list", "class_teachers", f"class_teacher@{teacher}")
    listed.signs("seal_list", "academic_section", "academic_section")
    listed.signs("seal_list", "student_affairs", "student_affairs_section")
    return listed.signs("seal_list", "faculty_head", "faculty_head").signs("seal_list", "seal", "seal_keeper")


def classes_on(world: World, listed: Told) -> list[str]:
    """The classes whose teachers have to sign a list."""
    sql = "SELECT unit FROM waiting WHERE case_id = ? AND slot LIKE 'class_teachers@%' ORDER BY unit"
    return [str(row[0]) for row in world.town.connection.execute(sql, (listed.id,)).fetchall()]


def compiled(world: World) -> Told:
    return world.opens(BOOK, "U", "compile", "records_section", batch=FULLTIME)


def book_sealed(book: Told) -> Told:
    book.takes("office_sign", "academic_affairs_head")
    return book.signs("seal_book", "vice_president", "vice_president").signs("seal_book", "seal", "seal_keeper")


def archived(world: World) -> Told:
    """The book of all whose lists are sealed, compiled, signed, sealed and put on the shelf."""
    return book_sealed(compiled(world)).takes("archive", "archive", shelf="3-2-1", pages=120)


def registered(world: World, *students: str) -> str:
    """Take students the whole way to a registered credential; gives the first."""
    for student in students:
        if not world.cases_of(student, ROWS):
            world.opens(ROWS, student, "expect_late", "records_section", batch=FULLTIME)
        student_signed(world, student)
    list_sealed(world)
    archived(world)
    for student in students:
        row_of(world, student).takes("register_credential", "records_section")
    return students[0]


def graduate(world: World, **facts: Json) -> str:
    """A student of a full-time school whose credential is registered."""
    world.publishes(FULLTIME, **TO_BE_SET)
    return registered(world, expected(world, None, **facts))


def left_to(case: Told, taker: str, reason: str) -> set[str]:
    """The records officer records that the student leaves the signature to somebody; why not, if it is refused."""
    world = case.world
    mandate = Mandate(taker=taker, role="student", reason=reason)
    request = world.request("leave", world.actor("records_officer", case.case.unit))
    return {one.id for one in leave_to(world.town.desk, case.id, mandate, world.now + timedelta(days=7), request)}
