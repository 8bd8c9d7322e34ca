"""What is taken along of a table: its heads in both languages, its rows, and whether anybody is named in it.

Values stand as the page shows them, masked where they are masked. Source: console.md 1, rule 7; 5 (dates in sheets).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from console.web.lettering import local
from console.web.saying import english
from exchange.cells import Cell

MOST = 10_000
"""Rows of one workbook; a last one says where there are more."""
FEWER_THAN_ALL = MOST + 1
"""So many are asked for where a table is read at once: whether there are more is known then."""


class Shown(NamedTuple):
    """A table as a page shows it: its Chinese title, its heads in both languages, its rows, and what it shows.

    `rows` may be read one by one: no more of them are than a workbook has. `name` is the query of the page, or what
    else it is about; it names nobody. `names_people`: whoever takes it along proves once more to be there.
    """

    title: str
    heads: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    name: str
    names_people: bool = True


def both(*texts: str) -> list[str]:
    """Heads in both languages, the Chinese first."""
    return [f"{one} {english()[one]}" for one in texts]


def minute(moment: datetime | str | None) -> str | None:
    """A moment as a cell has it: 2024-05-15 17:31."""
    return None if moment is None else local(moment).strftime("%Y-%m-%d %H:%M")
