"""Every table is taken along as it is shown: narrowed alike, all of it, after a proof, and the trail says so."""

from __future__ import annotations

import re
from html import unescape
from io import BytesIO

import pytest
from openpyxl import load_workbook

from console.demo import evening, school
from tests.web.conftest import Person, Site
from tests.web.test_bulk_decisions import chosen, done, ready
from tests.web.test_lists import at_work

_FORM = re.compile(
    r'<form class="xj-inline xj-no-print" method="post" action="(/exports/[^"]+)">(.*?)</form>', re.DOTALL
)
_FILTER = re.compile(r'name="filter" value="([^"]*)"')


def offered(page: str) -> tuple[str, dict[str, str]]:
    """The one export a page offers: its address, and what is posted there."""
    [(address, body)] = _FORM.findall(page)
    said = _FILTER.search(body)
    return unescape(address), {} if said is None else {"filter": unescape(said[1])}


def taken(person: Person, page: str) -> list[tuple[object, ...]]:
    """The rows of the table of a page, with its heads, as the page offers it."""
    answer = person.post(*offered(page))
    assert answer.status_code == 200, answer.text
    sheet = load_workbook(BytesIO(answer.content)).worksheets[0]
    return list(sheet.iter_rows(values_only=True))


def told(site: Site) -> list[str]:
    """What the trail says of what was taken along."""
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT body FROM event WHERE chain = 0 ORDER BY seq").fetchall()
    return [bytes(body).decode() for (body,) in rows if b'"exported"' in bytes(body)]


def decided(person: Person, many: int) -> None:
    """Somebody has approved some cases at once."""
    address = chosen(person, *ready(person)[:many])
    person.post(f"{address}/commit", {})
    done(person, address)


def found(person: Person) -> str:
    """The page of a search for somebody with several cases."""
    page = person.get("/queue/todo?lane=ready").text
    number = re.findall(r"\b20\d{11}\b", page)[0]
    return str(person.post("/find", {"q": number}).headers["location"])


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("/queue/todo", "queue"),
        ("/queue/todo?lane=blocked", "queue"),
        ("/queue/todo?caution=sent-back&sort=number", "queue"),
        ("/queue/done", "done"),
        ("found", "found"),
        (f"/batches/{school.BATCH}/cases?key=filed", "batch"),
        (f"/batches/{school.BATCH}/cases?key=open&level=专科", "batch"),
        ("/lists", "lists"),
        ("/lists?show=open", "lists"),
    ],
)
def test_a_table_is_taken_along_as_it_is_shown_and_the_trail_says_which_and_names_nobody(
    site: Site, address: str, kind: str
):
    person = site.signed_in(evening.APPROVER)
    decided(person, 3)
    page = person.get(found(person) if address == "found" else address).text

    heads, *rows = taken(person, page)

    assert all(re.match(r"[一-鿿、]+ [A-Za-z]", str(head)) for head in heads), heads
    numbers = {str(row[0]).replace("-", "") for row in rows}
    shown = {one.replace("-", "") for one in re.findall(r'href="/(?:cases|lists)/([0-9A-Z-]{8,9})"', page)}
    assert numbers
    assert len(numbers) == len(rows) or kind == "done"
    assert shown <= numbers, "everything the page shows is in it"
    [event] = told(site)
    assert f'"kind":"{kind}"' in event
    assert f'"cases":{len(rows)}' in event
    if kind != "lists":
        people = {str(row[place]) for row in rows for place in (1, 2)}
        assert not any(one in event for one in people)


def test_more_than_a_page_is_taken_along_with_what_narrows_it(site: Site):
    person = site.signed_in(evening.APPROVER)
    for address, least in (("/queue/todo", 60), (f"/batches/{school.BATCH}/cases?key=expected", 51)):
        assert len(taken(person, person.get(address).text)) > least
    whole = taken(person, person.get("/queue/todo").text)[1:]
    lane = taken(person, person.get("/queue/todo?lane=ready").text)[1:]
    assert [row for row in whole if row[7] == "可直接办"] == lane


def test_the_members_of_a_list_are_taken_along_as_their_page_narrows_them(site: Site):
    desk = at_work(site)
    for part in ("", "?in=F-01", "?in=F-02"):
        page = desk.handler.get(f"{desk.address}{part}").text
        heads, *rows = taken(desk.handler, page)
        assert len(rows) == page.count('<th scope="row">') > 0
        assert {str(row[1]) for row in rows} == set(re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', page))
        assert "姓名 Name" in heads
    elsewhere = site.signed_in(school.operator(school.SITES[1].code))
    assert elsewhere.post(*offered(desk.handler.get(desk.address).text)).status_code == 404


def test_whoever_gave_no_proof_for_a_while_is_asked_once_more_and_strangers_get_nothing(site: Site):
    person = site.signed_in(evening.APPROVER)
    decided(person, 1)
    forms = [offered(person.get(one).text) for one in ("/queue/todo", "/queue/done", "/lists", found(person))]
    other = site.signed_in(evening.SECOND)
    assert other.post(*forms[-1]).status_code == 404, "what a search found is who searched's"
    site.watch.pass_by(minutes=16)
    for address, form in forms:
        assert person.post(address, form).headers["location"].startswith("/sign-in/again"), address
    assert told(site) == []
    assert site.signed_in("auditor").post(*forms[0]).status_code == 404
    assert site.signed_in("auditor").post(*forms[2]).status_code == 200
    assert person.post("/exports/nothing", {}).status_code == 404


def test_what_one_opened_and_was_told_of_is_taken_along_too(site: Site):
    operator = site.signed_in(evening.OPERATOR)
    for which, what in (("mine", "决定 Decisions"), ("copies", "消息 Messages")):
        answer = operator.post(f"/exports/{which}", {})
        [heads, *_] = list(load_workbook(BytesIO(answer.content)).worksheets[0].iter_rows(values_only=True))
        assert heads[5] == what
