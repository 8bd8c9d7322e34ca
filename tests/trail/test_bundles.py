"""Bundles: what is in them and in which order, the same for the same moment, and nothing from outside the scope."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from engine.library import Library
from engine.records import case_number
from engine.store.bundles import Scope
from engine.trail.event import canonical
from engine.trail.notes import Checkpoint, Note
from engine.trail.tree import extends, includes, leaf_hash, root_of
from exchange.bundles import NEWEST_CHECKPOINTS, OLDER_CHECKPOINTS, thinned
from tests.engine.town import BATCH
from tests.trail.parcels import Parcel, Row
from tests.trail.prey import SEALING, Prey, begin, carried_on

ORDER = ["manifest.json", "head.note", "consistency.jsonl", "leaves.bin", "events.jsonl", "personal.jsonl"]


def leaf_of(row: Row) -> bytes:
    return leaf_hash(bytes.fromhex(row["hash"]) + bytes.fromhex(row["mac"]))


def head_of(parcel: Parcel) -> Checkpoint:
    note = Note.parse(parcel["head.note"])
    assert note.signed_by(SEALING.verifier)
    return Checkpoint.parse(note.text)


@pytest.fixture
def one_case(prey: Prey, tmp_path: Path) -> Parcel:
    """The bundle of one case."""
    scope = Scope(kind="case", name=case_number(prey.walked), case=prey.walked)
    return Parcel.read(prey.export(tmp_path / "case.zip", scope))


@pytest.fixture
def one_batch(prey: Prey, tmp_path: Path) -> Parcel:
    """The bundle of a batch."""
    return Parcel.read(prey.export(tmp_path / "batch.zip", Scope(kind="batch", name=BATCH)))


def test_everything_has_every_event_as_it_is_stored_in_order_of_chain_and_place(prey: Prey, bundle: Parcel):
    sql = "SELECT chain, seq, request, body, hash, mac FROM event ORDER BY chain, seq"
    stored = [
        (chain, seq, request, bytes(body).decode(), bytes(digest).hex(), bytes(mac).hex())
        for chain, seq, request, body, digest, mac in prey.town.connection.execute(sql).fetchall()
    ]
    told = [
        tuple(row[name] for name in ("chain", "seq", "request", "body", "hash", "mac"))
        for row in bundle.rows("events.jsonl")
    ]
    assert told == stored
    assert orjson.loads(bundle["manifest.json"])["events"] == len(stored)


def test_the_entries_stand_in_the_order_that_is_promised(bundle: Parcel, one_case: Parcel):
    assert bundle.names()[: len(ORDER)] == ORDER
    assert "leaves.bin" not in one_case.names()
    kinds = [name.partition("/")[0] for name in bundle.names()[len(ORDER) :]]
    assert list(dict.fromkeys(kinds)) == [
        "definitions",
        "rulebooks",
        "cases.jsonl",
        "students.jsonl",
        "verifier",
        "README.txt",
    ]


def test_every_line_is_canonical(bundle: Parcel):
    for name in (one for one in bundle.names() if one.endswith(".jsonl")):
        for line in bundle[name].splitlines():
            assert canonical(orjson.loads(line)) == line


def test_the_leaves_have_the_root_that_was_signed_and_each_event_its_own(bundle: Parcel):
    body = bundle["leaves.bin"]
    leaves = [body[place : place + 32] for place in range(0, len(body), 32)]
    rows = bundle.rows("events.jsonl")
    assert root_of(leaves) == head_of(bundle).root
    assert {row["index"]: leaf_of(row) for row in rows} == dict(enumerate(leaves))


def test_every_event_of_a_case_has_a_path_to_the_head(one_case: Parcel):
    head = head_of(one_case)
    for row in one_case.rows("events.jsonl"):
        path = [bytes.fromhex(hop) for hop in row["path"]]
        assert includes(leaf_of(row), row["index"], head.size, path, head.root)


def test_the_head_extends_every_earlier_one(bundle: Parcel, prey: Prey):
    assert prey.seen is not None
    seen, head = Checkpoint.parse(prey.seen.text), head_of(bundle)
    paths = {row["size"]: [bytes.fromhex(hop) for hop in row["path"]] for row in bundle.rows("consistency.jsonl")}
    assert len(paths) == 2
    assert extends(seen.size, seen.root, head.size, head.root, paths[seen.size])


def test_a_case_comes_with_its_student_and_the_registry_and_nobody_else(prey: Prey, one_case: Parcel):
    assert {row["chain"] for row in one_case.rows("events.jsonl")} == {prey.student, 0, prey.walked}
    assert {row["chain"] for row in one_case.rows("personal.jsonl")} <= {prey.student, prey.walked}
    assert [row["chain"] for row in one_case.rows("cases.jsonl")] == [prey.walked]
    assert [row["chain"] for row in one_case.rows("students.jsonl")] == [prey.student]


def test_a_batch_comes_with_the_cases_that_are_in_it_and_their_students(prey: Prey, one_batch: Parcel):
    sql = "SELECT id, student FROM cases WHERE batch = ?"
    rows = prey.town.connection.execute(sql, (BATCH,)).fetchall()
    expected = {0} | {int(case) for case, _ in rows} | {-int(student) for _, student in rows if student is not None}
    assert {row["chain"] for row in one_batch.rows("events.jsonl")} == expected
    assert len(rows) > 10


def test_a_partial_bundle_has_the_texts_that_its_events_name_and_no_others(bundle: Parcel, one_case: Parcel):
    named = {
        event[key]
        for event in (orjson.loads(row["body"]) for row in one_case.rows("events.jsonl"))
        for key in ("definition", "rulebook")
        if key in event
    }
    texts = one_case.names("definitions/") + one_case.names("rulebooks/")
    assert {name.partition("/")[2] for name in texts} == {f"{one}.json" for one in named}
    assert len(bundle.names("definitions/")) > 100
    assert all(sha256(one_case[name]).hexdigest() in name for name in texts)


def test_a_row_claims_where_its_chain_ends_and_what_it_holds(prey: Prey, one_case: Parcel):
    [case], [student] = one_case.rows("cases.jsonl"), one_case.rows("students.jsonl")
    assert (case["state"], case["seq"], case["fields"]["batch"]) == ("registered", 6, BATCH)
    assert case["head"] == prey.town.by_id(prey.walked).head.hash.hex()
    assert student["facts"]["student_no"] == student["columns"]["student_no"]


def test_the_same_moment_gives_the_same_bytes(prey: Prey, tmp_path: Path):
    one, two = (prey.export(tmp_path / name).read_bytes() for name in ("one.zip", "two.zip"))
    assert one == two


def test_events_after_the_head_have_no_index_even_where_they_have_a_leaf(prey: Prey, tmp_path: Path):
    with prey.undone():
        prey.go_on(9)
        prey.run("DELETE FROM checkpoint WHERE size = (SELECT max(size) FROM checkpoint)")
        parcel = Parcel.read(prey.export(tmp_path / "tail.zip"))
    head = head_of(parcel)
    indexes = [row["index"] for row in parcel.rows("events.jsonl")]
    assert sorted(index for index in indexes if index is not None) == list(range(head.size))
    assert indexes.count(None) == 5
    assert len(parcel["leaves.bin"]) == 32 * head.size


def test_without_any_head_a_bundle_has_none_and_says_so(prey: Prey, tmp_path: Path):
    with prey.undone():
        prey.run("DELETE FROM checkpoint")
        parcel = Parcel.read(prey.export(tmp_path / "unsealed.zip"))
    assert orjson.loads(parcel["manifest.json"])["size"] == 0
    assert not {"head.note", "consistency.jsonl", "leaves.bin"} & set(parcel.names())
    assert {row["index"] for row in parcel.rows("events.jsonl")} == {None}


def test_what_somebody_has_spoilt_is_written_all_the_same(prey: Prey, tmp_path: Path):
    with prey.undone():
        prey.run("UPDATE event SET body = ? WHERE chain = ? AND seq = 2", b"\xff{", prey.walked)
        prey.run("UPDATE cases SET fields = '{' WHERE id = ?", prey.walked)
        parcel = Parcel.read(prey.export(tmp_path / "spoilt.zip"))
    [spoilt] = [row for row in parcel.rows("events.jsonl") if (row["chain"], row["seq"]) == (prey.walked, 2)]
    [case] = [row for row in parcel.rows("cases.jsonl") if row["chain"] == prey.walked]
    assert (spoilt["body"], case["fields"]) == ("\ufffd{", "{")


def test_both_databases_give_the_same_bundle(database_url: str, bundle: Parcel, shelf: Library, tmp_path: Path):
    begin(database_url, shelf)
    with carried_on(database_url, shelf) as there:
        assert Parcel.read(there.export(tmp_path / "all.zip")).entries == bundle.entries


def test_few_heads_are_all_led_on_from_and_of_many_the_newest_and_an_even_choice():
    assert thinned([3, 5, 9]) == [3, 5, 9]
    many = list(range(1, 10_001))
    chosen = thinned(many)
    assert len(chosen) == NEWEST_CHECKPOINTS + OLDER_CHECKPOINTS
    assert chosen[-NEWEST_CHECKPOINTS:] == many[-NEWEST_CHECKPOINTS:]
    assert chosen[:3] == [1, 10, 19]
    assert chosen == sorted(set(chosen))
