"""Tokens: what a program shows, for whom it acts, what it may be used for, and until when.

A token never does more than its person may at that moment; its scopes make that less.
What a page asks a fresh proof for is done by a program whose token was made with one, and not long ago: whoever has
the machine can print a token for anybody, and is not that person.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from console.access.tokens import hash_of, new_token
from engine.desk import Desk
from engine.errors import Unknown, Unreadable
from engine.store import api_tokens
from engine.store.api_tokens import TokenRow
from engine.store.database import Connection
from engine.tokens import keep_token

PREFIX = "xueji_"
"""By which scanners for lost secrets know one."""
LONGEST = timedelta(days=366)
LONGEST_TO_RUN = timedelta(days=30)
"""For how long a token can be made by which people, units and definitions are changed."""
PROVED_FOR = timedelta(days=30)
"""For how long a token stands for the proof that was given to make it."""
_USED_EVERY = timedelta(minutes=5)


class Scope(StrEnum):
    """What a token may be used for."""

    READ = "read"
    DECIDE = "decide"
    IMPORT = "import"
    AUDIT = "audit"
    ADMIN = "admin"


class Wish(NamedTuple):
    """A token somebody wants: for whom it acts, what it is called, what it may be used for, and how long.

    `proved_at` is when that person last proved to be there; None where somebody else makes it.
    """

    login: str
    name: str
    scopes: Collection[str]
    span: timedelta
    proved_at: datetime | None = None


def longest(scopes: Collection[str]) -> timedelta:
    """For how long a token for some scopes can be made."""
    return LONGEST_TO_RUN if Scope.ADMIN in scopes else LONGEST


def issue(desk: Desk, wish: Wish, at: datetime, by: str) -> str:
    """Make a token; it is returned once and kept as its hash alone, and the trail tells of it.

    Args:
        desk: Where it is kept.
        wish: For whom, what for, for which scopes, how long.
        at: When it is made.
        by: Who makes it, by login.

    Raises:
        Unknown: If there is no such scope.
        Unreadable: If it would be good for longer than one for such scopes can be.
    """
    for one in wish.scopes:
        if one not in set(Scope):
            raise Unknown("令牌范围 scope", one, list(Scope))
    if wish.span > longest(wish.scopes):
        most = longest(wish.scopes).days
        raise Unreadable("有效天数 days", str(wish.span.days), f"这些范围最多 {most} 天 at most {most} for such scopes")
    made = f"{PREFIX}{new_token()}"
    row = TokenRow(
        hash=hash_of(made),
        login=wish.login,
        name=wish.name,
        scopes=frozenset(wish.scopes),
        made_at=at,
        expires_at=at + wish.span,
        revoked_at=None,
        used_at=None,
        proved_at=wish.proved_at,
    )
    keep_token(desk, row, by)
    return made


def shown(connection: Connection, given: str, at: datetime) -> TokenRow | None:
    """The token somebody shows, if it is good now."""
    row = api_tokens.token(connection, hash_of(given)) if given.startswith(PREFIX) else None
    if row is None or not row.is_good(at):
        return None
    if row.used_at is None or at - row.used_at >= _USED_EVERY:
        with connection.writing():
            api_tokens.use_token(connection, row.hash, at)
    return row


def is_proved(row: TokenRow, at: datetime) -> bool:
    """Whether a token stands for a proof of its person's: what a page asks a fresh one for may be done by it."""
    return row.proved_at is not None and at - row.proved_at < PROVED_FOR
