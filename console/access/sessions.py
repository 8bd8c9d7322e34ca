"""Sessions: who is signed in at which browser, how long that lasts, and what ends it.

The browser holds two times 256 random bits, the database the hash of both: the first stay for the session, so that
pages that were open go on; the second are renewed when the person proves to be there. A session ends by itself when
nobody uses it, and after half a day in any case; signing out, a new role, a new password and disablement end it at
once, because it is a row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.access.tokens import JOINT, hash_of, new_token
from engine.store import sessions
from engine.store.database import Connection
from engine.store.sessions import NewSession, SessionRow

STAFF_IDLE = timedelta(minutes=30)
STUDENT_IDLE = timedelta(minutes=15)
"""A student is often at a machine of others: a library, a friend's telephone."""
ABSOLUTE = timedelta(hours=12)
_SEEN_EVERY = timedelta(minutes=1)
"""How exactly the last use is kept: a page that is only looked at must not write each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """How somebody came in: from which device (its hash) and browser, and by which ticket of the school's sign-on.

    `is_proven` the person gave a password or a code here, and needs no other for a while.
    """

    device: str | None = None
    browser: str | None = None
    ticket: str | None = None
    is_proven: bool = True


HERE = Arrival()
"""Somebody who gave the password here, at a browser nothing is known of."""


def begin(connection: Connection, login: str, at: datetime, arrival: Arrival = HERE) -> str:
    """Sign a person in; returns the token for the browser, which is kept nowhere."""
    token = f"{new_token()}{JOINT}{new_token()}"
    new = NewSession(
        id_hash=hash_of(token),
        login=login,
        at=at,
        expires_at=at + ABSOLUTE,
        stepped_up_at=at if arrival.is_proven else None,
        device=arrival.device,
        browser=arrival.browser,
        ticket=None if arrival.ticket is None else hash_of(arrival.ticket),
    )
    with connection.writing():
        sessions.add_session(connection, new)
    return token


def resume(connection: Connection, token: str, at: datetime, *, is_use: bool = True) -> SessionRow | None:
    """Who a token signs in at a moment, or None: unknown, ended, too long unused, too old, or kept out.

    Args:
        connection: Where sessions are kept.
        token: What the browser carries.
        at: Now.
        is_use: Whether a person asks; a page that looks for news by itself must not keep an empty chair signed in.
    """
    row = sessions.session(connection, hash_of(token))
    if row is None or row.is_disabled or at >= ends_at(row):
        return None
    if is_use and at - row.seen_at >= _SEEN_EVERY:
        with connection.writing():
            sessions.see_session(connection, row.id_hash, at)
    return replace(row, family=family_of(token))


def family_of(token: str) -> str:
    """The part of a browser's token that stays as long as its session."""
    return token.partition(JOINT)[0]


def ends_at(row: SessionRow) -> datetime:
    """When a session ends if it is not used from now on."""
    return min(row.expires_at, row.seen_at + idle_span(row))


def idle_span(row: SessionRow) -> timedelta:
    """How long a session lasts while nobody uses it."""
    return STUDENT_IDLE if row.is_student else STAFF_IDLE


def step_up(connection: Connection, row: SessionRow, at: datetime) -> str | None:
    """Keep that a person has just proved who they are; returns the new token, None when the session is gone.

    `row` is a session that was resumed by its token: the pages it has open go on.

    The old token is good no more: who had got hold of it must not share what was proved.
    """
    token = f"{row.family}{JOINT}{new_token()}"
    with connection.writing():
        is_there = sessions.renew_session(connection, row.id_hash, hash_of(token), at)
    return token if is_there else None


def end(connection: Connection, token: str) -> bool:
    """Sign out one browser; False when it was out already."""
    with connection.writing():
        return sessions.end_session(connection, hash_of(token))


def end_all(connection: Connection, login: str, *, but: SessionRow | None = None) -> int:
    """Sign a person out everywhere, but for one session; how many that were."""
    with connection.writing():
        return sessions.end_sessions(connection, login, but="" if but is None else but.id_hash)


def end_one(connection: Connection, login: str, id_hash: str) -> bool:
    """Sign out one of a person's own browsers by the hash of its token; False when it is not that person's."""
    mine = {row.id_hash for row in sessions.sessions_of(connection, login)}
    with connection.writing():
        return id_hash in mine and sessions.end_session(connection, id_hash)


def end_by_ticket(connection: Connection, ticket: str) -> int:
    """Sign out whoever came in by a ticket of the school's sign-on, which says that it is over; how many."""
    with connection.writing():
        return sessions.end_ticket(connection, hash_of(ticket))
