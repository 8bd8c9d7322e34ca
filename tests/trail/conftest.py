"""The sealed district that every attack starts from, made once, with what the auditor has kept of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.library import Library
from tests.trail.district import PUPILS, library
from tests.trail.parcels import Parcel
from tests.trail.prey import Prey, begin, carried_on


@pytest.fixture(scope="session")
def shelf() -> Library:
    """The definitions of the district."""
    return library()


@pytest.fixture(scope="session")
def before(tmp_path_factory: pytest.TempPathFactory, shelf: Library) -> Path:
    """The district when it was first sealed: the copy that somebody may put back."""
    path = tmp_path_factory.mktemp("before") / "district.db"
    begin(f"sqlite:///{path}", shelf)
    return path


@pytest.fixture(scope="session")
def prey(tmp_path_factory: pytest.TempPathFactory, before: Path, shelf: Library) -> Iterator[Prey]:
    """The district as it stands."""
    path = shutil.copy(before, tmp_path_factory.mktemp("now") / "district.db")
    with carried_on(f"sqlite:///{path}", shelf) as found:
        yield found


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory, shelf: Library) -> Iterator[Prey]:
    """The same with a thousand events."""
    url = f"sqlite:///{tmp_path_factory.mktemp('crowd') / 'district.db'}"
    begin(url, shelf, PUPILS)
    with carried_on(url, shelf) as found:
        yield found


@pytest.fixture(scope="session")
def bundle(prey: Prey, tmp_path_factory: pytest.TempPathFactory) -> Parcel:
    """The bundle of everything, unpacked."""
    return Parcel.read(prey.export(tmp_path_factory.mktemp("bundle") / "all.zip"))
