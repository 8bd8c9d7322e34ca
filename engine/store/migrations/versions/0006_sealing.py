"""The sealed tree, its signed heads, and guards: the trail is added to and otherwise left alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

from engine.store.tables import UTC

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_GUARDED = {
    "event": ("UPDATE", "DELETE"),
    "leaf": ("UPDATE", "DELETE"),
    "tree_node": ("UPDATE", "DELETE"),
    "checkpoint": ("UPDATE", "DELETE"),
    "personal": ("UPDATE",),  # erasing is what deleting is for
}
_ONLY_ADDED = (
    "{table} 表只增不改不删（xueji 审计日志，见 docs/sealing.md）。"
    "The table {table} is only added to: xueji never changes or removes its rows (docs/sealing.md)."
)
_PERSONAL = (
    "personal 表不可改，只可删除以抹去个人信息（见 docs/sealing.md）。"
    "The table personal is never changed; rows are deleted only to erase (docs/sealing.md)."
)


def upgrade() -> None:
    """Bring the schema forward."""
    row_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "leaf",
        sa.Column("idx", row_id, autoincrement=False, nullable=False),
        sa.Column("event", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_leaf")),
        sa.UniqueConstraint("event", name=op.f("uq_leaf_event")),
    )
    op.create_table(
        "tree_node",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "idx", name=op.f("pk_tree_node")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", row_id, autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("signed_at", UTC(length=27), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoint")),
    )
    op.create_table(
        "cosignature",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("size", "name", name=op.f("pk_cosignature")),
    )
    for table, acts in _GUARDED.items():
        for statement in _guard(table, acts):
            op.execute(statement)


def downgrade() -> None:
    """Take it back."""
    for table, acts in _GUARDED.items():
        if op.get_bind().dialect.name == "sqlite":
            for act in acts:
                op.execute(f"DROP TRIGGER IF EXISTS guard_{table}_{act.lower()}")
        else:
            op.execute(f"DROP TRIGGER IF EXISTS guard_{table} ON {table}")
            op.execute(f"DROP FUNCTION IF EXISTS guard_{table}()")
    for table in ("cosignature", "checkpoint", "tree_node", "leaf"):
        op.drop_table(table)


def _guard(table: str, acts: tuple[str, ...]) -> list[str]:
    """What refuses these acts on a table; on PostgreSQL once for each statement, so that it costs no row anything."""
    says = _PERSONAL if table == "personal" else _ONLY_ADDED.format(table=table)
    if op.get_bind().dialect.name == "sqlite":
        return [
            f"CREATE TRIGGER guard_{table}_{act.lower()} BEFORE {act} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{says}'); END"
            for act in acts
        ]
    refuses = f"RAISE EXCEPTION '{says}' USING ERRCODE = 'restrict_violation'"
    each = f"FOR EACH STATEMENT EXECUTE FUNCTION guard_{table}()"
    return [
        f"CREATE FUNCTION guard_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refuses}; END $$",
        f"CREATE TRIGGER guard_{table} BEFORE {' OR '.join((*acts, 'TRUNCATE'))} ON {table} {each}",
    ]
