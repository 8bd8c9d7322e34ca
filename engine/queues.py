"""Queues (待办): which cases wait for whom, and what for.

A queue is read, not kept: what waits at a case's own unit is a function of the case's row and its pinned definition,
so there is nothing that could disagree with it. The index (shape, state, path) answers it in one range per right held.
Only signatures and steps taken at another unit stand in rows of their own (`waiting`), which the act writes that
changes them: a case cannot be found by a unit it does not name.

Source: the definition language, sections 6 and 11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from engine.actors import Actor
from engine.definition import Slot, Who
from engine.desk import Desk
from engine.forward import in_queue_of, leads_on
from engine.records import NOTHING, Request
from engine.sight import Seeing
from engine.signing import on_paper, signers, votes
from engine.step import Step
from engine.steps import Machine
from engine.store import deadlines
from engine.store.cases import Found
from engine.store.deadlines import Row as DeadlineRow
from engine.store.delegations import handed_over
from engine.store.waiting import CaseRow, PlaceRow, Reach, frozen_in, waiting_elsewhere, waiting_in
from engine.trail.event import moment


class Task(NamedTuple):
    """One thing a person may do on a case: a step, or a signature of it in `slot`.

    `giver` is who lends the role (委派); None where it is the person's own.
    """

    trigger: str
    slot: str | None
    role: str
    giver: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One case waiting: since when, what that person may do on it, and which deadlines run."""

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
    tasks: tuple[Task, ...]
    deadlines: tuple[DeadlineRow, ...] = ()

    @property
    def role(self) -> str:
        """As what the person would act first of all."""
        return self.tasks[0].role

    @property
    def triggers(self) -> tuple[str, ...]:
        """The steps, each once."""
        return tuple(dict.fromkeys(task.trigger for task in self.tasks))

    @property
    def slots(self) -> Mapping[str, tuple[str, ...]]:
        """The places to sign that are this person's now, by step."""
        signed = [task for task in self.tasks if task.slot is not None]
        return {
            trigger: tuple(task.slot for task in signed if task.trigger == trigger and task.slot is not None)
            for trigger in dict.fromkeys(task.trigger for task in signed)
        }

    @property
    def givers(self) -> tuple[str, ...]:
        """Whose right the person would act by, each once; empty where everything is the person's own."""
        return tuple(dict.fromkeys(task.giver for task in self.tasks if task.giver is not None))


def waiting_for(desk: Desk, actor: Actor, at: datetime, *, limit: int = 10_000) -> tuple[Waiting, ...]:
    """What waits for a person, longest waiting first; at most `limit` from each place it can wait in.

    A case the person may not take is not in their queue: because of who took its earlier steps (G-SG-08), because it
    is about the person, because it stands on a frozen list, or because it was handed over to somebody else (转办).

    Args:
        desk: Where the cases are worked.
        actor: For whom; what others lend counts too, and is marked with the giver.
        at: Now; what was lent until before then counts no more.
        limit: How many at most.
    """
    desk.refresh()
    rights = tuple(_rights(actor, at))
    roles = tuple(dict.fromkeys(right.role for right in rights))
    asking = _Asking(
        desk, Request(trigger="queue", actor=actor, at=at), rights, handed_over(desk.connection, roles), limit
    )
    found: dict[int, tuple[CaseRow, dict[tuple[str, str | None], Task]]] = {}
    for row, task in (*_at_their_unit(asking, roles), *_elsewhere(asking)):
        found.setdefault(row.case.id, (row, {}))[1].setdefault((task.trigger, task.slot), task)
    clocks = deadlines.of_cases(desk.connection, list(found))
    waiting = [
        _waiting(desk, row, tuple(tasks.values()), tuple(clocks.get(case, ()))) for case, (row, tasks) in found.items()
    ]
    return tuple(sorted(waiting, key=lambda one: (one.since, one.student_no or "", one.case)))


class _Right(NamedTuple):
    """In what right a person acts, which cases it reaches, and who counts as acting: the person, and the giver."""

    role: str
    reach: Reach
    people: tuple[str, ...]

    @property
    def giver(self) -> str | None:
        return self.people[1] if len(self.people) > 1 else None


class _Asking(NamedTuple):
    """One person asking for the queue."""

    desk: Desk
    request: Request
    rights: tuple[_Right, ...]
    handed: Mapping[tuple[int, str], str]
    limit: int


class _Place(NamedTuple):
    """Where cases can wait for a role at their own unit: a state of a definition, and what the role takes there."""

    machine: Machine
    state: str
    role: str
    steps: tuple[tuple[Step, Who], ...]


class _Look(NamedTuple):
    """One case looked at for one person in one right; `frozen`: only the list it stands on may move it."""

    asking: _Asking
    machine: Machine
    right: _Right
    row: CaseRow
    frozen: bool

    def task(self, trigger: str, slot: str | None = None) -> tuple[CaseRow, Task]:
        return self.row, Task(trigger, slot, self.right.role, self.right.giver)


def _rights(actor: Actor, at: datetime) -> Iterator[_Right]:
    """The rights of a person, their own before those that are lent."""
    for grant in actor.grants:
        yield _Right(grant.role, Reach(path=grant.path), (actor.login,))
    if actor.student is not None:
        yield _Right("student", Reach(student=actor.student), (actor.login,))
    for grant in actor.lent_at(moment(at)):
        if grant.giver is not None:
            yield _Right(grant.role, Reach(path=grant.path, case=grant.case), (actor.login, grant.giver))


def _at_their_unit(asking: _Asking, roles: tuple[str, ...]) -> Iterator[tuple[CaseRow, Task]]:
    desk = asking.desk
    for place in _places(desk, roles):
        here = (place.machine.shape, place.state)
        frozen = _frozen(desk, here) if place.machine.is_gathered else frozenset()
        for right in asking.rights:
            if right.role != place.role:
                continue
            for row in waiting_in(desk.connection, here, right.reach, asking.limit):
                look = _Look(asking, place.machine, right, row, row.case.id in frozen)
                yield from (look.task(step.trigger) for step, who in place.steps if _is_open(look, step, who))


def _places(desk: Desk, roles: tuple[str, ...]) -> Iterator[_Place]:
    """Every place in which cases can wait for some roles at their own unit."""
    for shape in desk.shapes_in_use():
        machine = desk.machine(shape)
        for state in machine.definition.states:
            every = [machine.step(state, trigger) for trigger in machine.open_triggers(state)]
            onward = [step for step in every if leads_on(machine, step)]
            for role in (one for one in roles if onward and in_queue_of(machine, state, one)):
                taken = ((step, _taken_by(step, role)) for step in onward)
                steps = tuple((step, who) for step, who in taken if who is not None)
                if steps:
                    yield _Place(machine, state, role, steps)


def _taken_by(step: Step, role: str, *, elsewhere: bool = False) -> Who | None:
    """What the definition says of a role that takes a step, at the case's unit or elsewhere; None if it does not."""
    by = (who for who, _ in step.entitled if who.acting_role == role)
    return next((who for who in by if (who.at is not None) == elsewhere), None)


def _frozen(desk: Desk, place: tuple[str, str]) -> frozenset[int]:
    """The cases of a place that nobody moves but the list they stand on."""
    held = frozen_in(desk.connection, place)
    return frozenset(case for case, shape, state in held if not desk.definition(shape).is_final(state))


def _elsewhere(asking: _Asking) -> Iterator[tuple[CaseRow, Task]]:
    desk = asking.desk
    frozen: dict[tuple[str, str], frozenset[int]] = {}
    for right in asking.rights:
        for place in waiting_elsewhere(desk.connection, right.role, right.reach, asking.limit):
            case = place.waiting.case
            machine, here = desk.machine(case.shape), (case.shape, case.state)
            if here not in frozen:
                frozen[here] = _frozen(desk, here) if machine.is_gathered else frozenset()
            look = _Look(asking, machine, right, place.waiting, case.id in frozen[here])
            if _waits(look, place):
                yield look.task(place.trigger, place.slot or None)


def _waits(look: _Look, place: PlaceRow) -> bool:
    """Whether a step or signature that waits at some unit waits for this person, in this right."""
    machine, case, role = look.machine, look.row.case, look.right.role
    if not in_queue_of(machine, case.state, role) or place.trigger not in machine.open_triggers(case.state):
        return False
    step = machine.step(case.state, place.trigger)
    if step.signing is None:
        who = _taken_by(step, role, elsewhere=True)
        return who is not None and leads_on(machine, step) and _is_open(look, step, who)
    slot, sign = place.slot.partition("@")[0], step.signing.sign
    signed = signers(sign, votes(case.slots, place.trigger))
    if signed.intersection(look.right.people) and not on_paper(sign, slot):
        return False  # one person, one signature per block
    return _is_open(look, step.signing.steps.get(slot, step), sign.slots.get(slot) or Slot(role=role))


def _is_open(look: _Look, step: Step, who: Who) -> bool:
    """Whether the person may take a step or sign for it: it applies, is no mark made already, and nothing bars them."""
    taken, people = look.row.case.taken, look.right.people
    if (look.frozen and step.targets) or _is_barred(look, who):
        return False
    if any(person in taken.get(other, ()) for other in step.apart for person in people):
        return False
    return (bool(step.targets) or step.trigger not in taken) and _applies(look, step)


def _is_barred(look: _Look, who: Who) -> bool:
    """Whether the person may not: as staff on the own case, by delegation in person, or after it was handed over."""
    case, right = look.row.case, look.right
    if right.role != "student" and look.asking.request.actor.is_student(case.student):
        return True
    if right.giver is not None and who.in_person and who.delegates is None:
        return True
    taker = look.asking.handed.get((case.id, right.role))
    return taker is not None and taker not in right.people


def _applies(look: _Look, step: Step) -> bool:
    if step.applies is None:
        return True
    found = Found(case=look.row.case, known=NOTHING, student_no=look.row.student_no, record=None)
    sight = Seeing(look.asking.desk, look.machine, found, look.asking.request)
    return step.applies.evaluate(look.machine.decoded(sight.see((), step.applies.reads))) is not False


def _waiting(desk: Desk, row: CaseRow, tasks: tuple[Task, ...], clocks: tuple[DeadlineRow, ...]) -> Waiting:
    case = row.case
    order = desk.machine(case.shape).open_triggers(case.state)
    batch = case.fields.get("batch")
    return Waiting(
        case=case.id,
        number=case.number,
        revision=case.revision,
        student_no=row.student_no,
        workflow=case.workflow,
        shape=case.shape,
        state=case.state,
        unit=case.unit,
        batch=batch if isinstance(batch, str) else None,
        since=case.entered_at,
        tasks=tuple(sorted(tasks, key=lambda task: order.index(task.trigger))),
        deadlines=clocks,
    )
