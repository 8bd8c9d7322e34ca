"""The table of who is away when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Integer
from sqlmodel import Field, SQLModel

from engine.store.tables import UTC

_ROW_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only in an INTEGER key


class Absence(SQLModel, table=True):
    """Days, as dates in Asia/Shanghai, on which a person does not act and is told of nothing new.

    `told_by` is who said so last, where it was not the person: when, and why.
    """

    __tablename__ = "absence"
    id: int | None = Field(default=None, sa_column=Column(_ROW_ID, primary_key=True))
    login: str = Field(foreign_key="account.login", index=True)
    first_day: str
    last_day: str
    told_by: str | None = None
    told_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))
    reason: str | None = None
