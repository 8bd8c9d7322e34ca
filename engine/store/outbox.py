"""The outbox in the database: what is to be told, spread from roles over people, and gathered into mails."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from engine.store.database import Connection
from engine.store.people import PERSON, STUDENT
from engine.store.sessions import read_preference
from engine.trail.event import EventKind, moment

SPREAD, UNTOLD = 0, -1
"""What stands for a mail in a row that has gone into none: people have rows of their own; or no mail reaches any."""

_STEPS = frozenset({EventKind.OPENED, EventKind.MOVED, EventKind.SIGNED})
_COLUMNS = "o.id, o.chain, o.seq, o.recipient, o.message, o.deadline, o.due_at, o.rung"
_IS_PERSON = f"(substr(recipient, 1, {len(PERSON)}) = '{PERSON}' OR substr(recipient, 1, {len(STUDENT)}) = '{STUDENT}')"


class OutboxRow(NamedTuple):
    """Something to be told: of which event of which case, to whom, and of a reminder the deadline and its rung."""

    id: int
    chain: int
    seq: int
    recipient: str
    message: str
    deadline: str | None
    due_at: str | None
    rung: str | None


class Untold(NamedTuple):
    """How many messages reached nobody by mail, by recipient: a person without an address, a role nobody holds."""

    recipient: str
    messages: int


def waiting_for_roles(connection: Connection, limit: int) -> list[OutboxRow]:
    """The oldest rows that name a role and are not spread."""
    return _waiting(connection, f"NOT {_IS_PERSON}", 0, limit)


def waiting_for_people(connection: Connection, after: int, limit: int) -> list[OutboxRow]:
    """The oldest rows beyond a number that name a person and are in no mail."""
    return _waiting(connection, _IS_PERSON, after, limit)


def _waiting(connection: Connection, who: str, after: int, limit: int) -> list[OutboxRow]:
    sql = f"SELECT {_COLUMNS} FROM outbox o WHERE o.mail IS NULL AND o.id > ? AND {who} ORDER BY o.id LIMIT ?"  # noqa: S608 constant
    return [OutboxRow(*row) for row in connection.execute(sql, (after, limit)).fetchall()]


def hold_waiting(connection: Connection, found: Sequence[OutboxRow]) -> frozenset[int]:
    """Of rows as they were read those that are in no mail yet, by number; nobody else puts them into one meanwhile.

    What another has put into a mail since is left out: a mail must not be made for what it would not hold.
    """
    marks = ",".join("?" * len(found))
    sql = f"SELECT id FROM outbox WHERE id IN ({marks}) AND mail IS NULL ORDER BY id"  # noqa: S608 question marks only
    held = connection.execute(sql if connection.is_sqlite else f"{sql} FOR UPDATE", [row.id for row in found])
    return frozenset(int(row[0]) for row in held)


def in_mail(connection: Connection, mail: int) -> list[tuple[OutboxRow, bytes]]:
    """What one mail is to tell, oldest first, each with the event that tells what it is about."""
    sql = (
        f"SELECT {_COLUMNS}, e.body FROM outbox o JOIN event e ON e.chain = o.chain AND e.seq = o.seq"  # noqa: S608 constant
        " WHERE o.mail = ? ORDER BY o.id"
    )
    return [(OutboxRow(*row[:-1]), bytes(row[-1])) for row in connection.execute(sql, (mail,)).fetchall()]


def actors_of(connection: Connection, chain: int) -> frozenset[str]:
    """Who has taken a step of a case or signed for one, ever."""
    rows = connection.execute("SELECT body FROM event WHERE chain = ?", (chain,)).fetchall()
    events = (orjson.loads(bytes(row[0])) for row in rows)
    return frozenset(str(one["actor"]) for one in events if one["kind"] in _STEPS)


def settle_row(connection: Connection, row: int, mail: int) -> bool:
    """Say into which mail a row has gone (or `SPREAD`, `UNTOLD`); False when somebody has said so already."""
    return connection.execute("UPDATE outbox SET mail = ? WHERE id = ? AND mail IS NULL", (mail, row)).rowcount == 1


def add_copies(connection: Connection, row: OutboxRow, recipients: Iterable[str], message: str | None = None) -> None:
    """The same for each of some people, as rows of their own; whoever has it already gets no second one.

    `message` is told instead of the row's own.
    """
    said = message or row.message
    many = [(row.chain, row.seq, one, said, row.deadline, row.due_at, row.rung) for one in recipients]
    if many:
        connection.executemany(
            "INSERT INTO outbox (chain, seq, recipient, message, deadline, due_at, rung) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            many,
        )


def mail_for(connection: Connection, recipient: str, slot: str, not_before: datetime, at: datetime) -> int | None:
    """The mail of a slot, made where there is none, and held so that nobody sends it meanwhile; None: it is under way.

    Args:
        connection: Inside the transaction that puts something into the mail.
        recipient: To whom.
        slot: What makes it the only one.
        not_before: When it may leave, if it is made now.
        at: Now.
    """
    connection.execute(
        "INSERT INTO mail (recipient, slot, state, not_before, attempts, epoch, changed_at)"
        " VALUES (?, ?, 'waiting', ?, 0, 0, ?) ON CONFLICT DO NOTHING",
        (recipient, slot, moment(not_before), moment(at)),
    )
    held = connection.execute(
        "UPDATE mail SET changed_at = ? WHERE recipient = ? AND slot = ? AND state = 'waiting'",
        (moment(at), recipient, slot),
    )
    if held.rowcount != 1:
        return None
    row = connection.execute("SELECT id FROM mail WHERE recipient = ? AND slot = ?", (recipient, slot)).fetchone()
    return None if row is None else int(row[0])


def held_until(connection: Connection, rows: Sequence[OutboxRow]) -> dict[int, datetime]:
    """Until when those of some rows wait that somebody's act is to tell, so that it can be undone and nothing was said.

    Who acted has chosen how long that is.
    """
    if not rows:
        return {}
    found = connection.execute(
        "SELECT o.id, d.at, p.body FROM outbox o JOIN deed d ON d.case_id = o.chain AND d.seq = o.seq"  # noqa: S608 marks
        f" LEFT JOIN preference p ON p.login = d.login WHERE o.id IN ({','.join('?' * len(rows))})",
        tuple(row.id for row in rows),
    ).fetchall()
    return {int(row): datetime.fromisoformat(at) + read_preference(body).undo for row, at, body in found}


def untold(connection: Connection) -> list[Untold]:
    """Who missed what because no mail reaches them: recipients with the number of messages, most first."""
    rows = connection.execute(
        "SELECT recipient, count(*) FROM outbox WHERE mail = ? GROUP BY recipient ORDER BY count(*) DESC, recipient",
        (UNTOLD,),
    )
    return [Untold(str(recipient), int(count)) for recipient, count in rows]


def tell_again(connection: Connection, recipient: str) -> int:
    """Let what a person missed wait for mail again, now that there is an address; how many messages that are."""
    sql = "UPDATE outbox SET mail = NULL WHERE mail = ? AND recipient = ?"
    return connection.execute(sql, (UNTOLD, recipient)).rowcount
