"""A package of photographs is opened only where nothing of it can do harm, and each picture is what its bytes say."""

from __future__ import annotations

import warnings
from io import BytesIO
from zipfile import ZipFile, ZipInfo

import pytest
from PIL import Image

from exchange.photo_packages import MOST_PIXELS_SHOWN, Picture, admit_package, body_at, pictures_in
from exchange.refusals import SheetRefused
from tests.exchange.pictures import in_gbk, package, picture, png_claiming

PHOTO = picture(size=(480, 640))


def link(name: str) -> bytes:
    made, entry = BytesIO(), ZipInfo(name)
    entry.external_attr = 0o120777 << 16
    with ZipFile(made, "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    return made.getvalue()


def twice(name: str) -> bytes:
    made = BytesIO()
    with warnings.catch_warnings(), ZipFile(made, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(name, PHOTO)
        archive.writestr(name, PHOTO)
    return made.getvalue()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (package({"../1.jpg": PHOTO}), "指向别处"),
        (package({"a\\..\\..\\1.jpg": PHOTO}), "指向别处"),
        (package({"/1.jpg": PHOTO}), "指向别处"),
        (package({"C:/1.jpg": PHOTO}), "指向别处"),
        (package({"1\n.jpg": PHOTO}), "指向别处"),
        (link("1.jpg"), "指向别处"),
        (twice("1.jpg"), "两个同名文件"),
        (package({f"{one}.jpg": b"" for one in range(5_001)}), "超过 5000 个文件"),
        (package({"1.jpg": PHOTO, "2.jpg": bytes(3 * 2**20)}, stored=False), "解压后过大"),
        (PHOTO + package({"1.jpg": PHOTO}), "内容是JPG 图片"),
        (package({"1.jpg": PHOTO}) + b"MZ", "夹带了别的内容"),
        (package({}), "没有照片"),
        (b"", "不是 ZIP 压缩包"),
    ],
)
def test_an_archive_that_could_do_harm_is_refused_before_anything_of_it_is_unpacked(body: bytes, words: str):
    with pytest.raises(SheetRefused) as refused:
        admit_package(body)
    assert words in refused.value.reason.zh


def read(files: dict[str, bytes]) -> list[Picture]:
    body = package(files)
    admit_package(body)
    return list(pictures_in(body))


def test_a_picture_is_called_by_its_name_wherever_it_lies_and_what_systems_add_is_nobodys():
    body = in_gbk(package({"x": PHOTO, "y": PHOTO}), ["一班/2021.jpg", "二班/33.JPG"])
    admit_package(body)
    assert [(one.place, one.name, one.code) for one in pictures_in(body)] == [
        (1, "一班/2021.jpg", "2021"),
        (2, "二班/33.JPG", "33"),
    ]
    beside = {"__MACOSX/._7.jpg": b"x", "Thumbs.db": b"x", "a/": b"", "班/~$名单.xlsx": b"x", "班/._8.jpg": b"x"}
    assert [one.code for one in read({**beside, "7.jpg": PHOTO})] == ["7"]
    assert body_at(body, 2) == ("二班/33.JPG", PHOTO)
    assert [body_at(body, place) for place in (0, 3)] == [None, None]


@pytest.mark.parametrize("code", ["gbk", "utf-8"])
@pytest.mark.parametrize("names", [["一班/2021.jpg", "联通/33.JPG"], ["一/2021.jpg", "二〇/33.JPG"]])
def test_names_are_read_as_windows_and_as_a_mac_write_them_though_neither_says_how(names: list[str], code: str):
    body = in_gbk(package({"x": PHOTO, "y": PHOTO}), names, code)
    admit_package(body)
    assert [one.name for one in pictures_in(body)] == names


def test_digits_of_a_chinese_keyboard_are_digits():
    assert [one.code for one in read({"２０２１０３Ｘ.jpg": PHOTO})] == ["202103X"]  # noqa: RUF001 as they are typed


def test_what_is_no_sound_picture_says_why_and_costs_no_decoding():
    scans = PHOTO[:-2] + b"\xff\xda\x00\x02" * 65 + b"\xff\xd9"
    large = picture("PNG", (1200, 1700))
    found = read(
        {
            "1.jpg": b"%PDF-1.4", "2.jpg": PHOTO[:90], "3.jpg": PHOTO + package({"x": b"x"}), "4.jpg": scans,
            "5.jpg": png_claiming(60_000, 60_000), "6.jpg": png_claiming(8_000, 8_000), "7.jpg": large + bytes(2**20),
            "8.jpg": b"", "9.jpg": b"\0\0\0\x18ftypheic" + bytes(90), "10.jpg": b"RIFF\0\0\0\0WEBP" + bytes(90),
            "11.jpg": picture(size=(640, 480), orientation=6),
        }
    )  # fmt: skip
    reasons = [one.against[0][1].zh if one.against else "" for one in found]
    for reason, words in zip(
        reasons,
        [
            "内容是PDF",
            "不完整或已损坏",
            "夹带了别的内容",
            "扫描次数过多",
            "像素过多",
            "",
            "单张照片过大",
            "文件是空的（0 字节）",
            "内容是手机拍的 HEIC 图片",
            "内容是WebP 图片",
            "实际是横的",
        ],
        strict=True,
    ):
        assert words in reason
    assert [one.is_shown for one in found] == [*[False] * 10, True], MOST_PIXELS_SHOWN
    assert found[5].upload is not None, "what is no photograph by its header is refused by the rule, undecoded"


def test_what_collectors_ask_beside_the_rules_is_a_doubt():
    grey, turned = BytesIO(), picture(size=(480, 640), orientation=6)
    Image.effect_noise((480, 640), 30).save(grey, "JPEG")
    small, print_ = BytesIO(), BytesIO()
    Image.effect_noise((480, 640), 30).convert("CMYK").save(print_, "JPEG")
    Image.new("RGB", (480, 640), "white").save(small, "JPEG")
    found = read({"1.jpg": PHOTO, "2.jpg": grey.getvalue(), "3.jpg": turned, "4.jpg": small.getvalue(),
                  "5.jpg": print_.getvalue()})  # fmt: skip
    assert [[doubt.zh.partition("；")[0] for _, doubt in one.doubts] for one in found] == [
        [], ["不是24位彩色"], ["照片带旋转标记"], ["文件大小不常见：5 KB"], ["颜色是印刷用的 CMYK，有的软件里会变色"],
    ]  # fmt: skip
    assert [one.against for one in found] == [()] * 5
