"""加签 and 减签: somebody more has to sign a step, or a slot need not be signed, while its signatures are gathered.

A change of signers is no signature and never takes the step, even where what is given now suffices: the next
signature does. So the last slot that is still open cannot be dropped; there would be no next signature.
A repeated click is one change if it is asked for through `engine.delegating.once`.

Source: the definition language, section 6 (`add`, `drop`); design.md, section 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from engine import lanes
from engine.definition import AddSigner, DropSigner, Sign, Who
from engine.delegating import event_of
from engine.desk import Desk
from engine.errors import NotAllowed, StaleCase, TransitionNotOpen, Unknown
from engine.expressions.kinds import TEXT
from engine.keeping import write_event
from engine.lists import wait_elsewhere
from engine.records import Case, Head, Json, Outcome, Request, Slots, Verdict, case_number
from engine.rights import Right, decides_own_case, right_at
from engine.seating import block_of
from engine.sight import Seeing
from engine.signing import added, dropped, places, votes, with_seat, without_slot
from engine.step import Step, check_value
from engine.steps import Machine
from engine.store.cases import Found, Keeping, extend, hold_case, keep, read_case
from engine.trail.event import EventKind

_ADD, _DROP = "加签", "减签"
_IN_ENGLISH = {_ADD: "added", _DROP: "dropped"}


class SignersFixed(TransitionNotOpen):
    """The definition lets nobody add, or drop, signers of a step; those of which it does are named."""

    def __init__(self, machine: Machine, trigger: str, state: str, change: str) -> None:
        steps = machine.definition.transitions.items()
        offering = tuple(name for name, one in steps if one.sign is not None and _offer(one.sign, change) is not None)
        super().__init__(trigger, state, offering)
        known = "、".join(offering) or "—"
        told = (
            f"定义不允许对“{trigger}”{change}；可{change}的步骤：{known}。"
            f" The definition lets no signers of '{trigger}' be {_IN_ENGLISH[change]}; steps where it does: {known}."
        )
        self.args = (told,)


class _Hearing(NamedTuple):
    """One case whose step is being signed, and in what right somebody changes who signs it."""

    found: Found
    machine: Machine
    step: Step
    sign: Sign
    right: Right

    @property
    def case(self) -> Case:
        return self.found.case


def add_signer(
    desk: Desk, case: int, role: str, request: Request, *, unit: str | None = None, before: str | None = None
) -> tuple[Verdict, ...]:
    """Ask for one signature more (加签): by a holder of a role at a unit, by default the case's own.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        role: Who is to sign besides.
        request: By whom, when; its trigger is the step that is being signed.
        unit: Where the role counts.
        before: Where signatures are given in sequence, the slot before which; by default after all others.

    Returns:
        Every reason why not, kept in the case's chain; empty when it is done.

    Raises:
        Unknown: If there is no such case, step or unit, or no slot of that name that is still to be signed in its turn.
        StaleCase: If the case has changed since it was seen.
        TransitionNotOpen: If the step is not being signed now, or (`SignersFixed`) lets nobody be added.
        NotAllowed: If the actor may not add signers.
        Unreadable: If the reason is not in NFC.
    """
    desk.refresh()
    with desk.connection.writing():
        hearing = _hear(desk, case, request, _ADD)
        place = desk.units().get(unit or hearing.case.unit)
        if place is None:
            raise Unknown("单位 unit", unit or "", desk.units())
        ahead = places(hearing.sign, hearing.case.slots, request.trigger)
        if before is not None and before not in ahead:
            raise Unknown("待签的签字位 slot still to be signed in sequence", before, ahead)
        refused = (*_against_actor(hearing, request), *_against_adding(hearing, role))
        if not refused:
            where = (place.code, place.path)
            slots, name = with_seat(hearing.case.slots, request.trigger, role, where, before=before)
            told: dict[str, Json] = {"added": name, "signer": role, "at_unit": place.code}
            _keep(desk, hearing, request, slots, told if before is None else {**told, "before": before})
            return ()
        return _refuse(desk, hearing, request, refused)


def drop_signer(desk: Desk, case: int, slot: str, request: Request) -> tuple[Verdict, ...]:
    """Let a slot go unsigned (减签); what it would have signed waits for the others only.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        slot: The slot of the definition; one `each` unit goes with all its seats.
        request: By whom, when; its trigger is the step that is being signed.

    Returns:
        Every reason why not, kept in the case's chain; empty when it is done.

    Raises:
        Unknown, StaleCase, TransitionNotOpen, NotAllowed, Unreadable: As `add_signer`.
    """
    desk.refresh()
    with desk.connection.writing():
        hearing = _hear(desk, case, request, _DROP)
        slots = without_slot(hearing.case.slots, request.trigger, slot)
        refused = (
            *_against_actor(hearing, request),
            *_against_dropping(desk, hearing, slot, slots, request=request),
        )
        if not refused:
            _keep(desk, hearing, request, slots, {"dropped": slot})
            return ()
        return _refuse(desk, hearing, request, refused)


def _offer(sign: Sign, change: str) -> AddSigner | DropSigner | None:
    """What the definition offers of 加签 or 减签."""
    return sign.add if change == _ADD else sign.drop


def _hear(desk: Desk, case: int, request: Request, change: str) -> _Hearing:
    """The case as it stands, held for the rest of the transaction, and the step that is being signed in it."""
    check_value("reason", TEXT, request.fields.get("reason"))
    hold_case(desk.connection, case)
    found = read_case(desk.connection, case)
    if found is None:
        raise Unknown("办件 case", case_number(case))
    if request.seen is not None and found.case.revision != request.seen:
        raise StaleCase(found.case.number, request.seen, found.case.revision)
    machine = desk.machine_for(found.case, {})
    step = machine.step(found.case.state, request.trigger)
    offer = None if step.signing is None else _offer(step.signing.sign, change)
    if step.signing is None or offer is None:
        raise SignersFixed(machine, request.trigger, found.case.state, change)
    right = _right(offer.by, found.case, request)
    if right is None:
        raise NotAllowed(request.actor.login, f"{request.trigger}（{change}）", offer.by, found.case.unit)
    return _Hearing(found, machine, step, step.signing.sign, right)


def _right(roles: Iterable[str], case: Case, request: Request) -> Right | None:
    """In what right a person changes signers: one's own before one that is lent, and one that has run out last."""
    place = (case.unit, case.path)
    found = [right_at(Who(role=role), (role,), place, case, request) for role in roles]
    held = [one for one in found if one is not None]
    return min(held, key=lambda one: (one.barred is not None, one.grant.giver is not None), default=None)


def _against_actor(hearing: _Hearing, request: Request) -> Iterator[Verdict]:
    """A delegation that has run out is good for nothing, and nobody changes who signs in the own case."""
    machine, right = hearing.machine, hearing.right
    title = hearing.step.transition.title.zh
    if right.barred is not None:
        yield machine.engine_verdict(right.barred, what=title, who=request.actor.login)
    if decides_own_case(request.actor, right.grant, hearing.case):
        yield machine.engine_verdict("own-case", what=title)


def _against_adding(hearing: _Hearing, role: str) -> Iterator[Verdict]:
    machine, offer = hearing.machine, hearing.sign.add
    if offer is None:
        return
    if role not in offer.roles:
        yield machine.engine_verdict("signer-not-offered", what=role, known="、".join(offer.roles))
    if len(added(hearing.case.slots, hearing.step.trigger)) >= offer.at_most:
        yield machine.engine_verdict("signers-used-up", most=str(offer.at_most))


def _against_dropping(desk: Desk, hearing: _Hearing, slot: str, after: Slots, *, request: Request) -> Iterator[Verdict]:
    machine, offer, case = hearing.machine, hearing.sign.drop, hearing.case
    trigger = hearing.step.trigger
    gone = dropped(case.slots, trigger)
    possible = [] if offer is None else [one for one in offer.slots if one not in gone]
    if slot not in possible:
        yield machine.engine_verdict("signer-not-offered", what=slot, known="、".join(possible) or "—")
        return
    if any(seat.partition("@")[0] == slot for seat in votes(case.slots, trigger)):
        yield machine.engine_verdict("signing-over", what=slot)
    to_be = case._replace(slots=after)
    sight = Seeing(desk, machine, hearing.found._replace(case=to_be), request)
    if not block_of(hearing.step, to_be, sight).turn:
        yield machine.engine_verdict("nobody-left-to-sign", what=slot)


def _keep(desk: Desk, hearing: _Hearing, request: Request, slots: Slots, what: dict[str, Json]) -> None:
    case = hearing.case
    data: dict[str, Json] = {"trigger": request.trigger, "from": case.state, **what, "slots": slots}
    event = write_event(desk, hearing.machine, case, EventKind.SIGNER_CHANGED, _event(hearing, request, data))
    after = case._replace(slots=slots, revision=case.revision + 1, head=Head(seq=event.seq, hash=event.hash))
    if not keep(desk.connection, Keeping(before=case, after=after, event=event)):
        raise StaleCase(case.number, case.revision)
    wait_elsewhere(desk, hearing.machine, hearing.found._replace(case=after), request)
    lanes.settle(desk, [case.id], request)


def _refuse(desk: Desk, hearing: _Hearing, request: Request, refused: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    data: dict[str, Json] = {
        "trigger": request.trigger,
        "from": hearing.case.state,
        "engine": [one.rule for one in refused],
        "failed": sorted({one.id for one in refused if one.outcome is Outcome.FAILS}),
        "undecided": [],
    }
    event = write_event(desk, hearing.machine, hearing.case, EventKind.REFUSED, _event(hearing, request, data))
    if not extend(desk.connection, hearing.case, event):
        raise StaleCase(hearing.case.number, hearing.case.revision)
    return refused


def _event(hearing: _Hearing, request: Request, data: dict[str, Json]) -> dict[str, Json]:
    """What is told of every answer: by whom, as whom, for whom, why."""
    grant = hearing.right.grant
    if "reason" in request.fields:
        data["reason"] = request.fields["reason"]
    event = {**event_of(request, data), "role": grant.role, "unit": grant.unit}
    if grant.giver is not None:
        event["delegation"] = {"by": grant.giver, "why": grant.reason, "until": grant.until}
    return event
