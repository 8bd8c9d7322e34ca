"""What both verifiers are tried on: a sealed district, and everything of it as a bundle."""

import pytest

from tests.trail.district import library
from tests.trail.parcels import Parcel
from tests.trail.prey import begin, carried_on


@pytest.fixture(scope="module")
def prey(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('district') / 'district.db'}"
    shelf = library()
    begin(url, shelf)
    with carried_on(url, shelf) as found:
        yield found


@pytest.fixture(scope="module")
def whole(prey, tmp_path_factory):
    return Parcel.read(prey.export(tmp_path_factory.mktemp("whole") / "all.zip"))
