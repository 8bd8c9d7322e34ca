"""Tokens: what a program shows, for whom it acts, what it may be used for, and until when.

A token never does more than its person may at that moment; its scopes make that less.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from console.access.tokens import hash_of, new_token
from engine.desk import Desk
from engine.errors import Unknown
from engine.store import api_tokens
from engine.store.api_tokens import TokenRow
from engine.store.database import Connection
from engine.tokens import keep_token

PREFIX = "xueji_"
"""By which scanners for lost secrets know one."""
LONGEST = timedelta(days=366)
_USED_EVERY = timedelta(minutes=5)


class Scope(StrEnum):
    """What a token may be used for."""

    READ = "read"
    DECIDE = "decide"
    IMPORT = "import"
    AUDIT = "audit"
    ADMIN = "admin"


class Wish(NamedTuple):
    """A token somebody wants: for whom it acts, what it is called, what it may be used for, and how long."""

    login: str
    name: str
    scopes: Collection[str]
    span: timedelta


def issue(desk: Desk, wish: Wish, at: datetime, by: str) -> str:
    """Make a token; it is returned once and kept as its hash alone, and the trail tells of it.

    Args:
        desk: Where it is kept.
        wish: For whom, what for, for which scopes, how long.
        at: When it is made.
        by: Who makes it, by login.

    Raises:
        Unknown: If there is no such scope.
    """
    for one in wish.scopes:
        if one not in set(Scope):
            raise Unknown("令牌范围 scope", one, list(Scope))
    made = f"{PREFIX}{new_token()}"
    row = TokenRow(
        hash=hash_of(made),
        login=wish.login,
        name=wish.name,
        scopes=frozenset(wish.scopes),
        made_at=at,
        expires_at=at + min(wish.span, LONGEST),
        revoked_at=None,
        used_at=None,
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
