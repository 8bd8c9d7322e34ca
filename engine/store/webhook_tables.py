"""The table behind webhooks: how far each system beside this one has been told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel

from engine.store.tables import UTC


class Webhook(SQLModel, table=True):
    """How far one has been told: `leaf` is the place in the sealed log of the next event it may have to hear of."""

    name: str = Field(primary_key=True)
    leaf: int = Field(sa_column=Column(BigInteger, nullable=False))
    tries: int = 0
    due_at: datetime = Field(sa_column=Column(UTC, nullable=False))
    answer: str | None = None
