"""The tables of decisions on many cases at once: what was chosen, as it stood then, and what became of each case."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Text
from sqlmodel import Field, SQLModel

from engine.store.desk_work_tables import MOMENT


class BulkRunRow(SQLModel, table=True):
    """One decision on many cases.

    `stage` is preview, running, done or withdrawing, `beat_at` when its worker was last heard of. `given` is what the
    step is given, as JSON: a reason that the students read, fields that it asks for.
    """

    __tablename__ = "bulk_run"
    id: str = Field(primary_key=True)
    login: str = Field(foreign_key="account.login", index=True)
    trigger: str
    address: str = Field(sa_column=Column(Text, nullable=False))
    stage: str
    made_at: str = Field(sa_column=Column(MOMENT, nullable=False))
    beat_at: str | None = Field(default=None, sa_column=Column(MOMENT, nullable=True))
    given: str = Field(default="{}", sa_column=Column(Text, nullable=False, server_default="{}"))


class BulkRow(SQLModel, table=True):
    """One case of such a decision: the revision it was seen at, what became of it, and the rules against it."""

    __tablename__ = "bulk_row"
    run: str = Field(primary_key=True, foreign_key="bulk_run.id")
    case_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    revision: int
    outcome: str
    rules: str = Field(sa_column=Column(Text, nullable=False))
