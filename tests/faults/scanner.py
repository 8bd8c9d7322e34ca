"""Processes that scan and compose, and can be killed before any statement of theirs.

`python -m tests.faults.scanner` is a crew (`tests.faults.crews`); it says the first words of its statements.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache, partial
from typing import NamedTuple

from sqlalchemy import Engine
from typing_extensions import override

from engine.desk import Desk
from engine.library import Library
from engine.store.database import Connection, Params
from engine.vocabulary import RulebookText
from notifications.composing import Hours, compose
from notifications.scanning import scan
from tests.faults.crews import serve
from tests.faults.shop import connected, desk_at
from tests.sabotage.office import rows

PAGE = 3
"""Smaller than what is due, so that more than one page is read."""


class Job(NamedTuple):
    """One who scans and composes.

    Attributes:
        url: The database.
        at: What its clock says.
        kill_at: Before which of its statements it is killed; 0: before none.
        kill_after: After so many seconds it is killed; 0: never.
    """

    url: str
    at: str
    kill_at: int = 0
    kill_after: float = 0


class Watched(Connection):
    """A connection that counts its statements, BEGIN and COMMIT too, and ends the process before the one asked for."""

    kill_at = 0
    statements: list[str]

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.statements = []
        honest = self._execute

        def execute(sql: str, params: Params = ()) -> object:
            self._comes(sql)
            return honest(sql, params)

        self._execute = execute

    @override
    def executemany(self, sql: str, many: Iterable[Params]) -> None:
        self._comes(sql)
        super().executemany(sql, many)

    def _comes(self, sql: str) -> None:
        self.statements.append(sql.split(maxsplit=1)[0])
        if len(self.statements) == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


@cache
def desk_of(url: str) -> Desk:
    """A desk that has the rules as the database keeps them and has compiled them, as one who has worked there a while.

    Its connection is closed: a process that is forked opens its own.
    """
    with connected(url, Connection) as connection:
        [(body,)] = rows(connection, "SELECT body FROM rulebook")
        rulebook = RulebookText.model_validate_json(body)
        desk = desk_at(connection, Library(definitions={}, rulebook=rulebook, batches={}))
        for shape in desk.shapes_in_use():
            desk.machine(shape)
    return desk


def work(job: Job, desk: Desk) -> list[str]:
    """One round; what statements it had."""
    at = datetime.fromisoformat(job.at)
    with connected(job.url, Watched) as connection:
        connection.statements.clear()
        connection.kill_at = job.kill_at
        desk.connection = connection
        while scan(desk, at, PAGE).looked == PAGE:
            pass
        compose(desk, at, Hours())
        return list(connection.statements)


def kill_in_time(jobs: Sequence[Job], processes: Sequence[int]) -> None:
    """Kill each as long after the start as asked."""
    begun = time.monotonic()
    for job, process in sorted(zip(jobs, processes, strict=True), key=lambda one: one[0].kill_after):
        if job.kill_after:
            time.sleep(max(begun + job.kill_after - time.monotonic(), 0))
            os.kill(process, signal.SIGKILL)


if __name__ == "__main__":
    serve(Job, lambda job: partial(work, job, desk_of(job.url)), kill_in_time)
