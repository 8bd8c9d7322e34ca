"""Resident identity numbers (GB 11643): what they say, and whether they can be right."""

import re
from datetime import date
from operator import mul

from exchange.cells import DIGITS_LOST, Cell, Reading, code_text, lost_digits
from exchange.faults import Sentence

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_DIGITS = "10X98765432"
_SHAPE = re.compile(r"\d{17}[\dX]", re.ASCII)
_OLD_SHAPE = re.compile(r"\d{15}", re.ASCII)
_UNMASKED_AT_EACH_END = 4

# Residence permits of Hong Kong, Macao and Taiwan residents: no district follows (domain.md, 2.1).
_PERMITS = frozenset({"81", "82", "83"})

# Digits 3 and 4 by province: cities of today, and prefectures (21 and up) in older numbers.
# No table is complete, so a miss is a warning, never a fault (domain.md, 2.1).
_CITIES_OF_PROVINCE = {
    "11": "01-03", "12": "01-03", "13": "01-11 21-33 90", "14": "01-11 21-27",
    "15": "01-09 19-31", "21": "01-14 20-31", "22": "01-08 20-26", "23": "01-12 20-33",
    "31": "01-03", "32": "01-13 19-30", "33": "01-11 20-30", "34": "01-18 21-32",
    "35": "01-09 21-31", "36": "01-11 20-30", "37": "01-17 19-32", "41": "01-18 21-32 90",
    "42": "01-13 20-32 90", "43": "01-13 21-33", "44": "01-20 21-33 51-53", "45": "01-14 21-33",
    "46": "01-04 20-22 90", "50": "01-03", "51": "01-23 25-38", "52": "01-06 21-28",
    "53": "01-09 21-35", "54": "01-07 21-27", "61": "01-10 21-28", "62": "01-12 21-31",
    "63": "01-02 21-28", "64": "01-05 21-23", "65": "01-05 21-32 40-43 90", "71": "00-99",
}  # fmt: skip


def _prefixes(province: str, ranges: str) -> set[str]:
    spans = (span.partition("-") for span in ranges.split())
    return {f"{province}{city:02d}" for first, _, last in spans for city in range(int(first), int(last or first) + 1)}


_REGIONS = frozenset().union(*(_prefixes(*item) for item in _CITIES_OF_PROVINCE.items()))


def make_check_digit(first_17: str) -> str:
    """The 18th place for the 17 digits before it."""
    total = sum(map(mul, _WEIGHTS, map(int, first_17)))
    return _CHECK_DIGITS[total % 11]


def upgrade(fifteen: str) -> str:
    """The number of 18 places for one of 15, which has two digits of the year and no check."""
    first_17 = f"{fifteen[:6]}19{fifteen[6:]}"
    return first_17 + make_check_digit(first_17)


def mask(number: str) -> str:
    """A number as it may be shown: `1101****0021`."""
    if len(number) <= 3 * _UNMASKED_AT_EACH_END:
        return "****"
    return f"{number[:_UNMASKED_AT_EACH_END]}****{number[-_UNMASKED_AT_EACH_END:]}"


def parse(text: str) -> str | Sentence:
    """The number of 18 places that a text means, or what is wrong with it."""
    number = text.upper()
    if _OLD_SHAPE.fullmatch(number):
        number = upgrade(number)
    if _SHAPE.fullmatch(number) is None:
        return _MALFORMED
    try:
        date.fromisoformat(born_on(number))
    except ValueError:
        return _NO_DATE
    return number if make_check_digit(number[:17]) == number[17] else _WRONG_CHECK_DIGIT


def born_on(number: str) -> str:
    """The date of birth in a number of 18 places, as ISO text."""
    return f"{number[6:10]}-{number[10:12]}-{number[12:14]}"


def gender(number: str) -> str:
    """男 or 女, by the last place before the check digit."""
    return "男" if int(number[16]) % 2 else "女"


def is_resident_id(text: str) -> bool:
    """Whether a text is a number that some person may have, so that it must be masked."""
    return len(text) in {15, 18} and isinstance(parse(text), str)


def region_is_known(number: str) -> bool:
    """Whether the place of first registration is in our table."""
    return number[:2] in _PERMITS or number[:4] in _REGIONS


def read_id_number(cell: Cell) -> Reading:
    """Read a resident ID as 18 places with a capital X."""
    if lost_digits(cell):
        return DIGITS_LOST
    return parse(code_text(cell))


_MALFORMED = Sentence(
    "应为18位（末位可为 X）或15位身份证号",
    "expected 18 places (the last may be X) or the 15 of old numbers",
)
_NO_DATE = Sentence("第7至14位不是日期", "places 7 to 14 are no date")
_WRONG_CHECK_DIGIT = Sentence("校验码不符，至少有一位录错", "the check digit is wrong: some digit is mistyped")
