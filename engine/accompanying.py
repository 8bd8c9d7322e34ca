"""A step with the paper it rests on: the paper comes onto the case and the step is taken, both or neither.

Rule 1: what is refused leaves the case as it was, an older paper included; the refusal alone is kept.
Rule 2: a request has one number, that of the step: the paper comes under none, and a refused paper is kept under it.

Source: requirements.md S000-3.3 (the signature belongs to the form that was read).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from engine.attaching import Attached, Withdrawn, attach, withdraw_document
from engine.casework import answered, as_seen, move
from engine.desk import Desk
from engine.documents import Upload
from engine.errors import StaleCase
from engine.keeping import seal, write_event
from engine.machine import decide
from engine.records import Json, Moved, Refused, Repeated, Request
from engine.sight import Seeing
from engine.store import documents
from engine.store.cases import extend, hold_case
from engine.store.relations import lock_students, students_on
from engine.trail.event import EventKind

_Done = TypeVar("_Done", Attached, Withdrawn, Moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A file for a step: the document it is handed in as, and why an older one is taken off for it."""

    kind: str
    upload: Upload
    reason: str


class _Whole(Exception):
    """Paper or step was not done: everything is rolled back on the way."""

    def __init__(self, answer: Refused | Repeated) -> None:
        self.answer = answer
        super().__init__("the paper was not put on the case, or the step not taken")


def take_with(
    desk: Desk, case: int, paper: Paper, request: Request, fields: Callable[[], Mapping[str, Json]]
) -> Moved | Refused | Repeated:
    """Put a paper on a case in the place of older ones of its kind and take a step with it, or do neither.

    Never inside another transaction: what is refused is rolled back.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        paper: What comes with the step.
        request: The step; with `seen`, nothing is done when the case has changed since.
        fields: Asked once nobody else can change the student or the case: what the step is given. Whatever it raises
            is raised, and nothing has been done.

    Returns:
        `Moved`, `Refused` with every reason of what was refused first, or, for a request that came before, its answer.

    Raises:
        Unknown, NotAllowed, TransitionNotOpen, Busy: As `attach` and `move`; nothing is kept.
        StaleCase: If the case has changed since it was seen.
    """
    try:
        with desk.connection.writing():
            lock_students(desk.connection, students_on(desk.connection, case))
            hold_case(desk.connection, case)
            repeated = answered(desk, request)
            if repeated is not None:
                return repeated
            as_seen(desk, case, request)
            given = replace(request, fields=fields(), seen=None)
            _put(desk, case, paper, given)
            return _take(desk, case, given)
    except _Whole as problem:
        if isinstance(problem.answer, Refused):
            _keep(desk, case, request, problem.answer)
        return problem.answer


def _take(desk: Desk, case: int, request: Request) -> Moved:
    """The step; decided once before, for what is kept of a refusal cannot be kept a second time."""
    found = as_seen(desk, case, request)
    machine = desk.machine_for(found.case, request.fields)
    _done(decide(machine, found.case, request, Seeing(desk, machine, found, request)))
    return _done(move(desk, case, request))


def _put(desk: Desk, case: int, paper: Paper, request: Request) -> None:
    """The paper on the case, and nothing else of its kind."""
    for row in documents.of_case(desk.connection, case):
        if row.kind == paper.kind and row.sha256 is not None:
            _done(withdraw_document(desk, case, row.seq, replace(request, id=None, fields={"reason": paper.reason})))
    _done(attach(desk, case, paper.kind, paper.upload, replace(request, id=None, fields={})))


def _done(answer: _Done | Refused | Repeated) -> _Done:
    """What was done; anything else undoes all of it."""
    if isinstance(answer, Refused | Repeated):
        raise _Whole(answer)
    return answer


def _keep(desk: Desk, case: int, request: Request, refused: Refused) -> None:
    """That it was refused, under the number of the request, in the chain of the case as it is without the paper.

    Raises:
        StaleCase: If somebody has changed the case meanwhile.
    """
    with desk.connection.writing():
        hold_case(desk.connection, case)
        found = as_seen(desk, case, request)
        machine = desk.machine_for(found.case, request.fields)
        sealed = seal(desk, machine, refused)
        told = refused.event if request.id is None else {**refused.event, "request": request.id}
        event = write_event(desk, machine, found.case, EventKind.REFUSED, told)
        if not extend(desk.connection, found.case, event, sealed):
            raise StaleCase(found.case.number, found.case.revision)
