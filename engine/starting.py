"""What starts with a batch or a term: the cases that an event of the registry opens, about students, units and lists.

The system opens them, for whoever caused the event; those whose opening guards do not hold are counted, not opened.
Source: the definition language, section 5 (`when`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from engine.acting import carry_out_openings
from engine.actors import Actor, Grant
from engine.casework import open_case
from engine.causing import LinkedRefusal
from engine.definition import Definition
from engine.desk import Desk
from engine.eligibility import works_by
from engine.errors import AlreadyOpen, NotAllowed, StaleCase, TransitionNotOpen
from engine.fetching import Fetched, Neighbourhood
from engine.neighbours import unit_kind
from engine.opening import Opened, Subject, holder, open_one, record_refused_opening
from engine.records import Json, Moved, Refused, Request
from engine.store import students
from engine.store.database import CONTENTION_ERRORS
from engine.store.relations import lock_students
from engine.store.students import StudentRow

_CHUNK = 200
"""How many cases are opened in one transaction: others wait for SQLite's one writer meanwhile."""


class Opening(NamedTuple):
    """A definition whose cases start with the event, and the transition that opens them."""

    definition: Definition
    trigger: str


class About(NamedTuple):
    """What a case is about, as people name it: a student by number, with the row's, or a unit by code."""

    name: str
    student: int | None = None


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
        start = replace(request, trigger=trigger, actor=actor, id=None)
        subjects = _subjects(desk, definition, paths)
        for first in range(0, len(subjects), _CHUNK):
            chunk = subjects[first : first + _CHUNK]
            opened, tried = opened + _open_chunk(desk, definition, chunk, start, cause), tried + len(chunk)
            progress(len(chunk))
    return Counted(opened, tried - opened)


def _subjects(desk: Desk, definition: Definition, paths: tuple[str, ...]) -> list[About]:
    """What the cases of a definition are about below some units."""
    units = {
        code: unit
        for code, unit in desk.units().items()
        if unit.path.startswith(paths) and works_by(desk, code, definition.profile)
    }
    if "student" in definition.about:
        return [About(row.student_no, row.id) for row in students.students(desk.connection) if row.unit in units]
    kind = unit_kind(definition)
    return [About(code) for code, unit in units.items() if unit.kind == kind]


def _open_chunk(
    desk: Desk, definition: Definition, chunk: Sequence[About], request: Request, cause: Mapping[str, Json]
) -> int:
    """Open cases in one transaction, or, where one of them cannot be opened in company, each in its own."""
    desk.refresh()
    try:
        return open_together(desk, definition, chunk, request, cause)
    except (LinkedRefusal, StaleCase, AlreadyOpen, TransitionNotOpen, NotAllowed, *CONTENTION_ERRORS):
        return sum(_open_alone(desk, definition, one, request, cause) for one in chunk)


def open_together(
    desk: Desk,
    definition: Definition,
    chunk: Sequence[About],
    request: Request,
    cause: Mapping[str, Json] | None = None,
) -> int:
    """Open cases in one transaction, and count them; those that are open already, or that rules refuse, are left.

    Args:
        desk: Where the cases will be worked.
        definition: Whose cases they are.
        chunk: What they are about, each once.
        request: By whom, when, by which opening, and the dimensions.
        cause: The event that opens them, where that is not a person.

    Raises:
        LinkedRefusal, StaleCase, AlreadyOpen, TransitionNotOpen, NotAllowed: If one cannot be opened in company.
    """
    machine = desk.machine(desk.hash_of(definition))
    opened: list[Opened] = []
    with desk.connection.writing():
        held = _held(desk, chunk)
        _, last = students.last_ids(desk.connection)
        for subject in held:
            outcome = open_one(desk, machine, subject, last + len(opened) + 1, request, cause=cause)
            if isinstance(outcome, Refused):
                record_refused_opening(desk, machine, subject, outcome)
            elif holder(desk, outcome) is None:
                opened.append(outcome)
        carry_out_openings(desk, opened, request)
    return len(opened)


def _open_alone(desk: Desk, definition: Definition, about: About, request: Request, cause: Mapping[str, Json]) -> bool:
    try:
        return isinstance(open_case(desk, definition.workflow, about.name, request, cause=cause), Moved)
    except AlreadyOpen:
        return False


def _held(desk: Desk, chunk: Sequence[About]) -> list[Subject]:
    """What the cases are about as it stands now, the students locked for the rest of the transaction."""
    lock_students(desk.connection, [one.student for one in chunk if one.student])
    rows = students.by_numbers(desk.connection, [one.name for one in chunk if one.student])
    fetched = Fetched(Neighbourhood(desk.connection, [one.student for one in chunk]), {})
    return [_subject(one, rows, fetched) for one in chunk]


def _subject(about: About, rows: Mapping[str, StudentRow], fetched: Fetched) -> Subject:
    if about.student is None:
        return Subject(about.name)
    row = rows[about.name]
    return Subject(row.unit, row, fetched)
