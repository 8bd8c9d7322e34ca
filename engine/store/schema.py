"""The schema in the database: created and brought forward by Alembic, compared with the tables as written."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine

from engine.store import (
    absence_tables,
    access_tables,
    api_tables,
    audit_run_tables,
    bulk_tables,
    desk_work_tables,
    figure_tables,
    import_tables,
    lane_tables,
    looks_tables,
    proposal_tables,
    webhook_tables,
)
from engine.store.tables import METADATA

BESIDE = (
    absence_tables, access_tables, api_tables, audit_run_tables, bulk_tables, desk_work_tables, figure_tables,
    import_tables, lane_tables, looks_tables, proposal_tables, webhook_tables,
)  # fmt: skip
"""Tables that stand in modules of their own: METADATA knows them once their module is read."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Create the tables, or bring them to a revision; what is there already stays."""
    with _connected(engine) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the schema back to an earlier revision."""
    with _connected(engine) as connection:
        command.downgrade(_config(connection), revision)


def drift(engine: Engine) -> list[object]:
    """What a new migration would have to change: empty when the database is as `tables` says."""
    with _connected(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, METADATA))


def is_current(engine: Engine) -> bool:
    """Whether the database has been created at all."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() is not None


def _connected(engine: Engine) -> Connection:
    return engine.execution_options(isolation_level="SERIALIZABLE").connect()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
