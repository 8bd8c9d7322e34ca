"""Passwords for the invented people of a rehearsal, so that somebody can sign in as each of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from console.access.passwords import hashed
from engine.errors import XuejiError
from engine.store import access, registry
from engine.store.database import Connection


class NotRehearsed(XuejiError):
    """A live database was to give several people one password."""

    def __init__(self) -> None:
        super().__init__(
            "这是正式库：每个人自己设置密码（xueji user activate LOGIN）。"
            " This is a live database: people set their own passwords (xueji user activate LOGIN)."
        )


def furnish(connection: Connection, logins: Iterable[str], password: str, at: datetime) -> None:
    """Give accounts one password; hashed once, for all of them, which only invented people may share.

    Raises:
        NotRehearsed: If the database is live.
    """
    if registry.setting(connection, "rehearsal") != "yes":
        raise NotRehearsed
    kept = hashed(password)
    with connection.writing():
        for login in logins:
            access.set_password(connection, login, kept, at)
