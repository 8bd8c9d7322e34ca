"""A sheet of a table is read whole, from Excel or CSV, or every bad cell is named."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook

from engine.vocabulary import Fact, Table
from exchange.cells import Cell
from exchange.refusals import SheetRefused
from exchange.tables import read_table

TABLE = Table.model_validate(
    {
        "title": {"zh": "专业规则课程", "en": "Courses of the programme rule"},
        "columns": {
            "programme": "code",
            "term": "term",
            "credits": "number",
            "degree_course": "yes_no",
            "level": "choice level",
        },
    }
)
FACTS = {"programme": Fact.model_validate({"type": "code", "title": {"zh": "专业代码", "en": "Programme"}})}
TITLES = {"level": {"zk": {"zh": "专科", "en": "Junior college"}}}
HEADER = ("专业代码", "term", "credits", "degree_course", "level")
GOOD = ("0630302", "2024-1", "6", "是", "专科")
GOOD_ROW = {"programme": "0630302", "term": "2024-1", "credits": 6, "degree_course": True, "level": "zk"}


def read(path: Path):
    return read_table(path, TABLE, FACTS, TITLES)


def workbook(folder: Path, *rows: Sequence[Cell]) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    path = folder / "table.xlsx"
    book.save(path)
    return path


def comma_separated(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_workbook_headed_by_column_names_or_titles_becomes_typed_rows(tmp_path: Path):
    sheet = read(workbook(tmp_path, HEADER[::-1], GOOD[::-1], ("Junior college", False, 4, "2024-2", "0630303")))

    assert sheet.ok
    assert sheet.rows[0].values == GOOD_ROW
    assert sheet.rows[1].values == {
        "programme": "0630303",
        "term": "2024-2",
        "credits": 4,
        "degree_course": False,
        "level": "zk",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_file_reads_the_same_in_the_encodings_that_offices_use(tmp_path: Path, encoding: str):
    path = comma_separated(tmp_path, f"{','.join(HEADER)}\r\n{','.join(GOOD)}\r\n", encoding)

    assert [row.values for row in read(path).rows] == [GOOD_ROW]


@pytest.mark.parametrize(
    ("place", "cell", "at", "says"),
    [
        (0, "", "A3", "required"),
        (0, 1234567890123456, "A3", "digits are lost"),
        (1, "2024", "B3", "2024-1"),
        (2, "six", "C3", "whole number"),
        (3, "对", "D3", "是"),
        (4, "专料", "E3", "level"),
    ],
)
def test_one_bad_cell_refuses_the_sheet_and_is_named(tmp_path: Path, place: int, cell: Cell, at: str, says: str):
    bad = [*GOOD[:place], cell, *GOOD[place + 1 :]]
    sheet = read(workbook(tmp_path, HEADER, GOOD, bad))

    assert sheet.rows == ()
    assert [(fault.cell, fault.row) for fault in sheet.faults] == [(at, 3)]
    assert says in sheet.faults[0].reason.en


def test_all_faults_are_named_at_once_headers_included(tmp_path: Path):
    sheet = read(workbook(tmp_path, ("专业代码", "terms", "credits", "level"), ("0630302", "2024-1", "x", "y")))

    assert [fault.column for fault in sheet.faults] == ["terms", "term", "degree_course", "credits", "level"]


def test_a_row_that_stands_twice_is_named_with_the_first(tmp_path: Path):
    sheet = read(comma_separated(tmp_path, "\n".join(",".join(row) for row in (HEADER, GOOD, GOOD))))

    assert [(fault.row, fault.reason.en) for fault in sheet.faults] == [(3, "the same as row 2")]


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "no data"), (b"programme,term\n", "no data"), (b"a\n\xff\xfe\xff", "encoding")]
)
def test_a_file_that_is_no_table_is_refused_with_what_to_do(tmp_path: Path, content: bytes, says: str):
    path = tmp_path / "table.csv"
    path.write_bytes(content)

    with pytest.raises(SheetRefused, match=says):
        read(path)


def test_a_file_that_is_not_there_is_refused_by_its_name(tmp_path: Path):
    with pytest.raises(SheetRefused, match=r"none\.csv"):
        read(tmp_path / "none.csv")
