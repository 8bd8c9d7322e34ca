"""One furnished institution per profile, copied for every story."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from engine.library import Library
from engine.loading.folder import load
from tests.definitions.enrolment_acts import intakes
from tests.definitions.world import World, world_at
from tests.engine.town import HOME, town_at

Furnish = Callable[[str], World]


@pytest.fixture(scope="session")
def shipped() -> Library:
    """The definitions as shipped, with the intakes of the stories."""
    library = load(HOME)
    return replace(library, batches={**library.batches, **intakes()})


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory, shipped: Library) -> Callable[[str], Path]:
    """The file of a profile's institution as it is before any story, built once."""
    folder, built = tmp_path_factory.mktemp("worlds"), {}

    def of(profile: str) -> Path:
        if profile not in built:
            path = folder / f"{profile}.db"
            with world_at(path, shipped, profile):
                built[profile] = path
        return built[profile]

    return of


@pytest.fixture
def world_of(
    request: pytest.FixtureRequest, tmp_path: Path, shipped: Library, furnished: Callable[[str], Path]
) -> Iterator[Furnish]:
    """Gives the institution of a profile, untouched by any other test."""
    walked = request.config.pluginmanager.get_plugin("tests.house.walked")
    with ExitStack() as open_worlds:

        def of(profile: str) -> World:
            path = tmp_path / f"{profile}.db"
            shutil.copy(furnished(profile), path)
            town = open_worlds.enter_context(town_at(f"sqlite:///{path}", shipped, rehearsal=True))
            if walked is not None:
                open_worlds.callback(walked.saw, town)
            return World(town=town, profile=profile)

        yield of
