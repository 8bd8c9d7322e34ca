"""The tables behind the figures of a batch: the ends of its days, and who is about to be urged."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Text
from sqlmodel import Field, SQLModel

from engine.store.tables import UTC


class DayFigure(SQLModel, table=True):
    """How many students of a batch were in a state at the end of a day (Asia/Shanghai), by unit; none is no row."""

    __tablename__ = "day_figure"
    __table_args__ = (CheckConstraint("students > 0", name="students"),)
    batch: str = Field(primary_key=True, foreign_key="batch.name")
    day: str = Field(primary_key=True)
    unit: str = Field(primary_key=True, foreign_key="unit.code")
    state: str = Field(primary_key=True)
    students: int


class Urged(SQLModel, table=True):
    """Who was urged to mend something, once on a day: written with the event that says so.

    `scope` is the number of a case, or the code of a unit whose people were told of all their cases at once; `about` is
    the rule, or `filing`: to apply for those who lack nothing.
    """

    __tablename__ = "urged"
    scope: str = Field(primary_key=True)
    role: str = Field(primary_key=True)
    about: str = Field(primary_key=True)
    day: str = Field(primary_key=True)
    at: datetime = Field(sa_column=Column(UTC, nullable=False))
    login: str


class Urging(SQLModel, table=True):
    """Who is about to be urged (催办) by whom: chosen once, shown before it is done, and what came of it.

    The handle stands in addresses and says nothing; `body` holds the choice, `result` what was done.
    """

    __tablename__ = "urging"
    handle: str = Field(primary_key=True)
    login: str = Field(foreign_key="account.login", index=True)
    made_at: datetime = Field(sa_column=Column(UTC, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    result: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
