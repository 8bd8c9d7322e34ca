"""What the two databases promise: one winner, all or nothing, and a schema that can be rebuilt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import String
from sqlalchemy.dialects import sqlite
from sqlmodel import Session, select

from engine.casework import move
from engine.errors import StaleCase, Unknown
from engine.facts import write_facts
from engine.library import Library
from engine.records import Json, Moved, Refused, Repeated
from engine.store import schema, students, tables
from engine.store.cases import Keeping, extend, keep
from engine.store.database import INTEGRITY_ERRORS, Connection, Unreachable, journal_of, open_engine
from engine.trail.chain import Scribe
from engine.trail.event import EventKind, Written, moment
from tests.engine.town import FIRST, KEY, LOG, NOW, SECOND, Town, town_at


def an_event(town: Town, case: int) -> Written:
    """The next event of a case as of now, made by hand."""
    event: dict[str, Json] = {"at": moment(NOW), "actor": "a", "data": {"trigger": "apply"}}
    return Scribe(LOG, KEY).write(case, town.by_id(case).head, EventKind.MOVED, event)


def test_of_two_who_decide_from_the_same_page_one_wins_and_the_other_is_told(town: Town, other_clerk: Town):
    seen = town.case(FIRST).revision
    assert isinstance(town.take(FIRST, "apply", "operator.s1", seen=seen), Moved)
    rows = town.counts()
    with pytest.raises(StaleCase) as caught:
        other_clerk.take(FIRST, "suspend", "records.sx", seen=seen)
    assert (caught.value.seen, caught.value.now) == (seen, seen + 1)
    assert town.case(FIRST).number in str(caught.value)
    assert town.counts() == rows, "nothing half written: no event, no message"


def test_a_step_decided_on_a_case_that_moved_meanwhile_writes_nothing_at_all(town: Town, other_clerk: Town):
    """The version predicate itself: both have read, one has written, the other now writes."""
    before = town.case(FIRST)
    event = an_event(town, before.id)
    other_clerk.take(FIRST, "apply", "operator.s1")
    rows = town.counts()
    late = Keeping(before=before, after=before._replace(state="withdrawn"), event=event, told=(("student", "moved"),))
    with pytest.raises(StaleCase):
        keep(town.connection, late)
    assert town.counts() == rows
    assert town.case(FIRST).state == "applied"


def test_inside_a_transaction_too_a_lost_race_writes_nothing(town: Town, other_clerk: Town):
    before = town.case(FIRST)
    event = an_event(town, before.id)
    other_clerk.take(FIRST, "apply", "operator.s1")
    rows = town.counts()
    late = Keeping(before=before, after=before._replace(state="withdrawn"), event=event, told=(("student", "moved"),))
    with pytest.raises(StaleCase), town.connection.writing():
        keep(town.connection, late)
    assert town.counts() == rows


def test_a_chain_that_grew_without_the_case_changing_is_decided_again_not_refused(town: Town, other_clerk: Town):
    before = town.case(FIRST)
    event = an_event(town, before.id)
    assert extend(other_clerk.connection, before, an_event(other_clerk, before.id))
    assert keep(town.connection, Keeping(before=before, after=before, event=event)) is False
    assert isinstance(town.take(FIRST, "apply", "operator.s1", seen=before.revision), Moved)


def test_a_refusal_extends_the_chain_without_making_open_pages_stale(town: Town):
    town.know(FIRST, fee_owed="120.50")
    before = town.case(FIRST)
    for again in (1, 2, 3):
        assert isinstance(town.take(FIRST, "apply", "operator.s1", seen=before.revision), Refused)
        after = town.case(FIRST)
        assert (after.revision, after.head.seq) == (before.revision, before.head.seq + again)
    assert isinstance(town.take(FIRST, "suspend", "records.sx", seen=before.revision), Moved)


def test_a_repeated_request_is_given_its_first_answer_and_writes_nothing(town: Town, other_clerk: Town):
    seen = town.case(FIRST).revision
    first = town.take(FIRST, "apply", "operator.s1", id="r-1", seen=seen)
    assert isinstance(first, Moved)
    rows = town.counts()
    for clerk in (town, other_clerk):
        again = clerk.take(FIRST, "apply", "operator.s1", id="r-1", seen=seen)
        assert again == Repeated(trigger="apply", number=first.case.number, moved=True, state="applied")
    assert town.counts() == rows


def test_a_repeated_request_that_was_refused_is_refused_again_without_an_event(town: Town):
    town.know(FIRST, fee_owed="120.50", terms_passed=None)
    first = town.take(FIRST, "apply", "operator.s1", id="r-1")
    assert isinstance(first, Refused)
    town.know(FIRST, fee_owed="0.00", terms_passed=5)
    rows = town.counts()
    again = town.take(FIRST, "apply", "operator.s1", id="r-1")
    assert isinstance(again, Repeated)
    assert (again.moved, again.state) == (False, "enrolled")
    assert (again.failed, again.undecided) == (first.failed, first.undecided)
    assert town.counts() == rows


def test_a_request_of_another_id_is_a_new_request(town: Town):
    town.advance(FIRST, "registered")
    for request in ("r-1", "r-2"):
        assert isinstance(town.take(FIRST, "annotate_lost", "records.sx", id=request), Moved)
    assert isinstance(town.take(FIRST, "annotate_lost", "records.sx", id="r-2"), Repeated)


def test_the_database_itself_refuses_a_second_event_at_the_same_place(town: Town):
    case = town.record(FIRST)
    insert = "INSERT INTO event (chain, seq, body, hash, mac) VALUES (?, ?, ?, ?, ?)"
    with pytest.raises(INTEGRITY_ERRORS), town.connection.writing():
        town.connection.execute(insert, (case, 1, b"", b"", b""))


@pytest.mark.parametrize("fact", ["id_number", "exam_no", "certificate_no"])
def test_the_database_itself_refuses_a_second_student_with_a_unique_fact(town: Town, fact: str):
    rows, taken = town.counts(), town.facts(SECOND)[fact]
    with pytest.raises(INTEGRITY_ERRORS):
        town.know(FIRST, **{fact: taken})
    assert town.counts() == rows
    assert town.facts(FIRST)[fact] != taken
    assert town.replayed().diverged == ()


def test_a_changed_fact_makes_an_open_page_stale(town: Town, other_clerk: Town):
    seen = town.case(FIRST).revision
    other_clerk.know(FIRST, fee_owed="1280.50")
    with pytest.raises(StaleCase):
        town.take(FIRST, "apply", "operator.s1", seen=seen)


def test_a_fact_no_rule_of_the_case_reads_leaves_the_page_fresh(town: Town):
    seen = town.case(FIRST).revision
    town.know(FIRST, politics="群众")
    assert town.case(FIRST).revision == seen


def test_a_fact_of_one_student_leaves_the_pages_of_others_fresh(town: Town):
    seen = town.case(SECOND).revision
    town.know(FIRST, fee_owed="1280.50")
    assert town.case(SECOND).revision == seen


def test_two_writers_at_once_wait_for_each_other_and_both_succeed(town: Town, other_clerk: Town):
    """On SQLite a second writer polls; on PostgreSQL the two do not meet."""
    town.connection.writing()
    assert isinstance(town.take(FIRST, "apply", "operator.s1"), Moved)
    assert isinstance(other_clerk.take(SECOND, "apply", "operator.s1"), Moved)
    assert town.replayed().diverged == ()


def test_an_exception_rolls_the_whole_transaction_back(town: Town):
    rows, before = town.counts(), town.case(FIRST)
    with town.undone():
        town.take(FIRST, "apply", "operator.s1")
        town.know(SECOND, fee_owed="1.00")
        assert town.counts() != rows
    assert (town.counts(), town.case(FIRST)) == (rows, before)
    assert isinstance(town.take(FIRST, "apply", "operator.s1"), Moved), "the connection is usable afterwards"


def test_a_reader_sees_one_moment_while_others_write(town: Town, other_clerk: Town):
    with town.connection.reading():
        before = town.case(FIRST)
        other_clerk.take(FIRST, "apply", "operator.s1")
        assert town.case(FIRST) == before
    assert town.case(FIRST).state == "applied"


def test_who_reads_while_reading_sees_the_same_moment_until_the_first_has_read(town: Town, other_clerk: Town):
    with town.connection.reading():
        before = town.case(FIRST)
        with town.connection.reading():
            assert town.case(FIRST) == before
        other_clerk.take(FIRST, "apply", "operator.s1")
        assert town.case(FIRST) == before
    assert town.case(FIRST).state == "applied"


def test_sqlite_commits_are_synchronous_and_keys_are_enforced(sqlite_district: str, library: Library):
    with town_at(sqlite_district, library) as town:
        pragma = {
            name: town.connection.execute(f"PRAGMA {name}").fetchone() for name in ("synchronous", "foreign_keys")
        }
        assert pragma["foreign_keys"] == (1,)
        assert pragma["synchronous"] in ((2,), (3,)), "FULL or EXTRA: NORMAL loses acknowledged approvals"


@pytest.mark.parametrize(
    ("version", "journal"),
    [
        ((3, 7, 0), ("DELETE", "EXTRA")),
        ((3, 40, 1), ("DELETE", "EXTRA")),
        ((3, 51, 2), ("DELETE", "EXTRA")),
        ((3, 51, 3), ("WAL", "FULL")),
        ((3, 52, 0), ("WAL", "FULL")),
    ],
)
def test_a_sqlite_that_can_corrupt_its_log_is_not_given_one(version: tuple[int, ...], journal: tuple[str, str]):
    assert journal_of(version) == journal


@pytest.mark.parametrize("url", ["mysql://somewhere/x", "xueji.db", "", "oracle://x"])
def test_any_other_address_is_refused_with_the_two_that_would_do(url: str):
    with pytest.raises(Unreachable, match=r"sqlite:///FILE or postgresql://"):
        open_engine(url)


def test_a_moment_without_a_zone_cannot_be_kept():
    kind = tables.UTC()
    with pytest.raises(ValueError, match="without a zone"):
        kind.process_bind_param(datetime(2024, 5, 13, 7, 30), sqlite.dialect())  # noqa: DTZ001 that is the point
    assert isinstance(kind.impl, String)


def test_a_moment_comes_back_as_the_same_moment_in_utc():
    kind, at = tables.UTC(), datetime(2024, 5, 13, 7, 30, 0, 5, tzinfo=timezone(timedelta(hours=8)))
    kept = kind.process_bind_param(at, sqlite.dialect())
    assert kept == "2024-05-12T23:30:00.000005Z"
    back = kind.process_result_value(kept, sqlite.dialect())
    assert back == at
    assert back is not None
    assert back.tzinfo is UTC
    assert kind.process_bind_param(None, sqlite.dialect()) is None
    assert kind.process_result_value(None, sqlite.dialect()) is None


def test_the_tables_can_be_read_as_objects(town: Town):
    engine = open_engine(town.url)
    try:
        with Session(engine) as session:
            row = session.exec(select(tables.CaseRow).where(tables.CaseRow.id == town.record(FIRST))).one()
            assert (row.state, row.opened_at) == ("enrolled", NOW)
    finally:
        engine.dispose()


def test_migrations_go_up_down_and_up_again_and_leave_no_drift(bare_database_url: str):
    engine = open_engine(bare_database_url)
    try:
        assert not schema.is_current(engine)
        schema.upgrade(engine)
        assert schema.is_current(engine)
        assert schema.drift(engine) == []
        schema.downgrade(engine, "base")
        assert not schema.is_current(engine)
        schema.upgrade(engine)
        schema.upgrade(engine)
        assert schema.drift(engine) == []
    finally:
        engine.dispose()


def test_sheets_and_their_cells_outlive_the_change_by_which_a_run_may_be_nobodys(bare_database_url: str):
    engine = open_engine(bare_database_url)
    schema.upgrade(engine, "0024")
    connection = Connection(engine)
    try:
        connection.execute("INSERT INTO account (login, created_at) VALUES ('rec', ?)", (moment(NOW),))
        sent = "INSERT INTO import_run VALUES (?, ?, 'facts', '', 'a.xlsx', '', 0, 'done', 0, '', ?, NULL, ?, ?, NULL)"
        connection.execute(sent, ("a", "rec", *[moment(NOW)] * 3))
        connection.execute("INSERT INTO import_fault VALUES ('a', 0, ?, 2, '', 'A2', '', '', '', '')", (False,))
        with pytest.raises(INTEGRITY_ERRORS):
            connection.execute(sent, ("b", "import", *[moment(NOW)] * 3))

        schema.upgrade(engine)
        connection.execute(sent, ("b", "import", *[moment(NOW)] * 3))
        with pytest.raises(INTEGRITY_ERRORS):
            connection.execute("INSERT INTO import_fault VALUES ('c', 0, ?, 2, '', 'A2', '', '', '', '')", (False,))
        assert schema.drift(engine) == []
        schema.downgrade(engine, "0024")

        kept = [connection.execute(f"SELECT {name} FROM {table}").fetchall()  # noqa: S608 as listed
                for name, table in (("id", "import_run"), ("run", "import_fault"))]  # fmt: skip
        assert [[tuple(row) for row in rows] for rows in kept] == [[("a",)], [("a",)]]
    finally:
        connection.close()
        engine.dispose()


def test_a_column_somebody_added_by_hand_is_drift(database_url: str):
    engine = open_engine(database_url)
    schema.upgrade(engine)
    connection = Connection(engine)
    try:
        connection.execute("ALTER TABLE cases ADD COLUMN shortcut text")
        assert "shortcut" in str(schema.drift(engine))
    finally:
        connection.close()
        engine.dispose()


@pytest.mark.parametrize("column", ["revision", "seq"])
def test_a_counter_never_goes_below_zero(town: Town, column: str):
    with pytest.raises(INTEGRITY_ERRORS), town.connection.writing():
        town.edit(("cases", column), -1, id=town.record(FIRST))


def test_a_case_that_is_not_there_is_unknown_by_its_number(town: Town):
    with pytest.raises(Unknown, match="办件"):
        move(town.desk, 999, town.step("apply", "operator.s1"))


def test_facts_that_somebody_else_wrote_meanwhile_are_not_overwritten(town: Town, other_clerk: Town):
    row = town.student(FIRST)
    other_clerk.know(FIRST, phone="13800000000")
    with pytest.raises(StaleCase), town.connection.writing():
        students.set_facts(town.connection, row, row.facts, row.head)
    assert town.facts(FIRST)["phone"] == "13800000000"


def test_writing_what_is_known_already_writes_nothing(town: Town):
    rows, before = town.counts(), town.case(FIRST)
    written = write_facts(town.desk, {FIRST: dict(town.facts(FIRST))}, town.request("facts", "import"))
    assert (written.changed, written.unchanged) == (0, 1)
    assert (town.counts(), town.case(FIRST)) == (rows, before)
