"""Which steps a case waits for in a state, who takes them, and what their rules read.

Pure, over definitions as they are bound to a rulebook; found once for all cases.

Source: the definition language, sections 6 and 11.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from engine.definition import CANCELLED, NEW, MoveKind, Who
from engine.expressions.functions import DOCUMENT_ANSWERS, DOCUMENT_ROWS
from engine.expressions.tree import Source
from engine.rights import EFFECT
from engine.step import Step
from engine.steps import Machine

NO_STAFF = frozenset({"student", "members", "timer", "import", EFFECT})
"""Who takes steps without having a queue of work."""
_NO_UNITS = frozenset({"case", "record", "batch", ""})
_FAR = frozenset({"others", "members", "same_person"})
_CLOCK = frozenset({"today", "now", "term"})


class Way(NamedTuple):
    """One step that cases in a state wait for, with the roles that take it at a case's own unit.

    Of each role it is said whether only its holder in person may.
    """

    step: Step
    roles: tuple[tuple[str, bool], ...]


@lru_cache(maxsize=8192)
def ways_on(machine: Machine, state: str) -> tuple[Way, ...]:
    """The steps that cases in a state wait for, those that move a case first; none where they are in no queue."""
    if not _waits(machine, state):
        return ()
    steps = [machine.step(state, trigger) for trigger in machine.open_triggers(state)]
    onward = sorted((step for step in steps if leads_on(machine, step)), key=lambda step: not step.targets)
    return tuple(Way(step, tuple(_roles(machine, state, step))) for step in onward)


def _roles(machine: Machine, state: str, step: Step) -> dict[tuple[str, bool], None]:
    """The roles of staff that take a step at the case's own unit, each once, with whether only in person."""
    found: dict[str, bool] = {}
    for who, _ in step.entitled:
        role = who.acting_role
        is_staff = role not in NO_STAFF or who.delegates is not None  # a student may leave it to staff
        if who.at is None and is_staff and in_queue_of(machine, state, role):
            found.setdefault(role, only_in_person(who))
    return dict.fromkeys(found.items())


def only_in_person(who: Who) -> bool:
    """Whether nobody may be lent the right: done in person, and left to nobody."""
    return who.in_person and who.delegates is None


def in_queue_of(machine: Machine, state: str, role: str) -> bool:
    """Whether cases in a state are in the queue of a role at all."""
    if not _waits(machine, state):
        return False
    queue = machine.definition.states[state].queue
    return not queue or role in queue


def _waits(machine: Machine, state: str) -> bool:
    if state in (NEW, CANCELLED):
        return False
    one = machine.definition.states[state]
    return not (one.rests or one.final)


def leads_on(machine: Machine, step: Step) -> bool:
    """Whether a case waits for this step: an advance, and not one that may as well be taken at rest (a withdrawal)."""
    is_advance = step.transition.kind is MoveKind.ADVANCE
    return is_advance and not any(machine.rests(origin) for origin in step.transition.origins)


@lru_cache(maxsize=8192)
def waits_for_staff(machine: Machine, state: str) -> bool:
    """Whether cases in a state can be in anybody's queue of work, here or at another unit."""
    return any(way.roles for way in ways_on(machine, state)) or (machine.waits_elsewhere and _waits(machine, state))


@lru_cache(maxsize=8192)
def asks_for_papers(machine: Machine, state: str) -> bool:
    """Whether the steps that cases wait for in a state ask for documents on the case."""
    steps = [one for way in ways_on(machine, state) for one in (way.step, *_by_slot(way.step))]
    readings = [machine.readings[key] for step in steps for key in step.others if key in machine.readings]
    functions = {source.function for reading in readings for source in reading.sources}
    return any(step.needs for step in steps) or not functions.isdisjoint((*DOCUMENT_ANSWERS, *DOCUMENT_ROWS))


class Reads(NamedTuple):
    """What the rules of the steps that cases wait for read beside the case itself.

    Attributes:
        facts: Of the student.
        batch: Fields of the case's batch.
        units: Facts of the case's unit, or of units above it.
        documents: They ask for documents on the case; files are heard anew with whatever is known.
        around: They look at other cases of the student, the record included.
        far: They look at cases of other students, members of a list, or cases of units.
        tables: They look rows of tables up.
        clock: What they say may change with the day.
    """

    facts: frozenset[str] = frozenset()
    batch: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    documents: bool = False
    around: bool = False
    far: bool = False
    tables: bool = False
    clock: bool = False


@lru_cache(maxsize=1024)
def reads_of(machine: Machine) -> Reads:
    """What the steps read that cases of a definition wait for in any of its states."""
    ways = [way for state in machine.definition.states for way in ways_on(machine, state)]
    steps = [one for way in ways for one in (way.step, *_by_slot(way.step))]
    keys = {key for step in steps for key in step.others}
    readings = [machine.readings[key] for key in keys if key in machine.readings]
    keys |= {key for reading in readings for key in reading.outer}
    functions = {source.function for reading in readings for source in reading.sources}
    parted = [key.partition(".") for key in keys if key not in machine.readings]
    groups = {group if dot else "" for group, dot, _ in parted}
    has_papers = any(step.needs for step in steps)
    of_student = "student" in machine.definition.about
    is_near = [of_student and machine.stays_with_student(one) for one in readings if _sees_cases(one.sources)]
    return Reads(
        facts=frozenset(key for step in steps for key in step.facts) | (keys & machine.stored),
        batch=frozenset(name for group, _, name in parted if group == "batch"),
        units=frozenset(name for group, dot, name in parted if dot and group.isidentifier() and group not in _NO_UNITS),
        documents=has_papers or not functions.isdisjoint((*DOCUMENT_ANSWERS, *DOCUMENT_ROWS)),
        around=True in is_near or "record" in groups,
        far=False in is_near or not functions.isdisjoint(_FAR),
        tables="rows" in functions,
        clock=not (keys.isdisjoint(_CLOCK) and functions.isdisjoint(("before", "within"))) or "case.late" in keys,
    )


def _by_slot(step: Step) -> tuple[Step, ...]:
    return () if step.signing is None else tuple(step.signing.steps.values())


def _sees_cases(sources: tuple[Source, ...]) -> bool:
    return any(source.function == "cases" for source in sources)
