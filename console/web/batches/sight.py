"""What a visitor sees of a batch: the units at the top of their sight, and how the address narrows the figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from console.web.batches.rolls import MARKS
from console.web.faults import NotFound
from console.web.visit import Visit
from engine.definition import Definition
from engine.figures import Standing
from engine.store.registry import UnitRow

UNIT_COLUMNS = ("gap", "unit", "students", "filed", "unready", "ready", "waiting", "forecast")
"""What the table of units can be sorted by; the first is how it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What the address says: which unit, which students, in which order. The address is the filter.

    Attributes:
        unit: The code of the unit at the top; empty: everything the visitor sees.
        marks: The facts that must be so, by name.
        sort: The column the units are sorted by, with a `-` before it for the other direction.
    """

    unit: str = ""
    marks: Mapping[str, str]
    sort: str = UNIT_COLUMNS[0]

    def admits(self, one: Standing) -> bool:
        """Whether a student is among those the figures count."""
        return all(str(one.marks.get(name)) == value for name, value in self.marks.items())

    def query(self, **changes: str) -> str:
        """The address part that says the same, with changes; an empty one leaves a word out."""
        said = {**self.marks, "unit": self.unit, "sort": "" if self.sort == UNIT_COLUMNS[0] else self.sort, **changes}
        kept = {name: value for name, value in said.items() if value}
        return f"?{urlencode(kept)}" if kept else ""


def narrowing_of(visit: Visit) -> Narrowing:
    """What the address of a visit says; words that mean nothing are left aside."""
    given = visit.request.query_params
    sort = given.get("sort", "")
    return Narrowing(
        unit=given.get("unit", ""),
        marks={name: given[name] for name in MARKS if given.get(name)},
        sort=sort if sort.removeprefix("-") in UNIT_COLUMNS else UNIT_COLUMNS[0],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The units a visitor sees of a batch.

    Attributes:
        top: The unit all of it lies below; where the visitor has several rights, more may lie below it.
        paths: The paths at or below which everything is seen.
    """

    top: UnitRow
    paths: tuple[str, ...]

    def covers(self, path: str) -> bool:
        """Whether a unit is seen."""
        return path.startswith(self.paths)


def sight_of(visit: Visit, definition: Definition, unit: str) -> Sight:
    """What a visitor sees of the records of a definition, of it the unit that is asked for.

    Raises:
        NotFound: If that is nothing.
    """
    paths = _highest(
        scope.path
        for scope in visit.visible.scopes
        if scope.student is None
        and scope.case is None
        and (scope.workflows is None or definition.workflow in scope.workflows)
    )
    units = visit.desk.units()
    if not paths:
        raise NotFound
    sight = Sight(top=_common(units, paths), paths=paths)
    if not unit:
        return sight
    asked = units.get(unit)
    if asked is None:
        raise NotFound
    if sight.covers(asked.path):
        return Sight(top=asked, paths=(asked.path,))
    below = tuple(path for path in paths if path.startswith(asked.path))
    if not below:
        raise NotFound
    return replace(sight, top=asked, paths=below)


def profiles_in_sight(visit: Visit) -> frozenset[str]:
    """The profiles by which the units work that a visitor sees: their own, and those named above them."""
    paths = [scope.path for scope in visit.visible.scopes if scope.student is None and scope.case is None]
    return frozenset(
        unit.profile
        for unit in visit.desk.units().values()
        if unit.profile is not None and any(unit.path.startswith(path) or path.startswith(unit.path) for path in paths)
    )


def _highest(paths: Iterable[str]) -> tuple[str, ...]:
    """Of some paths those that lie below no other."""
    found: list[str] = []
    for path in sorted(set(paths), key=len):
        if not path.startswith(tuple(found)):
            found.append(path)
    return tuple(sorted(found))


def _common(units: Mapping[str, UnitRow], paths: tuple[str, ...]) -> UnitRow:
    """The lowest unit that all paths lie at or below."""
    above = [unit for unit in units.values() if all(path.startswith(unit.path) for path in paths)]
    if not above:
        raise NotFound
    return max(above, key=lambda one: len(one.path))
