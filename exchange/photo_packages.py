"""A package of photographs (照片包): what may be opened without harm, and what each picture in it is.

Rule 1: the archive is judged by its directory before anything of it is unpacked; nothing is ever written to a disk.
Rule 2: a picture is decoded only where its first bytes, its size and its header leave no room for a bomb.
Rule 3: a name is only a name: it says whose picture this is, and never where anything goes.

Source: requirements.md, S000-3.5c (JPG, named by ID number), S001-I-6.12; domain.md, section 3.
"""

from __future__ import annotations

import stat
import unicodedata
import warnings
import zlib
from collections.abc import Iterator, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import PurePosixPath
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile, ZipInfo

from PIL import Image

from engine.documents import Upload
from exchange.evidence import BROKEN, BROKEN_PICTURE, FileRefused, inspect, listed, real_name
from exchange.faults import Sentence
from exchange.pictures import FORMATS
from exchange.refusals import SheetRefused
from exchange.tails import end_of_archive, markers
from exchange.uploads import kind_of
from exchange.workbooks import read_first_sheet_of
from exchange.zip_gate import MOST_BYTES_IN_FILE

MOST_BYTES_IN_PACKAGE = 60 * 2**20
"""About two thousand photographs of the size collectors ask for (domain.md, 3: 20 to 60 kB)."""
MOST_BYTES_IN_PICTURE = 2**20
_MOST_UNPACKED = 120 * 2**20
_MOST_ENTRIES = 5_000
_MOST_RATIO = 100
"""A photograph does not pack to a hundredth; what does is no photograph."""
_MOST_PIXELS = 2_000_000
"""Of a picture that is decoded: a photograph has 0.3 million, and one of another size is refused by its header."""
MOST_PIXELS_SHOWN = 24_000_000
_MOST_SCANS = 64
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_ZIP, _END = b"PK\x03\x04", b"PK\x05\x06"
_LENGTH_OF_DRIVE = 2
_WORKBOOK = "xl/workbook.xml"
_NO_FILES = frozenset({"thumbs.db", "desktop.ini", ".ds_store"})
_BESIDE_FILES = ("._", "~$")
"""How the names begin of what a Mac and an office program put beside a file."""
_DAMAGE = (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, zlib.error)
_SCAN = 0xDA
_USUAL_BYTES = range(20 * 1024, 200 * 1024 + 1)
_COLOURS, _FOR_PRINT = "RGB", "CMYK"
_ON_ITS_SIDE = range(5, 9)
"""What EXIF says of a picture that is to be turned by a quarter before anybody sees it."""


class Picture(NamedTuple):
    """One picture of a package: its place, counted from 1; its name and what that calls the student; its bytes.

    `upload` is what is known of the bytes, None where they are no picture that could be judged; then, as where there
    is anything else against it, `against` says why, with what that is about. `is_shown` says whether it can be shown.
    """

    place: int
    name: str
    code: str
    upload: Upload | None
    against: tuple[tuple[Sentence, Sentence], ...] = ()
    doubts: tuple[tuple[Sentence, Sentence], ...] = ()
    is_shown: bool = False


# --- the archive --------------------------------------------------------------------------------


def admit_package(content: bytes) -> None:
    """Let an archive of photographs pass that can be read without harm.

    Raises:
        SheetRefused: If it is none, broken, encrypted, hostile or too large.
    """
    if not content.startswith((_ZIP, _END)):
        raise SheetRefused(_no_archive(content))
    try:
        with ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
            _admit_entries(entries)
            if end_of_archive(content) != len(content) or min(one.header_offset for one in entries):
                raise SheetRefused(_POLYGLOT)
    except _DAMAGE as problem:
        raise SheetRefused(_DAMAGED) from problem


def _admit_entries(entries: Sequence[ZipInfo]) -> None:
    names = [one.filename for one in entries]
    if _WORKBOOK in names:
        raise SheetRefused(_A_WORKBOOK)
    if any(one.flag_bits & 1 for one in entries):
        raise SheetRefused(_ENCRYPTED)
    for one in entries:
        _admit_name(one)
    if len(entries) > _MOST_ENTRIES:
        raise SheetRefused(_TOO_MANY)
    if len(set(names)) < len(names):
        raise SheetRefused(_TWICE)
    if sum(one.file_size for one in entries) > _MOST_UNPACKED or any(map(_is_bomb, entries)):
        raise SheetRefused(_BOMB)
    if not any(_is_file(one) for one in entries):
        raise SheetRefused(_NOTHING)


def _admit_name(entry: ZipInfo) -> None:
    name = entry.orig_filename.replace("\\", "/")
    is_link = stat.S_ISLNK(entry.external_attr >> 16)
    is_elsewhere = name.startswith("/") or name[1:_LENGTH_OF_DRIVE] == ":" or ".." in name.split("/")
    if is_link or is_elsewhere or any(unicodedata.category(one) == "Cc" for one in name):
        raise SheetRefused(_path(real_name(entry)))


def _is_bomb(entry: ZipInfo) -> bool:
    return entry.file_size > MOST_BYTES_IN_PICTURE and entry.file_size > _MOST_RATIO * max(entry.compress_size, 1)


def _is_file(entry: ZipInfo) -> bool:
    """Whether an entry is somebody's file: no folder, and nothing that a system puts beside files by itself."""
    last = entry.filename.replace("\\", "/").rpartition("/")[2].lower()
    return not (
        entry.is_dir() or entry.filename.startswith("__MACOSX/") or last in _NO_FILES or last.startswith(_BESIDE_FILES)
    )


# --- the pictures -------------------------------------------------------------------------------


def pictures_in(content: bytes) -> Iterator[Picture]:
    """Every picture of a package that was admitted, one after the other.

    Raises:
        SheetRefused: If it is broken after all.
    """
    with ZipFile(BytesIO(content)) as archive:
        for place, entry in enumerate(_files(archive), start=1):
            yield _picture(place, real_name(entry), _read(archive, entry), entry.file_size)


def body_at(content: bytes, place: int) -> tuple[str, bytes] | None:
    """Name and bytes of one picture by its place; None where there is none, or one too large to be a photograph."""
    with ZipFile(BytesIO(content)) as archive:
        files = _files(archive)
        if not 1 <= place <= len(files):
            return None
        body = _read(archive, files[place - 1])
        return None if body is None else (real_name(files[place - 1]), body)


def names_in(content: bytes) -> list[str]:
    """The names of the pictures of a package, by place."""
    with ZipFile(BytesIO(content)) as archive:
        return [real_name(one) for one in _files(archive)]


def lists_in(content: bytes) -> list[tuple[tuple[str, ...], ...]]:
    """The lists that lie beside the pictures (F-08), each with its columns that name people.

    Raises:
        SheetRefused: If one of them cannot be read.
    """
    with ZipFile(BytesIO(content)) as archive:
        sheets = [one for one in archive.infolist() if _is_list(one)]
        if sum(one.file_size for one in sheets) > MOST_BYTES_IN_FILE:
            raise SheetRefused(_BOMB)
        return [listed(read_first_sheet_of(archive.read(one))) for one in sheets]


def _files(archive: ZipFile) -> Sequence[ZipInfo]:
    return [one for one in archive.infolist() if _is_file(one) and not _is_list(one)]


def _is_list(entry: ZipInfo) -> bool:
    return _is_file(entry) and entry.filename.lower().endswith(".xlsx")


def _read(archive: ZipFile, entry: ZipInfo) -> bytes | None:
    if entry.file_size > MOST_BYTES_IN_PICTURE:
        return None
    try:
        return archive.read(entry)
    except _DAMAGE as problem:
        raise SheetRefused(_DAMAGED) from problem


def _picture(place: int, name: str, body: bytes | None, size: int) -> Picture:
    last = PurePosixPath(name.replace("\\", "/")).name
    code = unicodedata.normalize("NFKC", last.rpartition(".")[0] or last).strip()
    nothing = Picture(place, name, code, None)
    if body is None:
        return nothing._replace(against=((_FORMAT, _too_large(size)),))
    try:
        return _judged(nothing, last, body)
    except FileRefused as problem:
        return nothing._replace(against=((_FORMAT, problem.reason),))


def _judged(nothing: Picture, last: str, body: bytes) -> Picture:
    if not body:
        raise FileRefused(_EMPTY)
    header = _header(body)
    if header is None:
        reason = BROKEN_PICTURE if body.startswith(_PICTURES) else _no_picture(body)
        return nothing._replace(against=((_FORMAT, reason),))
    kind, width, height, colours = header
    is_shown = width * height <= MOST_PIXELS_SHOWN
    if kind == "jpeg":
        _admit_jpeg(body)
    if width * height > _MOST_PIXELS:
        upload = Upload(
            kind=kind, stem=nothing.code, size=len(body), sha256=sha256(body).hexdigest(), body=body, width=width,
            height=height, orientation=1,
        )  # fmt: skip
    else:
        upload = inspect(last, body)
    doubts = tuple(_doubts(upload, colours)) if kind == "jpeg" else ()
    against = ((_FORMAT, _LYING),) if upload.orientation in _ON_ITS_SIDE and width > height else ()
    return nothing._replace(upload=upload, is_shown=is_shown, against=against, doubts=doubts)


def _header(body: bytes) -> tuple[str, int, int, str] | None:
    """Kind, width, height and colours of a picture, read without decoding any of it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(body), formats=FORMATS) as opened:
                return str(opened.format).lower(), *opened.size, opened.mode
    except Image.DecompressionBombError:
        raise FileRefused(_TOO_MANY_PIXELS) from None
    except BROKEN:
        return None


def _admit_jpeg(body: bytes) -> None:
    """A JPEG ends once, nothing but padding comes after, no second picture as of a telephone, and its scans are few."""
    end, scans = 0, 0
    try:
        for marker, end in markers(body):  # noqa: B007 where the last one ends, is where the picture does
            scans += marker == _SCAN
            if scans > _MOST_SCANS:
                raise FileRefused(_TOO_MANY_SCANS)
    except EOFError:
        raise FileRefused(BROKEN_PICTURE) from None
    if body[end:].strip(b"\x00"):
        raise FileRefused(_AFTER_THE_END)


def _doubts(upload: Upload, colours: str) -> Iterator[tuple[Sentence, Sentence]]:
    """What collectors ask beside the rules, each a little differently (domain.md, 3): to be looked at, no fault."""
    if upload.size not in _USUAL_BYTES:
        kilo = f"{upload.size / 1024:.0f}"
        yield (
            _SIZE,
            Sentence(
                f"文件大小不常见：{kilo} KB；采集单位一般要 20–200 KB，请看是否清晰",
                f"unusual size: {kilo} kB; collectors ask for 20 to 200 kB, look whether it is sharp",
            ),
        )
    if colours == _FOR_PRINT:
        yield (
            _FORMAT,
            Sentence(
                "颜色是印刷用的 CMYK，有的软件里会变色；请用看图软件另存为普通 JPG（RGB）",
                "in CMYK, the colours of print, which some programs show wrong; save it as a plain JPG (RGB)",
            ),
        )
    elif colours != _COLOURS:
        yield _FORMAT, Sentence("不是24位彩色；请看是否黑白照片", "not in 24-bit colour; is it black and white?")
    if upload.orientation != 1:
        yield (
            _FORMAT,
            Sentence("照片带旋转标记；请看是否竖直", "the picture is marked as turned; does it stand upright?"),
        )


# --- sentences ----------------------------------------------------------------------------------

_FORMAT, _SIZE = Sentence("格式", "Format"), Sentence("大小", "Size")


def _no_archive(content: bytes) -> Sentence:
    kind = kind_of(content)
    return Sentence(
        f"不是 ZIP 压缩包（内容是{kind.zh}）；请把照片放进一个 .zip 再传",
        f"not a ZIP archive (it is {kind.en}); put the photographs into one .zip",
    )


def _no_picture(body: bytes) -> Sentence:
    kind = kind_of(body)
    return Sentence(
        f"不是照片（内容是{kind.zh}）；请换成 JPG", f"no photograph (it is {kind.en}); put a JPG in its place"
    )


def _too_large(size: int) -> Sentence:
    mega, most = f"{size / 2**20:.1f}", MOST_BYTES_IN_PICTURE // 2**20
    return Sentence(
        f"单张照片过大：{mega} MB，最多 {most} MB；请按 480×640 重新导出",
        f"too large for a photograph: {mega} MB, at most {most} MB; export it again at 480 by 640",
    )


def _path(name: str) -> Sentence:
    shown = "".join(one if one.isprintable() else "?" for one in name)[:80]
    return Sentence(
        f"压缩包里的文件名“{shown}”指向别处；照片包只放照片，请重新打包",
        f"the name {shown!r} in the archive points elsewhere; put photographs only, and pack it again",
    )


_DAMAGED = Sentence("压缩包损坏或没有传完；请重新打包再传", "the archive is damaged or cut off; pack it again")
_ENCRYPTED = Sentence(
    "压缩包已加密；请取消密码后重新打包", "the archive is encrypted; pack it again without a password"
)
_A_WORKBOOK = Sentence(
    "这是 Excel 文件，不是照片包；请选 .zip", "this is a workbook, no package of photographs; choose a .zip"
)
_BOMB = Sentence(
    f"压缩包解压后过大（最多 {_MOST_UNPACKED // 2**20} MB）；照片包只放照片，请分批上传",
    f"the archive is too large when unpacked (at most {_MOST_UNPACKED // 2**20} MB); photographs only, in parts",
)
_TOO_MANY = Sentence(
    f"照片包超过 {_MOST_ENTRIES} 个文件；请分批上传", f"more than {_MOST_ENTRIES} files in the package; send several"
)
_TWICE = Sentence("压缩包里有两个同名文件；请重新打包", "the archive has two files of one name; pack it again")
_NOTHING = Sentence("压缩包里没有照片", "there is no photograph in the archive")
_POLYGLOT = Sentence(
    "压缩包前后夹带了别的内容；请用系统自带的压缩功能重新打包",
    "something else hangs on to the archive; pack it again with the system's own tool",
)
_EMPTY = Sentence("文件是空的（0 字节）；请重新导出这张照片", "the file is empty (0 bytes); export this picture again")
_LYING = Sentence(
    "照片实际是横的，只靠旋转标记才竖着显示；请用看图软件转正，另存为 JPG",
    "the picture lies on its side and only a mark turns it upright; turn it in a viewer and save it as JPG",
)
_TOO_MANY_PIXELS = Sentence("像素过多；请按 480×640 重新导出", "too many pixels; export it again at 480 by 640")
_AFTER_THE_END = Sentence(
    "图片后面夹带了别的内容；请用看图软件另存为 JPG", "something else follows the picture; save it as JPG again"
)
_TOO_MANY_SCANS = Sentence(
    "图片的编码不正常（扫描次数过多）；请用看图软件另存为 JPG",
    "the picture is coded oddly (too many scans); save it as JPG again",
)
