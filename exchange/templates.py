"""Writing sheets: templates to fill in, and workbooks made of rows."""

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell as SheetCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from exchange.cells import Cell
from exchange.columns import Column

_TEXT_FORMAT = "@"
_WIDTH_IN_CHARACTERS = 20
_ROWS_WITH_LISTS = 10_000
# What a spreadsheet takes for the beginning of a formula (ecosystem.md, 10).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def template_of(title: str, columns: Sequence[Column]) -> bytes:
    """An empty sheet to fill in: headers, text format, lists to choose from; required ones bold."""
    workbook, sheet = _new_workbook(title)
    lists = workbook.create_sheet("代码表")
    lists.sheet_state = "hidden"
    for number, column in enumerate(columns, start=1):
        cell = sheet.cell(row=1, column=number, value=column.headers[0])
        cell.font = Font(bold=column.required)
        dimension = sheet.column_dimensions[get_column_letter(number)]
        dimension.number_format = _TEXT_FORMAT
        dimension.width = _WIDTH_IN_CHARACTERS
        if column.choices:
            _offer(sheet, lists, number, column.choices)
    sheet.freeze_panes = "A2"
    made = BytesIO()
    workbook.save(made)
    return made.getvalue()


def write_sheet(path: Path, columns: Sequence[Column], rows: Iterable[Mapping[str, Cell]]) -> None:
    """Write rows under the Chinese headers of their columns.

    Text stays text, whatever it begins with; numbers and days keep their kind.

    Args:
        path: The .xlsx file, replaced if it exists.
        columns: In the order wanted.
        rows: By column key; a key left out, None and empty text are blank cells.
    """
    workbook, sheet = _new_workbook("数据")
    sheet.append([column.headers[0] for column in columns])
    for number, row in enumerate(rows, start=2):
        for index, column in enumerate(columns, start=1):
            value = row.get(column.key)
            if value not in {None, ""}:
                write_cell(sheet, number, index, value)
    sheet.freeze_panes = "A2"
    workbook.save(path)


def write_cell(sheet: Worksheet, row: int, column: int, value: Cell) -> None:
    """Write one cell, counted from 1: text stays text, whatever it begins with; numbers and days keep their kind."""
    _as_it_is(sheet.cell(row=row, column=column, value=value), value)


def streamed_cell(sheet: Worksheet, value: Cell) -> SheetCell:
    """The same for a sheet that is written row by row and keeps none."""
    cell = WriteOnlyCell(sheet, value)  # type: ignore[arg-type]  # its stub forgets days
    _as_it_is(cell, value)
    return cell


def _as_it_is(cell: SheetCell, value: Cell) -> None:
    if isinstance(value, str):
        cell.data_type = "s"
        cell.number_format = _TEXT_FORMAT
        if value.startswith(_FORMULA_STARTS):
            cell.quotePrefix = True


def _new_workbook(title: str) -> tuple[Workbook, Worksheet]:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    return workbook, workbook.create_sheet(title)


def _offer(sheet: Worksheet, lists: Worksheet, number: int, words: tuple[str, ...]) -> None:
    # Through a sheet of lists: a list written into the rule itself ends at 255 characters.
    for row, word in enumerate(words, start=1):
        lists.cell(row=row, column=number, value=word).number_format = _TEXT_FORMAT
    letter = get_column_letter(number)
    source = f"{quote_sheetname(lists.title)}!${letter}$1:${letter}${len(words)}"
    rule = DataValidation(type="list", formula1=source, allow_blank=True)
    rule.add(f"{letter}2:{letter}{_ROWS_WITH_LISTS}")
    sheet.add_data_validation(rule)
