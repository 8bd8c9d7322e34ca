"""Files handed in: what they are is read from their bytes, and what is broken or hostile is refused at once."""

from __future__ import annotations

import time
from hashlib import sha256
from io import BytesIO
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from exchange.evidence import MOST_PIXELS, FileRefused, inspect
from tests.exchange.pictures import in_gbk, of_size, package, pdf, picture, png_claiming, sheet

SMALL_JPEG, SMALL_PNG = picture("JPEG", (40, 30)), picture("PNG", (40, 30))


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        pytest.param("身份证.jpg", picture("JPEG"), "jpeg", id="jpeg"),
        pytest.param("身份证.png", picture("PNG"), "png", id="png"),
        pytest.param("身份证.jpg", picture("PNG"), "png", id="png-named-jpg"),
        pytest.param("身份证.JPG", picture("JPEG"), "jpeg", id="capital-ending"),
        pytest.param("身份证", picture("JPEG"), "jpeg", id="no-ending"),
        pytest.param("身份证.jpg", picture("GIF"), "gif", id="gif-named-jpg"),
        pytest.param("身份证.jpg", picture("BMP"), "bmp", id="bmp-named-jpg"),
        pytest.param("身份证.jpg", picture("TIFF"), "tiff", id="tiff-named-jpg"),
        pytest.param("身份证.jpg", picture("WEBP"), "webp", id="webp-named-jpg"),
        pytest.param("身份证.png", pdf(), "pdf", id="pdf-named-png"),
        pytest.param("名单.xlsx", package({"a.txt": b"a"}), "zip", id="zip-named-xlsx"),
        pytest.param("名单.zip", sheet([["学号"], ["1"]]), "xlsx", id="xlsx-named-zip"),
        pytest.param("说明.jpg", package({"word/document.xml": b"<a/>"}), "docx", id="docx-named-jpg"),
        pytest.param("说明.jpg", "情况说明".encode(), "unknown", id="text-named-jpg"),
    ],
)
def test_a_file_is_what_its_bytes_are_whatever_its_name_claims(name: str, body: bytes, kind: str):
    upload = inspect(name, body)
    assert upload.kind == kind
    assert (upload.size, upload.sha256) == (len(body), sha256(body).hexdigest())
    assert upload.body == body


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(199, 200), (200, 200), (480, 640), (640, 480), (1, 1)])
def test_width_and_height_are_those_of_the_picture(kind: str, size: tuple[int, int]):
    upload = inspect("x", picture(kind, size))
    assert (upload.width, upload.height) == size


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", [None, 1, 3, 6, 8])
def test_a_picture_turned_by_its_camera_says_so_and_keeps_its_stored_size(kind: str, orientation: int | None):
    upload = inspect("x", picture(kind, (64, 48), orientation))
    assert upload.orientation == (orientation or 1)
    assert (upload.width, upload.height) == (64, 48)


def test_an_orientation_that_does_not_exist_turns_nothing():
    assert inspect("x", picture("JPEG", (64, 48), 77)).orientation == 1


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("1711001201115刘洋.jpg", "1711001201115刘洋"),
        ("1711001201115+刘洋.jpg", "1711001201115+刘洋"),
        ("1711001201115 刘洋.jpg", "1711001201115 刘洋"),
        ("1711001201115刘洋 .jpg", "1711001201115刘洋 "),
        (" 1711001201115刘洋.jpg", " 1711001201115刘洋"),
        ("证据/1711001201115刘洋/身份证.JPEG", "身份证"),
        (r"C:\证据\身份证.jpg", "身份证"),
        ("阿依古丽·买买提.png", "阿依古丽·买买提"),
        ("身份证.2.jpg", "身份证.2"),
        (".jpg", ".jpg"),
        ("身份证", "身份证"),
        ("e\u0301.jpg", "\u00e9"),
    ],
)
def test_the_stem_is_the_name_without_folders_and_ending_in_nfc_and_otherwise_untouched(name: str, stem: str):
    assert inspect(name, SMALL_JPEG).stem == stem


@pytest.mark.parametrize("name", ["", "证据/", "证" * 256 + ".jpg"])
def test_a_file_without_a_usable_name_is_refused(name: str):
    with pytest.raises(FileRefused, match="文件名"):
        inspect(name, SMALL_JPEG)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_picture_is_refused_with_what_to_do(kind: str, kept: float):
    whole = picture(kind, (300, 300))
    with pytest.raises(FileRefused, match="重新扫描") as caught:
        inspect("身份证.jpg", whole[: int(len(whole) * kept)])
    assert "incomplete or damaged" in str(caught.value)


def test_what_fills_a_picture_up_after_its_end_does_no_harm():
    assert inspect("x", of_size(10 * 2**20)).size == 10 * 2**20
    assert inspect("x", of_size(2**20, "PNG")).size == 2**20


def test_the_small_picture_that_a_telephone_adds_behind_a_photo_does_no_harm():
    body = picture("JPEG") + bytes(3) + SMALL_JPEG
    assert inspect("x", body).width == 200


_OTHER_FILES = {
    "an archive": package({"setup.exe": b"MZ"}),
    "a page": b"<script>alert(1)</script>",
    "a PDF": pdf(),
    "a program": b"\x00\x00MZ\x90",
    "an archive behind a second picture": SMALL_JPEG + package({"a": b"b"}),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("what", _OTHER_FILES)
def test_a_picture_that_is_another_file_as_well_is_refused_with_what_to_do(kind: str, what: str):
    body = picture(kind) + _OTHER_FILES[what]
    with pytest.raises(FileRefused, match="图片后面夹带了别的内容；请用看图软件打开，另存后再传") as caught:
        inspect("身份证.jpg", body)
    assert "something else follows the picture" in str(caught.value)


def test_an_archive_with_something_behind_it_is_refused_with_what_to_do():
    with pytest.raises(FileRefused, match="压缩包后面夹带了别的内容"):
        inspect("证据.zip", package({"22/身份证.jpg": SMALL_JPEG}) + b"<script>")
    with_comment = BytesIO()
    with ZipFile(with_comment, "w") as archive:
        archive.writestr("22/身份证.jpg", SMALL_JPEG)
        archive.comment = "2024 届".encode()
    assert inspect("证据.zip", with_comment.getvalue()).kind == "zip"


def test_a_list_with_something_behind_it_is_refused_with_what_to_do():
    with pytest.raises(FileRefused, match="表格前后夹带了别的内容"):
        inspect("名单.xlsx", sheet([["学号"], ["1"]]) + b"MZ")


def test_a_picture_whose_end_was_cut_off_behind_the_last_line_is_refused_as_incomplete():
    with pytest.raises(FileRefused, match="不完整"):
        inspect("身份证.jpg", SMALL_JPEG[:-2])


def test_an_empty_file_is_refused():
    with pytest.raises(FileRefused, match="空的"):
        inspect("身份证.jpg", b"")


@pytest.mark.parametrize("size", [(10_000, 8_001), (20_000, 20_000), (100_000, 100_000)])
def test_a_picture_that_claims_more_pixels_than_any_scan_is_refused_without_being_unpacked(size: tuple[int, int]):
    assert size[0] * size[1] > MOST_PIXELS
    started = time.monotonic()
    with pytest.raises(FileRefused, match="8000万像素"):
        inspect("身份证.png", png_claiming(*size))
    assert time.monotonic() - started < 1


def test_a_picture_at_the_limit_is_read_to_its_end():
    written = BytesIO()
    Image.new("1", (10_000, 8_000)).save(written, "PNG")
    assert inspect("x", written.getvalue()).width == 10_000


@given(place=st.integers(0, len(SMALL_JPEG) - 1), byte=st.integers(0, 255), png=st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_spoilt_byte_leaves_a_picture_or_a_refusal_and_never_anything_else(*, place: int, byte: int, png: bool):
    body = bytearray(SMALL_PNG if png else SMALL_JPEG)
    body[place % len(body)] = byte
    try:
        upload = inspect("x", bytes(body))
    except FileRefused:
        return
    assert upload.size == len(body)


@given(
    st.binary(max_size=200), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"PK\x05\x06", b""])
)
@settings(max_examples=300, deadline=None)
def test_random_bytes_are_a_file_or_a_refusal_and_never_anything_else(rest: bytes, first: bytes):
    try:
        upload = inspect("x", first + rest)
    except FileRefused:
        return
    assert upload.size == len(first + rest)


def test_the_rows_of_a_sheet_are_those_below_its_header_and_its_list_those_it_names():
    upload = inspect(
        "名单.xlsx", sheet([["序号", "学号", "姓名"], [1, "22001", "甲"], [None, None, None], [2, "22002", "乙"]])
    )
    assert upload.rows == 2
    assert upload.listed == (("22001", "22002"),)


def test_a_sheet_that_names_people_by_two_identifiers_has_two_lists():
    upload = inspect("名单.xlsx", sheet([["学号", "身份证号码"], ["22001", "610103200001010018"]]))
    assert upload.listed == (("22001",), ("610103200001010018",))


def test_a_sheet_that_names_nobody_has_no_list():
    assert inspect("统计.xlsx", sheet([["项目", "人数"], ["男", 3]])).listed == ()


def test_a_broken_workbook_is_refused_as_an_import_would():
    whole = sheet([["学号"], ["22001"]])
    with ZipFile(BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet_part = next(name for name in parts if name.startswith("xl/worksheets/"))
    with pytest.raises(FileRefused, match="DOCTYPE"):
        inspect("名单.xlsx", package({**parts, sheet_part: b"<!DOCTYPE a><worksheet/>"}))


def test_a_photo_package_names_people_by_its_pictures_and_by_its_sheet():
    upload = inspect(
        "新华社.zip",
        package({
            "照片/610103200001010018.jpg": SMALL_JPEG, "照片/610103200002020025.jpg": SMALL_JPEG,
            "名单.xlsx": sheet([["身份证号"], ["610103200001010018"], ["610103200002020025"]]),
            "__MACOSX/照片/._1.jpg": b"x",
        }),
    )  # fmt: skip
    people = ("610103200001010018", "610103200002020025")
    assert (upload.kind, upload.listed) == ("zip", (people, people))


def test_a_folder_of_evidence_names_people_by_its_folders():
    files = {
        "证据/22001甲/身份证.jpg": SMALL_JPEG,
        "证据/22001甲/户口本.jpg": SMALL_JPEG,
        "证据/22002乙/身份证.png": SMALL_PNG,
    }
    assert inspect("证据.zip", package(files)).listed == (("22001甲", "22002乙"),)


def test_names_packed_on_chinese_windows_are_read_as_they_were_written():
    names = ["22001张三/身份证.jpg", "22002李四/身份证.jpg"]
    packed = in_gbk(package({"1.jpg": SMALL_JPEG, "2.jpg": SMALL_JPEG}), names)
    assert inspect("证据.zip", packed).listed == (("22001张三", "22002李四"),)


def test_a_package_with_a_spoilt_file_is_refused():
    packed = package({"1.jpg": SMALL_JPEG})
    middle = packed.index(SMALL_JPEG) + len(SMALL_JPEG) // 2
    spoilt = packed[:middle] + bytes([packed[middle] ^ 1]) + packed[middle + 1 :]
    with pytest.raises(FileRefused, match="重新打包"):
        inspect("新华社.zip", spoilt)


def test_a_truncated_package_is_refused():
    packed = package({"1.jpg": SMALL_JPEG, "2.jpg": SMALL_JPEG})
    with pytest.raises(FileRefused, match="重新打包"):
        inspect("新华社.zip", packed[: len(packed) // 2])


def test_a_package_that_would_unpack_to_gigabytes_is_refused():
    packed = bytearray(package({"1.txt": bytes(100)}, stored=False))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # where each header says the unpacked size
        at = packed.index(signature) + offset
        packed[at : at + 4] = (2**31).to_bytes(4, "little")
    with pytest.raises(FileRefused, match="过大"):
        inspect("新华社.zip", bytes(packed))


def test_a_package_with_a_password_is_refused():
    packed = bytearray(package({"1.jpg": SMALL_JPEG}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(signature) + offset] |= 1
    with pytest.raises(FileRefused, match="加密"):
        inspect("新华社.zip", bytes(packed))
