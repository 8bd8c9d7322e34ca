"""Promise 6: the log is evidence. Who changes it, or a row it speaks of, is found by reading it back."""

from hashlib import sha256

import pytest

from console.wiring import Office
from engine import casework
from engine.records import Moved
from engine.store.database import Connection
from tests.engine.tampering import tamper
from tests.sabotage.builds import breaks_under
from tests.sabotage.office import asked, events, replayed, rows
from tests.sabotage.switches import (
    BYTES_BELIEVED,
    CONSTANT_MAC,
    EMPTY_COMMITMENTS,
    ROWS_BELIEVED,
    TIDIED_HISTORY,
    UNLINKED_EVENTS,
)

FORGERIES = {
    "altered": "UPDATE event SET body = ? WHERE chain = 1 AND seq = 2",
    "taken out": "DELETE FROM event WHERE chain = 1 AND seq = 1 AND ? IS NOT NULL",
    "moved to another case": "UPDATE event SET chain = 2 WHERE chain = 1 AND seq = 2 AND ? IS NOT NULL",
    "given another MAC": "UPDATE event SET mac = ? WHERE chain = 1 AND seq = 2",
}
REWRITTEN = {
    "state": "UPDATE cases SET state = 'registered' WHERE id = 1",
    "who took which step": "UPDATE cases SET taken = '{}' WHERE id = 1",
    "facts": "UPDATE student SET facts = replace(facts, '合格', '缺考') WHERE id = 1",
    "end of the chain": "DELETE FROM event WHERE chain = 1 AND seq = 2",
}


def tagged(body: bytes) -> bytes:
    """The hash of an event, as docs promise it to whoever checks without us."""
    return sha256(b"xueji/event/v1\n" + body).digest()


def applied(office: Office) -> Connection:
    """One student has applied, and the trail adds up."""
    assert isinstance(casework.move(office.desk, 1, asked(office.desk, "operator.one", "apply")), Moved)
    assert replayed(office).diverged == ()
    return office.desk.connection


def found(office: Office) -> list[str]:
    """The chains in which replay finds something, in words."""
    return [one.chain for one in replayed(office).diverged]


@breaks_under(UNLINKED_EVENTS)
def test_anybody_can_check_with_sha_256_alone_that_each_event_names_the_one_before(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished() as office:
        casework.move(office.desk, 1, asked(office.desk, "operator.one", "apply"))
        connection = office.desk.connection

        for chain in (1, 2, -1, 0):
            stored = rows(connection, "SELECT body, hash FROM event WHERE chain = ? ORDER BY seq", chain)
            hashes = [tagged(body) for body, _ in stored]
            assert [digest for _, digest in stored] == hashes
            named = [one["prev"] for one in events(connection, chain)]
            assert named == [bytes(32).hex(), *(digest.hex() for digest in hashes[:-1])]


@breaks_under(CONSTANT_MAC)
def test_who_can_write_the_database_but_has_no_key_cannot_write_a_genuine_event(build, premises):
    with build.tried(), premises.furnished() as office:
        connection = applied(office)
        genuine = rows(connection, "SELECT body FROM event WHERE chain = 1 AND seq = 2")[0][0]
        forged = genuine.replace(b"operator.one", b"operator.two")

        rewrite = "UPDATE event SET body = ?, hash = ? WHERE chain = 1 AND seq = 2"
        tamper(connection, rewrite, (forged, tagged(forged)))
        connection.execute(
            "UPDATE cases SET head = ?, taken = replace(taken, 'operator.one', 'operator.two') WHERE id = 1",
            (tagged(forged),),
        )

        assert [one.seq for one in replayed(office).diverged] == [2]


@pytest.mark.parametrize("forgery", FORGERIES)
@breaks_under(BYTES_BELIEVED)
def test_an_event_that_is_not_as_it_was_written_is_found(build, sqlite_premises, forgery):
    with build.tried(), sqlite_premises.furnished() as office:
        connection = applied(office)

        tamper(connection, FORGERIES[forgery], (b'{"v":1}',))

        assert found(office)


@pytest.mark.parametrize("what", REWRITTEN)
@breaks_under(ROWS_BELIEVED)
def test_a_row_changed_behind_the_back_of_the_trail_is_found(build, sqlite_premises, what):
    with build.tried(), sqlite_premises.furnished() as office:
        connection = applied(office)

        tamper(connection, REWRITTEN[what])

        assert len(found(office)) == 1


@breaks_under(EMPTY_COMMITMENTS)
def test_a_personal_value_changed_wherever_it_is_kept_is_still_found(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished() as office:
        connection = applied(office)
        old, new = "测试1".encode(), "测试9".encode()
        sealed = rows(connection, "SELECT body FROM personal WHERE chain = -1")[0][0]

        tamper(connection, "UPDATE personal SET body = ? WHERE chain = -1", (sealed.replace(old, new),))
        connection.execute("UPDATE student SET facts = replace(facts, '测试1', '测试9') WHERE id = 1")

        assert len(found(office)) == 1


@breaks_under(TIDIED_HISTORY)
def test_what_the_trail_said_before_an_act_it_says_afterwards_byte_for_byte(build, sqlite_premises):
    with build.tried(), sqlite_premises.furnished() as office:
        connection = office.desk.connection
        before = rows(connection, "SELECT * FROM event ORDER BY id")

        for login, trigger in (("operator.one", "apply"), ("operator.one", "cancel_application")):
            casework.move(office.desk, 1, asked(office.desk, login, trigger))

        after = rows(connection, "SELECT * FROM event ORDER BY id")
        assert after[: len(before)] == before
        assert len(after) == len(before) + 2
