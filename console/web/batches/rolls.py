"""The rolls this process has called, one set for each database it serves, and what was counted from them last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import TypeVar
from weakref import WeakKeyDictionary

from console.web.desks import Desks
from console.web.visit import Visit
from engine.roll_call import Roll, Rolls

MARKS = ("level", "cohort", "major_code")
"""The facts by which the figures of a batch can be narrowed."""
_MOST = 64
Counted = TypeVar("Counted")


class _Shelf:
    """The rolls of one database, and the last figures asked for."""

    def __init__(self) -> None:
        self.rolls = Rolls(MARKS)
        self._lock = Lock()
        self._counted: OrderedDict[Hashable, object] = OrderedDict()

    def counted(self, key: Hashable, count: Callable[[], Counted]) -> Counted:
        """Figures by what they depend on, counted once."""
        with self._lock:
            if key in self._counted:
                self._counted.move_to_end(key)
                return self._counted[key]  # type: ignore[return-value]  # kept under the key of what was counted
        found = count()
        with self._lock:
            self._counted[key] = found
            while len(self._counted) > _MOST:
                self._counted.popitem(last=False)
        return found


_SHELVES: WeakKeyDictionary[Desks, _Shelf] = WeakKeyDictionary()
_LOCK = Lock()


def shelf_of(visit: Visit) -> _Shelf:
    """The shelf of the database a visit is to."""
    with _LOCK:
        return _SHELVES.setdefault(visit.house.desks, _Shelf())


def roll_of(visit: Visit, batch: str) -> Roll:
    """The roll of a batch as things stand at a visit.

    Raises:
        Unknown: If the batch is not published, or nobody applies in batches of its kind.
    """
    return shelf_of(visit).rolls.of(visit.desk, batch, visit.at)
