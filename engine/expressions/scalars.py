"""Single values and their one form in JSON.

Encoders and decoders by name of kind; kinds without one here are texts. All raise `ValueError`
with a sentence when the value is not of the kind.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import NoReturn, TypeAlias

Term: TypeAlias = tuple[int, int]
Scalar: TypeAlias = bool | int | Decimal | str | date | datetime | time | Term

_SAFE = 2**53  # integers of the trail stay below it (RFC 8785)
_LARGEST_MONEY = Decimal(10) ** 15  # yuan; keeps sums exact within 28 digits


def refuse(expected: str, value: object) -> NoReturn:
    """Say what was expected instead of a value.

    Raises:
        ValueError: Always.
    """
    message = f"Expected {expected}, got {value!r}."
    raise ValueError(message)


def _yes_no(value: object) -> bool:
    if not isinstance(value, bool):
        refuse("true or false", value)
    return value


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= _SAFE:
        refuse("a whole number below 2^53", value)
    return value


def text_only(value: object) -> str:
    """Give a text as it is.

    Raises:
        ValueError: If it is none.
    """
    if not isinstance(value, str):
        refuse("text", value)
    return value


def _encode_money(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        refuse("an amount of money", value)
    amount = Decimal(value)
    if not amount.is_finite() or abs(amount) >= _LARGEST_MONEY or amount != round(amount, 2):
        refuse("an amount of at most 15 digits before and 2 after the point", value)
    return f"{abs(amount) if amount == 0 else amount:.2f}"


def _decode_money(value: object) -> Decimal:
    if not re.fullmatch(r"-?[0-9]{1,15}\.[0-9]{2}", text := text_only(value)):
        refuse("money like '120.50'", value)
    return Decimal(text)


def _encode_date(value: object) -> str:
    if isinstance(value, datetime) or not isinstance(value, date):
        refuse("a day", value)
    return value.isoformat()


def _decode_date(value: object) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text := text_only(value)):
        refuse("a day like '2024-05-13'", value)
    return date.fromisoformat(text)


def _encode_moment(value: object) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        refuse("a moment with its zone", value)
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _decode_moment(value: object) -> datetime:
    shape = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
    if not re.fullmatch(shape, text := text_only(value)):
        refuse("a moment like '2024-05-13T09:40:00.000000Z'", value)
    return datetime.fromisoformat(text)


def _encode_clock(value: object) -> str:
    if not isinstance(value, time) or value.tzinfo or value.second or value.microsecond:
        refuse("a time of day in whole minutes", value)
    return f"{value:%H:%M}"


def _decode_clock(value: object) -> time:
    if not re.fullmatch(r"[0-9]{2}:[0-9]{2}", text := text_only(value)):
        refuse("a time of day like '17:40'", value)
    return time.fromisoformat(text)


def _encode_term(value: object) -> str:
    match value:
        case (int(year), int(number)):
            return f"{year:04}-{number}"
        case _:
            refuse("a term", value)


def _decode_term(value: object) -> Term:
    if not (found := re.fullmatch(r"([0-9]{4})-([1-9])", text_only(value))):
        refuse("a term like '2024-1'", value)
    return int(found[1]), int(found[2])


ENCODERS: Mapping[str, Callable[[object], bool | int | str]] = {
    "yes_no": _yes_no, "number": _number, "money": _encode_money, "date": _encode_date,
    "moment": _encode_moment, "clock": _encode_clock, "term": _encode_term,
}  # fmt: skip
DECODERS: Mapping[str, Callable[[object], Scalar]] = {
    "yes_no": _yes_no, "number": _number, "money": _decode_money, "date": _decode_date,
    "moment": _decode_moment, "clock": _decode_clock, "term": _decode_term,
}  # fmt: skip
