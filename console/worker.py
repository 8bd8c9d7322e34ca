"""A worker: does one round after the other while it leads, and says what it did and what stood in its way.

Which of several workers leads is a lease; that anything happens once is decided by unique keys (docs/decisions/0013).
"""

from __future__ import annotations

import os
import platform
import secrets
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Literal, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from console.calling import SETUP, NoRehearsal
from console.clock import Clock, Tick, steady_seconds
from console.post import Post
from console.rounds import Rounds
from console.sealing import MAKE_KEY, seal_round, sealer_of
from console.settings import Settings
from console.wiring import Office, office
from engine.errors import XuejiError
from engine.expressions.kinds import SHANGHAI
from engine.sealing import SealedElsewhere
from engine.store.database import DRIVER_ERRORS, Connection
from engine.store.leases import Held, give_up, take
from notifications.composing import Composed
from notifications.scanning import Scanned
from notifications.sending import Sent
from notifications.webhooks import Delivered

LEASE = "work"
"""The name of the lease under which people are told."""
_REPEATED_AFTER = 60.0
"""Seconds until the same trouble is said again."""
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0
"""Seconds to wait for a database that is gone, doubled each time."""
_SHORTEST_STANDSTILL = 2.0
"""Seconds that a busy machine may well take over nothing."""
_NOTABLE = timedelta(minutes=5)
"""Clocks of two machines may well be so far apart."""
_DATABASE_ERRORS = (SQLAlchemyError, *DRIVER_ERRORS)


Kind = Literal["recount", "scan", "compose", "send", "seal", "webhooks"]
"""The kinds of rounds, in the order in which a reminder passes through them; what they wrote is sealed, then told.

Dates come first: who is reminded, and when, hangs on them.
"""
Say = Callable[..., None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """Where a worker works, how it tells people, and its machine's clock (or that of a rehearsal: `is_told`)."""

    settings: Settings
    post: Post
    wall: Callable[[], datetime]
    is_told: bool

    def today(self) -> date:
        """The day in Shanghai."""
        return self.wall().astimezone(SHANGHAI).date()

    @contextmanager
    def opened(self) -> Iterator[Office]:
        """The office, with the definitions in force today.

        Raises:
            NoRehearsal: If a live database is told the time.
        """
        with office(self.settings, today=self.today()) as opened:
            if self.is_told and not opened.rehearsal:
                raise NoRehearsal(self.settings.address)
            yield opened

    def clock(self, opened: Office) -> Clock:
        """The clock that telling people goes by."""
        return Clock(wall=self.wall, steady=steady_seconds, asks_server=not opened.rehearsal)


class _At(NamedTuple):
    """What is open while the database is there."""

    office: Office
    clock: Clock
    rounds: Rounds

    @property
    def connection(self) -> Connection:
        return self.office.desk.connection


class Worker:
    """Does the rounds, one at a time; its connection is opened with the first and again after it was lost.

    Args:
        premises: Where to work.
        say: Takes an event and its details: counts and names of errors, never anybody's data.

    Attributes:
        is_ending: Set to true, it ends after the row or mail at hand.
        has_more: Whether mails are due that only wait because so many a minute are enough.
    """

    def __init__(self, premises: Premises, say: Say) -> None:
        self.holder = f"{platform.node()}/{os.getpid()}/{secrets.token_hex(4)}"
        self.is_ending = False
        self.has_more = False
        self._premises = premises
        self._say = say
        self._open = ExitStack()
        self._at: _At | None = None
        self._clock: Clock | None = None
        self._held: Held | None = None
        self._wait, self._not_before = _FIRST_WAIT, 0.0
        self._said: dict[str, float] = {}

    def do(self, kind: Kind) -> None:
        """One round, if it is this worker's turn; whatever goes wrong is said, and tried again with the next."""
        if self.is_ending or steady_seconds() < self._not_before:
            return
        try:
            self._round(self._opened(), kind)
            self._wait = _FIRST_WAIT
        except _DATABASE_ERRORS as problem:
            self._lost(problem)
        except Exception as problem:  # noqa: BLE001 the outermost loop: one round's fault must not end the others
            self._say("round failed", round=kind, error=type(problem).__name__, at=_place(problem))

    def close(self) -> None:
        """Let the next one lead at once, and close the database."""
        if self._at is not None and self._held is not None:
            try:
                give_up(self._at.connection, self._held)
            except _DATABASE_ERRORS as problem:
                self._say("lease not given up", error=type(problem).__name__)
        self._close()

    def _opened(self) -> _At:
        if self._at is not None and self._at.office.is_outdated(self._premises.today()):
            self._say("other definitions are in force, reading them")
            self._close()  # the lease stays: it is this worker's, not the connection's
        if self._at is None:
            opened = self._open.enter_context(self._premises.opened())
            # who stands still longer has lost the lease, and must not keep it, or a case, from whoever leads next
            standstill = max(self._premises.post.lease_seconds, _SHORTEST_STANDSTILL)
            opened.desk.connection.stand_still_at_most(standstill)
            self._clock = self._clock or self._premises.clock(opened)
            opened.desk.publish(self._clock.tick(opened.desk.connection).now, SETUP)
            self._at = _At(opened, self._clock, Rounds(opened, self._premises.post, SystemRandom()))
            self._say("working", holder=self.holder, rehearsal=opened.rehearsal)
        return self._at

    def _lead(self, at: _At) -> Held | None:
        """Take the lease, or hold on to it; None while this worker may not tell people anything."""
        tick = at.clock.tick(at.connection)
        self._say_about(tick)
        if not tick.is_trusted:
            return None
        before, seconds = self._held, self._premises.post.lease_seconds
        self._held = take(at.connection, LEASE, self.holder, tick.now, seconds)
        if self._held is None:
            self._seldom("another worker leads")
        elif before is None or before.epoch != self._held.epoch:
            self._say("leading", epoch=self._held.epoch)
        return self._held

    def _say_about(self, tick: Tick) -> None:
        if not tick.is_trusted:
            how = "xueji work --confirm-clock"
            self._seldom("clock leapt ahead, nobody is told anything", by=str(tick.ahead), confirm=how)
        if tick.behind > _NOTABLE:
            self._seldom("clock was turned back", by=str(tick.behind))

    def _round(self, at: _At, kind: Kind) -> None:
        if kind == "seal":  # under a lease of its own, and whatever the clock says
            self._seal(at)
            return
        held = self._lead(at)
        if held is None:
            return
        if kind == "recount":
            moved = at.rounds.recount(partial(self._go_on, at))
            if moved:
                self._say(kind, moved=moved)
        elif kind == "scan":
            self._tell(kind, at.rounds.scan(partial(self._go_on, at)))
        elif kind == "compose":
            self._tell(kind, at.rounds.compose(at.clock.now()))
            at.rounds.keep_days(at.clock.now())
            at.rounds.judge_lanes(at.clock.now())
            at.rounds.forget_forms(at.clock.now())
        elif kind == "webhooks":
            self._tell(kind, at.rounds.tell_webhooks(partial(self._now, at, held), held))
        else:
            self._send(at, held)

    def _send(self, at: _At, held: Held) -> None:
        """Send what is due; when that takes longer than a lease, go on under the same, held on to."""
        following: Held | None = held
        while following is not None:
            sent = at.rounds.send(partial(self._now, at, following), following)
            for one in at.rounds.left_out:
                self._seldom(
                    f"template {one.file} cannot be used, the installed one is", line=one.line, why=one.message
                )
            self._tell("send", sent)
            self.has_more = sent.ended == "rate"
            following = self._lead(at) if sent.ended == "lease" and not self.is_ending else None

    def _seal(self, at: _At) -> None:
        """Seal what there is, unless no key has been made; what stands in the way is for a person to read."""
        try:
            sealer = sealer_of(self._premises.settings, at.office.log)
            if sealer is None:
                self._once("not sealing, there is no key", make=MAKE_KEY)
                return
            done = seal_round(at.office, self._premises.settings, sealer, at.clock.now)
        except SealedElsewhere:
            self._seldom("another process seals")
        except XuejiError as problem:
            self._seldom("sealing refused", error=type(problem).__name__, why=str(problem))
        else:
            if done.sealed.note is not None:
                self._say("seal", events=done.sealed.events)
            for why in done.unheard:
                self._seldom("witness did not vouch", why=why)

    def _once(self, event: str, **details: object) -> None:
        """Say something once in the life of this process."""
        if event not in self._said:
            self._seldom(event, **details)

    def _tell(self, kind: Kind, done: Scanned | Composed | Sent | Delivered) -> None:
        """Say what was done, if anything was."""
        counts = {name: count for name, count in asdict(done).items() if isinstance(count, int) and count}
        if counts:
            self._say(kind, **counts)

    def _go_on(self, at: _At) -> datetime | None:
        """The moment to go by, while this worker leads and is not to end."""
        return None if self.is_ending or self._lead(at) is None else at.clock.now()

    def _now(self, at: _At, held: Held) -> datetime:
        """The moment to go by; once this worker is to end, the end of its lease, so that no other mail is begun."""
        return held.until if self.is_ending else at.clock.now()

    def _lost(self, problem: Exception) -> None:
        """The database is gone: close what is left, and try again after a wait that grows."""
        self._close()
        self._not_before = steady_seconds() + self._wait
        self._say("database lost", error=type(problem).__name__, again_in_seconds=self._wait)
        self._wait = min(2 * self._wait, _LONGEST_WAIT)

    def _close(self) -> None:
        self._at = self._held = None
        try:
            self._open.close()
        except _DATABASE_ERRORS as problem:
            self._say("connection not closed", error=type(problem).__name__)

    def _seldom(self, event: str, **details: object) -> None:
        """Say something at once, and again only after a minute."""
        now = steady_seconds()
        if now - self._said.get(event, -_REPEATED_AFTER) >= _REPEATED_AFTER:
            self._said[event] = now
            self._say(event, **details)


def _place(problem: Exception) -> str:
    """Where something went wrong: its text may quote a row, and so is not written down."""
    last = traceback.extract_tb(problem.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"
