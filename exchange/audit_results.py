"""Results of an audit above the school (终审结果, 省校审核结果): who passed, who did not and why.

Source: requirements.md, S001-I-6.0c (final audit), S001-I-6.10 (F-82: a row without a reason is refused).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exchange.cells import read_text
from exchange.columns import Column, Findings, Line, choice_column, match_headers, read_lines
from exchange.fact_sheets import STUDENT_NO
from exchange.faults import Sentence, Sheet
from exchange.known import Known
from exchange.names import read_name
from exchange.uniqueness import UniqueKey
from exchange.workbooks import Grid

PASSED, FAILED = "通过", "未通过"
_WORDS = dict.fromkeys((PASSED, "审核通过", "合格"), PASSED) | dict.fromkeys(
    (FAILED, "不通过", "审核不通过", "审核未通过", "不合格"), FAILED
)

RESULT_COLUMNS: tuple[Column, ...] = (
    STUDENT_NO,
    Column(key="name", headers=("姓名", "XM"), read=read_name),
    choice_column("result", ("审核结果", "终审结果"), _WORDS, required=True),
    Column(key="reason", headers=("未通过原因", "原因"), read=read_text),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """What one row says about one student."""

    student_no: str
    has_passed: bool
    reason: str
    """Why not; empty for who has passed."""
    changed: tuple[str, ...] = ()


Standing = Callable[[str, bool], Sentence | None]
"""Why a student (by number) cannot be given that result where the record stands; None where it can."""


def results_in(grid: Grid, known: Known, stands: Standing, told: Callable[[int], None]) -> Sheet[ResultRow]:
    """What the cells of a sheet of results say: every row of it, or none and every fault.

    Args:
        grid: Its cells, from the header row on.
        known: The students whoever sends it may know of.
        stands: Asked of each result that could be read.
        told: Told of each row that was looked at.
    """
    findings = match_headers(grid[0], RESULT_COLUMNS)
    unique = UniqueKey(key="student_no", owners={})
    rows = []
    for line in read_lines(grid, findings):
        unique.check(line, findings)
        is_known = _check_student(line, findings, known)
        _check_result(line, findings, stands if is_known else lambda *_: None)
        if not findings.faults:
            rows.append(_row(line))
        told(line.number)
    return Sheet(
        rows=() if findings.faults else tuple(rows), faults=findings.in_order(), warnings=tuple(findings.warnings)
    )


def _check_student(line: Line, findings: Findings, known: Known) -> bool:
    """Whether the row names a student on file, by the right name where it says one."""
    number, name = line.text("student_no"), line.text("name")
    student = None if number is None else known.students.get(number)
    if student is None and number is not None:
        findings.refuse(line, "student_no", _UNKNOWN)
    elif student is not None and name is not None and name != student.facts.get("name"):
        findings.refuse(line, "name", _OTHER_NAME)
    return student is not None


def _check_result(line: Line, findings: Findings, stands: Standing) -> None:
    number, result = line.text("student_no"), line.text("result")
    if result is None:
        return
    if result == FAILED and line.text("reason") is None:
        findings.refuse(line, "reason" if "reason" in findings.placed else "result", _NO_REASON)
    if result == PASSED and line.text("reason") is not None:
        findings.doubt(line, "reason", _REASON_NOT_KEPT)
    if number is not None and (reason := stands(number, result == PASSED)) is not None:
        findings.refuse(line, "result", reason)


def _row(line: Line) -> ResultRow:
    has_passed = line.values["result"] == PASSED
    reason = "" if has_passed else str(line.values.get("reason", ""))
    return ResultRow(student_no=str(line.values["student_no"]), has_passed=has_passed, reason=reason)


_UNKNOWN = Sentence("库中没有这个学号；请核对学号", "no student on file has this number; check the number")
_OTHER_NAME = Sentence("与库中的姓名不同；请核对学号和姓名", "not the name on file; check number and name")
_NO_REASON = Sentence(
    "未通过须写原因；请在“未通过原因”列填写", "a failed audit needs its reason; write it under 未通过原因"
)
_REASON_NOT_KEPT = Sentence("通过的行不记原因", "the reason of a row that passed is not kept")
