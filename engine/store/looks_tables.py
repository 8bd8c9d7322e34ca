"""The table of looks at cases, as an SQLModel class: who opened which case on a page, when, and what for.

It is no evidence: whoever only reads changes nothing. What is evidence (a document read, a personal value shown,
whatever an auditor sees) is an event of the case besides, and has its row here so that it is found by who looked.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer
from sqlmodel import Field, SQLModel

from engine.store.tables import UTC

_ROW_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only in an INTEGER key


class AccessRow(SQLModel, table=True):
    """One look at a case; `purpose` is `open`, `audit`, `document/…`, or `reveal/…` where values were shown."""

    __tablename__ = "access_row"
    __table_args__ = (
        Index("ix_access_row_of_case", "case_id", "at"),
        Index("ix_access_row_of_login", "login", "at"),
    )
    id: int | None = Field(default=None, sa_column=Column(_ROW_ID, primary_key=True))
    login: str = Field(foreign_key="account.login")
    case_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    at: datetime = Field(sa_column=Column(UTC, nullable=False))
    purpose: str
