"""Many cases, the same step: one SELECT, the same `decide` in a loop, bulk writes; a commit every thousand.

Every case gets its own verdict and its own event. A run that was cut off is simply run again: what has moved is a
conflict or not open any more, never moved twice, because the version predicate stands in the bulk UPDATE as well.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from engine.casework import keeping_of, seal, write_event
from engine.desk import Desk
from engine.errors import NotAllowed, TransitionNotOpen
from engine.facts import keep_facts
from engine.machine import decide
from engine.records import Case, Json, Moved, Refused, Request
from engine.sight import Seeing
from engine.store import students
from engine.store.bulk import answered_before, extend_many, keep_many
from engine.store.cases import Found, Keeping, Sealed, read_cases
from engine.trail.event import EventKind, Written

CHUNK = 1000


@dataclass(slots=True, kw_only=True)
class BulkAnswer:
    """What became of each case, by number: moved, refused with its reasons, or in conflict."""

    moved: list[int] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)
    barred: list[tuple[int, str]] = field(default_factory=list)


def move_many(
    desk: Desk, cases: Sequence[tuple[int, int]], request: Request, progress: Callable[[int], None] = lambda _: None
) -> BulkAnswer:
    """Take the same step on many cases.

    Args:
        desk: Where they are worked.
        cases: Each case with the revision it was seen at; one that has changed since is a conflict.
        request: What is asked of each.
        progress: Told of cases done, a chunk at a time.

    Returns:
        A verdict per case.
    """
    desk.refresh()
    answer = BulkAnswer()
    ordered = sorted(cases)  # everybody locks in one order: two lists sorted differently never wait in a circle
    for start in range(0, len(ordered), CHUNK):
        chunk = ordered[start : start + CHUNK]
        with _collector_paused():
            _move_chunk(desk, chunk, request, answer)
        progress(len(chunk))
    return answer


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A chunk makes many small values and no cycles: looking for cycles meanwhile costs a third of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass(slots=True)
class _Chunk:
    """What one chunk is going to write."""

    kept: list[Keeping] = field(default_factory=list)
    refusals: list[tuple[Case, Written, Sealed | None]] = field(default_factory=list)
    facts: dict[int, tuple[str, Mapping[str, Json]]] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)


def _move_chunk(desk: Desk, chunk: Sequence[tuple[int, int]], request: Request, answer: BulkAnswer) -> None:
    many = replace(request, alone=False)
    with desk.connection.writing():
        found = read_cases(desk.connection, [case for case, _ in chunk])
        writing = _Chunk(answered=answered_before(desk.connection, list(found), many.id))
        for case, seen in chunk:
            one = found.pop(case, None)  # named twice, it is decided once
            if one is None or one.case.revision != seen:
                answer.conflicts.append(case)
                continue
            _decide_one(desk, one, many, answer, writing)
        won = keep_many(desk.connection, writing.kept)
        extend_many(desk.connection, writing.refusals)
        _keep_facts(desk, writing, won, many)
    lost = {one.before.id for one in writing.kept} - won
    answer.conflicts.extend(sorted(lost))
    answer.moved.extend(one.before.id for one in writing.kept if one.before.id in won)


def _keep_facts(desk: Desk, writing: _Chunk, won: set[int], request: Request) -> None:
    """What the steps that won have set about their students."""
    numbers = [student_no for case, (student_no, _) in writing.facts.items() if case in won]
    rows = students.by_numbers(desk.connection, numbers)
    for one in writing.kept:
        if one.before.id in won and one.before.id in writing.facts:
            student_no, facts = writing.facts[one.before.id]
            keep_facts(desk, rows[student_no], facts, request, cause=(one.event.chain, one.event.seq))


def _decide_one(desk: Desk, found: Found, request: Request, answer: BulkAnswer, writing: _Chunk) -> None:
    machine = desk.machine_for(found.case, request.fields)
    one = request if request.id is None else replace(request, id=f"{request.id}/{found.case.number}")
    try:
        outcome = decide(machine, found.case, one, Seeing(desk, machine, found, one))
    except (TransitionNotOpen, NotAllowed) as problem:
        answer.barred.append((found.case.id, str(problem)))
        return
    if found.case.id in writing.answered:  # by an earlier run of this request, which was cut off
        answer.refused.extend([outcome] if isinstance(outcome, Refused) else [])
        answer.conflicts.extend([found.case.id] if isinstance(outcome, Moved) else [])
        return
    sealed = seal(desk, outcome) if outcome.sealed else None
    if isinstance(outcome, Moved):
        event = write_event(desk, machine, found.case, EventKind.MOVED, outcome.event)
        writing.kept.append(keeping_of(found.case, outcome, event, sealed, machine))
        if outcome.facts:
            writing.facts[found.case.id] = (found.student_no or "", outcome.facts)
    else:
        event = write_event(desk, machine, found.case, EventKind.REFUSED, outcome.event)
        writing.refusals.append((found.case, event, sealed))
        answer.refused.append(outcome)
