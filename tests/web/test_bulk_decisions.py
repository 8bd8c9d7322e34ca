"""Deciding on many cases at once: what was ticked and nothing else, one event for each case, never two."""

from __future__ import annotations

import re
import time
from html import unescape

from console.demo import evening
from engine.records import case_of
from tests.web.conftest import Person, Site

_TICK = re.compile(r'name="case" value="([^"]+)" form="bulk" data-tick="case"( checked)?')


def ready(person: Person) -> list[str]:
    page = person.get("/queue/todo?lane=ready").text
    return [number for number, ticked in _TICK.findall(page) if ticked]


def chosen(person: Person, *numbers: str, everything: bool = False) -> str:
    form = {"trigger": trigger(person), "filter": "", "case": list(numbers)}
    answer = person.post("/bulk", {**form, **({"everything": "1"} if everything else {})})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def trigger(person: Person) -> str:
    found = re.search(r'name="trigger" value="([^"]+)" data-key="b"', person.get("/queue/todo").text)
    assert found is not None
    return unescape(found[1])


def done(person: Person, address: str) -> str:
    for _ in range(100):
        page = person.get(address)
        if "Refresh" not in page.headers:
            return page.text
        time.sleep(0.1)
    message = "the run never ended"
    raise AssertionError(message)


def moves(site: Site, number: str) -> int:
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute(
            "SELECT count(*) FROM event WHERE chain = ? AND request LIKE '%/%'", (case_of(number.replace("-", "")),)
        ).fetchone()
    assert rows is not None
    return int(rows[0])


def test_a_whole_lane_is_approved_with_one_event_each_and_what_needs_a_closer_look_is_left_out(site: Site):
    person = site.signed_in(evening.APPROVER)
    numbers = ready(person)
    assert len(numbers) == 47
    address = chosen(person, *numbers, everything=True)
    counted = re.search(r"\d+ 件：[^<]+", person.get(address).text)
    assert counted is not None
    assert counted[0].strip() == "60 件：47 可办 · 5 需细看（不在内）· 8 不可办"
    assert [moves(site, one) for one in numbers] == [0] * 47, "a preview writes nothing"
    assert person.post(f"{address}/commit", {}).status_code == 303
    assert person.post(f"{address}/commit", {}).status_code == 303, "pressed twice"
    assert " 47 · 情况有变 0 · 没有办成 0" in done(person, address)
    assert [moves(site, one) for one in numbers] == [1] * 47


def test_the_whole_run_is_withdrawn_case_by_case(site: Site):
    person = site.signed_in(evening.APPROVER)
    numbers = ready(person)[:3]
    address = chosen(person, *numbers)
    person.post(f"{address}/commit", {})
    done(person, address)
    person.post(f"{address}/withdraw", {})
    assert "已撤回 3 · 不能撤回 0" in person.get(address).text
    assert set(numbers) <= set(ready(person))


def test_a_case_somebody_else_decided_meanwhile_is_told_and_not_decided_twice(site: Site):
    first, second = site.signed_in(evening.APPROVER), site.signed_in(evening.SECOND)
    numbers = ready(first)[:3]
    one, other = chosen(first, *numbers), chosen(second, *numbers)
    first.post(f"{one}/commit", {})
    assert " 3 · 情况有变 0" in done(first, one)
    second.post(f"{other}/commit", {})
    assert " 0 · 情况有变 3" in done(second, other)
    assert [moves(site, number) for number in numbers] == [1] * 3


def test_a_run_whose_worker_died_before_it_told_goes_on_at_the_next_look_and_decides_nothing_twice(site: Site):
    person = site.signed_in(evening.APPROVER)
    numbers = ready(person)[:3]
    address = chosen(person, *numbers)
    person.post(f"{address}/commit", {})
    done(person, address)
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        run = address.rpartition("/")[2]
        office.desk.connection.execute("UPDATE bulk_run SET stage = 'running' WHERE id = ?", (run,))
        office.desk.connection.execute("UPDATE bulk_row SET outcome = 'can' WHERE run = ?", (run,))
    site.watch.pass_by(minutes=1)
    assert " 3 · 情况有变 0" in done(person, address)
    assert [moves(site, number) for number in numbers] == [1] * 3


def test_nobody_else_sees_a_run(site: Site):
    person = site.signed_in(evening.APPROVER)
    address = chosen(person, *ready(person)[:2])
    assert site.signed_in(evening.SECOND).get(address).status_code == 404
    assert person.get(f"{address}/rows").status_code == 200
    assert person.get(f"{address}/rows.xlsx").content.startswith(b"PK")
