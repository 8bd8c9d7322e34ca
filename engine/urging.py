"""催办: whoever waits for a case reminds those it waits for, at most once a day.

A repeated click is no second reminder if it is asked for through `engine.delegating.once`.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import orjson

from engine.barring import hear, on_clock, refusal
from engine.checking.names import people
from engine.definition import RESERVED_ROLES, MoveKind
from engine.delegating import Refusal, event_of, keep_refusal, refused_data
from engine.desk import Desk
from engine.errors import NotAllowed, StaleCase, TransitionNotOpen
from engine.expressions.kinds import SHANGHAI
from engine.keeping import write_event
from engine.records import Request
from engine.steps import Machine
from engine.store.cases import extend, write_told
from engine.trail.event import EventKind

URGED = "urged"
"""The message told to the roles a case waits for."""


def urge(desk: Desk, case: int, request: Request) -> Refusal:
    """Remind those a case waits for, in one message to each role.

    It may be asked by the student the case is about and by everybody with a role at the case's unit or above, each
    once on a day of Shanghai.

    Returns:
        Why not, and when again, kept in the case's chain; empty when it is done.

    Raises:
        Unknown: If there is no such case.
        TransitionNotOpen: If it waits for nobody.
        NotAllowed: If the case is none of the person's business.
        StaleCase: If it has changed since it was seen.
    """
    desk.refresh()
    with desk.connection.writing():
        hearing = hear(desk, case, request)
        machine, before, actor = hearing.machine, hearing.case, request.actor
        if not actor.is_student(before.student) and not any(before.path.startswith(one.path) for one in actor.grants):
            raise NotAllowed(actor.login, request.trigger, ("student", "任一角色 any role"), before.unit)
        roles = awaited(machine, before.state)
        if not roles:
            raise TransitionNotOpen(request.trigger, before.state, ())
        today = request.at.astimezone(SHANGHAI).date()
        if _last_urged(desk, case, actor.login) == today:
            again = datetime.combine(today + timedelta(days=1), time(), SHANGHAI)
            refused = (refusal(desk, "urged-already", again=on_clock(again)),)
            keep_refusal(hearing, refused_data(request, refused))
            return refused
        written = write_event(desk, machine, before, EventKind.URGED, event_of(request, {"roles": list(roles)}))
        if not extend(desk.connection, before, written):
            raise StaleCase(before.number, before.revision)
        write_told(desk.connection, [(written, [(role, URGED) for role in roles], None)])
    return ()


def awaited(machine: Machine, state: str) -> tuple[str, ...]:
    """The roles a case in a state waits for: those who may take it on, or of them those its `queue` names."""
    if machine.is_final(state) or machine.rests(state):
        return ()
    queue = machine.definition.states[state].queue
    steps = (machine.step(state, trigger).transition for trigger in machine.open_triggers(state))
    onward = (one for one in steps if one.kind is MoveKind.ADVANCE and not any(map(machine.rests, one.origins)))
    acting = dict.fromkeys(who.acting_role for one in onward for who, _ in people(one))
    return tuple(
        role for role in acting if (role == "student" or role not in RESERVED_ROLES) and (not queue or role in queue)
    )


def _last_urged(desk: Desk, case: int, login: str) -> date | None:
    """The day on which a person last urged a case."""
    rows = desk.connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq DESC", (case,)).fetchall()
    events = (orjson.loads(bytes(row[0])) for row in rows)
    mine = (one["at"] for one in events if one["kind"] == EventKind.URGED and one["actor"] == login)
    last = next(mine, None)
    return None if last is None else datetime.fromisoformat(last).astimezone(SHANGHAI).date()
