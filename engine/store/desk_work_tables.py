"""The tables of what lies about on a desk: who is at which case, what is half written, filters kept, searches done.

Nothing here is evidence, and nothing of it is missed when it is lost: the trail says what people did.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Text
from sqlmodel import Field, SQLModel

MOMENT = String(27)
"""A moment as the trail writes it, kept as text."""


class ClaimRow(SQLModel, table=True):
    """Somebody has a case open, and is likely to decide on it; it says nothing about who may."""

    __tablename__ = "claim"
    __table_args__ = (Index("ix_claim_login", "login", "until"),)
    case_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    login: str = Field(foreign_key="account.login")
    since: str = Field(sa_column=Column(MOMENT, nullable=False))
    until: str = Field(sa_column=Column(MOMENT, nullable=False))


class DraftRow(SQLModel, table=True):
    """What somebody has typed into the form of a step and not sent; `body` is the fields as JSON."""

    __tablename__ = "draft"
    login: str = Field(primary_key=True, foreign_key="account.login")
    case_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    trigger: str = Field(primary_key=True)
    body: str = Field(sa_column=Column(Text, nullable=False))
    at: str = Field(sa_column=Column(MOMENT, nullable=False))


class SavedViewRow(SQLModel, table=True):
    """A filter somebody keeps under a name: `address` is the query of the queue; with `unit`, for everybody there."""

    __tablename__ = "saved_view"
    __table_args__ = (Index("ix_saved_view_login", "login"), Index("ix_saved_view_unit", "unit"))
    id: str = Field(primary_key=True)
    login: str = Field(foreign_key="account.login")
    unit: str | None = Field(default=None, foreign_key="unit.code")
    name: str
    address: str
    pinned: bool


class FindHandleRow(SQLModel, table=True):
    """What a search found, under a handle that only the session knows that asked; `cases` are their ids as JSON."""

    __tablename__ = "find_handle"
    __table_args__ = (Index("ix_find_handle_at", "at"),)
    handle: str = Field(primary_key=True)
    session: str
    kind: str
    cases: str = Field(sa_column=Column(Text, nullable=False))
    at: str = Field(sa_column=Column(MOMENT, nullable=False))


class KeptFormRow(SQLModel, table=True):
    """A form that was sent and not done: `body` is what stood in it, as JSON; `owner` whose page it came from.

    The owner is a mark and no login: whoever's session is over is not known until there is a new one.
    """

    __tablename__ = "kept_form"
    __table_args__ = (Index("ix_kept_form_owner", "owner", "at"), Index("ix_kept_form_at", "at"))
    handle: str = Field(primary_key=True)
    owner: str
    address: str
    body: str = Field(sa_column=Column(Text, nullable=False))
    at: str = Field(sa_column=Column(MOMENT, nullable=False))
