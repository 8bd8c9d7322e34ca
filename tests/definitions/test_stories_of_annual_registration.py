"""Registration every academic year (学年电子注册, W-07): at the college, with finance, in the book, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.records import Json
from tests.definitions.conftest import Furnish
from tests.definitions.enrolment_acts import case_of, the_list
from tests.definitions.world import Told, World

ANNUAL = "annual-registration"
COLLEGE_LIST, BOOK = f"{ANNUAL}.college_list", f"{ANNUAL}.book"
TERM_1 = datetime(2024, 9, 2, 4, tzinfo=UTC)
OFFICER = "records_officer"
RETENTION: dict[str, Json] = {"cause": "参军", "retained_from": "2024-09-01", "retained_to": "2025-08-31"}


def enrols(world: World, unit: str | None = None, **facts: Json) -> str:
    """A student on roll for whom nothing is owed."""
    return world.enrols(unit, **{"fee_owed": "0.00", **facts})


def opened(world: World, *students: str) -> list[Told]:
    """The registration of the year of these students."""
    world.starts_term("2024-1", TERM_1)
    return [case_of(world, student, ANNUAL) for student in students]


@pytest.fixture
def world(world_of: Furnish) -> World:
    return world_of("fulltime-vocational")


def reports(listed: Told) -> Told:
    """Every level signs the list of a college in its order."""
    listed.signs("report", "class_teachers", "class_teacher@K1")
    listed.signs("report", "academic_section", "academic_section@F1")
    listed.signs("report", "student_affairs", "student_affairs_section")
    return listed.signs("report", "faculty_head", "faculty_head").signs("report", "seal", "seal_keeper")


def reported(world: World, *cases: Told) -> None:
    for case in cases:
        case.takes("register_at_college", OFFICER)
    reports(the_list(world, COLLEGE_LIST, "F1").takes("close", OFFICER))


def merged(world: World, case: Told) -> Told:
    reported(world, case)
    return case.takes("record_finance", "finance", on_finance_list=True).takes("merge_finance", "records_section")


def compiled(world: World) -> Told:
    return world.opens(BOOK, "U", "compile", "records_section", academic_year=2024)


def book_sealed(book: Told) -> Told:
    book.signs("seal_book", "office_head", "academic_affairs_head").signs(
        "seal_book", "vice_president", "vice_president"
    )
    return book.signs("seal_book", "seal", "seal_keeper@U")


def test_a_student_registers_at_the_college_is_merged_with_finance_and_registered_with_the_book(world: World):
    [case] = opened(world, enrols(world))
    assert (case.state, case.field("academic_year")) == ("open", 2024)
    case.takes("register_at_college", OFFICER)
    assert case.state == "registered_at_college"

    listed = the_list(world, COLLEGE_LIST, "F1")
    assert listed.state == "compiling"
    listed.takes("close", OFFICER)
    assert listed.state == "signing"
    assert listed.refuses("report", "faculty_head", slot="faculty_head") == {"G-SG-04"}
    reports(listed)
    assert (listed.state, case.state) == ("reported", "reported")

    case.takes("record_finance", "finance", on_finance_list=True)
    assert case.state == "reported"
    case.takes("merge_finance", "records_section")
    assert case.state == "merged"
    book = compiled(world)
    assert book.state == "compiled"
    assert book.refuses("seal_book", "seal_keeper@U", slot="seal") == {"G-SG-05"}
    book.bars("archive", "archive", shelf="乙-1", pages=120)
    book_sealed(book)
    assert (book.state, case.state) == ("sealed", "e_registered")
    assert book.takes("archive", "archive", shelf="乙-1", pages=120).state == "archived"
    world.replays_clean()


def test_a_year_opens_once_for_students_of_earlier_cohorts_whose_record_has_not_ended(world: World):
    due, freshman, gone = enrols(world), enrols(world, cohort=2024), enrols(world)
    left = {"reason_code": "voluntary", "decided_on": "2024-04-22", "document_no": "学字2024-7"}
    world.record(gone).takes("withdraw", "records_section", **left)

    opened(world, due)
    opened(world, due)
    assert [len(world.cases_of(one, ANNUAL)) for one in (due, freshman, gone)] == [1, 0, 0]
    world.starts_term("2024-2", datetime(2025, 2, 20, 4, tzinfo=UTC))
    assert [len(world.cases_of(one, ANNUAL)) for one in (due, freshman, gone)] == [1, 0, 0]
    world.replays_clean()


def test_who_owes_fees_is_not_registered_until_they_are_paid(world: World):
    debtor, paid = enrols(world, fee_owed="300.00"), enrols(world)
    case, other = opened(world, debtor, paid)
    assert case.refuses("register_at_college", OFFICER) == {"G-AN-02"}
    assert other.refuses("refuse", OFFICER, conditions_met=True, reason="欠费") == {"G-AN-02"}
    case.takes("refuse", OFFICER, conditions_met=True, reason="欠费")
    other.takes("refuse", OFFICER, conditions_met=False, reason="未交作业")
    assert (case.state, other.state) == ("not_registered", "not_registered")

    world.knows(debtor, fee_owed="0.00")
    assert case.takes("register_at_college", OFFICER).state == "registered_at_college"
    assert other.takes("reconsider", "academic_affairs", reason="已补交").state == "open"
    world.replays_clean()


def test_a_registration_is_deferred_over_an_application_and_made_up_in_a_supplementary_list(world: World):
    debtor = enrols(world, fee_owed="300.00")
    case, other = opened(world, debtor, enrols(world))
    asked: dict[str, Json] = {"reason": "助学贷款未到", "expected_on": "2024-10-31"}
    assert case.refuses("request_deferral", "student", **asked) == {"G-AN-03", "X-10"}
    other.hands_in("F-25", by="student")
    assert other.refuses("request_deferral", "student", **asked) == {"G-AN-03"}
    case.hands_in("F-25", by="student").takes("request_deferral", "student", **asked)
    assert case.state == "deferral_requested"
    case.bars("make_up", OFFICER)
    assert the_list(world, COLLEGE_LIST, "F1").refuses("close", OFFICER) == {"G-AN-06"}
    case.takes("grant_deferral", OFFICER)
    assert case.state == "deferred"

    reported(world, other)
    assert case.state == "deferred"
    assert case.refuses("make_up", OFFICER) == {"G-AN-04"}
    world.knows(debtor, fee_owed="0.00")
    case.takes("make_up", OFFICER)
    assert case.state == "made_up"
    reports(the_list(world, COLLEGE_LIST, "F1").takes("close", OFFICER))
    assert (case.state, other.state) == ("reported", "reported")
    world.replays_clean()


def test_a_deferral_is_denied_or_taken_back_with_a_reason(world: World):
    one, other = opened(world, enrols(world, fee_owed="300.00"), enrols(world, fee_owed="300.00"))
    for case in (one, other):
        case.hands_in("F-25", by="student")
        case.takes("request_deferral", "student", reason="困难", expected_on="2024-10-31")
    assert one.refuses("deny_deferral", OFFICER) == {"X-05"}
    one.takes("deny_deferral", OFFICER, reason="材料不实")
    other.takes("take_back", "student", reason="已筹到")
    assert (one.state, other.state) == ("not_registered", "open")
    world.replays_clean()


def test_who_is_not_on_the_finance_list_is_set_aside_and_not_merged(world: World):
    [case] = opened(world, enrols(world))
    reported(world, case)
    assert case.refuses("merge_finance", "records_section") == {"G-AN-05"}
    case.takes("record_finance", "finance", on_finance_list=False)
    assert case.refuses("merge_finance", "records_section") == {"G-AN-05"}
    case.takes("set_aside", "records_section", reason="未缴费")
    assert case.state == "not_registered"
    world.replays_clean()


def test_changes_of_last_year_are_settled_before_a_row_is_merged(world: World):
    student = enrols(world)
    change = world.opens("status-retention", student, "draft", "class_teacher", **RETENTION)
    [case] = opened(world, student)
    reported(world, case)
    case.takes("record_finance", "finance", on_finance_list=True)
    assert case.refuses("merge_finance", "records_section") == {"G-AN-09"}
    change.takes("take_back", "class_teacher", reason="未入伍")
    assert case.takes("merge_finance", "records_section").state == "merged"


def test_a_year_that_ends_without_registration_lapses(world: World):
    [case] = opened(world, enrols(world, fee_owed="300.00"))
    assert case.due("year-over") is not None
    case.takes("lapse", "timer")
    assert case.state == "lapsed"
    world.replays_clean()


def test_list_and_book_are_sent_back_by_whoever_objects(world: World):
    [case] = opened(world, enrols(world))
    case.takes("register_at_college", OFFICER)
    listed = the_list(world, COLLEGE_LIST, "F1").takes("close", OFFICER)
    listed.signs("report", "class_teachers", "class_teacher@K1", yes=False, reason="漏一人")
    assert listed.state == "compiling"
    reports(
        listed.takes("close", OFFICER).takes("return_list", "academic_affairs", reason="重报").takes("close", OFFICER)
    )
    case.takes("record_finance", "finance", on_finance_list=True).takes("merge_finance", "records_section")
    book = compiled(world).signs("seal_book", "office_head", "academic_affairs_head", yes=False, reason="有误")
    assert (book.state, case.state) == ("cancelled", "merged")
    book_sealed(compiled(world))
    assert case.state == "e_registered"
    world.replays_clean()


def test_a_university_reports_without_signatures_and_the_office_registers_each_in_time(world_of: Furnish):
    world = world_of("fulltime-university")
    debtor = enrols(world, fee_owed="300.00")
    case, late = opened(world, enrols(world), debtor)
    assert case.due("D-07") == "2024-09-15 23:59:59"
    case.takes("register_at_college", OFFICER)
    late.takes("refuse", OFFICER, conditions_met=True, reason="欠费")
    listed = the_list(world, COLLEGE_LIST, "F1").takes("close", OFFICER)
    assert listed.due("D-08") == "2024-09-22 23:59:59"
    listed.takes("report", OFFICER)
    assert (case.state, case.due("D-09")) == ("reported", "2024-10-02 23:59:59")

    world.now = datetime(2024, 9, 16, 4, tzinfo=UTC)
    world.knows(debtor, fee_owed="0.00")
    assert late.refuses("register_at_college", OFFICER) == {"G-AN-07"}
    late.takes("reconsider", "academic_affairs", reason="贷款到账").takes("register_at_college", OFFICER)
    case.takes("e_register", "academic_affairs")
    assert (case.state, late.state) == ("e_registered", "registered_at_college")
    world.replays_clean()
