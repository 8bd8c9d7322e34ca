"""What tables of runs in the background have in common: who works on a run is heard of, and how many are open."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from engine.store.database import Connection
from engine.trail.event import moment


class Runs(NamedTuple):
    """A table of them.

    Attributes:
        table: Its name; it has `id`, `login`, `stage` and `beat_at`.
        silence: A worker that has not been heard of for so long is taken for dead.
        at_work: The stages at which a run is worked on.
    """

    table: str
    silence: timedelta
    at_work: tuple[str, ...]

    def live_on(self, connection: Connection, run: str, at: datetime, stage: str) -> None:
        """Say that one is still at it, at this stage; inside the open transaction."""
        sql = f"UPDATE {self.table} SET beat_at = ? WHERE id = ? AND stage = ?"  # noqa: S608 a table of ours
        connection.execute(sql, (moment(at), run, stage))

    def count_open(self, connection: Connection, login: str, at: datetime) -> int:
        """How many of somebody's are worked on; whose worker fell silent counts no more."""
        marks = ", ".join("?" for _ in self.at_work)
        sql = f"SELECT count(*) FROM {self.table} WHERE login = ? AND stage IN ({marks}) AND beat_at >= ?"  # noqa: S608
        row = connection.execute(sql, (login, *self.at_work, moment(at - self.silence))).fetchone()
        return 0 if row is None else int(row[0])
