"""What tests of more than one room need: an empty database, on each of the two we promise."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from engine.collecting import set_aside
from engine.library import Library
from engine.loading.folder import load
from engine.loading.shelf import NOTHING_OVER
from engine.store import schema
from rules.functions import FUNCTIONS
from tests import chromium, postgres
from tests.schema_copies import Copies


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it where nobody overlooks it."""
    if chromium.installed() is None:
        terminalreporter.section("浏览器测试没有运行 THE BROWSER TESTS DID NOT RUN", red=True, bold=True)
        terminalreporter.line(chromium.MISSING, red=True)


def pytest_collection_finish() -> None:
    """What thousands of tests are made of is not looked through for garbage again and again."""
    set_aside()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a running PostgreSQL on which databases may be created."""
    with postgres.served() as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def _empty_databases_are_copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """In the process of the tests; what they start makes its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "upgrade", Copies(schema.upgrade, tmp_path_factory.mktemp("schema")))
        yield


@pytest.fixture(scope="session")
def definitions_are_read_once() -> Iterator[None]:
    """The files do not change during the tests, and reading them takes longer than any command or page."""
    from console import setting_up, wiring  # noqa: PLC0415 tests of the engine do without the console

    @cache
    def of_folder(folder: Path, over: tuple[tuple[str, str], ...]) -> Library:
        library = load(folder, FUNCTIONS, dict(over))
        set_aside()
        return library

    def once(folder: Path, _memory: Path, _functions: object, over: Mapping[str, str] = NOTHING_OVER) -> Library:
        return of_folder(folder, tuple(sorted(over.items())))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "load_remembered", once)
        patch.setattr(setting_up, "load_remembered", once)
        yield


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database that only this test uses."""
    with postgres.fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of an SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'xueji.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database, once per kind: every test of the store runs on both."""
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url: str = request.getfixturevalue(name)
    return url
