"""The tables, as SQLModel classes: the schema, the migrations' source, and the reading API of everything not hot.

Moments are kept as the trail writes them (RFC 3339, UTC, six decimals): they sort as text and are the same bytes on
both databases. Facts, fields and other documents are canonical JSON text.
"""

from __future__ import annotations

from datetime import UTC as UTC_ZONE
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel
from typing_extensions import override

from engine.records import ZERO
from engine.trail.event import moment

SQLModel.metadata.naming_convention = {  # stable names, so that migrations can speak of constraints on both databases
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

_ROW_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up by itself only in an INTEGER key
_OF_DEADLINE = text("deadline IS NOT NULL")  # most messages are not about one, and spare this index
PATH = String().with_variant(String(collation="C"), "postgresql")  # below-or-at is a range of text, byte by byte


class UTC(TypeDecorator[datetime]):
    """An aware moment, kept as the trail writes it; a naive one is refused."""

    impl = String(27)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is not None and value.tzinfo is None:
            message = f"a moment without a zone cannot be kept: {value.isoformat()}"
            raise ValueError(message)
        return None if value is None else moment(value)

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value).astimezone(UTC_ZONE)


class Setting(SQLModel, table=True):
    """What is true of this database as a whole: the log's origin, whether it is a rehearsal."""

    __tablename__ = "setting"
    name: str = Field(primary_key=True)
    value: str


class Registry(SQLModel, table=True):
    """The end of the registry's chain; one row."""

    __tablename__ = "registry"
    id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    seq: int = 0
    head: bytes = Field(default=ZERO, sa_column=Column(LargeBinary, nullable=False))


class Unit(SQLModel, table=True):
    """One node of the organisation; `path` lists the codes from the top, each followed by a slash.

    `facts` is what is known of it beside: whatever the vocabulary names under `unit`.
    """

    __tablename__ = "unit"
    code: str = Field(primary_key=True)
    name: str
    kind: str
    parent: str | None = Field(default=None, foreign_key="unit.code")
    path: str = Field(sa_column=Column(PATH, nullable=False, unique=True))
    profile: str | None = None
    facts: str = Field(default="{}", sa_column=Column(Text, server_default="{}", nullable=False))


class Account(SQLModel, table=True):
    """A person who may act. `refused_at` is when the mail system refused the address for good."""

    __tablename__ = "account"
    login: str = Field(primary_key=True)
    created_at: datetime = Field(sa_column=Column(UTC, nullable=False))
    student: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True, unique=True))
    name: str | None = None
    email: str | None = None
    refused_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))


class Delegation(SQLModel, table=True):
    """委派 and 转办: who lets whom act in a role at a unit, or on one case only, why and until when.

    `giver` is a login, or `student/NUMBER` where a student without an account left a signature to somebody.
    `for_good` is 转办: it does not come back by itself.
    """

    __tablename__ = "delegation"
    id: int | None = Field(default=None, sa_column=Column(_ROW_ID, primary_key=True))
    giver: str
    taker: str = Field(foreign_key="account.login", index=True)
    role: str
    unit: str = Field(foreign_key="unit.code")
    case_id: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True, index=True))
    reason: str
    for_good: bool = False
    since: datetime = Field(sa_column=Column(UTC, nullable=False))
    until: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))


class RoleGrant(SQLModel, table=True):
    """A role held at a unit, from a moment until another."""

    __tablename__ = "role_grant"
    id: int | None = Field(default=None, sa_column=Column(_ROW_ID, primary_key=True))
    login: str = Field(foreign_key="account.login", index=True)
    role: str
    unit: str = Field(foreign_key="unit.code")
    since: datetime = Field(sa_column=Column(UTC, nullable=False))
    until: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))


class Shape(SQLModel, table=True):
    """A definition as cases are pinned to it: one workflow as one profile runs it, by content hash."""

    __tablename__ = "shape"
    hash: str = Field(primary_key=True)
    workflow: str
    profile: str
    version: int
    body: str = Field(sa_column=Column(Text, nullable=False))


class Rulebook(SQLModel, table=True):
    """Rules, vocabulary, documents and organisation of one moment, by content hash."""

    __tablename__ = "rulebook"
    hash: str = Field(primary_key=True)
    effective_from: str
    body: str = Field(sa_column=Column(Text, nullable=False))


class Batch(SQLModel, table=True):
    """A published batch with its values and the rulebook it pins."""

    __tablename__ = "batch"
    name: str = Field(primary_key=True)
    kind: str
    profile: str
    title: str
    values_json: str = Field(sa_column=Column("values_json", Text, nullable=False))
    rulebook: str = Field(foreign_key="rulebook.hash")
    published_at: datetime = Field(sa_column=Column(UTC, nullable=False))


class TableRow(SQLModel, table=True):
    """One row of a table that others maintain (majors offered, programme rules), in the order of its sheet."""

    __tablename__ = "table_row"
    name: str = Field(primary_key=True)
    place: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    body: str = Field(sa_column=Column(Text, nullable=False))


class Student(SQLModel, table=True):
    """What is known about one student, and the end of the student's chain.

    Facts that must be unique stand in columns of their own beside the document, so that the database refuses a
    second one even from a program that did not look. `marks` says how facts were changed (`engine.cautions`),
    `pinyin` is by what the name is put in order (`engine.pinyin`).
    """

    __tablename__ = "student"
    id: int = Field(sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True))
    student_no: str = Field(unique=True)
    exam_no: str | None = Field(default=None, unique=True)
    id_number: str | None = Field(default=None, unique=True)
    certificate_no: str | None = Field(default=None, unique=True)
    unit: str = Field(foreign_key="unit.code")
    record: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    facts: str = Field(sa_column=Column(Text, nullable=False))
    seq: int = 0
    head: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    marks: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    pinyin: str = Field(default="", sa_column=Column(PATH, server_default="", nullable=False))


class CaseRow(SQLModel, table=True):
    """One case. `unique_key` is what the database keeps unique; empty once another may be opened.

    `slots` holds the signatures given, added and dropped since the state was entered; `sent_back` is a projection.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_waiting", "shape", "state", "path", "id"),
        CheckConstraint("revision >= 0", name="revision"),
        CheckConstraint("seq >= 0", name="seq"),
    )
    id: int = Field(sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True))
    workflow: str
    shape: str = Field(foreign_key="shape.hash")
    student: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True, index=True))
    unit: str = Field(foreign_key="unit.code")
    path: str = Field(sa_column=Column(PATH, nullable=False))
    batch: str | None = Field(default=None, index=True)
    state: str
    revision: int
    seq: int
    head: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    fields: str = Field(sa_column=Column(Text, nullable=False))
    taken: str = Field(sa_column=Column(Text, nullable=False))
    slots: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    rounds: int = 0
    sent_back: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    unique_key: str | None = Field(default=None, unique=True)
    opened_at: datetime = Field(sa_column=Column(UTC, nullable=False))
    entered_at: datetime = Field(sa_column=Column(UTC, nullable=False))


class Waiting(SQLModel, table=True):
    """A step or signature that waits for a role elsewhere than at the case's own unit; the rest is read from cases."""

    __tablename__ = "waiting"
    __table_args__ = (Index("ix_waiting_for", "role", "path"),)
    case_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    trigger: str = Field(primary_key=True)
    slot: str = Field(primary_key=True)
    role: str = Field(primary_key=True)
    unit: str = Field(foreign_key="unit.code")
    path: str = Field(sa_column=Column(PATH, nullable=False))


class Member(SQLModel, table=True):
    """A case on a frozen list. `stay` is when the case entered its state: it is gathered once in that stay."""

    __tablename__ = "member"
    __table_args__ = (Index("uq_member_once", "kind", "member", "stay", unique=True),)
    list_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    member: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: str
    stay: str


class File(SQLModel, table=True):
    """The bytes of an uploaded file, kept once however often it is handed in."""

    __tablename__ = "file"
    sha256: str = Field(primary_key=True)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Document(SQLModel, table=True):
    """A document on a case: uploaded (`sha256` names its file) or made by a step (`made` has its rows).

    `seq` is the event of the case that brought it; `looks` is what is known of the file, `ticks` what a reviewer found.
    """

    __tablename__ = "document"
    __table_args__ = (Index("ix_document_of", "case_id", "kind"),)
    id: int | None = Field(default=None, sa_column=Column(_ROW_ID, primary_key=True))
    case_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    seq: int
    kind: str
    sha256: str | None = Field(default=None, foreign_key="file.sha256")
    looks: str = Field(sa_column=Column(Text, nullable=False))
    made: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    ticks: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    withdrawn: bool = False


class Event(SQLModel, table=True):
    """One line of the trail: bytes stored exactly as hashed."""

    __tablename__ = "event"
    __table_args__ = (Index("uq_event_chain_seq", "chain", "seq", unique=True),)
    id: int | None = Field(default=None, sa_column=Column(_ROW_ID, primary_key=True))
    chain: int = Field(sa_column=Column(BigInteger, nullable=False))
    seq: int
    request: str | None = Field(default=None, unique=True)
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    mac: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Personal(SQLModel, table=True):
    """The personal values behind an event's commitment; erasing the row erases them and leaves every proof."""

    __tablename__ = "personal"
    chain: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    salt: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class DeadlineRow(SQLModel, table=True):
    """A deadline of a case while it runs: made, moved and closed by the transaction that causes it.

    `due_at` is empty while the date is open (待定). `sequence` is the place of the event that last set the date:
    it rises with every move. `extended` was set by a person: no recount moves it. Rungs of its ladder up to `told_at`
    are done; at `next_at` something is to be done, empty where nothing is until something changes. `blocked`: its
    timer was refused and waits for such a change.
    """

    __tablename__ = "deadline"
    case_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    name: str = Field(primary_key=True)
    due_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))
    settled: bool = False
    extended: bool = False
    sequence: int = 0
    told_at: datetime = Field(sa_column=Column(UTC, nullable=False))
    missed_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))
    blocked: bool = False
    next_at: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True, index=True))


class Outbox(SQLModel, table=True):
    """Something a person is to be told: written with the event that causes it, told once.

    `recipient` is a role at the case's unit, or a person: `person/LOGIN`, or `student/NUMBER` without an account. A
    role is spread over its people later, as rows of their own; then, and when it has gone into a mail, `mail` is set.
    Reminders name their deadline, the date it had, and the rung of the ladder.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("uq_outbox_once", "chain", "seq", "recipient", "message", unique=True),
        Index(
            "uq_outbox_rung",
            "chain",
            "deadline",
            "due_at",
            "rung",
            "recipient",
            unique=True,
            sqlite_where=_OF_DEADLINE,
            postgresql_where=_OF_DEADLINE,
        ),
        Index("ix_outbox_mail", "mail"),
        Index("ix_outbox_recipient", "recipient", "id"),
    )
    id: int | None = Field(default=None, sa_column=Column(_ROW_ID, primary_key=True))
    chain: int = Field(sa_column=Column(BigInteger, nullable=False))
    seq: int
    recipient: str
    message: str
    deadline: str | None = None
    due_at: str | None = None
    rung: str | None = None
    mail: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))


class Mail(SQLModel, table=True):
    """One mail to one person: everything of the outbox that names it. Rendered when it is handed over.

    `slot` is what makes it the only one: `digest/2024-05-13`, or `single/OUTBOX_ID`. `state` is one of waiting,
    claimed, handing_over, accepted, failed, unknown, dropped. `epoch` is the lease under which it was last claimed.
    """

    __tablename__ = "mail"
    __table_args__ = (
        Index("uq_mail_slot", "recipient", "slot", unique=True),
        Index("ix_mail_next", "state", "not_before"),
    )
    id: int | None = Field(default=None, sa_column=Column(_ROW_ID, primary_key=True))
    recipient: str
    slot: str
    state: str = "waiting"
    not_before: datetime = Field(sa_column=Column(UTC, nullable=False))
    attempts: int = 0
    epoch: int = 0
    claimed_until: datetime | None = Field(default=None, sa_column=Column(UTC, nullable=True))
    answer: str | None = None
    changed_at: datetime = Field(sa_column=Column(UTC, nullable=False))


class Lease(SQLModel, table=True):
    """Which process leads a kind of work, and until when; `epoch` rises with every change of hands."""

    __tablename__ = "lease"
    name: str = Field(primary_key=True)
    holder: str
    epoch: int
    until: datetime = Field(sa_column=Column(UTC, nullable=False))


class Leaf(SQLModel, table=True):
    """An event's place in the tree that is sealed; `hash` is its leaf hash (docs/decisions/0015)."""

    __tablename__ = "leaf"
    idx: int = Field(sa_column=Column(_ROW_ID, primary_key=True, autoincrement=False))
    event: int = Field(sa_column=Column(BigInteger, nullable=False, unique=True))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class TreeNode(SQLModel, table=True):
    """The root of a complete subtree of the sealed tree, kept at every eighth level."""

    __tablename__ = "tree_node"
    level: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    idx: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CheckpointRow(SQLModel, table=True):
    """A head of the tree as it was signed; never two of one size."""

    __tablename__ = "checkpoint"
    size: int = Field(sa_column=Column(_ROW_ID, primary_key=True, autoincrement=False))
    note: str = Field(sa_column=Column(Text, nullable=False))
    signed_at: datetime = Field(sa_column=Column(UTC, nullable=False))


class Cosignature(SQLModel, table=True):
    """The line by which a witness vouches for a head, newest of its name."""

    __tablename__ = "cosignature"
    size: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    name: str = Field(primary_key=True)
    line: str = Field(sa_column=Column(Text, nullable=False))


METADATA: MetaData = SQLModel.metadata
