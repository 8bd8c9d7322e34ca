"""Reading a workbook that strangers made: a gate first, then a child process that may die.

Rule 1: no part of a workbook is parsed as XML in this process; the child has a memory limit.
Rule 2: what the child returns is JSON, never a pickle.
"""

import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TypeAlias

import orjson

from exchange import reading_child
from exchange.cells import Cell
from exchange.faults import Sentence
from exchange.refusals import SheetRefused
from exchange.zip_gate import MOST_BYTES_IN_FILE, admit

Grid: TypeAlias = Sequence[Sequence[Cell]]

_SECONDS_TO_WAIT = 2 * reading_child.MOST_SECONDS


def read_first_sheet(path: Path) -> Grid:
    """Read the first sheet of an .xlsx file from A1 on; every row has the same length.

    Returns:
        Rows of cells; a blank cell is `None`, a formula is the value Excel last saw. At least
        the header row and one row below it.

    Raises:
        SheetRefused: If the file is missing, no workbook, encrypted, hostile, or empty.
    """
    return read_first_sheet_of(content_of(path))


def content_of(path: Path) -> bytes:
    """The bytes of a file, no more of them than show that it is too large.

    Raises:
        SheetRefused: If the file is missing or cannot be opened.
    """
    try:
        # A file too large to admit is not read into memory either.
        with path.open("rb") as file:
            return file.read(MOST_BYTES_IN_FILE + 1)
    except OSError as fault:
        raise SheetRefused(_not_found(path, fault)) from fault


def read_first_sheet_of(content: bytes) -> Grid:
    """Read the first sheet of a workbook that is in memory already, as `read_first_sheet` does.

    Raises:
        SheetRefused: As `read_first_sheet`.
    """
    # The bytes that passed the gate are the bytes the child reads: the file may change between.
    admit(content)
    grid = _parsed_apart(content)
    if not any(cell is not None for row in grid[1:] for cell in row):
        raise SheetRefused(_EMPTY)
    return grid


def _parsed_apart(content: bytes) -> Grid:
    document = orjson.loads(_output_of_child(content))
    rows: list[list[Cell]] = document["rows"]
    for row, column, day in document["days"]:
        rows[row][column] = date.fromisoformat(day)
    return rows


def _output_of_child(content: bytes) -> bytes:
    command = (sys.executable, "-I", reading_child.__file__)
    try:
        child = subprocess.run(  # noqa: S603 - our own interpreter and script, no shell
            command, input=content, capture_output=True, check=False, timeout=_SECONDS_TO_WAIT
        )
    except subprocess.TimeoutExpired as fault:
        raise SheetRefused(_UNREADABLE) from fault
    if child.returncode == reading_child.NO_SHEET:
        raise SheetRefused(_EMPTY)
    if child.returncode != 0:
        raise SheetRefused(_UNREADABLE)
    return child.stdout


def _not_found(path: Path, fault: OSError) -> Sentence:
    return Sentence(f"无法打开文件 {path.name}：{fault.strerror}", f"cannot open {path.name}: {fault.strerror}")


_EMPTY = Sentence(
    "第一张工作表没有数据；第一行应为表头，其下为数据",
    "the first sheet has no data; its first row must be headers, with rows below",
)
_UNREADABLE = Sentence(
    "工作簿无法读取；请把数据复制到新的工作簿，另存为 .xlsx",
    "the workbook cannot be read; copy the data to a new workbook and save that as .xlsx",
)
