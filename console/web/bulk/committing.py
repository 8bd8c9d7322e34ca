"""Taking the step on every case that was chosen, or taking it back: a thread of its own with its own desk.

The trail decides what was done, one event for each case: a run that was cut off, or found all desks or the database
taken, is taken up by whoever looks at its page next, under the same request numbers, and what had moved already is
found by them. One that broke is ended, and says what the trail says was done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from console.web import background
from console.web.background import MOST_OPEN, Task
from console.web.faults import TooManyOpen
from console.web.house import House
from console.web.visit import Visit
from engine.bulk import BulkAnswer, move_many
from engine.desk import Desk
from engine.errors import NotRetractable, StaleCase, TransitionNotOpen
from engine.records import Json, Request, case_number
from engine.repeating import once
from engine.retracting import retract
from engine.store import bulk_runs
from engine.store.bulk_runs import AT_WORK, UNDO, Outcome, Row, Run, Stage
from engine.store.cases import read_cases
from engine.store.database import DRIVER_ERRORS, Connection

CHUNK = 200
"""After so many cases the page moves on, and the worker is heard of again well within `bulk_runs.SILENCE`."""
_TODO = {Stage.RUNNING: (Outcome.CAN,), Stage.WITHDRAWING: (Outcome.MOVED, Outcome.STAYS)}


def begin(visit: Visit, run: Run, stage: Stage, given: Mapping[str, Json] | None = None) -> None:
    """Have a run worked on (`RUNNING` takes the step, `WITHDRAWING` takes it back), unless somebody alive is at it.

    Args:
        visit: Who asks.
        run: Which one.
        stage: What is done.
        given: What the step of a preview is given; it is kept with the beginning, so that no other word comes between.

    Raises:
        TooManyOpen: If it is not at work yet, and the person has as many open as one may.
    """
    connection = visit.desk.connection
    with connection.writing():
        if run.stage not in AT_WORK and bulk_runs.RUNS.count_open(connection, run.login, visit.at) >= MOST_OPEN:
            raise TooManyOpen(MOST_OPEN)
        if given is not None:
            bulk_runs.give(connection, run.id, given)
        is_taken = bulk_runs.take(connection, run.id, visit.at, stage)
    if is_taken:
        task = Task(
            room="bulk",
            run=run.id,
            work=lambda: _work(visit.house, run.id, stage),
            beat=lambda beside, at: bulk_runs.RUNS.live_on(beside, run.id, at, stage.value),
            broke=lambda beside, at, number: _break_off(beside, run.id, (at, stage), number),
        )
        background.begin(visit.house, task)


def _break_off(beside: Connection, run: str, now: tuple[datetime, Stage], number: str) -> None:
    """End a run that broke; where even what was done cannot be noted, trying again asks for it once more."""
    at, stage = now
    with suppress(*DRIVER_ERRORS), beside.writing():
        if stage is Stage.RUNNING:
            bulk_runs.note_acted(beside, run, [Outcome.CAN], Outcome.MOVED)
        else:
            bulk_runs.note_acted(beside, run, [Outcome.MOVED, Outcome.STAYS], Outcome.WITHDRAWN)
    with beside.writing():
        bulk_runs.break_off(beside, run, at, stage, number)


def _work(house: House, number: str, stage: Stage) -> None:
    with house.desks.borrowed_for(number) as office:
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
    moved, run = set(answer.moved), request.id or ""
    moved |= bulk_runs.acted(desk.connection, run, [row.case for row in chunk if row.case not in moved]).keys()
    refused = {one.case.id: " ".join(verdict.rule for verdict in one.verdicts) for one in answer.refused}
    refused |= {case: "" for case, _ in answer.barred}
    for row in chunk:
        if row.case in moved:
            yield row._replace(outcome=Outcome.MOVED)
        elif row.case in refused:
            yield row._replace(outcome=Outcome.REFUSED, rules=refused[row.case])
        else:
            yield row._replace(outcome=Outcome.CHANGED)


def _taken_back(desk: Desk, chunk: Sequence[Row], request: Request) -> list[Row]:
    """Each by its own rule, and only where nobody has acted since."""
    found = read_cases(desk.connection, [one.case for one in chunk])
    return [_withdrawn(desk, row, request) for row in chunk if row.case in found]


def _withdrawn(desk: Desk, row: Row, request: Request) -> Row:
    asked = replace(request, trigger=UNDO, seen=row.revision + 1, id=f"{request.id}/{case_number(row.case)}")
    try:
        once(desk, UNDO, asked, lambda told: retract(desk, row.case, told))
    except (NotRetractable, StaleCase, TransitionNotOpen):
        return row._replace(outcome=Outcome.STAYS, rules="")
    return row._replace(outcome=Outcome.WITHDRAWN, rules="")
