"""Sheets on their way in, in the database; plain SQL for both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from engine.actors import IMPORT
from engine.store.database import Connection, Row
from engine.store.runs import Runs
from engine.trail.event import moment

KEPT = timedelta(days=7)
"""How long a sheet lies that nobody takes in."""
SILENCE = timedelta(seconds=60)
"""Whoever works on a sheet and has not been heard of for so long is taken for dead."""


class Stage(StrEnum):
    """How far a sheet is. `AGAIN`: it says nothing new. `OTHERWISE` is ready too, but not as it was shown before."""

    CHECKING = "checking"
    UNREADABLE = "unreadable"
    FAULTY = "faulty"
    REFUSED = "refused"
    AGAIN = "again"
    READY = "ready"
    OTHERWISE = "otherwise"
    COMMITTING = "committing"
    DONE = "done"
    BROKEN = "broken"


AT_WORK = (Stage.CHECKING, Stage.COMMITTING)
RUNS = Runs("import_run", SILENCE, tuple(one.value for one in AT_WORK))
CONFIRMED = (Stage.READY, Stage.OTHERWISE)


class Run(NamedTuple):
    """A sheet that somebody has sent; `told` is JSON, `has_body` whether its bytes are still there."""

    id: str
    login: str
    kind: str
    options: str
    name: str
    sha256: str
    size: int
    stage: Stage
    read: int
    told: str
    made_at: str
    beat_at: str | None
    done_at: str | None
    expires_at: str
    has_body: bool = True

    def is_silent(self, at: datetime) -> bool:
        """Whether whoever works on it is taken for dead; asked before `take`, which waits for whoever writes."""
        return (self.beat_at or "") < moment(at - SILENCE)


class FaultRow(NamedTuple):
    """One cell to mend, or to look at."""

    is_warning: bool
    line: int
    header: str
    cell: str
    value: str
    sort: str
    zh: str
    en: str


class Before(NamedTuple):
    """Who has taken the same sheet in (the name, else the login), and when."""

    login: str
    who: str
    at: str
    run: str

    @property
    def is_nobodys(self) -> bool:
        """Whether that was done at the keyboard, in nobody's name."""
        return self.login == IMPORT.login


_RUN = "id, login, kind, options, name, sha256, size, stage, read, told, made_at, beat_at, done_at, expires_at"
_FAULT = "is_warning, line, header, cell, value, sort, zh, en"
_ORDERS = {"row": "place", "kind": "sort, place"}


def add_run(connection: Connection, run: Run, body: bytes) -> None:
    """Keep a sheet as it was sent, and forget those that have lain too long; inside the open transaction."""
    forget(connection, run.made_at)
    marks = ", ".join("?" * len(_RUN.split(", ")))
    connection.execute(f"INSERT INTO import_run ({_RUN}, body) VALUES ({marks}, ?)", (*map(_plain, run[:-1]), body))  # noqa: S608 constants


def _plain(value: object) -> object:
    return value.value if isinstance(value, Stage) else value


def forget(connection: Connection, at: str) -> None:
    """Delete the sheets that nobody has taken in by a moment of the trail; inside the open transaction."""
    gone = "SELECT id FROM import_run WHERE expires_at <= ? AND done_at IS NULL"
    connection.execute(f"DELETE FROM import_fault WHERE run IN ({gone})", (at,))  # noqa: S608 constants
    connection.execute("DELETE FROM import_run WHERE expires_at <= ? AND done_at IS NULL", (at,))


def drop_run(connection: Connection, run: str) -> None:
    """Forget a sheet that was given up; inside the open transaction."""
    connection.execute("DELETE FROM import_fault WHERE run = ?", (run,))
    connection.execute("DELETE FROM import_run WHERE id = ? AND done_at IS NULL", (run,))


def run_of(connection: Connection, run: str, *logins: str) -> Run | None:
    """A run by its id, if it is one of somebody's: a person's own, or nobody's (`engine.actors.IMPORT`)."""
    sql = f"SELECT {_RUN}, body IS NOT NULL FROM import_run WHERE id = ? AND login IN ({_marks(logins)})"  # noqa: S608 constants
    row = connection.execute(sql, (run, *logins)).fetchone()
    return None if row is None else _run(row)


def _marks(many: Sequence[str]) -> str:
    return ",".join("?" * len(many))


def runs_of(connection: Connection, logins: Sequence[str], limit: int, wanted: str = "") -> list[Run]:
    """The runs of somebody, the newest first; those only whose file or number (批号) begins so, where one is wanted."""
    where, params = f"login IN ({_marks(logins)})", [*logins]
    if wanted:
        part = re.sub(r"([\\%_])", r"\\\1", wanted)
        where += " AND (name LIKE ? ESCAPE '\\' OR told LIKE ? ESCAPE '\\')"
        params += [f"%{part}%", f'%"number":"{part}%']
    sql = f"SELECT {_RUN}, body IS NOT NULL FROM import_run WHERE {where} ORDER BY made_at DESC, id LIMIT ?"  # noqa: S608
    return [_run(row) for row in connection.execute(sql, (*params, limit)).fetchall()]


def runs_before(connection: Connection, logins: Sequence[str], place: tuple[str, str] | None, limit: int) -> list[Run]:
    """The runs of somebody, the newest first; with a place (when made, id), those that were made before it."""
    where = f"login IN ({_marks(logins)})" + ("" if place is None else " AND (made_at, id) < (?, ?)")
    sql = f"SELECT {_RUN}, body IS NOT NULL FROM import_run WHERE {where} ORDER BY made_at DESC, id DESC LIMIT ?"  # noqa: S608
    return [_run(row) for row in connection.execute(sql, (*logins, *(place or ()), limit)).fetchall()]


def place_in_day(connection: Connection, day: tuple[datetime, datetime]) -> int:
    """The running number of the sheet that is taken in now, among all of its day; inside the open transaction.

    Args:
        connection: Where the sheet is settled in this transaction.
        day: When it began, and when the next one does.
    """
    if not connection.is_sqlite:  # two who take in at once must not be given the same number
        connection.execute("SELECT pg_advisory_xact_lock(7216)")
    sql = "SELECT count(*) FROM import_run WHERE done_at >= ? AND done_at < ?"
    row = connection.execute(sql, tuple(map(moment, day))).fetchone()
    return 1 + (int(row[0]) if row else 0)


def _run(row: Row) -> Run:
    found = Run(*row)
    return found._replace(stage=Stage(found.stage), has_body=bool(found.has_body))


def body_of(connection: Connection, run: str) -> bytes | None:
    """The sheet as it was sent; None where it is not kept any more."""
    row = connection.execute("SELECT body FROM import_run WHERE id = ?", (run,)).fetchone()
    return None if row is None or row[0] is None else bytes(row[0])


def taken_in_before(connection: Connection, kind: str, sha256: str) -> Before | None:
    """Who was the last to take the same sheet in."""
    row = connection.execute(
        "SELECT r.login, coalesce(a.name, r.login), r.done_at, r.id"
        " FROM import_run r LEFT JOIN account a ON a.login = r.login"
        " WHERE r.sha256 = ? AND r.kind = ? AND r.done_at IS NOT NULL ORDER BY r.done_at DESC LIMIT 1",
        (sha256, kind),
    ).fetchone()
    return None if row is None else Before(*row)


def take(connection: Connection, run: str, stage: Stage, at: datetime, since: Sequence[Stage]) -> bool:
    """Become the one who works on a run that is at one of some stages; False where somebody alive does."""
    marks = ",".join("?" * len(since)) or "NULL"
    taken = connection.execute(
        "UPDATE import_run SET stage = ?, beat_at = ?, read = 0 WHERE id = ?"  # noqa: S608 question marks
        f" AND (stage IN ({marks}) OR (stage = ? AND coalesce(beat_at, '') < ?))",
        (stage.value, moment(at), run, *(one.value for one in since), stage.value, moment(at - SILENCE)),
    )
    return taken.rowcount == 1


def set_options(connection: Connection, run: str, options: str) -> None:
    """Have a run's file taken in otherwise from now on; inside the transaction that has taken the run."""
    connection.execute("UPDATE import_run SET options = ?, told = '' WHERE id = ?", (options, run))


def beat(connection: Connection, run: str, at: datetime, read: int, told: str | None = None) -> None:
    """Say that one is still at it, how far, and what is known by now where that is new; inside the open transaction."""
    sql = "UPDATE import_run SET beat_at = ?, read = ?, told = coalesce(?, told) WHERE id = ?"
    connection.execute(sql, (moment(at), read, told, run))


def hold(connection: Connection, run: str, stage: Stage) -> bool:
    """Keep others from a run for the rest of the transaction; False where it is not at that stage any more."""
    held = connection.execute("UPDATE import_run SET stage = stage WHERE id = ? AND stage = ?", (run, stage.value))
    return held.rowcount == 1


def settle(connection: Connection, run: str, stage: Stage, told: str, at: datetime) -> None:
    """Keep what was found, or done; what is done needs its sheet no more. Inside the open transaction."""
    if stage is Stage.DONE:
        sql = "UPDATE import_run SET stage = ?, told = ?, beat_at = ?, done_at = ?, body = NULL WHERE id = ?"
        connection.execute(sql, (stage.value, told, moment(at), moment(at), run))
        connection.execute("DELETE FROM import_fault WHERE run = ?", (run,))
    else:
        sql = "UPDATE import_run SET stage = ?, told = ?, beat_at = ? WHERE id = ?"
        connection.execute(sql, (stage.value, told, moment(at), run))


def put_faults(connection: Connection, run: str, rows: Sequence[FaultRow]) -> None:
    """Keep what is to be mended, in place of what was; inside the open transaction."""
    connection.execute("DELETE FROM import_fault WHERE run = ?", (run,))
    connection.executemany(
        f"INSERT INTO import_fault (run, place, {_FAULT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 constants
        [(run, place, *one) for place, one in enumerate(rows)],
    )


class Wanted(NamedTuple):
    """Which of the cells of a run: those of one column or sort only (empty: any), in which order, from where on."""

    is_warning: bool = False
    header: str = ""
    sort: str = ""
    order: str = "row"
    first: int = 0
    limit: int = 50


def faults_of(connection: Connection, run: str, wanted: Wanted) -> tuple[list[FaultRow], int]:
    """A page of the cells, and how many there are of that choice."""
    parts, params = ["run = ?", "is_warning = ?"], [run, wanted.is_warning]
    for column in ("header", "sort"):
        if value := getattr(wanted, column):
            parts.append(f"{column} = ?")
            params.append(value)
    where = " AND ".join(parts)
    sql = f"SELECT {_FAULT}, count(*) OVER () FROM import_fault WHERE {where}"  # noqa: S608 constants
    sql += f" ORDER BY {_ORDERS.get(wanted.order, 'place')} LIMIT ? OFFSET ?"
    rows = connection.execute(sql, (*params, wanted.limit, wanted.first)).fetchall()
    found = [FaultRow(*row[:-1]) for row in rows]
    return [one._replace(is_warning=bool(one.is_warning)) for one in found], int(rows[0][-1]) if rows else 0


def every_fault(connection: Connection, run: str) -> list[FaultRow]:
    """All the cells that are kept, in their order."""
    sql = f"SELECT {_FAULT} FROM import_fault WHERE run = ? ORDER BY place"  # noqa: S608 constants
    rows = connection.execute(sql, (run,)).fetchall()
    return [FaultRow(*row)._replace(is_warning=bool(row[0])) for row in rows]


def faults_after(connection: Connection, run: str, place: int, limit: int) -> list[tuple[int, FaultRow]]:
    """The cells that are kept after a place (-1: from the first), each with its own, in their order."""
    sql = f"SELECT place, {_FAULT} FROM import_fault WHERE run = ? AND place > ? ORDER BY place LIMIT ?"  # noqa: S608 constants
    rows = connection.execute(sql, (run, place, limit)).fetchall()
    return [(int(row[0]), FaultRow(*row[1:])._replace(is_warning=bool(row[1]))) for row in rows]
