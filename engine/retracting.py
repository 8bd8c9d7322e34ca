"""撤回: a person takes back the own last step or signature, while nobody has acted on it."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from engine import lanes
from engine.casework import as_seen
from engine.deeds import deed_written, sent_back
from engine.desk import Desk
from engine.errors import NotRetractable, StaleCase
from engine.expressions.kinds import TEXT
from engine.keeping import write_event
from engine.lists import wait_elsewhere
from engine.records import Case, Head, Json, Request
from engine.replay import Fold, fold_chain
from engine.settling import cause_of, change_of, settle_lookers, write_changes
from engine.sight import Seeing
from engine.step import check_value
from engine.steps import Machine
from engine.store import deadlines
from engine.store.cases import Keeping, drop_messages, hold_case, keep
from engine.trail.event import EventKind, moment
from engine.upholding import left_for_good


def retract(desk: Desk, case: int, request: Request) -> Case:
    """Undo the last step of a case, or the last signature: it stands as before, and the trail keeps both.

    Messages of the step that have not been sent are not sent. A case that has meanwhile been frozen on a list has
    been acted on; and who is on a list is not undone.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        request: By whom and when, and the `reason`, if one is given; `seen` as for any step.

    Raises:
        Unknown: If there is no such case.
        Unreadable: If the reason is not in NFC.
        StaleCase: If the case has changed since it was seen.
        NotRetractable: If the last event is not the person's own step, or the definition does not allow it.
    """
    desk.refresh()
    check_value("reason", TEXT, request.fields.get("reason"))
    with desk.connection.writing():
        hold_case(desk.connection, case)
        found = as_seen(desk, case, request)
        before = found.case
        machine = desk.machine_for(before, {})
        *earlier, last = _acts(desk, case)
        trigger = _own_last_step(machine, before, request, last)
        if machine.personal_fields:  # what the chain seals cannot be put back from the chain alone
            raise NotRetractable(before.number, trigger)
        fold = fold_chain(earlier)
        stays = any(left_for_good(machine, before.state, fold.state)) or _moves_members(machine, before, fold)
        if stays or Seeing(desk, machine, found, request).frozen_on():
            raise NotRetractable(before.number, trigger)
        after = before._replace(
            state=fold.state,
            fields=fold.fields,
            taken=fold.taken,
            slots=fold.slots,
            rounds=fold.rounds,
            sent_back=sent_back(map(orjson.loads, earlier), lambda one: desk.definition(one).transitions),
            revision=before.revision + 1,
            entered_at=before.entered_at if fold.state == before.state else moment(request.at),
        )
        change = change_of(desk, found._replace(case=after), deadlines.of_case(desk.connection, case), request)
        told = _event(request, before, fold, trigger, {} if change is None else {"deadlines": change.told})
        event = write_event(desk, machine, before, EventKind.RETRACTED, told)
        after = after._replace(head=Head(seq=event.seq, hash=event.hash))
        deed = deed_written(EventKind.RETRACTED, told, event)
        if not keep(desk.connection, Keeping(before=before, after=after, event=event, deed=deed)):
            raise StaleCase(before.number, before.revision)
        write_changes(desk, [] if change is None else [change])
        drop_messages(desk.connection, before.id, orjson.loads(last)["seq"])
        wait_elsewhere(desk, machine, found._replace(case=after), request)
        settle_lookers(desk, {before.student or 0: cause_of(event.chain, event.seq)}, request)
        lanes.settle_moved(desk, {before.id: before.student or 0}, request)
        return after


def _moves_members(machine: Machine, before: Case, fold: Fold) -> bool:
    """Whether a list would have to fix its members, or let them go, to stand as it stood."""
    definition = machine.definition
    return definition.members is not None and definition.is_fixed(before.state) != definition.is_fixed(fold.state)


def _own_last_step(machine: Machine, case: Case, request: Request, last: bytes) -> str:
    event = orjson.loads(last)
    trigger = str(event["data"].get("trigger"))
    step = machine.definition.transitions.get(trigger)
    is_step = event["kind"] in (EventKind.MOVED, EventKind.SIGNED) and "cause" not in event
    is_own = is_step and event["actor"] == request.actor.login
    if step is None or not is_own or not step.retractable or machine.is_final(case.state):
        raise NotRetractable(case.number, trigger)
    return trigger


def _event(request: Request, before: Case, fold: Fold, trigger: str, more: Mapping[str, Json]) -> dict[str, Json]:
    data: dict[str, Json] = {
        "trigger": trigger,
        "from": before.state,
        "to": fold.state,
        "fields": dict(fold.fields),
        "taken": {name: list(who) for name, who in fold.taken.items()},
        "rounds": fold.rounds,
        "slots": dict(fold.slots),
        **more,
    }
    if "reason" in request.fields:
        data["reason"] = request.fields["reason"]
    event: dict[str, Json] = {"at": moment(request.at), "actor": request.actor.login, "data": data}
    if request.id is not None:
        event["request"] = request.id
    return event


_NO_ACTS = frozenset(
    {
        EventKind.VIEWED, EventKind.NOTED, EventKind.COMMENTED, EventKind.COPIED, EventKind.REMINDED,
        EventKind.ESCALATED, EventKind.LATE,
    }
)  # fmt: skip
"""Who has read a document, audits, writes a remark, shows it to others, or was reminded, has not acted on the case."""


def _acts(desk: Desk, chain: int) -> list[bytes]:
    """What has been done to a case, from its opening."""
    rows = desk.connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (chain,)).fetchall()
    bodies = [bytes(row[0]) for row in rows]
    return [body for body in bodies if orjson.loads(body)["kind"] not in _NO_ACTS]
