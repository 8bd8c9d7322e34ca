"""How often a case came back since it opened: a rest begins the capped returns anew, and the count with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward; what came back before the last rest is counted by `xueji lanes rebuild`."""
    op.add_column("cases", sa.Column("sent_back", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE cases SET sent_back = rounds WHERE rounds <> 0")


def downgrade() -> None:
    """Take it back."""
    op.drop_column("cases", "sent_back")
