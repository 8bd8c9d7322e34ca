"""催办: whoever waits for a case reminds those it waits for, at most once a day; and those who must mend what it lacks.

A repeated click is no second reminder if it is asked for through `engine.repeating.once`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import orjson

from engine.barring import Hearing, hear, on_clock, refusal
from engine.checking.names import people
from engine.definition import RESERVED_ROLES, MoveKind
from engine.delegating import Refusal, event_of, keep_refusal, refused_data
from engine.desk import Desk
from engine.errors import NotAllowed, StaleCase, TransitionNotOpen
from engine.expressions.kinds import SHANGHAI
from engine.keeping import write_event
from engine.records import Json, Request, case_number
from engine.steps import Machine
from engine.store.cases import extend, write_told
from engine.store.urgings import UrgedKey, add_urged
from engine.trail.event import EventKind, moment
from engine.visibility import visible_to

URGED = "urged"
"""The message told to the roles a case waits for."""
FILING = "filing"
"""What people are urged about who have not applied for those who lack nothing."""
_CONCERNED = "参与该业务的角色 a role with a part in it"


def urge(desk: Desk, case: int, request: Request) -> Refusal:
    """Remind those a case waits for, in one message to each role.

    It may be asked by whoever may know of the case (`engine.visibility`), each once on a day of Shanghai.

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
        if not visible_to(desk, actor, request.at).sees(before):
            raise NotAllowed(actor.login, request.trigger, ("student", _CONCERNED), before.unit)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge:
    """Somebody to be asked to mend something.

    Attributes:
        case: The case that lacks it, or of several at a unit the first.
        role: Who can mend it: the student, or a role at the unit.
        about: The rule, or `FILING`.
        why: What to do, as the person will read it, word for word.
        unit: Where one message stands for all cases of a unit, its code.
    """

    case: int
    role: str
    about: str
    why: str
    unit: str | None = None

    @property
    def scope(self) -> str:
        """For what it counts as told: the case, or everything at the unit."""
        return case_number(self.case) if self.unit is None else f"unit/{self.unit}"

    @property
    def key(self) -> UrgedKey:
        """Under what it is remembered."""
        return UrgedKey(self.scope, self.role, self.about)


def urge_to_mend(desk: Desk, nudges: Iterable[Nudge], request: Request) -> tuple[Nudge, ...]:
    """Remind those who can mend something, each once on a day of Shanghai, whoever asks; those that were reminded now.

    Whoever was told today already is left out; everybody else is told in the same transaction as the event.

    Raises:
        Unknown: If there is no such case.
        NotAllowed: If the person may not know of a case.
        StaleCase: If a case has grown meanwhile; nobody was told then.
    """
    desk.refresh()
    day = request.at.astimezone(SHANGHAI).date().isoformat()
    done: list[Nudge] = []
    with desk.connection.writing():
        visible = visible_to(desk, request.actor, request.at)
        for one in nudges:
            hearing = hear(desk, one.case, request)
            if not visible.sees(hearing.case):
                raise NotAllowed(request.actor.login, request.trigger, (_CONCERNED,), hearing.case.unit)
            if add_urged(desk.connection, one.key, day, moment(request.at), request.actor.login):
                _remind(hearing, one)
                done.append(one)
    return tuple(done)


def _remind(hearing: Hearing, one: Nudge) -> None:
    desk, machine, case, request = hearing
    data: dict[str, Json] = {"roles": [one.role], "mends": one.about, "why": one.why}
    if one.unit is not None:
        data["unit"] = one.unit
    written = write_event(desk, machine, case, EventKind.URGED, event_of(replace(request, id=None), data))
    if not extend(desk.connection, case, written):
        raise StaleCase(case.number, case.revision)
    write_told(desk.connection, [(written, [(one.role, URGED)], None)])


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
    urged = (one for one in events if one["kind"] == EventKind.URGED and "mends" not in one["data"])
    mine = (one["at"] for one in urged if one["actor"] == login)
    last = next(mine, None)
    return None if last is None else datetime.fromisoformat(last).astimezone(SHANGHAI).date()
