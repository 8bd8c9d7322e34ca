"""What a step on many cases is given, such as why: a run that was cut off goes on with the words it was begun with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.add_column("bulk_run", sa.Column("given", sa.Text(), server_default="{}", nullable=False))


def downgrade() -> None:
    """Take it back."""
    op.drop_column("bulk_run", "given")
