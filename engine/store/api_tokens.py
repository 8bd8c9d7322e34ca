"""Tokens by which programs act for people: plain SQL for both databases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from engine.store.database import Connection, Row
from engine.trail.event import moment

_COLUMNS = "t.hash, t.login, t.name, t.scopes, t.made_at, t.expires_at, t.revoked_at, t.used_at, t.proved_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token as it is kept; moments are aware UTC.

    `proved_at` is when its person last proved to be there before making it; None where a command made it.
    """

    hash: str
    login: str
    name: str
    scopes: frozenset[str]
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None
    proved_at: datetime | None = None

    def is_good(self, at: datetime) -> bool:
        """Whether it may be used at a moment."""
        return self.revoked_at is None and at < self.expires_at


def add_token(connection: Connection, new: TokenRow) -> None:
    """Keep a token."""
    connection.execute(
        "INSERT INTO api_token (hash, login, name, scopes, made_at, expires_at, proved_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            new.hash, new.login, new.name, " ".join(sorted(new.scopes)), moment(new.made_at), moment(new.expires_at),
            None if new.proved_at is None else moment(new.proved_at),
        ),
    )  # fmt: skip


def token(connection: Connection, of_hash: str) -> TokenRow | None:
    """A token by its hash, whether or not it is still good; None of somebody who may not sign in any more."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM api_token t LEFT JOIN credential c ON c.login = t.login"  # noqa: S608 constant
        " WHERE t.hash = ? AND c.disabled_at IS NULL",
        (of_hash,),
    ).fetchone()
    return None if row is None else _token(row)


def tokens_of(connection: Connection, login: str) -> list[TokenRow]:
    """The tokens of a person, newest first."""
    sql = f"SELECT {_COLUMNS} FROM api_token t WHERE t.login = ? ORDER BY t.made_at DESC, t.hash"  # noqa: S608 constant
    return [_token(row) for row in connection.execute(sql, (login,)).fetchall()]


def use_token(connection: Connection, of_hash: str, at: datetime) -> None:
    """Keep when a token was used last."""
    connection.execute("UPDATE api_token SET used_at = ? WHERE hash = ?", (moment(at), of_hash))


def revoke_tokens(connection: Connection, login: str, name: str, at: datetime) -> int:
    """End the tokens of a person that have a name and are still good; how many."""
    sql = "UPDATE api_token SET revoked_at = ? WHERE login = ? AND name = ? AND revoked_at IS NULL AND expires_at > ?"
    return connection.execute(sql, (moment(at), login, name, moment(at))).rowcount


def _token(row: Row) -> TokenRow:
    of_hash, login, name, scopes, made_at, expires_at, revoked_at, used_at, proved_at = row
    return TokenRow(
        hash=of_hash,
        login=login,
        name=name,
        scopes=frozenset(scopes.split()),
        made_at=datetime.fromisoformat(made_at),
        expires_at=datetime.fromisoformat(expires_at),
        revoked_at=None if revoked_at is None else datetime.fromisoformat(revoked_at),
        used_at=None if used_at is None else datetime.fromisoformat(used_at),
        proved_at=None if proved_at is None else datetime.fromisoformat(proved_at),
    )
