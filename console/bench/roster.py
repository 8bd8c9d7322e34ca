"""A roster end to end: the workbook read and checked, the teaching points added, the records opened and kept."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from console.bench.results import Line
from console.bench.scene import AT, SETUP
from console.on_file import on_file, unit_rows
from engine.actors import IMPORT
from engine.desk import Desk
from engine.enrolling import Enrolment, enrol
from engine.organisation import add_units
from engine.records import Request
from exchange.invented import invent_sites, invent_students
from exchange.rosters import ROSTER_COLUMNS, new_units, read_roster
from exchange.templates import write_sheet

NAME = "roster"
_SECONDS = 5.0
_PER_ROWS = 10_000


class NotTakenInError(Exception):
    """The invented roster has faults, so nothing was opened and there is nothing to time."""


def write_roster(path: Path, rows: int) -> Path:
    """Write a workbook of invented students in a dozen teaching points."""
    write_sheet(path, ROSTER_COLUMNS, [one.roster for one in invent_students(rows, seed=2, sites=invent_sites(3, 4))])
    return path


def run_roster(desk: Desk, path: Path) -> list[Line]:
    """Take in a roster as `xueji import roster` does, into a database that has the province alone."""
    start = perf_counter()
    known = on_file(desk)
    sheet = read_roster(path, known, AT.date(), create_units=True)
    if sheet.faults:
        raise NotTakenInError(sheet.faults[0].in_english())
    read = perf_counter()
    add_units(desk, unit_rows(desk, new_units(sheet.rows, known)), at=AT, actor=SETUP)
    rows = [Enrolment(student_no=one.student_no, unit=one.site_code, facts=one.facts) for one in sheet.rows]
    enrol(desk, rows, Request(trigger="open_record", actor=IMPORT, at=AT))
    kept = perf_counter()
    promised = _SECONDS if len(rows) >= _PER_ROWS else None
    what = f"{len(rows):,} rows, end to end"
    return [
        Line(race=NAME, what=what, value=kept - start, unit="s", promised=promised, at_most=True),
        Line(race=NAME, what="of it reading and checking the workbook", value=read - start, unit="s"),
        Line(race=NAME, what="of it opening and keeping the records", value=kept - read, unit="s"),
    ]
