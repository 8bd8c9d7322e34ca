"""A database of the bench's own: made for a race, of the kind asked for, and gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg.sql import SQL, Identifier

from console import wiring
from console.settings import Settings
from console.wiring import Office
from engine.library import Library

PROFILE = "online-ed"


@contextmanager
def scratch_office(settings: Settings, library: Library) -> Iterator[Office]:
    """An office on an empty database of the kind `settings.database` names; the database named is never written to.

    On PostgreSQL the named server's login must be allowed to create databases.
    """
    with tempfile.TemporaryDirectory(prefix="xueji-bench-") as folder, _database(settings.database, folder) as url:
        own = settings.model_copy(update={"database": url, "key": Path(folder) / "bench.key"})
        wiring.create(own, rehearsal=True, profile=PROFILE)
        with wiring.office(own, library) as office:
            yield office


def is_sqlite(settings: Settings) -> bool:
    """Whether the race is run on SQLite."""
    return settings.database.startswith("sqlite:")


@contextmanager
def _database(url: str, folder: str) -> Iterator[str]:
    if url.startswith("sqlite:"):
        yield f"sqlite:///{folder}/bench.db"
        return
    server = urlsplit(url)._replace(scheme="postgresql")
    name = f"xueji_bench_{uuid4().hex}"
    with psycopg.connect(server.geturl(), autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(name)))
        try:
            yield server._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
