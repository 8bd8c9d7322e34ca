"""What the strict reader of definition files takes, and what it refuses, at which place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Fault
from engine.loading.strict_yaml import read_text


def read(text: str) -> tuple[object, tuple[Fault, ...]]:
    tree, faults = read_text(text, "a.yaml")
    return tree.plain() if tree else None, faults


def test_codes_dates_clocks_and_amounts_stay_as_they_are_written():
    value, faults = read("code: 0123\nday: 2024-05-13\nclock: 08:30\nmoney: 12.50\nlong: 123e5\nnumber: 12\n")

    assert faults == ()
    assert value == {
        "code": "0123",
        "day": "2024-05-13",
        "clock": "08:30",
        "money": "12.50",
        "long": "123e5",
        "number": 12,
    }


def test_only_true_false_and_null_are_constants():
    value, faults = read("a: true\nb: false\nc: null\nd: 'yes'\ne: \"null\"\n")

    assert faults == ()
    assert value == {"a": True, "b": False, "c": None, "d": "yes", "e": "null"}


@pytest.mark.parametrize("word", ["yes", "No", "on", "OFF", "True", "NULL", "~", "y"])
def test_a_lookalike_of_a_constant_is_refused_as_value_and_as_key(word):
    _, as_value = read(f"key: {word}\n")
    _, as_key = read(f"{word}: 1\n")

    assert [(fault.code, fault.line, fault.column) for fault in as_value] == [("syntax", 1, 6)]
    assert [(fault.code, fault.line, fault.column) for fault in as_key] == [("syntax", 1, 1)]


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", "twice", 3, 1, id="duplicate key"),
        pytest.param("a: &x 1\n", "syntax", 1, 4, id="anchor"),
        pytest.param("a: !!str 1\n", "syntax", 1, 4, id="tag"),
        pytest.param("a: {<<: {b: 1}}\n", "syntax", 1, 5, id="merge key"),
        pytest.param("a:\nb: 1\n", "syntax", 1, 1, id="empty value"),
        pytest.param("- \n- 1\n", "syntax", 1, 2, id="empty item"),
        pytest.param("%YAML 1.1\n---\na: 1\n", "syntax", 1, 1, id="directive"),
        pytest.param("a: 1\nb: 陈𠮷\u2028怡\n", "syntax", 2, 6, id="end of a line that nobody sees"),
        pytest.param("a: \udc80\n", "syntax", 1, 4, id="half a character"),
        pytest.param("a: \0\n", "syntax", 1, 1, id="control character"),
        pytest.param("a: 1\n---\nb: 1\n", "syntax", 2, 1, id="second document"),
        pytest.param("? [a, b]\n: 1\n", "syntax", 1, 3, id="a list as key"),
        pytest.param("a: [1, 2\n", "syntax", 2, 1, id="unclosed"),
        pytest.param("", "syntax", 1, 1, id="empty file"),
    ],
)
def test_what_other_readers_disagree_about_is_refused_where_it_stands(text, code, line, column):
    _, faults = read(text)

    assert [(fault.code, fault.line, fault.column) for fault in faults] == [(code, line, column)]


def test_an_alias_is_refused_together_with_its_anchor():
    _, faults = read("a: &x 1\nb: *x\n")

    assert [(fault.line, fault.column) for fault in faults] == [(1, 4), (2, 4)]


def test_an_unquoted_comma_in_a_flow_mapping_says_that_it_must_be_quoted():
    _, faults = read("rule: {holds: cohort in (2022, 2023), title: x}\n")

    assert len(faults) == 1
    assert "must be quoted" in faults[0].message


def test_nesting_without_end_is_refused():
    _, faults = read("[" * 60 + "]" * 60)

    assert {fault.code for fault in faults} == {"syntax"}


def test_a_fault_shows_its_line_with_a_caret_below_the_place():
    _, faults = read("a: 1\nb: yes\n")

    assert str(faults[0]).splitlines()[1:] == ["b: yes", "   ^"]


plain = st.recursive(
    st.booleans() | st.none() | st.integers(-(2**40), 2**40) | st.text("ab学 :,#'\"{}[]&*!|>%@`-0", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab学籍", min_size=1, max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def as_yaml(value: object) -> str:
    """Flow style with every text quoted: a writer of its own, so that reader and writer are two."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
        case list():
            return "[" + ", ".join(map(as_yaml, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{as_yaml(key)}: {as_yaml(one)}" for key, one in value.items()) + "}"
        case _:
            raise AssertionError(value)


@given(plain)
def test_whatever_is_written_plainly_is_read_back(value):
    read_back, faults = read(as_yaml({"root": value}))

    assert faults == ()
    assert read_back == {"root": value}


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_raise(text):
    _, faults = read_text(text, "a.yaml")

    assert all(fault.line >= 1 and fault.column >= 1 for fault in faults)
