"""A process of its own that turns a workbook on standard input into JSON on standard output.

It runs as a script in isolated mode and imports nothing of ours, so that what a hostile workbook
can break is only this. JSON knows no days: they are written as ISO text and named apart.
"""

import sys
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO

import orjson
from python_calamine import CalamineError, CalamineWorkbook

MOST_BYTES_OF_MEMORY = 2**30
MOST_SECONDS = 60

NO_SHEET = 3
UNREADABLE = 4


def _limit_resources() -> None:
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - POSIX only

        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES_OF_MEMORY, MOST_BYTES_OF_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _plain(cell: object) -> object:
    if isinstance(cell, str):
        return None if not cell or cell.isspace() else cell
    return str(cell) if isinstance(cell, (datetime, time, timedelta)) else cell


def _day(cell: object) -> date | None:
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == time() else None
    return cell if isinstance(cell, date) else None


def _document(rows: Sequence[Sequence[object]]) -> dict[str, object]:
    days = [
        (row, column, day)
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
        if (day := _day(cell)) is not None
    ]
    return {"rows": [[_plain(cell) for cell in cells] for cells in rows], "days": days}


def main() -> int:
    """Read the first sheet from A1 on; blank cells are null, days also stand under `days`."""
    _limit_resources()
    try:
        with CalamineWorkbook.from_filelike(BytesIO(sys.stdin.buffer.read())) as workbook:
            if not workbook.sheet_names:
                return NO_SHEET
            rows = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError, MemoryError):
        return UNREADABLE
    sys.stdout.buffer.write(orjson.dumps(_document(rows)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
