"""Acts that the stories of enrolment have in common: an intake, its freshmen, and the papers they bring."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from engine.actors import IMPORT
from engine.enrolling import Enrolment, enrol
from engine.records import Json
from engine.vocabulary import BatchFile
from tests.definitions.world import LIVES_IN, Told, World
from tests.engine.town import roster_facts

REPORTING = datetime(2024, 8, 31, 4, tzinfo=UTC)
"""While freshmen report."""
AUTUMN = datetime(2024, 9, 10, 4, tzinfo=UTC)
"""In the second teaching week of the first term."""

SCHOOLS = ("fulltime-vocational", "fulltime-university", "vocational-branch", "generic", "k12-generic")
FRESHMAN: Mapping[str, Json] = MappingProxyType({
    "in_admission_data": True, "admission_photo": True, "cohort": 2024, "study_mode": "普通全日制",
    "education_type": "专科", "admitted_level": "专科", "enrolled_on": None, "fee_owed": "0.00",
})  # fmt: skip
"""What the admission data say of a freshman with whom all is in order."""
DOCUMENTS: Mapping[str, Json] = MappingProxyType(
    {"admission_notice": True, "exam_ticket": False, "id_card": True, "same_person": True}
)
DECISION: Mapping[str, Json] = MappingProxyType({"decided_on": "2024-09-20", "document_no": "学字2024-31"})


def intake_of(profile: str, year: int = 2024) -> str:
    """The name of a profile's intake of a year."""
    return f"{year}-09-{profile}"


def intakes() -> dict[str, BatchFile]:
    """The freshmen of three years, for every profile that takes freshmen in."""
    made = [
        BatchFile.model_validate({
            "batch": intake_of(profile, year), "kind": "intake", "profile": profile,
            "title": {"zh": f"{year}级新生", "en": f"Freshmen of {year}"},
            "reporting_from": f"{year}-08-30", "reporting_to": f"{year}-09-02", "entry_on": f"{year}-09-02",
            "transfer_by": f"{year}-12-31", "information_by": f"{year}-09-20", "photo_by": f"{year}-10-20",
        })
        for profile in SCHOOLS
        for year in (2024, 2025, 2026)
    ]  # fmt: skip
    return {one.batch: one for one in made}


def publishes_intake(world: World, year: int = 2024) -> str:
    """The intake of a year is published; it is then the time of reporting."""
    world.now = max(world.now, REPORTING)
    batch = intake_of(world.profile, year)
    world.publishes(batch)
    return batch


def admits(world: World, unit: str | None = None, **facts: Json) -> str:
    """A freshman of the admission data, who has no record yet; returns the student number."""
    number = str(next(world.numbers))
    known = {**roster_facts(number), **FRESHMAN, **facts}
    one = Enrolment(student_no=number, unit=unit or LIVES_IN.get(world.profile, "K1"), facts=known)
    enrol(world.town.desk, [one], world.request("open_record", IMPORT), opens_record=False)
    return number


def check_opened(world: World, student: str) -> Told:
    """The admission check of a freshman, as the admission data bring it in."""
    batch = intake_of(world.profile)
    return world.opens("admission-qualification-check", student, "import_and_open", "admissions", batch=batch)


def documents_checked(world: World, student: str) -> Told:
    return check_opened(world, student).takes("check_documents", "class_teacher", **DOCUMENTS)


def face_scanned(world: World, student: str) -> Told:
    """The check of a freshman up to the portrait that matches."""
    case = documents_checked(world, student).hands_in("E-FACE", "E-SIGN", by="admissions")
    return case.takes("scan_face_ok", "admissions", face_result="通过")


def class_report_confirmed(world: World, unit: str = "K1") -> Told:
    """The check report of a class, handed in by its teacher and confirmed by the section."""
    report = the_list(world, "admission-qualification-check.class_report", unit)
    report.takes("hand_in", "class_teacher")
    report.signs("section_confirm", "section", "student_affairs_section")
    return report.signs("section_confirm", "seal", "seal_keeper")


def faculty_sheet_signed(world: World, unit: str = "F1") -> Told:
    """The sheet of a faculty, compiled and signed there."""
    sheet = the_list(world, "admission-qualification-check.faculty_sheet", unit)
    sheet.takes("compile", "student_affairs_section")
    sheet.signs("faculty_sign", "faculty_head", "faculty_head")
    return sheet.signs("faculty_sign", "seal", "seal_keeper")


def concluded(sheet: Told) -> Told:
    """The admissions office concludes a sheet with the seal of the school."""
    return sheet.signs("conclude", "admissions", "admissions").signs("conclude", "seal", "seal_keeper@U")


def checked(world: World, *students: str) -> None:
    """Freshmen of class K1 whose admission check is passed."""
    for student in students:
        face_scanned(world, student)
    class_report_confirmed(world)
    concluded(faculty_sheet_signed(world))


def the_list(world: World, name: str, unit: str) -> Told:
    """The open list of a name at a unit."""
    found = [one for one in world.cases(name) if one.case.unit == unit and not one.is_over()]
    assert len(found) == 1, f"{name} at {unit}: {[one.state for one in found]}"
    return found[0]


def case_of(world: World, student: str, workflow: str) -> Told:
    """The one case of a student in a workflow."""
    [found] = world.cases_of(student, workflow)
    return found


def register(world: World, unit: str | None = None, level: str = "专科", **facts: Json) -> tuple[str, Told]:
    """A freshman up to the registered record, in a school without signature chain; the number and the case."""
    student = admits(world, unit, **facts)
    recheck_cleared(world, student)
    case = list_issued(world, student)
    return student, case.takes("register", "records_section", registered_level=level)


def recheck_cleared(world: World, student: str) -> Told:
    """The re-check of the university, which the admissions office decides in one step."""
    world.knows(student, reported=True)
    batch = intake_of(world.profile)
    case = world.opens("admission-qualification-recheck", student, "start", "admissions", batch=batch)
    return case.takes("clear", "admissions", reason="档案一致")


def list_issued(world: World, student: str) -> Told:
    """The registration of a freshman as the records section sends the list out."""
    batch = intake_of(world.profile)
    return world.opens("freshman-record-registration", student, "issue_list", "records_section", batch=batch)


def form_collected(world: World, student: str) -> Told:
    """The re-check form, filled in by the freshman and collected by the class teacher."""
    case = case_of(world, student, "admission-qualification-recheck")
    case.takes("fill_form", "student", **stated(world, student))
    return case.hands_in("E-RECHECK", by="class_teacher").takes("collect", "class_teacher", photo_agrees=True)


def stated(world: World, student: str) -> dict[str, Json]:
    """What a freshman who is the person admitted states on the form."""
    return {f"stated_{name}": world.fact(student, name) for name in ("exam_no", "name", "id_number")}


def recheck_signed(world: World, unit: str = "K1", faculty: str = "F1") -> None:
    """Class, section and faculty sum the re-check up and sign, in that order."""
    summary = the_list(world, "admission-qualification-recheck.class_summary", unit)
    summary.takes("summarise_class", "class_teacher")
    summary.signs("summarise_section", "section", "student_affairs_section")
    summary.signs("summarise_section", "seal", "seal_keeper")
    sheet = the_list(world, "admission-qualification-recheck.faculty_sheet", faculty)
    sheet.takes("compile", "student_affairs_section")
    sheet.signs("faculty_sign", "faculty_head", "faculty_head").signs("faculty_sign", "seal", "seal_keeper")


def recheck_summed_up(world: World) -> Told:
    """The list of those who passed the re-check, with the summary for the leading group."""
    batch = intake_of(world.profile)
    return world.opens("admission-qualification-recheck.passed_list", "U", "summarise", "admissions", batch=batch)


def recheck_delivered(world: World) -> Told:
    """The list of those who passed the re-check, decided by the group and delivered under seal."""
    listed = recheck_summed_up(world).hands_in("F-17", by="admissions")
    listed.takes("group_approve", "admissions", decision_no="领导小组2024-1", decided_on="2024-11-20")
    return listed.signs("deliver", "admissions", "admissions").signs("deliver", "seal", "seal_keeper")
