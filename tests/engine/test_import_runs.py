"""Sheets on their way in, as both databases keep them: one worker at a time, and nothing kept that nobody takes in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.store import import_runs
from engine.store.database import Connection
from engine.store.import_runs import CONFIRMED, KEPT, SILENCE, FaultRow, Run, Stage, Wanted
from engine.trail.event import moment
from tests.engine.town import NOW, Town

WHO, OTHER = "records.sx", "records.kf"
LATER = NOW + timedelta(minutes=5)


def run(name: str, login: str = WHO, stage: Stage = Stage.READY) -> Run:
    return Run(
        id=name, login=login, kind="facts", options="", name=f"{name}.xlsx", sha256="f" * 64, size=3, stage=stage,
        read=0, told="", made_at=moment(NOW), beat_at=None, done_at=None, expires_at=moment(NOW + KEPT),
    )  # fmt: skip


@pytest.fixture
def connection(town: Town) -> Connection:
    with town.connection.writing():
        import_runs.add_run(town.connection, run("one"), b"abc")
    return town.connection


def fault(line: int, header: str, sort: str, *, is_warning: bool = False) -> FaultRow:
    return FaultRow(is_warning, line, header, f"A{line}", "x", sort, "错", "wrong")


def test_a_sheet_is_its_senders_alone(connection: Connection):
    found = import_runs.run_of(connection, "one", WHO)
    assert found == run("one")
    assert import_runs.body_of(connection, "one") == b"abc"
    assert import_runs.run_of(connection, "one", OTHER) is None
    assert import_runs.runs_of(connection, OTHER, 9) == []


def test_one_works_on_a_sheet_until_it_has_not_been_heard_of_for_a_while(connection: Connection):
    with connection.writing():
        assert import_runs.take(connection, "one", Stage.COMMITTING, NOW, CONFIRMED)
        assert not import_runs.take(connection, "one", Stage.COMMITTING, NOW, CONFIRMED), "somebody alive is at it"
        import_runs.beat(connection, "one", LATER, 500)
        soon = LATER + SILENCE - timedelta(seconds=1)
        assert not import_runs.take(connection, "one", Stage.COMMITTING, soon, CONFIRMED)
        late = LATER + SILENCE + timedelta(seconds=1)
        assert import_runs.take(connection, "one", Stage.COMMITTING, late, CONFIRMED)
        assert not import_runs.take(connection, "one", Stage.CHECKING, late, ())


def test_what_is_done_is_remembered_by_its_bytes_and_its_sheet_is_kept_no_more(connection: Connection):
    assert import_runs.taken_in_before(connection, "facts", "f" * 64) is None
    with connection.writing():
        import_runs.put_faults(connection, "one", [fault(2, "姓名", "a")])
        assert not import_runs.hold(connection, "one", Stage.COMMITTING)
        assert import_runs.hold(connection, "one", Stage.READY)
        import_runs.settle(connection, "one", Stage.DONE, "{}", LATER)
    done = import_runs.run_of(connection, "one", WHO)
    assert done is not None
    assert (done.stage, done.has_body, done.done_at) == (Stage.DONE, False, moment(LATER))
    before = import_runs.taken_in_before(connection, "facts", "f" * 64)
    assert before is not None
    assert (before.who, before.at, before.run) == (WHO, moment(LATER), "one")
    assert import_runs.taken_in_before(connection, "roster", "f" * 64) is None
    assert import_runs.every_fault(connection, "one") == []


def test_cells_come_by_row_or_by_kind_of_one_column_and_a_page_at_a_time(connection: Connection):
    rows = [fault(2, "姓名", "b"), fault(3, "手机", "a"), fault(4, "姓名", "a"), fault(5, "姓名", "c", is_warning=True)]
    with connection.writing():
        import_runs.put_faults(connection, "one", rows)

    def lines(**wanted: object) -> tuple[list[int], int]:
        found, total = import_runs.faults_of(connection, "one", Wanted(**wanted))  # type: ignore[arg-type]  # as a test says
        return [one.line for one in found], total

    assert lines() == ([2, 3, 4], 3)
    assert lines(order="kind") == ([3, 4, 2], 3)
    assert lines(header="姓名") == ([2, 4], 2)
    assert lines(header="姓名", sort="a") == ([4], 1)
    assert lines(first=1, limit=1) == ([3], 3)
    assert lines(is_warning=True) == ([5], 1)
    assert import_runs.every_fault(connection, "one") == rows


def test_what_nobody_takes_in_is_forgotten_after_a_week_and_what_was_taken_in_is_not(connection: Connection):
    with connection.writing():
        import_runs.settle(connection, "one", Stage.DONE, "{}", LATER)
        import_runs.add_run(connection, run("two"), b"abc")
        import_runs.put_faults(connection, "two", [fault(2, "姓名", "b")])
        later = NOW + KEPT + timedelta(seconds=1)
        late = run("three")._replace(made_at=moment(later), expires_at=moment(later + KEPT))
        import_runs.add_run(connection, late, b"abc")
    assert {one.id for one in import_runs.runs_of(connection, (WHO,), 9)} == {"one", "three"}
    with connection.writing():
        import_runs.forget(connection, moment(later + KEPT - timedelta(seconds=1)))
    assert len(import_runs.runs_of(connection, (WHO,), 9)) == 2, "not before its time"
    with connection.writing():
        import_runs.drop_run(connection, "three")
        import_runs.drop_run(connection, "one")
    assert [one.id for one in import_runs.runs_of(connection, (WHO,), 9)] == ["one"], "what is done cannot be given up"


def test_what_is_taken_in_is_numbered_by_the_day_and_found_by_its_number(town: Town):
    connection, begins = town.connection, NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    day, next_day = (begins, begins + timedelta(days=1)), (begins + timedelta(days=1), begins + timedelta(days=2))
    with connection.writing():
        for name, number in (("one", "0520-01"), ("two", "0520-02"), ("three", "0520%")):
            import_runs.add_run(connection, run(name), b"abc")
            assert import_runs.place_in_day(connection, day) == int(number[5:] or 3)
            import_runs.settle(connection, name, Stage.DONE, f'{{"number":"{number}"}}', NOW)
        assert import_runs.place_in_day(connection, next_day) == 1
    assert [one.id for one in import_runs.runs_of(connection, (WHO,), 9, "0520-02")] == ["two"]
    assert [one.id for one in import_runs.runs_of(connection, (WHO,), 9, "0520%")] == ["three"], (
        "no sign stands for others"
    )
    assert import_runs.runs_of(connection, OTHER, 9, "0520-02") == []


def test_a_run_is_silent_once_nobody_was_heard_of_for_long():
    heard = run("one")._replace(beat_at=moment(NOW))
    assert [heard.is_silent(NOW + SILENCE), heard.is_silent(NOW + 2 * SILENCE), run("two").is_silent(NOW)] == [
        False, True, True,
    ]  # fmt: skip
