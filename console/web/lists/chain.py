"""The chain of signatures of a list: who signs in which order, who has, who is waited for and how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from console.web.lists.drafts import Draft, Given
from console.web.lists.reading import Book
from console.web.visit import Visit
from engine.actors import Actor
from engine.definition import Bilingual, Slot, Transition
from engine.outline import comes_after
from engine.prospects import Prospect, SeatStanding

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class How(Enum):
    """How a place to sign stands."""

    GIVEN = "given"
    AGAINST = "against"
    TURN = "turn"
    LATER = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place to sign.

    Attributes:
        recorder: Who writes down here that it was signed on paper; None where one signs here.
        by: Who signed, or wrote it down.
        waits: How long it has been waited for, in words; empty where it is not its turn.
        could: Who could sign, or write it down, as they are addressed.
        is_mine: Whether the visitor could.
    """

    number: int
    slot: str
    role: Bilingual
    seal: str | None
    recorder: Bilingual | None
    how: How
    by: str = ""
    at: datetime | None = None
    waits: str = ""
    could: tuple[str, ...] = ()
    is_mine: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The signatures of one step.

    Attributes:
        is_open: Whether it can be signed in the present state.
        needs: The papers that are handed in before anybody signs.
    """

    trigger: str
    title: Bilingual
    places: tuple[Place, ...]
    in_sequence: bool
    is_open: bool
    needs: tuple[str, ...]
    against: str | None

    @property
    def given(self) -> int:
        """How many have signed for it."""
        return sum(one.how is How.GIVEN for one in self.places)

    @property
    def turn(self) -> tuple[Place, ...]:
        """Whose turn it is."""
        return tuple(one for one in self.places if one.how is How.TURN)

    @property
    def mine(self) -> tuple[Place, ...]:
        """Where the visitor could sign, whether or not it is the turn."""
        return tuple(one for one in self.places if one.is_mine and one.how in (How.TURN, How.LATER))

    @property
    def on_paper(self) -> tuple[Place, ...]:
        """All that are left, where the visitor writes down each of them as signed on paper; else none."""
        left = tuple(one for one in self.places if one.how in (How.TURN, How.LATER))
        return left if all(one.is_mine and one.recorder is not None for one in left) else ()


def chain_of(book: Book, drafts: Sequence[Draft]) -> tuple[Block, ...]:
    """The signed steps of a list, in the order in which they are taken."""
    given = drafts[-1].given if drafts and drafts[-1].ended is None else ()
    every = book.definition.transitions.items()
    return tuple(_block(book, trigger, one, given) for trigger, one in every if one.sign is not None)


def _block(book: Book, trigger: str, one: Transition, given: Sequence[Given]) -> Block:
    prospect = book.step(trigger)
    slots: Mapping[str, Slot] = {} if one.sign is None else one.sign.slots
    signed = {each.slot: each for each in given if each.trigger == trigger}
    if prospect is not None and prospect.signatures is not None:
        places = tuple(_live(book, prospect, slots, signed))
    else:
        places = tuple(_past(book, trigger, slots, signed))
    needs = dict.fromkeys((*one.needs, *(kind for slot in slots.values() for kind in slot.needs)))
    return Block(
        trigger=trigger, title=one.title, places=places, is_open=prospect is not None, needs=tuple(needs),
        in_sequence=one.sign is not None and one.sign.order == "sequence",
        against=None if one.sign is None else one.sign.against,
    )  # fmt: skip


def _live(book: Book, prospect: Prospect, slots: Mapping[str, Slot], signed: Mapping[str, Given]) -> Iterator[Place]:
    seats = () if prospect.signatures is None else prospect.signatures.seats
    entered = datetime.fromisoformat(book.case.entered_at)
    since = max([entered, *(one.at for one in signed.values())])
    for number, seat in enumerate(seats, start=1):
        slot, given = slots.get(seat.name.partition("@")[0]), signed.get(seat.name)
        recorder = None if slot is None or slot.recorded_by is None else book.role(slot.recorded_by)
        yield Place(
            number=number,
            slot=seat.name,
            role=book.role(seat.role if slot is None else slot.role),
            seal=seat.seal,
            recorder=recorder,
            how=_how(seat),
            by="" if seat.given is None else "、".join(map(book.name, seat.given.people)),
            at=None if given is None else given.at,
            waits=_span(book.visit, since) if seat.is_turn else "",
            could=tuple(map(book.name, seat.could)),
            is_mine=book.visit.login in seat.could or _is_lent(book.visit.actor, seat),
        )


def _how(seat: SeatStanding) -> How:
    if seat.given is not None:
        return How.GIVEN if seat.given.yes else How.AGAINST
    return How.TURN if seat.is_turn else How.LATER


def _is_lent(actor: Actor, seat: SeatStanding) -> bool:
    """Whether the role of a place is lent to somebody; whether it still is, the engine says when it is used."""
    return seat.given is None and any(one.role == seat.role for one in actor.delegated)


def _past(book: Book, trigger: str, slots: Mapping[str, Slot], signed: Mapping[str, Given]) -> Iterator[Place]:
    """The places of a step that is not open: those that were signed on this draft, else those still to come."""
    origins = book.definition.transitions[trigger].origins
    is_over = book.is_fixed and comes_after(book.definition, book.case.state, origins)
    names = dict.fromkeys([*signed, *(() if is_over else slots)])
    for number, name in enumerate(names, start=1):
        slot, given = slots.get(name.partition("@")[0]), signed.get(name)
        if slot is not None:
            yield Place(
                number=number,
                slot=name,
                role=book.role(slot.role),
                seal=slot.seal,
                recorder=None if slot.recorded_by is None else book.role(slot.recorded_by),
                how=How.LATER if given is None else How.GIVEN if given.yes else How.AGAINST,
                by="" if given is None else book.name(given.by),
                at=None if given is None else given.at,
            )


def _span(visit: Visit, since: datetime) -> str:
    """How long ago, in one unit: 25 分, 3 小时, 2 天."""
    gone = max(visit.at - since, timedelta())
    if gone < _HOUR:
        return visit.say("{n} 分", n=int(gone.total_seconds()) // 60)
    if gone < _DAY:
        return visit.say("{n} 小时", n=int(gone / _HOUR))
    return visit.say("{n} 天", n=gone.days)
