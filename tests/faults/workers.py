"""Workers at work: an office whose students owe fees, a clock that the test sets, real processes that are paused."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from console import wiring
from console.clock import machine_now
from console.wiring import Office
from engine.actors import IMPORT
from engine.enrolling import enrol
from engine.expressions.kinds import SHANGHAI
from engine.organisation import add_units, give_role
from engine.publishing import change_batch, publish_batch
from engine.records import Request
from engine.store.database import Connection
from engine.store.people import set_address
from engine.store.timekeeping import confirm
from tests.sabotage.office import BATCH, NOW, PEOPLE, UNITS, Premises, asked, enrolment, rows

ROOT = Path(__file__).resolve().parents[2]
FIRST_RUNG = datetime(2024, 5, 6, 9, 0, tzinfo=SHANGHAI)
"""Seven days before the fees are due."""
PATIENCE = 120.0  # a mail that a paused worker had taken is tried again after a minute, give or take a quarter


@contextmanager
def owing(premises: Premises, students: int, fees_by: str = "2024-05-13") -> Iterator[Office]:
    """An office in which that many students owe fees due on a day, and everybody has an address."""
    wiring.create(premises.settings, rehearsal=True, profile="online-ed")
    with premises.opened() as office:
        desk = office.desk
        desk.publish(NOW, "setup")
        add_units(desk, UNITS, at=NOW, actor="setup")
        for login, role, unit in PEOPLE:
            give_role(desk, login, role, unit, at=NOW, actor="setup")
            with desk.connection.writing():
                set_address(desk.connection, login, f"{login}@xueji.invalid")
        known = {"fee_owed": "1280.50", "email": "somebody@xueji.invalid"}
        everybody = [enrolment(place, known) for place in range(1, students + 1)]
        enrol(desk, everybody, Request(trigger="open_record", actor=IMPORT, at=NOW))
        publish_batch(desk, BATCH, asked(desk, "records", "publish"))
        if fees_by != "2024-05-13":
            change_batch(desk, BATCH, {"fees_by": fees_by}, asked(desk, "records", "set"))
        yield office


@dataclass(slots=True, kw_only=True)
class Hands:
    """The hands of the clock that the workers of a rehearsal go by."""

    connection: Connection
    file: Path

    def set_to(self, at: datetime, *, confirmed: bool = True) -> None:
        """Put the clock to a moment, from which it goes on; unless it is confirmed, a leap is left to be noticed."""
        if confirmed:
            confirm(self.connection, at)
        written = self.file.with_suffix(".new")
        written.write_text(str((at - machine_now()).total_seconds()))
        written.replace(self.file)

    def move(self, span: timedelta) -> None:
        """Move the clock, without a word to anybody."""
        shift = float(self.file.read_text()) + span.total_seconds()
        self.set_to(machine_now() + timedelta(seconds=shift), confirmed=False)


@dataclass(slots=True, kw_only=True)
class Working:
    """A process, and what it has said so far."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """Everything it wrote to standard error."""
        return self.log.read_text()

    def pause(self) -> None:
        """Stop it where it stands."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on, none the wiser."""
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """Ask it to end, and wait until it has."""
        self.resume()
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Where workers work: what they share, and what of theirs is counted."""

    premises: Premises
    folder: Path
    lease_seconds: float = 0.5

    @property
    def shift(self) -> Path:
        """The file that moves the clock."""
        return self.folder / "shift"

    @property
    def counts(self) -> Path:
        """A line for every mail that left."""
        return self.folder / "counts"

    def left(self) -> Counter[str]:
        """How often each mail has left."""
        return Counter(self.counts.read_text().splitlines() if self.counts.exists() else ())

    @contextmanager
    def workers(self, number: int, **environment: str) -> Iterator[list[Working]]:
        """That many workers; whoever is left at the end is killed."""
        started = [self._start(f"worker-{place}", environment) for place in range(number)]
        try:
            yield started
        finally:
            for one in started:
                with one.process:
                    one.process.kill()

    def _start(self, name: str, environment: dict[str, str]) -> Working:
        log = self.folder / f"{name}.log"
        told = {
            "XUEJI_CLOCK": self.shift,
            "XUEJI_LEASE_SECONDS": self.lease_seconds,
            "XUEJI_MEMORY": self.folder.parent / "memory",
            **environment,
        }
        program = [sys.executable, "-m", "tests.faults.worker", self.premises.url, self.premises.key, self.counts]
        command = ["env", *(f"{name}={value}" for name, value in told.items()), *map(str, program)]
        with log.open("wb") as written:
            process = subprocess.Popen(command, cwd=ROOT, stderr=written)
        return Working(process=process, log=log)


def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def mails(connection: Connection) -> dict[str, int]:
    """How many mails are in each state."""
    return dict(rows(connection, "SELECT state, count(*) FROM mail GROUP BY state"))


def told(connection: Connection) -> dict[str, int]:
    """How many people were told each rung of the fees' deadline."""
    sql = "SELECT rung, count(*) FROM outbox WHERE deadline = 'D-02' GROUP BY rung"
    return dict(rows(connection, sql))
