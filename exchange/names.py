"""Names of people, made comparable without being corrected."""

import re
import unicodedata

from exchange.cells import Cell, code_text, text_of

# Dots found between the parts of minority names; GBK and the registration files know U+00B7 only.
_MIDDLE_DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・･⸱·ᐧ●", "·"))
_AROUND_DOT = re.compile(r"\s*·\s*")
_SPACES = re.compile(r"\s+")
_LATIN = re.compile(r"[A-Za-z]")


def read_name(cell: Cell) -> str:
    """Read a name: one middle dot, no padding, rare characters untouched.

    Spaces inside a Chinese name are the padding of a printed list (张　三) and go; between
    Latin words one stays.
    """
    name = text_of(cell)
    if name.isalpha() and not name.isascii() and unicodedata.is_normalized("NFKC", name):
        return name
    name = _AROUND_DOT.sub("·", code_text(name).translate(_MIDDLE_DOTS))
    return unicodedata.normalize("NFC", _SPACES.sub(" " if _LATIN.search(name) else "", name))


def outside_gbk(name: str) -> str:
    """The characters of a name that a GBK registration file cannot hold (domain.md, 1.1)."""
    try:
        name.encode("gbk")
    except UnicodeEncodeError:
        return "".join(char for char in name if not _in_gbk(char))
    return ""


def _in_gbk(char: str) -> bool:
    try:
        char.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True
