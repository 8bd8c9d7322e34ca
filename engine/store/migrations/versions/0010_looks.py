"""Who opened which case, and for whom personal values were shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from engine.store.tables import UTC

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "access_row",
        sa.Column("id", row_id, nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("at", UTC(length=27), nullable=False),
        sa.Column("purpose", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_access_row_login_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_row")),
    )
    op.create_index("ix_access_row_of_case", "access_row", ["case_id", "at"])
    op.create_index("ix_access_row_of_login", "access_row", ["login", "at"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_access_row_of_login", table_name="access_row")
    op.drop_index("ix_access_row_of_case", table_name="access_row")
    op.drop_table("access_row")
