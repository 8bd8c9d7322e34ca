"""The database goes away, fills up or is held by another: an error that says so, nothing by half, and work goes on."""

from collections.abc import Callable

import psycopg
import pytest

from console.wiring import Office
from engine import bulk, casework
from engine.bulk import move_many
from engine.casework import move
from engine.records import Moved
from engine.store import bulk as store_bulk
from engine.store import cases, database
from engine.store.database import Busy
from tests.sabotage.office import Premises, asked, attempt, everything, replayed, rows


def lose_the_connection(office: Office, other: Office) -> None:
    """The server ends the session, as a restart or a broken network does."""
    backend = rows(office.desk.connection, "SELECT pg_backend_pid()")[0][0]
    other.desk.connection.execute("SELECT pg_terminate_backend(?, 5000)", (backend,))


def before(act: Callable[..., object], happens: Callable[[], None]) -> Callable[..., object]:
    """An act before which something else happens."""

    def disturbed(*given: object) -> object:
        happens()
        return act(*given)

    return disturbed


def test_a_connection_lost_between_deciding_and_keeping_leaves_nothing(postgres_premises, monkeypatch):
    with postgres_premises.furnished() as other:
        was = everything(other.desk.connection)
        with postgres_premises.opened() as office:
            monkeypatch.setattr(casework, "keep", before(cases.keep, lambda: lose_the_connection(office, other)))
            with pytest.raises(psycopg.OperationalError, match="terminating connection"):
                move(office.desk, 1, asked(office.desk, "operator.one", "apply"))
        monkeypatch.undo()

        assert everything(other.desk.connection) == was
        with postgres_premises.opened() as next_office:
            answer = move(next_office.desk, 1, asked(next_office.desk, "operator.one", "apply"))
            assert isinstance(answer, Moved)
            assert replayed(next_office).diverged == ()


def test_a_connection_lost_in_the_middle_of_a_chunk_leaves_nothing_of_it(postgres_premises, monkeypatch):
    with postgres_premises.furnished() as other:
        was = everything(other.desk.connection)
        with postgres_premises.opened() as office:
            lost = before(store_bulk.extend_many, lambda: lose_the_connection(office, other))
            monkeypatch.setattr(bulk, "extend_many", lost)
            with pytest.raises(psycopg.OperationalError, match="terminating connection"):
                move_many(office.desk, [(1, 1), (2, 1)], asked(office.desk, "operator.one", "apply"))
        monkeypatch.undo()

        assert everything(other.desk.connection) == was
        with postgres_premises.opened() as next_office:
            request = asked(next_office.desk, "operator.one", "apply")
            assert move_many(next_office.desk, [(1, 1), (2, 1)], request).moved == [1, 2]


def test_who_finds_the_database_held_hears_so_in_both_languages_and_may_try_again(sqlite_premises, monkeypatch):
    monkeypatch.setattr(database, "_PATIENCE_SECONDS", 0.1)
    with sqlite_premises.furnished() as office, sqlite_premises.opened() as holder:
        request = asked(office.desk, "operator.one", "apply")
        with holder.desk.connection.writing():
            held = attempt(lambda: move(office.desk, 1, request))

        assert isinstance(held, Busy)
        assert "数据库被占用" in str(held)
        assert "try again" in str(held)
        assert isinstance(move(office.desk, 1, request), Moved)


def test_a_full_disk_says_so_writes_nothing_and_is_no_obstacle_once_there_is_room(sqlite_premises):
    with sqlite_premises.furnished(200) as office:
        connection = office.desk.connection
        pages = rows(connection, "PRAGMA page_count")[0][0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        was, everybody = everything(connection), [(case, 1) for case in range(1, 201)]
        request = asked(office.desk, "operator.one", "apply")

        with pytest.raises(Exception, match="full"):
            move_many(office.desk, everybody, request)

        assert everything(connection) == was
        connection.execute("PRAGMA max_page_count = 1000000")
        assert len(move_many(office.desk, everybody, request).moved) == 200
        assert replayed(office).diverged == ()


def test_a_database_that_may_only_be_read_can_be_read_and_says_why_nothing_moves(sqlite_premises):
    with sqlite_premises.furnished() as office:
        file = sqlite_premises.url.removeprefix("sqlite:///")
        read_only = Premises(url=f"sqlite:///file:{file}?mode=ro&uri=true", key=sqlite_premises.key)
        was = everything(office.desk.connection)

        with read_only.opened() as reader:
            assert replayed(reader).diverged == ()
            with pytest.raises(Exception, match="readonly"):
                move(reader.desk, 1, asked(reader.desk, "operator.one", "apply"))

        assert everything(office.desk.connection) == was
