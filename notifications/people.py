"""Who can act on a case in a role at a moment: the people to be told when it is the role's turn.

Holders at the nearest unit at or above the case's (or where the step or signature is done) that has any, else, in a
case about a unit and no student, those below it; less those who are away, for whom those act to whom they lend the
role (委派); less those whom the case bars: their own case, a step they took that is kept apart, a signature they
gave, a case handed over to somebody else (转办).

Source: the definition language, sections 6 and 8; requirements.md, 4.2.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, repeat
from typing import NamedTuple

from engine.actors import TIMER
from engine.checking.names import people as people_of
from engine.definition import CANCELLED, RESERVED_ROLES, Bilingual, MoveKind, Who
from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI
from engine.records import Case, Request
from engine.seating import block_of
from engine.sight import Seeing
from engine.signing import on_paper, signers
from engine.step import Step
from engine.steps import Machine
from engine.store import people
from engine.store.cases import Found as FoundCase
from engine.store.cases import read_case
from engine.store.delegations import handed_over
from engine.store.people import Contact, Loan
from engine.trail.event import chain_name

STUDENT = "student"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody to be told.

    Attributes:
        key: `person/LOGIN`, or without an account `student/NUMBER`, the name of the student's chain.
        name: How the person is addressed.
        address: Where mail goes, if that is known.
        refused: The address refused for good what was sent there.
    """

    key: str
    name: str | None
    address: str | None
    refused: bool

    @property
    def is_reachable(self) -> bool:
        """Whether mail is worth sending."""
        return self.address is not None and not self.refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Who can act on a case in a role.

    Attributes:
        people: Whoever can.
        unit: The unit at which the role is held; None where nobody holds it, and for the student.
        absent: The logins of holders there who are away.
        stand_ins: The keys of those who act for somebody else.
        is_idle: The role signs here, and has nothing to sign now.
    """

    people: tuple[Person, ...] = ()
    unit: str | None = None
    absent: tuple[str, ...] = ()
    stand_ins: frozenset[str] = frozenset()
    is_idle: bool = False


class _Task(NamedTuple):
    """A step or signature the role takes in the case's state: where, and who has signed for it."""

    step: Step
    who: Who
    path: str
    signed: Collection[str] = ()


class _Staff(NamedTuple):
    """Everybody who holds a role, and what is lent of it."""

    at: Mapping[str, tuple[str, ...]]
    loans: tuple[Loan, ...]
    handed: Mapping[int, str]
    contacts: Mapping[str, Contact]

    def nearest(self, path: str) -> tuple[str | None, tuple[str, ...]]:
        """The unit at or above a path that has holders, and those."""
        return next(((unit, self.at[here]) for unit, here in upwards(path) if here in self.at), (None, ()))

    def below(self, path: str) -> tuple[str, ...]:
        """Everybody who holds the role at a unit below a path."""
        return tuple(dict.fromkeys(one for here, those in self.at.items() if here.startswith(path) for one in those))


class Roll:
    """The people as they are at one moment; each role is read once, however many cases are asked for.

    Args:
        desk: Where the cases are worked.
        at: The moment: who is away on its day, what is lent until then.
    """

    def __init__(self, desk: Desk, at: datetime) -> None:
        self._desk = desk
        self._request = Request(trigger="remind", actor=TIMER, at=at)
        self._away = people.away(desk.connection, at.astimezone(SHANGHAI).date())
        self._staff: dict[str, _Staff] = {}
        self._pupils: dict[int, Contact] = {}
        self._acts: dict[tuple[str, str, str], tuple[tuple[Step, Who], ...]] = {}

    def expect(self, cases: Iterable[Case]) -> None:
        """Read the students of many cases at once, before they are asked for one by one."""
        asked = {case.student for case in cases if case.student is not None}
        if new := [student for student in sorted(asked) if student not in self._pupils]:
            self._pupils |= people.pupils(self._desk.connection, new)

    def find(self, case: Case, role: str) -> Found:
        """Who can act on a case in a role; a role that has nothing to do in its state is looked for at its unit."""
        if role == STUDENT:
            return self._student(case)
        staff, acts, tasks = self._staff_of(role), self._acts_of(case, role), self._tasks(case, role)
        paths = tuple(dict.fromkeys(task.path for task in tasks)) or (case.path,)
        found: dict[str, Person] = {}
        held = [_holders(staff, case, path) for path in paths]
        stand_ins: set[str] = set()
        for path, (_, holders) in zip(paths, held, strict=True):
            here = [task for task in tasks if task.path == path]
            rights = self._rights(staff, holders, case, path)
            for right in (one for one in rights if not self._is_barred(case, here, one)):
                person = person_of(staff.contacts[right[0]])
                stand_ins |= {person.key} if len(right) > 1 and person.key not in found else set()
                found.setdefault(person.key, person)
        return Found(
            people=tuple(found.values()),
            unit=next((unit for unit, _ in held if unit is not None), None),
            absent=tuple(dict.fromkeys(one for _, holders in held for one in holders if one in self._away)),
            stand_ins=frozenset(stand_ins),
            is_idle=not tasks and any(step.signing is not None for step, _ in acts),
        )

    def above(self, case: Case) -> tuple[tuple[Person, str, str], ...]:
        """Whoever has a part in the procedure at the next unit above the case's: each with the role and the unit."""
        roles = _deciding(self._desk.machine(case.shape))
        for unit, path in list(upwards(case.path))[1:]:
            present = {
                login: (person_of(staff.contacts[login]), role, unit)
                for role in reversed(roles)
                for staff in (self._staff_of(role),)
                for login in staff.at.get(path, ())
                if login not in self._away and login != self._own(case)
            }
            if present:
                return tuple(present[login] for login in sorted(present))
        return ()

    def todo(self, case: Case, key: str) -> tuple[Bilingual, ...]:
        """The titles of what a person can do on a case now."""
        machine = self._desk.machine(case.shape)
        steps = (
            [] if case.state == CANCELLED else map(machine.step, repeat(case.state), machine.open_triggers(case.state))
        )
        roles = dict.fromkeys(who.acting_role for step in steps for who, _ in people_of(step.transition))
        titles: dict[str, Bilingual] = {}
        for role in (one for one in roles if one == STUDENT or one not in RESERVED_ROLES):
            found = self.find(case, role)
            if any(one.key == key for one in found.people):
                left = role == STUDENT and key in found.stand_ins  # a student leaves to others only what may be left
                tasks = [one for one in self._tasks(case, role) if not left or one.who.delegates is not None]
                titles |= {task.step.trigger: task.step.transition.title for task in tasks}
        return tuple(titles.values())

    def _student(self, case: Case) -> Found:
        """The student, and whoever the student has left a signature to."""
        if case.student is None:
            return Found()
        self.expect([case])
        one = self._pupils[case.student]
        staff = self._staff_of(STUDENT)
        takers = [loan.taker for loan in staff.loans if loan.case == case.id]
        lent = [person_of(staff.contacts[taker]) for taker in takers]
        found = {one.key: one for one in (person_of(one), *lent)}
        return Found(people=tuple(found.values()), stand_ins=frozenset(one.key for one in lent))

    def is_own(self, case: Case, key: str) -> bool:
        """Whether a person is the student the case is about."""
        if case.student is None:
            return False
        self.expect([case])
        return person_of(self._pupils[case.student]).key == key

    def _own(self, case: Case) -> str | None:
        """The login of the student the case is about: as staff that person has nothing to do with it."""
        if case.student is None:
            return None
        self.expect([case])
        return self._pupils[case.student].login

    def _staff_of(self, role: str) -> _Staff:
        if role not in self._staff:
            connection = self._desk.connection
            held = people.holders(connection, role)
            lent = people.loans(connection, role, self._request.at)
            loans = tuple(one for one in lent if role == STUDENT or _is_held(held, one.giver, one.path))
            handed = {case: taker for (case, _), taker in handed_over(connection, (role,)).items()}
            logins = {*(login for login, _ in held), *(one.taker for one in loans), *handed.values()}
            at: dict[str, list[str]] = {}
            for login, path in held:
                at.setdefault(path, []).append(login)
            self._staff[role] = _Staff(
                at={path: tuple(those) for path, those in at.items()},
                loans=loans,
                handed=handed,
                contacts=people.contacts(connection, sorted(logins)),
            )
        return self._staff[role]

    def _rights(self, staff: _Staff, holders: Sequence[str], case: Case, path: str) -> Iterator[tuple[str, ...]]:
        """In whose right somebody can act: those who are there, and those who act for one who is not or has lent it."""
        yield from ((login,) for login in holders if login not in self._away)
        for one in staff.loans:
            covers = one.giver in holders and path.startswith(one.path) and one.case in (None, case.id)
            if covers and one.taker not in self._away and (one.case == case.id or one.giver in self._away):
                yield one.taker, one.giver

    def _is_barred(self, case: Case, tasks: Sequence[_Task], right: tuple[str, ...]) -> bool:
        if right[0] == self._own(case):
            return True
        return bool(tasks) and all(_bars(case, task, right) for task in tasks)

    def _acts_of(self, case: Case, role: str) -> tuple[tuple[Step, Who], ...]:
        """The steps a role takes or signs out of the case's state: those that lead on, else any."""
        key = (case.shape, case.state, role)
        if key not in self._acts:
            found = tuple(_acts(self._desk.machine(case.shape), case.state, role))
            onward = tuple(one for one in found if one[0].transition.kind is MoveKind.ADVANCE)
            self._acts[key] = onward or found
        return self._acts[key]

    def _tasks(self, case: Case, role: str) -> list[_Task]:
        """What the role can do now, and where."""
        acts = self._acts_of(case, role)
        if all(step.signing is None and step.applies is None and who.at is None for step, who in acts):
            return [_Task(step, who, case.path) for step, who in acts]
        machine, found = self._desk.machine(case.shape), read_case(self._desk.connection, case.id)
        sight = Seeing(self._desk, machine, found or FoundCase(case, {}, None, None), self._request)
        tasks: list[_Task] = []
        for step, who in (one for one in acts if _applies(machine, one[0], sight)):
            if step.signing is not None:
                tasks += _signatures(step, case, sight, role)
                continue
            place = (case.unit, case.path) if who.at is None else sight.place(who.at)
            tasks += [] if place is None else [_Task(step, who, place[1])]
        return tasks


def why(desk: Desk, role: str, unit: str | None, *, stands_in: bool) -> Bilingual:
    """Why somebody is told, as a clause: 您是柳桥教学点的经办人, your role at Liuqiao is Operator."""
    if role == STUDENT:
        if stands_in:
            return Bilingual(zh="学生本人委托您签字", en="the student has left a signature to you")
        return Bilingual(zh="这是您本人的业务", en="this is your own case")
    one = desk.library.rulebook.organisation.roles.get(role)
    title = Bilingual(zh=role, en=role) if one is None else one.title
    name = "" if unit is None else desk.units()[unit].name
    where = f" at {name}" if name else ""
    if stands_in:
        return Bilingual(zh=f"您受委派代行{name}{title.zh}职责", en=f"you act for {title.en}{where}")
    return Bilingual(zh=f"您是{name}的{title.zh}" if name else f"您是{title.zh}", en=f"your role{where} is {title.en}")


def upwards(path: str) -> Iterator[tuple[str, str]]:
    """A unit and those above it, nearest first: each as its code and its path."""
    parts = path.strip("/").split("/")
    for count in range(len(parts), 0, -1):
        yield parts[count - 1], f"/{'/'.join(parts[:count])}/"


def person_of(contact: Contact) -> Person:
    """An account, or a student without one, as somebody to be told."""
    key = chain_name(-(contact.student or 0)) if contact.login is None else f"person/{contact.login}"
    return Person(key=key, name=contact.name, address=contact.email, refused=contact.refused)


def _holders(staff: _Staff, case: Case, path: str) -> tuple[str | None, tuple[str, ...]]:
    """Whose the role is in a case: the unit at which, and their logins.

    What a unit does (a round of audits it begins) is told to those below it who alone hold the role.
    """
    unit, found = staff.nearest(path)
    if case.id in staff.handed:
        return unit, (staff.handed[case.id],)
    return (unit, found) if found or case.student is not None else (None, staff.below(path))


def _is_held(held: Iterable[tuple[str, str]], login: str, path: str) -> bool:
    return any(who == login and path.startswith(here) for who, here in held)


def _acts(machine: Machine, state: str, role: str) -> Iterator[tuple[Step, Who]]:
    """The steps a role takes or signs out of a state, each once."""
    if state == CANCELLED:
        return
    for trigger in machine.open_triggers(state):
        step = machine.step(state, trigger)
        yield from islice(((step, who) for who, _ in people_of(step.transition) if who.acting_role == role), 1)


def _applies(machine: Machine, step: Step, sight: Seeing) -> bool:
    """Whether a step is offered at all."""
    if step.applies is None:
        return True
    return step.applies.evaluate(machine.decoded(sight.see((), step.applies.reads))) is not False


def _signatures(step: Step, case: Case, sight: Seeing, role: str) -> Iterator[_Task]:
    """The places to sign that are the role's and whose turn it is."""
    block = block_of(step, case, sight)
    done = signers(block.sign, block.given)
    for seat in block.turn:
        if seat.who.acting_role == role and step.signing is not None:
            signed = () if on_paper(block.sign, seat.slot) else done
            yield _Task(step.signing.steps.get(seat.slot, step), seat.who, seat.path, signed)


def _bars(case: Case, task: _Task, right: tuple[str, ...]) -> bool:
    """Whether something stands against a step being taken in this right."""
    if any(one in task.signed for one in right):
        return True
    if len(right) > 1 and task.who.in_person and task.who.delegates is None:
        return True
    return any(one in case.taken.get(other, ()) for other in task.step.apart for one in right)


def _deciding(machine: Machine) -> tuple[str, ...]:
    """The roles that take a step or sign somewhere in a procedure."""
    steps = machine.definition.transitions.values()
    acting = dict.fromkeys(who.acting_role for one in steps for who, _ in people_of(one))
    return tuple(role for role in acting if role not in RESERVED_ROLES)
