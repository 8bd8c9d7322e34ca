"""Taking the step on every case that was chosen, or taking it back: a thread of its own with its own desk.

The trail decides what was done, one event for each case: a run that was cut off is taken up by whoever looks at its
page next, under the same request numbers, and what had moved already is found by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from console.web import background
from console.web.background import MOST_OPEN, Task
from console.web.faults import TooManyOpen
from console.web.house import House
from console.web.visit import Visit
from engine.bulk import BulkAnswer, move_many
from engine.casework import answered
from engine.desk import Desk
from engine.errors import NotRetractable, StaleCase, TransitionNotOpen
from engine.records import Request, case_number
from engine.repeating import once
from engine.retracting import retract
from engine.store import bulk_runs
from engine.store.bulk_runs import AT_WORK, Outcome, Row, Run, Stage
from engine.store.cases import read_cases

CHUNK = 200
"""After so many cases the page moves on, and the worker is heard of again well within `bulk_runs.SILENCE`."""
_TODO = {Stage.RUNNING: (Outcome.CAN,), Stage.WITHDRAWING: (Outcome.MOVED, Outcome.STAYS)}


def begin(visit: Visit, run: Run, stage: Stage) -> None:
    """Have a run worked on (`RUNNING` takes the step, `WITHDRAWING` takes it back), unless somebody alive is at it.

    Raises:
        TooManyOpen: If it is not at work yet, and the person has as many open as one may.
    """
    connection = visit.desk.connection
    with connection.writing():
        if run.stage not in AT_WORK and bulk_runs.RUNS.count_open(connection, run.login, visit.at) >= MOST_OPEN:
            raise TooManyOpen(MOST_OPEN)
        is_taken = bulk_runs.take(connection, run.id, visit.at, stage)
    if is_taken:
        task = Task(
            room="bulk",
            run=run.id,
            work=lambda: _work(visit.house, run.id, stage),
            beat=lambda beside, at: bulk_runs.RUNS.live_on(beside, run.id, at, stage.value),
            broke=lambda beside, at, number: bulk_runs.break_off(beside, run.id, at, stage, number),
        )
        background.begin(visit.house, task)


def _work(house: House, number: str, stage: Stage) -> None:
    with house.desks.borrowed() as office:
        desk, run = office.desk, bulk_runs.run_of(office.desk.connection, number)
        if run is None:
            return
        todo = [one for one in bulk_runs.rows_of(desk.connection, run.id) if one.outcome in _TODO[stage]]
        for start in range(0, len(todo), CHUNK):
            chunk = todo[start : start + CHUNK]
            request = Request(trigger=run.trigger, actor=desk.actor(run.login), at=house.now(), id=run.id)
            told = _taken(desk, run, chunk, request) if stage is Stage.RUNNING else _taken_back(desk, chunk, request)
            with desk.connection.writing():
                bulk_runs.keep_outcomes(desk.connection, run.id, told)
                bulk_runs.beat(desk.connection, run.id, house.now(), stage)
        with desk.connection.writing():
            bulk_runs.beat(desk.connection, run.id, house.now(), Stage.DONE)


def _taken(desk: Desk, run: Run, chunk: Sequence[Row], request: Request) -> list[Row]:
    """What became of each; where anything has changed since it was chosen, its revision says so, and it is left."""
    answer = move_many(desk, [(one.case, one.revision) for one in chunk], replace(request, fields=run.fields))
    return list(_told(desk, chunk, request, answer))


def _told(desk: Desk, chunk: Sequence[Row], request: Request, answer: BulkAnswer) -> Iterator[Row]:
    """What became of each; a case that moved in an earlier run of this request has moved."""
    moved = set(answer.moved)
    refused = {one.case.id: " ".join(verdict.rule for verdict in one.verdicts) for one in answer.refused}
    refused |= {case: "" for case, _ in answer.barred}
    for row in chunk:
        if row.case in moved or _moved_before(desk, request, row.case):
            yield row._replace(outcome=Outcome.MOVED)
        elif row.case in refused:
            yield row._replace(outcome=Outcome.REFUSED, rules=refused[row.case])
        else:
            yield row._replace(outcome=Outcome.CHANGED)


def _moved_before(desk: Desk, request: Request, case: int) -> bool:
    repeated = answered(desk, replace(request, id=f"{request.id}/{case_number(case)}"))
    return repeated is not None and repeated.moved


def _taken_back(desk: Desk, chunk: Sequence[Row], request: Request) -> list[Row]:
    """Each by its own rule, and only where nobody has acted since."""
    found = read_cases(desk.connection, [one.case for one in chunk])
    return [_withdrawn(desk, row, request) for row in chunk if row.case in found]


def _withdrawn(desk: Desk, row: Row, request: Request) -> Row:
    asked = replace(request, trigger="undo", seen=row.revision + 1, id=f"{request.id}/{case_number(row.case)}")
    try:
        once(desk, "undo", asked, lambda told: retract(desk, row.case, told))
    except (NotRetractable, StaleCase, TransitionNotOpen):
        return row._replace(outcome=Outcome.STAYS)
    return row._replace(outcome=Outcome.WITHDRAWN)
