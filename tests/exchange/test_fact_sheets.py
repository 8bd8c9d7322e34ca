"""A fact sheet adds what is newly known, or is refused whole with every bad cell named."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from exchange.cells import Cell
from exchange.fact_sheets import FACT_COLUMNS, FactRow, read_facts
from exchange.faults import Sheet
from exchange.known import Known, KnownStudent
from exchange.templates import write_sheet
from tests.exchange.sheets import TODAY, students

STUDENTS = students(60)
NUMBERS = [student.student_no for student in STUDENTS]
KNOWN = Known(
    students={
        student.student_no: KnownStudent(
            facts={"level": "专科", "graduated_on": "2024-07-31", "fee_owed": "5.00"},
            school_code="51161",
        )
        for student in STUDENTS
    },
    certificate_no_owners={"511615202406000999": "2020039999999"},
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def write(path: Path, rows: Iterable[Mapping[str, Cell]]) -> Path:
    write_sheet(path, FACT_COLUMNS, rows)
    return path


def read(folder: Path, *facts: Mapping[str, Cell], known: Known = KNOWN) -> Sheet[FactRow]:
    rows = [{"student_no": number, **fact} for number, fact in zip(NUMBERS, facts, strict=False)]
    return read_facts(write(folder / "facts.xlsx", rows), known, TODAY)


def fact_cell(key: str, row: int) -> str:
    return f"{LETTERS[[column.key for column in FACT_COLUMNS].index(key)]}{row}"


BAD_CELLS: list[tuple[str, Cell, str]] = [
    ("student_no", "2020030000000", "import the roster first"),
    ("student_no", 20200300000001234, "digits are lost"),
    ("prior_qualification", "审核中", "审核通过"),
    ("key_info_confirmed", "对", "expected 是 (yes) or 否 (no)"),
    ("terms_required", "-1", "whole number"),
    ("terms_passed", 2.5, "whole number"),
    ("level_exam", "及格", "did you mean 合格?"),
    ("photo_collected", "1", "expected 是"),
    ("photo_review", "合格", "通过、未通过、待审"),
    ("identity_check", "待审", "通过、未通过、未核"),
    ("photo_vendor", "新华", "did you mean 新华社?"),
    ("fee_owed", "-0.01", "cannot be negative"),
    ("fee_owed", "0.001", "two decimals"),
    ("fee_owed", "12元", "an amount in yuan"),
    ("fee_owed", "1,26O.00", "no number: it has the letter O; write 1260.00"),
    ("fee_owed", "1,260", "it has a comma; write 1260"),
    ("card_filled", "有", "expected 是"),
    ("form_filled", "有", "expected 是"),
    ("form_signed", "有", "expected 是"),
    ("file_reviewed", "有", "expected 是"),
    ("site_opinion", "同意", "expected 是"),
    ("electronic_photo", "有", "expected 是"),
    ("preliminary_passed", "过", "expected 是"),
    ("unified_exam_passed", "过", "expected 是"),
    ("unified_exam_synced", "过", "expected 是"),
    ("conclusion", "肄业", "not in the table (毕业、结业)"),
    ("certificate_no", "51161520240600001", "expected 18 digits, not 17"),
    ("certificate_no", "5116152024060000ab", "digits only"),
    ("certificate_no", "100015202406000001", "digits 1 to 5 (school)"),
    ("certificate_no", "511615202306000001", "digits 7 to 10"),
    ("certificate_no", "511615202405000001", "digits 11 and 12 (level)"),
    ("certificate_no", "511615202406000999", "already belongs to student 2020039999999"),
    ("certificate_no", 511615202406000001, "digits are lost"),
    ("graduated_on", "2024年7月", "expected YYYYMMDD"),
    ("issued_on", "20240732", "no such day"),
]


@pytest.fixture(scope="module")
def refused(tmp_path_factory) -> Sheet[FactRow]:
    return read(tmp_path_factory.mktemp("bad"), *({key: value} for key, value, _ in BAD_CELLS))


@pytest.mark.parametrize(
    ("row", "key", "says"),
    [pytest.param(row, key, says, id=f"{key} {value}") for row, (key, value, says) in enumerate(BAD_CELLS, start=2)],
)
def test_every_kind_of_bad_fact_is_named(refused, row, key, says):
    in_row = [fault for fault in refused.faults if fault.row == row]

    assert [fault.cell for fault in in_row] == [fact_cell(key, row)]
    assert says in in_row[0].reason.en


def test_no_row_of_a_bad_fact_sheet_is_taken(refused):
    assert not refused.ok
    assert refused.rows == ()


def test_facts_come_in_the_form_they_are_kept(tmp_path):
    said: Mapping[str, Cell] = {
        "prior_qualification": "审核通过",
        "key_info_confirmed": "是",
        "card_filled": False,
        "terms_passed": 5,
        "fee_owed": 120.5,
        "issued_on": date(2024, 7, 31),
        "certificate_no": "511615202406000001",
    }

    row = read(tmp_path, said).rows[0]

    assert row.facts == {
        "prior_qualification": "审核通过",
        "key_info_confirmed": True,
        "card_filled": False,
        "terms_passed": 5,
        "fee_owed": "120.50",
        "issued_on": "2024-07-31",
        "certificate_no": "511615202406000001",
    }


def test_a_blank_cell_says_nothing(tmp_path):
    sheet = read(tmp_path, {"fee_owed": ""}, {"fee_owed": 5, "level_exam": "合格"})

    assert [row.facts for row in sheet.rows] == [{}, {"fee_owed": "5.00", "level_exam": "合格"}]
    assert [row.changed for row in sheet.rows] == [(), ("level_exam",)]


def test_the_same_facts_again_change_nothing(tmp_path):
    assert read(tmp_path, {"fee_owed": "5"}, {"fee_owed": "5.0"}).changes_nothing


def test_a_number_computed_by_excel_is_taken_as_shown(tmp_path):
    assert read(tmp_path, {"fee_owed": 0.1 + 0.2}).rows[0].facts == {"fee_owed": "0.30"}


def test_a_student_and_a_certificate_may_stand_in_one_row_only(tmp_path):
    number = "511615202406000001"
    first = {"certificate_no": number}

    sheet = read(tmp_path, first, first, {"student_no": NUMBERS[0], "fee_owed": "1"})

    assert [(fault.cell, fault.reason.en) for fault in sheet.faults] == [
        (fact_cell("certificate_no", 3), f"the same as {fact_cell('certificate_no', 2)}"),
        ("A4", "the same as A2"),
    ]


def test_the_year_on_a_certificate_is_compared_with_the_day_in_the_same_row(tmp_path):
    sheet = read(tmp_path, {"certificate_no": "511615202506000001", "graduated_on": "20250131"})

    assert sheet.ok


def test_a_sheet_of_student_numbers_alone_is_refused(tmp_path):
    path = tmp_path / "numbers.xlsx"
    write_sheet(path, FACT_COLUMNS[:1], [{"student_no": NUMBERS[0]}])

    sheet = read_facts(path, KNOWN, TODAY)

    assert ["no column besides 学号" in fault.reason.en for fault in sheet.faults] == [True]


def test_facts_and_certificates_of_invented_students_are_taken(tmp_path):
    known = Known(
        students={
            student.student_no: KnownStudent(facts={"level": student.roster["level"]}, school_code="51161")
            for student in STUDENTS
        }
    )
    early = write(tmp_path / "facts.xlsx", [student.facts for student in STUDENTS])
    late = write(tmp_path / "certificates.xlsx", [student.certificate for student in STUDENTS])

    assert read_facts(early, known, TODAY).faults == ()
    assert read_facts(late, known, TODAY).faults == ()


def test_a_certificate_is_not_compared_with_a_school_nobody_named(tmp_path):
    unsettled = {number: replace(student, school_code=None) for number, student in KNOWN.students.items()}

    sheet = read(tmp_path, {"certificate_no": "100015202406000001"}, known=Known(students=unsettled))

    assert sheet.ok
