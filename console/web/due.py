"""The line under the bar: what of a batch is due within three working days, for those whose units work by it.

The batches are read once for each length of the registry's chain: what changes them is written there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from engine.definition import Bilingual
from engine.desk import Desk
from engine.eligibility import works_by
from engine.expressions.functions import end_of_day
from engine.expressions.kinds import decode, parse_kind
from engine.store.registry import BatchRow

_UNTIL = "_by"
"""How the vocabulary calls the days of a batch by which something is to be done."""


class Due(NamedTuple):
    """What is due next, and when: several things that are due together are named together."""

    titles: tuple[Bilingual, ...]
    at: datetime


class Batches:
    """The published batches of a house."""

    def __init__(self) -> None:
        self._known: tuple[int, list[BatchRow]] = (-1, [])

    def of(self, desk: Desk, registry: int) -> Sequence[BatchRow]:
        """The batches as they are while the registry's chain is so long."""
        known = self._known
        if known[0] != registry:
            known = self._known = (registry, desk.every_batch())
        return known[1]


def nearest(
    desk: Desk, batches: Iterable[BatchRow], units: Sequence[str], is_near: Callable[[datetime], bool]
) -> Due | None:
    """What is due next for people of some units; None where nothing is near."""
    mine = (row for row in batches if any(works_by(desk, unit, row.profile) for unit in units))
    found = [one for row in mine for one in _days(desk, row) if is_near(one[0])]
    first = min((at for at, _ in found), default=None)
    return None if first is None else Due(tuple(dict.fromkeys(words for at, words in found if at == first)), first)


def _days(desk: Desk, row: BatchRow) -> Iterator[tuple[datetime, Bilingual]]:
    kind = desk.library.rulebook.vocabulary.batch.get(row.kind)
    for name, field in () if kind is None else kind.fields.items():
        value = decode(parse_kind(field.type), row.values.get(name)) if name.endswith(_UNTIL) else None
        at = value if isinstance(value, datetime) else end_of_day(value) if isinstance(value, date) else None
        if at is not None:
            yield at, field.title
