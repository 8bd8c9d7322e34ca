"""What lies about on a desk: claims, drafts, saved filters, searches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "claim",
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("since", sa.String(27), nullable=False),
        sa.Column("until", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_claim_login_account")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_claim")),
    )
    op.create_index("ix_claim_login", "claim", ["login", "until"])
    op.create_table(
        "draft",
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("trigger", AutoString(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_draft_login_account")),
        sa.PrimaryKeyConstraint("login", "case_id", "trigger", name=op.f("pk_draft")),
    )
    op.create_table(
        "saved_view",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("unit", AutoString(), nullable=True),
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("address", AutoString(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_saved_view_login_account")),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_saved_view_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
    )
    op.create_index("ix_saved_view_login", "saved_view", ["login"])
    op.create_index("ix_saved_view_unit", "saved_view", ["unit"])
    op.create_table(
        "find_handle",
        sa.Column("handle", AutoString(), nullable=False),
        sa.Column("session", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("cases", sa.Text(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("handle", name=op.f("pk_find_handle")),
    )
    op.create_index("ix_find_handle_at", "find_handle", ["at"])


def downgrade() -> None:
    """Take it back."""
    op.drop_table("find_handle")
    op.drop_table("saved_view")
    op.drop_table("draft")
    op.drop_table("claim")
