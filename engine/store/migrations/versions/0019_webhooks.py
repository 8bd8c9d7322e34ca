"""How far each system beside this one has been told of the sealed log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "webhook",
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.String(27), nullable=False),
        sa.Column("answer", AutoString(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_webhook")),
    )


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("webhook")
