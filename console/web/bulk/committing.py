"""Taking the step on every case that was chosen: a thread of its own with its own desk, one event for each case.

The trail decides what was done: a run that was cut off is taken up by whoever looks at its page next, under the same
request numbers, and what had moved already is found by them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Thread

from console.web.house import House
from console.web.visit import Visit
from engine.bulk import BulkAnswer, move_many
from engine.casework import answered
from engine.desk import Desk
from engine.errors import NotRetractable, StaleCase
from engine.records import Request, case_number
from engine.retracting import retract
from engine.store import bulk_runs
from engine.store.bulk_runs import Outcome, Row, Run
from engine.store.cases import read_cases

CHUNK = 1_000


def begin(visit: Visit, run: Run) -> None:
    """Have a run worked on, unless somebody alive is at it."""
    connection = visit.desk.connection
    with connection.writing():
        is_taken = bulk_runs.take(connection, run.id, visit.at)
    if is_taken:
        Thread(target=_work, args=(visit.house, run), name=f"bulk-{run.id}").start()


def _work(house: House, run: Run) -> None:
    with house.desks.borrowed() as office:
        desk = office.desk
        todo = [one for one in bulk_runs.rows_of(desk.connection, run.id) if one.outcome is Outcome.CAN]
        for start in range(0, len(todo), CHUNK):
            chunk = todo[start : start + CHUNK]
            request = Request(trigger=run.trigger, actor=desk.actor(run.login), at=house.now(), id=run.id)
            told = list(_told(desk, chunk, request, move_many(desk, [one[:2] for one in chunk], request)))
            with desk.connection.writing():
                bulk_runs.keep_outcomes(desk.connection, run.id, told)
                bulk_runs.beat(desk.connection, run.id, house.now())
        with desk.connection.writing():
            bulk_runs.beat(desk.connection, run.id, house.now(), "done")


def _told(desk: Desk, chunk: Sequence[Row], request: Request, answer: BulkAnswer) -> Iterator[Row]:
    """What became of each; a case that moved in an earlier run of this request has moved."""
    moved = set(answer.moved)
    refused = {one.case.id: " ".join(verdict.id for verdict in one.verdicts) for one in answer.refused}
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


def withdraw(visit: Visit, run: Run) -> None:
    """Take the whole run back, each case by its own rule and only where nobody has acted since."""
    connection = visit.desk.connection
    rows = [one for one in bulk_runs.rows_of(connection, run.id) if one.outcome in (Outcome.MOVED, Outcome.STAYS)]
    found = read_cases(connection, [one.case for one in rows])
    told = [_withdrawn(visit, row) for row in rows if row.case in found]
    with connection.writing():
        bulk_runs.keep_outcomes(connection, run.id, told)


def _withdrawn(visit: Visit, row: Row) -> Row:
    try:
        retract(visit.desk, row.case, visit.asks("undo", seen=row.revision + 1))
    except (NotRetractable, StaleCase):
        return row._replace(outcome=Outcome.STAYS)
    return row._replace(outcome=Outcome.WITHDRAWN)
