"""Definitions that somebody proposes and somebody else approves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "proposal",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("file", AutoString(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", AutoString(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("stage", AutoString(), nullable=False),
        sa.Column("effective_on", sa.String(length=10), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", AutoString(), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("decided_by", AutoString(), nullable=True),
        sa.Column("decided_at", sa.String(length=27), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["account.login"], name=op.f("fk_proposal_made_by_account")),
        sa.ForeignKeyConstraint(["decided_by"], ["account.login"], name=op.f("fk_proposal_decided_by_account")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_proposal")),
    )
    op.create_index(op.f("ix_proposal_file"), "proposal", ["file"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index(op.f("ix_proposal_file"), table_name="proposal")
    op.drop_table("proposal")
