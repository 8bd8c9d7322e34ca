"""every procedure."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from engine.store.tables import UTC

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "file",
        sa.Column("sha256", AutoString(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_file")),
    )
    op.create_table(
        "member",
        sa.Column("list_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("stay", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("list_id", "member", name=op.f("pk_member")),
    )
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.create_index("uq_member_once", ["kind", "member", "stay"], unique=True)

    op.create_table(
        "delegation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("giver", AutoString(), nullable=False),
        sa.Column("taker", AutoString(), nullable=False),
        sa.Column("role", AutoString(), nullable=False),
        sa.Column("unit", AutoString(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", AutoString(), nullable=False),
        sa.Column("for_good", sa.Boolean(), nullable=False),
        sa.Column("since", UTC(length=27), nullable=False),
        sa.Column("until", UTC(length=27), nullable=True),
        sa.Column("revoked_at", UTC(length=27), nullable=True),
        sa.ForeignKeyConstraint(["taker"], ["account.login"], name=op.f("fk_delegation_taker_account")),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_delegation_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    with op.batch_alter_table("delegation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delegation_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_delegation_taker"), ["taker"], unique=False)

    op.create_table(
        "document",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("sha256", AutoString(), nullable=True),
        sa.Column("looks", sa.Text(), nullable=False),
        sa.Column("made", sa.Text(), nullable=True),
        sa.Column("ticks", sa.Text(), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["sha256"], ["file.sha256"], name=op.f("fk_document_sha256_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
    )
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.create_index("ix_document_of", ["case_id", "kind"], unique=False)

    op.create_table(
        "waiting",
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("trigger", AutoString(), nullable=False),
        sa.Column("slot", AutoString(), nullable=False),
        sa.Column("role", AutoString(), nullable=False),
        sa.Column("unit", AutoString(), nullable=False),
        sa.Column("path", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_waiting_unit_unit")),
        sa.PrimaryKeyConstraint("case_id", "trigger", "slot", "role", name=op.f("pk_waiting")),
    )
    with op.batch_alter_table("waiting", schema=None) as batch_op:
        batch_op.create_index("ix_waiting_for", ["role", "path"], unique=False)

    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("student", sa.BigInteger(), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_account_student"), ["student"])

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("slots", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_column("slots")

    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_account_student"), type_="unique")
        batch_op.drop_column("student")

    with op.batch_alter_table("waiting", schema=None) as batch_op:
        batch_op.drop_index("ix_waiting_for")

    op.drop_table("waiting")
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.drop_index("ix_document_of")

    op.drop_table("document")
    with op.batch_alter_table("delegation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delegation_taker"))
        batch_op.drop_index(batch_op.f("ix_delegation_case_id"))

    op.drop_table("delegation")
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.drop_index("uq_member_once")

    op.drop_table("member")
    op.drop_table("file")
