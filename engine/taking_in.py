"""Taking a sheet in, in one's own name: which facts are one's own to write, and of whose students.

`engine.facts` lets whoever takes a sheet in write what no office keeps to itself: at the command line that is the
registry itself. A person at a console writes what their roles write, at their units and below (S000-0.1).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from engine.actors import Actor
from engine.desk import Desk
from engine.eligibility import CHUNK, application, judge_records, works_by
from engine.errors import Unknown
from engine.facts import FactRefusal
from engine.records import Json, Request, Verdict
from engine.store import lanes, students
from engine.store.cases import Found, records_of
from engine.trail.event import moment
from engine.vocabulary import RulebookText
from engine.writers import not_a_writer, taken_in_by

Rows = Mapping[str, Mapping[str, Json]]
"""By student number, what a sheet says."""


class Reach(NamedTuple):
    """What somebody may take in on a sheet: by fact, the paths of the units where and below; none is empty."""

    paths: Mapping[str, tuple[str, ...]]

    def everywhere(self) -> tuple[str, ...]:
        """The paths of all those units, each once."""
        return tuple(dict.fromkeys(path for paths in self.paths.values() for path in paths))


def reach_of(book: RulebookText, actor: Actor, at: datetime) -> Reach:
    """What a person may take in, by the roles held and lent at a moment."""
    facts = {name: one for name, one in book.vocabulary.student.items() if one.derive is None}
    found = {name: paths_of(actor, taken_in_by(one), at) for name, one in facts.items()}
    return Reach({name: paths for name, paths in found.items() if paths})


def paths_of(actor: Actor, roles: Collection[str], at: datetime) -> tuple[str, ...]:
    """The paths of the units where a person holds, or is lent for all cases, one of some roles at a moment."""
    held = (*actor.grants, *actor.lent_at(moment(at)))
    return tuple(dict.fromkeys(one.path for one in held if one.role in roles and one.case is None))


def not_theirs(desk: Desk, rows: Rows, request: Request) -> tuple[FactRefusal, ...]:
    """The students of whom a sheet would change what whoever takes it in may not write; nobody new is among them."""
    book = desk.library.rulebook
    reach = reach_of(book, request.actor, request.at)
    known, refused = students.by_numbers(desk.connection, list(rows)), []
    for number, row in known.items():
        path = desk.units()[row.unit].path
        changed = (name for name, value in rows[number].items() if row.facts.get(name) != value)
        verdicts = _verdicts(book, (name for name in changed if not _covers(reach, name, path)))
        if verdicts:
            refused.append(FactRefusal(student_no=number, verdicts=verdicts))
    return tuple(refused)


def _covers(reach: Reach, fact: str, path: str) -> bool:
    return any(path.startswith(one) for one in reach.paths.get(fact, ()))


def _verdicts(book: RulebookText, names: Iterable[str]) -> tuple[Verdict, ...]:
    facts = book.vocabulary.student
    return tuple(not_a_writer(book, facts[name], taken_in_by(facts[name])) for name in names)


class Ready(NamedTuple):
    """The cases that nothing stands in the way of: those that wait for somebody, and records that may apply."""

    waiting: frozenset[int]
    applying: frozenset[int]


def ready(desk: Desk, numbers: Sequence[str], request: Request) -> Ready:
    """The cases of students that nothing stands in the way of now.

    Args:
        desk: Where they are.
        numbers: Of the students.
        request: Carries the moment; nobody's rights are asked.
    """
    known = students.ids_of(desk.connection, numbers)
    waiting = lanes.unblocked_of(desk.connection, known)
    records = (one for at in range(0, len(known), CHUNK) for one in records_of(desk.connection, known[at : at + CHUNK]))
    return Ready(frozenset(waiting), frozenset(_may_apply(desk, list(records), request)))


def _may_apply(desk: Desk, records: Sequence[Found], request: Request) -> Iterator[int]:
    """The records at rest whose students meet every rule of applying in a published batch."""
    for batch in desk.every_batch():
        try:
            trigger = application(desk, batch.name)
        except Unknown:  # nobody applies in batches of this kind
            continue
        origins = desk.library.record(batch.profile).transitions[trigger].origins
        asked = Request(trigger=trigger, actor=request.actor, at=request.at, fields={"batch": batch.name})
        here = [one for one in records if one.case.state in origins and works_by(desk, one.case.unit, batch.profile)]
        for at in range(0, len(here), CHUNK):
            chunk = here[at : at + CHUNK]
            said = judge_records(desk, chunk, asked)
            yield from (one.case.id for one, answer in zip(chunk, said, strict=True) if answer.eligible)
