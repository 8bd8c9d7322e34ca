"""The table of what is worked out for an auditor while the page waits: findings, decisions judged under other rules."""

from __future__ import annotations

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from engine.store.desk_work_tables import MOMENT


class AuditRunRow(SQLModel, table=True):
    """One of them: what was asked and what came of it as JSON; `stage` is running, done, failed or broken.

    `done` of `total` parts are; `beat_at` is when its worker was last heard of.
    """

    __tablename__ = "audit_run"
    id: str = Field(primary_key=True)
    kind: str
    login: str = Field(foreign_key="account.login", index=True)
    batch: str
    title: str
    stage: str
    done: int
    total: int
    made_at: str = Field(sa_column=Column(MOMENT, nullable=False))
    beat_at: str = Field(sa_column=Column(MOMENT, nullable=False))
    asked: str = Field(sa_column=Column(Text, nullable=False))
    result: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
