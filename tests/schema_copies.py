"""Empty databases with all tables, copied from one that the migrations made: to make each anew takes half of a test."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine

from engine.store import schema
from engine.store.database import open_engine

_OTHERS = "SELECT 1 FROM pg_stat_activity WHERE datname = %s LIMIT 1"


class Copies:
    """Stands in for `engine.store.schema.upgrade`: an empty database gets a copy, any other is brought forward.

    Args:
        upgrade: Brings any database forward.
        folder: Where the file to be copied is kept.
    """

    def __init__(self, upgrade: Callable[..., None], folder: Path) -> None:
        self._upgrade = upgrade
        self._file = folder / "made.db"
        self._databases: dict[str, str] = {}
        self._made: set[str] = set()

    def made_already(self, name: str) -> None:
        """The next call for the PostgreSQL database of that name finds nothing to do (see `tests.schema_pool`)."""
        self._made.add(name)

    def __call__(self, engine: Engine, revision: str = "head") -> None:
        if self._has_made(engine) and revision == "head":
            return
        if revision != "head" or not _is_empty(engine):
            self._upgrade(engine, revision)
        elif engine.dialect.name == "sqlite":
            self._copy_file(engine)
        else:
            self._copy_database(engine)

    def _has_made(self, engine: Engine) -> bool:
        name = engine.url.database or ""
        has_made = engine.dialect.name == "postgresql" and name in self._made
        self._made.discard(name)
        return has_made and schema.is_current(engine)

    def _copy_file(self, engine: Engine) -> None:
        file = Path(engine.url.database or "")
        if not self._file.exists():
            self._upgrade(engine)
            with engine.connect() as connection:
                connection.exec_driver_sql("VACUUM INTO ?", (str(self._file),))
        engine.dispose()
        shutil.copyfile(self._file, file)

    def _copy_database(self, engine: Engine) -> None:
        engine.dispose()
        place = engine.url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
        with closing(psycopg.connect(place, autocommit=True)) as server:
            if place not in self._databases:
                self._databases[place] = name = f"xueji_made_{uuid4().hex}"
                server.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(name)))
                made = open_engine(engine.url.set(database=name).render_as_string(hide_password=False))
                self._upgrade(made)
                made.dispose()
            if server.execute(_OTHERS, (engine.url.database,)).fetchone():
                self._upgrade(engine)  # somebody is connected to it already, and would be cut off
                return
            copied, made_once = Identifier(engine.url.database or ""), Identifier(self._databases[place])
            server.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(copied))
            server.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(copied, made_once))


def _is_empty(engine: Engine) -> bool:
    tables = "sqlite_master" if engine.dialect.name == "sqlite" else "pg_tables WHERE schemaname = 'public'"
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"SELECT 1 FROM {tables} LIMIT 1").first() is None  # noqa: S608 two of our own words
