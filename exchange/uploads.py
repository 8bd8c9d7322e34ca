"""A workbook that somebody sends over the network: told apart, and let through the gate, before anything is kept.

The gate is `exchange.zip_gate`; here it is said more precisely what a refused file is, and formulas are refused as
well: what Excel last saw of one is not what the person looks at now, and a program may have left it blank.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from exchange.faults import Sentence
from exchange.refusals import SheetRefused
from exchange.zip_gate import MOST_BYTES_IN_FILE, admit

_KINDS: Sequence[tuple[bytes, Sentence]] = (
    (b"%PDF-", Sentence("PDF", "PDF")),
    (b"\xff\xd8\xff", Sentence("JPG 图片", "a JPG picture")),
    (b"\x89PNG\r\n\x1a\n", Sentence("PNG 图片", "a PNG picture")),
    (b"GIF8", Sentence("GIF 图片", "a GIF picture")),
    (b"BM", Sentence("BMP 图片", "a BMP picture")),
    (b"II*\x00", Sentence("TIFF 图片", "a TIFF picture")),
    (b"MM\x00*", Sentence("TIFF 图片", "a TIFF picture")),
    (b"Rar!\x1a\x07", Sentence("RAR 压缩包", "a RAR archive")),
    (b"7z\xbc\xaf\x27\x1c", Sentence("7z 压缩包", "a 7z archive")),
    (b"MZ", Sentence("程序", "a program")),
)
_BRANDS: Sequence[tuple[bytes, Sentence]] = (
    (b"ftypheic", Sentence("手机拍的 HEIC 图片", "a HEIC picture, as telephones take it")),
    (b"ftypheix", Sentence("手机拍的 HEIC 图片", "a HEIC picture, as telephones take it")),
    (b"ftypmif1", Sentence("手机拍的 HEIC 图片", "a HEIC picture, as telephones take it")),
    (b"ftypavif", Sentence("AVIF 图片", "an AVIF picture")),
)
"""Kinds that say what they are after the length of their first part."""
_PARTS: Sequence[tuple[str, Sentence]] = (
    ("word/document.xml", Sentence("Word 文档", "a Word document")),
    ("ppt/presentation.xml", Sentence("演示文稿", "a presentation")),
)
_ZIP, _OLD = (b"PK\x03\x04", b"PK\x05\x06"), bytes.fromhex("d0cf11e0a1b11ae1")
_WORKBOOK = "xl/workbook.xml"
_BROKEN = (BadZipFile, NotImplementedError, EOFError, OSError, ValueError, zlib.error)
_WHERE_A_PART_SAYS_ITS_KIND = 4096
_FORMULA = re.compile(rb"<(?:\w{1,8}:)?f[\s/>]")
_CELL = re.compile(rb"""<(?:\w{1,8}:)?c\s[^<>]{0,80}?\br=["'](\w{1,10})["']""")
_LOOKED_BACK = 400
"""Bytes before a formula in which its cell begins."""


def admit_upload(content: bytes) -> None:
    """Let a workbook pass that can be read without harm and holds values only.

    Raises:
        SheetRefused: If it is none, broken, hostile, too large, or has formulas.
    """
    if len(content) <= MOST_BYTES_IN_FILE and not content.startswith(_OLD):
        _tell_apart(content)
    admit(content)
    _refuse_formulas(content)


def kind_of(content: bytes) -> Sentence:
    """What a file is, told by its first bytes, for the sentence that refuses it."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _WEBP
    known = (
        *((head, kind, 0) for head, kind in (*_KINDS, *((head, _ARCHIVE) for head in _ZIP))),
        *((brand, kind, 4) for brand, kind in _BRANDS),
    )
    return next((kind for head, kind, at in known if content.startswith(head, at)), _text(content))


def _tell_apart(content: bytes) -> None:
    if not content.startswith(_ZIP):
        raise SheetRefused(_no_workbook(kind_of(content)))
    try:
        with ZipFile(BytesIO(content)) as archive:
            names = set(archive.namelist())
    except _BROKEN as problem:
        raise SheetRefused(_DAMAGED) from problem
    if _WORKBOOK not in names:
        raise SheetRefused(_no_workbook(next((kind for part, kind in _PARTS if part in names), _ARCHIVE)))


def _refuse_formulas(content: bytes) -> None:
    with ZipFile(BytesIO(content)) as archive:
        for entry in archive.infolist():
            part = archive.read(entry)
            is_sheet = b"worksheet" in part[:_WHERE_A_PART_SAYS_ITS_KIND]
            if is_sheet and (found := _FORMULA.search(part)):
                raise SheetRefused(_formula(part[max(0, found.start() - _LOOKED_BACK) : found.start()]))


def _formula(before: bytes) -> Sentence:
    cells = _CELL.findall(before)
    where = cells[-1].decode() if cells else ""
    return Sentence(
        f"单元格 {where} 是公式；请全选，复制，“选择性粘贴”为数值，再传",
        f"cell {where} is a formula; select all, copy, paste as values, and send it again",
    )


def _text(content: bytes) -> Sentence:
    is_text = content[:_WHERE_A_PART_SAYS_ITS_KIND].isascii() and b"\x00" not in content[:_WHERE_A_PART_SAYS_ITS_KIND]
    return Sentence("纯文本", "plain text") if is_text and content else Sentence("未知格式", "of an unknown kind")


def _no_workbook(kind: Sentence) -> Sentence:
    return Sentence(
        f"不是 Excel 文件（内容是{kind.zh}）；请用 Excel 或 WPS 另存为 .xlsx",
        f"not a workbook (it is {kind.en}); save it as .xlsx with Excel or WPS",
    )


_WEBP = Sentence("WebP 图片", "a WebP picture")
_ARCHIVE = Sentence("ZIP 压缩包", "a ZIP archive")
_DAMAGED = Sentence(
    "文件损坏或没有传完；请重新另存为 .xlsx 再传", "the file is damaged or cut off; save it as .xlsx again"
)
