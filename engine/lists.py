"""Lists (名单): members are gathered live, fixed when the list freezes, and let go when it comes back.

Source: the definition language, section 7.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from engine import lanes
from engine.definition import CANCELLED, NEW, Definition
from engine.desk import Desk
from engine.neighbours import named, unit_kind
from engine.outline import fields_about
from engine.records import Case, Json, Moved, Request
from engine.seating import block_of
from engine.sight import Seeing
from engine.steps import Machine
from engine.store.cases import Found, cases_at, holder_of
from engine.store.lists import Place, freeze, frozen_members, release, wait_at
from engine.store.relations import Neighbour
from engine.trail.event import canonical, chain_name

MEMBERS = "members"
"""Who opens a list that starts with its first member."""


def fix_members(desk: Desk, machine: Machine, before: Case, moved: Moved, request: Request) -> None:
    """Fix the members of a list that freezes, and say in its event when they are fixed or let go."""
    if machine.definition.members is None:
        return
    was, will = machine.definition.is_fixed(before.state), machine.definition.is_fixed(moved.case.state)
    if will and not was:
        sight = Seeing(desk, machine, Found(case=moved.case, known={}, student_no=None, record=None), request)
        members = [one.case for one in sight.candidates()]
        freeze(desk.connection, moved.case.id, machine.definition.workflow, members)
        lanes.settle(desk, [one.id for one in members], request)
        moved.data["members"] = {"count": len(members), "sha256": digest_of(members)}
    elif was and not will:
        moved.data["members"] = None


def release_members(desk: Desk, machine: Machine, moved: Moved, request: Request) -> None:
    """Let the members of a list go that is not fixed any more; only once all that the step causes in them is done."""
    definition, state = machine.definition, moved.case.state
    if definition.members is None or not (definition.is_final(state) or not definition.is_fixed(state)):
        return
    members = [one.case.id for one in frozen_members(desk.connection, moved.case.id)]
    if not definition.is_fixed(state):
        release(desk.connection, moved.case.id)
    lanes.settle(desk, members, request)


def digest_of(members: Iterable[Case]) -> str:
    """What commits to the members of a list: their numbers and states, and with their heads all their history."""
    rows: list[Json] = [[chain_name(one.id), one.state, one.head.hash.hex()] for one in members]
    return hashlib.sha256(canonical(rows)).hexdigest()


def wait_elsewhere(desk: Desk, machine: Machine, found: Found, request: Request) -> None:
    """Write anew for whom a case waits at other units than its own: signatures, and steps taken `at` another unit."""
    if machine.waits_elsewhere:
        wait_at(desk.connection, found.case.id, _places(machine, found.case, Seeing(desk, machine, found, request)))


def _places(machine: Machine, case: Case, sight: Seeing) -> Iterator[Place]:
    for trigger in machine.open_triggers(case.state):
        step = machine.step(case.state, trigger)
        if step.signing is not None:
            for seat in block_of(step, case, sight).turn:
                yield Place(trigger=trigger, slot=seat.name, role=seat.who.acting_role, unit=seat.unit, path=seat.path)
        for who in step.transition.by:
            place = None if who.at is None else sight.place(who.at)
            if place is not None:
                yield Place(trigger=trigger, slot="", role=who.acting_role, unit=place[0], path=place[1])


class Start(NamedTuple):
    """A list that opens because its first member has appeared."""

    definition: Definition
    trigger: str
    unit: str
    fields: dict[str, Json]


def lists_to_start(desk: Desk, machine: Machine, found: Found, request: Request) -> Iterator[Start]:
    """The lists that open now: those a case, as it stands, is the first member of, and the one after a list that ended.

    While a list is frozen nobody joins it; where its kind allows only one at a time, who comes too late for it waits
    until it has ended, and then starts the next.
    """
    own, case = machine.definition, found.case
    if machine.may_start_lists(case.state):
        lists = (one for name in machine.gathered_by for one in named(desk, own.profile, name))
        yield from (one for one in _missing(desk, lists, found, request) if _takes(desk, one, found, request))
    if own.members is not None and case.state != CANCELLED and own.is_final(case.state):
        again = _missing(desk, named(desk, own.profile, own.workflow), found, request)
        yield from (one for one in again if _sight(desk, one, found, request).candidates())


def _missing(desk: Desk, lists: Iterable[Definition], found: Found, request: Request) -> Iterator[Start]:
    """How those lists open beside a case that wait for members and are not there yet."""
    for definition in lists:
        kind = unit_kind(definition)
        unit = found.case.unit if kind is None else desk.unit_above(found.case.unit, kind)
        for trigger, opening in definition.openings.items():
            if unit is not None and any(who.role == MEMBERS for who in opening.by):
                shared = {name: found.case.fields.get(name) for name in fields_about(definition)}
                start = _told_apart(desk, Start(definition, trigger, unit, shared), found, request)
                if not _is_there(desk, start):
                    yield start


def _told_apart(desk: Desk, start: Start, found: Found, request: Request) -> Start:
    """The start with all that tells the list apart: what the case does not say starts as the list defines it."""
    if None not in start.fields.values():
        return start
    started = _sight(desk, start, found, request).starting_fields()
    said = ((name, started.get(name) if value is None else value) for name, value in start.fields.items())
    return start._replace(fields={name: value for name, value in said if value is not None})


def _is_there(desk: Desk, start: Start) -> bool:
    """Whether there is such a list: any, where its kind allows but one, else one that still gathers."""
    definition = start.definition
    if definition.unique != "never":
        key = ":".join([definition.workflow, start.unit, *(str(value) for value in start.fields.values())])
        return holder_of(desk.connection, key) is not None
    return any(
        all(one.fields.get(name) == value for name, value in start.fields.items())
        and not (definition.is_final(one.state) or definition.is_fixed(one.state))
        for one in cases_at(desk.connection, definition.workflow, start.unit)
    )


def _takes(desk: Desk, start: Start, found: Found, request: Request) -> bool:
    """Whether the list would take the case in."""
    candidate = Neighbour(case=found.case, facts=dict(found.facts))
    return bool(_sight(desk, start, found, request).chosen([candidate]))


def _sight(desk: Desk, start: Start, found: Found, request: Request) -> Seeing:
    """What the list about to be opened sees."""
    machine = desk.machine(desk.hash_of(start.definition))
    list_to_be = found.case._replace(
        id=0,
        workflow=start.definition.workflow,
        shape=machine.shape,
        student=None,
        unit=start.unit,
        path=desk.units()[start.unit].path,
        state=NEW,
        fields=start.fields,
    )
    return Seeing(desk, machine, Found(case=list_to_be, known={}, student_no=None, record=None), request)
