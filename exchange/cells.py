"""From what a cell holds to a fact, or to the sentence that says why not."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import lru_cache
from typing import TypeAlias

from exchange.faults import Sentence

Cell: TypeAlias = str | int | float | bool | date | None
FactValue: TypeAlias = str | int | bool
Reading: TypeAlias = FactValue | Sentence
Reader: TypeAlias = Callable[[Cell], Reading]

# Excel keeps 15 significant digits of a number; from the 16th on it writes zeros.
_FIRST_NUMBER_THAT_LOST_DIGITS = 10**15
# Every Unicode space, and what pads cells though Unicode calls it a format character.
_LAST_SPACE = 0x3000
_PADDING = "".join(char for char in map(chr, range(_LAST_SPACE + 1)) if char.isspace())
_PADDING += "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e\u200f"
# All tables in full, except the 58 entries of 民族.
_WORDS_SHOWN = 13
_DAY = re.compile(r"(\d{4})(-?)(\d{2})\2(\d{2})", re.ASCII)
_MONEY = re.compile(r"-?\d{1,12}(\.\d+)?", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_YES_NO = {"是": True, "否": False}
# What stands in amounts where a digit, or nothing, was meant.
_LOOKALIKES = str.maketrans({"O": "0", "o": "0", "l": "1", "I": "1", ",": None})

DIGITS_LOST = Sentence(
    "按数字保存，末几位已丢失；请把该列设为文本格式，从原始资料重新录入",
    "stored as a number, so its last digits are lost; format the column as text, enter it again",
)


def text_of(cell: Cell) -> str:
    """The text a person sees in a cell, trimmed of every Unicode space, in NFC."""
    if isinstance(cell, str):
        if cell.isascii():
            return cell.strip()
        return unicodedata.normalize("NFC", cell.strip(_PADDING))
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, date):
        return cell.isoformat()
    return str(int(cell)) if cell == int(cell) else format(cell, ".15g")


def code_text(cell: Cell) -> str:
    """The text of a cell that holds a code or a word of a list, full-width forms made plain."""
    if isinstance(cell, str) and cell.isascii():
        return cell.strip()
    return unicodedata.normalize("NFKC", text_of(cell)).strip(_PADDING)


def read_text(cell: Cell) -> Reading:
    """Any text."""
    return text_of(cell)


def code_reader(longest: int) -> Reader:
    """Read an identifier of letters and digits.

    Args:
        longest: Characters the receiving file has room for (domain.md, 1.2).
    """
    pattern = re.compile(rf"[0-9A-Za-z]{{1,{longest}}}")
    malformed = Sentence(f"应为不超过{longest}位的字母和数字", f"expected at most {longest} letters and digits")

    def read(cell: Cell) -> Reading:
        if lost_digits(cell):
            return DIGITS_LOST
        text = code_text(cell)
        return text if pattern.fullmatch(text) else malformed

    return read


def lost_digits(cell: Cell) -> bool:
    """Whether a number in a code column is not what somebody typed any more."""
    return isinstance(cell, (int, float)) and abs(cell) >= _FIRST_NUMBER_THAT_LOST_DIGITS


def pattern_reader(pattern: re.Pattern[str], malformed: Sentence) -> Reader:
    """Read text of one shape."""

    def read(cell: Cell) -> Reading:
        text = code_text(cell)
        return text if pattern.fullmatch(text) else malformed

    return read


def choice_reader(table: Mapping[str, str]) -> Reader:
    """Read a word of a code table.

    Args:
        table: From every word accepted to the word kept.
    """
    words = tuple(dict.fromkeys(table.values()))

    @lru_cache(maxsize=4096)
    def refuse(text: str) -> Sentence:
        return not_in_table(text, words)

    def read(cell: Cell) -> Reading:
        text = code_text(cell)
        return table.get(text) or refuse(text)

    return read


def not_in_table(text: str, words: tuple[str, ...]) -> Sentence:
    """The sentence about a word outside its table, with the nearest right one."""
    shown = "、".join(words[:_WORDS_SHOWN]) + ("…" if len(words) > _WORDS_SHOWN else "")
    nearest = nearest_word(text, words)
    hint_zh = f"；是否为“{nearest}”" if nearest else ""
    hint_en = f"; did you mean {nearest}?" if nearest else ""
    return Sentence(f"不在代码表内（{shown}）{hint_zh}", f"not in the table ({shown}){hint_en}")


def nearest_word(text: str, words: Iterable[str]) -> str | None:
    """The word most like a text, if any is: of a word of two characters one may be wrong."""
    found = get_close_matches(text, list(words), n=1, cutoff=0.5)
    return found[0] if found else None


def read_day(cell: Cell) -> Reading:
    """Read a day written YYYYMMDD or YYYY-MM-DD, or an Excel date, as ISO text."""
    if isinstance(cell, date):
        return cell.isoformat()
    return _day(code_text(cell))


@lru_cache(maxsize=2**14)
def _day(text: str) -> Reading:
    match = _DAY.fullmatch(text)
    if match is None:
        return Sentence(
            "应为 YYYYMMDD、YYYY-MM-DD 或 Excel 日期",
            "expected YYYYMMDD, YYYY-MM-DD or an Excel date",
        )
    year, _, month, day = match.groups()
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return Sentence("没有这一天", "there is no such day")


def read_whole_number(cell: Cell) -> Reading:
    """Read a count, zero or more."""
    text = code_text(cell)
    if _WHOLE.fullmatch(text) is None:
        return Sentence("应为非负整数", "expected a whole number, not negative")
    return int(text)


def read_money(cell: Cell) -> Reading:
    """Read yuan with at most two decimals, kept as text such as `120.50`."""
    text = code_text(cell)
    if _MONEY.fullmatch(text) is None:
        return _no_amount(text)
    try:
        amount = Decimal(text)
        kept = amount.quantize(Decimal("0.01"))
    except InvalidOperation:
        return Sentence("金额过大", "the amount is too large")
    if amount < 0:
        return Sentence("金额不能为负", "an amount owed cannot be negative")
    if kept != amount:
        return Sentence("最多两位小数", "two decimals at most")
    return f"{abs(kept):f}"


def _no_amount(text: str) -> Sentence:
    """Why a text is no amount, and what was probably meant: letters that look like digits, commas between them."""
    meant = text.translate(_LOOKALIKES)
    if _MONEY.fullmatch(meant) is None:
        return Sentence("应为金额（元），如 120.50", "expected an amount in yuan such as 120.50")
    letters = "、".join(dict.fromkeys(one for one in text if one in "OolI"))
    zh, en = (f"含字母 {letters}", f"it has the letter {letters}") if letters else ("含逗号", "it has a comma")
    return Sentence(f"不是数字：{zh}；改成 {meant}", f"no number: {en}; write {meant}")


def read_yes_no(cell: Cell) -> Reading:
    """Read 是 or 否."""
    answer = _YES_NO.get(code_text(cell))
    return Sentence("应为“是”或“否”", "expected 是 (yes) or 否 (no)") if answer is None else answer
