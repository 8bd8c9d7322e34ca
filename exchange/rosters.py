"""The roster (学生名册): who is on the books, checked whole before anything is kept."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from exchange import code_tables, identity
from exchange.cells import (
    Cell,
    FactValue,
    Reader,
    Reading,
    code_reader,
    code_text,
    pattern_reader,
    read_day,
    read_text,
)
from exchange.columns import Column, Findings, Line, choice_column, match_headers, read_lines
from exchange.faults import Sentence, Sheet
from exchange.known import Known, KnownUnit, changed_keys
from exchange.names import outside_gbk, read_name
from exchange.uniqueness import UniqueKey
from exchange.units_in_rosters import UnitCheck
from exchange.workbooks import Grid, read_first_sheet

# Widths of the registration files (domain.md, 1.2 and 1.3).
_STUDENT_NO = code_reader(15)
_EXAM_NO = code_reader(18)
_MAJOR_CODE = code_reader(8)
_UNIT_CODE = code_reader(20)
_COHORT = re.compile(r"(19|20)\d\d", re.ASCII)
_PHONE = pattern_reader(re.compile(r"\+?[\d -]{5,20}", re.ASCII), Sentence("不是电话号码", "no telephone number"))
_EMAIL = pattern_reader(re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"), Sentence("不是邮箱地址", "no e-mail address"))
_UNIT_KEYS = ("site_code", "site", "branch_code", "branch")


def _required(key: str, headers: tuple[str, ...], read: Reader) -> Column:
    return Column(key=key, headers=headers, read=read, required=True, secret=key == "id_number")


def _choice(key: str, headers: tuple[str, ...], table: Mapping[str, str]) -> Column:
    return choice_column(key, headers, table, required=True)


def _read_cohort(cell: Cell) -> Reading:
    text = code_text(cell)
    if _COHORT.fullmatch(text) is None:
        return Sentence("应为四位年份", "expected a year of four digits")
    return int(text)


ROSTER_COLUMNS: tuple[Column, ...] = (
    _required("student_no", ("学号", "XH"), _STUDENT_NO),
    _required("exam_no", ("考生号", "KSH"), _EXAM_NO),
    _required("name", ("姓名", "XM"), read_name),
    _choice("gender", ("性别", "XB"), code_tables.GENDERS),
    _required("born_on", ("出生日期", "CSRQ"), read_day),
    _required("id_number", ("身份证号", "SFZH"), identity.read_id_number),
    _choice("ethnicity", ("民族", "MZ"), code_tables.ETHNICITIES),
    _choice("level", ("层次", "CC"), code_tables.LEVELS),
    _required("cohort", ("入学年份", "NJ"), _read_cohort),
    _required("major_code", ("专业代码", "ZYDM"), _MAJOR_CODE),
    _required("major", ("专业名称", "ZYMC"), read_text),
    _choice("study_years", ("学制", "XZ"), code_tables.STUDY_YEARS),
    _choice("study_mode", ("学习形式", "XXXS"), code_tables.STUDY_MODES),
    _required("enrolled_on", ("入学日期", "RXRQ"), read_day),
    _required("site_code", ("教学点代码",), _UNIT_CODE),
    _required("site", ("教学点名称",), read_text),
    _required("branch_code", ("分校代码",), _UNIT_CODE),
    _required("branch", ("分校名称",), read_text),
    Column(key="phone", headers=("手机",), read=_PHONE),
    Column(key="email", headers=("邮箱",), read=_EMAIL),
    choice_column("politics", ("政治面貌", "ZZMM"), code_tables.POLITICS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRow:
    """One student of a roster, every value in the form the database keeps."""

    student_no: str
    facts: Mapping[str, FactValue]
    """By fact key: days as ISO text, the cohort as a number, the length of study as text."""
    site_code: str
    site: str
    branch_code: str
    branch: str
    changed: tuple[str, ...]
    """Fact keys (and `site_code`) whose value is not on file yet."""


def read_roster(path: Path, known: Known, today: date, *, create_units: bool) -> Sheet[RosterRow]:
    """Read a roster whole: every student of it, or none and every fault.

    Args:
        path: An .xlsx file; its first sheet is read.
        known: What the database has; the same file read again then changes nothing.
        today: No one may be born after it.
        create_units: Whether teaching points and branches not on file yet are accepted.

    Raises:
        SheetRefused: If the file is no readable workbook.
    """
    return roster_in(read_first_sheet(path), known, today, create_units=create_units)


def roster_in(
    grid: Grid, known: Known, today: date, *, create_units: bool, told: Callable[[int], None] = lambda _: None
) -> Sheet[RosterRow]:
    """What the cells of a roster say, as `read_roster`; `told` is told of each row that was looked at."""
    findings = match_headers(grid[0], ROSTER_COLUMNS)
    units = UnitCheck(known=known, create_units=create_units)
    unique = _unique_keys(known)
    lines = []
    for line in read_lines(grid, findings):
        _check_identity(line, findings, today)
        _check_name(line, findings)
        units.check(line, findings)
        for key in unique:
            key.check(line, findings)
        lines.append(line)
        told(line.number)
    rows = () if findings.faults else tuple(_row(line, known) for line in lines)
    return Sheet(rows=rows, faults=findings.in_order(), warnings=tuple(findings.warnings))


def new_units(rows: Iterable[RosterRow], known: Known) -> Mapping[str, KnownUnit]:
    """The units to create before the rows of a good roster are kept, branches first."""
    branches: dict[str, KnownUnit] = {}
    sites: dict[str, KnownUnit] = {}
    for row in rows:
        branches[row.branch_code] = KnownUnit(name=row.branch, kind="branch", parent=None)
        sites[row.site_code] = KnownUnit(name=row.site, kind="site", parent=row.branch_code)
    return {code: unit for code, unit in (branches | sites).items() if code not in known.units}


def _unique_keys(known: Known) -> tuple[UniqueKey, ...]:
    return (
        UniqueKey(key="student_no", owners={}),
        UniqueKey(key="exam_no", owners=known.exam_no_owners),
        UniqueKey(key="id_number", owners=known.id_number_owners),
    )


def _check_identity(line: Line, findings: Findings, today: date) -> None:
    born_on, gender, number = line.text("born_on"), line.text("gender"), line.text("id_number")
    if born_on is not None and born_on > today.isoformat():
        findings.refuse(line, "born_on", _NOT_BORN_YET)
    if number is None:
        return
    if identity.born_on(number) > today.isoformat():
        findings.refuse(line, "id_number", _NOT_BORN_YET)
    if born_on not in {None, identity.born_on(number)}:
        findings.refuse(line, "born_on", _BIRTH_CONTRADICTS)
    if gender not in {None, identity.gender(number)}:
        findings.refuse(line, "gender", _GENDER_CONTRADICTS)
    if not identity.region_is_known(number):
        findings.doubt(line, "id_number", _UNKNOWN_REGION)


def _check_name(line: Line, findings: Findings) -> None:
    name = line.text("name")
    if name is None:
        return
    if missing := outside_gbk(name):
        reason = Sentence(
            f"“{missing}”不在 GBK 内，DBF 上报文件无法保存，须用 XLSX 上报",
            f"{missing} is not in GBK: a DBF file cannot hold it; report this student by XLSX",
        )
        findings.doubt(line, "name", reason)
    if "?" in name:
        findings.doubt(line, "name", _QUESTION_MARK)


def _row(line: Line, known: Known) -> RosterRow:
    units = {key: str(line.values[key]) for key in _UNIT_KEYS}
    facts = {key: value for key, value in line.values.items() if key not in units}
    student_no = str(line.values["student_no"])
    student = known.students.get(student_no)
    moved = student is None or student.site_code != units["site_code"]
    changed = changed_keys(facts, student) + (("site_code",) if moved else ())
    return RosterRow(
        student_no=student_no,
        facts=facts,
        site_code=units["site_code"],
        site=units["site"],
        branch_code=units["branch_code"],
        branch=units["branch"],
        changed=changed,
    )


_NOT_BORN_YET = Sentence("出生日期在今天之后", "the date of birth is after today")
_BIRTH_CONTRADICTS = Sentence("与身份证号第7至14位不符", "contradicts places 7 to 14 of the ID number")
_GENDER_CONTRADICTS = Sentence(
    "与身份证号第17位不符（单数为男）", "contradicts place 17 of the ID number (odd is male)"
)
_UNKNOWN_REGION = Sentence(
    "行政区划前四位未见于代码表，请核对", "the first four digits are no region we know; check them"
)
_QUESTION_MARK = Sentence("姓名含问号，可能是生僻字丢失", "a question mark in a name: a rare character may be lost")
