"""A pool of desks: one held connection each, lent to one request at a time; what is compiled serves them all."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from console.settings import Settings
from console.wiring import Office, office
from engine.library import Library
from engine.store.database import DRIVER_ERRORS, Busy

_PATIENCE = 30.0
"""Seconds a request waits for a desk before it is told that the house is full."""


class _Room(NamedTuple):
    """An opened office, and what closes it again."""

    office: Office
    closing: ExitStack


class Desks:
    """The desks of one process.

    Args:
        settings: Which database.
        library: Definitions and rules, compiled once and shared: nothing in it changes.
        size: How many requests may be at work at the same time; each holds a connection.
    """

    def __init__(self, settings: Settings, library: Library, size: int) -> None:
        self._settings = settings
        self._library = library
        self._free: queue.LifoQueue[_Room | None] = queue.LifoQueue()
        for _ in range(size):
            self._free.put(None)

    @contextmanager
    def borrowed(self) -> Iterator[Office]:
        """An office for one request.

        Raises:
            Busy: If none comes free.
        """
        try:
            room = self._free.get(timeout=_PATIENCE)
        except queue.Empty:
            raise Busy from None
        try:
            room = room or self._open()
            room.office.desk.refresh()
            yield room.office
        except (SQLAlchemyError, *DRIVER_ERRORS):
            room = self._closed(room)  # a connection that failed is not lent again
            raise
        finally:
            self._free.put(room)

    def close(self) -> None:
        """Close every office that is not lent."""
        while not self._free.empty():
            self._closed(self._free.get_nowait())

    def _open(self) -> _Room:
        closing = ExitStack()
        return _Room(closing.enter_context(office(self._settings, self._library)), closing)

    @staticmethod
    def _closed(room: _Room | None) -> None:
        if room is not None:
            room.closing.close()
