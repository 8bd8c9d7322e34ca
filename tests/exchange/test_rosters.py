"""A roster is taken whole, or refused whole with every bad cell named."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from exchange.cells import Cell
from exchange.columns import match_headers, read_lines
from exchange.faults import Sheet
from exchange.identity import make_check_digit, parse, upgrade
from exchange.known import Known, KnownUnit
from exchange.rosters import ROSTER_COLUMNS, RosterRow, new_units, read_roster
from tests.exchange.sheets import (
    SITES,
    TODAY,
    UNITS,
    kept,
    roster_cell,
    students,
    write_roster,
)

KNOWN = Known(units=UNITS)


def read(path: Path, known: Known = KNOWN, *, create_units: bool = False) -> Sheet[RosterRow]:
    return read_roster(path, known, TODAY, create_units=create_units)


def rows_with(*changes: Mapping[str, Cell]) -> list[dict[str, Cell]]:
    """One good row per change, changed."""
    return [{**student.roster, **change} for student, change in zip(students(len(changes)), changes, strict=True)]


def only(*changes: Mapping[str, Cell], folder: Path, known: Known = KNOWN) -> Sheet[RosterRow]:
    return read(write_roster(folder / "roster.xlsx", rows_with(*changes)), known)


def with_check_digit(first_17: str) -> str:
    return first_17 + make_check_digit(first_17)


GOOD = students(60)
FOREIGN_SITE = SITES[-1]
OTHERS_ID = GOOD[50].roster["id_number"]
DATABASE = Known(
    units=UNITS,
    exam_no_owners={"20110101999999": "2020039999999"},
    id_number_owners={OTHERS_ID: "2020039999998"},
)
FUTURE_ID = with_check_digit("11010120991231001")

# (claim, what is wrong in an otherwise good row, the column blamed, the reason given)
BAD_CELLS: list[tuple[str, Mapping[str, Cell], str, str]] = [
    ("blank", {"name": None}, "name", "may not be blank"),
    ("invisible", {"major": "\u200b"}, "major", "may not be blank"),
    ("exam number on file", {"exam_no": "20110101999999"}, "exam_no", "student 2020039999999"),
    ("check digit", {"id_number": "110101199001010020"}, "id_number", "check digit"),
    ("shape of ID", {"id_number": "护照E123"}, "id_number", "expected 18 places"),
    ("ID lost digits", {"id_number": 110101199001010021}, "id_number", "digits are lost"),
    ("student number lost digits", {"student_no": 20220300000012345}, "student_no", "are lost"),
    ("exam number lost digits", {"exam_no": 202203000000123456}, "exam_no", "digits are lost"),
    ("long student number", {"student_no": "2022" * 4}, "student_no", "at most 15"),
    ("birth contradicts", {"born_on": "19700101"}, "born_on", "contradicts places 7 to 14"),
    ("no such day", {"born_on": "19700230"}, "born_on", "no such day"),
    ("no date", {"enrolled_on": "2022年9月"}, "enrolled_on", "expected YYYYMMDD"),
    ("gender outside", {"gender": "M"}, "gender", "not in the table (男、女)"),
    ("level outside", {"level": "专生本"}, "level", "did you mean 专升本?"),
    ("mode outside", {"study_mode": "开放教肓"}, "study_mode", "did you mean 开放教育?"),
    ("length outside", {"study_years": "9"}, "study_years", "not in the table"),
    ("people outside", {"ethnicity": "维吾族"}, "ethnicity", "did you mean 维吾尔族?"),
    ("politics outside", {"politics": "13"}, "politics", "not in the table"),
    ("cohort", {"cohort": "22级"}, "cohort", "four digits"),
    ("phone", {"phone": "无"}, "phone", "telephone"),
    ("e-mail", {"email": "wu"}, "email", "e-mail"),
    ("unknown site", {"site_code": "511610109"}, "site_code", "did you mean 51161010"),
    ("unknown branch", {"branch_code": "77"}, "branch_code", "--create-units"),
    ("branch is a site", {"branch_code": "511610101"}, "branch_code", "code of a teaching point"),
    ("site's name", {"site": "别处教学点"}, "site", "the code belongs to"),
]


@pytest.fixture(scope="module")
def refused(tmp_path_factory) -> Sheet[RosterRow]:
    """One roster with every kind of bad cell, one to a row."""
    changes = [change for _, change, _, _ in BAD_CELLS]
    path = write_roster(tmp_path_factory.mktemp("bad") / "roster.xlsx", rows_with(*changes))
    return read(path, DATABASE)


@pytest.mark.parametrize(
    ("row", "key", "says"),
    [pytest.param(row, key, says, id=claim) for row, (claim, _, key, says) in enumerate(BAD_CELLS, start=2)],
)
def test_every_kind_of_bad_cell_is_named(refused, row, key, says):
    blamed = [fault for fault in refused.faults if fault.cell == roster_cell(key, row)]

    assert [fault.row for fault in blamed] == [row]
    assert says in blamed[0].reason.en
    assert blamed[0].reason.zh


def test_no_row_is_taken_and_no_other_cell_is_blamed(refused):
    # A wrong branch makes its teaching point stand under another branch: blamed too, with reason.
    consequences = {fault.cell for fault in refused.faults if "is under branch" in fault.reason.en}
    expected = {roster_cell(key, row) for row, (_, _, key, _) in enumerate(BAD_CELLS, start=2)}

    assert not refused.ok
    assert refused.rows == ()
    assert {fault.cell for fault in refused.faults} - consequences == expected


def test_no_report_shows_an_id_number(refused):
    wrong = next(fault for fault in refused.faults if "check digit" in fault.reason.en)

    assert wrong.value == "1101****0020"
    assert "110101199001010020" not in wrong.in_chinese() + wrong.in_english()
    assert wrong.as_document() == {
        "row": wrong.row,
        "column": "身份证号",
        "cell": wrong.cell,
        "value": "1101****0020",
        "reason": {"zh": wrong.reason.zh, "en": wrong.reason.en},
    }


def test_an_id_number_in_a_wrong_column_is_masked_too(tmp_path):
    sheet = only({"exam_no": f"{OTHERS_ID}", "level": OTHERS_ID}, folder=tmp_path)

    assert {fault.value for fault in sheet.faults} == {f"{OTHERS_ID[:4]}****{OTHERS_ID[-4:]}"}


@pytest.mark.parametrize("key", ["student_no", "exam_no", "id_number"])
def test_a_number_may_stand_in_one_row_only(tmp_path, key):
    first = students(1)[0].roster
    same = {key: first[key]}
    if key == "id_number":
        same |= {"born_on": first["born_on"], "gender": first["gender"]}

    sheet = only({}, {}, same, folder=tmp_path)

    assert [(fault.cell, fault.reason.en) for fault in sheet.faults] == [
        (roster_cell(key, 4), f"the same as {roster_cell(key, 2)}")
    ]


def test_an_id_number_on_file_under_another_student_is_refused(tmp_path):
    path = write_roster(tmp_path / "roster.xlsx", [GOOD[50].roster])

    sheet = read(path, DATABASE)

    assert [fault.reason.en for fault in sheet.faults] == ["already belongs to student 2020039999998"]


def test_gender_contradicting_the_id_number_is_refused(tmp_path):
    wrong = "男" if students(1)[0].roster["gender"] == "女" else "女"

    sheet = only({"gender": wrong}, folder=tmp_path)

    assert [(fault.cell, "place 17" in fault.reason.en) for fault in sheet.faults] == [(roster_cell("gender", 2), True)]


def test_nobody_is_born_after_today(tmp_path):
    person = {"id_number": FUTURE_ID, "born_on": "20991231", "gender": "男"}

    sheet = only(person, folder=tmp_path)

    assert {fault.cell for fault in sheet.faults} == {
        roster_cell("born_on", 2),
        roster_cell("id_number", 2),
    }
    assert {fault.reason.en for fault in sheet.faults} == {"the date of birth is after today"}


def test_a_site_stands_under_its_own_branch(tmp_path):
    first, last = SITES[0], SITES[-1]
    elsewhere = {"branch_code": last.branch_code, "branch": last.branch}

    sheet = only({**elsewhere, "site_code": first.code, "site": first.name}, folder=tmp_path)

    assert [fault.reason.en for fault in sheet.faults] == [
        f"this teaching point is under branch {first.branch_code}, not {last.branch_code}"
    ]


def test_units_are_created_only_when_asked_and_once(tmp_path):
    path = write_roster(tmp_path / "roster.xlsx", rows_with({}, {}, {}))

    assert not read(path, Known()).ok
    sheet = read(path, Known(), create_units=True)
    units = new_units(sheet.rows, Known())

    assert units == {
        code: unit for code, unit in UNITS.items() if code in {SITES[0].branch_code, *(site.code for site in SITES[:3])}
    }
    assert next(iter(units.values())).kind == "branch"
    assert new_units(sheet.rows, KNOWN) == {}


def test_two_rows_may_not_name_a_new_unit_differently(tmp_path):
    site = {"site_code": "9", "branch_code": "8", "branch": "新分校"}
    path = write_roster(tmp_path / "roster.xlsx", rows_with({**site, "site": "甲"}, {**site, "site": "乙"}))

    sheet = read(path, create_units=True)

    assert [(fault.cell, fault.reason.en) for fault in sheet.faults] == [
        (roster_cell("site", 3), "the code belongs to 甲")
    ]


def test_doubtful_cells_are_warned_of_and_taken(tmp_path):
    unknown_region = with_check_digit("10010119900101001")
    person = {"id_number": unknown_region, "born_on": "19900101", "gender": "男"}

    sheet = only({"name": "张䶮"}, {"name": "李?"}, person, folder=tmp_path)

    assert sheet.ok
    assert [warning.cell for warning in sheet.warnings] == [
        roster_cell("name", 2),
        roster_cell("name", 3),
        roster_cell("id_number", 4),
    ]


def test_values_are_kept_in_one_form_whatever_was_typed(tmp_path):
    old = "110101900101001"
    typed: dict[str, Cell] = {
        "id_number": old,
        "gender": "男",
        "born_on": date(1990, 1, 1),
        "enrolled_on": "2022-09-01",
        "student_no": 2022099000001,
        "cohort": 2022,
        "study_years": 2.5,
        "ethnicity": "毛难族",
        "level": "专科起点本科",
        "name": "古丽娜 • 依明",
        "phone": None,
    }

    row = only(typed, folder=tmp_path).rows[0]

    assert row.student_no == "2022099000001"
    assert row.facts["id_number"] == upgrade(old)
    assert row.facts["born_on"] == "1990-01-01"
    assert row.facts["enrolled_on"] == "2022-09-01"
    assert row.facts["cohort"] == 2022
    assert row.facts["study_years"] == "2.5"
    assert row.facts["ethnicity"] == "毛南族"
    assert row.facts["level"] == "专升本"
    assert row.facts["name"] == "古丽娜·依明"
    assert "phone" not in row.facts
    assert "site_code" not in row.facts


def test_the_same_roster_again_changes_nothing_and_says_so(tmp_path):
    path = write_roster(tmp_path / "roster.xlsx", rows_with({}, {}, {}))
    first = read(path)

    again = read(path, kept(first.rows))

    assert not first.changes_nothing
    assert again.ok
    assert again.changes_nothing


def test_a_roster_says_which_facts_it_changes(tmp_path):
    path = write_roster(tmp_path / "roster.xlsx", rows_with({}, {}))
    known = kept(read(path).rows)

    sheet = only({"name": "改名"}, {"phone": "13900000000"}, folder=tmp_path, known=known)

    assert [row.changed for row in sheet.rows] == [("name",), ("phone",)]


def write_cells(path: Path, rows: list[list[Cell]]) -> Path:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path


@given(st.randoms(use_true_random=False), st.data())
@settings(max_examples=50, deadline=None)
def test_headers_are_found_by_any_of_their_names_in_any_order(random, data):
    columns = list(ROSTER_COLUMNS)
    random.shuffle(columns)
    names = [data.draw(st.sampled_from([*column.headers, column.key])) for column in columns]

    findings = match_headers([f" {name.lower()}　" for name in names], ROSTER_COLUMNS)

    assert findings.faults == []
    assert [placed.column for placed in findings.placed.values()] == columns


def test_every_bad_header_is_named_together_with_bad_cells(tmp_path):
    header: list[Cell] = [column.headers[0] for column in ROSTER_COLUMNS]
    header[2], header[4], header[6] = "学生姓名", "XB", None
    cells: list[Cell] = [students(1)[0].roster.get(column.key) for column in ROSTER_COLUMNS]
    cells[0] = "学号"
    path = write_cells(tmp_path / "roster.xlsx", [header, cells])

    faults = {(fault.cell, fault.reason.en) for fault in read(path).faults}

    assert faults == {
        ("C1", "unknown header; did you mean 姓名?"),
        ("E1", "repeated header, already in D1"),
        ("1:1", "missing header (姓名 / XM / name)"),
        ("1:1", "missing header (出生日期 / CSRQ / born_on)"),
        ("1:1", "missing header (民族 / MZ / ethnicity)"),
        ("G2", "this column has no header"),
        ("A2", "expected at most 15 letters and digits"),
    }


def test_blank_rows_are_passed_over_and_rows_keep_their_numbers(tmp_path):
    path = write_roster(tmp_path / "roster.xlsx", [students(1)[0].roster, {}, {"name": "甲"}])

    sheet = read(path)

    assert {fault.row for fault in sheet.faults} == {4}


@given(st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_every_invented_student_would_be_taken(seed):
    rows: list[list[Cell]] = [[column.headers[0] for column in ROSTER_COLUMNS]]
    rows += [[student.roster.get(column.key) for column in ROSTER_COLUMNS] for student in students(60, seed)]
    findings = match_headers(rows[0], ROSTER_COLUMNS)

    lines = list(read_lines(rows, findings))

    assert findings.faults == []
    assert len({line.text("id_number") for line in lines}) == 60


def test_a_batch_of_invented_students_is_taken_without_a_doubt(tmp_path):
    path = write_roster(tmp_path / "roster.xlsx", [student.roster for student in students(300)])

    sheet = read(path)

    assert (sheet.faults, sheet.warnings, len(sheet.rows)) == ((), (), 300)
    assert all(parse(str(row.facts["id_number"])) for row in sheet.rows)


def test_a_unit_on_file_of_another_name_is_not_renamed_by_a_roster(tmp_path):
    site = SITES[0]
    renamed = {site.code: replace(UNITS[site.code], name="新名")}
    path = write_roster(tmp_path / "roster.xlsx", rows_with({}))

    sheet = read(path, Known(units={**UNITS, **renamed}), create_units=True)

    assert [fault.reason.en for fault in sheet.faults] == ["the code belongs to 新名"]


def test_a_faculty_is_no_teaching_point(tmp_path):
    site = SITES[0]
    faculty = {site.code: KnownUnit(name=site.name, kind="faculty", parent=None)}

    sheet = only({}, folder=tmp_path, known=Known(units={**UNITS, **faculty}))

    assert [fault.cell for fault in sheet.faults] == [roster_cell("site_code", 2)]


def test_what_looks_like_a_formula_is_written_as_text(tmp_path):
    path = write_roster(tmp_path / "roster.xlsx", rows_with({"name": "=1+1"}))

    cell = load_workbook(path).worksheets[0]["C2"]

    assert (cell.data_type, cell.value, cell.quotePrefix) == ("s", "=1+1", True)
    assert read(path).rows[0].facts["name"] == "=1+1"
