"""The queue by name while a name is corrected: no page and no workbook leaves anybody out without saying so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from console.demo import evening, school
from console.web.files import tables
from console.web.queue import waiting
from console.web.queue.filtering import Filter
from console.web.queue.paging import Ends
from engine.facts import write_facts
from engine.lane_slices import Cursor
from engine.pinyin import order_key
from engine.records import Request, case_number, case_of
from engine.store.cases import Found, read_case, read_cases
from engine.store.database import Connection
from tests.web.conftest import Person, Site
from tests.web.test_api import Program
from tests.web.test_exports import offered, sheet
from tests.web.test_queue import numbers
from tests.web.test_queue_pages import called, pages, way


@pytest.fixture
def approver(site: Site) -> Person:
    """The approver of the evening's teaching point."""
    return site.signed_in(evening.APPROVER)


@pytest.fixture(params=[waiting.SHORT, 10], ids=["short", "long"])
def length(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that is read as a whole, and one too long for that; eight to a page."""
    monkeypatch.setattr(waiting, "SHORT", request.param)
    monkeypatch.setattr(waiting, "PAGE", 8)


def everything(person: Person) -> list[str]:
    """All that waits for somebody, in another order."""
    return [one for html in pages(person, "/queue/todo?sort=due") for one in numbers(html)]


def called_otherwise(site: Site, number: str, name: str) -> None:
    """The name of a case's student is corrected in a sheet."""
    with site.house.desks.borrowed() as office:
        desk = office.desk
        found = read_case(desk.connection, case_of(number) or 0)
        assert found is not None
        request = Request(trigger="facts", actor=desk.actor(school.HEAD), at=site.watch.at)
        assert write_facts(desk, {found.student_no or "": {"name": name}}, request).changed == 1


@pytest.mark.usefixtures("length")
@pytest.mark.parametrize("name", ["阿明", "左明"], ids=["to the front", "to the end"])
def test_where_the_name_at_the_end_of_a_page_was_corrected_meanwhile_the_list_begins_anew_and_says_so(
    site: Site, approver: Person, name: str
) -> None:
    first = approver.get("/queue/todo?sort=pinyin").text
    following, last = way(first, "next"), numbers(first)[-1]
    was = called(first)[-1]
    assert "顺序有变" not in first + approver.get(following).text

    called_otherwise(site, last, name)

    again = list(pages(approver, following))
    assert "顺序有变，从头看起" in again[0]
    assert "顺序有变" not in "".join(again[1:])
    assert way(again[0], "prev") == ""
    assert sorted(one for html in again for one in numbers(html)) == sorted(everything(approver))
    instead = approver.fragment(following)
    assert (instead.headers["HX-Redirect"], numbers(instead.text)) == (following, [])
    called_otherwise(site, last, was)
    assert "顺序有变" not in approver.get(following).text


def test_the_mark_in_an_address_tells_whoever_has_not_the_key_of_the_house_no_name(
    site: Site, approver: Person
) -> None:
    following = way(approver.get("/queue/todo?sort=pinyin").text, "next")
    after = following.rpartition("after=")[2]
    value = order_key(called(approver.get("/queue/todo?sort=pinyin").text)[-1])
    case = case_of(after.partition("~")[2])

    def read(key: bytes) -> Cursor | None:
        return Ends(key=key, gone=lambda _order, _case: value).of(
            Filter(sort="pinyin", after=after), lambda _case: None
        )

    with site.house.desks.borrowed() as office:
        assert read(office.key) == (value, case)
    assert read(b"of another house") is None


@pytest.mark.usefixtures("length")
@pytest.mark.parametrize("name", ["阿明", "左明"], ids=["to the front", "to the end"])
def test_nobody_is_left_out_or_taken_twice_while_the_name_at_the_end_of_a_page_is_corrected(
    site: Site, approver: Person, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = offered(approver.get("/queue/todo?sort=pinyin").text)
    every = [row[0] for row in sheet(approver, form)[1:]]

    def reading(connection: Connection, cases: Sequence[int]) -> Mapping[int, Found]:
        found = read_cases(connection, cases)
        if case_number(cases[-1]) == str(every[7]).replace("-", ""):
            called_otherwise(site, case_number(cases[-1]), name)
        return found

    monkeypatch.setattr(tables, "read_cases", reading)
    rows = sheet(approver, form)[1:]

    assert len(every) == 60
    assert [row[0] for row in rows] == every


@pytest.mark.usefixtures("length")
def test_a_program_is_told_that_its_page_is_the_first_again(site: Site) -> None:
    program = Program(site, evening.APPROVER, "read")
    first = program.get("/queue/todo?sort=pinyin").json()
    address = f"/queue/todo?sort=pinyin&after={first['next']}"
    assert (first["anew"], program.get(address).json()["anew"]) == (False, False)

    called_otherwise(site, first["cases"][-1]["number"], "阿明")

    again = program.get(address).json()
    assert again["anew"]
    assert again["cases"] == program.get("/queue/todo?sort=pinyin").json()["cases"]
