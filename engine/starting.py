"""What starts with a batch or a term: the cases that an event of the registry opens, about students, units and lists.

The system opens them, for whoever caused the event; those whose opening guards do not hold are counted, not opened.
Source: the definition language, section 5 (`when`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from engine.actors import Actor, Grant
from engine.casework import open_case
from engine.definition import Definition
from engine.desk import Desk
from engine.eligibility import works_by
from engine.errors import AlreadyOpen
from engine.neighbours import unit_kind
from engine.records import Json, Moved, Request
from engine.store import students


class Opening(NamedTuple):
    """A definition whose cases start with the event, and the transition that opens them."""

    definition: Definition
    trigger: str


class Counted(NamedTuple):
    """How many cases were opened, and how many were not: their guards do not hold, or they are open already."""

    opened: int
    not_opened: int


def openings(desk: Desk, profile: str, when: str) -> Iterator[Opening]:
    """What starts with such an event in a profile, lists included; drafts are opened by nobody but a person."""
    for definition in desk.library.machines_of(profile).values():
        if definition.status == "published":
            for trigger, one in definition.openings.items():
                if one.when == when:
                    yield Opening(definition, trigger)


def open_with(
    desk: Desk,
    starting: Sequence[Opening],
    below: Iterable[str],
    request: Request,
    *,
    cause: Mapping[str, Json],
    progress: Callable[[int], None],
) -> Counted:
    """Open what starts with an event, about everybody and everything it concerns.

    Args:
        desk: Where the cases will be worked.
        starting: What starts.
        below: The units it concerns, each with everything below it that works by the same profile.
        request: By whom, when, and the dimensions the event gives; its trigger is what `when` calls the event.
        cause: The event.
        progress: Told of cases tried.
    """
    actor = Actor(login=request.actor.login, grants=(Grant(role=request.trigger, unit="", path=""),))
    paths = tuple(desk.units()[unit].path for unit in below)
    opened = tried = 0
    for definition, trigger in starting:
        for about in _subjects(desk, definition, paths):
            start = replace(request, trigger=trigger, actor=actor, id=None)
            try:
                outcome = open_case(desk, definition.workflow, about, start, cause=cause)
            except AlreadyOpen:
                outcome = None
            opened, tried = opened + isinstance(outcome, Moved), tried + 1
            progress(1)
    return Counted(opened, tried - opened)


def _subjects(desk: Desk, definition: Definition, paths: tuple[str, ...]) -> list[str]:
    """What the cases of a definition are about below some units: students by number, or units by code."""
    units = {
        code: unit
        for code, unit in desk.units().items()
        if unit.path.startswith(paths) and works_by(desk, code, definition.profile)
    }
    if "student" in definition.about:
        return [row.student_no for row in list(students.students(desk.connection)) if row.unit in units]
    kind = unit_kind(definition)
    return [code for code, unit in units.items() if unit.kind == kind]
