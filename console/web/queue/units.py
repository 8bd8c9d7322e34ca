"""The queue of somebody with many units: first by unit, then the cases of one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

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


class Branch(NamedTuple):
    """Units that stand under the same one, and what is theirs together; that is None where all stand under one."""

    sum: UnitLine | None
    units: tuple[UnitLine, ...]

    @property
    def total(self) -> int:
        """All that wait."""
        return sum(one.total for one in self.units)


def by_unit(visit: Visit, asked: Filter, waiting: Waiting) -> tuple[Branch, ...] | None:
    """What waits for the person by unit, and what was done today; None where few, at one unit, or narrowed down."""
    if asked.is_narrow or asked.case or asked.sort or waiting.total <= _FEW:
        return None
    here = waiting.by_unit()
    if len(here) <= 1:
        return None
    units, opened = visit.desk.units(), opened_by(visit)
    seen = waiting.by_unit(frozenset(opened)) if opened else {}
    done = desk_work.decided_at(visit.desk.connection, visit.login, midnight(visit))
    under: defaultdict[str, list[UnitLine]] = defaultdict(list)
    for path in {*here, *done}:
        above, _, code = path.rstrip("/").rpartition("/")
        lanes = here.get(path, Counter[Lane]())
        line = UnitLine(
            code=code, name=units[code].name if code in units else code, blocked=lanes[Lane.BLOCKED],
            look=lanes[Lane.LOOK], ready=lanes[Lane.READY], seen=seen.get(path, Counter[Lane]()).total(),
            done=done.get(path, 0), address=asked.address(unit=code),
        )  # fmt: skip
        under[above.rpartition("/")[2]].append(line)
    found = [
        Branch(
            _sum(code, units[code].name, lines, asked) if len(under) > 1 and code in units else None,
            tuple(sorted(lines, key=lambda one: (-one.total, one.code))),
        )
        for code, lines in under.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.total, one.units[0].code)))


def _sum(code: str, name: str, lines: Sequence[UnitLine], asked: Filter) -> UnitLine:
    return UnitLine(
        code=code, name=name, blocked=sum(one.blocked for one in lines), look=sum(one.look for one in lines),
        ready=sum(one.ready for one in lines), seen=sum(one.seen for one in lines),
        done=sum(one.done for one in lines), address=asked.address(unit=code),
    )  # fmt: skip
