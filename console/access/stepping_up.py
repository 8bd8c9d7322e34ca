"""Stepping up: what cannot be undone asks once more who is there (OWASP ASVS 7.5.3).

A code of the second factor, or the password of somebody who has none; good for a quarter of an hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from console.access import entering, sessions
from console.access.limiter import Guess
from console.access.refusals import WrongCode
from engine.store.database import Connection
from engine.store.sessions import SessionRow

FRESH = timedelta(minutes=15)
CODE, PASSWORD = "code", "password"
"""What is asked for; also what guesses are counted as, so that a wrong code closes no sign-in."""


def is_fresh(row: SessionRow, at: datetime) -> bool:
    """Whether the person behind a session proved who they are a short while ago."""
    return row.stepped_up_at is not None and at - row.stepped_up_at < FRESH


def asks_for(row: SessionRow) -> str:
    """What the person is asked for: `code`, or `password` where there is no second factor."""
    return CODE if row.has_second_factor else PASSWORD


def prove(connection: Connection, key: bytes, row: SessionRow, given: str, at: datetime) -> str:
    """Take the code or password of the person behind a session; returns the session's new token.

    Raises:
        WrongCode: If the code is wrong or used, or the session is over.
        NotLetIn: If the password is wrong.
        MustWait: If it was wrong too often before.
        Crowded: If too many passwords are being looked at.
    """
    guess = Guess(row.login, f"again {asks_for(row)}", network=row.id_hash, device=row.device)
    if row.has_second_factor:
        entering.by_code(connection, key, guess, given, at)
    else:
        entering.by_password(connection, guess, given, at)
    token = sessions.step_up(connection, row, at)
    if token is None:
        raise WrongCode
    return token
