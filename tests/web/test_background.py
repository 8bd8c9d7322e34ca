"""What goes on while a page waits: whatever breaks ends its run with a number, and a run that lives is left alone."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console.demo import evening, school
from console.web import background
from console.web.auditing import working
from engine.store.database import Connection
from tests.web.conftest import Person, Site
from tests.web.test_bulk_decisions import chosen, done, moves, ready, said
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
    assert auditor.post("/audit/findings/export", {"batch": school.BATCH}).status_code in (200, 303)


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
    with changed(site) as raw:
        raw.execute("DROP TRIGGER breaks")
    person.post(f"{address}/retry")

    found = _NUMBER.search(text)
    assert found is not None, said(text)
    assert "已办的不会再办一次" in text
    assert "中途出错 3" in said(text)
    assert found[1] in person.get(f"{address}/rows?outcome=broken").text
    assert "IntegrityError" in in_the_log(capsys.readouterr().out, found[1])
    assert [moves(site, number) for number in numbers] == [1, 1, 1]
