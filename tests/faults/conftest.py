"""An office on a database of its own, on each of the two we promise."""

from pathlib import Path

import pytest

from tests.sabotage.office import Premises


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.heavy), "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database. Processes that wait for each other take long: SQLite has its turn in the heavy runs."""
    url: str = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])
    return url


@pytest.fixture
def premises(database_url: str, tmp_path: Path) -> Premises:
    """Where an office can be furnished."""
    return Premises(url=database_url, key=tmp_path / "log.key")


@pytest.fixture
def sqlite_premises(sqlite_url: str, tmp_path: Path) -> Premises:
    """The same, on SQLite only."""
    return Premises(url=sqlite_url, key=tmp_path / "log.key")


@pytest.fixture
def postgres_premises(postgres_url: str, tmp_path: Path) -> Premises:
    """The same, on PostgreSQL only."""
    return Premises(url=postgres_url, key=tmp_path / "log.key")
