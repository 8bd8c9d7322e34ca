"""Looking back: a case as it stood at a moment, for the same eyes that look at the present.

The events up to the moment are folded into rows in memory (`engine.past`): of the student with all cases, of the
registry (units, roles, batches, definitions, rules), and of whatever other cases the definition looks at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import NamedTuple

import orjson

from engine.casework import find_case
from engine.definition import Definition
from engine.desk import Desk
from engine.errors import Unknown, XuejiError
from engine.expressions.functions import Registered
from engine.expressions.kinds import SHANGHAI
from engine.facts import is_read
from engine.library import Library
from engine.neighbours import named
from engine.past import Past, numbered, past_of
from engine.records import Sentence, case_number, case_of
from engine.regathering import gather_again
from engine.steps import Machine
from engine.store import registry, students
from engine.store.cases import read_case, write_events
from engine.store.database import Connection
from engine.store.past import Line, cases_about, cases_of_workflows, lines_about, lines_of
from engine.trail.event import REGISTRY, EventKind, Written, moment
from engine.vocabulary import RulebookText

_CHUNK = 500
_EARLIER, _EVER = "", "~"
"""Before and after every moment."""
_LOOKING = frozenset({"cases", "others", "members"})
_RAISING = frozenset(
    map(
        str,
        (
            EventKind.OPENED,
            EventKind.MOVED,
            EventKind.SIGNED,
            EventKind.SIGNER_CHANGED,
            EventKind.RELOCATED,
            EventKind.MIGRATED,
            EventKind.RETRACTED,
            EventKind.DELEGATED,
            EventKind.HANDED_OVER,
            EventKind.DELEGATION_REVOKED,
            EventKind.DEADLINE_MOVED,
            EventKind.EVIDENCE_ADDED,
            EventKind.EVIDENCE_WITHDRAWN,
        ),
    )
)
"""Events of a case that make open pages stale."""


class NotYet(XuejiError):
    """What is asked for was not there yet at the moment."""

    def __init__(self, what: str, at: str) -> None:
        super().__init__(
            f"{at} 时日志中还没有 {what}。The trail has nothing of {what} up to {at}; ask for a later moment."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """A case at a moment: the desk of that time, the case's number as an integer, and what cannot be known any more."""

    desk: Desk
    case: int
    lacking: tuple[Sentence, ...]


@contextmanager
def as_it_stood(desk: Desk, about: str, number: str | None, at: datetime) -> Iterator[Then]:
    """A case as it stood when everything up to a moment, included, had happened.

    Args:
        desk: The desk of the present.
        about: The student's number, as today, or the code of a unit.
        number: Which case; None: the student's record, or the one open case.
        at: The moment.

    Raises:
        Unknown: If there is no such student, unit or case even today.
        NotYet: If it was not there at the moment.
        SeveralOpen: If several cases could have been meant.
    """
    until = moment(at)
    with desk.connection.reading():
        lines = list(_until(until, _lines_about(desk, about, number)))
        desk_then = _desk_of(desk, lines, until)
        with past_of(desk_then) as past:
            for line in lines:
                past.take(line)
            case = _found(past, lines, (about, number), until)
            around = _look_around(past, desk, case, until)
            past.revise(case, _revision(desk_then, case, lines))
            then = past.desk()
            gather_again(past, desk_then, [*dict.fromkeys(line.chain for line in lines), *around], case)
            own = _own_chains(then, case)
            write_events(then.connection, [_written(line) for line in lines if line.chain in own])
            yield Then(desk=then, case=case, lacking=tuple(_lacking(past, then, case)))


def _lines_about(desk: Desk, about: str, number: str | None) -> list[Line]:
    """The registry's events, and those of a student with all cases or of all cases about a unit."""
    lines = lines_about(desk.connection, about)
    if any(line.chain < REGISTRY for line in lines):
        return lines
    case = None if number is None else case_of(number)
    found = cases_about(desk.connection, unit=about)
    if about not in desk.units() and not found:
        raise Unknown("学号或单位代码 student number or unit code", about)
    chains = [REGISTRY, *dict.fromkeys([*found, *([] if case is None else [case])])]
    return lines_of(desk.connection, chains)


def _until(until: str, lines: Iterable[Line]) -> Iterator[Line]:
    """The events up to a moment, in the order in which they were written; a chain ends with its first later.

    Raises nothing: what is not sound in them, `engine.replay` says.
    """
    ended: set[int] = set()
    for line in lines:
        if line.chain in ended or orjson.loads(line.body)["at"] > until:
            ended.add(line.chain)
        else:
            yield line


def _desk_of(desk: Desk, lines: Iterable[Line], until: str) -> Desk:
    """A desk with the definitions and rules in force then: this one, unless some were published since."""
    book, latest = _in_force((line.body for line in lines if line.chain == REGISTRY), until)
    own = {(one.workflow, one.profile): desk.hash_of(one) for one in desk.library.machines()}
    if book is None or (book, latest) == (desk.rulebook, own):
        return desk
    library = _library(desk.connection, book, {kind: desk.definition(one) for kind, one in latest.items()})
    library = replace(library, batches=desk.library.batches, functions=desk.library.functions)
    return Desk(desk.connection, desk.scribe, library, salt=bytes, rehearsal=desk.rehearsal)


def library_kept(connection: Connection, functions: Mapping[str, Registered]) -> Library:
    """The definitions and rules that a database has and that were published last; call inside `reading`.

    Raises:
        Unknown: If nothing has been published yet.
    """
    book, latest = _in_force((line.body for line in lines_of(connection, [REGISTRY])), _EVER)
    if book is None:
        raise Unknown("规则集 rulebook", "")
    texts = {kind: registry.shape_body(connection, one) or "" for kind, one in latest.items() if "." not in kind[0]}
    definitions = {kind: Definition.model_validate_json(text) for kind, text in texts.items()}
    return replace(_library(connection, book, definitions), functions=functions)


def _library(connection: Connection, book: str, definitions: Mapping[tuple[str, str], Definition]) -> Library:
    body = registry.rulebook_body(connection, book)
    assert body is not None  # noqa: S101 published texts are never removed
    procedures = {kind: one for kind, one in definitions.items() if "." not in kind[0]}
    return Library(definitions=procedures, rulebook=RulebookText.model_validate_json(body), batches={})


def _in_force(registry_events: Iterable[bytes], until: str) -> tuple[str | None, dict[tuple[str, str], str]]:
    """The rulebook in force at a moment, and the definition of each workflow (lists too) and profile, by hash."""
    found = sorted((one for body in registry_events for one in _published(body)), key=lambda one: one.since)
    there = [one for one in found if one.since <= until]
    book = next((one.digest for one in reversed(there) if one.kind is None), None)
    return book, {one.kind: one.digest for one in there if one.kind is not None}


class _InForce(NamedTuple):
    """A definition (of a workflow and profile) or rulebook by its hash, and the moment from which it is in force."""

    since: str
    digest: str
    kind: tuple[str, str] | None


def _published(body: bytes) -> Iterator[_InForce]:
    """What an event publishes, if it does; what was approved for a day to come is in force from its midnight on."""
    event = orjson.loads(body)
    data = event["data"]
    if event["kind"] == EventKind.DEFINITION_PUBLISHED and "message" not in data and "batch" not in data:
        since = max(event["at"], _midnight(data["effective_from"]) if "effective_from" in data else "")
        kind = (data["workflow"], data["profile"]) if "definition" in data else None
        yield _InForce(since, str(data.get("definition") or data.get("rulebook")), kind)


def _midnight(day: str) -> str:
    return moment(datetime.combine(date.fromisoformat(day), time(), SHANGHAI))


def _found(past: Past, lines: Iterable[Line], asked: tuple[str, str | None], until: str) -> int:
    about, number = asked
    then = past.desk()
    student = next((-line.chain for line in lines if line.chain < REGISTRY), None)
    try:
        named_then = about if student is None else students.by_id(then.connection, student).student_no
        return find_case(then, named_then, number)
    except Unknown as problem:
        raise NotYet(number or about, until) from problem


def _look_around(past: Past, desk: Desk, case: int, until: str) -> list[int]:
    """Take the cases a definition looks at beside those of the student, and their students; all their chains."""
    then = past.desk()
    found = read_case(then.connection, case)
    assert found is not None  # noqa: S101 it has just been found
    workflows = sorted(_looked_at(then, then.machine_for(found.case, {})))
    if not workflows:
        return []
    there = {case, *((-found.case.student,) if found.case.student is not None else ())}
    around: dict[int, None] = {}
    for other, student in cases_of_workflows(desk.connection, workflows):
        if found.case.student is None or student != found.case.student:
            around |= {other: None} | ({-student: None} if student is not None else {})
    chains = sorted(around.keys() - there)
    for start in range(0, len(chains), _CHUNK):
        for line in _until(until, lines_of(desk.connection, chains[start : start + _CHUNK])):
            past.take(line)
    return chains


def _looked_at(desk: Desk, machine: Machine) -> set[str]:
    """The workflows whose cases of others a machine's rules read, and for a list those it gathers and its own kind."""
    readings = (one for one in machine.readings.values() if not machine.stays_with_student(one))
    sources = (source for one in readings for source in one.sources if source.function in _LOOKING)
    members = machine.definition.members
    names = {source.argument for source in sources if source.function != "members"}
    own = {machine.definition.workflow} if members is not None else set()
    names |= {members.of} if members is not None else set()
    return own | {one.workflow for name in names for one in named(desk, machine.profile, name)}


def _revision(desk: Desk, case: int, lines: Iterable[Line]) -> int:
    """How often open pages of a case had become stale: by its own events, and by facts its steps read."""
    revision, shape = 0, ""
    books = [(_EARLIER, desk.rulebook)]
    for line in lines:
        event = orjson.loads(line.body)
        data = event["data"]
        if line.chain == case:
            revision += event["kind"] in _RAISING
            shape = event["definition"] if event["kind"] in (EventKind.OPENED, EventKind.MIGRATED) else shape
        elif line.chain == REGISTRY and "rulebook" in data and event["kind"] == EventKind.DEFINITION_PUBLISHED:
            books += [(one.since, one.digest) for one in _published(line.body)]
        elif shape and event["kind"] == EventKind.FACT_CHANGED and line.chain < REGISTRY:
            touched = {*data["facts"], *data.get("sealed_facts", ())}
            is_own = numbered(data.get("cause", {}).get("chain")) == case
            book = max((since, place, one) for place, (since, one) in enumerate(books) if since <= event["at"])[-1]
            revision += not is_own and is_read(desk.machine(shape, book), touched)
    return revision


def _own_chains(desk: Desk, case: int) -> set[int]:
    found = read_case(desk.connection, case)
    student = None if found is None else found.case.student
    return {case} if student is None else {case, -student}


def _written(line: Line) -> Written:
    return Written(line.chain, line.seq, line.body, line.hash, b"")


def _lacking(past: Past, desk: Desk, case: int) -> Iterator[Sentence]:
    """What rules may lack because nobody knows it any more."""
    for chain in sorted(_own_chains(desk, case)):
        for name in sorted(past.erased(chain)):
            yield Sentence(
                zh=f"{name} 的值已删除，读它的条件无法判定", en=f"{name} is erased; rules that read it are undecided"
            )
    for one in sorted(desk.unknown):
        kind, _, name = one.partition("/")
        if kind == "table":
            yield Sentence(
                zh=f"表 {name} 当时的内容未保留（日志只有其哈希），读它的条件无法判定",
                en=f"the rows table {name} had then are not kept; rules that read it are undecided",
            )
        elif name == case_number(case):
            yield Sentence(
                zh="名单当时的成员未保留（日志只有其哈希），读它的条件无法判定",
                en="who was on the list then is not kept; rules that read its members are undecided",
            )
