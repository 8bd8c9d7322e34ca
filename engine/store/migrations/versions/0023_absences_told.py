"""Who told an absence that the absent person did not tell: when, and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_TEXTS = ("told_by", "reason")


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("absence", sa.Column("told_at", sa.String(27), nullable=True))
    for name in _TEXTS:
        op.add_column("absence", sa.Column(name, AutoString(), nullable=True))


def downgrade() -> None:
    """Take it back."""
    for name in (*_TEXTS, "told_at"):
        op.drop_column("absence", name)
