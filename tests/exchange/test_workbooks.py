"""Workbooks made by strangers are read, or refused with one sentence that says what to do."""

import struct
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from exchange.refusals import SheetRefused
from exchange.workbooks import read_first_sheet
from exchange.zip_gate import admit
from tests.exchange.sheets import repacked

SHEET = "xl/worksheets/sheet1.xml"
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def saved(folder: Path, *sheets: Sequence[Sequence[object]]) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    book.save(folder / "saved.xlsx")
    return folder / "saved.xlsx"


@pytest.fixture
def workbook(tmp_path) -> Path:
    return saved(tmp_path, [["学号", "姓名"], ["2022030000001", "甲"]])


def sheet_of(cells: str) -> bytes:
    return f'<worksheet xmlns="{NAMESPACE}"><sheetData>{cells}</sheetData></worksheet>'.encode()


def refusal(path: Path) -> str:
    with pytest.raises(SheetRefused) as refused:
        read_first_sheet(path)
    return refused.value.reason.en


def test_cells_keep_their_kind_and_their_place(tmp_path):
    instant = datetime(2024, 5, 13, 8, 30)  # noqa: DTZ001 - Excel knows no zones
    cells = [None, None, 2.5, date(2024, 5, 13), True, instant, timedelta(hours=3), "  "]

    grid = read_first_sheet(saved(tmp_path, [[], [None, "文字"], cells]))

    assert grid[0] == [None] * 8
    assert grid[1][:2] == [None, "文字"]
    assert grid[2][2:5] == [2.5, date(2024, 5, 13), True]
    assert grid[2][5:] == ["2024-05-13 08:30:00", "3:00:00", None]


def test_only_the_first_sheet_is_read(tmp_path):
    path = saved(tmp_path, [["学号"], ["一"]], [["不读"], ["不读"]])

    assert read_first_sheet(path) == [["学号"], ["一"]]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"", "no Excel workbook", id="empty file"),
        pytest.param(b"XH,XM\n1,2\n" * 50, "no Excel workbook", id="text"),
        pytest.param(b"PK\x03\x04" + b"\x00" * 200, "no Excel workbook", id="broken zip"),
        pytest.param(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "old .xls", id="xls"),
        pytest.param(
            bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"),
            "remove its password",
            id="password",
        ),
        pytest.param(bytes(31 * 2**20), "too large", id="31 MB"),
    ],
)
def test_what_is_no_workbook_is_refused_with_what_to_do(tmp_path, content, says):
    path = tmp_path / "strange.xlsx"
    path.write_bytes(content)

    assert says in refusal(path)


def test_a_missing_file_is_refused_by_its_name(tmp_path):
    assert "名册.xlsx" in refusal(tmp_path / "名册.xlsx")


def test_another_kind_of_zip_is_no_workbook(tmp_path):
    path = tmp_path / "photos.xlsx"
    with ZipFile(path, "w") as archive:
        archive.writestr("photo.jpg", b"")

    assert "no Excel workbook" in refusal(path)


def test_an_encrypted_zip_entry_is_refused(workbook):
    content = bytearray(workbook.read_bytes())
    directory = content.index(b"PK\x01\x02")
    flags = struct.unpack_from("<H", content, directory + 8)[0]
    struct.pack_into("<H", content, directory + 8, flags | 1)
    workbook.write_bytes(content)

    assert "encrypted" in refusal(workbook)


HOSTILE = [
    pytest.param(SHEET, sheet_of(" " * 20 * 2**20), "too large", id="zip bomb"),
    pytest.param(
        "xl/workbook.xml",
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa">]><workbook>&a;</workbook>',
        "DOCTYPE",
        id="entities",
    ),
    pytest.param("xl/workbook.xml", "<!DOCTYPE x><workbook/>".encode("utf-16"), "UTF-8", id="UTF-16"),
    pytest.param(
        SHEET,
        sheet_of('<row><c r="A1"/></row><row><c r="XFD1048576"/></row>'),
        "XFD1048576",
        id="far cell",
    ),
    pytest.param(SHEET, sheet_of('<row\tr = "1048576"><c><v>1</v></c></row>'), "1048576", id="far row"),
    pytest.param(SHEET, sheet_of('<row r="1"><c r="AAA1"/></row>'), "AAA1", id="703 columns"),
    pytest.param(
        SHEET,
        f"<x:worksheet xmlns:x=\"{NAMESPACE}\"><x:c r='ABCD2'/></x:worksheet>".encode(),
        "ABCD2",
        id="far cell under a prefix",
    ),
    pytest.param(
        SHEET,
        sheet_of('<row r="7"><c r="C7" s="1" t="e"><v>#N/A</v></c></row>'),
        "C7 of xl/worksheets/sheet1.xml holds a formula error",
        id="formula error",
    ),
]


@pytest.mark.parametrize(("part", "content", "says"), HOSTILE)
def test_a_hostile_workbook_does_not_pass_the_gate(workbook, part, content, says):
    path = repacked(workbook, {part: content})

    with pytest.raises(SheetRefused) as refused:
        admit(path.read_bytes())

    assert says in refused.value.reason.en


def test_a_workbook_of_many_parts_is_refused(workbook):
    path = repacked(workbook, {f"xl/part{number}.xml": b"<a/>" for number in range(600)})

    assert "too many parts" in refusal(path)


def test_two_parts_of_one_name_are_refused(workbook):
    with ZipFile(workbook, "a", ZIP_DEFLATED) as archive, pytest.warns(match="Duplicate name"):
        archive.writestr(SHEET, sheet_of(""))

    assert "two of one name" in refusal(workbook)


def test_a_reader_that_runs_out_of_memory_dies_alone(workbook):
    corners = '<row r="1"><c r="A1"><v>1</v></c></row><row r="99999"><c r="ZZ99999"><v>1</v></c></row>'
    path = repacked(workbook, {SHEET: sheet_of(corners)})

    assert "cannot be read" in refusal(path)


def test_broken_xml_is_refused(workbook):
    path = repacked(workbook, {"xl/workbook.xml": b"<workbook><sheets><"})

    assert refusal(path)


@pytest.mark.parametrize("rows", [[], [["学号", "姓名"]], [["学号"], [None], ["  "]]])
def test_a_sheet_without_a_row_of_data_is_refused(tmp_path, rows):
    assert "has no data" in refusal(saved(tmp_path, rows))
