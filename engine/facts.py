"""Facts: what is known about students, written with the old and the new value into each student's own chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from engine import lanes
from engine.cautions import BY_HAND, marked, read_marks, written_marks
from engine.collecting import collector_paused
from engine.definition import Privacy
from engine.desk import Desk
from engine.errors import Unknown
from engine.expressions.kinds import Kind, parse_kind
from engine.guards import explain
from engine.library import Library
from engine.pinyin import NAMES
from engine.records import Head, Json, Outcome, Request, Verdict
from engine.settling import cause_of, settle_students
from engine.sight import Seeing
from engine.step import check_value
from engine.steps import Machine
from engine.store import students
from engine.store.cases import Found, read_cases, write_events, write_personal
from engine.store.students import StudentRow
from engine.trail.chain import commitment
from engine.trail.event import EventKind, Written, canonical, chain_name, moment
from engine.vocabulary import Fact
from engine.writers import closed_to_sheets, denied

CHUNK = 1000

Progress = Callable[[int], None]
"""Told how many more rows are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRefusal:
    """A student whose facts may not be written, with every rule that says so."""

    student_no: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsWritten:
    """What writing a sheet of facts did: nothing at all if anything was refused."""

    changed: int
    unchanged: int
    refused: tuple[FactRefusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FactChange:
    """What is new about a student; the row has what was known before and the end of the chain."""

    row: StudentRow
    new: Mapping[str, Json]


def write_facts(
    desk: Desk,
    rows: Mapping[str, Mapping[str, Json]],
    request: Request,
    *,
    dry_run: bool = False,
    progress: Progress = lambda _: None,
) -> FactsWritten:
    """Write facts of many students, all or nothing; a refusal is an event of each student it concerns.

    Args:
        desk: Where they are written.
        rows: By student number, the facts given; a fact not named stays as it was.
        request: By whom, when; its trigger names the source.
        dry_run: Judge everything and write nothing.
        progress: Told of rows done.

    Raises:
        Unknown: If a student or a fact is not known.
        Unreadable: If a value is not of its kind.
        StaleCase: If somebody wrote to the same student meanwhile; nothing was written.
    """
    desk.refresh()
    with desk.connection.writing():
        known = students.by_numbers(desk.connection, list(rows))
        for number in rows:
            if number not in known:
                raise Unknown("学号 student number", number)
        known_facts = desk.library.rulebook.vocabulary.student
        for given in rows.values():
            check_facts(known_facts, given)
        found = [one for number in rows if (one := _change(known[number], rows[number])) is not None]
        changes = sorted(found, key=lambda one: one.row.id)  # everybody locks students in one order
        refused = _refusals(desk, changes, request)
        answer = FactsWritten(changed=len(changes), unchanged=len(rows) - len(changes), refused=refused)
        if dry_run:
            return answer
        if refused:
            keep_refusals(desk, refused, request)
            return answer
        for start in range(0, len(changes), CHUNK):
            chunk = changes[start : start + CHUNK]
            with collector_paused():
                _keep_changes(desk, chunk, request)
            progress(len(chunk))
    return answer


def keep_refusals(desk: Desk, refused: Sequence[FactRefusal], request: Request) -> None:
    """Record in each student's chain that a write was refused, by which rules (S000-3.8c); the facts stay out of it."""
    failed: dict[str, set[str]] = {}  # a roster may refuse one student for a fact and for the unit: still one event
    for one in refused:
        failed.setdefault(one.student_no, set()).update(verdict.id for verdict in one.verdicts)
    # A new student of a refused roster has no row: nothing of the roster is written.
    for number, row in students.by_numbers(desk.connection, list(failed)).items():
        data: dict[str, Json] = {"source": request.trigger, "failed": sorted(failed[number])}
        event: dict[str, Json] = {"at": moment(request.at), "actor": request.actor.login, "data": data}
        written = desk.scribe.write(-row.id, row.head, EventKind.REFUSED, event)
        write_events(desk.connection, [written])
        students.set_facts(desk.connection, row, row.facts, Head(seq=written.seq, hash=written.hash))


def check_facts(vocabulary: Mapping[str, Fact], given: Mapping[str, Json]) -> None:
    """Check facts before they can be written: each known, stored rather than derived, and of its kind.

    Raises:
        Unknown: If the vocabulary has no such fact to be stored.
        Unreadable: If a value is not of its kind.
    """
    for name, value in given.items():
        fact = vocabulary.get(name)
        if fact is None or fact.derive is not None:
            raise Unknown("信息项 fact", name, [one for one, kept in vocabulary.items() if kept.derive is None])
        check_value(name, kind_of(fact.type), value)


@lru_cache(maxsize=256)
def kind_of(text: str) -> Kind:
    """A type of the vocabulary, read once."""
    return parse_kind(text)


def keep_facts(
    desk: Desk, row: StudentRow, facts: Mapping[str, Json], request: Request, *, cause: tuple[int, int]
) -> None:
    """Write the facts a step sets, naming the event that caused it; call inside the step's transaction."""
    change = _change(row, facts)
    if change is not None:
        _keep_changes(desk, [change], request, cause=cause)


def fact_event(
    desk: Desk, change: FactChange, request: Request, cause: tuple[int, int] | None = None
) -> tuple[Written, tuple[int, int, bytes, bytes] | None]:
    """The event of a change, and the sealed personal values (chain, seq, salt, bytes) if there are any."""
    vocabulary = desk.library.rulebook.vocabulary.student
    new, old = change.new, change.row.facts
    personal = sorted(name for name in new if name in vocabulary and vocabulary[name].privacy is not Privacy.OPEN)
    data: dict[str, Json] = {
        "source": request.trigger,
        "facts": {name: {"old": old.get(name), "new": new[name]} for name in new if name not in personal},
    }
    chain, head = -change.row.id, change.row.head
    if not head.seq:
        data["unit"] = change.row.unit
    sealed = None
    if personal:
        salt = desk.salt()
        body = canonical({name: {"old": old.get(name), "new": new[name]} for name in personal})
        data["sealed"] = commitment(salt, body)
        data["sealed_facts"] = personal
        sealed = (chain, head.seq + 1, salt, body)
    if cause is not None:
        data["cause"] = {"chain": chain_name(cause[0]), "seq": cause[1]}
    event: dict[str, Json] = {"at": moment(request.at), "actor": request.actor.login, "data": data}
    return desk.scribe.write(chain, head, EventKind.FACT_CHANGED, event), sealed


def _change(row: StudentRow, given: Mapping[str, Json]) -> FactChange | None:
    new = {name: value for name, value in given.items() if row.facts.get(name) != value}
    return FactChange(row=row, new=new) if new else None


def _keep_changes(
    desk: Desk, changes: Sequence[FactChange], request: Request, cause: tuple[int, int] | None = None
) -> None:
    events, sealed = [], []
    for one in changes:
        event, personal = fact_event(desk, one, request, cause)
        events.append(event)
        if personal is not None:
            sealed.append(personal)
        facts = {**one.row.facts, **one.new}
        students.set_facts(desk.connection, one.row, facts, Head(seq=event.seq, hash=event.hash))
    write_events(desk.connection, events)
    _mark(desk, changes, request)
    if sealed:
        write_personal(desk.connection, sealed)
    touched = {name for one in changes for name in one.new}
    own = cause[0] if cause else 0
    students.touch_cases(desk.connection, [one.row.id for one in changes], readers_of(desk, touched), apart_from=own)
    causes = {-event.chain: cause_of(event.chain, event.seq) for event in events}
    settle_students(desk, causes, touched, request, apart_from=own)
    lanes.settle_students(desk, [one.row.id for one in changes], request, touched, apart_from=own)


def _mark(desk: Desk, changes: Iterable[FactChange], request: Request) -> None:
    """Keep how the facts were changed, for those who decide on them later."""
    at = moment(request.at)
    rows = []
    for one in changes:
        change = {name: (one.row.facts.get(name), value) for name, value in one.new.items()}
        marks = read_marks(one.row.marks)
        after = marked(marks, change, (one.row.head.seq + 1, at), by_hand=request.trigger == BY_HAND)
        if after != marks:
            rows.append((written_marks(after), one.row.id))
    if rows:
        students.set_marks(desk.connection, rows)


def readers_of(desk: Desk, facts: set[str]) -> list[str]:
    """The shapes whose cases read one of these facts."""
    return [shape for shape in desk.shapes_in_use() if is_read(desk.machine(shape), facts)]


def is_read(machine: Machine, facts: set[str]) -> bool:
    """Whether a case reads one of these facts: in a step, or because a name puts it in order."""
    return not NAMES.isdisjoint(facts) or any(facts.intersection(step.facts) for _, step in machine.steps())


def _refusals(desk: Desk, changes: Sequence[FactChange], request: Request) -> tuple[FactRefusal, ...]:
    """Who may not write, and what the rules of each changed fact's group say, judged as of the student's record."""
    refused = unentitled(desk, changes, request)
    closable = _closable(desk.library)
    asked = [one for one in changes if not closable.isdisjoint(one.new)]
    for start in range(0, len(asked), CHUNK):
        chunk = asked[start : start + CHUNK]
        records = read_cases(desk.connection, [one.row.record for one in chunk if one.row.record is not None])
        for one in chunk:
            found = records.get(one.row.record or 0)
            verdicts = () if found is None else _judge(desk, found, one, request)
            if verdicts:
                refused.append(FactRefusal(student_no=one.row.student_no, verdicts=verdicts))
    return tuple(refused)


def unentitled(desk: Desk, changes: Iterable[FactChange], request: Request) -> list[FactRefusal]:
    """The students of whom a sheet says what whoever takes it in may not write (`written_by`)."""
    book = desk.library.rulebook
    closed = closed_to_sheets(book)
    if not closed:
        return []
    found = [
        (one, denied(book, [closed[name] for name in one.new if name in closed], _path(desk, one), request))
        for one in changes
    ]
    return [FactRefusal(student_no=one.row.student_no, verdicts=verdicts) for one, verdicts in found if verdicts]


def _path(desk: Desk, change: FactChange) -> str:
    return desk.units()[change.row.unit].path


def _closable(library: Library) -> frozenset[str]:
    """The facts whose group has guards for any profile; whose rules they are is judged as of the record's own."""
    vocabularies = [library.rulebook_for(profile).vocabulary for profile in ("", *library.rulebook.variants)]
    return frozenset(
        name
        for vocabulary in vocabularies
        for name, fact in vocabulary.student.items()
        if fact.group is not None and fact.group in vocabulary.groups and vocabulary.groups[fact.group].guards
    )


def _judge(desk: Desk, found: Found, change: FactChange, request: Request) -> tuple[Verdict, ...]:
    machine = desk.machine_for(found.case, {})
    verdicts = asked_of(desk, machine, found, machine.group_guards(change.new), request)
    return tuple(verdict for verdict in verdicts if verdict.outcome is Outcome.FAILS)


def asked_of(desk: Desk, machine: Machine, found: Found, rules: Iterable[str], request: Request) -> list[Verdict]:
    """What rules by name say of a case, outside of any step."""
    guards = machine.guards_of(rules)
    if not guards:
        return []
    sight = Seeing(desk, machine, found, request)
    reads = tuple(dict.fromkeys(key for guard in guards for key in guard.reads))
    values = machine.decoded(sight.see((), reads))
    return [
        explain(guard, Outcome(guard.ask(*[values[key] for key in guard.reads])), values, machine.readers)
        for guard in guards
    ]
