"""What a value can be, how it stands in JSON, is read from a person's hand, and is shown.

A missing value is `None` in every kind. Money is `Decimal`, moments are aware UTC, a term is
`(year, number)`, a unit or batch is its code. Nothing here is ever a float.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Literal, TypeAlias

from engine.expressions.faults import nearest
from engine.expressions.scalars import DECODERS, ENCODERS, Scalar, refuse, text_only
from engine.records import Json

Row: TypeAlias = Mapping[str, Scalar | None]
Value: TypeAlias = Scalar | frozenset[tuple[Scalar, ...]] | tuple[Row, ...] | tuple[Scalar | None, ...]
Lang: TypeAlias = Literal["zh", "en"]
Titles: TypeAlias = Mapping[str, Mapping[str, Mapping[str, str]]]

# Asia/Shanghai has had no summer time since 1991, before any moment this engine records; a
# fixed offset needs no time zone file.
SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
_SIMPLE = (
    "yes_no", "number", "money", "text", "code", "date", "moment", "clock", "term",
)  # fmt: skip
_MANY = ("set", "rows", "values")
_NAMED = ("choice", "unit", "batch", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a value can be; equal kinds are interchangeable.

    Attributes:
        name: `yes_no`, `number`, `money`, `text`, `code`, `date`, `moment`, `clock`, `term`,
            `choice`, `state`, `unit`, `batch`, `set`, `tuple`, `rows`, `values`, `value_of`,
            or `unknown` (after a fault).
        of: The choice list, unit kind, batch kind, workflow of a state, or field of a `value_of`.
        parts: Kinds of the elements of a set, tuple or `values`.
        columns: Names and kinds of the columns of rows, in order.
        words: States allowed beside a state; empty: those of the scope.
    """

    name: str
    of: str = ""
    parts: "tuple[Kind, ...]" = ()
    columns: "tuple[tuple[str, Kind], ...]" = ()
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.name == "set":
            return f"set of {' and '.join(str(part) for part in self.parts)}"
        if self.name == "value_of":
            return f"value of case.{self.of}" if self.of else "value of a fact"
        return f"{self.name} {self.of}".rstrip()


YES_NO = Kind(name="yes_no")
NUMBER = Kind(name="number")
MONEY = Kind(name="money")
TEXT = Kind(name="text")
CODE = Kind(name="code")
DATE = Kind(name="date")
MOMENT = Kind(name="moment")
CLOCK = Kind(name="clock")
TERM = Kind(name="term")
VALUE_OF_FACT = Kind(name="value_of")
UNKNOWN = Kind(name="unknown")


def choice(name: str) -> Kind:
    """Give the kind of a code of the choice list `name`."""
    return Kind(name="choice", of=name)


def state(words: Iterable[str] = (), workflow: str = "") -> Kind:
    """Give the kind of a state; `words` are the states a literal beside it may name."""
    return Kind(name="state", of=workflow, words=tuple(words))


def rows(columns: Mapping[str, Kind]) -> Kind:
    """Give the kind of rows with these columns, in this order."""
    return Kind(name="rows", columns=tuple(columns.items()))


@lru_cache(maxsize=1024)
def parse_kind(text: str) -> Kind:
    """Read a type as definition files write it (language.md, section 4).

    Raises:
        ValueError: If it is no type; the message says what is.
    """
    text = " ".join(text.split())
    if text in _SIMPLE:
        return Kind(name=text)
    if text.startswith("set of "):
        parts = tuple(parse_kind(part) for part in text.removeprefix("set of ").split(" and "))
        return Kind(name="set", parts=parts)
    if found := re.fullmatch(r"value of case\.([a-z_][a-z0-9_]*)", text):
        return Kind(name="value_of", of=found[1])
    name, _, of = text.partition(" ")
    if name in _NAMED and re.fullmatch(r"[\w-]+", of):
        return Kind(name=name, of=of)
    known = [*_SIMPLE, "choice C", "unit K", "batch K", "set of T and U", "value of case.F"]
    message = f"'{text}' is no type.{nearest(name, known)}"
    raise ValueError(message)


# A value whose kind is known only by its fact carries the kind along, unless JSON has it.
_TAGS: Mapping[type, str] = {
    Decimal: "money", date: "date", datetime: "moment", time: "clock", tuple: "term",
}  # fmt: skip


def encode(kind: Kind, value: Value | None) -> Json:
    """Write a value as JSON with one form per value, so that hashes can be compared.

    Raises:
        ValueError: If the value is not of that kind.
    """
    if value is None or kind.name not in _MANY:
        return _encode_single(kind, value)
    if not isinstance(value, tuple | frozenset):
        refuse(str(kind), value)
    if kind.name == "set":
        return sorted((_encode_element(kind, element) for element in value), key=repr)
    if kind.name == "rows":
        return [_encode_row(kind, row) for row in value]
    return [_encode_single(kind.parts[0], element) for element in value]


def _encode_single(kind: Kind, value: object) -> Json:
    if value is None:
        return None
    if kind.name != "value_of":
        return ENCODERS.get(kind.name, text_only)(value)
    name = _TAGS.get(type(value))
    return {name: ENCODERS[name](value)} if name else _encode_single(_native(value), value)


def _native(value: object) -> Kind:
    return YES_NO if isinstance(value, bool) else NUMBER if isinstance(value, int) else TEXT


def _encode_row(kind: Kind, row: object) -> Json:
    if not isinstance(row, Mapping):
        refuse("a row", row)
    return {name: _encode_single(column, row.get(name)) for name, column in kind.columns}


def _encode_element(kind: Kind, element: object) -> list[Json]:
    if not isinstance(element, tuple) or len(element) != len(kind.parts):
        refuse(f"an element of a {kind}", element)
    return [_encode_single(part, value) for part, value in zip(kind.parts, element, strict=True)]


def decode(kind: Kind, json: Json) -> Value | None:
    """Read a value from JSON; the inverse of `encode`.

    Raises:
        ValueError: If it is not written as `encode` writes that kind.
    """
    if json is None or kind.name not in _MANY:
        return _decode_single(kind, json)
    if not isinstance(json, list):
        refuse(f"a list for a {kind}", json)
    if kind.name == "set":
        return frozenset(_decode_element(kind, element) for element in json)
    if kind.name == "rows":
        return tuple(_decode_row(kind, row) for row in json)
    return tuple(_decode_single(kind.parts[0], element) for element in json)


def _decode_single(kind: Kind, json: Json) -> Scalar | None:
    if json is None:
        return None
    if kind.name != "value_of":
        return DECODERS.get(kind.name, text_only)(json)
    if not isinstance(json, dict):
        return _decode_single(_native(json), json)
    if len(json) != 1 or not json.keys() <= set(_TAGS.values()):
        refuse("a value with its kind", json)
    ((name, inner),) = json.items()
    return DECODERS[name](inner)


def _decode_row(kind: Kind, json: Json) -> Row:
    if not isinstance(json, dict):
        refuse("a row", json)
    return {name: _decode_single(column, json.get(name)) for name, column in kind.columns}


def _decode_element(kind: Kind, json: Json) -> tuple[Scalar, ...]:
    if not isinstance(json, list) or len(json) != len(kind.parts):
        refuse(f"{len(kind.parts)} values for an element of a {kind}", json)
    pairs = zip(kind.parts, json, strict=True)
    return tuple(DECODERS.get(part.name, text_only)(value) for part, value in pairs)


# --- what people type --------------------------------------------------------------------------

_SPOKEN = {
    "是": True,
    "true": True,
    "yes": True,
    "1": True,
    "否": False,
    "false": False,
    "no": False,
    "0": False,
}
YEARS = range(1900, 2201)
"""Of the days that people type: no record has others, and from each of these there are days to count to both ways."""
_DAY = re.compile(r"([0-9]{4})(?:([-/.年])([0-9]{1,2})[-/.月]([0-9]{1,2})日?|([0-9]{2})([0-9]{2}))")


def parse_input(kind: Kind, text: str, choices: Titles) -> Value:
    """Read what a person typed on a command line or in a sheet.

    Days come as 2024-05-13, 2024/5/13, 20240513 or 2024年5月13日, moments as a day and 17:40 in
    Asia/Shanghai, yes_no as 是/否/true/false/yes/no/1/0, a choice by its code or either title.

    Raises:
        ValueError: If it cannot be read; also for an empty text, which is a missing value.
    """
    text = text.strip()
    if not text:
        message = f"Nothing was given; expected {kind}."
        raise ValueError(message)
    if kind.name == "choice":
        return _typed_choice(kind, text, choices.get(kind.of, {}))
    if reader := _READERS.get(kind.name):
        return reader(unicodedata.normalize("NFKC", text))
    if kind.name in _MANY:
        message = f"A {kind} cannot be typed; give it in a file."
        raise ValueError(message)
    return text


def _typed_choice(kind: Kind, text: str, titles: Mapping[str, Mapping[str, str]]) -> str:
    for code, title in titles.items():
        if text in (code, *title.values()):
            return code
    message = f"'{text}' is no {kind}.{nearest(text, titles)}"
    raise ValueError(message)


def _typed_yes_no(text: str) -> bool:
    if text.lower() not in _SPOKEN:
        refuse("是 or 否", text)
    return _SPOKEN[text.lower()]


def _typed_number(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,15}", text):
        refuse("a whole number", text)
    return int(text)


def _typed_money(text: str) -> Decimal:
    bare = text.removeprefix("¥").removesuffix("元").strip().replace(",", "")
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,2})?", bare):
        refuse("money like 120.50", text)
    return Decimal(bare)


def _typed_date(text: str) -> date:
    if not (found := _DAY.fullmatch(text)):
        refuse("a day like 2024-05-13", text)
    year, _, month, day, tight_month, tight_day = found.groups()
    if int(year) not in YEARS:
        refuse(f"a day of the years {YEARS[0]} to {YEARS[-1]}", text)
    return date(int(year), int(month or tight_month), int(day or tight_day))


def _typed_clock(text: str) -> time:
    if not re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", text):
        refuse("a time of day like 17:40", text)
    return time.fromisoformat(text.zfill(5))


def _typed_moment(text: str) -> datetime:
    if text.endswith("Z"):
        _typed_date(text.replace("T", " ").partition(" ")[0])
        return datetime.fromisoformat(text).astimezone(UTC)
    day, _, clock = text.replace("T", " ").rpartition(" ")
    return datetime.combine(_typed_date(day), _typed_clock(clock), SHANGHAI).astimezone(UTC)


_READERS: Mapping[str, Callable[[str], Scalar]] = {
    "yes_no": _typed_yes_no, "number": _typed_number, "money": _typed_money, "date": _typed_date,
    "moment": _typed_moment, "clock": _typed_clock, "term": DECODERS["term"],
}  # fmt: skip


# --- in sentences ------------------------------------------------------------------------------

_MISSING: Mapping[Lang, str] = {"zh": "未填", "en": "not given"}
_NONE: Mapping[Lang, str] = {"zh": "无", "en": "none"}
_COMMA: Mapping[Lang, str] = {"zh": "、", "en": ", "}
_YES: Mapping[Lang, tuple[str, str]] = {"zh": ("否", "是"), "en": ("no", "yes")}
_WEEK: Mapping[Lang, tuple[str, ...]] = {
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_MOST_SHOWN = 10
_ROW_NAMES = ("number", "case_no", "student_no", "name", "title", "course_id", "code")


def show(kind: Kind, value: Value | None, lang: Lang, choices: Titles) -> str:
    """Write a value as it reads in a sentence (language.md, section 10, In sentences).

    Args:
        kind: Its kind.
        value: The value; missing reads 未填 or `not given`.
        lang: `zh` or `en`.
        choices: Titles by list: a choice under its list's name, a state, unit or batch under the
            text of its kind, such as `unit site`; a word without a title is shown as it is.
    """
    if value is None or kind.name not in _MANY:
        return _show_one(kind, value, lang, choices)
    if not isinstance(value, tuple | frozenset):
        refuse(str(kind), value)
    shown = [_show_element(kind, element, lang, choices) for element in value]
    if isinstance(value, frozenset):
        shown.sort()
    text = _COMMA[lang].join(shown[:_MOST_SHOWN]) or _NONE[lang]
    if len(shown) <= _MOST_SHOWN:
        return text
    return f"{text}等{len(shown)}个" if lang == "zh" else f"{text} … ({len(shown)} in all)"


def _show_element(kind: Kind, element: object, lang: Lang, choices: Titles) -> str:
    if isinstance(element, Mapping):
        named = (element[name] for name in _ROW_NAMES if element.get(name) is not None)
        return str(next(named, "—"))
    parts = element if kind.name == "set" and isinstance(element, tuple) else (element,)
    pairs = zip(kind.parts, parts, strict=True)
    return " ".join(_show_one(part, value, lang, choices) for part, value in pairs)


def _show_one(kind: Kind, value: object, lang: Lang, choices: Titles) -> str:
    if value is None:
        return _MISSING[lang]
    if isinstance(value, str):
        titles = choices.get(kind.of if kind.name == "choice" else str(kind), {})
        return titles.get(value, {}).get(lang, value)
    return _show_single(kind, value, lang)


def _show_single(kind: Kind, value: object, lang: Lang) -> str:
    match value:
        case bool():
            return _YES[lang][value]
        case datetime():
            local = value.astimezone(SHANGHAI)
            return f"{_show_date(local, lang)}{', ' if lang == 'en' else ''}{local:%H:%M}"
        case date():
            return _show_date(value, lang)
        case time():
            return f"{value:%H:%M}"
        case (int(year), int(number)):
            zh = f"{year}—{year + 1}学年第{number}学期"
            return zh if lang == "zh" else f"term {number} of {year}/{(year + 1) % 100:02}"
        case _:
            return _show_amount(kind, value, lang)


def _show_amount(kind: Kind, value: object, lang: Lang) -> str:
    if kind.name == "money" or isinstance(value, Decimal):
        return f"{value:.2f}元" if lang == "zh" else f"CNY {value:.2f}"
    return str(value)


def _show_date(day: date, lang: Lang) -> str:
    weekday = _WEEK[lang][day.weekday()]
    if lang == "zh":
        return f"{day.year}年{day.month}月{day.day}日（{weekday}）"
    return f"{weekday} {day.day} {_MONTHS[day.month - 1]} {day.year}"
