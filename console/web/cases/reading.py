"""Reading a case for its page: everything once, in as few statements as there are kinds of things to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.actors import ONLOOKER, Actor
from engine.definition import Definition
from engine.desk import Desk
from engine.eligibility import works_by
from engine.fetching import Fetched, Neighbourhood
from engine.prospects import Prospect, Staff, prospects_of
from engine.records import Case, Json, Request
from engine.sight import Seeing
from engine.steps import Machine
from engine.store import deadlines, people, stories
from engine.store.cases import Found
from engine.store.database import Connection
from engine.store.deadlines import Row
from engine.store.documents import DocumentRow
from engine.store.people import PERSON
from engine.store.registry import BatchRow
from engine.store.stories import StoryLine, ToldLine

NOBODY = Actor(login=ONLOOKER)
"""Who looks where nobody's rights are asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """Everything that is read of a case for its page.

    Attributes:
        steps: Every step out of its state, judged now.
        lines: The events of the case and of its student, in the order in which they were written.
        told: What was told because of the case, newest first.
        running: The deadlines that run, by case: its own, and those of the student's other cases.
        beside: The student's other cases that are not cancelled.
        people: How people are addressed, by login.
        batch: The batch of the case, or the only one it could be given; `assumed` says that it is this.
    """

    desk: Desk
    found: Found
    machine: Machine
    sight: Seeing
    steps: tuple[Prospect, ...]
    lines: tuple[StoryLine, ...]
    told: tuple[ToldLine, ...]
    running: Mapping[int, Sequence[Row]]
    documents: Sequence[DocumentRow]
    beside: Sequence[Case]
    people: Mapping[str, str]
    staff: Staff
    batch: BatchRow | None
    assumed: bool
    at: datetime

    @property
    def case(self) -> Case:
        """The case as it stands."""
        return self.found.case

    @property
    def definition(self) -> Definition:
        """The definition it is pinned to."""
        return self.machine.definition

    def own(self) -> Iterator[StoryLine]:
        """The events of the case itself."""
        return (line for line in self.lines if line.chain == self.case.id)

    def name(self, login: str) -> str:
        """How a person is addressed; by the login where no name is kept."""
        return self.people.get(login, login)


def read_dossier(desk: Desk, found: Found, at: datetime, *, names: Connection | None = None) -> Dossier:
    """Read a case for its page.

    Args:
        desk: Where it is worked, or the desk of a past moment.
        found: The case as read.
        at: The moment at which it is judged.
        names: Where names of people stand, if not at the desk: the past does not know them.
    """
    connection, case = desk.connection, found.case
    hood = Neighbourhood(connection, [case.student])
    beside = [] if case.student is None else [one for one in hood.of(case.student) if one.id != case.id]
    running = deadlines.of_cases(connection, [case.id, *(one.id for one in beside)])
    batch, fields = _batch(desk, case)
    machine = desk.machine_for(case, fields)
    lines = stories.story(connection, [case.id] if case.student is None else [case.id, -case.student])
    told = stories.told(connection, case.id)
    staff = Staff(connection, None)
    nameless = [] if names is None else [one.login for one in staff.above(case.path)]
    called, staff.student = people.named(names or connection, [*_logins(lines, told), *nameless], case.student)
    request = Request(trigger="look", actor=NOBODY, at=at, fields=fields)
    sight = Seeing(desk, machine, found, request, fetched=Fetched(hood, running))
    steps = prospects_of(machine, case, sight, staff)
    return Dossier(
        desk=desk,
        found=found,
        machine=machine,
        sight=sight,
        steps=steps,
        lines=tuple(lines),
        told=tuple(told),
        running=running,
        documents=sight.documents(),
        beside=beside,
        people={**{one.login: one.name for one in staff.known() if one.name}, **called},
        staff=staff,
        batch=batch,
        assumed=bool(fields),
        at=at,
    )


def _logins(lines: Iterable[StoryLine], told: Iterable[ToldLine]) -> list[str]:
    """Everybody whom the events and messages name."""
    found: dict[str, None] = {}
    for line in lines:
        found[str(line.event["actor"])] = None
        data = line.event["data"]
        found.update(dict.fromkeys(str(data[key]) for key in ("to", "by") if isinstance(data.get(key), str)))
    found.update(dict.fromkeys(one.recipient.removeprefix(PERSON) for one in told))
    return sorted(found)


def _batch(desk: Desk, case: Case) -> tuple[BatchRow | None, dict[str, Json]]:
    """The batch of a case; or the one it would be given where only one can be meant, and the field that takes it."""
    own = case.fields.get("batch")
    if isinstance(own, str):
        return desk.batch(own), {}
    definition = desk.definition(case.shape)
    for name, field in definition.fields.items():
        kind, _, of = field.type.partition(" ")
        if kind == "batch" and case.fields.get(name) is None:
            fitting = [row for row in desk.every_batch() if row.kind == of and works_by(desk, case.unit, row.profile)]
            if len(fitting) == 1:
                return fitting[0], {name: fitting[0].name}
    return None, {}
