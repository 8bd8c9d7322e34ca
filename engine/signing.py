"""Signatures: which seats a step has, whose turn it is, and when the block is complete or lost.

A signature is not a state: it fills a seat of the transition it makes possible (the definition language, section 6).
What is given, added and dropped stands in the case's `slots` until its state is left, which voids all of it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple, cast

from engine.definition import Sign, Slot
from engine.records import Json, Slots


class Seat(NamedTuple):
    """One place to sign: its name, the slot of the definition behind it, and the unit at which the role counts.

    A slot `each: class` has one seat per class, named `SLOT@CLASS`; a signer added by 加签 sits at `+1`, `+2`, …
    """

    name: str
    slot: str
    who: Slot
    unit: str
    path: str


class Vote(NamedTuple):
    """One signature given: by whom, whether it is for the step, and for whom where it was delegated."""

    by: str
    yes: bool
    giver: str | None = None

    @property
    def people(self) -> tuple[str, ...]:
        """Who has signed with it: the one who did, and the one who delegated."""
        return (self.by,) if self.giver is None else (self.by, self.giver)

    @property
    def kept(self) -> Mapping[str, Json]:
        """The vote as a case keeps it."""
        kept: dict[str, Json] = {"by": self.by, "yes": self.yes}
        return kept if self.giver is None else {**kept, "for": self.giver}


class Signature(NamedTuple):
    """One signature about to be given: of which step, where, by whom, and how the block stands with it."""

    trigger: str
    seat: Seat
    vote: Vote
    leaves_open: bool
    missing: tuple[str, ...]


class Standing(Enum):
    """How a block of signatures stands."""

    OPEN = "open"
    REACHED = "reached"
    LOST = "lost"


def votes(slots: Slots, trigger: str) -> dict[str, Vote]:
    """The signatures given for a step since its state was entered, by seat, in the order they were given."""
    given = cast("Mapping[str, Mapping[str, Json]]", slots.get(trigger, {}).get("given", {}))
    return {seat: _vote(one) for seat, one in given.items()}


def on_paper(sign: Sign, slot: str) -> bool:
    """Whether a signature is given on paper and recorded by somebody else, who may record them all."""
    one = sign.slots.get(slot)
    return one is not None and one.recorded_by is not None


def signers(sign: Sign, given: Mapping[str, Vote]) -> set[str]:
    """Who has signed for a step, and who has it done by a delegate; nobody signs it twice."""
    own = (vote for seat, vote in given.items() if not on_paper(sign, seat.partition("@")[0]))
    return {person for vote in own for person in vote.people}


def _vote(kept: Mapping[str, Json]) -> Vote:
    giver = kept.get("for")
    return Vote(by=str(kept["by"]), yes=kept["yes"] is True, giver=None if giver is None else str(giver))


def added(slots: Slots, trigger: str) -> Mapping[str, Mapping[str, str]]:
    """The seats added by 加签, by name: each with `role`, `unit`, its `path`, and the slot `before` which it signs."""
    return cast("Mapping[str, Mapping[str, str]]", slots.get(trigger, {}).get("added", {}))


def dropped(slots: Slots, trigger: str) -> Sequence[str]:
    """The slots dropped by 减签."""
    return cast("Sequence[str]", slots.get(trigger, {}).get("dropped", ()))


def with_vote(slots: Slots, trigger: str, seat: str, vote: Vote) -> Slots:
    """What is given once one more has signed."""
    block = slots.get(trigger, {})
    given: Mapping[str, Json] = {**cast("Mapping[str, Json]", block.get("given", {})), seat: vote.kept}
    return {**slots, trigger: {**block, "given": given}}


def added_name(count: int) -> str:
    """The name of the first, second, … seat added."""
    return f"+{count}"


def places(sign: Sign, slots: Slots, trigger: str) -> tuple[str, ...]:
    """The slots before which a signer may be added (加签): in sequence, those in which nobody has signed."""
    if sign.order == "any":
        return ()
    over = {seat.partition("@")[0] for seat in votes(slots, trigger)} | {*dropped(slots, trigger)}
    return tuple(name for name in sign.slots if name not in over)


def with_seat(
    slots: Slots, trigger: str, role: str, place: tuple[str, str], *, before: str | None = None
) -> tuple[Slots, str]:
    """What is kept once a signer is added (加签), and its seat; `before` is the slot that follows it."""
    block = slots.get(trigger, {})
    more = added(slots, trigger)
    name = added_name(len(more) + 1)
    seat: dict[str, Json] = {"role": role, "unit": place[0], "path": place[1]}
    if before is not None:
        seat["before"] = before
    return {**slots, trigger: {**block, "added": {**more, name: seat}}}, name


def without_slot(slots: Slots, trigger: str, slot: str) -> Slots:
    """What is kept once a slot is dropped (减签)."""
    block = slots.get(trigger, {})
    return {**slots, trigger: {**block, "dropped": [*dropped(slots, trigger), slot]}}


class Block(NamedTuple):
    """The signatures of one step as they stand."""

    sign: Sign
    seats: tuple[Seat, ...]
    given: Mapping[str, Vote]

    @property
    def turn(self) -> tuple[Seat, ...]:
        """The seats that may sign now."""
        return at_turn(self.sign, self.seats, self.given)

    @property
    def standing(self) -> Standing:
        """Whether the quorum is reached, can no longer be reached, or is still open."""
        return standing(self.sign, self.seats, self.given)

    @property
    def missing(self) -> tuple[str, ...]:
        """The seats in which nobody has signed."""
        return tuple(seat.name for seat in self.seats if seat.name not in self.given)

    def signed(self, seat: Seat, vote: Vote) -> Block:
        """The block once one more has signed."""
        return self._replace(given={**self.given, seat.name: vote})


def at_turn(sign: Sign, seats: Sequence[Seat], given: Mapping[str, Vote]) -> tuple[Seat, ...]:
    """The seats that may sign now: all that have not, or in sequence the first slot that is not complete."""
    waiting = tuple(seat for seat in seats if seat.name not in given)
    if sign.order == "any" or not waiting:
        return waiting
    return tuple(seat for seat in waiting if seat.slot == waiting[0].slot)


def standing(sign: Sign, seats: Sequence[Seat], given: Mapping[str, Vote]) -> Standing:
    """Whether the quorum is reached, can no longer be reached, or is still open; a vetoed block is lost at once."""
    yes = sum(1 for seat in seats if seat.name in given and given[seat.name].yes)
    no = sum(1 for seat in seats if seat.name in given and not given[seat.name].yes)
    needed = quorum(sign, len(seats))
    if no and (sign.veto or len(seats) - no < needed):
        return Standing.LOST
    return Standing.REACHED if yes >= needed else Standing.OPEN


def quorum(sign: Sign, seats: int) -> int:
    """How many must sign, of the seats that apply: all (会签), one (或签), more than half, or a number."""
    match sign.quorum:
        case "all":
            return seats
        case "any":
            return 1
        case "majority":
            return seats // 2 + 1
        case int(number):
            return min(number, seats)
    raise AssertionError(sign.quorum)
