"""What tests of more than one room need: an empty database, on each of the two we promise."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from fcntl import LOCK_EX, flock
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from engine.collecting import set_aside
from engine.library import Library
from engine.loading import remembered
from engine.loading.folder import load
from engine.loading.shelf import NOTHING_OVER
from engine.store import schema
from rules.functions import FUNCTIONS
from tests import chromium, postgres
from tests.schema_copies import Copies
from tests.schema_pool import Pool


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it where nobody overlooks it."""
    if chromium.installed() is None:
        terminalreporter.section("浏览器测试没有运行 THE BROWSER TESTS DID NOT RUN", red=True, bold=True)
        terminalreporter.line(chromium.MISSING, red=True)


def pytest_collection_finish() -> None:
    """What thousands of tests are made of is not looked through for garbage again and again."""
    set_aside()


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_set_aside_on_the_way() -> Iterator[None]:
    """A process takes up other definitions seldom, and then looks for garbage; its tests do so hundreds of times.

    What they take up and drop again is not set aside either: it would stay.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remembered, "set_aside", lambda: None)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a running PostgreSQL on which databases may be created."""
    with postgres.served() as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def empty_databases_are_copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    """In the process of the tests; what they start makes its own."""
    copies = Copies(schema.upgrade, tmp_path_factory.mktemp("schema"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schema, "upgrade", copies)
        yield copies


@pytest.fixture(scope="session")
def postgres_pool(postgres_server: str, empty_databases_are_copied: Copies) -> Iterator[Pool]:
    """PostgreSQL databases with all tables, which one test after the other uses."""
    with closing(Pool(postgres_server, empty_databases_are_copied.made_already)) as pool:
        yield pool


@pytest.fixture(scope="session", autouse=True)
def _programs_are_compiled_once() -> Iterator[None]:
    """By the first process that a test starts, wherever Python was told to keep nothing: dozens are started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


MadeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def made_once(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Gives a folder by its name, filled by the first process of the run that asks; the others wait, and only read."""
    own = tmp_path_factory.getbasetemp()
    everybodys = own.parent if hasattr(request.config, "workerinput") else own  # xdist gives each a folder in one

    def made(name: str, fill: Callable[[Path], object]) -> Path:
        folder = everybodys / name
        with (everybodys / f"{name}.lock").open("w") as turn:
            flock(turn, LOCK_EX)
            if not folder.exists():
                begun = Path(mkdtemp(prefix=name, dir=everybodys))
                fill(begun)
                begun.rename(folder)
        return folder

    return made


@pytest.fixture(scope="session")
def definitions_are_read_once() -> Iterator[None]:
    """The files do not change during the tests, and reading them takes longer than any command or page."""
    from console import setting_up, wiring  # noqa: PLC0415 tests of the engine do without the console

    @cache
    def of_folder(folder: Path, over: tuple[tuple[str, str], ...]) -> Library:
        library = load(folder, FUNCTIONS, dict(over))
        if not over:
            gc.freeze()
        return library

    def once(folder: Path, _memory: Path, _functions: object, over: Mapping[str, str] = NOTHING_OVER) -> Library:
        return of_folder(folder, tuple(sorted(over.items())))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "load_remembered", once)
        patch.setattr(setting_up, "load_remembered", once)
        yield


@pytest.fixture
def postgres_url(postgres_pool: Pool) -> Iterator[str]:
    """URL of a PostgreSQL database with all tables and no rows, which only this test uses."""
    with postgres_pool.lent() as url:
        yield url


@pytest.fixture
def bare_postgres_url(postgres_server: str) -> Iterator[str]:
    """The same without tables, for tests of how they are made."""
    with postgres.fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of an SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'xueji.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a database without rows, for who calls `upgrade`; once per kind: tests of the store run on both."""
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_database_url(request: pytest.FixtureRequest) -> str:
    """URL of a database without tables, once per kind."""
    name = {"sqlite": "sqlite_url", "postgresql": "bare_postgres_url"}[request.param]
    url: str = request.getfixturevalue(name)
    return url
