"""Every text of the pages stands in two languages, and none of the English is left over."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from console.web.bar import _ENTRIES
from console.web.rendering import HERE, TEMPLATES
from console.web.saying import LOCALE, Speech, english, placeholders

KEYWORDS = {"say": None}
MODULES = sorted(HERE.rglob("*.py"))
PAGES = sorted(TEMPLATES.rglob("*.html"))
CATALOGUES = sorted((LOCALE / "en").glob("*.po"))


@cache
def _said() -> tuple[tuple[str, str], ...]:
    """Every text that a page or a template says literally, with the file it stands in."""
    return tuple(_read())


def _read() -> Iterator[tuple[str, str]]:
    for file in MODULES:
        with file.open("rb") as lines:
            for _, text, _, _ in extract("python", lines, KEYWORDS):
                yield from ((one, str(file.relative_to(HERE))) for one in _literal(text))
    for file in PAGES:
        with file.open("rb") as lines:
            for _, _, given, _ in babel_extract(lines, ["say"], [], {"silent": "false", "trimmed": "false"}):
                yield from ((one, str(file.relative_to(HERE))) for one in _literal(given))


def _literal(arguments: object) -> list[str]:
    """The text itself, if it is a literal: babel gives a tuple where a call has several arguments."""
    given = arguments if isinstance(arguments, tuple) else (arguments,)
    return [one for one in given if isinstance(one, str)][:1]


def _literals() -> set[str]:
    """Every literal text of the modules: tables of texts are said one by one, by a name."""
    return {
        node.value
        for file in MODULES
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_text_a_page_says_has_its_english():
    missing = sorted({(file, text) for text, file in _said() if re.search(r"[一-鿿]", text) and text not in english()})

    assert missing == []


def test_no_english_is_left_over_for_a_text_that_is_gone():
    used = {text for text, _ in _said()} | _literals()

    assert sorted(set(english()) - used) == []


def test_both_languages_want_the_same_values():
    assert [zh for zh, en in english().items() if placeholders(en) != placeholders(zh)] == []


def test_every_entry_of_the_bar_has_its_english():
    assert [text for _, text, _ in _ENTRIES if text not in english()] == []


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.stem)
def test_a_catalogue_says_nothing_twice_and_leaves_nothing_open(file: Path):
    with file.open("rb") as lines:
        told = [one for one in read_po(lines) if one.id]

    assert [one.id for one in told if not one.string or one.fuzzy] == []


def test_chinese_says_the_text_itself():
    assert Speech("zh").say("有 {n} 处要改", n=3) == "有 3 处要改"


def test_english_says_what_the_catalogue_has():
    assert Speech("en").say("有 {n} 处要改", n=3) == "3 to mend"


def test_a_text_without_english_is_said_in_chinese():
    assert Speech("en").say("这句话没有译文 {n}", n=3) == "这句话没有译文 3"


def test_a_value_is_never_read_as_a_text_of_its_own():
    assert Speech("zh").say("编号 {number}", number="{n.__class__}") == "编号 {n.__class__}"


def test_a_value_that_is_missing_is_noticed():
    with pytest.raises(KeyError, match="number"):
        Speech("zh").say("编号 {number}")
