"""The queue of somebody with many units: first by unit, then the cases of one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from console.web.queue.filtering import Filter
from console.web.queue.view import midnight
from console.web.queue.waiting import Waiting, opened_by
from console.web.visit import Visit
from engine.lanes import Lane
from engine.store import desk_work

_FEW = 60
"""So many cases are gone through at once, wherever they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLine:
    """One unit: how many cases of each lane wait there, and the address of exactly those.

    Attributes:
        seen: How many of them the person has opened since they came.
        done: How many cases of the unit they have decided today.
    """

    code: str
    name: str
    blocked: int
    look: int
    ready: int
    seen: int
    done: int
    address: str

    @property
    def total(self) -> int:
        """All that wait."""
        return self.blocked + self.look + self.ready


def by_unit(visit: Visit, asked: Filter, waiting: Waiting) -> tuple[UnitLine, ...] | None:
    """What waits for the person by unit, and what was done today; None where few, at one unit, or narrowed down."""
    if asked.is_narrow or asked.case or asked.sort or waiting.total <= _FEW:
        return None
    here = waiting.by_unit()
    if len(here) <= 1:
        return None
    units, opened = visit.desk.units(), opened_by(visit)
    seen = waiting.by_unit(frozenset(opened)) if opened else {}
    done = desk_work.decided_at(visit.desk.connection, visit.login, midnight(visit))
    lines = []
    for path in {*here, *done}:
        code, lanes = path.rstrip("/").rpartition("/")[2], here.get(path, Counter[Lane]())
        line = UnitLine(
            code=code, name=units[code].name if code in units else code, blocked=lanes[Lane.BLOCKED],
            look=lanes[Lane.LOOK], ready=lanes[Lane.READY], seen=seen.get(path, Counter[Lane]()).total(),
            done=done.get(path, 0), address=asked.address(unit=code),
        )  # fmt: skip
        lines.append(line)
    return tuple(sorted(lines, key=lambda one: (-one.total, one.code)))
