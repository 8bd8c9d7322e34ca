"""Deciding on many cases at once: what was ticked and nothing else, one event for each case, never two."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from html import unescape
from typing import Any

import httpx
import orjson
import pytest

from console.demo import evening, school
from console.web.bulk import committing
from console.web.queue import waiting
from console.wiring import Office
from engine.facts import write_facts
from engine.records import Request, case_number, case_of
from engine.store import bulk_runs
from engine.store.bulk_runs import Outcome
from engine.store.cases import read_case
from tests.web.conftest import Person, Site
from tests.web.test_deciding import events
from tests.web.test_queue import numbers

_WHY = "电子照片不是本人近照，请重采后再报"
_ANOTHER_WHY = "毕业论文题目与提交的论文不一致，请核对"
TICK = re.compile(r'name="case" value="([^"]+)" form="bulk" data-tick="case"( checked)?')
SHOWN = re.compile(r'name="shown" value="([^"]*)"')


def ready(person: Person) -> list[str]:
    page = person.get("/queue/todo?lane=ready").text
    return [number for number, ticked in TICK.findall(page) if ticked]


def in_order(numbers: Iterable[str]) -> list[str]:
    """Cases in the order in which a run decides on them."""
    return sorted(numbers, key=lambda one: case_of(one) or 0)


def chosen(person: Person, *numbers: str, everything: bool = False) -> str:
    """The run of some cases; with everything, all of the queue but those of its first page without a tick."""
    form = {"trigger": trigger(person), "filter": "", "case": list(numbers)}
    shown = SHOWN.findall(person.get("/queue/todo").text) if everything else []
    answer = person.post("/bulk", {**form, "shown": shown, **({"everything": "1"} if everything else {})})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def trigger(person: Person) -> str:
    found = re.search(r'name="trigger" value="([^"]+)" data-key="b"', person.get("/queue/todo?lane=ready").text)
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


def _request(office: Office, site: Site) -> Request:
    return Request(trigger="import", actor=office.desk.actor(school.HEAD), at=site.watch.at)


def said(html: str) -> str:
    """The text of a page as people read it."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def result(person: Person, address: str) -> str:
    """What became of a run, once it is over."""
    text = said(done(person, address))
    return text[text.index("办完") : text.index("回到待办")].partition(" ")[2].strip()


def test_a_whole_lane_is_approved_with_one_event_each_and_what_needs_a_closer_look_is_left_out(site: Site):
    person = site.signed_in(evening.APPROVER)
    numbers = ready(person)
    assert len(numbers) == 47
    address = chosen(person, *numbers, everything=True)
    page = person.get(address).text
    assert "60 件： 47 可办 · 5 需细看（不在内） · 8 不可办" in said(page)
    for why, many in (("有电子照片", 5), ("档案已审核并填写教学点意见", 2), ("各级由不同人员办理", 1)):
        assert f"{why} {many}" in said(page)
    assert [moves(site, one) for one in numbers] == [0] * 47, "a preview writes nothing"
    assert person.post(f"{address}/commit", {}).status_code == 303
    assert person.post(f"{address}/commit", {}).status_code == 303, "pressed twice"
    assert result(person, address) == "同意 47"
    assert [moves(site, one) for one in numbers] == [1] * 47
    rows = person.get(f"{address}/rows?outcome=look").text
    assert len(re.findall(r'<th scope="row"', rows)) == 5


def test_from_the_second_page_only_what_is_ticked_there_is_decided(site: Site):
    person = site.signed_in(evening.APPROVER)
    page = second_page(person)
    here = numbers(page)

    form = posting(page, without=here[3])

    assert "everything" not in form
    assert kept(site, person.post("/bulk", form)) == {*here} - {here[3]}


def test_everything_from_the_second_page_is_everything_but_what_has_no_tick_there(site: Site):
    person = site.signed_in(evening.APPROVER)
    page = second_page(person)
    left_out = numbers(page)[3]

    run = person.post("/bulk", {**posting(page, without=left_out), "everything": "1"})

    assert kept(site, run) == {*ready(person)} - {left_out}


def test_a_row_without_a_tick_stays_out_though_others_have_pushed_it_to_another_page(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    person = site.signed_in(evening.APPROVER)
    page = person.get("/queue/todo").text
    left_out = numbers(page)[-1]
    form = posting(page, without=left_out)
    assert form["everything"] == "1"
    every = ready(person)
    monkeypatch.setattr(waiting, "PAGE", 30)

    assert kept(site, person.post("/bulk", form)) == {*every} - {left_out}


def second_page(person: Person) -> str:
    found = re.search(r'rel="next" href="([^"]+)"', person.get("/queue/todo").text)
    assert found is not None
    return person.get(unescape(found[1])).text


def posting(page: str, *, without: str) -> dict[str, object]:
    """What the form of a page posts as it comes, one tick taken away."""
    part = page[page.index('<form id="bulk"') :]
    asked = re.search(r'name="trigger" value="([^"]+)" data-key="b"', part)
    hidden = {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', part)}
    everything = re.search(r'name="everything" value="1"[^>]* checked', part)
    assert asked is not None
    return {
        **hidden, "trigger": unescape(asked[1]), **({"everything": "1"} if everything else {}),
        "case": [one for one, ticked in TICK.findall(part) if ticked and one != without],
    }  # fmt: skip


def kept(site: Site, answer: httpx.Response) -> set[str]:
    """The cases of a run that can be decided on."""
    run = str(answer.headers["location"]).rpartition("/")[2]
    with site.house.desks.borrowed() as office:
        rows = bulk_runs.rows_of(office.desk.connection, run)
    return {case_number(one.case) for one in rows if one.outcome is Outcome.CAN}


def test_the_whole_run_is_withdrawn_case_by_case(site: Site):
    person, second = site.signed_in(evening.APPROVER), site.signed_in(evening.SECOND)
    numbers = ready(person)[:3]
    address = chosen(person, *numbers)
    person.post(f"{address}/commit", {})
    assert "秒内，还没有告诉任何人" in done(person, address)
    site.watch.pass_by(minutes=1)
    assert "秒内" not in person.get(address).text
    person.post(f"/cases/{numbers[0]}/withdraw", {"reason": "看错了", "request": "x"})

    person.post(f"{address}/withdraw", {})
    person.post(f"{address}/withdraw", {})

    assert result(person, address) == "已撤回 2 不能撤回，已有人接着办 1"
    assert set(numbers) <= set(ready(person))
    assert "秒内" not in second.get("/queue/todo").text


def test_that_nobody_was_told_yet_is_said_only_as_long_as_it_is_true_of_the_first_that_was_decided(site: Site):
    person = site.signed_in(evening.APPROVER)
    numbers = in_order(ready(person)[:3])
    address = chosen(person, *numbers)
    person.post(f"{address}/commit", {})
    assert "秒内，还没有告诉任何人" in done(person, address)
    with site.house.desks.borrowed() as office, office.desk.connection.writing():  # its server died before the last one
        run, last = address.rpartition("/")[2], case_of(numbers[2])
        office.desk.connection.execute("UPDATE bulk_run SET stage = 'running' WHERE id = ?", (run,))
        office.desk.connection.execute("UPDATE bulk_row SET outcome = 'can' WHERE run = ? AND case_id = ?", (run, last))
    site.watch.pass_by(minutes=1)

    assert result(person, address) == "同意 3"
    page = person.get(address).text
    assert "秒内" not in page, "it ended just now, and the mails of the first have gone"
    assert "整批撤回" in page


def test_a_case_somebody_else_decided_meanwhile_is_told_and_not_decided_twice(site: Site):
    first, second = site.signed_in(evening.APPROVER), site.signed_in(evening.SECOND)
    numbers = ready(first)[:3]
    one, other = chosen(first, *numbers), chosen(second, *numbers)
    first.post(f"{one}/commit", {})
    assert result(first, one) == "同意 3"
    second.post(f"{other}/commit", {})
    assert result(second, other) == "同意 0 情况有变，没有办 3"
    assert [moves(site, number) for number in numbers] == [1] * 3

    again = second.post(f"{other}/retry", {}).headers["location"]

    assert again == f"{other}/rows?outcome=changed,refused,broken", "none of them waits any more: the list of them"
    assert all(number in second.get(again).text for number in numbers)


def test_what_was_decided_by_nobody_is_tried_again_as_it_stands_now(site: Site):
    first, second = site.signed_in(evening.APPROVER), site.signed_in(evening.SECOND)
    numbers = ready(first)[:2]
    address = chosen(first, *numbers)
    one = chosen(second, numbers[0])
    second.post(f"{one}/commit", {})
    done(second, one)
    second.post(f"{one}/withdraw", {})
    assert result(second, one) == "已撤回 1"
    first.post(f"{address}/commit", {})
    assert result(first, address) == "同意 1 情况有变，没有办 1"

    again = first.post(f"{address}/retry", {}).headers["location"]

    first.post(f"{again}/commit", {})
    assert result(first, again) == "同意 1"


def test_a_case_that_has_come_to_need_a_closer_look_since_is_not_decided_in_bulk(site: Site):
    person = site.signed_in(evening.APPROVER)
    numbers = ready(person)[:2]
    address = chosen(person, *numbers)
    with site.house.desks.borrowed() as office:
        row = read_case(office.desk.connection, case_of(numbers[0]) or 0)
        assert row is not None
        for answer in (False, True):
            facts = {str(row.student_no): {"electronic_photo": answer}}
            write_facts(office.desk, facts, _request(office, site))

    person.post(f"{address}/commit", {})

    assert result(person, address) == "同意 1 情况有变，没有办 1"
    assert [moves(site, number) for number in numbers] == [0, 1]


def test_many_are_sent_back_for_one_reason_that_each_student_reads(site: Site):
    person = site.signed_in(evening.APPROVER)
    numbers = ready(person)[:3]
    first = chosen(person, *numbers)
    assert "改为退回修改…" in person.get(first).text
    address = person.post(f"{first}/instead", {"trigger": "site_return"}).headers["location"]
    assert "3 可办" in said(person.get(address).text)

    short = person.post(f"{address}/commit", {"reason": "不全"})
    assert short.status_code == 422
    assert "要 10 到 500 个字，现在 2 个" in short.text
    assert ">不全</textarea>" in short.text
    assert [moves(site, number) for number in numbers] == [0] * 3
    person.post(f"{address}/commit", {"reason": _WHY})

    assert result(person, address) == "退回修改 3"
    told = [events(site, number)[-1]["data"] for number in numbers]
    assert {(one["trigger"], one["reason"]) for one in told} == {("site_return", _WHY)}


def test_who_proved_to_be_there_too_long_ago_is_asked_once_more_on_the_page(site: Site):
    person = site.signed_in(evening.APPROVER)
    numbers = ready(person)[:2]
    address = chosen(person, *numbers)
    assert 'name="proof"' not in person.get(address).text
    site.watch.pass_by(minutes=16)
    assert 'name="proof"' in person.get(address).text

    wrong = person.post(f"{address}/commit", {"proof": "not this one"})
    assert wrong.status_code == 422
    assert 'name="proof"' in wrong.text
    none = person.post(f"{address}/commit", {})
    assert none.headers["location"].startswith("/sign-in/again?")
    assert [moves(site, number) for number in numbers] == [0, 0]
    assert person.post(f"{address}/commit", {"proof": evening.PASSWORD}).status_code == 303

    assert result(person, address) == "同意 2"


def test_above_a_teaching_point_a_sample_is_opened_first(site: Site):
    person = site.signed_in(school.AUDITING)
    page = person.get("/queue/todo?lane=ready&wf=diploma-registration").text
    numbers = [number for number, ticked in TICK.findall(page) if ticked][:12]
    address = chosen(person, *numbers)
    page = person.get(address).text
    sample = set(re.findall(rf'<li><a href="{address}/sample/(\w+)"', page))
    assert len(sample) == min(10, int(re.findall(r">(\d+) 可办</a>", page)[0])) > 0
    assert sample <= set(numbers)

    assert person.post(f"{address}/commit", {}).status_code == 422
    assert f"先打开抽看的 {len(sample)} 件" in person.get(address).text
    for number in sample:
        person.get(f"/cases/{number}")

    assert f"（已看 {len(sample)}）" in person.get(address).text
    assert 'type="submit" autofocus' in person.get(address).text


def test_a_case_somebody_else_is_at_is_named_and_can_be_left_out(site: Site):
    person, second = site.signed_in(evening.APPROVER), site.signed_in(evening.SECOND)
    numbers = ready(person)[:2]
    second.get(f"/queue/todo?case={numbers[0]}")
    address = chosen(person, *numbers)
    assert "王建国正在处理" in person.get(address).text

    person.post(f"{address}/leave-out", {"case": numbers[0]})

    person.post(f"{address}/commit", {})
    assert result(person, address) == "同意 1"
    assert [moves(site, number) for number in numbers] == [0, 1]


def test_what_is_left_out_in_another_tab_once_the_run_has_begun_stays_in_its_result(site: Site):
    person = site.signed_in(evening.APPROVER)
    numbers = ready(person)[:2]
    address = chosen(person, *numbers)
    run, case = address.rpartition("/")[2], case_of(numbers[0])
    assert case is not None
    with site.house.desks.borrowed() as office, office.desk.connection.writing():
        assert bulk_runs.take(office.desk.connection, run, site.watch.at), "confirmed between the look and the deed"
        bulk_runs.leave_out(office.desk.connection, run, case)
    site.watch.pass_by(minutes=1)

    assert result(person, address) == "同意 2"
    person.post(f"{address}/withdraw", {})
    assert result(person, address) == "已撤回 2"


def test_of_two_confirmations_at_one_moment_students_read_the_reason_of_the_one_that_began(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    person, elsewhere = site.signed_in(evening.APPROVER), site.signed_in(evening.APPROVER)
    numbers = ready(person)[:3]
    first = chosen(person, *numbers)
    address = person.post(f"{first}/instead", {"trigger": "site_return"}).headers["location"]
    begin, is_there, is_begun = committing.begin, threading.Event(), threading.Event()
    other = threading.Thread(target=lambda: elsewhere.post(f"{address}/commit", {"reason": _ANOTHER_WHY}))

    def beginning(*asked: Any) -> None:
        if other.ident is None:  # the first gives the second time to come as far
            other.start()
            is_there.wait(5)
            begin(*asked)
            is_begun.set()
        else:
            is_there.set()
            is_begun.wait(5)
            begin(*asked)

    monkeypatch.setattr(committing, "begin", beginning)
    person.post(f"{address}/commit", {"reason": _WHY})
    other.join()

    assert result(person, address) == "退回修改 3"
    assert {events(site, number)[-1]["data"]["reason"] for number in numbers} == {_WHY}


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
    assert result(person, address) == "同意 3"
    assert [moves(site, number) for number in numbers] == [1] * 3


def test_nobody_else_sees_a_run(site: Site):
    person = site.signed_in(evening.APPROVER)
    address = chosen(person, *ready(person)[:2])
    assert site.signed_in(evening.SECOND).get(address).status_code == 404
    assert person.get(f"{address}/rows").status_code == 200
    assert site.signed_in(evening.SECOND).post(f"{address}/rows.xlsx").status_code == 404


def test_what_is_taken_along_of_a_run_asks_who_is_there_and_is_told(site: Site):
    person = site.signed_in(evening.APPROVER)
    address = chosen(person, *ready(person)[:2])
    assert person.post(f"{address}/rows.xlsx").content.startswith(b"PK")
    with site.house.desks.borrowed() as office:
        bodies = office.desk.connection.execute("SELECT body FROM event ORDER BY id DESC LIMIT 1").fetchall()
    told = orjson.loads(bytes(bodies[0][0]))
    assert (told["kind"], told["actor"], told["data"]["cases"]) == ("exported", evening.APPROVER, 2)
    site.watch.pass_by(minutes=16)
    again = person.post(f"{address}/rows.xlsx")
    assert again.headers["location"].startswith("/sign-in/again?"), "who has gone away in between"


def test_what_ends_a_record_is_filled_in_first_confirmed_and_asks_who_is_there_once_more(site: Site):
    person = site.signed_in(school.ACCEPTING)
    page = person.get("/queue/todo?wf=diploma-registration&lane=ready").text
    numbers = [number for number, _ in TICK.findall(page)][:3]
    first = person.post("/bulk", {"trigger": "withdraw", "case": numbers}).headers["location"]
    asked = person.get(first).text
    assert "3 件： 0 可办 · 0 需细看（不在内） · 3 不可办" in said(asked)
    given = {"field-reason_code": "voluntary", "field-decided_on": "2024-05-14", "field-document_no": "示范〔2024〕7号"}
    assert all(f'name="{name}"' in asked for name in given)

    address = person.post(f"{first}/instead", {"trigger": "withdraw", **given}).headers["location"]

    page = person.get(address).text
    assert "注销学籍 3 件？ 办完以后不能更改，也不能撤销。" in said(page)
    assert "先打开抽看的 3 件" in page
    for number in numbers:
        person.get(f"/cases/{number}")
    site.watch.pass_by(minutes=16)
    assert 'name="proof"' in person.get(address).text
    assert person.post(f"{address}/commit", {}).headers["location"].startswith("/sign-in/again?")
    person.post(f"{address}/commit", {"proof": evening.PASSWORD})
    assert result(person, address) == "注销学籍 3"
    assert "撤" not in said(done(person, address)).partition("导出")[2].partition("演练")[0]
    told = [events(site, number)[-1]["data"] for number in numbers]
    assert {(one["trigger"], one["to"]) for one in told} == {("withdraw", "withdrawn")}
