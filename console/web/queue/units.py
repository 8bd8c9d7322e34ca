"""The queue of somebody with many units: first by unit, then the cases of one."""

from __future__ import annotations

from dataclasses import dataclass

from console.web.queue.filtering import Filter
from console.web.queue.waiting import Waiting
from console.web.visit import Visit
from engine.lanes import Lane

_FEW = 60
"""So many cases are gone through at once, wherever they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLine:
    """One unit: how many cases of each lane wait there, and the address of exactly those."""

    code: str
    name: str
    blocked: int
    look: int
    ready: int
    address: str

    @property
    def total(self) -> int:
        """All of them."""
        return self.blocked + self.look + self.ready


def by_unit(visit: Visit, asked: Filter, waiting: Waiting) -> tuple[UnitLine, ...] | None:
    """What waits for the person by unit; None where that is few, at one unit, or already narrowed down."""
    if asked.is_narrow or asked.case or asked.sort or waiting.total <= _FEW:
        return None
    here = waiting.by_unit()
    if len(here) <= 1:
        return None
    units = visit.desk.units()
    lines = [
        UnitLine(
            code=code, name=units[code].name if code in units else code, blocked=lanes[Lane.BLOCKED],
            look=lanes[Lane.LOOK], ready=lanes[Lane.READY], address=asked.address(unit=code),
        )
        for code, lanes in ((path.rstrip("/").rpartition("/")[2], lanes) for path, lanes in here.items())
    ]  # fmt: skip
    return tuple(sorted(lines, key=lambda one: (-one.total, one.code)))
