"""Coming in: a password, then a code; and a code for one use where there is no password yet, or no more.

Whoever fails hears one sentence. Every guess is counted before it is looked at (`console.access.limiter`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from console.access import limiter, passwords, totp
from console.access.limiter import Basin, Bucket, Guess
from console.access.passwords import Crowded
from console.access.refusals import MustWait, NotLetIn, WrongCode
from console.access.tokens import hash_of, hash_of_code, new_code, new_token
from engine.store import access, sessions
from engine.store.access import CredentialRow, NewCode
from engine.store.database import Connection

HALFWAY = timedelta(minutes=10)
"""How long somebody whose password was right may take to find the telephone."""
ACTIVATION = timedelta(days=14)
RESET = timedelta(hours=1)


class NewPassword(NamedTuple):
    """A code for one use, and the password its owner wants."""

    code: str
    password: str


def by_password(connection: Connection, guess: Guess, password: str, at: datetime) -> CredentialRow:
    """Whose password this is, if a person of that login may come in at all.

    Raises:
        NotLetIn: If it is not theirs, there is no such account, or it is disabled.
        MustWait: If it was wrong too often before.
        Crowded: If too many are being looked at.
    """
    with _counted(connection, guess, at):
        row = access.credential(connection, guess.login)
        checked = passwords.check(password, None if row is None else row.password_hash)
        if row is None or not checked.is_right or row.is_disabled:
            raise NotLetIn
    if checked.stronger is not None and row.password_hash is not None:
        with connection.writing():
            access.replace_hash(connection, row.login, row.password_hash, checked.stronger)
    return row


def halfway(connection: Connection, login: str, at: datetime) -> str:
    """Remember that a person's password was right; returns a token that the code is asked with."""
    token = new_token()
    code = NewCode(code_hash=hash_of(token), login=login, purpose="second-factor", expires_at=at + HALFWAY)
    with connection.writing():
        access.add_codes(connection, [code], at)
    return token


def who_is_halfway(connection: Connection, token: str, at: datetime) -> CredentialRow | None:
    """Whose password was right a short while ago, by the token of it; None when nobody's, or they came in."""
    login = access.whose_code(connection, hash_of(token), ("second-factor",), at)
    return None if login is None else access.credential(connection, login)


def arrive(connection: Connection, token: str, row: CredentialRow, at: datetime) -> bool:
    """Use up that somebody is halfway: each gives one session. False when it was used up already."""
    with connection.writing():
        return access.use_code(connection, hash_of(token), row.login, at)


def by_code(connection: Connection, key: bytes, guess: Guess, code: str, at: datetime) -> None:
    """Take a code of a person's second factor.

    Raises:
        WrongCode: If it is wrong or used.
        MustWait: If it was wrong too often before.
    """
    with _counted(connection, guess, at):
        row = access.credential(connection, guess.login)
        if row is None or row.is_disabled or not totp.take(connection, key, row, code, at):
            raise WrongCode


def issue(connection: Connection, login: str, purpose: str, at: datetime) -> str:
    """Make a code for first use (`activate`) or a forgotten password (`reset`); earlier ones are good no more."""
    code, lasts = new_code(), ACTIVATION if purpose == "activate" else RESET
    kept = NewCode(code_hash=hash_of_code(code), login=login, purpose=purpose, expires_at=at + lasts)
    with connection.writing():
        access.drop_codes(connection, login, purpose)
        access.add_codes(connection, [kept], at)
    return code


def by_one_time_code(connection: Connection, asked: Guess, wanted: NewPassword, at: datetime) -> None:
    """Give an account the password its owner wants, who shows a code for it; signs the account out everywhere.

    Wrong codes are not counted, so that nobody can keep an owner from theirs. `asked` is what asking for a mail with a
    code was counted as: it begins anew.

    Raises:
        WeakPassword: If the password is not taken; the code is still good.
        WrongCode: If the code is not that account's, was used, or is too old.
        Crowded: If too many are being looked at.
    """
    login, code = asked.login, hash_of_code(wanted.code)
    passwords.refuse_weak(wanted.password, login)
    if access.whose_code(connection, code, ("activate", "reset"), at) != login:
        raise WrongCode
    kept = passwords.hashed(wanted.password)
    with connection.writing():
        if not access.use_code(connection, code, login, at):
            raise WrongCode
        replace_password(connection, login, kept, at)
    limiter.proved(connection, limiter.buckets(connection, asked), at)


def may_mail(connection: Connection, asked: Guess, at: datetime) -> bool:
    """Whether a mail with a code is to be sent; if not, one was a short while ago, and its code is still good.

    Raises:
        MustWait: If too many were asked for from that network; the account was not looked at.
    """
    counted = limiter.buckets(connection, asked)
    if wait := limiter.begin(connection, [one for one in counted if isinstance(one, Basin)], at):
        raise MustWait(wait)
    return not limiter.begin(connection, [one for one in counted if isinstance(one, Bucket)], at)


def replace_password(connection: Connection, login: str, password_hash: str, at: datetime) -> None:
    """Keep a new password; what was open under the old one is closed: sessions, codes to reset it, known devices."""
    with connection.writing():
        access.set_password(connection, login, password_hash, at)
        for purpose in ("activate", "reset", "second-factor"):
            access.drop_codes(connection, login, purpose)
        access.forget_devices(connection, login)
        sessions.end_sessions(connection, login)


@contextmanager
def _counted(connection: Connection, guess: Guess, at: datetime) -> Iterator[None]:
    """Count a guess as wrong before it is looked at, and take that back once it was right or could not be looked at."""
    counted = limiter.buckets(connection, guess)
    if wait := limiter.begin(connection, counted, at):
        raise MustWait(wait)
    try:
        yield
    except Crowded:
        limiter.take_back(connection, counted, at)
        raise
    limiter.proved(connection, counted, at)
