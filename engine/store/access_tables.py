"""The tables behind signing in, as SQLModel classes: what proves who somebody is, and who is signed in.

Nothing here is evidence: the trail says what people did, these rows only let them in. No secret stands in clear:
passwords are hashed, tokens and codes stand as their SHA-256, the second factor's secret is sealed with a key that
the database does not hold.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Index, Integer, Text
from sqlmodel import Field, SQLModel

from engine.store.tables import UTC

PURPOSES = ("activate", "reset", "second-factor", "recovery")
"""What a one-time code is good for: first use, a forgotten password, the step after the password, a lost telephone."""


class Credential(SQLModel, table=True):
    """What proves that somebody is who holds an account; a person who signs on at the school has no password.

    `totp_counter` is the last time step of 30 s whose code was taken: no code is taken twice.
    """

    __tablename__ = "credential"
    login: str = Field(primary_key=True, foreign_key="account.login")
    password_hash: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    totp_secret: str | None = None
    totp_counter: int | None = Field(default=None, sa_column=Column(Integer, nullable=True))
    activated_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))
    disabled_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))
    changed_at: datetime = Field(sa_column=Column(UTC, nullable=False))


class Session(SQLModel, table=True):
    """Somebody signed in at one browser. `ticket` is the hash of what the school's sign-on calls this sign-in."""

    __tablename__ = "session"
    __table_args__ = (Index("ix_session_login", "login"), Index("ix_session_expires_at", "expires_at"))
    id_hash: str = Field(primary_key=True)
    login: str = Field(foreign_key="account.login")
    created_at: datetime = Field(sa_column=Column(UTC, nullable=False))
    seen_at: datetime = Field(sa_column=Column(UTC, nullable=False))
    stepped_up_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))
    expires_at: datetime = Field(sa_column=Column(UTC, nullable=False))
    device: str | None = None
    browser: str | None = None
    ticket: str | None = Field(default=None, index=True)


class LoginAttempt(SQLModel, table=True):
    """How often it went wrong in one bucket (an account, a known device of it, a network), and when it is free again.

    The bucket is a hash, for people type passwords where a login is asked.
    """

    __tablename__ = "login_attempt"
    bucket: str = Field(primary_key=True)
    tries: int
    last_at: datetime = Field(sa_column=Column(UTC, nullable=False, index=True))
    free_at: datetime = Field(sa_column=Column(UTC, nullable=False))


class OneTimeCode(SQLModel, table=True):
    """A code that opens one thing once. Recovery codes do not run out."""

    __tablename__ = "one_time_code"
    __table_args__ = (CheckConstraint(f"purpose IN {PURPOSES}", name="purpose"),)
    code_hash: str = Field(primary_key=True)
    login: str = Field(foreign_key="account.login", index=True)
    purpose: str
    made_at: datetime = Field(sa_column=Column(UTC, nullable=False))
    expires_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))
    used_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))


class Device(SQLModel, table=True):
    """A browser from which somebody has signed in: it is not kept waiting by what others guess at elsewhere."""

    __tablename__ = "device"
    hash: str = Field(primary_key=True)
    login: str = Field(primary_key=True, foreign_key="account.login")
    seen_at: datetime = Field(sa_column=Column(UTC, nullable=False))


class Preference(SQLModel, table=True):
    """How a person likes the pages, as JSON: language, seconds to undo, keys, density."""

    __tablename__ = "preference"
    login: str = Field(primary_key=True, foreign_key="account.login")
    body: str = Field(sa_column=Column(Text, nullable=False))
