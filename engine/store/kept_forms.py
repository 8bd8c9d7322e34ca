"""Forms that were sent and not done, under a handle each, until they are sent again and done; plain SQL for both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from engine.store.database import Connection
from engine.trail.event import moment

KEPT_FOR = timedelta(hours=1)
"""Long enough to sign in again; what is not sent by then was given up."""
MOST = 20
"""Of one person; the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptForm:
    """What stood in a form that was sent and not done.

    Attributes:
        address: Where it was sent to; where nothing was sent, the page that was asked for.
        origin: The page it was sent from.
        pairs: Names and texts in their order; None where nothing was sent.
        purpose: What it was for, in words, where that was said.
        is_whole: Whether everything is there: passwords, codes and files are not kept.
        has_page: Whether the address is that of a page too, which shows the form with what stood in it.
    """

    address: str
    origin: str
    pairs: tuple[tuple[str, str], ...] | None = None
    purpose: str = ""
    is_whole: bool = True
    has_page: bool = False


def keep_form(connection: Connection, handle: str, owner: str, form: KeptForm, at: datetime) -> None:
    """Keep a form; those that were given up are forgotten."""
    forget_given_up(connection, at)
    body = {
        "origin": form.origin, "pairs": form.pairs, "purpose": form.purpose, "is_whole": form.is_whole,
        "has_page": form.has_page,
    }  # fmt: skip
    connection.execute(
        "INSERT INTO kept_form (handle, owner, address, body, at) VALUES (?, ?, ?, ?, ?)",
        (handle, owner, form.address, orjson.dumps(body).decode(), moment(at)),
    )
    connection.execute(
        "DELETE FROM kept_form WHERE owner = ? AND handle NOT IN"
        " (SELECT k.handle FROM kept_form k WHERE k.owner = ? ORDER BY k.at DESC, k.handle LIMIT ?)",
        (owner, owner, MOST),
    )


def kept_form(connection: Connection, handle: str, owner: str, at: datetime) -> KeptForm | None:
    """A form that was kept for somebody, or None: there is none, it is another's, or it was given up."""
    sql = "SELECT address, body FROM kept_form WHERE handle = ? AND owner = ? AND at >= ?"
    row = connection.execute(sql, (handle, owner, moment(at - KEPT_FOR))).fetchone()
    if row is None:
        return None
    body = orjson.loads(row[1])
    pairs = None if body["pairs"] is None else tuple((str(name), str(text)) for name, text in body["pairs"])
    return KeptForm(
        address=str(row[0]), origin=body["origin"], pairs=pairs, purpose=body["purpose"], is_whole=body["is_whole"],
        has_page=body["has_page"],
    )  # fmt: skip


def forget(connection: Connection, handle: str) -> None:
    """Forget a form that was sent again and done."""
    connection.execute("DELETE FROM kept_form WHERE handle = ?", (handle,))


def forget_given_up(connection: Connection, at: datetime) -> None:
    """Forget everybody's forms that were not sent again in time."""
    connection.execute("DELETE FROM kept_form WHERE at < ?", (moment(at - KEPT_FOR),))
