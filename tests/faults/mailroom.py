"""A mailroom: a database with mails that are due to people who do not exist, and what sending them needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from random import Random

from typing_extensions import override

from engine.desk import Desk
from engine.library import Library
from engine.store import schema
from engine.store.database import Connection, open_engine
from engine.store.leases import Held, take
from engine.store.mails import MailRow
from engine.trail.chain import Scribe
from engine.trail.event import moment
from engine.vocabulary import Organisation, RulebookText, Vocabulary
from notifications.mailers import Answer, Commit, Mailer
from notifications.sending import Rate, Sent, send

NOW = datetime(2024, 5, 13, 0, tzinfo=UTC)
SENDER = "xueji@school.invalid"
_PLAIN = SMTP.clone(cte_type="7bit")
NO_RULES = Library(
    definitions={}, rulebook=RulebookText(
        effective_from=date(2024, 1, 1), vocabulary=Vocabulary(), rules={}, engine={}, documents={},
        organisation=Organisation(units={}, roles={}, profiles={}),
    ), batches={},
)  # fmt: skip
"""Mail needs no rule: read in no time by processes that are killed by the hundred."""

ACCEPTED = Answer(outcome="accepted", text="250 OK")


@contextmanager
def mailroom(url: str, *, is_new: bool = False) -> Iterator[Desk]:
    """A desk on a database of mails."""
    engine = open_engine(url)
    if is_new:
        schema.upgrade(engine)
    connection = Connection(engine)
    if connection.is_sqlite:
        connection.execute("PRAGMA synchronous = OFF")  # processes are killed here, not the power supply
    try:
        yield Desk(connection, Scribe("mailroom", bytes(32)), NO_RULES, salt=bytes)
    finally:
        connection.close()
        engine.dispose()


def add_mails(connection: Connection, numbers: Sequence[int], *, at: datetime = NOW) -> None:
    """Mails of these numbers, due at once, each to a person with an account."""
    with connection.writing():
        connection.executemany(
            "INSERT INTO account (login, created_at, email) VALUES (?, ?, ?)",
            [(f"u{number}", moment(at), address(number)) for number in numbers],
        )
        connection.executemany(
            "INSERT INTO mail (id, recipient, slot, state, not_before, attempts, epoch, changed_at)"
            " VALUES (?, ?, ?, 'waiting', ?, 0, 0, ?)",
            [(number, f"person/u{number}", f"single/{number}", moment(at), moment(at)) for number in numbers],
        )


def address(number: int) -> str:
    return f"u{number}.private@people.invalid"


def number_of(to: str) -> int:
    """Which mail goes to an address."""
    return int(to[1:].partition(".")[0])


def message_id(number: int) -> str:
    return f"<mail-{number}@school.invalid>"


def letter(row: MailRow, _at: datetime) -> EmailMessage:
    """A mail, as short as it can be: thousands are written."""
    message = EmailMessage(policy=_PLAIN)
    message["From"] = SENDER
    number = int(row.slot.rpartition("/")[2])
    message["To"] = address(number)
    message["Message-ID"] = message_id(number)
    message.set_content(f"Due on 13 May.\n.\n.. {row.slot}\n")
    return message


def held(desk: Desk, at: datetime, *, holder: str = "one", name: str = "mail", seconds: float = 3600) -> Held:
    """The lease, which nobody else has."""
    lease = take(desk.connection, name, holder, at, seconds)
    assert lease is not None
    return lease


def fast(seed: int = 1) -> Rate:
    """As fast as it goes."""
    return Rate(1_000_000, Random(seed))  # noqa: S311 spreading tries, no secret


def run(desk: Desk, mailer: Mailer, at: datetime = NOW, *, lease: Held | None = None, rate: Rate | None = None) -> Sent:
    """One run at a moment."""
    return send(desk, mailer, letter, lambda: at, lease or held(desk, at), rate=rate or fast())


def states(connection: Connection) -> dict[int, str]:
    """The state of every mail."""
    return {int(number): str(state) for number, state in connection.execute("SELECT id, state FROM mail ORDER BY id")}


def waiting(connection: Connection) -> bool:
    """Whether there is a mail that is not at an end yet."""
    sql = "SELECT 1 FROM mail WHERE state IN ('waiting', 'claimed', 'handing_over') LIMIT 1"
    return connection.execute(sql).fetchone() is not None


class Slot(Mailer):
    """A letter-box that takes every mail unless told otherwise; `meanwhile` is what happens at some point on the way.

    Points are `before` and `after` the row is marked, and when the mail is `taken`: what happens there happens to a
    sender that is slow, or dies.
    """

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.answers: dict[str, Answer] = {}
        self.meanwhile: dict[str, Callable[[], object]] = {}

    @override
    def hand_over(self, message: EmailMessage, sender: str, to: str, commit: Commit) -> Answer | None:
        self._happens("before")
        answer = self.answers.pop(to, ACCEPTED)
        if answer.outcome == "later":
            return answer
        if not commit():
            return None
        self._happens("after")
        self.taken[to] += answer.outcome == "accepted"
        self._happens("taken")
        return answer

    @override
    def close(self) -> None:
        """Nothing is held open."""

    def _happens(self, point: str) -> None:
        self.meanwhile.pop(point, lambda: None)()
