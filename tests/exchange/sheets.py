"""Sheets and databases the tests of this room start from."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from exchange.cells import Cell
from exchange.invented import InventedStudent, invent_sites, invent_students
from exchange.known import Known, KnownStudent, KnownUnit
from exchange.rosters import ROSTER_COLUMNS, RosterRow
from exchange.templates import write_sheet

TODAY = date(2024, 5, 1)
SITES = invent_sites(2, 3)
UNITS = {site.code: KnownUnit(name=site.name, kind="site", parent=site.branch_code) for site in SITES} | {
    site.branch_code: KnownUnit(name=site.branch, kind="branch", parent=None) for site in SITES
}


def students(count: int, seed: int = 1) -> list[InventedStudent]:
    return invent_students(count, seed, SITES)


def write_roster(path: Path, rows: Sequence[Mapping[str, Cell]]) -> Path:
    write_sheet(path, ROSTER_COLUMNS, rows)
    return path


def roster_cell(key: str, row: int) -> str:
    index = [column.key for column in ROSTER_COLUMNS].index(key)
    return f"{chr(ord('A') + index)}{row}"


def kept(rows: Sequence[RosterRow], *, school_code: str = "51161") -> Known:
    """The database after a roster has been kept."""
    return Known(
        students={
            row.student_no: KnownStudent(facts=row.facts, site_code=row.site_code, school_code=school_code)
            for row in rows
        },
        exam_no_owners={str(row.facts["exam_no"]): row.student_no for row in rows},
        id_number_owners={str(row.facts["id_number"]): row.student_no for row in rows},
        units=UNITS,
    )


def repacked(path: Path, parts: Mapping[str, bytes]) -> Path:
    """A workbook with some parts replaced or added."""
    with ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content.update(parts)
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return path
