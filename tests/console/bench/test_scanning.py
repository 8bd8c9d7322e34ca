"""The race of scans finds what it made due, on both databases, and does not time what it did not find."""

import pytest

from console.bench import scanning
from console.bench.scanning import NotDueError, run_scan
from console.bench.scratch import scratch_office
from console.settings import Settings
from engine.library import Library
from engine.loading.folder import load
from notifications.scanning import Scanned


@pytest.fixture(scope="module")
def library() -> Library:
    return load(Settings().definitions)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest) -> Settings:
    url = "sqlite:///unused.db" if request.param == "sqlite" else request.getfixturevalue("postgres_server")
    return Settings(database=url)


def test_a_scan_is_timed_among_few_and_among_many_open_deadlines(settings: Settings, library: Library) -> None:
    with scratch_office(settings, library) as office:
        few, many, ratio = run_scan(office.desk, 2000, 10)
        [[rows]] = office.desk.connection.execute("SELECT count(*) FROM deadline").fetchall()

    assert rows > 2000
    assert ratio.value == pytest.approx(many.value / few.value)
    assert (ratio.promised, ratio.at_most) == (3.0, True)


def test_a_scan_that_finds_nothing_is_not_timed(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "scan", lambda *_: Scanned())

    with scratch_office(Settings(database="sqlite:///unused.db"), library) as office, pytest.raises(NotDueError):
        run_scan(office.desk, 1000, 10)
