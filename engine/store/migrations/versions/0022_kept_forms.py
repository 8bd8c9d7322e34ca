"""Forms that were sent and not done, kept for an hour so that nobody has to write them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "kept_form",
        sa.Column("handle", AutoString(), nullable=False),
        sa.Column("owner", AutoString(), nullable=False),
        sa.Column("address", AutoString(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("handle", name=op.f("pk_kept_form")),
    )
    op.create_index("ix_kept_form_owner", "kept_form", ["owner", "at"])
    op.create_index("ix_kept_form_at", "kept_form", ["at"])


def downgrade() -> None:
    """Take it back."""
    op.drop_table("kept_form")
