"""Two databases with accounts that nobody has used yet, emptied before every test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.store import registry, schema
from engine.store.access_tables import Credential, Device, LoginAttempt, OneTimeCode, Preference
from engine.store.access_tables import Session as SessionTable
from engine.store.database import Connection, open_engine
from engine.store.registry import UnitRow
from engine.trail.event import moment
from tests.console.access.people import NOW, STAFF, STUDENT
from tests.postgres import fresh_database

TABLES = (Preference, Device, OneTimeCode, LoginAttempt, SessionTable, Credential)


@contextmanager
def opened(url: str) -> Iterator[Connection]:
    engine = open_engine(url)
    connection = Connection(engine)
    try:
        yield connection
    finally:
        connection.close()
        engine.dispose()


def _built(url: str) -> str:
    engine = open_engine(url)
    schema.upgrade(engine)
    engine.dispose()
    with opened(url) as connection:
        registry.add_unit(
            connection, UnitRow(code="S1", name="柳桥教学点", kind="site", parent=None, path="/S1/", profile=None)
        )
        for login in (*STAFF, STUDENT):
            registry.add_account(connection, login, moment(NOW))
        for login in STAFF:
            registry.add_grant(connection, login, "site_approver", "S1", moment(NOW))
        registry.set_student(connection, STUDENT, 7)
    return url


@pytest.fixture(scope="session")
def access_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _built(f"sqlite:///{tmp_path_factory.mktemp('access') / 'access.db'}")


@pytest.fixture(scope="session")
def access_on_postgres(postgres_server: str) -> Iterator[str]:
    with fresh_database(postgres_server) as url:
        yield _built(url)


@pytest.fixture(params=["sqlite", "postgres"])
def access_url(request: pytest.FixtureRequest) -> str:
    """A database with four accounts and nothing else, once per kind."""
    url: str = request.getfixturevalue(f"access_on_{request.param}")
    with opened(url) as connection:
        for table in TABLES:
            connection.execute(f"DELETE FROM {table.__tablename__}")  # noqa: S608 constant
    return url


@pytest.fixture
def connection(access_url: str) -> Iterator[Connection]:
    with opened(access_url) as one:
        yield one


@pytest.fixture
def other_connection(access_url: str) -> Iterator[Connection]:
    """What another process would have open at the same time."""
    with opened(access_url) as one:
        yield one
