"""A server as a process of its own that kills itself (SIGKILL) in the middle of a bulk decision; test_bulk_kills.py.

The points lie in the second chunk of ten cases: at `commit` its events are written and not committed, at `told` they
are committed and the run does not know it yet.
"""

import itertools
import os
import signal

from console.web.bulk import committing
from engine.bulk import move_many
from engine.store import bulk_runs
from tests.web.mortal_servers import serve

CHUNK, FATAL = 10, 2


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(point: str) -> None:
    """Be killed there."""
    chunks, tellings = itertools.count(1), itertools.count(1)
    keep_outcomes = bulk_runs.keep_outcomes

    def moving(desk, cases, request):
        if point == "commit" and next(chunks) == FATAL:
            desk.connection.raw.set_trace_callback(lambda sql: _die() if sql.startswith("COMMIT") else None)
        return move_many(desk, cases, request)

    def telling(connection, run, rows):
        if point == "told" and next(tellings) == FATAL:
            _die()
        keep_outcomes(connection, run, rows)

    vars(committing).update(CHUNK=CHUNK, move_many=moving)
    vars(bulk_runs).update(keep_outcomes=telling)


def main(database: str, port: str, moment: str, point: str) -> None:
    """Serve until killed."""
    arm(point)
    serve(database, port, moment)
