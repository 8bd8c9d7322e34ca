"""Decisions on many cases at once in the database; plain SQL for both.

Nothing here is evidence: the trail has one event for each case. It says what was chosen, and lets a run that was cut
off go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import orjson

from engine.records import Json, case_number
from engine.store.database import Connection
from engine.store.runs import Runs
from engine.trail.event import canonical, moment

SILENCE = timedelta(seconds=30)
"""A worker that has not been heard of for so long is taken for dead."""
UNDO = "undo"
"""The act under which the cases of a run are taken back (`engine.repeating.once`)."""
_AT_ONCE = 500


class Outcome(StrEnum):
    """What is said of a case before, and after it was decided; `LOOK` and `CANNOT` are never in.

    `BROKEN`: nobody foresaw what went wrong, and it was not decided; `rules` has the number the log knows that under.
    """

    CAN = "can"
    LOOK = "look"
    CANNOT = "cannot"
    MOVED = "moved"
    CHANGED = "changed"
    REFUSED = "refused"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"
    STAYS = "stays"


class Stage(StrEnum):
    """How far a run is; whoever takes it up begins the second or the fourth."""

    PREVIEW = "preview"
    RUNNING = "running"
    DONE = "done"
    WITHDRAWING = "withdrawing"


AT_WORK = (Stage.RUNNING, Stage.WITHDRAWING)
RUNS = Runs("bulk_run", SILENCE, tuple(one.value for one in AT_WORK))
_BEFORE = {Stage.RUNNING: Stage.PREVIEW, Stage.WITHDRAWING: Stage.DONE}


class Run(NamedTuple):
    """One decision on many cases.

    `address` is the query of the queue it was chosen from; where it begins with a slash, that of another page.
    `beat_at` is when its worker was last heard of. `given` is what the step is given, as JSON.
    """

    id: str
    login: str
    trigger: str
    address: str
    stage: Stage
    made_at: str
    beat_at: str | None
    given: str = "{}"

    @property
    def is_of_queue(self) -> bool:
        """Whether its cases were chosen from what waits for the person."""
        return not self.address.startswith("/")

    @property
    def fields(self) -> dict[str, Json]:
        """What the step is given: a reason that students read, fields that it asks for."""
        found: dict[str, Json] = orjson.loads(self.given)
        return found


class Row(NamedTuple):
    """One case of it; `rules` are the names of those against it, between blanks, or the number of what broke."""

    case: int
    revision: int
    outcome: Outcome
    rules: str = ""

    @property
    def broke(self) -> str:
        """The number of what broke while it was decided (`BROKEN`) or taken back (`MOVED`); empty: nothing did."""
        return self.rules if self.outcome in (Outcome.BROKEN, Outcome.MOVED) else ""


_RUN = "id, login, trigger, address, stage, made_at, beat_at, given"


def add_run(connection: Connection, run: Run, rows: Iterable[Row]) -> None:
    """Keep a selection as it stands; inside the open transaction."""
    connection.execute(
        f"INSERT INTO bulk_run ({_RUN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 a constant
        tuple(run),
    )
    connection.executemany(
        "INSERT INTO bulk_row (run, case_id, revision, outcome, rules) VALUES (?, ?, ?, ?, ?)",
        [(run.id, one.case, one.revision, one.outcome.value, one.rules) for one in rows],
    )


def run_of(connection: Connection, run: str) -> Run | None:
    """A run by its id."""
    row = connection.execute(f"SELECT {_RUN} FROM bulk_run WHERE id = ?", (run,)).fetchone()  # noqa: S608 a constant
    return None if row is None else Run(*row)._replace(stage=Stage(row[4]))


def rows_of(connection: Connection, run: str) -> list[Row]:
    """Its cases, by number."""
    rows = connection.execute(
        "SELECT case_id, revision, outcome, rules FROM bulk_row WHERE run = ? ORDER BY case_id", (run,)
    ).fetchall()
    return [Row(int(case), int(revision), Outcome(outcome), rules) for case, revision, outcome, rules in rows]


def keep_outcomes(connection: Connection, run: str, rows: Iterable[Row]) -> None:
    """What became of some cases; inside the open transaction."""
    connection.executemany(
        "UPDATE bulk_row SET outcome = ?, rules = ? WHERE run = ? AND case_id = ?",
        [(one.outcome.value, one.rules, run, one.case) for one in rows],
    )


def leave_out(connection: Connection, run: str, case: int) -> None:
    """Take a case out of what is still a preview; inside the open transaction, which nobody begins the run before."""
    held = connection.execute("UPDATE bulk_run SET stage = stage WHERE id = ? AND stage = 'preview'", (run,))
    if held.rowcount == 1:
        connection.execute("DELETE FROM bulk_row WHERE run = ? AND case_id = ?", (run, case))


def give(connection: Connection, run: str, fields: Mapping[str, Json]) -> None:
    """Keep what the step of a preview is given; inside the open transaction."""
    sql = "UPDATE bulk_run SET given = ? WHERE id = ? AND stage = 'preview'"
    connection.execute(sql, (canonical(dict(fields)).decode(), run))


def take(connection: Connection, run: str, at: datetime, stage: Stage = Stage.RUNNING) -> bool:
    """Become the one who works on a run; False where somebody alive does, or it is done. In the open transaction."""
    taken = connection.execute(
        "UPDATE bulk_run SET stage = ?, beat_at = ? WHERE id = ? AND (stage = ? OR (stage = ? AND beat_at < ?))",
        (stage.value, moment(at), run, _BEFORE[stage].value, stage.value, moment(at - SILENCE)),
    )
    return taken.rowcount == 1


def beat(connection: Connection, run: str, at: datetime, stage: Stage) -> None:
    """Say that one is still at it, or done; inside the open transaction."""
    connection.execute("UPDATE bulk_run SET stage = ?, beat_at = ? WHERE id = ?", (stage.value, moment(at), run))


def acted(connection: Connection, run: str, cases: Sequence[int], act: str = "") -> dict[int, str]:
    """The moments at which a run moved some cases, or took them back (`UNDO`), as the trail has it, by case.

    It is asked where the run itself may not know: events are committed before what became of them is kept.
    """
    name = f"{act}:{run}" if act else run
    found: dict[int, str] = {}
    for start in range(0, len(cases), _AT_ONCE):
        ids = [f"{name}/{case_number(one)}" for one in cases[start : start + _AT_ONCE]]
        rows = connection.execute(
            "SELECT e.chain, d.at FROM event e JOIN deed d ON d.case_id = e.chain AND d.seq = e.seq"  # noqa: S608 marks
            f" WHERE e.request IN ({','.join('?' * len(ids))})",
            ids,
        )
        found |= {int(case): str(at) for case, at in rows.fetchall()}
    return found


def note_acted(connection: Connection, run: str, outcomes: Iterable[Outcome], became: Outcome) -> None:
    """Keep of the cases of some outcomes what the trail says: moved, or taken back; inside the open transaction."""
    wanted = {*outcomes}
    rows = {one.case: one for one in rows_of(connection, run) if one.outcome in wanted}
    done = acted(connection, run, list(rows), UNDO if became is Outcome.WITHDRAWN else "")
    keep_outcomes(connection, run, [rows[case]._replace(outcome=became, rules="") for case in done])


def break_off(connection: Connection, run: str, at: datetime, stage: Stage, number: str) -> None:
    """End a run that broke at that stage, with the number; in the open transaction.

    What nobody has been at is `BROKEN` where it was to be decided; what was to be taken back stands as it was, `MOVED`.
    """
    ended = connection.execute(
        "UPDATE bulk_run SET stage = ?, beat_at = ? WHERE id = ? AND stage = ?",
        (Stage.DONE.value, moment(at), run, stage.value),
    )
    if ended.rowcount == 1:
        sql = "UPDATE bulk_row SET outcome = ?, rules = ? WHERE run = ? AND outcome = ?"
        left, then = (Outcome.CAN, Outcome.BROKEN) if stage is Stage.RUNNING else (Outcome.MOVED, Outcome.MOVED)
        connection.execute(sql, (then.value, number, run, left.value))


def seen_by(connection: Connection, login: str, cases: Sequence[int]) -> set[int]:
    """Which of some cases (a sample: few) somebody has opened since they came to where they are."""
    marks = ",".join("?" * len(cases)) or "NULL"
    rows = connection.execute(
        "SELECT DISTINCT a.case_id FROM access_row a JOIN cases c ON c.id = a.case_id"  # noqa: S608 question marks
        f" WHERE a.login = ? AND a.at >= c.entered_at AND a.case_id IN ({marks})",
        (login, *cases),
    ).fetchall()
    return {int(row[0]) for row in rows}
