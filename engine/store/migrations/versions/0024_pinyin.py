"""The text by which a student is put in order by 姓名拼音, beside the name and in the rows of the lanes."""

from __future__ import annotations

import orjson
import sqlalchemy as sa
from alembic import op

from engine.pinyin import order_of

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_STEP = 1000
"""So many students, and so many cases, at once: a large school has a hundred thousand of each."""


def upgrade() -> None:
    """Bring the schema forward, and put everybody in order."""
    byte_by_byte = sa.String().with_variant(sa.String(collation="C"), "postgresql")
    for table in ("student", "lane"):
        op.add_column(table, sa.Column("pinyin", byte_by_byte, server_default="", nullable=False))
    _name_students(op.get_bind())
    _name_lanes(op.get_bind())
    op.create_index("ix_lane_pinyin", "lane", ["role", "lane", "pinyin", "case_id"])


def _name_students(connection: sa.Connection) -> None:
    read = sa.text("SELECT id, facts FROM student WHERE id >= :first AND id < :end")
    write = sa.text("UPDATE student SET pinyin = :pinyin WHERE id = :id")
    for span in _spans(connection, "student"):
        found = [(student, order_of(orjson.loads(facts))) for student, facts in connection.execute(read, span)]
        named = [{"id": student, "pinyin": pinyin} for student, pinyin in found if pinyin]
        if named:
            connection.execute(write, named)


def _name_lanes(connection: sa.Connection) -> None:
    own = "SELECT s.pinyin FROM cases c JOIN student s ON s.id = c.student WHERE c.id = lane.case_id"
    write = sa.text(
        f"UPDATE lane SET pinyin = coalesce(({own}), '') WHERE case_id >= :first AND case_id < :end"  # noqa: S608 constant
    )
    for span in _spans(connection, "cases"):
        connection.execute(write, span)


def _spans(connection: sa.Connection, table: str) -> list[dict[str, int]]:
    last = int(connection.execute(sa.text(f"SELECT coalesce(max(id), 0) FROM {table}")).scalar_one())  # noqa: S608
    return [{"first": first, "end": first + _STEP} for first in range(1, last + 1, _STEP)]


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_lane_pinyin", "lane")
    op.drop_column("lane", "pinyin")
    op.drop_column("student", "pinyin")
