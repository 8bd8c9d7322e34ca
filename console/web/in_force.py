"""The definitions in force, for all desks of one process: read anew when another text has come into force."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime
from threading import Lock, Thread
from time import monotonic

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from console.settings import Settings
from console.wiring import office
from engine import actors
from engine.errors import XuejiError
from engine.expressions.kinds import SHANGHAI
from engine.library import Library
from engine.store import proposals
from engine.store.database import DRIVER_ERRORS, Connection, open_engine

_LOOK_EVERY = 1.0
"""Seconds: so long a process may go on by what was in force before somebody, at another process, approved a text."""
PUBLISHER = actors.PUBLISHER
"""Who is named for what is new in the folder."""


class InForce:
    """Holds the library that desks work by, and looks on a connection of its own whether it still is the one.

    Reading takes seconds and is done by a thread; until it has ended, everybody works by what they have.

    Args:
        settings: Which database, and where the folder is.
        library: Read for `numbers`, the approved texts that were in force.
        numbers: Of those texts.
        clock: What day it is.
    """

    def __init__(
        self, settings: Settings, library: Library, numbers: tuple[int, ...], clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._library = library
        self._numbers = numbers
        self._clock = clock
        self._lock = Lock()
        self._next_look = monotonic() + _LOOK_EVERY
        self._engine: Engine | None = None
        self._connection: Connection | None = None
        self._reading: Thread | None = None
        self._log = structlog.get_logger("definitions")

    @property
    def library(self) -> Library:
        """What to work by from now on."""
        if monotonic() >= self._next_look and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._library

    def take(self, library: Library) -> None:
        """Work by a library that has just come into force."""
        with self._lock:
            self._library, self._numbers = library, self._now()

    def close(self) -> None:
        """Give the connection back, once nothing is read any more."""
        if self._reading is not None:
            self._reading.join()
        if self._connection is not None and self._engine is not None:
            self._connection.close()
            self._engine.dispose()

    def _look(self) -> None:
        self._next_look = monotonic() + _LOOK_EVERY
        if self._reading is not None and self._reading.is_alive():
            return
        with suppress(SQLAlchemyError, *DRIVER_ERRORS):  # whoever asked for a desk meets the same trouble, and says it
            if self._now() != self._numbers:
                self._reading = Thread(target=self._read, name="definitions")
                self._reading.start()

    def _today(self) -> date:
        return self._clock().astimezone(SHANGHAI).date()

    def _now(self) -> tuple[int, ...]:
        if self._connection is None:
            self._engine = open_engine(self._settings.database)
            self._connection = Connection(self._engine)
        return proposals.numbers_in_force(self._connection, self._today())

    def _read(self) -> None:
        """Read what is in force now; what stands in the way is written down, and everybody goes on as before."""
        try:
            with office(self._settings, today=self._today()) as fresh:
                fresh.desk.publish(self._clock(), PUBLISHER)
                with self._lock:
                    self._library, self._numbers = fresh.desk.library, fresh.in_force
        except (XuejiError, SQLAlchemyError, *DRIVER_ERRORS) as problem:
            self._log.error("definitions not taken over", error=type(problem).__name__)
