"""Seats: the places to sign of one case, and the one a person takes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from engine.definition import Sign, Slot
from engine.errors import NotAllowed
from engine.expressions.kinds import Value
from engine.records import Case, Request, Verdict
from engine.rights import Right, Sight, right_at
from engine.signing import Block, Seat, added, dropped, on_paper, signers, votes
from engine.step import Signing, Step, decoded
from engine.steps import Machine


def seat_for(block: Block, case: Case, request: Request) -> tuple[Seat, Right]:
    """Where the person signs, and in what right: where it is their turn, else where nobody has signed, else anywhere.

    Raises:
        NotAllowed: If the person may sign nowhere here, or not in the slot asked for.
    """
    asked = [seat for seat in block.seats if request.slot in (None, seat.name, seat.slot)]
    mine = [(seat, right) for seat in asked if (right := _right_to(seat, case, request)) is not None]
    if not mine:
        wanted = dict.fromkeys(seat.who.acting_role for seat in asked or block.seats)
        units = dict.fromkeys(seat.unit for seat in asked or block.seats)
        raise NotAllowed(request.actor.login, request.trigger, wanted, "、".join(units))
    turn = block.turn
    return min(mine, key=lambda pair: (pair[0] not in turn, pair[0].name in block.given))


def objections(machine: Machine, block: Block, seat: Seat, people: Iterable[str]) -> Iterator[Verdict]:
    """What stands against people signing in a seat now: one has signed, the seat is taken, or it is not its turn.

    A signature that is still missing before it is reported under the catalogue id which the block fulfils. Who records
    signatures given on paper signs nothing, and may record them all.
    """
    signed = signers(block.sign, block.given)
    for person in people:
        if person in signed and not on_paper(block.sign, seat.slot):
            yield machine.engine_verdict("signed-already", who=person)
    if seat.name in block.given:
        yield machine.engine_verdict("signing-over", what=seat.name)
    elif seat not in block.turn:
        turn = "、".join(one.name for one in block.turn)
        early = machine.engine_verdict("not-your-turn", what=seat.name, turn=turn)
        yield early if block.sign.id is None else replace(early, id=block.sign.id)


def late_right(sign: Sign, case: Case, request: Request, sight: Sight) -> Right | None:
    """In what right a person would have signed, once the signatures of a step are void and its seats are gone.

    A slot of `each` unit of the members was signed below the list's unit, wherever the person holds the role there.
    """
    for slot in sign.slots.values():
        roles = (slot.acting_role,)
        if slot.each is not None:
            held = (grant for grant in request.actor.grants if grant.role in roles)
            places = [(one.unit, one.path) for one in held if one.path.startswith(case.path)]
        else:
            places = [_place(slot, case, sight)]
        for place in places:
            right = right_at(slot, roles, place, case, request)
            if right is not None:
                return right
    return None


def _right_to(seat: Seat, case: Case, request: Request) -> Right | None:
    return right_at(seat.who, (seat.who.acting_role,), (seat.unit, seat.path), case, request)


def block_of(step: Step, case: Case, sight: Sight) -> Block:
    """The signatures of a signed step as they stand: who may sign, and who has.

    Raises:
        ValueError: If the step is not signed.
    """
    if step.signing is None:
        message = f"'{step.trigger}' is not signed"
        raise ValueError(message)
    return Block(step.signing.sign, seats(step, case, sight), votes(case.slots, step.trigger))


def seats(step: Step, case: Case, sight: Sight) -> tuple[Seat, ...]:
    """The places to sign for a step: the slots that apply, those of `each` once per unit, and the signers added.

    A signer added before a slot stays there, also once that slot is dropped; the others come last.
    """
    signing = step.signing
    if signing is None:
        return ()
    values = decoded(sight.see(signing.facts, signing.others), signing.decoders)
    gone = dropped(case.slots, step.trigger)
    extra = added(case.slots, step.trigger)
    found: list[Seat] = []
    for name, slot in signing.sign.slots.items():
        found += (_added(key, one) for key, one in extra.items() if one.get("before") == name)
        if name not in gone and _applies(signing, name, values):
            found += _seats_of(name, slot, case, sight)
    found += (_added(key, one) for key, one in extra.items() if one.get("before") not in signing.sign.slots)
    return tuple(found)


def _added(name: str, seat: Mapping[str, str]) -> Seat:
    return Seat(name, name, Slot(role=seat["role"]), seat["unit"], seat["path"])


def _applies(signing: Signing, slot: str, values: Mapping[str, Value | None]) -> bool:
    expression = signing.applies.get(slot)
    return expression is None or expression.evaluate(values) is not False


def _seats_of(name: str, slot: Slot, case: Case, sight: Sight) -> Iterator[Seat]:
    if slot.each is not None:
        for unit, path in sight.units_of_members(slot.each):
            yield Seat(f"{name}@{unit}", name, slot, unit, path)
        return
    unit, path = _place(slot, case, sight)
    yield Seat(name, name, slot, unit, path)


def _place(slot: Slot, case: Case, sight: Sight) -> tuple[str, str]:
    """Where the role of a slot counts: where the slot says, else at the case's unit."""
    here = (case.unit, case.path)
    return here if slot.at is None else sight.place(slot.at) or here
