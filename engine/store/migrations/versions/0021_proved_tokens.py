"""When the person of a token proved to be there for it; those made before, or by a command, were proved by nobody."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("api_token", sa.Column("proved_at", sa.String(27), nullable=True))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("api_token", "proved_at")
