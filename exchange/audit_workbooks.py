"""The audit report of a batch as a workbook: every figure of the PDF, and every finding with all of its cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from engine.auditing.findings import CODES
from engine.auditing.found import Limits, shown
from engine.auditing.summary import Summary, Tally
from engine.trail.event import moment
from exchange.audit_reports import places_of, said_of, said_of_sample
from exchange.templates import write_cell

Grid = Iterable[Sequence[str | int]]

_TALLIED = ("代码 Code", "名称", "Title", "业务 Procedure", "次数 Times", "办件 Cases")
_FOUND = ("类别", "代码 Code", "何人 Who", "起于 Since", "说明", "In English", "办件 Cases", "办件与事件 Events")
_READ = ("单位 Unit", "名称 Name", "办件 Cases", "抽取 Drawn", "无异议 Sound", "有问题 Exception", "待查 Open")
_HEAD = PatternFill("solid", fgColor="E4EDF4")
_WIDEST, _NARROWEST = 60, 8
_MOST_LETTERS = 32_000
"""A cell of a spreadsheet holds 32,767."""
_MOST_PLACES = 1500


def report_workbook(summary: Summary, limits: Limits) -> bytes:
    """The report as .xlsx: text stays text, whatever it begins with."""
    book = Workbook()
    book.remove(book.worksheets[0])
    _sheet(book, "概况", ("项目 Item", "值 Value"), _overview(summary, limits))
    _sheet(book, "进度", ("业务 Procedure", "单位 Unit", "名称 Name", "状态 State", "办件 Cases"), _standing(summary))
    for title, tallies in (("未通过", summary.refusals), ("退回", summary.returns), ("逾期", summary.late)):
        _sheet(book, title, _TALLIED, map(_tally, tallies))
    _sheet(book, "发现", _FOUND, _findings(summary))
    _sheet(book, "抽样", _READ, summary.read)
    cases = () if summary.sample is None else ((one,) for one in summary.sample.cases)
    _sheet(book, "抽取的办件", ("办件 Case",), cases)
    rows = ((one.case or "", one.actor, shown(one.at)) for one in summary.exceptions)
    _sheet(book, "有问题", ("办件 Case", "审计员 Auditor", "时间 When"), rows)
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def _overview(summary: Summary, limits: Limits) -> Grid:
    trail = summary.trail
    yield "批次 Batch", summary.batch
    yield "名称 Title", summary.title
    yield "截至 As of", shown(moment(summary.at))
    yield "审计员 Auditor", summary.auditor
    yield "单位 Units", "、".join(summary.units)
    yield "办件 Cases", summary.cases
    yield "发现 Findings", len(summary.findings)
    yield "界限 Limits", said_of(limits)
    yield "抽样 Sample", "尚未抽样 none" if summary.sample is None else said_of_sample(summary).zh
    yield "日志 Log", trail.origin
    yield "本批次事件 Events of the batch", trail.events_of_batch
    yield "全部事件 Events in all", trail.events
    yield "最近封存的大小 Last checkpoint", "尚未封存 not sealed yet" if trail.size is None else trail.size
    yield "封存时间 Signed at", "—" if trail.signed_at is None else shown(trail.signed_at)
    yield "日志头 Signed head", trail.note or "—"


def _standing(summary: Summary) -> Grid:
    for funnel in summary.funnels:
        for line in funnel.lines:
            for state, count in zip(funnel.states, line.counts, strict=True):
                if count:
                    yield funnel.title.zh, line.unit, line.name, state.zh, count


def _tally(one: Tally) -> Sequence[str | int]:
    return one.code, one.title.zh, one.title.en, one.of, one.times, one.cases


def _findings(summary: Summary) -> Grid:
    for one in summary.findings:
        places = places_of(one, _MOST_PLACES)[:_MOST_LETTERS]
        title, said = CODES[one.code].zh, one.told(summary.names)
        who = "、".join(one.who(summary.names))
        yield title, one.code, who, shown(one.at), said.zh, said.en, one.cases, places


def _sheet(book: Workbook, title: str, columns: Sequence[str], rows: Grid) -> None:
    sheet = book.create_sheet(title)
    widths = [len(name) + 6 for name in columns]
    for number, row in enumerate([columns, *rows], start=1):
        for place, value in enumerate(row, start=1):
            write_cell(sheet, number, place, value)
            widths[place - 1] = max(widths[place - 1], _wide(str(value)))
    _dress(sheet, widths)


def _dress(sheet: Worksheet, widths: Sequence[int]) -> None:
    for place, width in enumerate(widths, start=1):
        head = sheet.cell(row=1, column=place)
        head.font, head.fill = Font(bold=True), _HEAD
        head.alignment = Alignment(vertical="center")
        sheet.column_dimensions[get_column_letter(place)].width = max(_NARROWEST, min(_WIDEST, width + 2))
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def _wide(text: str) -> int:
    """How many half-width letters the longest line of a text takes."""
    return max((sum(1 + (letter > "⺀") for letter in line) for line in text.split("\n")), default=0)
