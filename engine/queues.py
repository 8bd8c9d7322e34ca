"""Queues (待办): which cases wait for whom.

A queue is read, not kept: every column of it is a function of the case's row and its pinned definition, so there is
nothing that could disagree with the case. The index (shape, state, path) answers it in one range per right held.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.actors import Actor
from engine.definition import MoveKind
from engine.desk import Desk
from engine.steps import Machine, Step
from engine.store.cases import WaitingRow, waiting_in
from engine.store.students import below


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One case waiting: for whom (`role` at `unit`), since when, and the steps that person may take."""

    case: int
    number: str
    revision: int
    student_no: str | None
    workflow: str
    shape: str
    state: str
    unit: str
    batch: str | None
    since: str
    role: str
    triggers: tuple[str, ...]


def waiting_for(desk: Desk, actor: Actor, *, limit: int = 10_000) -> tuple[Waiting, ...]:
    """What waits for a person, longest waiting first; at most `limit` from each place it can wait in.

    A case the person may not take, because of who took its earlier steps (G-SG-08), is not in their queue.
    """
    desk.refresh()
    found: dict[int, Waiting] = {}
    for place in _places(desk, actor):
        for grant in actor.grants:
            if grant.role == place.role:
                for row in waiting_in(desk.connection, (place.shape, place.state, *below(grant.path)), limit):
                    waiting = _waiting(place, row, actor.login)
                    if waiting is not None:
                        found.setdefault(row.id, waiting)
    return tuple(sorted(found.values(), key=lambda one: (one.since, one.student_no or "", one.case)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where cases can wait for a role: a state of a definition, and the steps that role takes from it."""

    workflow: str
    shape: str
    state: str
    role: str
    steps: tuple[Step, ...]


def _places(desk: Desk, actor: Actor) -> Iterator[_Place]:
    """Every place in which cases can wait for a role the person holds."""
    roles = sorted({grant.role for grant in actor.grants})
    for shape in desk.shapes_in_use():
        machine = desk.machine(shape)
        for state, one in machine.definition.states.items():
            if one.rests or one.final:
                continue
            for role in roles if not one.queue else [role for role in roles if role in one.queue]:
                steps = tuple(
                    step
                    for trigger in machine.open_triggers(state)
                    if _leads_on(machine, step := machine.step(state, trigger)) and _taken_by(step, role)
                )
                if steps:
                    yield _Place(workflow=machine.definition.workflow, shape=shape, state=state, role=role, steps=steps)


def _leads_on(machine: Machine, step: Step) -> bool:
    """Whether a case waits for this step: an advance, and not one that may as well be taken at rest (a withdrawal)."""
    is_advance = step.transition.kind is MoveKind.ADVANCE
    return is_advance and not any(machine.rests(origin) for origin in step.transition.origins)


def _taken_by(step: Step, role: str) -> bool:
    return any(who.acting_role == role for who, _ in step.entitled)


def _waiting(place: _Place, row: WaitingRow, login: str) -> Waiting | None:
    """The case as it waits for a person: without steps the person is barred from, or marks already made."""
    triggers = tuple(
        step.trigger
        for step in place.steps
        if not any(login in row.taken.get(other, ()) for other in step.apart)
        and (step.targets or step.trigger not in row.taken)
    )
    if not triggers:
        return None
    return Waiting(
        case=row.id,
        number=row.number,
        revision=row.revision,
        student_no=row.student_no,
        workflow=place.workflow,
        shape=place.shape,
        state=place.state,
        unit=row.unit,
        batch=row.batch,
        since=row.entered_at,
        role=place.role,
        triggers=triggers,
    )
