"""PostgreSQL databases with all tables and no rows, used again: to make and drop one takes longer than most tests.

What a test gives back is looked at before anybody else gets it. One whose catalogue is not what it was is dropped; from
any other whoever is still connected is cut off, the rows go, and the sequences begin anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from engine.store import schema
from engine.store.database import open_engine
from tests.postgres import fresh_database

_CUT_OFF: LiteralString = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
"""It waits for their end, ten seconds at most."""

_OURS: LiteralString = "16384"  # PostgreSQL's FirstNormalObjectId: what is below it came with the server
_LASTING: LiteralString = (
    "(oid, relname, relnamespace, reltype, relowner, relam, reltoastrelid, relpersistence, relkind, relnatts, relacl,"
    " relchecks, relhasindex, relhasrules, relhastriggers, relrowsecurity, relforcerowsecurity, relreplident,"
    " reloptions)"
)
"""Of `pg_class`, what does not change with the rows."""
_BY_NUMBER: dict[LiteralString, LiteralString] = {
    "pg_class": "oid", "pg_attribute": "attrelid", "pg_attrdef": "oid", "pg_constraint": "oid",
    "pg_index": "indexrelid", "pg_trigger": "oid", "pg_proc": "oid", "pg_type": "oid", "pg_sequence": "seqrelid",
    "pg_rewrite": "oid", "pg_policy": "oid", "pg_extension": "oid", "pg_enum": "oid", "pg_collation": "oid",
    "pg_event_trigger": "oid", "pg_publication": "oid", "pg_default_acl": "oid", "pg_statistic_ext": "oid",
    "pg_inherits": "inhrelid", "pg_largeobject_metadata": "oid",
}  # fmt: skip
"""The parts of the catalogue, each with the number that tells ours from the server's."""


def _looked_at() -> Iterator[LiteralString]:
    """One row of one column for every part of the catalogue."""
    for table, number in _BY_NUMBER.items():
        row: LiteralString = _LASTING if table == "pg_class" else "t"
        told: LiteralString = f"md5(string_agg({row}::text, ' ' ORDER BY {row}::text))"
        yield f"SELECT {told} FROM {table} t WHERE {number} >= {_OURS}"  # noqa: S608 all of it is ours
    # The schema of somebody's temporary tables stays for the next who makes one.
    yield "SELECT string_agg(t::text, ' ' ORDER BY oid) FROM pg_namespace t WHERE nspname !~ '^pg_(toast_)?temp_'"
    yield "SELECT string_agg(t::text, ' ' ORDER BY oid) FROM pg_roles t"
    yield (
        "SELECT string_agg(t::text, ' ' ORDER BY setrole) FROM pg_db_role_setting t "
        "WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"
    )
    yield (
        "SELECT concat_ws(' ', datdba, datallowconn, datconnlimit, datacl) "
        "FROM pg_database WHERE datname = current_database()"
    )
    yield "SELECT string_agg(gid, ' ') FROM pg_prepared_xacts WHERE database = current_database()"


CATALOGUE: LiteralString = " UNION ALL ".join(f"(SELECT ({query}))" for query in _looked_at())
"""Tables, columns, constraints, indexes, triggers, functions, rights, settings and roles: any change changes a row."""

Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class _Database:
    """One of the pool, and what it takes to make it what it was."""

    url: str
    dropped: ExitStack
    catalogue: list[tuple[object, ...]]
    put_back: Composed


class Pool:
    """Lends databases that `engine.store.schema.upgrade` has made and nobody has written to.

    Args:
        server_url: Where databases may be created, by somebody who may switch triggers off.
        lending: Told the name of every database that is lent.
    """

    def __init__(self, server_url: str, lending: Callable[[str], object]) -> None:
        self._server_url = server_url
        self._lending = lending
        self._spare: list[_Database] = []

    def close(self) -> None:
        """Drop those that nobody has."""
        while self._spare:
            self._spare.pop().dropped.close()

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Yield the URL of a database that only one test uses."""
        database = self._spare.pop() if self._spare else self._new()
        self._lending(urlsplit(database.url).path.removeprefix("/"))
        try:
            yield database.url
        finally:
            if _is_put_back(database):
                self._spare.append(database)
            else:
                database.dropped.close()

    def _new(self) -> _Database:
        dropped = ExitStack()
        url = dropped.enter_context(fresh_database(self._server_url))
        engine = open_engine(url)
        schema.upgrade(engine)
        engine.dispose()
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            return _Database(url, dropped, connection.execute(CATALOGUE).fetchall(), _putting_back(connection))


def _is_put_back(database: _Database) -> bool:
    """Whether it is again what it was."""
    with closing(psycopg.connect(database.url, autocommit=True)) as connection:
        connection.execute(_CUT_OFF)
        if connection.execute(CATALOGUE).fetchall() != database.catalogue:
            return False
        connection.execute(database.put_back)
        return True


def _putting_back(connection: Connection) -> Composed:
    """All in one round trip, and no trigger asks why (see tests/engine/conftest.py)."""
    return SQL("BEGIN; SET LOCAL session_replication_role = replica; {}; COMMIT").format(
        SQL("; ").join([*_rows(connection), *_sequences(connection)])
    )


def _rows(connection: Connection) -> Iterator[Composed]:
    """What the migrations wrote is written again."""
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    for (name,) in tables:
        table = Identifier("public", str(name))
        yield SQL("DELETE FROM {}").format(table)
        [(rows,)] = connection.execute(SQL("SELECT jsonb_agg(t)::text FROM {} t").format(table)).fetchall()
        if rows is not None:
            written = SQL("INSERT INTO {0} SELECT * FROM jsonb_populate_recordset(NULL::{0}, {1})")
            yield written.format(table, Literal(rows))


def _sequences(connection: Connection) -> Iterator[Composed]:
    for (name,) in connection.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public'").fetchall():
        sequence = Identifier("public", str(name))
        asked = SQL("SELECT last_value, is_called FROM {}").format(sequence)
        [(last, is_called)] = connection.execute(asked).fetchall()
        yield SQL("SELECT setval({}, {}, {})").format(
            Literal(sequence.as_string(connection)), Literal(last), Literal(is_called)
        )
