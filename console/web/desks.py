"""A pool of desks: one held connection each, lent to one request at a time; what is compiled serves them all."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import BoundedSemaphore
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from console.settings import Settings
from console.web.in_force import InForce
from console.wiring import Office, office
from engine.store.database import DRIVER_ERRORS, Busy

_PATIENCE = 30.0
"""Seconds a request waits for a desk before it is told that the house is full."""


class AllTaken(Busy):
    """Every desk was lent for as long as anybody waits for one; nothing was looked at."""


class _Room(NamedTuple):
    """An opened office, and what closes it again."""

    office: Office
    closing: ExitStack


class Desks:
    """The desks of one process.

    Args:
        settings: Which database.
        in_force: Has the definitions and rules, compiled once and shared by all desks.
        size: How many requests may be at work at the same time; each holds a connection.
    """

    def __init__(self, settings: Settings, in_force: InForce, size: int) -> None:
        self._settings = settings
        self.in_force = in_force
        self._free: queue.LifoQueue[_Room | None] = queue.LifoQueue()
        for _ in range(size):
            self._free.put(None)
        self._behind = BoundedSemaphore(max(1, size // 2))
        self._waiting: set[str] = set()

    @contextmanager
    def borrowed(self, *, is_dated: bool = False) -> Iterator[Office]:
        """An office for one request.

        Args:
            is_dated: Whoever borrows it says by `Desk.as_of` how far the registry was: units and batches that were
                read by then are not read again.

        Raises:
            AllTaken: If none comes free.
        """
        try:
            room = self._free.get(timeout=_PATIENCE)
        except queue.Empty:
            raise AllTaken from None
        try:
            if room is not None and room.office.desk.library is not self.in_force.library:
                room = self._closed(room)  # what was in force when it was opened is not any more
            room = room or self._open()
            if not is_dated:
                room.office.desk.refresh()
            yield room.office
        except (SQLAlchemyError, *DRIVER_ERRORS):
            room = self._closed(room)  # a connection that failed is not lent again
            raise
        finally:
            self._free.put(room)

    @contextmanager
    def borrowed_for(self, run: str) -> Iterator[Office]:
        """An office for a run in the background: for as long as it takes, and never more than half of them at once.

        The other half is for those who wait before a page. Whoever comes when all places are taken waits for one.

        Raises:
            AllTaken: If it has a place, and no desk comes free.
        """
        with self.in_line(run):
            self._behind.acquire()
        try:
            with self.borrowed() as office:
                yield office
        finally:
            self._behind.release()

    @contextmanager
    def in_line(self, run: str) -> Iterator[None]:
        """Say of a run in the background that it waits for its turn, for as long as this lasts."""
        self._waiting.add(run)
        try:
            yield
        finally:
            self._waiting.discard(run)

    def waits(self, run: str) -> bool:
        """Whether a run waits for its turn in this process."""
        return run in self._waiting

    def close(self) -> None:
        """Close every office that is not lent."""
        while not self._free.empty():
            self._closed(self._free.get_nowait())
        self.in_force.close()

    def _open(self) -> _Room:
        closing = ExitStack()
        return _Room(closing.enter_context(office(self._settings, self.in_force.library)), closing)

    @staticmethod
    def _closed(room: _Room | None) -> None:
        if room is not None:
            room.closing.close()
