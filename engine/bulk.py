"""Many cases, the same step: one SELECT, the same `decide` in a loop, bulk writes; a commit every thousand.

Every case gets its own verdict and its own event. A run that was cut off is simply run again: what has moved is a
conflict or not open any more, never moved twice, because the version predicate stands in the bulk UPDATE as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine import lanes
from engine.casework import first_answer, move
from engine.collecting import collector_paused
from engine.desk import Desk
from engine.errors import NotAllowed, StaleCase, TransitionNotOpen
from engine.facts import keep_facts
from engine.fetching import Fetched, Neighbourhood
from engine.forward import asks_for_papers
from engine.keeping import barred_event, keeping_of, kind_of, seal, write_event
from engine.machine import decide
from engine.records import Case, Json, Moved, Refused, Repeated, Request, case_number
from engine.settling import (
    Change,
    cause_of,
    hold_sources,
    left_of,
    rows_of,
    settle_lookers,
    settle_step,
    write_changes,
)  # fmt: skip
from engine.sight import Seeing
from engine.steps import Machine
from engine.store import documents, students
from engine.store.bulk import answered_before, extend_many, keep_many
from engine.store.cases import Found, Keeping, Sealed, read_cases
from engine.store.database import INTEGRITY_ERRORS
from engine.store.deadlines import Row
from engine.trail.event import EventKind, Written

CHUNK = 1000


@dataclass(slots=True, kw_only=True)
class BulkAnswer:
    """What became of each case, by number: moved, refused with its reasons, or in conflict."""

    moved: list[int] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)
    barred: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: BulkAnswer) -> None:
        """Take in the answers of another chunk."""
        self.moved += other.moved
        self.refused += other.refused
        self.conflicts += other.conflicts
        self.barred += other.barred


def move_many(
    desk: Desk,
    cases: Sequence[tuple[int, int]],
    request: Request,
    progress: Callable[[int], None] = lambda _: None,
    *,
    held: Collection[int] = (),
    dry_run: bool = False,
) -> BulkAnswer:
    """Take the same step on many cases.

    Args:
        desk: Where they are worked.
        cases: Each case with the revision it was seen at; one that has changed since is a conflict.
        request: What is asked of each.
        progress: Told of cases done, a chunk at a time.
        held: Cases that are not moved: of these only a refusal is kept, and what would move is told as moved.
        dry_run: Judge every case and write nothing, not even the refusals.

    Returns:
        A verdict per case.
    """
    desk.refresh()
    answer = BulkAnswer()
    many = replace(request, alone=False)
    ordered = sorted(cases)  # everybody locks in one order: two lists sorted differently never wait in a circle
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        with collector_paused():
            answer.add(_judge_chunk(desk, chunk, many) if dry_run else _move_chunk(desk, chunk, many, held))
        progress(len(chunk))
    return answer


def first_answers(desk: Desk, cases: Sequence[int], request: str | None) -> dict[int, Repeated]:
    """What some cases were answered when a request came first, by case; those it did not reach, or barred, are absent.

    Args:
        desk: Where they are worked.
        cases: The cases.
        request: The id of the request for all of them; None is answered to nobody.
    """
    found: dict[int, Repeated] = {}
    for start in range(0, len(cases), CHUNK):
        told = answered_before(desk.connection, cases[start : start + CHUNK], request)
        found |= {case: first_answer(case, body) for case, body in told.items()}
    return found


@dataclass(slots=True)
class _Chunk:
    """One chunk while it is decided: the answers so far, what is going to be written, and which of it was.

    `apart` are the cases asked once more alone: those whose chain grew meanwhile, and those whose step causes others.
    """

    answer: BulkAnswer = field(default_factory=BulkAnswer)
    kept: list[Keeping] = field(default_factory=list)
    refusals: list[tuple[Case, Written, Sealed | None]] = field(default_factory=list)
    facts: dict[int, tuple[str, Mapping[str, Json]]] = field(default_factory=dict)
    rows: Mapping[int, Sequence[Row]] = field(default_factory=dict)
    fetched: Fetched | None = None
    cases: list[int] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    won: set[int] = field(default_factory=set)
    apart: set[int] = field(default_factory=set)


def _judge_chunk(desk: Desk, chunk: Sequence[tuple[int, int]], request: Request) -> BulkAnswer:
    deciding = _Chunk()
    for found, _, outcome in _decided(desk, chunk, request, deciding):
        if isinstance(outcome, Refused):
            deciding.answer.refused.append(outcome)
        else:
            deciding.answer.moved.append(found.case.id)
    return deciding.answer


def _move_chunk(desk: Desk, chunk: Sequence[tuple[int, int]], request: Request, held: Collection[int]) -> BulkAnswer:
    try:
        written = _write_chunk(desk, chunk, request, (), held)
    except INTEGRITY_ERRORS:  # some of it was answered by an earlier run of this request, which was cut off
        answered = answered_before(desk.connection, [case for case, _ in chunk], request.id)
        if not answered:
            raise
        written = _write_chunk(desk, chunk, request, answered, held)
    answer, won = written.answer, written.won
    answer.moved.extend(one.before.id for one in written.kept if one.before.id in won)
    answer.conflicts.extend(sorted(one.before.id for one in written.kept if one.before.id not in won))
    changed = written.apart.intersection(held)  # its chain grew; asked once more it might move
    answer.conflicts.extend(sorted(changed))
    answer.refused = [one for one in answer.refused if one.case.id not in changed]
    _ask_again(desk, written.apart - changed, dict(chunk), request, answer)
    return answer


def _write_chunk(
    desk: Desk,
    chunk: Sequence[tuple[int, int]],
    request: Request,
    answered: Collection[int],
    held: Collection[int],
) -> _Chunk:
    """Decide and write a chunk in one transaction; `answered` are the cases whose answer stands already."""
    writing = _Chunk()
    with desk.connection.writing():
        for found, machine, outcome in _decided(desk, chunk, request, writing):
            if isinstance(outcome, Moved) and found.case.id in held:
                writing.answer.moved.append(found.case.id)
            elif isinstance(outcome, Moved) and machine.reaches_out(found.case.state, request.trigger):
                writing.apart.add(found.case.id)
            elif found.case.id not in answered:
                _write_later(desk, machine, (found, outcome), request, writing)
            elif isinstance(outcome, Refused):
                writing.answer.refused.append(outcome)
            else:
                writing.answer.conflicts.append(found.case.id)
        writing.won = keep_many(desk.connection, writing.kept)
        writing.apart |= extend_many(desk.connection, writing.refusals)
        write_changes(desk, [one for one in writing.changes if one.case in writing.won])
        _keep_facts(desk, writing, request)
        lanes.settle(desk, [case for case in writing.facts if case in writing.won], request)
        lanes.settle_others(desk, {one.before.id: one.before.student or 0 for one in writing.kept}, request)
        if desk.lookers():
            won = (one for one in writing.kept if one.before.id in writing.won)
            settle_lookers(desk, {one.after.student or 0: cause_of(*one.event[:2]) for one in won}, request)
    return writing


def _ask_again(desk: Desk, cases: set[int], seen: Mapping[int, int], request: Request, answer: BulkAnswer) -> None:
    """Cases asked once more, alone: a refusal whose chain grew needs its event, a step with effects its own act."""
    answer.refused = [one for one in answer.refused if one.case.id not in cases]
    for case in sorted(cases):
        try:
            own = None if request.id is None else _id_for(request.id, case)
            outcome = move(desk, case, replace(request, id=own, seen=seen[case]))
        except (StaleCase, TransitionNotOpen):
            answer.conflicts.append(case)
            continue
        except NotAllowed as problem:
            answer.barred.append((case, str(problem)))
            continue
        if isinstance(outcome, Refused):
            answer.refused.append(outcome)
        else:
            answer.moved.append(case)


def _keep_facts(desk: Desk, writing: _Chunk, request: Request) -> None:
    """What the steps that won have set about their students."""
    won = writing.won
    numbers = [student_no for case, (student_no, _) in writing.facts.items() if case in won]
    rows = students.by_numbers(desk.connection, numbers)
    for one in writing.kept:
        if one.before.id in won and one.before.id in writing.facts:
            student_no, facts = writing.facts[one.before.id]
            keep_facts(desk, rows[student_no], facts, request, cause=(one.event.chain, one.event.seq))


def _decided(
    desk: Desk, chunk: Sequence[tuple[int, int]], request: Request, writing: _Chunk
) -> Iterator[tuple[Found, Machine, Moved | Refused]]:
    """Every case of a chunk that is still as it was seen, its machine, and what is decided about it."""
    found = read_cases(desk.connection, [case for case, _ in chunk])
    if hold_sources(desk, [one.case for one in found.values()], request.trigger):
        found = read_cases(desk.connection, list(found))
    cases = [one.case for one in found.values()]
    writing.rows = rows_of(desk, cases)
    fetched = writing.fetched = Fetched(Neighbourhood(desk.connection, (case.student for case in cases)), writing.rows)
    writing.cases = [one.id for one in cases]
    for case, seen in chunk:
        one = found.pop(case, None)  # named twice, it is decided once
        if one is None or one.case.revision != seen:
            writing.answer.conflicts.append(case)
            continue
        machine = desk.machine_for(one.case, request.fields)
        try:
            outcome = decide(machine, one.case, request, Seeing(desk, machine, one, request, fetched=fetched))
        except (TransitionNotOpen, NotAllowed) as problem:
            writing.answer.barred.append((case, str(problem)))
            told = barred_event(one.case.state, request, problem)
            event = write_event(desk, machine, one.case, EventKind.REFUSED, told)
            writing.refusals.append((one.case, event, None))
        else:
            if request.id is not None:
                outcome.event["request"] = _id_for(request.id, case)
            yield one, machine, outcome


def _id_for(request: str, case: int) -> str:
    """The request's id for one of its cases, under which its event can be found again."""
    return f"{request}/{case_number(case)}"


def _with_papers(desk: Desk, machine: Machine, state: str, writing: _Chunk) -> Fetched | None:
    """What is fetched for the chunk, with its documents where the next step asks for any."""
    fetched = writing.fetched
    if fetched is not None and fetched.documents is None and asks_for_papers(machine, state):
        rows = documents.of_cases(desk.connection, writing.cases)
        fetched = writing.fetched = fetched._replace(documents=rows)
    return fetched


def _write_later(
    desk: Desk, machine: Machine, decided: tuple[Found, Moved | Refused], request: Request, writing: _Chunk
) -> None:
    found, outcome = decided
    standing = None
    if isinstance(outcome, Moved):
        change = settle_step(desk, found, outcome, writing.rows, request)
        writing.changes += [] if change is None else [change]
        rows = left_of(writing.rows.get(found.case.id, ()), change)
        basis = lanes.Basis(deadlines=rows, fetched=_with_papers(desk, machine, outcome.case.state, writing))
        standing = lanes.standing_after((desk, machine), found, outcome, request, basis)
    sealed = seal(desk, machine, outcome)
    if isinstance(outcome, Refused):
        event = write_event(desk, machine, found.case, EventKind.REFUSED, outcome.event)
        writing.refusals.append((found.case, event, sealed))
        writing.answer.refused.append(outcome)
        return
    event = write_event(desk, machine, found.case, kind_of(outcome), outcome.event)
    writing.kept.append(keeping_of(found.case, outcome, event, sealed, machine)._replace(standing=standing))
    if outcome.facts:
        writing.facts[found.case.id] = (found.student_no or "", outcome.facts)
