"""The clock that reminding goes by: never backwards, and not trusted when it leaps ahead (docs/decisions/0013).

Steps, signatures and imports go by the machine's clock; this one decides only when people are told something.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from engine.errors import Unreadable
from engine.store.database import Connection
from engine.store.timekeeping import mark, raise_mark, server_now

LEAP = timedelta(hours=6)
"""So far ahead of what it should be, a clock is not believed."""
CLOSED = timedelta(days=31)
"""So long may an office have been closed and its computer off: the usual holidays with days to spare."""
_FINE = timedelta(seconds=1)
"""So exactly is the mark kept: it is not written anew for less."""


class Tick(NamedTuple):
    """What time it is.

    Attributes:
        now: The moment to go by; never earlier than any before it.
        ahead: By how much the machine's clock is ahead of what it should be, if by too much; nobody is told anything.
        behind: By how much it is behind the moment to go by, if it was turned back.
    """

    now: datetime
    ahead: timedelta = timedelta(0)
    behind: timedelta = timedelta(0)

    @property
    def is_trusted(self) -> bool:
        """Whether people may be told something."""
        return not self.ahead


@dataclass(slots=True, kw_only=True)
class Clock:
    """The machine's clock, checked at every tick against whatever else knows the time.

    Attributes:
        wall: What the machine says.
        steady: Seconds since some beginning, as they pass; nobody sets this one.
        asks_server: Whether PostgreSQL's own clock counts; not in a rehearsal that was told the time.
    """

    wall: Callable[[], datetime]
    steady: Callable[[], float]
    asks_server: bool
    _last: tuple[datetime, float] | None = None

    def tick(self, connection: Connection) -> Tick:
        """What time it is; the mark of the database rises to it."""
        wall, steady, kept = self.wall(), self.steady(), mark(connection)
        witnesses = [one for one in (self._counted(steady), self._servers(connection)) if one is not None]
        limits = [one + LEAP for one in witnesses]
        if kept is not None:
            limits.append(kept + (LEAP if witnesses else CLOSED))
        if limits and wall > max(limits):
            should_be = max(one for one in (*witnesses, kept) if one is not None)
            return Tick(now=kept or should_be, ahead=wall - should_be)
        now = wall if kept is None else max(wall, kept)
        self._last = (now, steady)
        if kept is None or now - kept >= _FINE:
            raise_mark(connection, now)
        return Tick(now=now, behind=now - wall)

    def now(self) -> datetime:
        """The last tick and the seconds passed since: neither the machine's clock nor the database is asked."""
        return self._counted(self.steady()) or self.wall()

    def _counted(self, steady: float) -> datetime | None:
        """The last tick and the seconds that have passed since."""
        if self._last is None:
            return None
        at, then = self._last
        return at + timedelta(seconds=steady - then)

    def _servers(self, connection: Connection) -> datetime | None:
        return server_now(connection) if self.asks_server else None


def machine_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def steady_seconds() -> float:
    """Seconds that pass as they pass, also while the machine sleeps where it can tell."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


def rehearsed(told: datetime | None, file: Path | None) -> Callable[[], datetime]:
    """The machine's clock moved to the moment a rehearsal was told, and by as many seconds as a file says.

    Args:
        told: Where it begins; from there it goes on as time passes.
        file: Holds a number of seconds, read anew each time, so that a rehearsal's clock can be set while it runs.
    """
    begun = steady_seconds()

    def now() -> datetime:
        told_now = machine_now() if told is None else told + timedelta(seconds=steady_seconds() - begun)
        return told_now + timedelta(seconds=_seconds_in(file))

    return now


def _seconds_in(file: Path | None) -> float:
    if file is None:
        return 0.0
    text = file.read_text(encoding="ascii") if file.exists() else "0"
    try:
        return float(text)
    except ValueError as problem:
        raise Unreadable("XUEJI_CLOCK", text.strip(), "秒数 a number of seconds: -3600") from problem
