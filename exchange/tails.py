"""What hangs on behind a file: a picture or an archive that goes on after its end may be another file as well.

Rule: behind a picture may stand what fills it up, and further pictures, as telephones add a small one; nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FILLING = b"\x00\t\n\r "
"""What cameras and programs fill a file up with."""
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_BEGINS, _END_OF_PICTURE = b"\xff\xd8\xff", 0xD9
_MOST_PICTURES = 8
_PNG_BEGINS, _PNG_PART, _PNG_END = 8, 12, b"IEND"
_ARCHIVE_END, _LENGTH_OF_END = b"PK\x05\x06", 22


def is_followed(kind: str, body: bytes) -> bool:
    """Whether something else hangs on behind a picture.

    Args:
        kind: `jpeg` or `png`.
        body: The file, which begins as one.

    Raises:
        EOFError: If the picture has no end.
    """
    at = _end_of_png(body) if kind == "png" else _end_of_jpegs(body)
    return bool(body[at:].strip(_FILLING))


def markers(body: bytes, at: int = 0) -> Iterator[tuple[int, int]]:
    """The markers of a JPEG that begins at a place, each with where it ends; what lies between may look like anything.

    The last is that of the picture's end.

    Raises:
        EOFError: If the picture has no end.
    """
    at += 2
    while (found := _MARKER.search(body, at)) is not None:
        marker, at = found[1][0], found.end()
        yield marker, at
        if marker == _END_OF_PICTURE:
            return
        at += int.from_bytes(body[at : at + 2], "big")
    raise EOFError


def end_of_archive(body: bytes) -> int:
    """Where an archive ends by its own word: after the record that ends it, and the comment that record counts."""
    at = body.rfind(_ARCHIVE_END)
    return at + _LENGTH_OF_END + int.from_bytes(body[at + _LENGTH_OF_END - 2 : at + _LENGTH_OF_END], "little")


def _end_of_jpegs(body: bytes) -> int:
    """Behind the last of the pictures that follow each other."""
    end = _end_of_jpeg(body, 0)
    for _ in range(_MOST_PICTURES):
        at = len(body) - len(body[end:].lstrip(_FILLING))
        if not body.startswith(_BEGINS, at):
            break
        end = _end_of_jpeg(body, at)
    return end


def _end_of_jpeg(body: bytes, at: int) -> int:
    *_, (_, end) = markers(body, at)
    return end


def _end_of_png(body: bytes) -> int:
    """From part to part: its length, its name, its bytes and their check sum."""
    at = _PNG_BEGINS
    while at + _PNG_PART <= len(body):
        length, name = int.from_bytes(body[at : at + 4], "big"), body[at + 4 : at + 8]
        at += _PNG_PART + length
        if name == _PNG_END:
            return at
    raise EOFError
