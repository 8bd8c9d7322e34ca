"""Replay: whatever is changed behind the engine's back is found, and named."""

from __future__ import annotations

import orjson
import pytest

from engine.records import case_number
from engine.replay import Divergence, Replayed, replay_part, replay_range
from engine.store.trail import spans
from engine.trail.chain import Scribe, event_hash, mac_maker
from engine.trail.event import event_bytes
from tests.engine.tampering import tamper
from tests.engine.town import FIRST, KEY, LOG, OPEN_FIRST, SECOND, Town


@pytest.fixture
def busy(town: Town) -> Town:
    """A town in which something has happened: a full walk, a refusal, changed facts."""
    town.advance(FIRST, "registered")
    town.know(SECOND, fee_owed="120.50", phone="13800000000")
    town.take(SECOND, "apply", "operator.s1")
    return town


def flip(kept: bytes) -> bytes:
    """The same bytes with one bit of one byte in the middle turned over."""
    data = bytearray(kept)
    data[len(data) // 2] ^= 1
    return bytes(data)


def one_found(town: Town) -> Divergence:
    [found] = town.replayed().diverged
    return found


def test_an_untouched_trail_adds_up(busy: Town):
    replayed = busy.replayed()
    counted = busy.connection.execute("SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM cases)").fetchone()
    assert replayed.diverged == ()
    assert (replayed.events, replayed.cases) == counted


@pytest.mark.parametrize("column", ["body", "hash", "mac"])
@pytest.mark.parametrize("place", [1, 3, 6])
def test_one_flipped_bit_in_an_event_is_named(busy: Town, column: str, place: int):
    case = busy.record(FIRST)
    kept = busy.kept(("event", column), chain=case, seq=place)
    busy.edit(("event", column), flip(kept), chain=case, seq=place)
    found = one_found(busy)
    assert (found.chain, found.seq) == (f"case/{case_number(case)}", place)


@pytest.mark.parametrize(("table", "key", "name"), [("cases", 1, "case"), ("student", 1, "student")])
def test_a_flipped_bit_in_the_head_of_a_row_is_named(busy: Town, table: str, key: int, name: str):
    busy.edit((table, "head"), flip(busy.kept((table, "head"), id=key)), id=key)
    assert one_found(busy).chain == f"{name}/{case_number(key)}"


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize(("table", "name"), [("cases", "case"), ("student", "student")])
def test_a_row_that_counts_its_events_wrong_is_named(busy: Town, table: str, name: str, by: int):
    busy.edit((table, "seq"), busy.kept((table, "seq"), id=1) + by, id=1)
    assert one_found(busy).chain == f"{name}/{case_number(1)}"


def test_the_registry_has_a_chain_that_is_checked_too(busy: Town):
    tamper(busy.connection, "DELETE FROM event WHERE chain = 0 AND seq = 2")
    found = one_found(busy)
    assert (found.chain, found.seq) == ("registry", 2)


@pytest.mark.parametrize("seq", [1, 3, 6])
def test_a_deleted_event_is_named_wherever_it_stood(busy: Town, seq: int):
    """The last one too: a chain does not forget its newest line unnoticed (features.md 6, 12)."""
    case = busy.record(FIRST)
    assert busy.case(FIRST).head.seq == 6
    tamper(busy.connection, "DELETE FROM event WHERE chain = ? AND seq = ?", (case, seq))
    found = one_found(busy)
    assert (found.chain, found.seq) == (f"case/{case_number(case)}", seq)


def test_a_chain_deleted_whole_is_named(busy: Town):
    tamper(busy.connection, "DELETE FROM event WHERE chain = ?", (busy.record(FIRST),))
    found = one_found(busy)
    assert (found.chain, found.seq) == (f"case/{busy.case(FIRST).number}", 1)


def test_two_events_that_changed_places_are_named(busy: Town):
    case = busy.record(FIRST)
    for seq, to in ((2, 99), (3, 2), (99, 3)):
        tamper(busy.connection, "UPDATE event SET seq = ? WHERE chain = ? AND seq = ?", (to, case, seq))
    found = one_found(busy)
    assert (found.chain, found.seq) == (f"case/{case_number(case)}", 2)


def test_an_event_moved_to_another_case_is_named(busy: Town):
    case, other = busy.record(FIRST), busy.record(OPEN_FIRST)
    tamper(busy.connection, "UPDATE event SET chain = ? WHERE chain = ? AND seq = 6", (other, case))
    chains = {found.chain for found in busy.replayed().diverged}
    assert chains == {f"case/{case_number(case)}", f"case/{case_number(other)}"}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("state", "enrolled"),
        ("fields", '{"batch":"2024-06","degree_applied":true,"published":false}'),
        ("taken", "{}"),
        ("taken", '{"apply":["somebody"]}'),
        ("rounds", 1),
        ("unit", "S2"),
        ("path", "/SX/"),
        ("batch", None),
        ("workflow", "leave-of-absence"),
        ("opened_at", "2020-01-01T00:00:00.000000Z"),
        ("entered_at", "2020-01-01T00:00:00.000000Z"),
    ],
)
def test_a_case_edited_in_its_row_is_named(busy: Town, column: str, value: object):
    case = busy.record(FIRST)
    busy.edit(("cases", column), value, id=case)
    found = one_found(busy)
    assert (found.chain, found.seq) == (f"case/{case_number(case)}", 6)


@pytest.mark.parametrize(("fact", "value"), [("fee_owed", "0.00"), ("name", "某某"), ("wants_degree", True)])
def test_a_fact_edited_in_the_row_is_named(busy: Town, fact: str, value: object):
    student = busy.student(SECOND)
    facts = orjson.dumps({**student.facts, fact: value}).decode()
    busy.connection.execute("UPDATE student SET facts = ? WHERE id = ?", (facts, student.id))
    assert one_found(busy).chain == f"student/{case_number(student.id)}"


@pytest.mark.parametrize(
    ("column", "value"),
    [("exam_no", "K0"), ("id_number", None), ("certificate_no", "511615202405000001"), ("unit", "S2")],
)
def test_a_column_of_a_student_that_no_event_wrote_is_named(busy: Town, column: str, value: object):
    student = busy.student(SECOND)
    busy.edit(("student", column), value, id=student.id)
    found = one_found(busy)
    assert (found.chain, column in found.why) == (f"student/{case_number(student.id)}", True)


def test_a_deleted_row_is_named(busy: Town):
    case = busy.record(FIRST)
    busy.connection.execute("DELETE FROM cases WHERE id = ?", (case,))
    found = one_found(busy)
    assert found.chain == f"case/{case_number(case)}"
    assert "no row" in found.why


def test_a_row_nobody_opened_is_named(busy: Town):
    columns = (
        "workflow, shape, student, unit, path, state, revision, seq, head, fields, taken, rounds, opened_at, entered_at"
    )
    copy = f"INSERT INTO cases (id, {columns}) SELECT 77, {columns} FROM cases WHERE id = 1"  # noqa: S608 constant
    busy.connection.execute(copy)
    found = one_found(busy)
    assert (found.chain, found.seq) == (f"case/{case_number(77)}", 1)


def forged(town: Town, key: bytes) -> None:
    """Append a registration to a chain as somebody who may write to the database would, down to the last hash."""
    case = town.case(SECOND)
    last = town.events(case.id)[-1]
    made = {**last, "seq": case.head.seq + 1, "prev": case.head.hash.hex(), "kind": "moved"}
    made["data"] = {"trigger": "register", "from": case.state, "to": "registered"}
    body = event_bytes(made)
    insert = "INSERT INTO event (chain, seq, body, hash, mac) VALUES (?, ?, ?, ?, ?)"
    town.connection.execute(insert, (case.id, case.head.seq + 1, body, event_hash(body), mac_maker(key)(body)))
    update = "UPDATE cases SET state = 'registered', seq = seq + 1, head = ?, taken = ? WHERE id = ?"
    taken = orjson.dumps({"register": [last["actor"]]}).decode()
    town.connection.execute(update, (event_hash(body), taken, case.id))


def test_an_event_forged_by_somebody_without_the_key_is_named(busy: Town):
    seq = busy.case(SECOND).head.seq + 1
    forged(busy, b"\0" * 32)
    found = one_found(busy)
    assert (found.chain, found.seq) == (f"case/{busy.case(SECOND).number}", seq)
    assert "MAC" in found.why


def test_only_the_key_stands_between_a_forger_and_the_trail(busy: Town):
    """What the test above proves is the MAC and nothing else: with the key, the same forgery passes."""
    forged(busy, KEY)
    assert busy.replayed().diverged == ()


def test_a_past_event_rewritten_even_with_the_key_is_named_by_the_one_after_it(busy: Town):
    case = busy.record(FIRST)
    body = event_bytes({**busy.events(case)[2], "actor": "somebody.else"})
    for column, value in (("body", body), ("hash", event_hash(body)), ("mac", mac_maker(KEY)(body))):
        busy.edit(("event", column), value, chain=case, seq=3)
    found = one_found(busy)
    assert (found.chain, found.seq) == (f"case/{case_number(case)}", 4)


def test_the_trail_of_another_log_does_not_pass_for_this_one(busy: Town):
    whole = spans(busy.connection, 1)[0]
    assert replay_range(busy.connection, "xueji/other", KEY, whole).diverged
    assert replay_range(busy.connection, LOG, b"\1" * 32, whole).diverged
    assert Scribe("xueji/other", KEY).log != LOG


@pytest.mark.parametrize("parts", [1, 2, 3, 5, 50])
def test_the_parts_of_a_replay_find_what_the_whole_finds(busy: Town, parts: int):
    busy.connection.execute("UPDATE cases SET state = 'withdrawn' WHERE id IN (1, 4)")
    cut = spans(busy.connection, parts)
    found = [replay_range(busy.connection, LOG, KEY, span) for span in cut]
    together = sum(found, Replayed(cases=0, events=0))
    assert together == replay_range(busy.connection, LOG, KEY, (cut[0][0], cut[-1][1]))
    assert [one.chain for one in together.diverged] == [f"case/{case_number(1)}", f"case/{case_number(4)}"]


def test_a_part_is_replayed_on_a_connection_of_its_own(busy: Town):
    [span] = spans(busy.connection, 1)
    assert replay_part((busy.url, LOG, KEY, span)) == busy.replayed()


def test_several_faults_are_all_named(busy: Town):
    tamper(busy.connection, "DELETE FROM event WHERE chain = ? AND seq = 2", (busy.record(FIRST),))
    busy.connection.execute("UPDATE cases SET state = 'suspended' WHERE id = ?", (busy.record(OPEN_FIRST),))
    busy.connection.execute("UPDATE student SET facts = '{}' WHERE id = ?", (busy.student(SECOND).id,))
    assert len(busy.replayed().diverged) == 3


@pytest.mark.parametrize(
    ("place", "value", "key"),
    [
        (("role_grant", "role"), "records_section", {"login": "operator.s1"}),
        (("unit", "kind"), "branch", {"code": "S1"}),
        (("batch", "values_json"), "{}", {"name": "2024-06"}),
        (("account", "student"), 1, {"login": "operator.s1"}),
    ],
)
def test_a_row_of_the_registry_edited_is_named(busy: Town, place: tuple[str, str], value: object, key: dict[str, str]):
    busy.edit(place, value, **key)
    found = one_found(busy)
    assert (found.chain, place[0] in found.why) == ("registry", True)


def test_the_text_of_a_definition_edited_is_named(busy: Town):
    shape = busy.case(FIRST).shape
    busy.edit(("shape", "body"), busy.kept(("shape", "body"), hash=shape) + " ", hash=shape)
    assert shape in one_found(busy).why


def test_a_table_row_nobody_took_in_is_named(busy: Town):
    busy.connection.execute("INSERT INTO table_row (name, place, body) VALUES ('major_offers', 0, '{}')")
    assert "table_row major_offers" in one_found(busy).why


@pytest.mark.parametrize("what", ["document", "member", "delegation"])
def test_a_row_beside_a_case_that_no_event_wrote_is_named(busy: Town, what: str):
    case = busy.record(FIRST)
    moment = "2024-01-01T00:00:00.000000Z"
    statements = {
        "document": "INSERT INTO document (case_id, seq, kind, looks, withdrawn) VALUES (?, 1, 'E-WD', '{}', ?)",
        "member": "INSERT INTO member (list_id, member, kind, stay) VALUES (?, 1, 'a list', ?)",
        "delegation": "INSERT INTO delegation (case_id, for_good, giver, taker, role, unit, reason, since)"
        " VALUES (?, ?, 'approver.s1', 'both.s1', 'site_approver', 'S1', 'x', '2024-01-01T00:00:00.000000Z')",
    }
    busy.connection.execute(statements[what], (case, moment if what == "member" else False))
    found = one_found(busy)
    assert (found.chain, what in found.why) == (f"case/{case_number(case)}", True)
    tamper(busy.connection, "DELETE FROM event WHERE chain = ?", (case,))
    busy.connection.execute("DELETE FROM cases WHERE id = ?", (case,))
    assert "no events" in one_found(busy).why
