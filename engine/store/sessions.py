"""Who is signed in, and how each likes the pages: plain SQL for both databases.

A session is known by the SHA-256 of the token its browser holds: who reads this table can sign in as nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Literal

import orjson

from engine.store.database import Connection, Row
from engine.trail.event import moment

_SESSION = (
    "SELECT s.id_hash, s.login, s.created_at, s.seen_at, s.stepped_up_at, s.expires_at, s.device, s.browser, a.name,"
    " a.student IS NOT NULL AND NOT EXISTS (SELECT 1 FROM role_grant g WHERE g.login = s.login AND g.until IS NULL),"
    " c.disabled_at IS NOT NULL, c.totp_secret IS NOT NULL, p.body, (SELECT r.seq FROM registry r WHERE r.id = 0)"
    " FROM session s JOIN account a ON a.login = s.login"
    " LEFT JOIN credential c ON c.login = s.login LEFT JOIN preference p ON p.login = s.login WHERE "
)
"""A session with what every page asks about the person behind it, in one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """How a person likes the pages; `lang` None: as the browser says.

    `columns` are what the queue's list shows of each case besides its name, in this order; None: as at first.
    """

    lang: Literal["zh", "en"] | None = None
    undo_seconds: Literal[10, 30, 60] = 30
    keys: bool = True
    density: Literal["two-lines", "compact"] = "two-lines"
    columns: tuple[str, ...] | None = None

    @property
    def undo(self) -> timedelta:
        """How long a decision of the person can be undone, and what it would tell others waits."""
        return timedelta(seconds=self.undo_seconds)


_LIKED = frozenset(one.name for one in fields(Preference))


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """Somebody signed in at one browser, with what every page asks about that person; moments are aware UTC.

    `stepped_up_at` is when a code or the password was given last. `device` is the hash of the browser's own cookie.
    `registry` is how long the registry's chain is: until it grows, units and batches are as they were.
    `family` is the part of the browser's token that stays when the rest is renewed; known only where the token is.
    """

    id_hash: str
    login: str
    name: str | None
    is_student: bool
    is_disabled: bool
    has_second_factor: bool
    created_at: datetime
    seen_at: datetime
    stepped_up_at: datetime | None
    expires_at: datetime
    device: str | None
    browser: str | None
    preference: Preference
    registry: int
    family: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session about to begin: `ticket` is the hash of what the school's sign-on calls it, if that let the person in.

    `stepped_up_at` is when the person proved who they are, None where only another system says so.
    """

    id_hash: str
    login: str
    at: datetime
    expires_at: datetime
    stepped_up_at: datetime | None = None
    device: str | None = None
    browser: str | None = None
    ticket: str | None = None


def add_session(connection: Connection, new: NewSession) -> None:
    """Keep a session, and forget those that are over."""
    at = moment(new.at)
    connection.execute("DELETE FROM session WHERE expires_at <= ?", (at,))
    proven = None if new.stepped_up_at is None else moment(new.stepped_up_at)
    connection.execute(
        "INSERT INTO session (id_hash, login, created_at, seen_at, stepped_up_at, expires_at, device, browser, ticket)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (new.id_hash, new.login, at, at, proven, moment(new.expires_at), new.device, new.browser, new.ticket),
    )


def session(connection: Connection, id_hash: str) -> SessionRow | None:
    """A session by the hash of its token, whether or not it is over; None when there is none."""
    row = connection.execute(f"{_SESSION} s.id_hash = ?", (id_hash,)).fetchone()
    return None if row is None else _session(row)


def sessions_of(connection: Connection, login: str) -> list[SessionRow]:
    """Where a person is signed in, last seen first."""
    rows = connection.execute(f"{_SESSION} s.login = ? ORDER BY s.seen_at DESC, s.id_hash", (login,)).fetchall()
    return [_session(row) for row in rows]


def see_session(connection: Connection, id_hash: str, at: datetime) -> None:
    """Keep that a session was used; never an earlier moment than is kept."""
    now = moment(at)
    connection.execute("UPDATE session SET seen_at = ? WHERE id_hash = ? AND seen_at < ?", (now, id_hash, now))


def renew_session(connection: Connection, id_hash: str, new_hash: str, at: datetime) -> bool:
    """Give a session another token once its person has proved who they are; False when it is gone."""
    now = moment(at)
    sql = "UPDATE session SET id_hash = ?, stepped_up_at = ?, seen_at = ? WHERE id_hash = ?"
    return connection.execute(sql, (new_hash, now, now, id_hash)).rowcount == 1


def end_session(connection: Connection, id_hash: str) -> bool:
    """Sign out one browser; False when it was out already."""
    return connection.execute("DELETE FROM session WHERE id_hash = ?", (id_hash,)).rowcount == 1


def end_sessions(connection: Connection, login: str, *, but: str = "") -> int:
    """Sign a person out everywhere, but for one session; how many that were."""
    return connection.execute("DELETE FROM session WHERE login = ? AND id_hash <> ?", (login, but)).rowcount


def end_ticket(connection: Connection, ticket: str) -> int:
    """Sign out whoever came in by a ticket of the school's sign-on; how many that were."""
    return connection.execute("DELETE FROM session WHERE ticket = ?", (ticket,)).rowcount


def read_preference(body: str | None) -> Preference:
    """How a person likes the pages, as kept; None: as everybody does at first.

    What only a later version knows is passed over: after going back to this one everybody can still sign in.
    """
    if body is None:
        return Preference()
    kept = {name: value for name, value in orjson.loads(body).items() if name in _LIKED}
    columns = kept.get("columns")
    return Preference(**{**kept, "columns": None if columns is None else tuple(columns)})


def set_preference(connection: Connection, login: str, preference: Preference) -> None:
    """Keep how a person likes the pages."""
    body = {
        "lang": preference.lang,
        "undo_seconds": preference.undo_seconds,
        "keys": preference.keys,
        "density": preference.density,
        "columns": preference.columns,
    }
    connection.execute(
        "INSERT INTO preference (login, body) VALUES (?, ?) ON CONFLICT (login) DO UPDATE SET body = excluded.body",
        (login, orjson.dumps(body).decode()),
    )


def _session(row: Row) -> SessionRow:
    id_hash, login, created, seen, stepped, expires, device, browser, name, student, disabled, factor, body, seq = row
    return SessionRow(
        id_hash=id_hash,
        login=login,
        name=name,
        is_student=bool(student),
        is_disabled=bool(disabled),
        has_second_factor=bool(factor),
        created_at=datetime.fromisoformat(created),
        seen_at=datetime.fromisoformat(seen),
        stepped_up_at=None if stepped is None else datetime.fromisoformat(stepped),
        expires_at=datetime.fromisoformat(expires),
        device=device,
        browser=browser,
        preference=read_preference(body),
        registry=seq or 0,
    )
