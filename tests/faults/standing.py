"""How workers and their database stand: what a test that waited in vain says, so that the stall explains itself."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from engine.store.database import Connection, Row, open_engine
from tests.forking import ended
from tests.sabotage.office import Premises, rows

SHOWS_ITS_STACK = signal.SIGUSR1
"""Makes a worker write to its log where each of its threads is."""
_ENDS_WITHIN = 120.0
_SHOWS_WITHIN = 1.0
_LINES = 60
"""So many last lines of each log are shown."""

_TABLES = {
    "leases": "SELECT * FROM lease",
    "clock": "SELECT value FROM setting WHERE name = 'clock'",
    "mails not settled": "SELECT * FROM mail WHERE state NOT IN ('accepted', 'dropped') ORDER BY id",
    "messages in no mail": "SELECT * FROM outbox WHERE mail IS NULL ORDER BY id",
    "latest messages": "SELECT * FROM outbox ORDER BY id DESC LIMIT 12",
    "deadlines, next first": "SELECT * FROM deadline WHERE next_at IS NOT NULL ORDER BY next_at LIMIT 12",
}
_SESSIONS = (
    "SELECT pid, state, wait_event_type, wait_event, pg_blocking_pids(pid), now() - xact_start, now() - state_change,"
    " query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY pid"
)


@dataclass(slots=True, kw_only=True)
class Working:
    """A process, and what it has said so far."""

    process: BaseProcess
    log: Path

    @property
    def said(self) -> str:
        """Everything it wrote to standard error."""
        return self.log.read_text()

    def pause(self) -> None:
        """Stop it where it stands."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on, none the wiser."""
        self._signal(signal.SIGCONT)

    def end(self) -> int:
        """Ask it to end, and wait until it has."""
        self.resume()
        self.process.terminate()
        return ended(self.process, _ENDS_WITHIN)

    @property
    def is_stopped(self) -> bool:
        """Whether it stands still until it is told to go on."""
        return self._state == "T"

    def stands(self) -> str:
        """Whether it runs, sleeps or is stopped (R, S, T), and the end of its log with where its threads are."""
        if self.process.exitcode is not None:
            return f"{self.log.name}: ended with {self.process.exitcode}\n{self._last()}"
        if not self.is_stopped:
            self._signal(SHOWS_ITS_STACK)
            time.sleep(_SHOWS_WITHIN)
        return f"{self.log.name}: process {self.process.pid} is in state {self._state}\n{self._last()}"

    def _signal(self, number: signal.Signals) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, number)

    @property
    def _state(self) -> str:
        found = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii")
        return found.rpartition(")")[2].split()[0]

    def _last(self) -> str:
        return "\n".join(self.said.splitlines()[-_LINES:])


def how_it_stands(premises: Premises) -> str:
    """What is still to be done in a database, and who waits for whom there."""
    engine = open_engine(premises.url)
    with closing(Connection(engine)) as connection:
        shown = [_shown(title, rows(connection, sql)) for title, sql in _TABLES.items()]
        if not connection.is_sqlite:
            shown.append(_shown("sessions: pid, state, waits for, blocked by, since when", rows(connection, _SESSIONS)))
    engine.dispose()
    return "\n".join(shown)


def _shown(title: str, found: list[Row]) -> str:
    return "\n  ".join([f"{title}: {len(found)}", *map(str, found)])
