"""Processes that seal, and can be killed before any statement of theirs and before anything that touches a file.

`python -m tests.faults.sealers` is a crew (`tests.faults.crews`); it says the first words of what it did. Every head
that is signed is first added to a list of all heads ever signed, whatever becomes of it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Engine
from typing_extensions import override

from console.sealing import HeadFile
from engine import sealing
from engine.sealing import Sealer
from engine.trail.notes import Signature, Signer
from tests.engine.vault import LOG, SIGNER, connected
from tests.faults.crews import serve
from tests.faults.scanner import Watched

ROUND = 3
"""Fewer than there are events, so that there is more than one round."""


class Job(NamedTuple):
    """One who seals.

    Attributes:
        url: The database.
        folder: Where the last head is, and the list of all.
        at: What its clock says.
        name: Its own.
        kill_at: Before which of its acts it is killed; 0: before none.
        kill_after: After so many seconds it is killed; 0: never.
    """

    url: str
    folder: str
    at: str
    name: str = "sealer"
    kill_at: int = 0
    kill_after: float = 0


class Sealing(Watched):
    """A connection whose process counts what it does to files too."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.is_counting = False

    @override
    def _comes(self, sql: str) -> None:
        if getattr(self, "is_counting", False):
            super()._comes(sql)

    def touches(self, word: str, honest: Callable[..., object]) -> Callable[..., object]:
        """The same act, counted."""

        def act(*args: object, **more: object) -> object:
            self._comes(word)
            return honest(*args, **more)

        return act


class Listed(Signer):
    """Signs, and puts every head it signs on the list."""

    __slots__ = ("_list",)

    def __init__(self, path: Path) -> None:
        super().__init__(LOG, SIGNER._key)  # noqa: SLF001 the same key
        self._list = path

    @override
    def sign(self, text: str, at: int | None = None) -> Signature:
        line = os.open(self._list, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(line, text.replace("\n", " ").encode() + b"\n")
        os.close(line)
        return super().sign(text, at)


def work(job: Job) -> list[str]:
    """One sealing; what it did."""
    begun, folder = datetime.fromisoformat(job.at), Path(job.folder)
    started = time.monotonic()
    sealing.ROUND = ROUND
    sealer = Sealer(log=LOG, signers=(Listed(folder / "all"),), head=HeadFile(folder / "head"))
    with connected(job.url, Sealing) as connection, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", connection.touches("fsync", os.fsync))
        patch.setattr(Path, "replace", connection.touches("replace", Path.replace))
        connection.kill_at, connection.is_counting = job.kill_at, True
        clock = lambda: begun + timedelta(seconds=time.monotonic() - started)  # noqa: E731 a clock that goes on
        try:
            sealing.seal(connection, sealer, job.name, clock)
        except sealing.SealedElsewhere:
            return ["elsewhere"]
        return list(connection.statements)


def disturb(jobs: Sequence[Job], processes: Sequence[int]) -> None:
    """Kill each as long after the start as asked."""
    begun = time.monotonic()
    for job, process in sorted(zip(jobs, processes, strict=True), key=lambda one: one[0].kill_after):
        if job.kill_after:
            time.sleep(max(begun + job.kill_after - time.monotonic(), 0))
            os.kill(process, signal.SIGKILL)


if __name__ == "__main__":
    serve(Job, lambda job: partial(work, job), disturb)
