"""The counter that most tests of the commands start from, copied for each of them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from typer import testing
from typer.main import get_command

from tests.console.counter import Counter


@pytest.fixture(scope="session", autouse=True)
def _prepared(definitions_are_read_once: None) -> None:
    """Definitions are read once."""


@pytest.fixture(scope="session", autouse=True)
def commands_are_built_once() -> Iterator[None]:
    """The tree of commands does not change during the tests, and building it takes longer than most of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(testing, "_get_command", cache(get_command))
        yield


@pytest.fixture(scope="session")
def set_up_counter(tmp_path_factory: pytest.TempPathFactory) -> Counter:
    """A rehearsal database with people and a published batch."""
    folder = tmp_path_factory.mktemp("set-up")
    return Counter(url=f"sqlite:///{folder / 'xueji.db'}", folder=folder).set_up()


@pytest.fixture(scope="session")
def enrolled_counter(tmp_path_factory: pytest.TempPathFactory, set_up_counter: Counter) -> Counter:
    """The same with six students."""
    return set_up_counter.copied(tmp_path_factory.mktemp("enrolled")).enrol()


@pytest.fixture
def empty(set_up_counter: Counter, tmp_path: Path) -> Counter:
    """A counter without students."""
    return set_up_counter.copied(tmp_path)


@pytest.fixture
def counter(enrolled_counter: Counter, tmp_path: Path) -> Counter:
    """A counter with six students: one owes, one is unknown, four are in order."""
    return enrolled_counter.copied(tmp_path)


@pytest.fixture
def nowhere(tmp_path: Path) -> Counter:
    """A counter whose database has not been made."""
    return Counter(url=f"sqlite:///{tmp_path / 'xueji.db'}", folder=tmp_path)
