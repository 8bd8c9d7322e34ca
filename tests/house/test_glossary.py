"""One word, one meaning."""

import re
from collections import Counter

from tests.house.source import ROOT


def _rows():
    text = (ROOT / "docs/glossary.md").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    return [row for row in rows if row[0] != "Chinese" and not re.fullmatch(r"-+", row[0])]


def test_every_word_has_both_languages_an_identifier_and_a_meaning():
    assert [row for row in _rows() if len(row) != 4 or not all(row)] == []


def test_no_word_stands_for_two_things():
    repeated = {
        word for column in (0, 2) for word, times in Counter(row[column] for row in _rows()).items() if times > 1
    }

    assert repeated == set()
