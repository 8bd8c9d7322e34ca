"""What is done about a deadline when its time comes: it is marked late, people are told, its timer is fired.

Each is done once: the row is held while its event is written, and what has been done is in the row. Whoever looks at
rows whose `next_at` has come (`engine.store.deadlines.due_rows`) does, in one transaction per row,

    with desk.connection.writing():
        row = hold(desk.connection, row.case, row.name)
        row = mark_late(desk, row, request)
        row = tell(desk, row, rung, people, request)        # for the rung whose moment has passed, if there is one

and then, outside of it, `fire_timer` where `is_to_fire` says so. All three write the row; nobody else has to.

Source: the definition language, section 8 (missed, remind, escalate).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from engine import lanes
from engine.actors import TIMER
from engine.calendars import WorkCalendar
from engine.casework import move
from engine.definition import Deadline
from engine.desk import Desk
from engine.errors import NotAllowed, StaleCase, TransitionNotOpen
from engine.keeping import barred_event, why_barred, write_event
from engine.ladder import ESCALATED, Rung, over_at
from engine.machine import decide
from engine.records import NOTHING, Case, Json, Moved, Repeated, Request, case_number
from engine.settling import next_at, told_of
from engine.sight import Seeing
from engine.store import deadlines
from engine.store.cases import Found, extend, read_case
from engine.store.deadlines import Message, Row, hold
from engine.trail.event import EventKind, Written, moment

Barred = TransitionNotOpen | NotAllowed
"""What says that a step was not heard at all."""


class Firing(StrEnum):
    """What became of a timer: its step was taken, it was refused and waits, or there was nothing to fire just now."""

    FIRED = "fired"
    BLOCKED = "blocked"
    NOTHING = "nothing"


class Ladder(NamedTuple):
    """What the rungs of a row are worked out from (`engine.ladder.rungs`)."""

    deadline: Deadline
    calendar: WorkCalendar | None


def ladder_of(desk: Desk, case: Case, name: str) -> Ladder:
    """The deadline of a case's definition and the calendar in force."""
    machine = desk.machine(case.shape)
    return Ladder(machine.definition.deadlines[name], machine.calendar)


def mark_late(desk: Desk, row: Row, request: Request) -> Row:
    """Mark a deadline late (逾期), once for its date; call in the transaction that holds the row.

    Returns:
        The row as it stands; as given where there is nothing to mark.

    Raises:
        StaleCase: If the case is not there any more.
    """
    if row.missed_at is not None or row.settled or row.due_at is None or request.at < over_at(row.due_at):
        return row
    row, _ = _note(desk, EventKind.LATE, (row, row._replace(missed_at=request.at)), request)
    lanes.settle(desk, [row.case], request)
    return row


def tell(desk: Desk, row: Row, rung: Rung, people: Sequence[str], request: Request) -> Row:
    """Write a rung of the ladder to people, and that it was; call in the transaction that holds the row.

    The rungs up to now count as told. Nobody is told the same rung of the same date twice.

    Args:
        desk: Where the case is worked.
        row: The deadline, held.
        rung: What is told.
        people: `person/LOGIN` or `student/NUMBER`; nobody, where nobody holds the role: that is recorded as well.
        request: The clock's request; its moment is now.

    Returns:
        The row as it stands.

    Raises:
        StaleCase: If the case is not there any more.
    """
    kind = EventKind.ESCALATED if rung.message == ESCALATED else EventKind.REMINDED
    # A student without an account goes by the number, which has no place in an event.
    named = sorted({one if one.startswith("person/") else "student" for one in people})
    data: dict[str, Json] = {"rung": rung.name, "message": rung.message, "roles": list(rung.to), "people": named}
    told = row._replace(told_at=max(row.told_at, request.at))
    row, event = _note(desk, kind, (row, told), request, data)
    messages = [Message(event.chain, event.seq, one, rung.message, row.name, row.due_at, rung.name) for one in people]
    deadlines.add_messages(desk.connection, messages)
    return row


def is_to_fire(desk: Desk, row: Row) -> bool:
    """Whether a row's timer is still to be fired: it is marked late, and neither fired nor refused since."""
    found = read_case(desk.connection, row.case)
    return found is not None and _waits(ladder_of(desk, found.case, row.name).deadline, row)


def fire_timer(desk: Desk, row: Row, request: Request) -> Firing:
    """Take the step that a missed deadline fires, in a transaction of its own; call it outside of any.

    The step's request is named by the deadline, its date and the case as it stands, so two who fire it at once fire it
    once, and one who is ended before the row says so has fired it for the next. A refusal is kept as any other; then
    the row is blocked until something it read has changed.

    Args:
        desk: Where the case is worked.
        row: The deadline, as it was seen last.
        request: The clock's request; its moment is now.

    Raises:
        Busy: If the database stays occupied; the next look finds the row as it was.
    """
    with desk.connection.reading():
        found = read_case(desk.connection, row.case)
        now = next((one for one in deadlines.of_case(desk.connection, row.case) if one.name == row.name), None)
    if found is None or now is None or now.due_at is None:
        return Firing.NOTHING
    deadline = ladder_of(desk, found.case, row.name).deadline
    if deadline.missed is None or not _waits(deadline, now):
        return Firing.NOTHING
    name = f"timer/{found.case.number}/{now.name}/{moment(now.due_at)}/{found.case.revision}"
    asked = replace(request, trigger=deadline.missed.fire, actor=TIMER, fields={}, to=None, seen=None, id=name)
    barred = _barred(desk, found, asked)
    why = _taken(desk, row.case, asked) if barred is None else {"barred": why_barred(barred)}
    return Firing.FIRED if why is None else _block(desk, found, now, asked, why, barred=barred)


def _barred(desk: Desk, found: Found, asked: Request) -> Barred | None:
    """Why the step cannot even be heard, asked without leaving anything.

    That refusal names no request, so if it were kept by itself it would be kept again by whoever comes after one that
    was ended before it blocked the row.
    """
    desk.as_of(found.registry)
    machine = desk.machine_for(found.case, asked.fields)
    try:
        decide(machine, found.case, asked, Seeing(desk, machine, found, asked))
    except (TransitionNotOpen, NotAllowed) as problem:
        return problem
    return None


def _taken(desk: Desk, case: int, asked: Request) -> Mapping[str, Json] | None:
    """Take the step, whose event tells what has become of the row; None when it is taken, else what was against it."""
    try:
        outcome = move(desk, case, asked)
    except (TransitionNotOpen, NotAllowed) as problem:
        return {"barred": why_barred(problem)}
    if isinstance(outcome, Moved) or (isinstance(outcome, Repeated) and outcome.moved):
        return None
    return {"failed": list(outcome.failed), "undecided": list(outcome.undecided)}


def _block(
    desk: Desk, before: Found, row: Row, asked: Request, why: Mapping[str, Json], *, barred: Barred | None
) -> Firing:
    """Let the row wait for a change, unless there has been one since the case was asked: then it is asked again.

    That the step could not be heard is kept with it.
    """
    with desk.connection.writing():
        held = hold(desk.connection, row.case, row.name)
        found = read_case(desk.connection, row.case)
        if held != row or found is None or found.case.revision != before.case.revision:
            return Firing.NOTHING
        if barred is not None:
            _keep_barred(desk, found, asked, barred)
        blocked = row._replace(blocked=True)
        _note(desk, EventKind.TIMER_BLOCKED, (row, blocked), asked, {"trigger": asked.trigger, **why})
    return Firing.BLOCKED


def _keep_barred(desk: Desk, found: Found, asked: Request, barred: Barred) -> None:
    event = barred_event(found.case.state, asked, barred)
    machine = desk.machine_for(found.case, asked.fields)
    written = write_event(desk, machine, found.case, EventKind.REFUSED, event)
    if not extend(desk.connection, found.case, written):
        raise StaleCase(found.case.number, found.case.revision)


def _note(
    desk: Desk, kind: EventKind, change: tuple[Row, Row], request: Request, more: Mapping[str, Json] = NOTHING
) -> tuple[Row, Written]:
    """Write a row as it is from now on (before, after), and the event that says so; the case stays as it is."""
    before, after = change
    found = read_case(desk.connection, before.case)
    if found is None:
        raise StaleCase(case_number(before.case), 0)
    machine = desk.machine(found.case.shape)
    deadline = machine.definition.deadlines[before.name]
    row = after._replace(next_at=next_at(deadline, after, machine.calendar))
    data: dict[str, Json] = {"deadline": row.name, **told_of(row), **more}
    event: dict[str, Json] = {"at": moment(request.at), "actor": request.actor.login, "data": data}
    written = write_event(desk, machine, found.case, kind, event)
    if not extend(desk.connection, found.case, written):
        raise StaleCase(found.case.number, found.case.revision)
    deadlines.put(desk.connection, [row])
    return row, written


def _waits(deadline: Deadline, row: Row) -> bool:
    is_late = row.missed_at is not None and row.due_at is not None and not row.settled and not row.blocked
    return deadline.missed is not None and is_late and row.next_at == over_at(row.due_at or row.told_at)
