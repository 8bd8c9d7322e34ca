"""What stands open for a case: every step out of its state, with every rule's verdict, its signatures and documents.

This is what a person sees before acting; nobody's rights are asked and nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.definition import Bilingual, Who
from engine.desk import Desk
from engine.documents import missing
from engine.errors import Unknown
from engine.guards import explain
from engine.records import Case, Outcome, Request, Verdict, case_number
from engine.seating import block_of
from engine.sight import Seeing
from engine.signing import Seat, Vote, quorum, signers
from engine.step import Step
from engine.steps import Machine
from engine.store import registry
from engine.store.cases import Found, read_case


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatStanding:
    """One place to sign as it stands: who signs there, what was given, whether it is its turn.

    `could` are the logins of those who could sign there; nobody once it is given.
    """

    name: str
    role: str
    unit: str
    seal: str | None
    given: Vote | None
    is_turn: bool
    could: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatures:
    """The signatures of a step: `needed` of the seats must sign, in sequence or in any order."""

    seats: tuple[SeatStanding, ...]
    needed: int
    in_sequence: bool

    @property
    def given(self) -> int:
        """How many have signed for the step."""
        return sum(1 for seat in self.seats if seat.given is not None and seat.given.yes)

    @property
    def missing(self) -> tuple[str, ...]:
        """The seats that nobody has signed."""
        return tuple(seat.name for seat in self.seats if seat.given is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """One step that leads on: who takes it, where to, what it asks for, and what its rules say now.

    `could` are the logins of those who could take it, not counting what is lent; those kept apart from it by what
    they did before are left out. `papers` is what stands against the documents it needs. A step that is signed has
    `signatures` instead of people.
    """

    trigger: str
    title: Bilingual
    targets: tuple[str, ...]
    roles: tuple[str, ...]
    could: tuple[str, ...]
    asks: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    refusing: tuple[Verdict, ...]
    papers: tuple[Verdict, ...]
    signatures: Signatures | None

    @property
    def is_open(self) -> bool:
        """Whether neither a rule nor a document stands in the way."""
        return not self.refusing and not self.papers


def prospects(desk: Desk, case: int, request: Request) -> tuple[Found, Machine, tuple[Prospect, ...]]:
    """The case as it stands, its machine, and every step out of its state.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        request: Gives the moment and, where known, the fields that would be given (a batch).

    Raises:
        Unknown: If there is no such case.
    """
    desk.refresh()
    found = read_case(desk.connection, case)
    if found is None:
        raise Unknown("办件 case", case_number(case))
    machine = desk.machine_for(found.case, request.fields)
    sight = Seeing(desk, machine, found, request)
    steps = [machine.step(found.case.state, trigger) for trigger in machine.open_triggers(found.case.state)]
    return found, machine, tuple(_prospect(desk, machine, found.case, step, sight) for step in steps)


def _prospect(desk: Desk, machine: Machine, case: Case, step: Step, sight: Seeing) -> Prospect:
    shown = step.shown_by(step.guards)
    values = {**step.decoded(sight.see(step.facts, step.others)), **machine.decoded(sight.see((), shown))}
    asked = [guard.ask(*[values[key] for key in guard.reads]) for guard in step.guards]
    refusing = {guard.name for guard, _ in step.refusing(asked)}
    verdicts = tuple(
        explain(guard, Outcome(outcome), values, machine.readers)
        for guard, outcome in zip(step.guards, asked, strict=True)
    )
    return Prospect(
        trigger=step.trigger,
        title=step.transition.title,
        targets=step.targets,
        roles=tuple(who.acting_role for who, _ in step.entitled),
        could=_could(desk, case, step, sight),
        asks=step.asked,
        verdicts=verdicts,
        refusing=tuple(verdict for verdict in verdicts if verdict.rule in refusing),
        papers=tuple(missing(machine, _needed(step), sight.documents(), sight.see)),
        signatures=None if step.signing is None else _signatures(desk, case, step, sight),
    )


def _could(desk: Desk, case: Case, step: Step, sight: Seeing) -> tuple[str, ...]:
    """Who could take a step, by login."""
    places = ((who, (case.unit, case.path) if who.at is None else sight.place(who.at)) for who, _ in step.entitled)
    able = (login for who, place in places if place is not None for login in _able(desk, case, who, place[1]))
    return tuple(dict.fromkeys(login for login in able if not _kept_apart(case, step, login)))


def _able(desk: Desk, case: Case, who: Who, path: str) -> Iterator[str]:
    """Who holds a role there, but for the student the case is about, who acts as the student only."""
    own = None if case.student is None else registry.account_of(desk.connection, case.student)
    if who.acting_role == "student":
        yield from () if own is None else (own,)
    else:
        yield from (login for login in registry.holders(desk.connection, who.acting_role, path) if login != own)


def _kept_apart(case: Case, step: Step, login: str) -> bool:
    return any(login in case.taken.get(other, ()) for other in step.apart)


def _needed(step: Step) -> Sequence[str]:
    """The documents of a step and of the seats it is signed at."""
    slots = step.signing.sign.slots.values() if step.signing is not None else ()
    return tuple(dict.fromkeys((*step.transition.needs, *(kind for slot in slots for kind in slot.needs))))


def _signatures(desk: Desk, case: Case, step: Step, sight: Seeing) -> Signatures | None:
    if step.signing is None:
        return None
    block = block_of(step, case, sight)
    signed = signers(block.sign, block.given)
    standing = [
        SeatStanding(
            name=seat.name,
            role=seat.who.acting_role,
            unit=seat.unit,
            seal=seat.who.seal,
            given=block.given.get(seat.name),
            is_turn=seat in block.turn,
            could=() if seat.name in block.given else _could_sign(desk, case, step, seat, signed),
        )
        for seat in block.seats
    ]
    needed = quorum(block.sign, len(block.seats))
    return Signatures(seats=tuple(standing), needed=needed, in_sequence=block.sign.order == "sequence")


def _could_sign(desk: Desk, case: Case, step: Step, seat: Seat, signed: set[str]) -> tuple[str, ...]:
    """Who could sign at a seat: one person gives one signature."""
    as_slot = step.signing.steps.get(seat.slot, step) if step.signing is not None else step
    able = _able(desk, case, seat.who, seat.path)
    done = frozenset[str]() if seat.who.recorded_by is not None else signed
    return tuple(login for login in able if login not in done and not _kept_apart(case, as_slot, login))
