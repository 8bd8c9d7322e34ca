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
from engine.store.cases import waiting_in
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
    for shape, state, role, triggers in _places(desk, actor):
        for grant in actor.grants:
            if grant.role != role:
                continue
            for one in waiting_in(desk.connection, (shape, state, *below(grant.path)), limit):
                open_to = tuple(t for t in triggers if not _took_part(desk, shape, t, one.taken, actor.login))
                if open_to:
                    found.setdefault(
                        one.id,
                        Waiting(
                            case=one.id,
                            number=one.number,
                            revision=one.revision,
                            student_no=one.student_no,
                            workflow=desk.definition(shape).workflow,
                            shape=shape,
                            state=state,
                            unit=one.unit,
                            batch=one.batch,
                            since=one.entered_at,
                            role=role,
                            triggers=open_to,
                        ),
                    )
    return tuple(sorted(found.values(), key=lambda one: (one.since, one.student_no or "", one.case)))


def _places(desk: Desk, actor: Actor) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Every (shape, state, role) in which cases can wait for a role the person holds, with the steps open there."""
    roles = {grant.role for grant in actor.grants}
    for shape in desk.shapes_in_use():
        machine = desk.machine(shape)
        for state, one in machine.definition.states.items():
            if one.rests or one.final:
                continue
            for role in sorted(roles):
                triggers = tuple(
                    trigger
                    for trigger in machine.open_triggers(state)
                    if (step := machine.step(state, trigger)).transition.kind is MoveKind.ADVANCE
                    and any(who.acting_role == role for who, _ in step.entitled)
                    and (not one.queue or role in one.queue)
                )
                if triggers:
                    yield shape, state, role, triggers


def _took_part(desk: Desk, shape: str, trigger: str, taken: dict[str, list[str]], login: str) -> bool:
    machine = desk.machine(shape)
    apart = next((step.apart for _, step in machine.steps() if step.trigger == trigger), ())
    return any(login in taken.get(other, ()) for other in apart)
