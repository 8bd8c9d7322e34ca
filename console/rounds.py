"""One round of telling people: find what is due, put it into mails, send them. Wired here, timed elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from random import Random

from console.clock import steady_seconds
from console.post import Post
from console.wiring import Office
from engine.actors import TIMER
from engine.daybook import keep_days
from engine.errors import Fault
from engine.expressions.kinds import SHANGHAI
from engine.lanes import FAR, refresh
from engine.records import Request
from engine.recounting import calendar_of, carry_on
from engine.store import import_runs, kept_forms, proposals
from engine.store.leases import Held
from engine.store.mails import MailRow
from engine.store.proposals import Template
from engine.trail.event import moment
from notifications.composing import Composed, compose
from notifications.lettering import Letters
from notifications.mailers import FileMailer, Mailer, SmtpMailer
from notifications.messages.briefs import Briefs
from notifications.messages.rendering import Messages
from notifications.scanning import Scanned, scan
from notifications.sending import Rate, Sent, send
from notifications.webhooks import Delivered, Teller

PAGE = 50
"""Deadlines looked at before asking again whether to go on: a worker that is told to end does so within a second."""

_SLICE = 5.0
"""Seconds that counting dates anew may take before the other rounds have their turn."""

_TRIED_AGAIN_AFTER = timedelta(minutes=10)
"""A template that was left out is tried again: a machine may have been too busy to try it."""

_FORGOTTEN_EVERY = timedelta(minutes=10)
"""What people typed is promised to be gone within the hour, not to the minute."""

GoOn = Callable[[], datetime | None]
"""The moment to go by, or None when it is time to stop."""


class Rounds:
    """Everything that tells people, on one open office; lives as long as its process.

    Args:
        office: The open database.
        post: How people are told.
        chance: Spreads what is tried again.

    Attributes:
        left_out: What is wrong with approved templates that cannot be used; mails are made without them.

    Raises:
        TemplatesRefused: If a message template of the institution has a fault.
    """

    def __init__(self, office: Office, post: Post, chance: Random) -> None:
        self._desk = office.desk
        self._figured_on: date | None = None
        self._judged_at: datetime | None = None
        self._forgot_at: datetime | None = None
        self._hours = post.hours
        self._calendar = calendar_of(office.desk)
        self._mailer = mailer_for(post, is_lasting=office.desk.connection.is_lasting)
        self._reach = post.reach
        self._letters = Letters(office.desk, post.reach)
        self._rate = Rate(post.a_minute, chance)
        self._teller = Teller(office.desk, office.log, post.webhooks, self._rate) if post.webhooks else None
        self._messages = Messages(
            post.overrides, url=post.url, sender=post.sender, log=office.log, is_rehearsal=office.rehearsal
        )
        self._briefs = Briefs(post.url, post.sender, is_rehearsal=office.rehearsal)
        self._laid: tuple[Template, ...] = ()
        self._tried_at: datetime | None = None
        self.left_out: tuple[Fault, ...] = ()

    def scan(self, go_on: GoOn) -> Scanned:
        """Do what is due about deadlines, page by page: mark late, write reminders, fire timers."""
        self._desk.refresh()
        done = Scanned()
        while (at := go_on()) is not None:
            page = scan(self._desk, at, PAGE)
            done += page
            if page.looked < PAGE:
                break
        return done

    def keep_days(self, at: datetime) -> int:
        """Keep the figures of the days that are over, of every batch; looked for once a day. How many rows.

        Sheets that nobody took in for a week go with the day, too.
        """
        day = at.astimezone(SHANGHAI).date()
        if day == self._figured_on:
            return 0
        with self._desk.connection.writing():
            import_runs.forget(self._desk.connection, moment(at))
        rows, self._figured_on = keep_days(self._desk, at), day
        return rows

    def forget_forms(self, at: datetime) -> None:
        """Forget what people typed and gave up; looked for every few minutes, for nobody may keep a form again."""
        if self._forgot_at is None or not self._forgot_at <= at < self._forgot_at + _FORGOTTEN_EVERY:
            with self._desk.connection.writing():
                kept_forms.forget_given_up(self._desk.connection, at)
            self._forgot_at = at

    def judge_lanes(self, at: datetime) -> int:
        """Judge anew the lanes that time alone may have changed; looked for every few minutes. How many cases."""
        if self._judged_at is not None and self._judged_at <= at < self._judged_at + FAR:
            return 0
        self._judged_at = at
        return refresh(self._desk, Request(trigger="refresh", actor=TIMER, at=at))

    def recount(self, go_on: GoOn) -> int:
        """Count dates anew where another calendar has come into force, for a while; how many moved."""
        until = steady_seconds() + _SLICE
        return carry_on(self._desk, self._calendar, lambda: go_on() if steady_seconds() < until else None)

    def compose(self, at: datetime) -> Composed:
        """Put what is to be told into mails."""
        return compose(self._desk, at, self._hours, self._reach)

    def send(self, at: Callable[[], datetime], lease: Held) -> Sent:
        """Send the mails that are due, in the words that are in force now."""
        self._desk.refresh()
        self._lay_templates(at())
        return send(self._desk, self._mailer, self._render, at, lease, rate=self._rate)

    def _lay_templates(self, at: datetime) -> None:
        """Lay what two persons approved over the templates, if it is something else than before."""
        today = at.astimezone(SHANGHAI).date()
        approved = proposals.templates_in_force(self._desk.connection, today)
        is_to_try = bool(self.left_out) and (self._tried_at is None or at - self._tried_at >= _TRIED_AGAIN_AFTER)
        if approved != self._laid or is_to_try:
            self.left_out = self._messages.lay({one.name: one.text for one in approved})
            self._laid, self._tried_at = approved, at

    def tell_webhooks(self, at: Callable[[], datetime], lease: Held) -> Delivered:
        """Tell other systems of what was sealed."""
        return Delivered() if self._teller is None else self._teller.tell(at, lease)

    def _render(self, row: MailRow, at: datetime) -> EmailMessage | None:
        """A mail as it should read now; None when nothing is left to say."""
        written = self._letters.letter(row, at)
        if written is None:
            return None
        return (self._messages if self._reach.channel(written.to) is None else self._briefs).mail(written)


def mailer_for(post: Post, *, is_lasting: bool = True) -> Mailer:
    """Where mails go, as the settings say; and what goes through channels.

    Files wait for the disk as the database does that says of them that they are there.
    """
    way = post.way
    mailer: Mailer = FileMailer(way, is_lasting=is_lasting) if isinstance(way, Path) else SmtpMailer(way)
    if not post.reach:
        return mailer
    from notifications.channels import ChannelMailer  # noqa: PLC0415 an extra that may be missing

    return ChannelMailer(mailer, post.reach)
