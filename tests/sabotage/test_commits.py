"""Promise 2: state, event and messages commit together or not at all; nobody hears of what did not happen, or twice."""

import pytest

from engine import bulk, casework
from engine.errors import StaleCase
from engine.facts import write_facts
from engine.records import Moved, Repeated
from engine.store.database import INTEGRITY_ERRORS, Connection
from tests.sabotage.builds import breaks_under
from tests.sabotage.office import asked, asked_to_leave, attempt, decided, everything, kept, rows, state_of, student_no
from tests.sabotage.switches import (
    DISK_NOT_AWAITED,
    EVERY_STATEMENT_FOR_ITSELF,
    MESSAGES_BEFORE_THE_DEED,
    REQUEST_IDS_FORGOTTEN,
)


def obstruct(connection: Connection, table: str) -> None:
    """Let the database refuse every new row of a table, as a full disk or a lost constraint would."""
    connection.execute(
        f"CREATE TRIGGER obstacle BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no room'); END"
        if connection.is_sqlite
        else f"ALTER TABLE {table} ADD CONSTRAINT obstacle CHECK (false) NOT VALID"
    )


def test_a_step_leaves_its_state_its_event_and_its_message(premises):
    with premises.furnished() as office:
        answer = casework.move(office.desk, 1, asked(office.desk, "operator.one", "apply"))

        assert isinstance(answer, Moved)
        assert state_of(office.desk.connection, 1) == "applied"
        assert rows(office.desk.connection, "SELECT seq FROM event WHERE chain = 1") == [(1,), (2,)]
        assert rows(office.desk.connection, "SELECT seq, recipient FROM outbox WHERE chain = 1") == [(2, "student")]


@pytest.mark.parametrize("table", ["event", "outbox"])
@breaks_under(EVERY_STATEMENT_FOR_ITSELF)
def test_a_step_that_cannot_write_all_of_itself_writes_nothing(build, premises, table):
    with build.tried(), premises.furnished() as office:
        obstruct(office.desk.connection, table)
        before = everything(office.desk.connection)

        answer = attempt(lambda: casework.move(office.desk, 1, asked(office.desk, "operator.one", "apply")))

        assert isinstance(answer, INTEGRITY_ERRORS)
        assert everything(office.desk.connection) == before


@breaks_under(EVERY_STATEMENT_FOR_ITSELF)
def test_a_bulk_step_that_cannot_write_its_messages_moves_nobody(build, premises):
    with build.tried(), premises.furnished() as office:
        obstruct(office.desk.connection, "outbox")
        before = everything(office.desk.connection)
        request = asked(office.desk, "operator.one", "apply")

        answer = attempt(lambda: bulk.move_many(office.desk, [(1, 1), (2, 1), (3, 1)], request))

        assert isinstance(answer, INTEGRITY_ERRORS)
        assert everything(office.desk.connection) == before


@pytest.mark.parametrize("table", ["event", "personal"])
@breaks_under(EVERY_STATEMENT_FOR_ITSELF)
def test_facts_that_cannot_be_sealed_or_recorded_are_not_changed(build, sqlite_premises, table):
    with build.tried(), sqlite_premises.furnished() as office:
        obstruct(office.desk.connection, table)
        before = everything(office.desk.connection)
        request = asked(office.desk, "records", "facts")

        answer = attempt(lambda: write_facts(office.desk, {student_no(1): {"name": "测试新"}}, request))

        assert isinstance(answer, INTEGRITY_ERRORS)
        assert everything(office.desk.connection) == before


@breaks_under(MESSAGES_BEFORE_THE_DEED)
def test_nobody_is_told_of_a_step_that_lost_its_race(build, premises):
    with build.tried(), premises.furnished() as office:
        first = decided(office.desk, 1, asked(office.desk, "operator.one", "apply"))
        second = decided(office.desk, 1, asked_to_leave(office.desk))
        kept(office.desk, first)
        lost = attempt(lambda: kept(office.desk, second))

        assert isinstance(lost, StaleCase)
        assert rows(office.desk.connection, "SELECT recipient, message FROM outbox") == [("student", "moved")]


@breaks_under(REQUEST_IDS_FORGOTTEN)
def test_a_request_sent_twice_is_carried_out_once_and_answered_twice(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished() as office:
        request = asked(office.desk, "operator.one", "apply", request_id="page-1")

        first = casework.move(office.desk, 1, request)
        again = attempt(lambda: casework.move(office.desk, 1, request))

        assert isinstance(first, Moved)
        assert isinstance(again, Repeated)
        assert (again.moved, again.state) == (True, first.case.state)
        assert rows(office.desk.connection, "SELECT count(*) FROM outbox") == [(1,)]


@breaks_under(DISK_NOT_AWAITED)
def test_sqlite_answers_only_after_the_disk_has_the_step(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished() as office:
        mode = rows(office.desk.connection, "PRAGMA journal_mode")[0][0]
        level = rows(office.desk.connection, "PRAGMA synchronous")[0][0]

        assert (mode, level) in {("wal", 2), ("delete", 3)}  # 2 is FULL, 3 is EXTRA
