"""Batches as the pattern of the next: what one has come to, and how it is called and dated some years later."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from console.web.faults import NotFound
from console.web.visit import Visit
from engine.definition import Bilingual
from engine.errors import DefinitionFaults
from engine.expressions.kinds import SHANGHAI, Kind, decode
from engine.loading.folder import read_batch
from engine.records import Json
from engine.store.proposals import is_batch
from engine.vocabulary import BatchFile, Fact

EVERYWHERE = ("all",)
"""What a batch says that concerns every unit of its profile."""
_YEAR = re.compile(r"(?<![0-9])(20[0-9]{2})(?:/([0-9]{2}))?(?![0-9])")
_YEARS = range(1990, 2100)
"""Numbers that are years, of entry or of graduation; they move with the batch."""


class Pattern(NamedTuple):
    """What a form begins with: of an earlier batch, or nothing; `values` are JSON by their kinds."""

    name: str
    kind: str
    profile: str
    title: Bilingual
    units: tuple[str, ...]
    values: Mapping[str, Json]


def pattern(visit: Visit, name: str) -> Pattern:
    """A batch as the pattern of the next: with the values it has come to, where it is published.

    Raises:
        NotFound: If there is no such batch.
    """
    row, file = visit.desk.batch(name), visit.desk.library.batches.get(name)
    title = Bilingual(zh=name, en=name) if file is None else file.title
    units = EVERYWHERE if file is None else file.units
    if row is not None:
        title = title if file is not None else Bilingual(zh=row.title, en=row.title)
        return Pattern(name, row.kind, row.profile, title, units, row.values)
    if file is None:
        raise NotFound
    values: Any = file.values
    return Pattern(name, file.kind, file.profile, title, units, values)


def fields_of(visit: Visit, profile: str, kind: str) -> Mapping[str, Fact]:
    """The fields of a kind of batch, as a profile has them.

    Raises:
        NotFound: If it has no such kind, or there is no such profile.
    """
    book = visit.desk.library.rulebook
    if profile not in book.organisation.profiles:
        raise NotFound
    found = visit.desk.library.rulebook_for(profile).vocabulary.batch.get(kind)
    if found is None:
        raise NotFound
    return found.fields


def readable(visit: Visit, file: str, text: str) -> BatchFile | None:
    """What a text says as the rulebook in force reads it; None where it is no batch that can be read."""
    if not is_batch(file):
        return None
    try:
        return read_batch(file, text, visit.desk.library.rulebook)
    except DefinitionFaults:
        return None


def years_on(visit: Visit, name: str) -> int:
    """By how many years the next batch is later than one that is called so."""
    found = _YEAR.search(name)
    return 1 if found is None else max(visit.today.year - int(found[1]), 1)


def moved(text: str, years: int) -> str:
    """A name or title with its years moved on: 2024/25 becomes 2025/26."""

    def later(found: re.Match[str]) -> str:
        first = int(found[1]) + years
        return str(first) if found[2] is None else f"{first}/{(int(found[2]) + years) % 100:02}"

    return _YEAR.sub(later, text)


def carried(kind: Kind, value: Json, years: int) -> str:
    """A value as it is typed into the form, so many years later."""
    if isinstance(value, list):
        return "\n".join(" ".join(str(_later(one, years)) for one in row) for row in value if isinstance(row, list))
    known = None if value is None else decode(kind, value)
    if known is None:
        return ""
    if isinstance(known, bool):
        return "是" if known else "否"
    if isinstance(known, datetime):
        here = known.astimezone(SHANGHAI)
        return f"{_anniversary(here.date(), years)}T{here:%H:%M}"
    if isinstance(known, date):
        return _anniversary(known, years).isoformat()
    return moved(str(value), years) if kind.name == "term" else str(_later(value, years))


def _later(value: Json, years: int) -> Json:
    is_year = isinstance(value, int) and not isinstance(value, bool) and value in _YEARS
    return value + years if is_year and isinstance(value, int) else value


def _anniversary(day: date, years: int) -> date:
    """The same day of a later year; the 28th where that year has no 29 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def joined(units: tuple[str, ...]) -> str:
    """The units of a batch as they are typed; nothing stands for all of them."""
    return "" if units == EVERYWHERE else "、".join(units)
