"""The ends of a batch's days, and who is about to be urged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from engine.store.tables import UTC

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "day_figure",
        sa.Column("batch", AutoString(), nullable=False),
        sa.Column("day", AutoString(), nullable=False),
        sa.Column("unit", AutoString(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.CheckConstraint("students > 0", name=op.f("ck_day_figure_students")),
        sa.ForeignKeyConstraint(["batch"], ["batch.name"], name=op.f("fk_day_figure_batch_batch")),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_day_figure_unit_unit")),
        sa.PrimaryKeyConstraint("batch", "day", "unit", "state", name=op.f("pk_day_figure")),
    )
    op.create_table(
        "urged",
        sa.Column("scope", AutoString(), nullable=False),
        sa.Column("role", AutoString(), nullable=False),
        sa.Column("about", AutoString(), nullable=False),
        sa.Column("day", AutoString(), nullable=False),
        sa.Column("at", UTC(length=27), nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "role", "about", "day", name=op.f("pk_urged")),
    )
    op.create_table(
        "urging",
        sa.Column("handle", AutoString(), nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("made_at", UTC(length=27), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_urging_login_account")),
        sa.PrimaryKeyConstraint("handle", name=op.f("pk_urging")),
    )
    op.create_index(op.f("ix_urging_login"), "urging", ["login"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index(op.f("ix_urging_login"), table_name="urging")
    op.drop_table("urging")
    op.drop_table("urged")
    op.drop_table("day_figure")
