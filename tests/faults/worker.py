"""A worker in a process of its own, at a quick pace, whose mails are counted as they leave.

`python -m tests.faults.worker URL KEY COUNTS` takes everything else from `XUEJI_…`. For every mail that is handed over
a line with its Message-ID is added to COUNTS: a folder would not show that one had left twice.
"""

from __future__ import annotations

import os
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest
from typing_extensions import override

from console import rounds, wiring, worker
from console.calling import Caller
from console.settings import HOME, Settings
from console.work import Pace, work
from engine.loading.remembered import load_remembered
from notifications.mailers import Answer, Commit, Mailer

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


def main(url: str, key: str, counts: str) -> int:
    """Work until told to end."""
    settings = Settings.model_validate({"database": url, "XUEJI_KEY_FILE": Path(key)})
    library = load_remembered(HOME, settings.memory_folder, {})  # as the office of the tests has it
    patch = pytest.MonkeyPatch()
    patch.setattr(worker, "office", lambda _settings: wiring.office(settings, library))
    patch.setattr(rounds, "mailer_for", lambda _post: CountingMailer(Path(counts)))
    return work(Caller(settings=settings), once=False, pace=PACE)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
