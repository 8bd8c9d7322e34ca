"""the main road."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from engine.store.tables import UTC

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "account",
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("created_at", UTC(length=27), nullable=False),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_account")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chain", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("request", AutoString(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("request", name=op.f("uq_event_request")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("uq_event_chain_seq", ["chain", "seq"], unique=True)

    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chain", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("recipient", AutoString(), nullable=False),
        sa.Column("message", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("uq_outbox_once", ["chain", "seq", "recipient", "message"], unique=True)

    op.create_table(
        "personal",
        sa.Column("chain", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("chain", "seq", name=op.f("pk_personal")),
    )
    op.create_table(
        "registry",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry")),
    )
    op.create_table(
        "rulebook",
        sa.Column("hash", AutoString(), nullable=False),
        sa.Column("effective_from", AutoString(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_rulebook")),
    )
    op.create_table(
        "setting",
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("value", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_setting")),
    )
    op.create_table(
        "shape",
        sa.Column("hash", AutoString(), nullable=False),
        sa.Column("workflow", AutoString(), nullable=False),
        sa.Column("profile", AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_shape")),
    )
    op.create_table(
        "unit",
        sa.Column("code", AutoString(), nullable=False),
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("parent", AutoString(), nullable=True),
        sa.Column("path", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("profile", AutoString(), nullable=True),
        sa.ForeignKeyConstraint(["parent"], ["unit.code"], name=op.f("fk_unit_parent_unit")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_unit")),
        sa.UniqueConstraint("path", name=op.f("uq_unit_path")),
    )
    op.create_table(
        "batch",
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("profile", AutoString(), nullable=False),
        sa.Column("title", AutoString(), nullable=False),
        sa.Column("values_json", sa.Text(), nullable=False),
        sa.Column("rulebook", AutoString(), nullable=False),
        sa.Column("published_at", UTC(length=27), nullable=False),
        sa.ForeignKeyConstraint(["rulebook"], ["rulebook.hash"], name=op.f("fk_batch_rulebook_rulebook")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_batch")),
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workflow", AutoString(), nullable=False),
        sa.Column("shape", AutoString(), nullable=False),
        sa.Column("student", sa.BigInteger(), nullable=True),
        sa.Column("unit", AutoString(), nullable=False),
        sa.Column("path", sa.String().with_variant(sa.String(collation="C"), "postgresql"), nullable=False),
        sa.Column("batch", AutoString(), nullable=True),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("taken", sa.Text(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("unique_key", AutoString(), nullable=True),
        sa.Column("opened_at", UTC(length=27), nullable=False),
        sa.Column("entered_at", UTC(length=27), nullable=False),
        sa.CheckConstraint("revision >= 0", name=op.f("ck_cases_revision")),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_cases_seq")),
        sa.ForeignKeyConstraint(["shape"], ["shape.hash"], name=op.f("fk_cases_shape_shape")),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_cases_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("unique_key", name=op.f("uq_cases_unique_key")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cases_batch"), ["batch"], unique=False)
        batch_op.create_index(batch_op.f("ix_cases_student"), ["student"], unique=False)
        batch_op.create_index("ix_cases_waiting", ["shape", "state", "path", "id"], unique=False)

    op.create_table(
        "role_grant",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("login", AutoString(), nullable=False),
        sa.Column("role", AutoString(), nullable=False),
        sa.Column("unit", AutoString(), nullable=False),
        sa.Column("since", UTC(length=27), nullable=False),
        sa.Column("until", UTC(length=27), nullable=True),
        sa.ForeignKeyConstraint(["login"], ["account.login"], name=op.f("fk_role_grant_login_account")),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_role_grant_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_role_grant_login"), ["login"], unique=False)

    op.create_table(
        "student",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("student_no", AutoString(), nullable=False),
        sa.Column("exam_no", AutoString(), nullable=True),
        sa.Column("id_number", AutoString(), nullable=True),
        sa.Column("certificate_no", AutoString(), nullable=True),
        sa.Column("unit", AutoString(), nullable=False),
        sa.Column("record", sa.BigInteger(), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_student_unit_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_student")),
        sa.UniqueConstraint("certificate_no", name=op.f("uq_student_certificate_no")),
        sa.UniqueConstraint("exam_no", name=op.f("uq_student_exam_no")),
        sa.UniqueConstraint("id_number", name=op.f("uq_student_id_number")),
        sa.UniqueConstraint("student_no", name=op.f("uq_student_student_no")),
    )


def downgrade() -> None:
    """Take it back."""
    op.drop_table("student")
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_role_grant_login"))

    op.drop_table("role_grant")
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_index("ix_cases_waiting")
        batch_op.drop_index(batch_op.f("ix_cases_student"))
        batch_op.drop_index(batch_op.f("ix_cases_batch"))

    op.drop_table("cases")
    op.drop_table("batch")
    op.drop_table("unit")
    op.drop_table("shape")
    op.drop_table("setting")
    op.drop_table("rulebook")
    op.drop_table("registry")
    op.drop_table("personal")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("uq_outbox_once")

    op.drop_table("outbox")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("uq_event_chain_seq")

    op.drop_table("event")
    op.drop_table("account")
