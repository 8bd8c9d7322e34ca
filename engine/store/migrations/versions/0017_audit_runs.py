"""What is worked out for an auditor while the page waits: findings, decisions judged under other rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "audit_run",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("batch", AutoString(), nullable=False),
        sa.Column("title", AutoString(), nullable=False),
        sa.Column("stage", AutoString(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("beat_at", sa.String(length=27), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_audit_run_login_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_run")),
    )
    op.create_index(op.f("ix_audit_run_login"), "audit_run", ["login"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index(op.f("ix_audit_run_login"), table_name="audit_run")
    op.drop_table("audit_run")
