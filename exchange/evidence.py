"""What a file handed in really is: its bytes are looked at, its name is only a name.

Rule 1: the kind is read from the first bytes, never from the ending of the name (requirements.md 6.1, Name rules).
Rule 2: what may be another file as well is refused: something else hangs on behind its end (`exchange.tails`).
Rule 3: a picture is decoded to its last line and a package unpacked to its last byte, so that a broken file is
refused now and not when somebody opens it in a year; both within limits that no real file comes near.
"""

from __future__ import annotations

import struct
import unicodedata
import warnings
import zlib
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from io import BytesIO
from pathlib import PurePosixPath
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile, ZipInfo

from PIL import Image

from engine.documents import Upload
from engine.errors import XuejiError
from exchange.cells import code_text
from exchange.faults import Sentence
from exchange.refusals import SheetRefused
from exchange.rosters import ROSTER_COLUMNS
from exchange.tails import end_of_archive, is_followed
from exchange.workbooks import Grid, read_first_sheet_of
from exchange.zip_gate import MOST_BYTES_IN_FILE

MOST_BYTES = 256 * 2**20
MOST_PIXELS = 80_000_000
"""An A4 page scanned at 600 dots per inch has 35 million."""

_MOST_UNPACKED = 1024 * 2**20
_MOST_ENTRIES = 20_000
_MOST_SHEETS = 3
_LONGEST_NAME = 255
_SAYS_UTF_8, _OF_THREE_BYTES = 0x800, "\u0800"
_EXIF_ORIENTATION, _UPRIGHT, _ORIENTATIONS = 0x0112, 1, range(1, 9)
_COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
_PICTURES = {"jpeg": "JPEG", "png": "PNG"}
"""The kinds that are decoded; any other picture is only told apart, for no document takes it."""

_FIRST_BYTES: Sequence[tuple[bytes, str]] = (
    (b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"), (b"GIF87a", "gif"), (b"GIF89a", "gif"), (b"BM", "bmp"),
    (b"II*\x00", "tiff"), (b"MM\x00*", "tiff"), (b"%PDF-", "pdf"), (b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"),
    (b"Rar!\x1a\x07", "rar"), (b"7z\xbc\xaf\x27\x1c", "7z"), (_COMPOUND_FILE, "old office file"),
)  # fmt: skip
_OFFICE = {"xl/workbook.xml": "xlsx", "word/document.xml": "docx", "ppt/presentation.xml": "pptx"}
BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError, MemoryError,
    struct.error, zlib.error,
)  # fmt: skip
"""What Pillow's decoders raise on bytes that somebody spoilt."""

_IDENTIFIERS = frozenset(
    header.upper()
    for column in ROSTER_COLUMNS
    if column.key in {"student_no", "exam_no", "id_number"}
    for header in (*column.headers, column.key)
) | {"身份证号码", "公民身份号码", "身份证件号", "证书编号", "ZSBH", "注册证书号"}
"""Headers of the columns by which a list names people."""


class FileRefused(XuejiError):
    """The file is broken, hostile or larger than anything that is handed in; `reason` says what to do."""

    def __init__(self, reason: Sentence) -> None:
        self.reason = reason
        super().__init__(f"{reason.zh}。{reason.en}.")


class _Found(NamedTuple):
    """What is found in a file beside its kind."""

    width: int | None = None
    height: int | None = None
    orientation: int | None = None
    rows: int | None = None
    listed: tuple[tuple[str, ...], ...] = ()


def inspect(name: str, body: bytes) -> Upload:
    """Look at a file somebody hands in.

    Args:
        name: As the file is called where it comes from, with or without folders.
        body: Its bytes.

    Returns:
        What is known of it. Width and height are those stored, before any turning that EXIF asks for; a picture
        without orientation is upright (1).

    Raises:
        FileRefused: If it is empty, too large, broken or hostile.
    """
    stem = _stem(name)
    if not body:
        raise FileRefused(_EMPTY)
    if len(body) > MOST_BYTES:
        raise FileRefused(_TOO_LARGE)
    kind = _kind(body)
    found = _look(kind, body)
    return Upload(
        kind=kind,
        stem=stem,
        size=len(body),
        sha256=sha256(body).hexdigest(),
        body=body,
        width=found.width,
        height=found.height,
        orientation=found.orientation,
        rows=found.rows,
        listed=found.listed,
    )


def _look(kind: str, body: bytes) -> _Found:
    if kind in _PICTURES:
        return _picture(kind, body)
    if kind == "xlsx":
        return _sheet(body)
    return _package(body) if kind == "zip" else _Found()


def _stem(name: str) -> str:
    """The name without folders and ending; nothing else is taken away: a space or a plus is the sender's mistake."""
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    if not last or len(last) > _LONGEST_NAME:
        raise FileRefused(_BAD_NAME)
    stem, dot, _ = last.rpartition(".")
    return stem if dot and stem else last


def _kind(body: bytes) -> str:
    kind = next((kind for first, kind in _FIRST_BYTES if body.startswith(first)), "unknown")
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "webp"
    if body[4:8] == b"ftyp" and body[8:12] in (b"heic", b"heix", b"mif1", b"avif"):
        return "heic"
    return _kind_of_archive(body) if kind == "zip" else kind


def _kind_of_archive(body: bytes) -> str:
    with suppress(BadZipFile, ValueError, OSError), ZipFile(BytesIO(body)) as archive:
        names = set(archive.namelist())
        return next((kind for part, kind in _OFFICE.items() if part in names), "zip")
    return "zip"


# --- pictures -----------------------------------------------------------------------------------


def _picture(kind: str, body: bytes) -> _Found:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata harms nobody …
            warnings.simplefilter("error", Image.DecompressionBombWarning)  # … a bomb does
            found = _decoded(kind, body)
        if is_followed(kind, body):
            raise FileRefused(_FOLLOWED)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as problem:
        raise FileRefused(TOO_MANY_PIXELS) from problem
    except BROKEN as problem:
        raise FileRefused(BROKEN_PICTURE) from problem
    return found


def _decoded(kind: str, body: bytes) -> _Found:
    with Image.open(BytesIO(body), formats=(_PICTURES[kind],)) as picture:
        width, height = picture.size
        if width * height > MOST_PIXELS:
            raise FileRefused(TOO_MANY_PIXELS)
        if kind == "jpeg":
            picture.draft("L", (max(width // 8, 1), max(height // 8, 1)))  # every byte is read, an eighth is drawn
        picture.load()
        orientation = picture.getexif().get(_EXIF_ORIENTATION, _UPRIGHT)
    return _Found(width, height, orientation if orientation in _ORIENTATIONS else _UPRIGHT)


# --- sheets and packages ------------------------------------------------------------------------


def _sheet(body: bytes) -> _Found:
    try:
        grid = read_first_sheet_of(body)
    except SheetRefused as problem:
        raise FileRefused(problem.reason) from problem
    lines = [row for row in grid[1:] if any(cell is not None for cell in row)]
    return _Found(rows=len(lines), listed=listed(grid))


def listed(grid: Grid) -> tuple[tuple[str, ...], ...]:
    """Each column that names people, as one list; empty where there is none."""
    headers = [code_text(cell).upper() for cell in grid[0]]
    places = [place for place, header in enumerate(headers) if header in _IDENTIFIERS]
    columns = [tuple(text for row in grid[1:] if (text := code_text(row[place]))) for place in places]
    return tuple(column for column in columns if column)


def _package(body: bytes) -> _Found:
    """An archive: whole to its last byte, and whom its pictures, folders and sheets name."""
    try:
        with ZipFile(BytesIO(body)) as archive:
            entries = _admitted(archive.infolist())
            if end_of_archive(body) != len(body):
                raise FileRefused(_FOLLOWED_PACKAGE)
            if archive.testzip() is not None:
                raise FileRefused(_BROKEN_PACKAGE)
            sheets = [archive.read(one) for one in entries if _is_sheet(one)]
            names = [PurePosixPath(real_name(one)) for one in entries]
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, zlib.error) as problem:
        raise FileRefused(_BROKEN_PACKAGE) from problem
    named = _people_named(names)
    inside = [one for sheet in sheets for one in _sheet(sheet).listed]
    return _Found(listed=(*((named,) if named else ()), *inside))


def _admitted(entries: list[ZipInfo]) -> list[ZipInfo]:
    """The files of an archive, if unpacking them can do no harm; what a Mac adds is nobody's file."""
    if any(one.flag_bits & 1 for one in entries):
        raise FileRefused(_ENCRYPTED)
    if len(entries) > _MOST_ENTRIES or sum(one.file_size for one in entries) > _MOST_UNPACKED:
        raise FileRefused(_TOO_LARGE)
    files = [one for one in entries if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
    sheets = [one.file_size for one in files if _is_sheet(one)]
    if len(sheets) > _MOST_SHEETS or sum(sheets) > MOST_BYTES_IN_FILE:
        raise FileRefused(_TOO_MANY_SHEETS)
    return files


def _is_sheet(entry: ZipInfo) -> bool:
    return entry.filename.lower().endswith(".xlsx")


def real_name(entry: ZipInfo) -> str:
    """An entry's name in NFC: Chinese Windows writes GBK and a Mac UTF-8, and neither says which."""
    name = entry.filename
    if not entry.flag_bits & _SAYS_UTF_8:
        with suppress(UnicodeError):
            name = _unsaid(name.encode("cp437"))
    return unicodedata.normalize("NFC", name)


def _unsaid(raw: bytes) -> str:
    """A name whose encoding is not told: GBK, unless it reads as UTF-8 with Chinese in it and nothing beside that.

    Two bytes of GBK may read as one character of UTF-8, but of an alphabet (“一” as a Cyrillic letter); Chinese
    takes three there.
    """
    with suppress(UnicodeError):
        name = raw.decode()
        if all(one.isascii() or one >= _OF_THREE_BYTES for one in name):
            return name
    return raw.decode("gb18030")


def _people_named(names: list[PurePosixPath]) -> tuple[str, ...]:
    """Whom the pictures of a package name: by their own names, or by the folder each stands in (S001-I-5.10)."""
    pictures = [name for name in names if name.suffix.lower() in {".jpg", ".jpeg", ".png"}]
    stems = [name.stem for name in pictures]
    if all(stem[:1].isdigit() for stem in stems):
        return tuple(stems)
    return tuple(dict.fromkeys(name.parent.name for name in pictures if name.parent.name))


# --- sentences ----------------------------------------------------------------------------------


_TOO_LARGE = Sentence(
    f"文件过大（上限{MOST_BYTES // 2**20}MB，解压后{_MOST_UNPACKED // 2**20}MB）；请压缩图片或分批上传",
    f"the file is too large (at most {MOST_BYTES // 2**20} MB, unpacked {_MOST_UNPACKED // 2**20} MB); make it smaller",
)
TOO_MANY_PIXELS = Sentence(
    f"图片超过{MOST_PIXELS // 10_000}万像素；请以较低分辨率重新扫描",
    f"the picture has more than {MOST_PIXELS // 10**6} million pixels; scan it less finely",
)
_EMPTY = Sentence("文件是空的；请重新导出后上传", "the file is empty; export it again")
_BAD_NAME = Sentence(
    f"文件名为空或超过{_LONGEST_NAME}个字符；请重新命名",
    f"the file has no name, or one of more than {_LONGEST_NAME} characters; rename it",
)
BROKEN_PICTURE = Sentence(
    "图片不完整或已损坏，无法显示；请重新扫描或另存后上传",
    "the picture is incomplete or damaged and cannot be shown; scan or save it again",
)
_FOLLOWED = Sentence(
    "图片后面夹带了别的内容；请用看图软件打开，另存后再传",
    "something else follows the picture; open it in a viewer, save it again and send that",
)
_FOLLOWED_PACKAGE = Sentence(
    "压缩包后面夹带了别的内容；请用系统自带的压缩功能重新打包",
    "something else follows the archive; pack it again with the system's own tool",
)
_BROKEN_PACKAGE = Sentence("压缩包不完整或已损坏；请重新打包", "the archive is incomplete or damaged; pack it again")
_TOO_MANY_SHEETS = Sentence(
    f"压缩包内的 Excel 表超过{_MOST_SHEETS}份或过大；请只放一份名单",
    f"the archive holds more than {_MOST_SHEETS} workbooks, or too large ones; put one list into it",
)
_ENCRYPTED = Sentence(
    "压缩包已加密；请取消密码后重新打包", "the archive is encrypted; pack it again without a password"
)
