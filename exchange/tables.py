"""Sheets of tables that others maintain: the columns are those of the vocabulary, every row whole and once."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.expressions.kinds import Kind, Titles, encode, parse_input, parse_kind
from engine.vocabulary import Fact, Table
from exchange.cells import DIGITS_LOST, Cell, FactValue, Reader, Reading, code_text, lost_digits, text_of
from exchange.columns import Column, Findings, Line, match_headers, read_lines
from exchange.faults import Sentence, Sheet
from exchange.refusals import SheetRefused
from exchange.workbooks import Grid, read_first_sheet
from exchange.zip_gate import MOST_BYTES_IN_FILE

_ENCODINGS = ("utf-8-sig", "gb18030")
"""What spreadsheets write as CSV here; the second reads nearly any bytes, so it comes last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row, as JSON by column."""

    values: Mapping[str, FactValue]

    @property
    def changed(self) -> tuple[str, ...]:
        """A table is compared as a whole (`engine.tabling`), not row by row."""
        return tuple(self.values)


def read_table(path: Path, table: Table, facts: Mapping[str, Fact], titles: Titles) -> Sheet[TableRow]:
    """Read a sheet whole: every row of it, or none and every fault.

    Args:
        path: An .xlsx file, of which the first sheet is read, or a .csv file.
        table: Its columns are all required, and so is every cell.
        facts: A column that is called like one of these may also be headed by its titles.
        titles: Choices may be given by code or title.

    Raises:
        SheetRefused: If the file is neither.
    """
    return table_in(_csv(path) if path.suffix.lower() == ".csv" else read_first_sheet(path), table, facts, titles)


def table_in(grid: Grid, table: Table, facts: Mapping[str, Fact], titles: Titles) -> Sheet[TableRow]:
    """What the cells of a sheet say, as `read_table`."""
    columns = table_columns(table, facts, titles)
    findings = match_headers(grid[0], columns)
    lines = list(_once(read_lines(grid, findings), findings, columns[0].key))
    rows = () if findings.faults else tuple(TableRow(values=line.values) for line in lines)
    return Sheet(rows=rows, faults=findings.in_order(), warnings=())


def table_columns(table: Table, facts: Mapping[str, Fact], titles: Titles) -> tuple[Column, ...]:
    """The columns of its sheet."""
    return tuple(_column(name, parse_kind(kind), facts, titles) for name, kind in table.columns.items())


def _column(name: str, kind: Kind, facts: Mapping[str, Fact], titles: Titles) -> Column:
    fact = facts.get(name)
    headers = () if fact is None else (fact.title.zh, fact.title.en, *fact.header)
    return Column(key=name, headers=headers or (name,), read=_reader(kind, titles), required=True)


def _reader(kind: Kind, titles: Titles) -> Reader:
    expected = Sentence(f"应为 {kind}", f"expected {kind}")

    def read(cell: Cell) -> Reading:
        if kind.name in {"code", "choice"} and lost_digits(cell):
            return DIGITS_LOST
        text = text_of(cell) if kind.name == "text" else code_text(cell)
        if not text:
            return ""
        try:
            value = encode(kind, parse_input(kind, text, titles))
        except ValueError as problem:
            return Sentence(f"{expected.zh}：{problem}", f"{expected.en}: {problem}")
        return value if isinstance(value, str | int | bool) else expected

    return read


def _once(lines: Iterable[Line], findings: Findings, key: str) -> Iterator[Line]:
    """A row that stands twice is a slip of whoever pasted it."""
    seen: dict[tuple[FactValue, ...], int] = {}
    for line in lines:
        values = tuple(line.values.values())
        if len(values) == len(findings.placed):
            first = seen.setdefault(values, line.number)
            if first != line.number:
                findings.refuse(line, key, Sentence(f"与第 {first} 行重复", f"the same as row {first}"))
        yield line


def _csv(path: Path) -> Grid:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES_IN_FILE + 1)
    except OSError as problem:
        message = f"cannot open {path.name}: {problem.strerror}"
        raise SheetRefused(Sentence(f"无法打开文件 {path.name}：{problem.strerror}", message)) from problem
    return read_csv(content)


def read_csv(content: bytes) -> Grid:
    """The cells of a sheet written as CSV.

    Raises:
        SheetRefused: If it is too large, empty, or in an encoding nobody knows.
    """
    if len(content) > MOST_BYTES_IN_FILE:
        raise SheetRefused(_TOO_LARGE)
    rows = [[cell or None for cell in row] for row in csv.reader(io.StringIO(_text(content), newline=""))]
    width = max(map(len, rows), default=0)
    grid = [row + [None] * (width - len(row)) for row in rows]
    if not any(cell is not None for row in grid[1:] for cell in row):
        raise SheetRefused(_EMPTY)
    return grid


def _text(content: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetRefused(_NO_TEXT)


_EMPTY = Sentence(
    "文件没有数据；第一行应为表头，其下为数据", "the file has no data; its first row must be headers, with rows below"
)
_TOO_LARGE = Sentence("文件过大，请分次导入", "the file is too large")
_NO_TEXT = Sentence(
    "编码无法识别；请另存为 UTF-8 的 CSV 或 .xlsx", "the encoding is not known; save it as CSV in UTF-8, or as .xlsx"
)
