"""Workers at work: an office whose students owe fees, a clock that the test sets, real processes that are paused."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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
from tests.faults.standing import Working, how_it_stands
from tests.forking import end, forked
from tests.sabotage.office import BATCH, NOW, PEOPLE, UNITS, Premises, asked, enrolment, rows

FIRST_RUNG = datetime(2024, 5, 6, 9, 0, tzinfo=SHANGHAI)
"""Seven days before the fees are due."""
READY, GONE = timedelta(seconds=5), timedelta(minutes=11)
"""After 09:00: when the reminders of a day are due, and when its digests have left."""
PATIENCE = 120.0
"""Seconds: a mail that a paused worker had taken is tried again after a minute, give or take a quarter."""
_OPEN = ("waiting", "claimed", "handing_over")


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
        self.set_to(self.now() + span, confirmed=False)

    def now(self) -> datetime:
        """Where they are."""
        return machine_now() + timedelta(seconds=float(self.file.read_text()))


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
    def workers(self, number: int, stops_before: Sequence[str] = (), **environment: str) -> Iterator[list[Working]]:
        """That many workers, each stopped where `tests.faults.worker` says; whoever is left at the end is killed.

        A claim that fails meanwhile is told with how they and their database stood.
        """
        started = [self._start(environment, stops_before) for _ in range(number)]
        try:
            yield started
        except Exception as problem:
            if not hasattr(problem, "__notes__"):  # or workers that were started later have told
                problem.add_note(how_it_stands(self.premises))
            for one in started:
                problem.add_note(one.stands())
            raise
        finally:
            for one in started:
                end(one.process)

    def _start(self, environment: dict[str, str], stops_before: Sequence[str]) -> Working:
        log = self.folder / f"worker-{len(list(self.folder.glob('worker-*.log')))}.log"
        told = {
            "XUEJI_CLOCK": str(self.shift),
            "XUEJI_LEASE_SECONDS": str(self.lease_seconds),
            "XUEJI_MEMORY": str(self.folder.parent / "memory"),
            **environment,
        }
        words = (self.premises.url, str(self.premises.key), str(self.counts), *stops_before)
        process = forked("tests.faults.worker", *words, environment=told, log=log)
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


def one_day(hands: Hands, morning: datetime, rung: str, students: int) -> None:
    """Until that many students have been told a rung, and every mail about it has left."""
    connection = hands.connection
    hands.set_to(morning + READY)
    until(lambda: told(connection).get(rung) == students)
    until(lambda: rows(connection, "SELECT 1 FROM outbox WHERE mail IS NULL") == [])
    hands.set_to(morning + GONE)
    until(lambda: _have_left(hands))


def _have_left(hands: Hands) -> bool:
    """Whether no mail is on its way; when all that are wait to be tried again, the clock is put to when the first is.

    A worker that takes mails and is slower than its lease (on a busy machine the first mail of its life is enough) has
    them put off for a minute, and the next one for two more: nobody need wait for that here.
    """
    still = rows(hands.connection, "SELECT state, attempts, not_before FROM mail WHERE state IN (?, ?, ?)", *_OPEN)
    if still and all(state == "waiting" and attempts for state, attempts, _ in still):
        again_at = min(datetime.fromisoformat(str(not_before)) for _, _, not_before in still)
        if again_at > hands.now():
            hands.set_to(again_at)
    return not still
