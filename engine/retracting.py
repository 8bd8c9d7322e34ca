"""撤回: a person takes back the own last step, while nobody has acted on it."""

from __future__ import annotations

from dataclasses import replace

import orjson

from engine.casework import write_event
from engine.desk import Desk
from engine.errors import NotRetractable, StaleCase, Unknown
from engine.records import Case, Head, Json, Request, case_number
from engine.replay import Fold, fold_chain
from engine.store.cases import Keeping, drop_messages, keep, read_case
from engine.trail.event import EventKind, moment


def retract(desk: Desk, case: int, request: Request) -> Case:
    """Undo the last step of a case: it stands as before that step, and the trail keeps both.

    Messages of the step that have not been sent are not sent.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        request: By whom and when; `seen` as for any step.

    Raises:
        Unknown: If there is no such case.
        StaleCase: If the case has changed since it was seen.
        NotRetractable: If the last event is not the person's own step, or the definition does not allow it.
    """
    desk.refresh()
    with desk.connection.writing():
        found = read_case(desk.connection, case)
        if found is None:
            raise Unknown("办件 case", case_number(case))
        before = found.case
        if request.seen is not None and before.revision != request.seen:
            raise StaleCase(before.number, request.seen, before.revision)
        machine = desk.machine_for(before, {})
        *earlier, last = _bodies(desk, case)
        event = orjson.loads(last)
        trigger = str(event["data"].get("trigger"))
        step = machine.definition.transitions.get(trigger)
        own = event["kind"] == EventKind.MOVED and event["actor"] == request.actor.login
        if step is None or not own or not step.retractable or machine.is_final(before.state):
            raise NotRetractable(before.number, trigger)
        fold = fold_chain(earlier)
        after = replace(
            before, state=fold.state, fields=fold.fields, taken=fold.taken, rounds=fold.rounds,
            revision=before.revision + 1, entered_at=moment(request.at),
        )
        written = write_event(desk, machine, before, EventKind.RETRACTED, _event(request, before, fold, trigger), request.id)
        kept = replace(after, head=Head(seq=written.seq, hash=written.hash))
        if not keep(desk.connection, Keeping(before=before, after=kept, event=written)):
            raise StaleCase(before.number, before.revision)
        drop_messages(desk.connection, before.id, before.head.seq)
        return kept


def _event(request: Request, before: Case, fold: Fold, trigger: str) -> dict[str, Json]:
    data: dict[str, Json] = {
        "trigger": trigger, "from": before.state, "to": fold.state, "fields": dict(fold.fields),  # type: ignore[dict-item]
        "taken": {name: list(who) for name, who in fold.taken.items()}, "rounds": fold.rounds,
    }
    return {"at": moment(request.at), "actor": request.actor.login, "data": data}


def _bodies(desk: Desk, chain: int) -> list[bytes]:
    rows = desk.connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (chain,)).fetchall()
    return [bytes(row[0]) for row in rows]  # type: ignore[arg-type]
