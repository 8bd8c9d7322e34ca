"""Saying: every text of the pages in two languages. The Chinese text is its own name; the English stands in catalogues.

One catalogue a group of pages, `locale/en/GROUP.po`, read when the process starts; a text that two catalogues
translate differently is a fault at once, not a page in two voices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from babel.messages.pofile import read_po

Language = Literal["zh", "en"]
LOCALE = Path(__file__).parent / "locale"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class ClashingTexts(ValueError):
    """Two catalogues disagree about one text."""


def read_catalogue(file: Path) -> dict[str, str]:
    """The texts of one catalogue with their translations."""
    with file.open("rb") as opened:
        return {str(one.id): str(one.string) for one in read_po(opened) if one.id and one.string}


@cache
def english() -> Mapping[str, str]:
    """Every English text by its Chinese.

    Raises:
        ClashingTexts: If two catalogues disagree.
    """
    texts: dict[str, str] = {}
    for file in sorted((LOCALE / "en").glob("*.po")):
        for zh, en in read_catalogue(file).items():
            if texts.setdefault(zh, en) != en:
                message = f"{file.name}: “{zh}” is '{texts[zh]}' elsewhere, '{en}' here"
                raise ClashingTexts(message)
    return texts


def placeholders(text: str) -> frozenset[str]:
    """The names in braces that a text wants filled in."""
    return frozenset(_PLACEHOLDER.findall(text))


class Speech:
    """Says texts in one language.

    Args:
        lang: `zh` or `en`.
    """

    def __init__(self, lang: Language) -> None:
        self.lang = lang

    def say(self, text: str, /, **values: object) -> str:
        """A text in this language, its placeholders filled in; the Chinese where there is no other.

        Raises:
            KeyError: If a placeholder is not given.
        """
        said = text if self.lang == "zh" else english().get(text, text)
        return _PLACEHOLDER.sub(lambda found: str(values[found[1]]), said)
