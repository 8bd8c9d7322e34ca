"""A table of a page as a workbook: the same columns and rows, text as text whatever it begins with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from itertools import chain, islice

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from exchange.cells import Cell
from exchange.templates import streamed_cell, write_cell

_LOOKED_AT = 200
"""By so many rows the widths of a long table are told."""
_WIDEST, _NARROWEST = 60, 10
_NO_TITLE = str.maketrans(dict.fromkeys("[]:*?/\\'"))
"""What may not stand in the name of a sheet."""
_LONGEST_TITLE = 31


def table_workbook(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The table as .xlsx: bold heads that stay in sight, and a filter; None is a blank cell."""
    book = Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet(title.translate(_NO_TITLE)[:_LONGEST_TITLE] or "1")
    widths = [_NARROWEST] * len(columns)
    for number, row in enumerate([columns, *rows], start=1):
        for place, value in enumerate(row, start=1):
            if value is not None:
                write_cell(sheet, number, place, value)
                widths[place - 1] = max(widths[place - 1], min(_WIDEST, _wide(str(value)) + 4))
    for place, width in enumerate(widths, start=1):
        sheet.cell(row=1, column=place).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def long_table_workbook(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The same of a table that is too long to be kept: written as it is read, as wide as its first rows are."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title.translate(_NO_TITLE)[:_LONGEST_TITLE] or "1")
    coming = iter(rows)
    first = list(islice(coming, _LOOKED_AT))
    for place in range(1, len(columns) + 1):
        wide = max((_wide(str(value)) for row in (columns, *first) if (value := row[place - 1]) is not None), default=0)
        sheet.column_dimensions[get_column_letter(place)].width = min(_WIDEST, max(_NARROWEST, wide + 4))
    sheet.freeze_panes = "A2"
    heads = [streamed_cell(sheet, head) for head in columns]
    for cell in heads:
        cell.font = Font(bold=True)
    sheet.append(heads)
    written = 1
    for row in chain(first, coming):
        sheet.append([None if value is None else streamed_cell(sheet, value) for value in row])
        written += 1
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{written}"
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def _wide(text: str) -> int:
    """How many half-width letters a text takes."""
    return sum(1 + (letter > "⺀") for letter in text)
