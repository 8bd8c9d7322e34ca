"""What goes on while a page waits: a thread for each run, heard of as long as it lives, and ended whatever happens.

A run that broke is told with a number, under which the log has kind and place and no value (`console.web.headers`).
One that only met others at work (no desk came free, the database stayed busy, two waited for each other) is not broken:
it falls silent, and whoever looks at its page next has it taken up.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread

import structlog

from console.web.headers import places
from console.web.house import House
from engine.store.database import LOCKING_ERRORS, Busy, Connection, open_engine

BEAT = 10.0
"""Seconds between two signs of life: a third of the shortest silence after which a run is taken up by another."""
MOST_OPEN = 3
"""So many runs of a kind may one person have open; each has a thread and a connection."""
_PASSING = (Busy, *LOCKING_ERRORS)
"""What nobody did wrong and time settles; `AllTaken` is one. A row that is refused is none: it may be so for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One run that is worked on in a thread of its own.

    Attributes:
        room: What the log calls it.
        run: The id of the run.
        work: Does it; reads and keeps what it finds by itself.
        beat: Says that it is still worked on; inside the open transaction.
        broke: Ends it as broken, under the number given; in transactions of its own.
    """

    room: str
    run: str
    work: Callable[[], None]
    beat: Callable[[Connection, datetime], None]
    broke: Callable[[Connection, datetime, str], None]


def begin(house: House, task: Task) -> None:
    """Have it worked on."""
    Thread(target=_work, args=(house, task), name=f"{task.room}-{task.run}").start()


def _work(house: House, task: Task) -> None:
    is_over = Event()
    Thread(target=_live, args=(house, task, is_over), name=f"{task.room}-beat", daemon=True).start()
    try:
        task.work()
    except _PASSING as problem:
        kind = type(problem).__name__
        structlog.get_logger("web").warning("put off", room=task.room, kind=kind, at=places(problem))
    except Exception as problem:  # noqa: BLE001 nobody else would hear of it, and the page would wait for ever
        number = secrets.token_hex(4).upper()
        _tell(task, problem, number)
        is_over.set()
        try:
            with _beside(house) as connection:
                task.broke(connection, house.now(), number)
        except Exception as worse:  # noqa: BLE001 the database is gone: whoever looks next takes the run up
            _tell(task, worse, number)
    finally:
        is_over.set()


def _live(house: House, task: Task, is_over: Event) -> None:
    """Beat until it is over, also while it waits for its turn or looks for long; never at a desk people wait for."""
    while not is_over.wait(BEAT):
        try:
            with _beside(house) as connection, connection.writing():
                task.beat(connection, house.now())
        except Exception as problem:  # noqa: BLE001 the next beat may get through
            structlog.get_logger("web").warning("no beat", room=task.room, kind=type(problem).__name__)


def _tell(task: Task, problem: Exception, number: str) -> None:
    kind = type(problem).__name__
    structlog.get_logger("web").error("broken", room=task.room, kind=kind, at=places(problem), number=number)


@contextmanager
def _beside(house: House) -> Iterator[Connection]:
    """A connection of its own: every desk may be lent, and that of the work may be what broke."""
    engine = open_engine(house.settings.database)
    try:
        connection = Connection(engine)
        try:
            yield connection
        finally:
            connection.close()
    finally:
        engine.dispose()
