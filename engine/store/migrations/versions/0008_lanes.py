"""Lanes and deeds: what waits for whom, and what each person has done; marks of facts that were changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward; the rows are made by `xueji lanes rebuild`."""
    path = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    op.create_table(
        "lane",
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role", AutoString(), nullable=False),
        sa.Column("at_path", path, nullable=False),
        sa.Column("trigger", AutoString(), nullable=False),
        sa.Column("workflow", AutoString(), nullable=False),
        sa.Column("shape", AutoString(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("path", path, nullable=False),
        sa.Column("batch", AutoString(), nullable=True),
        sa.Column("lane", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", sa.String(27), nullable=False),
        sa.Column("entered_at", sa.String(27), nullable=False),
        sa.Column("in_person", sa.Boolean(), nullable=False),
        sa.Column("leads", sa.Boolean(), nullable=False),
        sa.Column("apart", sa.Text(), nullable=True),
        sa.Column("hindrances", sa.Text(), nullable=True),
        sa.Column("cautions", sa.Text(), nullable=True),
        sa.Column("judged_at", sa.String(27), nullable=False),
        sa.Column("rulebook", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "role", "at_path", name=op.f("pk_lane")),
    )
    op.create_index("ix_lane_near", "lane", ["role", "lane", "at_path", "leads", "case_id"])
    op.create_index("ix_lane_far", "lane", ["role", "lane", "due_at", "case_id"])
    op.create_index("ix_lane_of_shape", "lane", ["shape", "judged_at"])
    op.create_table(
        "lane_hand",
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "login", name=op.f("pk_lane_hand")),
    )
    op.create_index("ix_lane_hand_login", "lane_hand", ["login", "case_id"])
    op.create_table(
        "deed",
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("trigger", AutoString(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("giver", AutoString(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_deed")),
    )
    op.create_index("ix_deed_of", "deed", ["login", "at", "case_id", "seq"])
    op.add_column("student", sa.Column("marks", sa.Text(), nullable=True))
    op.create_index("ix_outbox_recipient", "outbox", ["recipient", "id"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_outbox_recipient", "outbox")
    op.drop_column("student", "marks")
    op.drop_table("deed")
    op.drop_table("lane_hand")
    op.drop_table("lane")
