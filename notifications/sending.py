"""Sending: mails that are due leave, each at most once, and what came of it is kept where people see it.

Nothing here decides that a mail leaves only once. The row does: it is taken, then handed over, then settled, each time
by an UPDATE that names the state before and the epoch of whoever took it (`engine.store.mails`).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from random import Random
from typing import Literal

from jinja2 import TemplateError

from engine.desk import Desk
from engine.errors import XuejiError
from engine.store import mails
from engine.store.database import Busy
from engine.store.leases import Held, still_held
from engine.store.mails import Claim, MailRow, Noted
from notifications.mailers import Answer, Came, Mailer
from notifications.messages.envelopes import Unmailable

Clock = Callable[[], datetime]
Render = Callable[[MailRow, datetime], EmailMessage | None]
Ended = Literal["done", "rate", "lease", "system"]

PAGE = 20
"""Mails taken in one transaction."""
TRIES = 20
"""After so many a mail has failed; with the waits between them that is about three days."""
_CLAIMED_FOR = timedelta(minutes=5)
_HANDING_OVER_FOR = timedelta(minutes=20)
"""Longer than a server is waited for (`mailers.Patience`): after that nobody expects an answer any more."""
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=10)
_BURST = timedelta(seconds=10)
_STATES: dict[Came, str] = {"accepted": "accepted", "never": "failed", "unknown": "unknown"}
_COUNTED = {"waiting": "later"}
_NOT_HANDED_OVER = Answer(outcome="later", text="发送进程中断，尚未交出 The sender stopped before it handed this over.")
"""A try like any other: a mail that ends its sender each time does not hold up the others, and has failed some day."""
_UNWRITABLE = "无法生成邮件，见模板 The mail could not be written; see its template: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of the mails of one run.

    Attributes:
        accepted: Taken by the mail system.
        later: Refused for now; they wait for their next try.
        failed: Refused for good, tried too often, or impossible to write; a person has to look.
        unknown: Nobody knows whether they arrived; a person has to look.
        dropped: Nothing was left to say.
        abandoned: Taken by another while this run was slow; that one's answer counts.
        ended: Why the run ended: nothing is due, so much a minute is enough for now, another leads, or the mail system
            is not well and would refuse the next one too.
    """

    accepted: int = 0
    later: int = 0
    failed: int = 0
    unknown: int = 0
    dropped: int = 0
    abandoned: int = 0
    ended: Ended = "done"


class Rate:
    """How fast mails leave, and how long after a refusal one is tried again; lives as long as the process.

    Args:
        per_minute: How many a minute; a pause is made up for by ten seconds' worth at most.
        chance: Spreads the tries, so that what was refused together does not come back together.
    """

    def __init__(self, per_minute: int, chance: Random) -> None:
        self._each = timedelta(minutes=1) / per_minute
        self._most = max(_BURST, self._each)
        self._credit = self._most
        self._seen_at: datetime | None = None
        self._chance = chance
        self._stumbles = 0
        self._paused_until: datetime | None = None

    def is_paused(self, at: datetime) -> bool:
        """Whether the mail system was not well so lately that it is left alone."""
        return self._paused_until is not None and timedelta() < self._paused_until - at <= _LONGEST_PAUSE

    def room(self, at: datetime) -> int:
        """How many mails may leave now; one, to see, while the mail system was not well the last time."""
        passed = timedelta() if self._seen_at is None else max(at - self._seen_at, timedelta())
        self._credit = min(self._credit + passed, self._most)
        self._seen_at = at
        return min(self._credit // self._each, 1 if self._stumbles else PAGE)

    def spend(self) -> None:
        """One mail leaves."""
        self._credit -= self._each

    def stumbled(self, at: datetime) -> None:
        """The mail system is not well: leave it alone for a while, twice as long each time."""
        self._paused_until = at + min(_FIRST_PAUSE * 2**self._stumbles, _LONGEST_PAUSE)
        self._stumbles = min(self._stumbles + 1, 10)

    def went_well(self) -> None:
        """The mail system is well."""
        self._stumbles = 0

    def wait(self, tries: int) -> timedelta:
        """How long a mail waits after so many tries: a minute, doubled each time, at most six hours, give or take."""
        doubled: int = 1 << min(tries, 12)
        return min(_FIRST_WAIT * doubled, _LONGEST_WAIT) * self._chance.uniform(0.75, 1.25)


def send(desk: Desk, mailer: Mailer, render: Render, at: Clock, lease: Held, *, rate: Rate) -> Sent:
    """Send what is due, as long as the lease lasts and the rate allows; every change is a short transaction of its own.

    Mails of workers that are gone are seen to first. An error of the database or of `render` goes to
    the caller: nothing is lost then, for what was taken is tried again, and what was being handed over becomes a
    question.

    Args:
        desk: Where the mails are kept.
        mailer: Where they go; its conversation is over when this returns.
        render: Writes a mail as it should read now; None when nothing is left to say.
        at: The clock, which never runs backwards.
        lease: Under whose epoch mails are taken.
        rate: How many a minute; the same from run to run.
    """
    with closing(mailer):
        return _Run(desk, mailer, render, at, (lease, rate)).to_the_end()


class _Run:
    """One run: mails are taken by the page and handed over one by one."""

    def __init__(self, desk: Desk, mailer: Mailer, render: Render, at: Clock, pace: tuple[Held, Rate]) -> None:
        self._connection = desk.connection
        self._mailer = mailer
        self._render = render
        self._at = at
        self._lease, self._rate = pace
        self._counts: Counter[str] = Counter()

    def to_the_end(self) -> Sent:
        ended = self._see_to_what_is_left_behind()
        while ended is None:
            ended = self._page()
        return Sent(**self._counts, ended=ended)

    def _see_to_what_is_left_behind(self) -> Ended | None:
        now = self._at()
        with self._connection.writing():
            if not still_held(self._connection, self._lease, now):
                return "lease"
            self._counts["unknown"] += mails.doubt(self._connection, now)
            for row in mails.left_behind(self._connection, self._lease.epoch, now):
                mails.note(self._connection, row, self._noted(row, _NOT_HANDED_OVER, now), now)
        return None

    def _page(self) -> Ended | None:
        now = self._at()
        if self._rate.is_paused(now):
            return "system"
        room = self._rate.room(now)
        if not room:
            return "rate"
        asked = Claim(epoch=self._lease.epoch, at=now, until=now + _CLAIMED_FOR, most=room)
        with self._connection.writing():
            if not still_held(self._connection, self._lease, now):
                return "lease"
            rows = mails.claim(self._connection, asked)
        if not rows:
            return "done"
        return self._work(deque(rows), min(now + _CLAIMED_FOR / 2, self._lease.until))

    def _work(self, rows: deque[MailRow], until: datetime) -> Ended | None:
        """Hand mails over until the mail system is not well or the time is up; those not tried are let go."""
        ended: Ended | None = None
        while rows and ended is None and self._at() < until:
            ended = self._one(rows.popleft())
        if rows:
            self._let_go(rows)
        return ended

    def _one(self, row: MailRow) -> Ended | None:
        try:
            message = self._render(row, self._at())
        except Busy:
            raise
        except (XuejiError, TemplateError) as problem:  # one that cannot be written must not hold up the others
            said = str(problem) if isinstance(problem, Unmailable) else type(problem).__name__
            self._note(row, Noted("failed", f"{_UNWRITABLE}{said}", row.not_before))
            return None
        if message is None:
            self._note(row, Noted("dropped", None, row.not_before))
            return None
        self._rate.spend()
        to = _address(message, "To")
        answer = self._mailer.hand_over(message, _address(message, "From"), to, lambda: self._may_leave(row))
        if answer is not None:
            return self._answered(row, answer, to)
        self._counts["abandoned"] += 1
        self._let_go([row])
        return "lease"

    def _may_leave(self, row: MailRow) -> bool:
        """Said just before the mail itself leaves: it is still ours, and from now on it may have arrived."""
        now = self._at()
        with self._connection.writing():
            return still_held(self._connection, self._lease, now) and mails.hand_over(
                self._connection, row, now, now + _HANDING_OVER_FOR
            )

    def _answered(self, row: MailRow, answer: Answer, to: str) -> Ended | None:
        now = self._at()
        self._note(row, self._noted(row, answer, now), refused=to if _is_refused(answer) else None)
        if answer.about == "system":
            self._rate.stumbled(now)
            return "system"
        self._rate.went_well()
        return None

    def _noted(self, row: MailRow, answer: Answer, now: datetime) -> Noted:
        if answer.outcome != "later":
            return Noted(_STATES[answer.outcome], answer.text, row.not_before)
        if row.attempts + 1 >= TRIES:
            return Noted("failed", answer.text, row.not_before)
        return Noted("waiting", answer.text, now + self._rate.wait(row.attempts))

    def _note(self, row: MailRow, noted: Noted, *, refused: str | None = None) -> None:
        now = self._at()
        with self._connection.writing():
            is_kept = mails.note(self._connection, row, noted, now)
            if is_kept and refused is not None:
                mails.refuse_address(self._connection, row.recipient, refused, now)
        self._counts[_COUNTED.get(noted.state, noted.state) if is_kept else "abandoned"] += 1

    def _let_go(self, rows: Iterable[MailRow]) -> None:
        with self._connection.writing():
            mails.let_go(self._connection, rows, self._at())


def _is_refused(answer: Answer) -> bool:
    return answer.outcome == "never" and answer.about == "address"


def _address(message: EmailMessage, header: str) -> str:
    address: str = message[header].addresses[0].addr_spec
    return address
