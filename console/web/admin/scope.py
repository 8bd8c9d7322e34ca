"""What an administrator looks after: the own units and everything below them; of other people and units nothing."""

from __future__ import annotations

from collections.abc import Sequence

from console.web.faults import NotFound
from console.web.visit import Visit
from engine.delegating import LOOKS_AFTER_PEOPLE
from engine.store.registry import UnitRow
from engine.trail.event import moment


def own_paths(visit: Visit) -> tuple[str, ...]:
    """The paths of the units at which the visitor looks after people, held or lent; none lies below another."""
    lent = (one for one in visit.actor.lent_at(moment(visit.at)) if one.case is None)
    found = {one.path for one in (*visit.actor.grants, *lent) if one.role == LOOKS_AFTER_PEOPLE}
    return tuple(sorted(one for one in found if not any(one != other and one.startswith(other) for other in found)))


def is_own(visit: Visit, unit: str) -> bool:
    """Whether the visitor looks after a unit, by its code."""
    row = visit.desk.units().get(unit)
    return row is not None and row.path.startswith(own_paths(visit) or ("-",))


def own_units(visit: Visit) -> Sequence[UnitRow]:
    """The units the visitor looks after, each below the one it belongs to."""
    paths = own_paths(visit) or ("-",)
    return [one for one in visit.desk.units().values() if one.path.startswith(paths)]


def own_unit(visit: Visit, code: str) -> UnitRow:
    """One unit the visitor looks after.

    Raises:
        NotFound: If there is none of that code, or it is somebody else's.
    """
    if not is_own(visit, code):
        raise NotFound
    return visit.desk.units()[code]
