"""姓名拼音: where a name stands among others, and that every name stands somewhere."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.pinyin import LONGEST, order_key, order_of

IN_ORDER = (
    "阿依古丽·买买提", "Anna Ó'Brien", "曹明", "岑明", "陈佳", "陈佳怡", "成佳", "盖中华", "鲁班", "吕安", "栾平",
    "略明", "区明", "欧阳修", "朴正", "仇英", "单明", "商鞅", "汪佳怡", "王佳怡", "王嘉怡", "旺佳怡", "解放", "尉迟恭",
    "岳飞", "曾明", "查良镛", "查明", "翟让", "张三", "长孙明", "ئابلىز",
)  # fmt: skip
SAID = {
    "单一梅": "shan", "曾小明": "zeng", "仇英": "qiu", "解缙": "xie", "区明": "ou", "查良镛": "zha", "朴正": "piao",
    "粘明": "nian", "盖中华": "ge", "任盈": "ren", "翟让": "zhai", "缪明": "miao", "肖红": "xiao", "尉迟恭": "yu'chi",
    "万俟雪": "mo'qi", "长孙无忌": "zhang'sun", "澹台明": "tan'tai", "尉明": "wei", "万明": "wan", "單一梅": "shan",
}  # fmt: skip


@pytest.mark.parametrize(("name", "said"), SAID.items(), ids=SAID)
def test_a_surname_is_read_as_a_surname(name: str, said: str):
    assert order_key(name).startswith(f"{said}'")


@pytest.mark.parametrize(("name", "said"), [("李曾", "li'ceng"), ("王单", "wang'dan"), ("单重阳", "shan'chong'yang")])
def test_in_a_given_name_the_same_characters_are_read_as_words_are(name: str, said: str):
    assert order_key(name).startswith(f"{said} ")


def test_names_stand_by_syllables_then_tones_then_characters_whatever_order_they_came_in():
    by_code_point = sorted(IN_ORDER)

    assert tuple(sorted(by_code_point, key=order_key)) == IN_ORDER


def test_a_name_with_dots_does_not_begin_with_a_surname():
    assert order_key("单·扎西").startswith("dan'")
    assert {order_key(f"李{dot}明").partition(" ")[0] for dot in "·•・‧"} == {"li'ming"}


@pytest.mark.parametrize("written", ["张　三", "张 三", "张\u200b三", " 张三 "])
def test_a_gap_that_fills_a_column_changes_no_place(written: str):
    assert order_key(written) == order_key("张三")


SPELLED = (
    ("盖中华", "Gai Zhonghua", "gai'zhong'hua "), ("乐天", "LE TIAN", "le'tian "), ("覃丽", "tanli", "tan'li "),
    ("李曾", "lǐ zēng", "li'zeng "), ("吕布", "Lyu Bu", "lu*'bu "), ("吕布", "LU BU", "lu*'bu "),
    ("西安平", "xi'an ping", "xi'an'ping "), ("盖中华", "Gaj Dzung", "gaj'dzung "), ("盖中华", " - ", "ge'zhong'hua "),
)  # fmt: skip


@pytest.mark.parametrize(("name", "spelled", "said"), SPELLED)
def test_where_the_record_says_how_a_name_is_said_it_stands_so(name: str, spelled: str, said: str):
    assert order_of({"name": name, "name_pinyin": spelled}).startswith(said)


def questions(name: str, spelled: str) -> int:
    """How many functions are called to put a name in its place."""
    called = Counter[str]()

    def count(_frame: FrameType, what: str, _value: object) -> None:
        called.update([what])

    order_key(name, spelled)  # every character has been looked up
    before = sys.getprofile()
    sys.setprofile(count)
    try:
        order_key(name, spelled)
    finally:
        sys.setprofile(before)
    return called["call"]


def test_a_name_that_could_be_parted_in_very_many_ways_is_in_its_place_at_once():
    pairs = 14

    asked = questions("张" + "嗯佮" * pairs, "zhang" + "nge" * pairs + "q")

    assert asked < LONGEST**2


def test_whose_name_is_not_known_or_erased_has_no_place_of_a_name():
    assert order_of({}) == order_of({"name": None, "name_pinyin": None}) == order_of({"name_pinyin": "Zhang San"}) == ""


@given(st.text(max_size=3 * LONGEST), st.text(max_size=40))
@example("𠮷田\ue863𬭩", "")
@example("\ud800·\x00ཚེ", "\u0308:")
@example("张" * 3 * LONGEST, "")
def test_whatever_stands_for_a_name_gets_a_place_that_any_database_can_keep(name: str, spelled: str):
    key = order_key(name, spelled)

    assert len(key.encode()) < 2_000, "an index of PostgreSQL takes 2,704 bytes in all"
    assert "\x00" not in key


@given(st.sets(st.text("单曾张章王汪一二aBé·", min_size=1, max_size=4), max_size=8))
def test_two_names_never_have_one_place(names: set[str]):
    assert len({order_key(one) for one in names}) == len(names)
