"""The gate before a workbook is parsed: sizes, DOCTYPE, far cells, each measured on the bytes.

The limits are far above any sheet of a province and far below what hurts: openpyxl took 13 s for
a 42 kB bomb, and calamine aborts the process on A1 beside XFD1048576 (ecosystem.md, 10).
"""

import re
import zlib
from io import BytesIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from exchange.faults import Sentence
from exchange.refusals import SheetRefused
from exchange.tails import end_of_archive

MOST_ROWS = 99_999
LAST_COLUMN = "ZZ"
MOST_BYTES_IN_FILE = 30 * 2**20
_MOST_BYTES_UNPACKED = 200 * 2**20
_MOST_ENTRIES = 500
# Rows of one repeated value reach 100; a bomb 1,000.
_MOST_RATIO = 250
_SMALL_ENOUGH_FOR_ANY_RATIO = 2**20

_WHERE_A_PART_SAYS_ITS_KIND = 4096
_COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_NOT_UTF_8 = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_DOCTYPE = re.compile(rb"<!\s*[dD][oO][cC][tT]")
# The attribute `r` of a cell or row past the limits: three letters, or six digits. It begins with
# a plain letter and looks back from there, which is twice as fast over 12 MB.
_FAR_REFERENCE = re.compile(rb"""r(?<![\w:.-]r)\s*=\s*["']([A-Za-z]{3,}\d+|[A-Za-z]*0*[1-9]\d{5,})["']""")
_ERROR_MARK = b't="e"'
# As Excel and WPS write it; bounded, so that no part can make the search slow.
_ERROR_CELL = re.compile(rb'<c r="(\w{1,10})"[^<>]{0,40} t="e"')


def admit(content: bytes) -> None:
    """Let the bytes of a workbook pass if reading them can do no harm.

    Raises:
        SheetRefused: If they are no workbook, or a hostile or broken one.
    """
    if len(content) > MOST_BYTES_IN_FILE:
        raise SheetRefused(_too_large())
    if content.startswith(_COMPOUND_FILE):
        raise SheetRefused(_compound_file(content))
    try:
        with ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
            _admit_entries(entries)
            if end_of_archive(content) != len(content) or min(one.header_offset for one in entries):
                raise SheetRefused(_FOLLOWED)
            for entry in entries:
                _admit_part(entry, archive.read(entry))
    except (BadZipFile, NotImplementedError, EOFError, OSError, ValueError, zlib.error) as fault:
        raise SheetRefused(_NO_WORKBOOK) from fault


def _admit_entries(entries: list[ZipInfo]) -> None:
    names = {entry.filename for entry in entries}
    if "xl/workbook.xml" not in names:
        raise SheetRefused(_NO_WORKBOOK)
    # Two entries of one name: the gate would look at one and the reader at the other.
    if len(entries) > _MOST_ENTRIES or len(names) < len(entries):
        raise SheetRefused(_TOO_MANY_PARTS)
    if any(entry.flag_bits & 1 for entry in entries):
        raise SheetRefused(_ENCRYPTED)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > _MOST_BYTES_UNPACKED or any(_is_bomb(entry) for entry in entries):
        raise SheetRefused(_too_large())


def _is_bomb(entry: ZipInfo) -> bool:
    return entry.file_size > _SMALL_ENOUGH_FOR_ANY_RATIO and entry.file_size > _MOST_RATIO * entry.compress_size


def _admit_part(entry: ZipInfo, part: bytes) -> None:
    if part.startswith(_NOT_UTF_8) or _DOCTYPE.search(part):
        raise SheetRefused(_forbidden_xml(entry.filename))
    if b"worksheet" in part[:_WHERE_A_PART_SAYS_ITS_KIND]:
        _admit_cells(entry.filename, part)


def _admit_cells(name: str, part: bytes) -> None:
    if far := _FAR_REFERENCE.search(part):
        raise SheetRefused(_far_cell(far[1].decode()))
    if _ERROR_MARK in part and (error := _ERROR_CELL.search(part)):
        raise SheetRefused(_error_value(name, error[1].decode()))


def _compound_file(content: bytes) -> Sentence:
    if _ENCRYPTED_STREAM in content:
        return _ENCRYPTED
    return Sentence(
        "旧版 .xls 文件；请另存为 .xlsx 后重新导入",
        "an old .xls file; save it as .xlsx and import that",
    )


def _too_large() -> Sentence:
    return Sentence(
        f"文件过大或解压后过大；请拆成不超过{MOST_ROWS}行的文件",
        f"too large, packed or unpacked; split it into files of at most {MOST_ROWS} rows",
    )


def _forbidden_xml(name: str) -> Sentence:
    return Sentence(
        f"部件 {name} 含有 DOCTYPE 或非 UTF-8 内容，Excel 不会写出这样的文件；请重新另存为 .xlsx",
        f"part {name} has a DOCTYPE or is not UTF-8, as Excel never writes; save as .xlsx again",
    )


def _far_cell(reference: str) -> Sentence:
    return Sentence(
        f"内容伸展到 {reference}，上限为{MOST_ROWS}行、{LAST_COLUMN} 列；请删除数据区以外的内容",
        f"the content reaches {reference}; at most {MOST_ROWS} rows and column {LAST_COLUMN} are "
        "read; clear what lies outside the data",
    )


def _error_value(name: str, cell: str) -> Sentence:
    return Sentence(
        f"{name} 的 {cell} 是公式错误值（如 #N/A）；请改正公式或改为数值",
        f"{cell} of {name} holds a formula error such as #N/A; mend the formula or type a value",
    )


_NO_WORKBOOK = Sentence(
    "不是 Excel 工作簿（.xlsx）或文件已损坏；请用 Excel 或 WPS 另存为 .xlsx",
    "no Excel workbook (.xlsx), or a damaged one; save it as .xlsx with Excel or WPS",
)
_FOLLOWED = Sentence(
    "表格前后夹带了别的内容；请用 Excel 或 WPS 打开，另存为 .xlsx",
    "something else hangs on to the workbook; open it with Excel or WPS and save it as .xlsx",
)
_ENCRYPTED = Sentence(
    "工作簿已加密；请取消打开密码后重新导入",
    "the workbook is encrypted; remove its password and import it again",
)
_TOO_MANY_PARTS = Sentence(
    "工作簿的部件过多或重名；请把数据复制到新的工作簿",
    "the workbook has too many parts or two of one name; copy the data to a new workbook",
)
