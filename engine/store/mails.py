"""Mails in the database: taking the ones that are due, handing one over, noting what came of it.

Every change of state is one UPDATE that names the state it leaves and the epoch of whoever took the mail
(`engine.store.leases`). Whoever was paused while another took over changes nothing any more: that, and not the lease,
is what sends a mail once.

    waiting ── claimed ── handing_over ── accepted · failed · unknown
       └─────────┴─ (not now) ─┘            dropped: nothing was left to say
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from engine.store.database import Connection, Row
from engine.trail.event import moment

STATES = ("waiting", "claimed", "handing_over", "accepted", "failed", "unknown", "dropped")
OPEN_QUESTIONS = ("unknown", "failed")
"""What a person has to look into: whether a mail arrived is not known, or it will not be tried again."""

_COLUMNS = "id, recipient, slot, state, not_before, attempts, epoch, answer, changed_at"
_CLAIM = (
    "WITH due AS MATERIALIZED (SELECT id FROM mail WHERE state = 'waiting' AND not_before <= ? AND epoch <= ?"  # noqa: S608 constant text
    " ORDER BY not_before LIMIT ?{lock})"
    " UPDATE mail SET state = 'claimed', epoch = ?, claimed_until = ?, changed_at = ?"
    f" WHERE id IN (SELECT id FROM due) AND state = 'waiting' RETURNING {_COLUMNS}"
)
"""Materialized, because PostgreSQL may otherwise look for what is due once per row, and take more than it should."""
_HAND_OVER = (
    "UPDATE mail SET state = 'handing_over', claimed_until = ?, changed_at = ?"
    " WHERE id = ? AND state = 'claimed' AND epoch = ?"
)
_NOTE = (
    "UPDATE mail SET state = ?, answer = ?, attempts = attempts + 1, not_before = ?, claimed_until = NULL,"
    " changed_at = ? WHERE id = ? AND epoch = ? AND state IN ('claimed', 'handing_over', 'unknown')"
)
_NOTE_ACCEPTED = _NOTE.replace("'unknown')", "'unknown', 'waiting')")
"""A worker that was slow hears in the end that its mail was taken: a person who said “again” meanwhile is spared it."""
_LET_GO = (
    "UPDATE mail SET state = 'waiting', claimed_until = NULL, changed_at = ?"
    " WHERE id = ? AND state = 'claimed' AND epoch = ?"
)
_LEFT_BEHIND = f"SELECT {_COLUMNS} FROM mail WHERE state = 'claimed' AND (claimed_until <= ? OR epoch < ?){{lock}}"  # noqa: S608 constant
_DOUBTFUL = (
    "WITH over AS MATERIALIZED (SELECT id FROM mail WHERE state = 'handing_over' AND claimed_until <= ?{lock})"
    " UPDATE mail SET state = 'unknown', attempts = attempts + 1, answer = ?, claimed_until = NULL, changed_at = ?"
    " WHERE id IN (SELECT id FROM over)"
)
_SETTLE = (
    "UPDATE mail SET state = ?, answer = ?, attempts = ?, not_before = ?, changed_at = ?"
    " WHERE id = ? AND state IN ('unknown', 'failed')"
)
_NOBODY_HEARD = "发送进程中断，是否送达不明 The sender stopped while handing this over; nobody heard the answer."


class MailRow(NamedTuple):
    """One mail to one person; moments are aware UTC. `attempts` counts the tries that have ended."""

    id: int
    recipient: str
    slot: str
    state: str
    not_before: datetime
    attempts: int
    epoch: int
    answer: str | None
    changed_at: datetime


class Claim(NamedTuple):
    """In which epoch mails are taken, at what moment, until when they are the taker's, and at most how many."""

    epoch: int
    at: datetime
    until: datetime
    most: int


class Noted(NamedTuple):
    """What came of a try: the new state, what the mail system said, and when it may be tried again."""

    state: str
    answer: str | None
    not_before: datetime


def claim(connection: Connection, asked: Claim) -> list[MailRow]:
    """Take mails that are due, longest due first; what another takes at the same moment is passed over."""
    at = moment(asked.at)
    params = (at, asked.epoch, asked.most, asked.epoch, moment(asked.until), at)
    rows = map(_row, connection.execute(_free(connection, _CLAIM), params).fetchall())
    return sorted(rows, key=lambda row: (row.not_before, row.id))


def hand_over(connection: Connection, row: MailRow, at: datetime, until: datetime) -> bool:
    """Say that a mail is about to leave; False when it is another's by now, and must not.

    From here on nobody can know whether it arrived until an answer is noted; after `until` nobody expects one.
    """
    params = (moment(until), moment(at), row.id, row.epoch)
    return connection.execute(_HAND_OVER, params).rowcount == 1


def note(connection: Connection, row: MailRow, noted: Noted, at: datetime) -> bool:
    """Keep what came of a try; False when the mail has been taken by another since, whose answer counts."""
    sql = _NOTE_ACCEPTED if noted.state == "accepted" else _NOTE
    params = (noted.state, noted.answer, moment(noted.not_before), moment(at), row.id, row.epoch)
    return connection.execute(sql, params).rowcount == 1


def let_go(connection: Connection, rows: Iterable[MailRow], at: datetime) -> None:
    """Put mails that were taken but not tried back to where they were."""
    connection.executemany(_LET_GO, [(moment(at), row.id, row.epoch) for row in rows])


def left_behind(connection: Connection, epoch: int, at: datetime) -> list[MailRow]:
    """The mails that a worker had taken which is gone: its time is over, or it led in an earlier epoch than this.

    None of them has left, and under that epoch none can any more once something is noted of it.
    """
    params = (moment(at), epoch)
    return [_row(row) for row in connection.execute(_free(connection, _LEFT_BEHIND), params).fetchall()]


def doubt(connection: Connection, at: datetime) -> int:
    """Make questions of the mails whose worker was gone while it handed them over: they may have arrived. How many."""
    now = moment(at)
    return connection.execute(_free(connection, _DOUBTFUL), (now, _NOBODY_HEARD, now)).rowcount


def refuse_address(connection: Connection, recipient: str, address: str, at: datetime) -> None:
    """Remember that the mail system refused a person's address for good, unless it is another address by now."""
    login = recipient.removeprefix("person/")
    connection.execute("UPDATE account SET refused_at = ? WHERE login = ? AND email = ?", (moment(at), login, address))


def mail(connection: Connection, number: int) -> MailRow | None:
    """One mail, or None."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM mail WHERE id = ?", (number,)).fetchone()  # noqa: S608 constant
    return None if row is None else _row(row)


def mails(connection: Connection, states: Sequence[str], limit: int) -> list[MailRow]:
    """The mails in some states, those that changed last first."""
    marks = ",".join("?" * len(states))
    sql = f"SELECT {_COLUMNS} FROM mail WHERE state IN ({marks}) ORDER BY changed_at DESC, id DESC LIMIT ?"  # noqa: S608
    return [_row(row) for row in connection.execute(sql, (*states, limit)).fetchall()]


def counts(connection: Connection) -> dict[str, int]:
    """How many mails are in each state; those in which none is are left out."""
    found = connection.execute("SELECT state, count(*) FROM mail GROUP BY state").fetchall()
    had = {str(state): int(number) for state, number in found}
    return {state: had[state] for state in STATES if state in had}


def settle(connection: Connection, row: MailRow, noted: Noted, at: datetime) -> bool:
    """Keep what a person says of a mail that is a question; False when it is none any more.

    One that is to be tried again has all its tries before it.
    """
    attempts = 0 if noted.state == "waiting" else row.attempts
    params = (noted.state, noted.answer, attempts, moment(noted.not_before), moment(at), row.id)
    return connection.execute(_SETTLE, params).rowcount == 1


def _free(connection: Connection, sql: str) -> str:
    """Of the rows in question only those nobody else is writing: who never waits for many rows is in nobody's way."""
    return sql.format(lock="" if connection.is_sqlite else " FOR UPDATE SKIP LOCKED")


def _row(row: Row) -> MailRow:
    number, recipient, slot, state, not_before, attempts, epoch, answer, changed_at = row
    return MailRow(
        id=int(number), recipient=recipient, slot=slot, state=state, not_before=datetime.fromisoformat(not_before),
        attempts=int(attempts), epoch=int(epoch), answer=answer, changed_at=datetime.fromisoformat(changed_at),
    )  # fmt: skip
