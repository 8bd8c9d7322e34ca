"""Decisions on many cases at once: what was chosen, and what became of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "bulk_run",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("trigger", AutoString(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("stage", AutoString(), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("beat_at", sa.String(length=27), nullable=True),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_bulk_run_login_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_run")),
    )
    op.create_index(op.f("ix_bulk_run_login"), "bulk_run", ["login"])
    op.create_table(
        "bulk_row",
        sa.Column("run", AutoString(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("outcome", AutoString(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["bulk_run.id"], name=op.f("fk_bulk_row_run_bulk_run")),
        sa.PrimaryKeyConstraint("run", "case_id", name=op.f("pk_bulk_row")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("bulk_row")
    op.drop_index(op.f("ix_bulk_run_login"), table_name="bulk_run")
    op.drop_table("bulk_run")
