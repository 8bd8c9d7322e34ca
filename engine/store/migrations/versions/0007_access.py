"""Who may sign in, and who is signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from engine.store.tables import UTC

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "credential",
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("totp_secret", AutoString(), nullable=True),
        sa.Column("totp_counter", sa.Integer(), nullable=True),
        sa.Column("activated_at", UTC(length=27), nullable=True),
        sa.Column("disabled_at", UTC(length=27), nullable=True),
        sa.Column("changed_at", UTC(length=27), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_credential_login_account")),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_credential")),
    )
    op.create_table(
        "session",
        sa.Column("id_hash", AutoString(), nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("created_at", UTC(length=27), nullable=False),
        sa.Column("seen_at", UTC(length=27), nullable=False),
        sa.Column("stepped_up_at", UTC(length=27), nullable=True),
        sa.Column("expires_at", UTC(length=27), nullable=False),
        sa.Column("device", AutoString(), nullable=True),
        sa.Column("browser", AutoString(), nullable=True),
        sa.Column("ticket", AutoString(), nullable=True),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_session_login_account")),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_session")),
    )
    for column in ("expires_at", "login", "ticket"):
        op.create_index(op.f(f"ix_session_{column}"), "session", [column])
    op.create_table(
        "login_attempt",
        sa.Column("bucket", AutoString(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_at", UTC(length=27), nullable=False),
        sa.Column("free_at", UTC(length=27), nullable=False),
        sa.PrimaryKeyConstraint("bucket", name=op.f("pk_login_attempt")),
    )
    op.create_index(op.f("ix_login_attempt_last_at"), "login_attempt", ["last_at"])
    _more()


def _more() -> None:
    op.create_table(
        "one_time_code",
        sa.Column("code_hash", AutoString(), nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("purpose", AutoString(), nullable=False),
        sa.Column("made_at", UTC(length=27), nullable=False),
        sa.Column("expires_at", UTC(length=27), nullable=True),
        sa.Column("used_at", UTC(length=27), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('activate', 'reset', 'second-factor', 'recovery')", name=op.f("ck_one_time_code_purpose")
        ),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_one_time_code_login_account")),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_one_time_code")),
    )
    op.create_index(op.f("ix_one_time_code_login"), "one_time_code", ["login"])
    op.create_table(
        "device",
        sa.Column("hash", AutoString(), nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("seen_at", UTC(length=27), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_device_login_account")),
        sa.PrimaryKeyConstraint("hash", "login", name=op.f("pk_device")),
    )
    op.create_table(
        "preference",
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_preference_login_account")),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_preference")),
    )


def downgrade() -> None:
    """Take it back."""
    for table in ("preference", "device", "one_time_code", "login_attempt", "session", "credential"):
        op.drop_table(table)
