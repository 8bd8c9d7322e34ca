"""The tables behind queues: where each waiting case stands for whom, and what each person has done.

Both are projections: they can be made anew from cases, facts and the trail at any time (docs/decisions/0016).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, String, Text
from sqlmodel import Field, SQLModel

from engine.store.tables import PATH

MOMENT = String(27)
"""A moment as the trail writes it, kept as text: these rows are written in every step and read by the thousand."""


class LaneRow(SQLModel, table=True):
    """One case waiting for one role at one unit, and the lane it stands in there.

    `lane` is 0 blocked, 1 look, 2 ready, as the rules of the step `trigger` say. `path` is the case's own unit,
    `at_path` the one where the role counts. `leads` is true in one row of each case: its likeliest step forward.
    `due_at` is the earliest deadline that is still to be met, or the end of all days. `apart` are logins that others'
    steps keep from this one; `hindrances` are RULE=OUTCOME, `cautions` their ids; all three stand between bars.
    `judged_at` and `rulebook` (its first digits) are what it rests on, so that it can be judged anew. `pinyin` is the
    student's, so that a long queue can be walked in that order.
    """

    __tablename__ = "lane"
    __table_args__ = (
        Index("ix_lane_near", "role", "lane", "at_path", "leads", "case_id"),
        Index("ix_lane_far", "role", "lane", "due_at", "case_id"),
        Index("ix_lane_pinyin", "role", "lane", "pinyin", "case_id"),
        Index("ix_lane_of_shape", "shape", "judged_at"),
    )
    case_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    role: str = Field(primary_key=True)
    at_path: str = Field(sa_column=Column(PATH, primary_key=True))
    trigger: str
    workflow: str
    shape: str
    state: str
    path: str = Field(sa_column=Column(PATH, nullable=False))
    batch: str | None = None
    lane: int = Field(sa_column=Column(SmallInteger, nullable=False))
    due_at: str = Field(sa_column=Column(MOMENT, nullable=False))
    entered_at: str = Field(sa_column=Column(MOMENT, nullable=False))
    in_person: bool
    leads: bool
    apart: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    hindrances: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    cautions: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    judged_at: str = Field(sa_column=Column(MOMENT, nullable=False))
    rulebook: str
    pinyin: str = Field(default="", sa_column=Column(PATH, server_default="", nullable=False))


class LaneHandRow(SQLModel, table=True):
    """Somebody whom others' steps keep from a step of a waiting case (`apart` of its rows), to be found by login."""

    __tablename__ = "lane_hand"
    __table_args__ = (Index("ix_lane_hand_login", "login", "case_id"),)
    case_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    login: str = Field(primary_key=True)


class DeedRow(SQLModel, table=True):
    """What a person did to a case: the event that tells of it, and in whose right where that was lent."""

    __tablename__ = "deed"
    __table_args__ = (Index("ix_deed_of", "login", "at", "case_id", "seq"),)
    case_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    login: str
    kind: str
    trigger: str
    at: str = Field(sa_column=Column(MOMENT, nullable=False))
    giver: str | None = None
    late: bool
