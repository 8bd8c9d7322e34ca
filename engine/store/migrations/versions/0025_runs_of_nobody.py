"""Sheets taken in at the keyboard in nobody's name are kept as runs too: whose a run is need be no account."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_WHOSE = "fk_import_run_login_account"
_ASIDE = "CREATE TEMPORARY TABLE fault_aside AS SELECT * FROM import_fault"
"""SQLite makes the table anew, and would not let go of one that rows of another name."""


def upgrade() -> None:
    """Bring the schema forward."""
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(_WHOSE, "import_run", type_="foreignkey")
        return
    _lay_aside()
    with op.batch_alter_table("import_run") as batch:
        batch.drop_constraint(_WHOSE, type_="foreignkey")
    _put_back()


def downgrade() -> None:
    """Take it back; runs of nobody are forgotten."""
    nobodys = "login NOT IN (SELECT login FROM account)"
    op.execute(f"DELETE FROM import_fault WHERE run IN (SELECT id FROM import_run WHERE {nobodys})")  # noqa: S608 constants
    op.execute(f"DELETE FROM import_run WHERE {nobodys}")  # noqa: S608 constants
    if op.get_bind().dialect.name != "sqlite":
        op.create_foreign_key(_WHOSE, "import_run", "account", ["login"], ["login"])
        return
    _lay_aside()
    with op.batch_alter_table("import_run") as batch:
        batch.create_foreign_key(_WHOSE, "account", ["login"], ["login"])
    _put_back()


def _lay_aside() -> None:
    op.execute(_ASIDE)
    op.execute("DELETE FROM import_fault")


def _put_back() -> None:
    op.execute("INSERT INTO import_fault SELECT * FROM fault_aside")
    op.execute("DROP TABLE fault_aside")
