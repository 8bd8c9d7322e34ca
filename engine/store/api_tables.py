"""The table behind the REST interface: tokens by which programs act for people."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from engine.store.tables import UTC


class ApiToken(SQLModel, table=True):
    """A token of a person's: `hash` is its SHA-256, `scopes` what it may be used for, separated by blanks.

    `proved_at` is when the person last proved to be there before making it; empty where a command made it.
    """

    __tablename__ = "api_token"
    hash: str = Field(primary_key=True)
    login: str = Field(foreign_key="account.login", index=True)
    name: str
    scopes: str
    made_at: datetime = Field(sa_column=Column(UTC, nullable=False))
    expires_at: datetime = Field(sa_column=Column(UTC, nullable=False))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))
    used_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))
    proved_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))
