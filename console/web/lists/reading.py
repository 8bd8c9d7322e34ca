"""Reading a list for its pages: everything once, in as few statements as there are kinds of things to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.web.cases.looking import lang_of
from console.web.cases.masking import Veil, eyes_of, veil_of
from console.web.cases.reading import NOBODY
from console.web.faults import NotFound
from console.web.lettering import number_shown, valued
from console.web.visit import Visit
from engine.actors import IMPORT, TIMER
from engine.definition import CANCELLED, Bilingual, Definition
from engine.documents import column_title, document_of
from engine.expressions.kinds import decode, parse_kind
from engine.fetching import Fetched, Neighbourhood
from engine.prospects import Prospect, Staff, prospects_of
from engine.records import Case, Json, Request
from engine.sight import Seeing
from engine.steps import Machine
from engine.store import people
from engine.store.cases import Found
from engine.store.deadlines import Row
from engine.store.documents import DocumentRow
from engine.store.kept import kept_of
from engine.store.relations import Neighbour
from engine.store.stories import StoryLine

_NO_PERSON = frozenset({TIMER.login, IMPORT.login})
VOID = Bilingual(zh="已撤销", en="Cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """A list as it stands, read for its pages.

    Attributes:
        sight: Of whoever looks; it has the members.
        steps: Every step out of its state, judged now.
        members: Those fixed, or, of a list that still gathers, those it would take now.
        deadlines: Those that run.
        lines: Its events.
        veil: What the visitor sees of personal values.
        people: How people are addressed, by login.
    """

    visit: Visit
    found: Found
    machine: Machine
    sight: Seeing
    steps: tuple[Prospect, ...]
    members: tuple[Neighbour, ...]
    documents: Sequence[DocumentRow]
    deadlines: Sequence[Row]
    lines: tuple[StoryLine, ...]
    veil: Veil
    people: Mapping[str, str]

    @property
    def case(self) -> Case:
        """The list itself."""
        return self.found.case

    @property
    def definition(self) -> Definition:
        """The definition it is pinned to."""
        return self.machine.definition

    @property
    def is_fixed(self) -> bool:
        """Whether its members are fixed."""
        return self.definition.is_fixed(self.case.state)

    @property
    def address(self) -> str:
        """Where its pages are."""
        return f"/lists/{number_shown(self.case.number)}"

    @property
    def unit(self) -> str:
        """What the unit is called that the list is of: once its members are fixed, what it was called then."""
        fixed = fixed_at(self.lines) if self.is_fixed else None
        return self.visit.desk.unit_named(self.case.unit, fixed or self.visit.at)

    @property
    def unit_now(self) -> str:
        """What the unit is called now."""
        return self.visit.desk.units()[self.case.unit].name

    def name(self, login: str) -> str:
        """How a person is addressed; by the login where no name is kept."""
        return self.people.get(login, login)

    def role(self, role: str) -> Bilingual:
        """What a role is called."""
        return self.visit.desk.library.rulebook.organisation.called(role)

    def form(self, kind: str) -> Bilingual:
        """What a document is called."""
        return document_of(self.machine, kind).title

    def column(self, name: str) -> str:
        """How a column of a form is headed."""
        fact = self.machine.book.vocabulary.student.get(name)
        return column_title(self.machine, name) if fact is None else self.visit.title(fact.title)

    def step(self, trigger: str) -> Prospect | None:
        """A step out of its state, or None."""
        return next((one for one in self.steps if one.trigger == trigger), None)

    def worded(self, column: str, value: Json) -> str:
        """What stands in a column of a form, as the visitor may see it."""
        veiled = self.veil.over(column, value)
        if veiled is None or veiled != value:
            return "—" if veiled is None else str(veiled)
        return self.said(column, value)

    def said(self, column: str, value: Json) -> str:
        """What stands in a column of a form, in full."""
        fact = self.machine.book.vocabulary.student.get(column)
        if value is None or fact is None:
            return "" if value is None else self._plain(column, str(value))
        kind = parse_kind(fact.type)
        return valued(kind, decode(kind, value), lang_of(self.visit), self.machine.readers.choices)

    def _plain(self, column: str, text: str) -> str:
        """A value that is no fact: of the states of members their title."""
        kinds = self.definition.members
        states = {} if kinds is None else self._member_states()
        return self.visit.title(states[text]) if column == "state" and text in states else text

    def _member_states(self) -> Mapping[str, Bilingual]:
        shapes = {one.case.shape for one in self.members}
        return {name: one.title for shape in shapes for name, one in self.visit.desk.definition(shape).states.items()}


def fixed_at(lines: Sequence[StoryLine]) -> datetime | None:
    """When a list's members were fixed for the last time, by its events; None where they never were."""
    fixing = (one.event for one in reversed(lines) if isinstance(one.event["data"].get("members"), Mapping))
    return next((datetime.fromisoformat(one["at"]) for one in fixing), None)


def read_book(visit: Visit, found: Found) -> Book:
    """Read a list for its pages.

    Raises:
        NotFound: If the case is none.
    """
    desk, case = visit.desk, found.case
    machine = desk.machine_for(case, {})
    if machine.definition.members is None:
        raise NotFound
    request, kept = Request(trigger="look", actor=NOBODY, at=visit.at), kept_of(desk.connection, case.id)
    fetched = Fetched(Neighbourhood(desk.connection, []), {case.id: kept.deadlines}, {case.id: kept.documents})
    members = tuple(Seeing(desk, machine, found, request, fetched=fetched).members())
    sight = Seeing(desk, machine, found, request, fetched=fetched, members=members)
    staff = Staff(desk.connection, None)
    steps = () if case.state == CANCELLED else prospects_of(machine, case, sight, staff)
    return Book(
        visit=visit,
        found=found,
        machine=machine,
        sight=sight,
        steps=steps,
        members=members,
        documents=kept.documents,
        deadlines=kept.deadlines,
        lines=kept.lines,
        veil=veil_of(eyes_of(visit.actor, machine, case), machine),
        people=_names(visit, staff, kept.lines),
    )


def _names(visit: Visit, staff: Staff, lines: Sequence[StoryLine]) -> dict[str, str]:
    """How everybody is addressed who can act, or has acted."""
    known = {one.login: one.name or one.login for one in staff.known()}
    others = sorted({str(line.event["actor"]) for line in lines} - known.keys() - _NO_PERSON)
    named, _ = people.named(visit.desk.connection, others, None) if others else ({}, None)
    return {**known, **named}
