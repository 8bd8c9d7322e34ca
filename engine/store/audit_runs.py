"""What is worked out for an auditor while the page waits, in the database; plain SQL for both.

Nothing here is evidence: it is worked out from the trail and may be worked out again. That it was asked for, and looked
at, is in the trail.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from engine.store.database import Connection
from engine.store.runs import Runs
from engine.trail.event import moment

SILENCE = timedelta(seconds=60)
"""A worker that has not been heard of for so long is taken for dead."""
FINDINGS, WHAT_IF = "findings", "what-if"
RUNNING, DONE, FAILED, BROKEN = "running", "done", "failed", "broken"
"""`FAILED`: what was asked cannot be worked out, and why; `BROKEN`: nobody foresaw it, and its number in the log."""

RUNS = Runs("audit_run", SILENCE, (RUNNING,))


class Run(NamedTuple):
    """One of them, as a list of them shows it."""

    id: str
    kind: str
    login: str
    batch: str
    title: str
    stage: str
    done: int
    total: int
    made_at: str
    beat_at: str


_RUN = "id, kind, login, batch, title, stage, done, total, made_at, beat_at"


def add_run(connection: Connection, run: Run, asked: str) -> None:
    """Keep what is asked, as JSON; inside the open transaction."""
    connection.execute(
        f"INSERT INTO audit_run ({_RUN}, asked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 a constant
        (*run, asked),
    )


def run_of(connection: Connection, run: str) -> tuple[Run, str | None] | None:
    """A run by its id, with what came of it as JSON; nothing yet while it is worked on."""
    row = connection.execute(f"SELECT {_RUN}, result FROM audit_run WHERE id = ?", (run,)).fetchone()  # noqa: S608 a constant
    return None if row is None else (Run(*row[:-1]), row[-1])


def latest_of(connection: Connection, kind: str, login: str, batch: str) -> tuple[Run, str | None] | None:
    """The newest run of a kind that somebody asked for about a batch (empty: about any)."""
    row = connection.execute(
        f"SELECT {_RUN}, result FROM audit_run WHERE kind = ? AND login = ? AND (batch = ? OR ? = '')"  # noqa: S608 a constant
        " ORDER BY made_at DESC, id LIMIT 1",
        (kind, login, batch, batch),
    ).fetchone()
    return None if row is None else (Run(*row[:-1]), row[-1])


def runs_of(connection: Connection, kind: str, login: str, limit: int) -> list[Run]:
    """What somebody has asked for last, the newest first."""
    rows = connection.execute(
        f"SELECT {_RUN} FROM audit_run WHERE kind = ? AND login = ? ORDER BY made_at DESC, id LIMIT ?",  # noqa: S608 a constant
        (kind, login, limit),
    )
    return [Run(*row) for row in rows.fetchall()]


def done(connection: Connection, kind: str) -> Iterator[tuple[Run, str, str]]:
    """The runs of a kind that are done, whoever asked for them, the newest first: what was asked and what came of it.

    Both are JSON; streamed, call inside `reading`.
    """
    sql = f"SELECT {_RUN}, asked, result FROM audit_run WHERE kind = ? AND stage = ? ORDER BY made_at DESC, id"  # noqa: S608 a constant
    for *run, asked, result in connection.stream(sql, (kind, DONE)):
        yield Run(*run), str(asked), str(result)


def asked_of(connection: Connection, run: str) -> str:
    """What was asked, as JSON; empty where there is no such run."""
    row = connection.execute("SELECT asked FROM audit_run WHERE id = ?", (run,)).fetchone()
    return "" if row is None else str(row[0])


def take(connection: Connection, run: str, at: datetime) -> bool:
    """Become the one who works on a run whose worker fell silent; False where it is not so. In the open transaction."""
    taken = connection.execute(
        "UPDATE audit_run SET beat_at = ? WHERE id = ? AND stage = ? AND beat_at < ?",
        (moment(at), run, RUNNING, moment(at - SILENCE)),
    )
    return taken.rowcount == 1


def beat(connection: Connection, run: str, at: datetime, progress: tuple[int, int]) -> None:
    """Say that one is still at it, and how far: (done, total); inside the open transaction."""
    connection.execute(
        "UPDATE audit_run SET beat_at = ?, done = ?, total = ? WHERE id = ?", (moment(at), *progress, run)
    )


def end(connection: Connection, run: str, at: datetime, stage: str, result: str) -> None:
    """Keep what came of a run that is not over, as JSON; inside the open transaction."""
    connection.execute(
        "UPDATE audit_run SET stage = ?, beat_at = ?, done = total, result = ? WHERE id = ? AND stage = ?",
        (stage, moment(at), result, run, RUNNING),
    )
