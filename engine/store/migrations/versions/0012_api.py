"""Tokens of the REST interface."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "api_token",
        sa.Column("hash", AutoString(), nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("scopes", AutoString(), nullable=False),
        sa.Column("made_at", sa.String(27), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=False),
        sa.Column("revoked_at", sa.String(27), nullable=True),
        sa.Column("used_at", sa.String(27), nullable=True),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_api_token_login_account")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_api_token")),
    )
    op.create_index("ix_api_token_login", "api_token", ["login"])


def downgrade() -> None:
    """Take the schema back."""
    op.drop_table("api_token")
