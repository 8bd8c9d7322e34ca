"""Columns of a sheet: which header stands for which, and what each cell of a row says."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from openpyxl.utils import get_column_letter

from exchange.cells import (
    Cell,
    FactValue,
    Reader,
    choice_reader,
    code_text,
    nearest_word,
    text_of,
)
from exchange.faults import Fault, Sentence
from exchange.identity import is_resident_id, mask

_BLANK = Sentence("必填，不能为空", "required, may not be blank")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a kind of sheet."""

    key: str
    headers: tuple[str, ...]
    """Chinese first, then Latin; the key is accepted too."""
    read: Reader
    required: bool = False
    secret: bool = False
    choices: tuple[str, ...] = ()
    """The words to offer in a template."""


def choice_column(key: str, headers: tuple[str, ...], table: Mapping[str, str], *, required: bool = False) -> Column:
    """A column whose cells hold a word of a code table."""
    return Column(
        key=key,
        headers=headers,
        read=choice_reader(table),
        required=required,
        choices=tuple(dict.fromkeys(table.values())),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A column found in a file."""

    column: Column
    index: int
    """Counted from 0."""
    header: str
    """As it stands in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row below the header, with the values that could be read."""

    number: int
    cells: Sequence[Cell]
    values: Mapping[str, FactValue]

    def text(self, key: str) -> str | None:
        """The text under a key; `None` where the cell is blank or could not be read."""
        value = self.values.get(key)
        return value if isinstance(value, str) else None


@dataclass(slots=True, kw_only=True)
class Findings:
    """Collects what is wrong and what is doubtful while a sheet is read, in reading order."""

    placed: Mapping[str, Placed]
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def refuse(self, line: Line, key: str, reason: Sentence) -> None:
        """Note a fault at the cell of a key; nothing where the file has no such column."""
        if (placed := self.placed.get(key)) is not None:
            self.faults.append(_fault(placed, line.number, line.cells, reason))

    def in_order(self) -> tuple[Fault, ...]:
        """The faults from the first row to the last."""
        return tuple(sorted(self.faults, key=lambda fault: fault.row))

    def doubt(self, line: Line, key: str, reason: Sentence) -> None:
        """Note a warning at the cell of a key."""
        if (placed := self.placed.get(key)) is not None:
            self.warnings.append(_fault(placed, line.number, line.cells, reason))


def cell_name(index: int, row: int) -> str:
    """The address Excel shows for a column counted from 0 and a row counted from 1."""
    return f"{get_column_letter(index + 1)}{row}"


def match_headers(header: Sequence[Cell], columns: Sequence[Column]) -> Findings:
    """Find the columns of a sheet by its first row, in any order.

    Chinese header, Latin header and key are equal; unknown, repeated and missing headers are
    faults, all at once.
    """
    accepted = {_folded(name): column for column in columns for name in (*column.headers, column.key)}
    placed: dict[str, Placed] = {}
    faults = []
    for index, cell in enumerate(header):
        name = text_of(cell)
        if not name:
            continue
        column = accepted.get(_folded(name))
        if column is None:
            faults.append(_header_fault(index, name, _unknown(name, accepted)))
        elif column.key in placed:
            first = cell_name(placed[column.key].index, 1)
            faults.append(_header_fault(index, name, _repeated(first)))
        else:
            placed[column.key] = Placed(column=column, index=index, header=name)
    missing = (column for column in columns if column.required and column.key not in placed)
    faults += [_missing(column) for column in missing]
    return Findings(placed=placed, faults=faults)


def codes_under(grid: Sequence[Sequence[Cell]], column: Column) -> list[str]:
    """What stands in a column of codes, row by row, each once; for looking all of it up before it is judged."""
    names = {_folded(name) for name in (*column.headers, column.key)}
    places = [index for index, cell in enumerate(grid[0]) if _folded(text_of(cell)) in names]
    found = (code_text(row[places[0]]) for row in grid[1:]) if places else ()
    return list(dict.fromkeys(one for one in found if one))


def read_lines(rows: Sequence[Sequence[Cell]], findings: Findings) -> Iterable[Line]:
    """Read the rows below the header, one by one; wholly blank rows are passed over.

    Faults of single cells go to `findings`; the line then lacks that value.
    """
    columns = tuple(findings.placed.values())
    headerless = _columns_without_header(rows[0], columns)
    for number, cells in enumerate(rows[1:], start=2):
        if all(cell is None for cell in cells):
            continue
        _refuse_cells_without_header(findings, headerless, number, cells)
        yield _read_line(number, cells, columns, findings)


def _read_line(number: int, cells: Sequence[Cell], columns: Sequence[Placed], findings: Findings) -> Line:
    values: dict[str, FactValue] = {}
    for placed in columns:
        cell = cells[placed.index]
        value = "" if cell is None else placed.column.read(cell)
        # A cell of invisible characters reads as empty too.
        if value == "":
            if placed.column.required:
                findings.faults.append(_fault(placed, number, cells, _BLANK))
        elif isinstance(value, Sentence):
            findings.faults.append(_fault(placed, number, cells, value))
        else:
            values[placed.column.key] = value
    return Line(number=number, cells=cells, values=values)


def _columns_without_header(header: Sequence[Cell], columns: Sequence[Placed]) -> list[int]:
    taken = {placed.index for placed in columns}
    return [index for index, cell in enumerate(header) if index not in taken and not text_of(cell)]


def _refuse_cells_without_header(findings: Findings, headerless: list[int], number: int, cells: Sequence[Cell]) -> None:
    for index in headerless:
        if cells[index] is not None:
            reason = Sentence("该列没有表头", "this column has no header")
            findings.faults.append(
                Fault(
                    row=number,
                    column="",
                    cell=cell_name(index, number),
                    value=_shown(cells[index], secret=False),
                    reason=reason,
                )
            )


def _fault(placed: Placed, row: int, cells: Sequence[Cell], reason: Sentence) -> Fault:
    return Fault(
        row=row,
        column=placed.header,
        cell=cell_name(placed.index, row),
        value=_shown(cells[placed.index], secret=placed.column.secret),
        reason=reason,
    )


def _shown(cell: Cell, *, secret: bool) -> str:
    # A shifted column puts ID numbers under other headers: mask them wherever they turn up.
    text = text_of(cell)
    return mask(text) if text and (secret or is_resident_id(code_text(cell))) else text


def _folded(header: str) -> str:
    return unicodedata.normalize("NFKC", "".join(header.split())).casefold()


def _header_fault(index: int, name: str, reason: Sentence) -> Fault:
    return Fault(row=1, column=name, cell=cell_name(index, 1), value=name, reason=reason)


def _unknown(name: str, accepted: Mapping[str, Column]) -> Sentence:
    nearest = nearest_word(_folded(name), accepted)
    if nearest is None:
        return Sentence(f"不认识的表头“{name}”；请删除该列", "unknown header; delete this column")
    word = accepted[nearest].headers[0]
    return Sentence(f"不认识的表头“{name}”；是不是“{word}”", f"unknown header; did you mean {word}?")


def _repeated(first: str) -> Sentence:
    return Sentence(f"表头重复，已见于 {first}", f"repeated header, already in {first}")


def _missing(column: Column) -> Fault:
    names = " / ".join((*column.headers, column.key))
    return Fault(
        row=1,
        column=column.headers[0],
        cell="1:1",
        value="",
        reason=Sentence(f"缺表头“{column.headers[0]}”（{names}）", f"missing header ({names})"),
    )
