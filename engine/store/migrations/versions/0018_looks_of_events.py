"""Looks that were events only get the row by which they are found."""

from __future__ import annotations

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_VIEWED = b'"kind":"viewed"'
_FACTS = "view:facts"


def upgrade() -> None:
    """Bring the schema forward."""
    connection = op.get_bind()
    known = {login for (login,) in connection.execute(sa.text("SELECT login FROM account"))}
    rows = []
    for chain, body in connection.execute(sa.text("SELECT chain, body FROM event WHERE chain > 0 ORDER BY id")):
        if _VIEWED not in bytes(body):
            continue
        event = orjson.loads(bytes(body))
        data = event["data"]
        if event["kind"] == "viewed" and data.get("trigger") != _FACTS and event["actor"] in known:
            purpose = f"document/{data['document']}" if "document" in data else "audit"
            rows.append({"login": event["actor"], "case_id": chain, "at": event["at"], "purpose": purpose})
    if rows:
        insert = "INSERT INTO access_row (login, case_id, at, purpose) VALUES (:login, :case_id, :at, :purpose)"
        connection.execute(sa.text(insert), rows)


def downgrade() -> None:
    """Take it back."""
    op.execute("DELETE FROM access_row WHERE purpose = 'audit' OR purpose LIKE 'document/%'")
