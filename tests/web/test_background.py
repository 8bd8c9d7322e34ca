"""What goes on while a page waits: whatever breaks ends its run with a number, and a run that lives is left alone."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest

from console.demo import evening, school
from console.taking_in import Effect, rehearsed
from console.web import background, desks
from console.web.auditing import working
from console.web.background import Task
from console.web.bulk import committing
from console.web.desks import AllTaken
from console.web.files import working as files_working
from engine.records import case_of
from engine.store.database import Busy, Connection
from tests.web.conftest import Person, Site
from tests.web.test_bulk_decisions import chosen, done, in_order, moves, ready, result, said
from tests.web.test_deciding import events
from tests.web.test_imports import FACTS, send, settled, sheet

_NUMBER = re.compile(r"编号 ([0-9A-F]{8})")


@contextmanager
def changed(site: Site) -> Iterator[Connection]:
    """The database of a house, altered past it."""
    with site.house.desks.borrowed() as office:
        yield office.desk.connection


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(400):
        if is_so():
            return
        time.sleep(0.025)
    message = "it never came to be so"
    raise AssertionError(message)


def look_for(person: Person) -> int:
    return person.post("/audit/findings", {"batch": school.BATCH}).status_code


def at_work(room: str) -> list[str]:
    names = (one.name for one in threading.enumerate())
    return [one for one in names if one.startswith(f"{room}-") and one != f"{room}-beat"]


@contextmanager
def every_place(site: Site) -> Iterator[threading.BoundedSemaphore]:
    """Nothing in the background comes to a desk."""
    places = site.house.desks._behind  # noqa: SLF001 as if others were worked on
    for _ in range(2):
        places.acquire()
    try:
        yield places
    finally:
        for _ in range(2):
            places.release()


def beat_of(site: Site, address: str) -> str:
    """When the worker of a bulk decision was last heard of."""
    with changed(site) as raw:
        sql = "SELECT beat_at FROM bulk_run WHERE id = ?"
        return str(raw.execute(sql, (address.rpartition("/")[2],)).fetchall()[0][0])


def nothing(*_asked: object) -> None:
    """Nothing is kept of it."""


def a_student(site: Site) -> str:
    """The number of a student."""
    with changed(site) as raw:
        return str(raw.execute("SELECT min(student_no) FROM student").fetchall()[0][0])


def in_the_log(said: str, number: str) -> str:
    [line] = [one for one in said.splitlines() if "broken" in one and number in one]
    return line


def test_a_look_that_breaks_ends_with_a_number_under_which_the_log_has_kind_and_place_and_is_not_begun_again(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    auditor = site.signed_in("auditor")
    with working._ONE_AT_A_TIME:  # noqa: SLF001 another look is being worked out
        assert look_for(auditor) == 303
        with changed(site) as raw:
            raw.execute("UPDATE audit_run SET asked = '{secret'")
    text = done(auditor, f"/audit/findings?batch={school.BATCH}")
    site.watch.pass_by(minutes=5)
    later = auditor.get(f"/audit/findings?batch={school.BATCH}")

    found = _NUMBER.search(text)
    assert found is not None, said(text)
    line = in_the_log(capsys.readouterr().out, found[1])
    assert "DecodeError" in line
    assert "findings.py:" in line
    assert "secret" not in line
    assert "Refresh" not in later.headers
    assert found[1] in later.text
    assert at_work("audit") == []
    assert look_for(auditor) == 303, "and it may be begun once more"
    assert "查了 8 项" in said(done(auditor, f"/audit/findings?batch={school.BATCH}"))
    book = auditor.post("/audit/findings/export", {"batch": school.BATCH})
    assert (book.status_code, book.content[:2]) == (200, b"PK")


def test_a_look_that_waits_its_turn_is_heard_of_and_nobody_who_looks_has_it_begun_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "BEAT", 0.02)
    auditor = site.signed_in("auditor")
    with working._ONE_AT_A_TIME:  # noqa: SLF001 another look is being worked out
        look_for(auditor)
        begun_at = _beat_at(site)
        site.watch.pass_by(minutes=5)
        until(lambda: _beat_at(site) > begun_at)
        page = auditor.get(f"/audit/findings?batch={school.BATCH}")
        assert "Refresh" in page.headers
        assert "排队等候：前面还有别的后台任务" in page.text
        assert len(at_work("audit")) == 1
    assert "查了 8 项" in said(done(auditor, f"/audit/findings?batch={school.BATCH}"))


def _beat_at(site: Site) -> str:
    with changed(site) as raw:
        return str(raw.execute("SELECT max(beat_at) FROM audit_run").fetchall()[0][0])


def test_nobody_has_more_than_three_worked_on_at_once_and_is_told_so_in_words(site: Site) -> None:
    auditor = site.signed_in("auditor")
    with working._ONE_AT_A_TIME:  # noqa: SLF001 another look is being worked out
        assert [look_for(auditor) for _ in range(4)] == [303, 303, 303, 429]
        refused = auditor.post("/audit/findings", {"batch": school.BATCH})
        assert "您已有 3 项在后台办理，没有再开始" in refused.text
        assert len(at_work("audit")) == 3
    done(auditor, f"/audit/findings?batch={school.BATCH}")
    until(lambda: at_work("audit") == [])
    assert look_for(auditor) == 303, "one is done, another may begin"
    done(auditor, f"/audit/findings?batch={school.BATCH}")


def test_a_run_whose_process_is_gone_keeps_nobody_from_beginning_another(site: Site) -> None:
    auditor = site.signed_in("auditor")
    with working._ONE_AT_A_TIME:  # noqa: SLF001 another look is being worked out
        for _ in range(3):
            look_for(auditor)
        site.watch.pass_by(minutes=5)
        assert look_for(auditor) == 303
    until(lambda: at_work("audit") == [])


def test_a_sheet_that_breaks_while_it_is_checked_is_told_with_a_number_and_nothing_is_written(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with changed(site) as raw:
        raw.execute(
            "CREATE TRIGGER breaks BEFORE UPDATE ON import_run WHEN NEW.stage IN ('ready', 'again')"
            " BEGIN SELECT RAISE(ABORT, 'secret'); END"
        )
        number = raw.execute("SELECT student_no FROM student ORDER BY student_no LIMIT 1").fetchall()[0][0]
    clerk = site.signed_in(school.HEAD)
    address = send(clerk, FACTS, sheet(tmp_path, [{"student_no": number, "fee_owed": "7.00"}])).headers["location"]
    page = settled(clerk, address)

    found = _NUMBER.search(page)
    assert found is not None, page
    assert "没有改动任何数据" in page
    line = in_the_log(capsys.readouterr().out, found[1])
    assert "IntegrityError" in line
    assert "secret" not in line
    site.watch.pass_by(minutes=5)
    assert "Refresh" not in clerk.get(address).headers


def test_a_bulk_decision_that_breaks_is_told_with_a_number_and_trying_again_decides_nothing_twice(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    person = site.signed_in(evening.APPROVER)
    numbers = ready(person)[:3]
    address = chosen(person, *numbers)
    with changed(site) as raw:
        raw.execute(
            "CREATE TRIGGER breaks BEFORE UPDATE ON bulk_row WHEN NEW.outcome = 'moved'"
            " BEGIN SELECT RAISE(ABORT, 'secret'); END"
        )
    assert person.post(f"{address}/commit").status_code == 303
    text = done(person, address)
    rows = person.get(f"{address}/rows?outcome=broken").text
    with changed(site) as raw:
        raw.execute("DROP TRIGGER breaks")
    again = person.post(f"{address}/retry").headers["location"]

    found = _NUMBER.search(text)
    assert found is not None, said(text)
    assert "已办的不会再办一次" in text
    assert "中途出错 3" in said(text), "its events are committed, and that could not even be noted"
    assert found[1] in rows
    assert "IntegrityError" in in_the_log(capsys.readouterr().out, found[1])
    assert again == address
    assert result(person, again) == "同意 3"
    assert "整批撤回" in person.get(again).text
    assert [moves(site, number) for number in numbers] == [1, 1, 1]


def test_what_was_decided_before_a_bulk_decision_broke_is_told_as_decided_and_the_rest_can_be_tried_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committing, "CHUNK", 2)
    person = site.signed_in(evening.APPROVER)
    numbers = in_order(ready(person)[:5])
    address = chosen(person, *numbers)
    with changed(site) as raw:  # the second chunk is committed, and that it was cannot be kept with its sign of life
        raw.execute(
            "CREATE TRIGGER breaks BEFORE UPDATE ON bulk_run WHEN NEW.stage = 'running' AND OLD.stage = 'running'"
            " AND (SELECT count(*) FROM bulk_row WHERE run = NEW.id AND outcome = 'moved') > 2"
            " BEGIN SELECT RAISE(ABORT, 'secret'); END"
        )
    person.post(f"{address}/commit")
    text = said(done(person, address))
    with changed(site) as raw:
        raw.execute("DROP TRIGGER breaks")

    assert "批量同意：中断" in text
    assert "同意 4 中途出错 1" in text
    assert "整批撤回" in text
    assert [moves(site, number) for number in numbers] == [1, 1, 1, 1, 0]
    again = person.post(f"{address}/retry").headers["location"]
    person.post(f"{again}/commit")
    assert result(person, again) == "同意 1"
    assert [moves(site, number) for number in numbers] == [1] * 5


def test_a_withdrawal_that_broke_is_told_with_a_number_and_goes_on_until_each_is_withdrawn_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committing, "CHUNK", 1)
    person = site.signed_in(evening.APPROVER)
    numbers = in_order(ready(person)[:3])
    address = chosen(person, *numbers)
    person.post(f"{address}/commit")
    done(person, address)
    with changed(site) as raw:
        raw.execute(
            "CREATE TRIGGER breaks BEFORE UPDATE ON bulk_row WHEN NEW.outcome = 'withdrawn'"
            f" AND NEW.case_id = {case_of(numbers[1])} BEGIN SELECT RAISE(ABORT, 'secret'); END"
        )
    person.post(f"{address}/withdraw")
    broken = done(person, address)
    rows = person.get(f"{address}/rows?outcome=moved").text
    with changed(site) as raw:
        raw.execute("DROP TRIGGER breaks")

    found = _NUMBER.search(broken)
    assert found is not None, said(broken)
    assert "批量撤回：中断" in broken
    assert "重试" not in said(broken), "what was decided is not to be decided"
    assert "同意 2 已撤回 1" in said(broken)
    assert found[1] in rows
    person.post(f"{address}/withdraw")
    assert result(person, address) == "已撤回 3"
    assert [kinds(site, number) for number in numbers] == [["moved", "retracted"]] * 3


def kinds(site: Site, number: str) -> list[str]:
    """The last two things that happened to a case."""
    return [one["kind"] for one in events(site, number)][-2:]


@pytest.mark.parametrize(
    "problem", [AllTaken(), Busy(), psycopg.errors.DeadlockDetected()], ids=lambda one: type(one).__name__
)
def test_who_only_met_others_at_work_has_not_broken_and_is_heard_of_no_more(
    site: Site, capsys: pytest.CaptureFixture[str], problem: Exception
) -> None:
    broken: list[str] = []

    def work() -> None:
        raise problem

    def broke(_beside: Connection, _at: datetime, number: str) -> None:
        broken.append(number)

    background.begin(site.house, Task(room="try", run="1", work=work, beat=nothing, broke=broke))
    until(lambda: at_work("try") == [])

    assert broken == []
    assert f"kind={type(problem).__name__}" in capsys.readouterr().out


def test_a_bulk_decision_that_finds_every_desk_taken_is_not_broken_and_goes_on_at_a_later_look(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "_PATIENCE", 0.1)
    person = site.signed_in(evening.APPROVER)
    numbers = ready(person)[:3]
    address = chosen(person, *numbers)
    with every_place(site) as places:
        person.post(f"{address}/commit")
        until(lambda: site.house.desks.waits(address.rpartition("/")[2]))
        with ExitStack() as sitting:
            for _ in range(4):
                sitting.enter_context(site.house.desks.borrowed())
            places.release()
            until(lambda: at_work("bulk") == [])
            places.acquire()
    site.watch.pass_by(minutes=1)

    assert result(person, address) == "同意 3"
    assert [moves(site, number) for number in numbers] == [1, 1, 1]


def test_a_sheet_that_found_the_database_busy_is_checked_after_all_at_a_later_look(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [Busy()]

    def busy_at_first(*asked: object) -> Effect:
        if left:
            raise left.pop()
        return rehearsed(*asked)  # type: ignore[arg-type] # as it was asked

    monkeypatch.setattr(files_working, "rehearsed", busy_at_first)
    clerk = site.signed_in(school.HEAD)
    address = send(clerk, FACTS, sheet(tmp_path, [{"student_no": a_student(site), "fee_owed": "7.00"}])).headers[
        "location"
    ]
    until(lambda: at_work("import") == [])
    assert left == []
    assert "Refresh" in clerk.get(address).headers
    site.watch.pass_by(minutes=2)

    assert "1 行" in settled(clerk, address)


def test_however_many_are_worked_on_in_the_background_pages_are_answered_and_who_waits_is_told_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "_PATIENCE", 0.1)
    monkeypatch.setattr(background, "BEAT", 0.02)
    with every_place_taken(site):
        person = site.signed_in(evening.APPROVER)
        numbers = ready(person)[:3]
        address = chosen(person, *numbers)
        person.post(f"{address}/commit")
        begun_at = beat_of(site, address)
        site.watch.pass_by(minutes=5)
        until(lambda: beat_of(site, address) > begun_at)

        waiting = person.get(address)
        assert "排队等候" in waiting.text
        assert "Refresh" in waiting.headers
        assert len(at_work("bulk")) == 1, "it is heard of, so nobody begins it again"
    assert result(person, address) == "同意 3"


@contextmanager
def every_place_taken(site: Site) -> Iterator[None]:
    """Six runs are at work in the background, or wait to be."""
    go, inside = threading.Event(), []

    def sit(number: str) -> None:
        with site.house.desks.borrowed_for(number):
            inside.append(number)
            go.wait()

    every = [str(number) for number in range(6)]
    for one in every:
        work = partial(sit, one)
        background.begin(site.house, Task(room="try", run=one, work=work, beat=nothing, broke=nothing))
    try:
        until(lambda: len(inside) + sum(map(site.house.desks.waits, every)) == 6)
        yield
    finally:
        go.set()


def test_a_look_for_findings_that_waits_for_a_free_desk_says_that_it_waits(site: Site) -> None:
    auditor, address = site.signed_in("auditor"), f"/audit/findings?batch={school.BATCH}"
    with every_place_taken(site):
        look_for(auditor)
        until(lambda: "排队等候" in auditor.get(address).text)
        page = auditor.get(address)
        assert "Refresh" in page.headers
        assert "正在查找" not in page.text
    assert "查了 8 项" in said(done(auditor, address))


def test_a_sheet_is_taken_in_or_checked_again_only_by_who_has_less_than_three_at_work(
    site: Site, tmp_path: Path
) -> None:
    clerk = site.signed_in(school.HEAD)
    bodies = [sheet(tmp_path, [{"student_no": a_student(site), "fee_owed": f"{fee}.00"}]) for fee in range(7, 11)]
    first = send(clerk, FACTS, bodies[0]).headers["location"]
    settled(clerk, first)
    with every_place(site):
        begun = [send(clerk, FACTS, body).status_code for body in bodies[1:]]
        refused = clerk.post(f"{first}/commit")
        with changed(site) as raw:  # as if it were a package that may be checked once more
            raw.execute("UPDATE import_run SET kind = 'photos' WHERE id = ?", (first.rpartition("/")[2],))
        again = clerk.post(f"{first}/collections")
        with changed(site) as raw:
            raw.execute("UPDATE import_run SET kind = 'facts' WHERE id = ?", (first.rpartition("/")[2],))
        assert begun == [303, 303, 303]
        assert (refused.status_code, again.status_code, "您已有 3 项在后台办理" in refused.text) == (429, 429, True)
    until(lambda: at_work("import") == [])
    assert clerk.post(f"{first}/commit").status_code == 303
    assert "已导入" in settled(clerk, first)
