"""What takes longer than a page may: worked out in a thread of its own, with its own desk, and kept when it is done.

A run whose process died is taken up by whoever looks at its page next; it only reads, and comes to the same again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from console.web import background
from console.web.background import MOST_OPEN, Task
from console.web.faults import TooManyOpen
from console.web.house import House
from console.web.visit import Visit
from engine.errors import XuejiError
from engine.store import audit_runs
from engine.store.audit_runs import BROKEN, DONE, FAILED, RUNNING, Run
from engine.store.database import Busy, Connection
from engine.trail.event import moment

_ONE_AT_A_TIME = Lock()
"""Reading a whole trail takes a processor; a second one waits, so that decisions do not."""

Work = Callable[["Worker"], str]
"""What is to be worked out; gives what came of it, as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Who works on a run: in which house, on what."""

    house: House
    run: Run

    def asked(self) -> str:
        """What was asked, as JSON."""
        with self.house.desks.borrowed() as office:
            return audit_runs.asked_of(office.desk.connection, self.run.id)

    def tell(self, done: int, total: int) -> None:
        """Say how far it is."""
        with self.house.desks.borrowed() as office, office.desk.connection.writing():
            audit_runs.beat(office.desk.connection, self.run.id, self.house.now(), (done, total))

    def end(self, stage: str, result: str) -> None:
        """Keep what came of it."""
        with self.house.desks.borrowed() as office, office.desk.connection.writing():
            audit_runs.end(office.desk.connection, self.run.id, self.house.now(), stage, result)

    def work(self, work: Work) -> None:
        """Work it out; what cannot be done is said on its page.

        Raises:
            Busy: If the database or the house was too busy for it.
        """
        with self.house.desks.in_line(self.run.id):
            _ONE_AT_A_TIME.acquire()
        try:
            self.end(DONE, work(self))
        except Busy:  # that passes, and says nothing of what was asked
            raise
        except XuejiError as problem:
            self.end(FAILED, str(problem))
        finally:
            _ONE_AT_A_TIME.release()


def begin(visit: Visit, asked: tuple[str, str, str], told: str, work: Work, number: str = "") -> str:
    """Have something worked out; the id of the run.

    Args:
        visit: Who asks.
        asked: Kind, batch and title.
        told: What exactly is asked, as JSON.
        work: How it is worked out.
        number: The id it is to have; one is chosen where there is none.

    Raises:
        TooManyOpen: If the person has as many open as one may.
    """
    now = moment(visit.at)
    kind, batch, title = asked
    run = Run(number or secrets.token_urlsafe(12), kind, visit.login, batch, title, RUNNING, 0, 0, now, now)
    with visit.desk.connection.writing():
        refuse_too_many(visit)
        audit_runs.add_run(visit.desk.connection, run, told)
    _start(visit, run, work)
    return run.id


def refuse_too_many(visit: Visit) -> None:
    """Refuse another run to somebody who has as many open as one may.

    Raises:
        TooManyOpen: If it is so.
    """
    if audit_runs.RUNS.count_open(visit.desk.connection, visit.login, visit.at) >= MOST_OPEN:
        raise TooManyOpen(MOST_OPEN)


def go_on(visit: Visit, run: Run, work: Work) -> None:
    """Take up a run whose worker has not been heard of."""
    if run.stage != RUNNING or run.beat_at >= moment(visit.at - audit_runs.SILENCE):
        return
    with visit.desk.connection.writing():
        is_taken = audit_runs.take(visit.desk.connection, run.id, visit.at)
    if is_taken:
        _start(visit, run, work)


def _start(visit: Visit, run: Run, work: Work) -> None:
    worker = Worker(house=visit.house, run=run)
    task = Task(
        room="audit",
        run=run.id,
        work=lambda: worker.work(work),
        beat=lambda connection, at: audit_runs.RUNS.live_on(connection, run.id, at, RUNNING),
        broke=lambda connection, at, number: _break_off(connection, run, at, number),
    )
    background.begin(visit.house, task)


def _break_off(connection: Connection, run: Run, at: datetime, number: str) -> None:
    with connection.writing():
        audit_runs.end(connection, run.id, at, BROKEN, _BROKE.format(number))


_BROKE = (
    "办到一半出错，编号 {0}；请再开始一次，仍不成请把编号告诉系统管理员。"
    "It broke half way, ref {0}; begin it once more, and if it breaks again, tell the system administrator the number."
)
