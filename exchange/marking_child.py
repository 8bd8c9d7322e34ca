"""A process of its own that tints and comments the bad cells of a workbook: standard input to standard output.

The first line is JSON: cells with what is to be said of each; the rest is the workbook, which has passed the gate. It
runs as a script in isolated mode and imports nothing of ours, as `reading_child` does and for the same reason.
"""

import sys
from io import BytesIO
from zipfile import BadZipFile

import orjson
from openpyxl import load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

MOST_BYTES_OF_MEMORY = 2**30
MOST_SECONDS = 60
UNREADABLE = 4

_BAD = PatternFill("solid", fgColor="FCE9E7")
_DOUBTFUL = PatternFill("solid", fgColor="FFF1D6")
_WIDTH, _HEIGHT = 320, 110


def _limit_resources() -> None:
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - POSIX only

        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES_OF_MEMORY, MOST_BYTES_OF_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Mark the first sheet; every cell is named as Excel shows it."""
    _limit_resources()
    head = orjson.loads(sys.stdin.buffer.readline())
    try:
        book = load_workbook(BytesIO(sys.stdin.buffer.read()))
        sheet = book.worksheets[0]
        for place, text, is_warning in head:
            cell = sheet[place]
            cell.fill = _DOUBTFUL if is_warning else _BAD
            cell.comment = Comment(text, "xueji", height=_HEIGHT, width=_WIDTH)
        made = BytesIO()
        book.save(made)
    except (BadZipFile, KeyError, IndexError, OSError, ValueError, TypeError, AttributeError, MemoryError):
        return UNREADABLE
    sys.stdout.buffer.write(made.getvalue())
    return 0


if __name__ == "__main__":
    sys.exit(main())
