"""Invented students are the same for the same seed, and as mixed as stated."""

from collections import Counter
from datetime import date
from io import BytesIO

import pytest
from openpyxl import load_workbook

from exchange.certificates import faults_of_certificate
from exchange.invented import (
    PAIRS_OF_BATCH,
    PAIRS_OUTSIDE,
    SHARE_OUTSIDE_BATCH,
    TROUBLES,
    invent_students,
)
from exchange.rosters import ROSTER_COLUMNS
from exchange.templates import template_of
from tests.exchange.sheets import SITES, students

MANY = students(3000)


def test_the_same_seed_gives_the_same_students_and_a_longer_list_begins_alike():
    assert students(50) == students(80)[:50]
    assert students(50, seed=2) != students(50, seed=1)


@pytest.mark.parametrize("key", ["student_no", "exam_no", "id_number"])
def test_no_two_invented_students_share_a_number(key):
    assert len({student.roster[key] for student in MANY}) == len(MANY)


def test_student_numbers_have_12_or_13_digits_and_begin_with_the_cohort():
    assert {len(student.student_no) for student in MANY} == {12, 13}
    assert all(student.student_no.startswith(student.roster["cohort"]) for student in MANY)


def test_all_pairs_of_the_batch_occur_and_a_few_outside():
    pairs = Counter((int(one.roster["cohort"]), one.roster["level"]) for one in MANY)
    outside = sum(pairs[pair] for pair in PAIRS_OUTSIDE)

    assert set(pairs) == set(PAIRS_OF_BATCH + PAIRS_OUTSIDE)
    assert outside / len(MANY) == pytest.approx(SHARE_OUTSIDE_BATCH / 100, abs=0.015)


def test_about_four_in_five_are_fully_in_order():
    troubled = sum(
        any(cells.items() <= student.facts.items() for _, cells in TROUBLES if cells != {"level_exam": ""})
        for student in MANY
    )

    assert sum(share for share, _ in TROUBLES) == 20
    assert troubled / len(MANY) == pytest.approx(0.19, abs=0.03)


def test_every_trouble_occurs():
    for _, cells in TROUBLES:
        assert any(cells.items() <= student.facts.items() for student in MANY)


def test_some_names_have_a_middle_dot():
    assert any("·" in student.roster["name"] for student in MANY)


def test_certificates_fit_their_holders_and_the_school_asked_for():
    day = date(2025, 1, 31)
    for student in invent_students(40, 3, SITES, graduated_on=day, school_code="51000"):
        faults = faults_of_certificate(
            student.certificate["certificate_no"],
            school_code="51000",
            level=student.roster["level"],
            graduated_on=day,
            today=date(2024, 12, 20),
        )
        assert faults == ()


def test_the_template_has_every_column_as_text_and_lists_to_choose_from():
    book = load_workbook(BytesIO(template_of("学生名册", ROSTER_COLUMNS)))
    sheet = book.worksheets[0]
    lists = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}

    assert [cell.value for cell in sheet[1]] == [column.headers[0] for column in ROSTER_COLUMNS]
    assert sheet.column_dimensions["F"].number_format == "@"
    assert lists["D2:D10000"] == "'代码表'!$D$1:$D$2"
    assert book["代码表"].sheet_state == "hidden"
    assert book["代码表"]["G1"].value == "汉族"
