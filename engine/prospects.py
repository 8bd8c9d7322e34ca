"""What stands open for a case: every step out of its state, with every rule's verdict, its signatures and documents.

This is what a person sees before acting; nobody's rights are asked and nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.definition import Bilingual, Who
from engine.desk import Desk
from engine.documents import missing
from engine.errors import Unknown
from engine.expressions.kinds import Value
from engine.guards import explain
from engine.records import Case, Outcome, Request, Verdict, case_number
from engine.seating import block_of
from engine.sight import Seeing
from engine.signing import Seat, Vote, quorum, signers
from engine.step import Step
from engine.steps import Machine
from engine.store import people, registry
from engine.store.cases import Found, read_case
from engine.store.database import Connection
from engine.store.people import Holder


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
    `signatures` instead of people. `values` is what its rules saw, by key.
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
    values: Mapping[str, Value | None]

    @property
    def is_open(self) -> bool:
        """Whether neither a rule nor a document stands in the way."""
        return not self.refusing and not self.papers


class Staff:
    """Who could act on a case: those who hold roles at its unit or above, and the student; read once for each place.

    Args:
        connection: Where the case is kept.
        student: The login of the own account of whom the case is about, if there is one.
    """

    def __init__(self, connection: Connection, student: str | None) -> None:
        self._connection = connection
        self._holders: dict[str, list[Holder]] = {}
        self.student = student

    def above(self, path: str) -> Iterator[Holder]:
        """Those who hold any role at a unit or above it, by login."""
        known = next((place for place in self._holders if place.startswith(path)), None)
        if known is None:
            known = path
            self._holders[path] = people.staff_above(self._connection, path)
        return (one for one in self._holders[known] if path.startswith(one.path))

    def holding(self, role: str, path: str) -> Iterator[Holder]:
        """Those who hold a role at a unit or above it; nobody twice, by login."""
        yield from {one.login: one for one in self.above(path) if one.role == role}.values()

    def known(self) -> Iterator[Holder]:
        """Everybody who has been read so far."""
        return (one for many in self._holders.values() for one in many)


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
    student = found.case.student
    own = None if student is None else registry.account_of(desk.connection, student)
    return found, machine, prospects_of(machine, found.case, sight, Staff(desk.connection, own))


def prospects_of(machine: Machine, case: Case, sight: Seeing, staff: Staff) -> tuple[Prospect, ...]:
    """Every step out of the state of a case that has been read already.

    Args:
        machine: By which the case is judged.
        case: As it stands.
        sight: Of whoever looks, on this case.
        staff: Who could act on it.
    """
    steps = [machine.step(case.state, trigger) for trigger in machine.open_triggers(case.state)]
    return tuple(_prospect(machine, case, step, sight, staff) for step in steps)


def _prospect(machine: Machine, case: Case, step: Step, sight: Seeing, staff: Staff) -> Prospect:
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
        could=_could(case, step, sight, staff),
        asks=step.asked,
        verdicts=verdicts,
        refusing=tuple(verdict for verdict in verdicts if verdict.rule in refusing),
        papers=tuple(missing(machine, _needed(step), sight.documents(), sight.see)),
        signatures=None if step.signing is None else _signatures(case, step, sight, staff),
        values=values,
    )


def _could(case: Case, step: Step, sight: Seeing, staff: Staff) -> tuple[str, ...]:
    """Who could take a step, by login."""
    places = ((who, (case.unit, case.path) if who.at is None else sight.place(who.at)) for who, _ in step.entitled)
    able = (login for who, place in places if place is not None for login in _able(staff, who, place[1]))
    return tuple(dict.fromkeys(login for login in able if not _kept_apart(case, step, login)))


def _able(staff: Staff, who: Who, path: str) -> Iterator[str]:
    """Who holds a role there, but for the student the case is about, who acts as the student only."""
    if who.acting_role == "student":
        yield from () if staff.student is None else (staff.student,)
    else:
        yield from (one.login for one in staff.holding(who.acting_role, path) if one.login != staff.student)


def _kept_apart(case: Case, step: Step, login: str) -> bool:
    return any(login in case.taken.get(other, ()) for other in step.apart)


def _needed(step: Step) -> Sequence[str]:
    """The documents of a step and of the seats it is signed at."""
    slots = step.signing.sign.slots.values() if step.signing is not None else ()
    return tuple(dict.fromkeys((*step.transition.needs, *(kind for slot in slots for kind in slot.needs))))


def _signatures(case: Case, step: Step, sight: Seeing, staff: Staff) -> Signatures | None:
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
            could=() if seat.name in block.given else _could_sign(case, step, seat, signed, staff),
        )
        for seat in block.seats
    ]
    needed = quorum(block.sign, len(block.seats))
    return Signatures(seats=tuple(standing), needed=needed, in_sequence=block.sign.order == "sequence")


def _could_sign(case: Case, step: Step, seat: Seat, signed: set[str], staff: Staff) -> tuple[str, ...]:
    """Who could sign at a seat: one person gives one signature."""
    as_slot = step.signing.steps.get(seat.slot, step) if step.signing is not None else step
    able = _able(staff, seat.who, seat.path)
    done = frozenset[str]() if seat.who.recorded_by is not None else signed
    return tuple(login for login in able if login not in done and not _kept_apart(case, as_slot, login))
