"""What stands on the pages of a PDF that Chromium has printed: enough of the format to find a page's number."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping

_OBJECT = re.compile(rb"(?<!\d)(\d+) 0 obj\b(.*?)\bendobj\b", re.DOTALL)
_SHOWN = re.compile(rb"/F(\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)> Tj")
_SINGLE = re.compile(rb"<([0-9A-F]+)> <([0-9A-F]+)>\n")
_RANGE = re.compile(rb"<([0-9A-F]+)> <([0-9A-F]+)> <([0-9A-F]+)>\n")


def texts(paper: bytes) -> list[str]:
    """The text of each page without its blanks, in the order it was painted."""
    objects = {int(one[1]): one[2] for one in _OBJECT.finditer(paper)}
    pages = [body for body in objects.values() if re.search(rb"/Type\s*/Page\b", body)]
    return ["".join(_text(objects, _referred(body, b"Contents"))).replace(" ", "") for body in pages]


def sizes(paper: bytes) -> set[tuple[int, int]]:
    """Width and height of the sheets in points."""
    found = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", paper)
    return {(round(float(width)), round(float(height))) for width, height in found}


def _text(objects: Mapping[int, bytes], contents: int) -> Iterator[str]:
    letters: Mapping[bytes, str] = {}
    width = 2
    for font, shown in _SHOWN.findall(_stream(objects[contents])):
        if font:
            letters = _letters(_stream(objects[_referred(objects[int(font)], b"ToUnicode")]))
            width = max(map(len, letters), default=2)
            continue
        yield from (letters.get(shown[at : at + width], "") for at in range(0, len(shown), width))


def _letters(table: bytes) -> Mapping[bytes, str]:
    """Which letter each code of a font is."""
    found = {}
    for block in re.findall(rb"beginbfchar\n(.*?)endbfchar", table, re.DOTALL):
        found.update({code: chr(int(letter, 16)) for code, letter in _SINGLE.findall(block)})
    for block in re.findall(rb"beginbfrange\n(.*?)endbfrange", table, re.DOTALL):
        for first, last, letter in _RANGE.findall(block):
            for place in range(int(last, 16) - int(first, 16) + 1):
                code = b"%0*X" % (len(first), int(first, 16) + place)
                found[code] = chr(int(letter, 16) + place)
    return found


def _referred(body: bytes, name: bytes) -> int:
    found = re.search(rb"/" + name + rb"\s+(\d+) 0 R", body)
    assert found is not None, name
    return int(found[1])


def _stream(body: bytes) -> bytes:
    head, _, rest = body.partition(b"stream")
    data = rest.lstrip(b"\r\n").rpartition(b"endstream")[0]
    return zlib.decompress(data) if b"FlateDecode" in head else data
