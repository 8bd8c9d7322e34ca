"""A worker in a process of its own, at a quick pace, whose mails are counted as they leave.

It is given its database, key and counts, and takes everything else from `XUEJI_…`. For every mail that is handed over
a line with its Message-ID is added to the counts: a folder would not show that one had left twice. Where SQL is given,
the process stops, as by SIGSTOP from outside, before the first statement that begins so; of several, which are waited
for one after the other, before that of the last.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from collections import deque
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path

import pytest
from typing_extensions import override

from console import rounds, wiring, worker
from console.calling import Caller
from console.settings import HOME, Settings
from console.work import Pace, work
from engine.loading.remembered import load_remembered
from engine.store.database import Connection, Cursor, Params
from notifications.mailers import Answer, Commit, Mailer
from tests.faults.standing import SHOWS_ITS_STACK

PACE = Pace(scan=0.15, compose=0.15, send=0.1)


class CountingMailer(Mailer):
    """Takes every mail, and writes down that it did."""

    def __init__(self, counts: Path) -> None:
        self._counts = counts

    @override
    def hand_over(self, message: EmailMessage, sender: str, to: str, commit: Commit) -> Answer | None:
        if not commit():
            return None
        line = os.open(self._counts, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(line, f"{message['Message-ID']}\n".encode())
        os.close(line)
        return Answer(outcome="accepted", text="counted")

    @override
    def close(self) -> None:
        """Nothing is held open."""


def stop_before(beginnings: Sequence[str], patch: pytest.MonkeyPatch) -> None:
    """Stop this process once, before the statement that begins as the last says, after such as the others say."""
    execute, to_come = Connection.execute, deque(beginnings)

    def stopping(connection: Connection, sql: str, params: Params = ()) -> Cursor:
        if to_come and sql.startswith(to_come[0]):
            to_come.popleft()
            if not to_come:
                os.kill(os.getpid(), signal.SIGSTOP)
                time.sleep(0.1)  # the signal may reach another thread first
        return execute(connection, sql, params)

    patch.setattr(Connection, "execute", stopping)


def main(url: str, key: str, counts: str, *stops_before: str) -> int:
    """Work until told to end, once a test has set the clock."""
    faulthandler.register(SHOWS_ITS_STACK)
    settings = Settings.model_validate({"database": url, "XUEJI_KEY_FILE": Path(key)})
    while settings.clock is not None and not settings.clock.exists():
        time.sleep(0.01)
    library = load_remembered(HOME, settings.memory_folder, {})  # as the office of the tests has it
    patch = pytest.MonkeyPatch()
    patch.setattr(worker, "office", lambda _settings, **_today: wiring.office(settings, library))
    patch.setattr(rounds, "mailer_for", lambda _post, **_: CountingMailer(Path(counts)))
    stop_before(stops_before, patch)
    return work(Caller(settings=settings), once=False, pace=PACE)
