"""Facts of units at the counter: set, shown, and what is said when a command cannot be meant."""

from __future__ import annotations

import pytest

from tests.console.counter import SITES, Counter

SITE = SITES[0].code


def test_what_is_known_of_a_unit_is_set_and_shown_in_the_words_of_the_office(empty: Counter) -> None:
    done = empty.done("unit", "set", SITE, "photo_package_to=档案室", "--as", "rec")
    shown = empty.done("unit", "show", SITE).stdout

    assert f"单位 unit {SITE}：已设置 set photo_package_to" in done.stdout
    assert "档案室" in shown
    assert "首次班会日期" in shown
    assert "未定 open" in shown


def test_a_unit_is_renamed_by_its_code_and_shown_with_the_name_it_had(empty: Counter) -> None:
    old = SITES[0].name
    first = empty.done("unit", "rename", SITE, "文昭教学点").stdout
    again = empty.done("unit", "rename", SITE, "文昭教学点").stdout
    shown = empty.done("unit", "show", SITE).stdout

    assert ("已改名为" in first, "原已叫" in again) == (True, True)
    assert ("文昭教学点" in shown, f"曾用名 was called：{old}" in shown) == (True, True)
    assert empty.document("replay", "--all")["diverged"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", SITE, "--as", "rec"), "first_meeting_on=2024-09-02"),
        (("set", SITE, "first_meeting=2024-09-02", "--as", "rec"), "first_meeting_on"),
        (("set", SITE, "photo_package_to", "--as", "rec"), "FIELD=VALUE"),
        (("set", "SXX", "photo_package_to=x", "--as", "rec"), "'SX'"),
        (("set", SITE, "photo_package_to=x", "--as", "op"), "records_section"),
        (("set", SITE, "class_teacher_trained=perhaps", "--as", "rec"), "perhaps"),
        (("show", "SXX"), "'SX'"),
        (("rename", "SXX", "文昭"), "'SX'"),
        (("rename", SITE, " "), "1—60"),
    ],
)
def test_a_word_nobody_knows_is_misuse_and_the_right_one_is_named(
    empty: Counter, words: tuple[str, ...], said: str
) -> None:
    result = empty.xueji("unit", *words)
    assert (result.exit_code, said in result.stderr, result.stdout) == (2, True, "")
