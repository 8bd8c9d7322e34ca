"""The morning of 10 May, on which students still have something to do."""

from __future__ import annotations

import pytest

from console.demo.sheets import Files
from tests.web.conftest import Site
from tests.web.student_days import MORNING, Days, staged_in


@pytest.fixture(scope="session")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    """Who is where on 10 May."""
    return staged_in(tmp_path_factory.getbasetemp() / "student-days")


@pytest.fixture(scope="session")
def staged_evening(days: Days) -> Files:
    """What the houses here are opened on: 10 May instead of the evening of the 15th."""
    return Files(into=days.folder)


@pytest.fixture
def may(narrow_site: Site) -> Site:
    """A house on the morning of 10 May."""
    narrow_site.watch.at = MORNING
    return narrow_site
