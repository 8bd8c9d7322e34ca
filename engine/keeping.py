"""Keeping what was decided: personal values behind a commitment, the next event of the chain, the row to be written."""

from __future__ import annotations

from collections.abc import Mapping

from engine.deeds import deed_written
from engine.definition import CANCELLED
from engine.desk import Desk
from engine.errors import NotAllowed, TransitionNotOpen
from engine.records import Case, Json, Moved, Refused, Request
from engine.steps import Machine
from engine.store.cases import Keeping, Sealed
from engine.trail.chain import commitment
from engine.trail.event import EventKind, Written, canonical, moment


def write_event(desk: Desk, machine: Machine, case: Case, kind: EventKind, event: dict[str, Json]) -> Written:
    """The next event of a case's chain, naming the definition and the rulebook it was judged by."""
    event["definition"] = machine.shape
    event["rulebook"] = machine.rulebook
    return desk.scribe.write(case.id, case.head, kind, event)


def seal(desk: Desk, machine: Machine, outcome: Moved | Refused) -> Sealed | None:
    """Put the commitment to the personal values into the event, and return what opens it.

    Personal are facts and fields that rules saw, and fields of the case that the event would tell of: these stand in
    the body as `fields.NAME` and `given.NAME`, and only their names stay in the event.
    """
    sealed = outcome.sealed
    if machine.personal_fields:
        sealed = {**sealed, **_concealed(machine, outcome.data)}
    if not sealed:
        return None
    salt = desk.salt()
    body = canonical(sealed)
    outcome.data["sealed"] = commitment(salt, body)
    return Sealed(salt=salt, body=body)


def _concealed(machine: Machine, data: dict[str, Json]) -> dict[str, Json]:
    """The personal fields of the case, taken out of what an event says in clear."""
    hidden: dict[str, Json] = {}
    for part in ("fields", "given"):
        told = data.get(part)
        if not isinstance(told, Mapping) or machine.personal_fields.isdisjoint(told):
            continue
        personal = {name: value for name, value in told.items() if name in machine.personal_fields}
        data[part] = {name: value for name, value in told.items() if name not in personal}
        data[f"sealed_{part}"] = sorted(personal)
        hidden |= {f"{part}.{name}": value for name, value in personal.items()}
    return hidden


def barred_event(state: str | None, request: Request, problem: TransitionNotOpen | NotAllowed) -> dict[str, Json]:
    """What is kept of a request that was not heard at all: the step is not open here, or not to this person.

    `state` is None where it is about no case.
    It names no request: asked again once the way is free, the request is a new one.
    """
    data: dict[str, Json] = {
        "trigger": request.trigger, "barred": why_barred(problem), "failed": [], "undecided": [],
    }  # fmt: skip
    if state is not None:
        data["from"] = state
    return {"at": moment(request.at), "actor": request.actor.login, "data": data}


def why_barred(problem: TransitionNotOpen | NotAllowed) -> str:
    """The word the trail keeps of why a request was not heard at all."""
    return "not_allowed" if isinstance(problem, NotAllowed) else "not_open"


def kind_of(moved: Moved) -> EventKind:
    """What the event of a decided step tells: that the case moved, or that it was signed for."""
    return EventKind.SIGNED if moved.signed else EventKind.MOVED


def keeping_of(before: Case, outcome: Moved, event: Written, sealed: Sealed | None, machine: Machine) -> Keeping:
    """A decided step ready to be written; a `unique: open` case frees its key when it ends, any when cancelled."""
    frees = outcome.ends and (machine.definition.unique == "open" or outcome.case.state == CANCELLED)
    deed = deed_written(kind_of(outcome), outcome.event, event)
    return Keeping(before, outcome.case, event, outcome.told, sealed, frees, deed=deed)
