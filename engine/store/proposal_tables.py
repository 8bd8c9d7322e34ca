"""The table of definitions that somebody proposes and somebody else approves: the text itself, and what was said of it.

What was approved is told by the registry's chain, with the hash of the text; a row that says otherwise is found by
`engine.replay`, and one whose text is not of its hash is not read (`engine.store.proposals`).
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Text
from sqlmodel import Field, SQLModel

from engine.store.desk_work_tables import MOMENT

_DAY = String(10)


class ProposalRow(SQLModel, table=True):
    """One text for one file under `workflows/`, `rules/` or `messages/`; an empty one gives the installed file back.

    `before` is the text it is to replace, empty where there is none; `findings` what was found when it was read, as
    JSON; `effective_on` the first day on which it is in force; `answer` why it was refused.
    """

    __tablename__ = "proposal"
    number: int = Field(sa_column=Column(Integer, primary_key=True))
    file: str = Field(index=True)
    body: str = Field(sa_column=Column(Text, nullable=False))
    sha256: str
    before: str = Field(sa_column=Column(Text, nullable=False))
    findings: str = Field(sa_column=Column(Text, nullable=False))
    stage: str
    effective_on: str | None = Field(default=None, sa_column=Column(_DAY, nullable=True))
    reason: str = Field(default="", sa_column=Column(Text, nullable=False))
    made_by: str = Field(foreign_key="account.login")
    made_at: str = Field(sa_column=Column(MOMENT, nullable=False))
    decided_by: str | None = Field(default=None, foreign_key="account.login")
    decided_at: str | None = Field(default=None, sa_column=Column(MOMENT, nullable=True))
    answer: str = Field(default="", sa_column=Column(Text, nullable=False))
