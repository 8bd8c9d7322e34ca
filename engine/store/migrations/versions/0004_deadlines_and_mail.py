"""Deadlines, what people are told of them, and the mail that tells it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from engine.store.tables import UTC

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_PERSON = ("name", "email")
_OF_DEADLINE = sa.text("deadline IS NOT NULL")
_RUNG = ("deadline", "due_at", "rung")


def upgrade() -> None:
    """Bring the schema forward."""
    for name in _PERSON:
        op.add_column("account", sa.Column(name, AutoString(), nullable=True))
    op.add_column("account", sa.Column("refused_at", UTC(length=27), nullable=True))
    op.create_table(
        "absence",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("first_day", AutoString(), nullable=False),
        sa.Column("last_day", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_absence_login_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    op.create_index(op.f("ix_absence_login"), "absence", ["login"])
    op.create_table(
        "deadline",
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("due_at", UTC(length=27), nullable=True),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("extended", sa.Boolean(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("told_at", UTC(length=27), nullable=False),
        sa.Column("missed_at", UTC(length=27), nullable=True),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("next_at", UTC(length=27), nullable=True),
        sa.PrimaryKeyConstraint("case_id", "name", name=op.f("pk_deadline")),
    )
    op.create_index(op.f("ix_deadline_next_at"), "deadline", ["next_at"])
    for name in _RUNG:
        op.add_column("outbox", sa.Column(name, AutoString(), nullable=True))
    op.add_column("outbox", sa.Column("mail", sa.BigInteger(), nullable=True))
    op.create_index(
        "uq_outbox_rung",
        "outbox",
        ["chain", *_RUNG, "recipient"],
        unique=True,
        sqlite_where=_OF_DEADLINE,
        postgresql_where=_OF_DEADLINE,
    )
    op.create_index("ix_outbox_mail", "outbox", ["mail"])
    op.create_table(
        "mail",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("recipient", AutoString(), nullable=False),
        sa.Column("slot", AutoString(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("not_before", UTC(length=27), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("claimed_until", UTC(length=27), nullable=True),
        sa.Column("answer", AutoString(), nullable=True),
        sa.Column("changed_at", UTC(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
    )
    op.create_index("uq_mail_slot", "mail", ["recipient", "slot"], unique=True)
    op.create_index("ix_mail_next", "mail", ["state", "not_before"])
    op.create_table(
        "lease",
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("holder", AutoString(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("until", UTC(length=27), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )


def downgrade() -> None:
    """Take it back."""
    for table in ("lease", "mail"):
        op.drop_table(table)
    for index in ("ix_outbox_mail", "uq_outbox_rung"):
        op.drop_index(index, "outbox")
    for name in (*_RUNG, "mail"):
        op.drop_column("outbox", name)
    for table in ("deadline", "absence"):
        op.drop_table(table)
    for name in (*_PERSON, "refused_at"):
        op.drop_column("account", name)
