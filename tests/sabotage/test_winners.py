"""Promise 3: of two people deciding the same case at once one wins, and the other hears it."""

from engine import casework
from engine.errors import StaleCase
from engine.records import Moved
from engine.store import cases, database
from engine.store.bulk import keep_many
from engine.store.database import INTEGRITY_ERRORS, Busy
from tests.sabotage.builds import although, breaks_under
from tests.sabotage.office import (
    Premises,
    asked,
    asked_to_leave,
    attempt,
    decided,
    everything,
    kept,
    replayed,
    rows,
    state_of,
)
from tests.sabotage.switches import (
    NEITHER_PREDICATE_NOR_KEY,
    NO_UNIQUE_KEY,
    NO_VERSION_PREDICATE,
    NO_WRITERS_PLACE,
    OLD_PAGES_WELCOME,
)


@breaks_under(NO_VERSION_PREDICATE)
def test_who_decided_on_a_case_that_moved_meanwhile_gets_a_readable_conflict(build, premises):
    with build.tried(), premises.furnished() as office:
        first = decided(office.desk, 1, asked(office.desk, "operator.one", "apply"))
        second = decided(office.desk, 1, asked(office.desk, "operator.two", "apply"))
        kept(office.desk, first)
        before = everything(office.desk.connection)

        lost = attempt(lambda: kept(office.desk, second))

        assert isinstance(lost, StaleCase)
        assert first.before.number in str(lost)
        assert everything(office.desk.connection) == before


@breaks_under(NO_VERSION_PREDICATE)
def test_a_chunk_decided_before_others_moved_its_cases_leaves_those_alone(build, postgres_url, tmp_path):
    with build.tried(), Premises(url=postgres_url, key=tmp_path / "log.key").furnished() as office:
        late = [decided(office.desk, case, asked(office.desk, "operator.two", "apply")) for case in (1, 2, 3)]
        kept(office.desk, decided(office.desk, 2, asked(office.desk, "operator.one", "apply")))

        with office.desk.connection.writing():
            won = attempt(lambda: keep_many(office.desk.connection, late))

        assert won == {1, 3}
        assert replayed(office).diverged == ()


@breaks_under(NO_UNIQUE_KEY)
def test_the_database_itself_refuses_a_second_event_in_the_same_place(build, premises):
    with build.tried(), premises.furnished() as office:
        first = decided(office.desk, 1, asked(office.desk, "operator.one", "apply"))
        second = decided(office.desk, 1, asked(office.desk, "operator.two", "apply"))
        kept(office.desk, first)

        refused = attempt(lambda: cases.write_events(office.desk.connection, [second.event]))

        assert isinstance(refused, INTEGRITY_ERRORS)


@breaks_under(although(NO_VERSION_PREDICATE), although(NO_UNIQUE_KEY), NEITHER_PREDICATE_NOR_KEY)
def test_of_two_decisions_from_the_same_page_one_is_in_the_trail(build, premises):
    with build.tried(), premises.furnished() as office:
        first = decided(office.desk, 1, asked(office.desk, "operator.one", "apply"))
        second = decided(office.desk, 1, asked_to_leave(office.desk))
        kept(office.desk, first)
        attempt(lambda: kept(office.desk, second))

        assert rows(office.desk.connection, "SELECT count(*) FROM event WHERE chain = 1 AND seq = 2") == [(1,)]
        assert replayed(office).diverged == ()


@breaks_under(OLD_PAGES_WELCOME)
def test_a_page_older_than_the_case_decides_nothing(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished() as office, sqlite_premises.opened() as other:
        page = 1
        assert isinstance(casework.move(other.desk, 1, asked(other.desk, "operator.two", "apply")), Moved)

        answer = attempt(
            lambda: casework.move(office.desk, 1, asked(office.desk, "approver.one", "site_return", seen=page))
        )

        assert isinstance(answer, StaleCase)
        assert (answer.seen, answer.now) == (1, 2)
        assert state_of(office.desk.connection, 1) == "applied"


@breaks_under(NO_WRITERS_PLACE)
def test_on_sqlite_nobody_writes_between_reading_a_case_and_keeping_it(build, sqlite_premises, monkeypatch):
    monkeypatch.setattr(database, "_PATIENCE_SECONDS", 0.05)
    with build.tried(), sqlite_premises.furnished() as office, sqlite_premises.opened() as other:
        with office.desk.connection.deciding():
            cases.read_case(office.desk.connection, 1)
            answer = attempt(lambda: casework.move(other.desk, 1, asked(other.desk, "operator.two", "apply")))

        assert isinstance(answer, Busy)
        assert isinstance(casework.move(other.desk, 1, asked(other.desk, "operator.two", "apply")), Moved)


def test_a_decision_is_taken_anew_when_only_the_chain_has_grown(sqlite_premises):
    with sqlite_premises.furnished(fee_owed="1.00") as office:
        stale = casework.move(office.desk, 1, asked(office.desk, "operator.one", "apply"))
        again = casework.move(office.desk, 1, asked(office.desk, "operator.two", "apply", seen=1))

        assert type(stale) is type(again)
        assert rows(office.desk.connection, "SELECT revision, seq FROM cases WHERE id = 1") == [(1, 3)]
