"""The district of `town`, built once for each kind of database and given to every test as it was built."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from pydantic import BaseModel

from engine.library import Library, content_hash
from engine.loading.folder import load
from engine.store import schema
from engine.store.database import open_engine
from engine.store.tables import METADATA
from tests.engine.town import BATCH, HOME, OPEN_BATCH, Town, build, town_at
from tests.postgres import fresh_database

TABLES = tuple(Identifier(table.name) for table in METADATA.sorted_tables)
"""Every table, referred-to ones first."""

PUT_BACK = SQL("BEGIN; SET LOCAL session_replication_role = replica; {}; COMMIT").format(
    SQL("; ").join(
        SQL("DELETE FROM public.{0}; INSERT INTO public.{0} SELECT * FROM kept.{0}").format(table) for table in TABLES
    )
)
"""All in one round trip, and no trigger asks why. TRUNCATE would make the files of every table and index anew."""


@pytest.fixture(scope="session")
def library() -> Library:
    """The definitions as shipped, and a batch for the profile that has none in the files."""
    shipped = load(HOME)
    gc.freeze()
    open_batch = shipped.batches[BATCH].model_copy(update={"batch": OPEN_BATCH, "profile": "open-university"})
    return replace(shipped, batches={**shipped.batches, OPEN_BATCH: open_batch})


@pytest.fixture(scope="session", autouse=True)
def definitions_are_hashed_once() -> Iterator[None]:
    """Tests add a procedure to the shipped ones, whose hashes stay what they are."""
    kept: dict[int, tuple[BaseModel, str]] = {}  # with the model, or its number would be given to another

    def once(model: BaseModel) -> str:
        if id(model) not in kept:
            kept[id(model)] = model, content_hash(model)
        return kept[id(model)][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.library.content_hash", once)
        yield


def _built(url: str, library: Library) -> None:
    engine = open_engine(url)
    schema.upgrade(engine)
    engine.dispose()
    with town_at(url, library) as town:
        build(town)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, library: Library) -> Path:
    """A file with the whole district in it."""
    path = tmp_path_factory.mktemp("district") / "district.db"
    _built(f"sqlite:///{path}", library)
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, library: Library) -> Iterator[str]:
    """URL of a database with the whole district in it, and every row of it kept aside in a schema of its own."""
    with fresh_database(postgres_server) as url:
        _built(url, library)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA kept")
            for table in TABLES:
                connection.execute(SQL("CREATE TABLE kept.{0} AS TABLE public.{0}").format(table))
        yield url


@pytest.fixture
def sqlite_district(sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a copy of the district on SQLite."""
    copy = tmp_path / "copy.db"
    shutil.copy(sqlite_template, copy)
    return f"sqlite:///{copy}"


@pytest.fixture
def postgres_district(postgres_template: str) -> str:
    """URL of the district on PostgreSQL as it was built; putting rows back is ten times faster than a new database."""
    with psycopg.connect(postgres_template, autocommit=True) as connection:
        connection.execute(PUT_BACK)
    return postgres_template


@pytest.fixture(params=["sqlite", "postgresql"])
def district_url(request: pytest.FixtureRequest) -> str:
    """URL of a copy of the district, once per kind of database."""
    name = {"sqlite": "sqlite_district", "postgresql": "postgres_district"}[request.param]
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
def town(district_url: str, library: Library) -> Iterator[Town]:
    """A desk in the district."""
    with town_at(district_url, library) as at:
        yield at


@pytest.fixture
def other_clerk(town: Town, library: Library) -> Iterator[Town]:
    """A second desk at the same database, with a connection of its own."""
    with town_at(town.url, library) as at:
        yield at


@pytest.fixture
def rehearsal(district_url: str, library: Library) -> Iterator[Town]:
    """A desk that may open cases of drafts."""
    with town_at(district_url, library, rehearsal=True) as at:
        yield at
