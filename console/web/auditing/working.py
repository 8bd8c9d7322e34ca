"""What takes longer than a page may: worked out in a thread of its own, with its own desk, and kept when it is done.

A run whose worker died is taken up by whoever looks at its page next; it only reads, and comes to the same again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock, Thread

from console.web.faults import NotFound
from console.web.house import House
from console.web.visit import Visit
from engine.errors import XuejiError
from engine.store import audit_runs
from engine.store.audit_runs import DONE, FAILED, RUNNING, Run
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
        """Work it out; what cannot be done is said on its page."""
        with _ONE_AT_A_TIME:
            try:
                self.end(DONE, work(self))
            except XuejiError as problem:
                self.end(FAILED, str(problem))


def begin(visit: Visit, asked: tuple[str, str, str], told: str, work: Work) -> str:
    """Have something worked out; the id of the run.

    Args:
        visit: Who asks.
        asked: Kind, batch and title.
        told: What exactly is asked, as JSON.
        work: How it is worked out.
    """
    now = moment(visit.at)
    kind, batch, title = asked
    run = Run(secrets.token_urlsafe(12), kind, visit.login, batch, title, RUNNING, 0, 0, now, now)
    with visit.desk.connection.writing():
        audit_runs.add_run(visit.desk.connection, run, told)
    _start(visit, run, work)
    return run.id


def go_on(visit: Visit, run: Run, work: Work) -> None:
    """Take up a run whose worker has not been heard of."""
    if run.stage != RUNNING or run.beat_at >= moment(visit.at - audit_runs.SILENCE):
        return
    with visit.desk.connection.writing():
        is_taken = audit_runs.take(visit.desk.connection, run.id, visit.at)
    if is_taken:
        _start(visit, run, work)


def own(visit: Visit, run: str, kind: str) -> tuple[Run, str | None]:
    """A run of the person's own, with what came of it.

    Raises:
        NotFound: If there is none.
    """
    found = audit_runs.run_of(visit.desk.connection, run)
    if found is None or found[0].login != visit.login or found[0].kind != kind:
        raise NotFound
    return found


def _start(visit: Visit, run: Run, work: Work) -> None:
    worker = Worker(house=visit.house, run=run)
    Thread(target=worker.work, args=(work,), name=f"audit-{run.id}").start()
