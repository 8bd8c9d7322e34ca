"""Sheets on their way in: what was sent, what is wrong with it, what became of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "import_run",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("options", AutoString(), nullable=False),
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("sha256", AutoString(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("stage", AutoString(), nullable=False),
        sa.Column("read", sa.Integer(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("beat_at", sa.String(length=27), nullable=True),
        sa.Column("done_at", sa.String(length=27), nullable=True),
        sa.Column("expires_at", sa.String(length=27), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_import_run_login_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_index(op.f("ix_import_run_login"), "import_run", ["login"])
    op.create_index(op.f("ix_import_run_sha256"), "import_run", ["sha256"])
    op.create_table(
        "import_fault",
        sa.Column("run", AutoString(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("is_warning", sa.Boolean(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("header", AutoString(), nullable=False),
        sa.Column("cell", AutoString(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("sort", sa.Text(), nullable=False),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["import_run.id"], name=op.f("fk_import_fault_run_import_run")),
        sa.PrimaryKeyConstraint("run", "place", name=op.f("pk_import_fault")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("import_fault")
    op.drop_index(op.f("ix_import_run_sha256"), table_name="import_run")
    op.drop_index(op.f("ix_import_run_login"), table_name="import_run")
    op.drop_table("import_run")
