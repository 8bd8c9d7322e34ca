"""Numbers of graduation certificates (证书编号; domain.md, 2.2)."""

import re
from datetime import date

from exchange.faults import Sentence

_DIGITS = re.compile(r"\d+", re.ASCII)
_LENGTH = 18
# 5 school, 1 kind, 4 year, 2 level, 6 serial; the serial had 5 places when numbering began.
_OLD_LENGTH = 17
_YEARS_WITH_OLD_LENGTH = frozenset({"2001", "2002"})
_SCHOOL = slice(0, 5)
_YEAR = slice(6, 10)
_LEVEL = slice(10, 12)
_CODE_OF_LEVEL = {"专科": "06", "专升本": "05", "高起本": "05", "本科": "05"}


def make_certificate_no(*, school_code: str, kind: str, graduated_on: date, level: str, serial: int) -> str:
    """A number of 18 digits.

    Args:
        school_code: Five digits.
        kind: One digit; which one an open university uses is not settled (domain.md, 2.2).
        graduated_on: Gives the year.
        level: 专科, 专升本, 高起本 or 本科.
        serial: From 1, unique in its year.
    """
    return f"{school_code}{kind}{graduated_on.year}{_CODE_OF_LEVEL[level]}{serial:06d}"


def faults_of_certificate(
    number: str,
    *,
    school_code: str | None,
    level: str | None,
    graduated_on: date | None,
    today: date,
) -> tuple[Sentence, ...]:
    """Everything wrong with a number, given what is known about its holder.

    What is not known (`None`) is not compared. The kind digit is free (domain.md, 2.2).
    """
    if _DIGITS.fullmatch(number) is None:
        return (Sentence("只能由数字组成", "expected digits only"),)
    year = number[_YEAR]
    allowed = {_LENGTH} | ({_OLD_LENGTH} if year in _YEARS_WITH_OLD_LENGTH else set())
    if len(number) not in allowed:
        return (
            Sentence(
                f"应为{_LENGTH}位，现为{len(number)}位",
                f"expected {_LENGTH} digits, not {len(number)}",
            ),
        )
    expected_year = f"{graduated_on.year:04d}" if graduated_on else None
    compared = (
        ("1至5位（学校代码）", "digits 1 to 5 (school)", number[_SCHOOL], school_code),
        ("7至10位（毕业年份）", "digits 7 to 10 (year of graduation)", year, expected_year),
        ("11至12位（层次）", "digits 11 and 12 (level)", number[_LEVEL], _level_code(level)),
    )
    faults = tuple(
        Sentence(f"第{zh}为 {found}，应为 {expected}", f"{en} are {found}, expected {expected}")
        for zh, en, found, expected in compared
        if expected is not None and found != expected
    )
    # January's certificates are numbered in December.
    return faults if int(year) <= today.year + 1 else (*faults, _YEAR_AHEAD)


def _level_code(level: str | None) -> str | None:
    return None if level is None else _CODE_OF_LEVEL.get(level)


_YEAR_AHEAD = Sentence("第7至10位的年份尚未到来", "digits 7 to 10 are a year yet to come")
