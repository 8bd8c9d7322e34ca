"""Facts of units: what the vocabulary lets be known of an office, a school or a class."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("unit", sa.Column("facts", sa.Text(), server_default="{}", nullable=False))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("unit", "facts")
