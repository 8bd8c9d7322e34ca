"""Registration of freshmen (新生学籍电子注册, W-04), and the record that opens with it, to each end."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from engine.delegating import Mandate, delegate
from engine.records import Json, Moved
from tests.definitions.conftest import Furnish
from tests.definitions.enrolment_acts import (
    AUTUMN,
    DECISION,
    admits,
    case_of,
    checked,
    face_scanned,
    form_collected,
    intake_of,
    list_issued,
    publishes_intake,
    recheck_cleared,
    recheck_delivered,
    recheck_signed,
    register,
    the_list,
)
from tests.definitions.world import Told, World

REGISTRATION, CHECK = "freshman-record-registration", "admission-qualification-check"
RECHECK, CORRECTION = "admission-qualification-recheck", "admission-data-correction"
FACULTY_LIST, BOOK = f"{REGISTRATION}.faculty_list", f"{REGISTRATION}.book"
WINTER = datetime(2024, 12, 10, 4, tzinfo=UTC)


@pytest.fixture
def world(world_of: Furnish) -> World:
    world = world_of("fulltime-vocational")
    publishes_intake(world)
    return world


def list_out(world: World, *students: str) -> list[Told]:
    """Freshmen whose check is passed and whose list is out for signature."""
    checked(world, *students)
    world.now = AUTUMN
    return [list_issued(world, student) for student in students]


def faculty_sealed(world: World, *students: str) -> list[Told]:
    """Freshmen who have signed and whose list the faculty has sealed."""
    cases = list_out(world, *students)
    for case in cases:
        case.takes("student_sign", "class_teacher")
    seals(the_list(world, FACULTY_LIST, "F1").takes("close", "academic_section@F1"))
    return cases


def seals(listed: Told) -> Told:
    """Every level signs the list of a faculty in its order."""
    listed.signs("seal_list", "class_teachers", "class_teacher@K1")
    listed.signs("seal_list", "academic_section", "academic_section@F1")
    listed.signs("seal_list", "student_affairs", "student_affairs_section")
    return listed.signs("seal_list", "faculty_head", "faculty_head").signs("seal_list", "seal", "seal_keeper")


def rechecked(world: World, *students: str) -> None:
    """The re-check of these freshmen is passed and its list delivered."""
    for student in students:
        form_collected(world, student)
    recheck_signed(world)
    for student in students:
        case_of(world, student, RECHECK).takes("no_doubt", "admissions")
    recheck_delivered(world)


def registered(world: World, *students: str) -> list[Told]:
    cases = faculty_sealed(world, *students)
    rechecked(world, *students)
    world.now = WINTER
    return [case.takes("register", "records_section", registered_level="专科") for case in cases]


def book_sealed(book: Told) -> Told:
    book.signs("seal_book", "office_head", "academic_affairs_head").signs(
        "seal_book", "vice_president", "vice_president"
    )
    return book.signs("seal_book", "seal", "seal_keeper@U")


def compiled(world: World) -> Told:
    return world.opens(BOOK, "U", "compile", "records_section", batch=intake_of(world.profile))


def test_a_freshman_signs_the_faculty_seals_the_record_opens_and_the_freshman_confirms(world: World):
    student = admits(world)
    [case] = list_out(world, student)
    assert case.state == "list_issued"
    case.takes("student_sign", "class_teacher")
    assert case.state == "student_signed"

    listed = the_list(world, FACULTY_LIST, "F1")
    assert listed.state == "collecting"
    listed.takes("close", "academic_section@F1")
    assert listed.state == "out"
    assert listed.refuses("seal_list", "faculty_head", slot="faculty_head") == {"G-SG-04"}
    seals(listed)
    assert listed.state == "sealed"
    assert case.state == "faculty_sealed"

    assert case.refuses("register", "records_section", registered_level="专科") == {"G-AD-19"}
    rechecked(world, student)
    case.takes("register", "records_section", registered_level="专科")

    assert case.state == "registered_record"
    assert world.record(student).state == "enrolled"
    assert world.fact(student, "enrolled_on") == "2024-09-02"
    case.takes("confirm", "student")
    assert case.state == "student_confirmed"
    world.replays_clean()


def test_a_freshman_who_reports_an_error_confirms_when_it_is_mended(world: World):
    [case] = registered(world, admits(world))
    assert case.refuses("report_error", "student") == {"X-05"}
    case.takes("report_error", "student", reason="专业有误")
    assert case.state == "error_reported"
    assert case.takes("confirm", "student").state == "student_confirmed"
    world.replays_clean()


def test_a_book_is_signed_sealed_and_archived_and_a_second_one_takes_only_what_is_new(world: World):
    first, second = admits(world), admits(world)
    one, other = registered(world, first, second)[:1], case_of(world, second, REGISTRATION)
    late = admits(world)
    face_scanned(world, late)

    book = compiled(world)
    assert book.state == "compiled"
    book.bars("archive", "archive", shelf="甲-3", pages=120)
    assert book.refuses("seal_book", "vice_president", slot="vice_president") == {"G-SG-05"}
    book_sealed(book)
    assert book.state == "sealed"
    assert book.refuses("archive", "archive") == {"X-05"}
    book.takes("archive", "archive", shelf="甲-3", pages=120)

    assert book.state == "archived"
    assert [case.field("booked") for case in (*one, other)] == [True, True]
    assert world.opening_refused(BOOK, "U", "compile", "records_section", batch=intake_of(world.profile)) == {"G-AD-33"}
    world.replays_clean()


def test_a_book_is_compiled_over_open_rows_with_a_warning_and_may_be_sent_back(world: World):
    first, second = admits(world), admits(world)
    one, other = faculty_sealed(world, first, second)
    rechecked(world, first, second)
    one.takes("register", "records_section", registered_level="专科")

    outcome = world.tries_to_open(BOOK, "U", "compile", "records_section", batch=intake_of(world.profile))
    assert isinstance(outcome, Moved)
    assert [warned.id for warned in outcome.warnings] == ["G-SG-10"]
    book = Told(world, outcome.case.id)
    book.signs("seal_book", "office_head", "academic_affairs_head", yes=False, reason="漏人")
    assert (book.state, one.field("booked")) == ("cancelled", False)
    other.takes("register", "records_section", registered_level="专科")
    book_sealed(compiled(world)).takes("archive", "archive", shelf="甲-3", pages=120)
    assert one.field("booked") is True
    world.replays_clean()


def test_a_list_waits_for_every_signature_of_a_freshman_and_is_returned_by_whoever_objects(world: World):
    first, second = admits(world), admits(world)
    one, other = list_out(world, first, second)
    listed = the_list(world, FACULTY_LIST, "F1")
    one.takes("student_sign", "class_teacher")
    assert listed.refuses("close", "academic_section@F1") == {"G-SG-09"}

    other.takes("annotate_waived", "records_section", reason="出国", decided_on="2024-09-12")
    listed.takes("close", "academic_section@F1")
    listed.signs("seal_list", "class_teachers", "class_teacher@K1")
    assert listed.refuses("seal_list", "faculty_head", slot="faculty_head") == {"G-SG-04"}
    assert one.refuses("annotate_waived", "records_section", reason="出国", decided_on="2024-09-12") == {"X-12"}
    listed.signs("seal_list", "academic_section", "academic_section@F1", yes=False, reason="漏一人")
    assert listed.state == "collecting"
    seals(listed.takes("close", "academic_section@F1"))
    assert (one.state, other.state) == ("faculty_sealed", "qualification_waived")
    world.replays_clean()


def test_a_freshman_signs_in_person_and_only_after_the_check_is_passed(world: World):
    absent = admits(world)
    batch = intake_of(world.profile)
    check = world.opens(CHECK, absent, "import_and_open", "admissions", batch=batch)
    about = (REGISTRATION, absent, "issue_list", "records_section")
    assert world.opening_refused(*about, batch=batch) == {"G-AD-36"}
    world.now = AUTUMN
    check.takes("mark_absent", "class_teacher", reason="未到")
    case = list_issued(world, absent)
    assert case.refuses("student_sign", "class_teacher") == {"G-AD-23"}

    lender = world.actor("class_teacher", "K1")
    mandate = Mandate(taker="counsellor@K1", role="class_teacher", reason="请假")
    until = datetime(2024, 12, 31, tzinfo=UTC)
    assert not delegate(world.town.desk, "K1", mandate, until, world.request("delegate", lender))
    assert case.refuses("student_sign", "counsellor@K1") == {"G-AD-23", "G-SG-01"}


def test_a_freshman_who_waives_is_annotated_and_never_comes_back(world: World):
    [case] = list_out(world, admits(world))
    case.takes("annotate_waived", "records_section", reason="复读", decided_on="2024-09-12")
    assert case.state == "qualification_waived"
    case.bars("student_sign", "class_teacher")
    world.replays_clean()


def retained(world: World, student: str) -> Told:
    [case] = list_out(world, student)
    until = "2025-09-01"
    return case.takes("annotate_retained", "records_section", reason="参军", retained_until=until, **DECISION)


def test_a_retained_qualification_is_resumed_in_the_next_intake_where_the_check_starts_anew(world: World):
    student = admits(world)
    following = publishes_intake(world, 2025)
    case = retained(world, student)
    assert case.state == "qualification_retained"
    assert world.fact(student, "qualification_annotation") == "14"

    world.now = datetime(2025, 8, 31, 4, tzinfo=UTC)
    case.takes(
        "resume_retained", "records_section", resumed_in=following, decided_on="2025-08-20", document_no="学字2025-2"
    )

    assert case.state == "qualification_resumed"
    again = world.cases_of(student, CHECK)[0]
    assert (again.state, again.field("batch")) == ("expected", following)
    assert (world.fact(student, "qualification_annotation"), world.fact(student, "last_change")) == (None, "15")
    world.replays_clean()


def test_a_retained_qualification_that_is_not_resumed_is_cancelled(world: World):
    kept = admits(world)
    case = retained(world, kept)
    case.takes(
        "cancel_retained", "records_section", reason="期满未恢复", decided_on="2025-09-20", document_no="学字2025-9"
    )
    assert case.state == "qualification_cancelled"
    assert world.fact(kept, "qualification_annotation") == "16"
    world.replays_clean()


def test_nobody_is_cancelled_while_the_recheck_is_merely_not_passed_yet(world: World):
    student = admits(world)
    [case] = faculty_sealed(world, student)
    assert case.refuses("cancel", "records_section", reason="复查不合格", **DECISION) == {"G-AD-24"}

    recheck = case_of(world, student, RECHECK)
    recheck.signs("mark_doubtful", "faculty", "student_affairs_section", reason="冒名")
    recheck.signs("mark_doubtful", "admissions", "admissions", reason="冒名")
    recheck.hands_in("F-16", by="admissions").takes("fail", "admissions", reason="冒名")
    case.takes("cancel", "records_section", reason="复查不合格", **DECISION)

    assert (case.state, world.fact(student, "last_change")) == ("qualification_cancelled", "16")
    world.replays_clean()


def test_a_list_goes_out_for_freshmen_of_the_admission_data_without_an_open_correction(world: World):
    student = admits(world)
    checked(world, student)
    correction = world.opens(CORRECTION, student, "report", "records_section", correction="amendment", item="姓名")
    world.knows(student, in_admission_data=False)
    batch = intake_of(world.profile)

    about = (REGISTRATION, student, "issue_list", "records_section")
    assert world.opening_refused(*about, batch=batch) == {"G-AD-01", "G-AD-13"}
    correction.takes("take_back", "records_section", reason="无误")
    world.knows(student, in_admission_data=True)
    assert list_issued(world, student).state == "list_issued"


def ready_to_register(world: World, **facts: Json) -> tuple[str, Told]:
    student = admits(world, None, **facts)
    recheck_cleared(world, student)
    return student, list_issued(world, student)


@pytest.mark.parametrize(
    ("facts", "refused", "mended"),
    [
        ({"admitted_level": "预科"}, "G-AD-08", {"admitted_level": "本科"}),
        ({"special_policy": "免费师范生"}, "G-AD-10", {"admission_type": "免费师范生"}),
        ({"admitting_school": "X9"}, "G-AD-12", {"admitting_school": "U"}),
        ({"education_type": None, "level": None}, "G-AD-14", {"education_type": "本科"}),
        ({"qualification_annotation": "14"}, "G-AD-15", {"qualification_annotation": None}),
    ],
)
def test_a_university_registers_whom_it_admitted_as_admitted(
    world_of: Furnish, facts: dict[str, Json], refused: str, mended: dict[str, Json]
):
    world = world_of("fulltime-university")
    publishes_intake(world)
    student, case = ready_to_register(world, **{"education_type": "本科", **facts})

    assert case.refuses("register", "records_section", registered_level="本科") == {refused}
    world.knows(student, **mended)
    case.takes("register", "records_section", registered_level="本科")
    assert (case.state, world.record(student).state) == ("registered_record", "enrolled")
    world.replays_clean()


def test_everything_that_stands_against_a_registration_is_told_at_once(world_of: Furnish):
    world = world_of("fulltime-university")
    publishes_intake(world)
    student = admits(world, admitted_level="预科", special_policy="国防生", admitting_school="X9")
    case = list_issued(world, student)
    world.opens(CORRECTION, student, "report", "records_section", correction="amendment", item="姓名")

    refused = case.refuses("register", "records_section", registered_level="本科")
    assert refused == {"G-AD-08", "G-AD-10", "G-AD-12", "G-AD-13", "G-AD-19"}


def test_a_university_registers_without_a_signature_chain_and_the_freshman_confirms(world_of: Furnish):
    world = world_of("fulltime-university")
    publishes_intake(world)
    student, case = register(world)
    assert world.record(student).state == "enrolled"
    case.takes("report_error", "student", reason="专业有误").takes("confirm", "student")
    assert case.state == "student_confirmed"
    world.replays_clean()


def test_a_university_resumes_a_retained_qualification_on_the_list_of_the_next_intake(world_of: Furnish):
    world = world_of("fulltime-university")
    publishes_intake(world)
    following = publishes_intake(world, 2025)
    student = admits(world)
    case = list_issued(world, student)
    case.takes("annotate_retained", "records_section", reason="参军", retained_until="2025-09-01", **DECISION)
    case.takes(
        "resume_retained", "records_section", resumed_in=following, decided_on="2025-08-20", document_no="学字2025-2"
    )

    again = world.cases_of(student, REGISTRATION)[0]
    assert (case.state, again.state, again.field("batch")) == ("qualification_resumed", "list_issued", following)
    world.replays_clean()
