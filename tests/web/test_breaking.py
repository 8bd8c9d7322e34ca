"""What nobody foresaw, and too many at once: told with a number, and never with a value in the log."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from console.access.programs import Scope, Wish, issue
from console.demo import evening
from console.web import desks
from console.web.guarding import GOOD_FOR
from tests.web.conftest import Site


@pytest.fixture
def broken_site(site: Site) -> Site:
    """A house whose database has lost its cases."""
    raw = sqlite3.connect(urlsplit(site.house.settings.database).path.removeprefix("/"))
    raw.executescript("ALTER TABLE cases RENAME TO gone; PRAGMA wal_checkpoint(TRUNCATE);")
    raw.close()
    return site


def _bearer(site: Site) -> dict[str, str]:
    with site.house.desks.borrowed() as office:
        wish = Wish(evening.APPROVER, "test", (Scope.READ,), GOOD_FOR)
        return {"Authorization": f"Bearer {issue(office.desk, wish, site.watch.at, 'setup')}"}


def test_what_breaks_is_told_with_the_number_under_which_the_log_has_its_kind_and_place(
    broken_site: Site,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", True)
    person = broken_site.signed_in(evening.APPROVER)
    answer = person.get("/queue/todo")
    person.get("/healthz")  # on the same line, so the house has done with what was before
    assert answer.status_code == 500
    number = answer.headers["x-request-number"]
    assert f"编号 Ref {number}" in answer.text
    said = capsys.readouterr().out
    [line] = [one for one in said.splitlines() if "broken" in one]
    assert "OperationalError" in line
    assert number in line
    assert "database.py:" in line
    assert [record.message for record in caplog.records] == []
    assert "no such table" not in said


def test_a_program_is_told_of_what_breaks_as_a_problem(broken_site: Site) -> None:
    answer = broken_site.program.get("/api/v1/queue/todo", headers=_bearer(broken_site))
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json()["instance"] == answer.headers["x-request-number"]


@pytest.fixture
def crowded_site(open_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A house with one desk, at which somebody sits."""
    monkeypatch.setattr(desks, "_PATIENCE", 0.1)
    site = open_site(desks=1)
    person, bearer = site.signed_in(evening.APPROVER), _bearer(site)
    site.program.headers.update(bearer)
    with ExitStack() as sitting:
        sitting.enter_context(site.house.desks.borrowed())
        yield site
    assert person.get("/queue/todo").status_code == 200, "and goes on as soon as the desk is free"


def test_where_nobody_is_free_to_answer_a_person_and_a_program_are_told_to_try_again(crowded_site: Site) -> None:
    page = crowded_site.people[0].get("/queue/todo")
    assert (page.status_code, "没有改动任何数据" in page.text) == (503, True)
    problem = crowded_site.program.get("/api/v1/queue/todo")
    assert (problem.status_code, problem.headers["content-type"]) == (503, "application/problem+json")
