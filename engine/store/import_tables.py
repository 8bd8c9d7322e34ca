"""The tables of sheets on their way in: what was sent, what is wrong with it, and what became of it.

Nothing here is evidence: the trail has an event for each student. A sheet is kept until it is taken in or given up.
"""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Text
from sqlmodel import Field, SQLModel

from engine.store.desk_work_tables import MOMENT


class ImportRunRow(SQLModel, table=True):
    """A sheet that somebody has sent; `told` is what is known of it, as JSON, `body` its bytes while they are needed.

    `login` is no account where a sheet is taken in at the keyboard in nobody's name (`engine.actors.IMPORT`).
    `beat_at` is when whoever works on it was last heard of, `read` how many rows have been looked at by then.
    """

    __tablename__ = "import_run"
    id: str = Field(primary_key=True)
    login: str = Field(index=True)
    kind: str
    options: str
    name: str
    sha256: str = Field(index=True)
    size: int
    stage: str
    read: int
    told: str = Field(sa_column=Column(Text, nullable=False))
    made_at: str = Field(sa_column=Column(MOMENT, nullable=False))
    beat_at: str | None = Field(default=None, sa_column=Column(MOMENT, nullable=True))
    done_at: str | None = Field(default=None, sa_column=Column(MOMENT, nullable=True))
    expires_at: str = Field(sa_column=Column(MOMENT, nullable=False))
    body: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class ImportFaultRow(SQLModel, table=True):
    """One cell to mend, or to look at, in the order of the sheet; `sort` is what all cells alike have in common."""

    __tablename__ = "import_fault"
    run: str = Field(primary_key=True, foreign_key="import_run.id")
    place: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    is_warning: bool
    line: int
    header: str
    cell: str
    value: str = Field(sa_column=Column(Text, nullable=False))
    sort: str = Field(sa_column=Column(Text, nullable=False))
    zh: str = Field(sa_column=Column(Text, nullable=False))
    en: str = Field(sa_column=Column(Text, nullable=False))
