"""Fact sheets: what is newly known about students already on file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from exchange import code_tables
from exchange.cells import (
    FactValue,
    Reader,
    code_reader,
    read_day,
    read_money,
    read_whole_number,
    read_yes_no,
)
from exchange.certificates import faults_of_certificate
from exchange.columns import Column, Findings, Line, choice_column, match_headers, read_lines
from exchange.faults import Fault, Sentence, Sheet
from exchange.known import Known, KnownStudent, changed_keys
from exchange.uniqueness import UniqueKey
from exchange.workbooks import Grid, read_first_sheet


def _fact(key: str, headers: tuple[str, ...], read: Reader) -> Column:
    return Column(key=key, headers=headers, read=read)


def _yes_no(key: str, header: str) -> Column:
    return Column(key=key, headers=(header,), read=read_yes_no, choices=("是", "否"))


STUDENT_NO = Column(key="student_no", headers=("学号", "XH"), read=code_reader(15), required=True)

FACT_COLUMNS: tuple[Column, ...] = (
    STUDENT_NO,
    choice_column("prior_qualification", ("前置学历",), code_tables.PRIOR_QUALIFICATIONS),
    _yes_no("key_info_confirmed", "关键信息确认"),
    _fact("terms_required", ("应修学期数",), read_whole_number),
    _fact("terms_passed", ("合格学期数",), read_whole_number),
    choice_column("level_exam", ("学业水平考试",), code_tables.LEVEL_EXAMS),
    _yes_no("photo_collected", "照片采集"),
    choice_column("photo_review", ("照片审核",), code_tables.PHOTO_REVIEWS),
    choice_column("identity_check", ("身份复核",), code_tables.IDENTITY_CHECKS),
    choice_column("photo_vendor", ("图像采集单位",), code_tables.PHOTO_VENDORS),
    _fact("fee_owed", ("欠费金额",), read_money),
    _yes_no("card_filled", "学籍卡"),
    _yes_no("form_filled", "毕业生登记表"),
    _yes_no("form_signed", "个人鉴定签名"),
    _yes_no("file_reviewed", "档案审核"),
    _yes_no("site_opinion", "教学点意见"),
    _yes_no("electronic_photo", "电子照片"),
    _yes_no("preliminary_passed", "省校初审"),
    _yes_no("unified_exam_passed", "网考通过或免考"),
    _yes_no("unified_exam_synced", "网考已同步学信网"),
    choice_column("conclusion", ("毕结业结论", "BJYJL"), code_tables.CONCLUSIONS),
    _fact("certificate_no", ("证书编号", "ZSBH"), code_reader(18)),
    _fact("graduated_on", ("毕业日期", "BYRQ"), read_day),
    _fact("issued_on", ("发证日期",), read_day),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """What one row says about one student; a blank cell says nothing."""

    student_no: str
    facts: Mapping[str, FactValue]
    """By fact key: days as ISO text, amounts as text such as `120.50`, 是 and 否 as booleans."""
    changed: tuple[str, ...]
    """Fact keys whose value is not on file yet."""


def read_facts(path: Path, known: Known, today: date) -> Sheet[FactRow]:
    """Read a fact sheet whole: every row of it, or none and every fault.

    Args:
        path: An .xlsx file; its first sheet is read.
        known: What the database has; a student number not in it is a fault.
        today: No certificate is numbered further ahead than the next year.

    Raises:
        SheetRefused: If the file is no readable workbook.
    """
    return facts_in(read_first_sheet(path), known, today)


def facts_in(
    grid: Grid,
    known: Known,
    today: date,
    columns: Sequence[Column] = FACT_COLUMNS,
    told: Callable[[int], None] = lambda _: None,
) -> Sheet[FactRow]:
    """What the cells of a fact sheet say, as `read_facts`.

    Args:
        grid: Its cells, from the header row on.
        known: What the database has.
        today: The day.
        columns: Those that may stand in it; any other is an unknown header.
        told: Told of each row that was looked at.
    """
    findings = match_headers(grid[0], columns)
    if not set(findings.placed) - {"student_no"}:
        findings.faults.append(_NO_FACT)
    unique = (
        UniqueKey(key="student_no", owners={}),
        UniqueKey(key="certificate_no", owners=known.certificate_no_owners),
    )
    rows = []
    for line in read_lines(grid, findings):
        _check_student(line, findings, known, today)
        for key in unique:
            key.check(line, findings)
        if not findings.faults:  # each student is asked for once, in the order of the sheet
            rows.append(_row(line, known))
        told(line.number)
    return Sheet(
        rows=() if findings.faults else tuple(rows), faults=findings.in_order(), warnings=tuple(findings.warnings)
    )


def _check_student(line: Line, findings: Findings, known: Known, today: date) -> None:
    student_no = line.text("student_no")
    if student_no is None:
        return
    student = known.students.get(student_no)
    if student is None:
        findings.refuse(line, "student_no", _UNKNOWN_STUDENT)
    _check_certificate(line, findings, student, today)


def _check_certificate(line: Line, findings: Findings, student: KnownStudent | None, today: date) -> None:
    number = line.text("certificate_no")
    if number is None:
        return
    on_file = student.facts if student else {}
    level = on_file.get("level")
    graduated_on = line.text("graduated_on") or on_file.get("graduated_on")
    reasons = faults_of_certificate(
        number,
        school_code=student.school_code if student else None,
        level=level if isinstance(level, str) else None,
        graduated_on=date.fromisoformat(str(graduated_on)) if graduated_on else None,
        today=today,
    )
    for reason in reasons:
        findings.refuse(line, "certificate_no", reason)


def _row(line: Line, known: Known) -> FactRow:
    student_no = str(line.values["student_no"])
    facts = {key: value for key, value in line.values.items() if key != "student_no"}
    return FactRow(student_no=student_no, facts=facts, changed=changed_keys(facts, known.students[student_no]))


_UNKNOWN_STUDENT = Sentence(
    "库中没有这个学号；请先导入名册", "no student on file has this number; import the roster first"
)
_NO_FACT = Fault(
    row=1,
    column="",
    cell="1:1",
    value="",
    reason=Sentence("除学号外没有任何事实列，例如“欠费金额”", "no column besides 学号, such as 欠费金额"),
)
