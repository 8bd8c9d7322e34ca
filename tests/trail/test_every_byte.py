"""Every byte that is stored of an event, and of what stands behind it, turned over in turn: always found, always named.

`replay` has the MAC key and the database; the verifier has neither, but the tree and a signature. The verifier is asked
about every byte where the test is `heavy`, else about some of each event.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from engine.replay import replay_range
from engine.store.trail import spans
from engine.trail.event import chain_name
from engine.trail.tree import inclusion_path
from tests.engine.town import KEY, LOG
from tests.trail.parcels import Parcel, Row, Tree
from tests.trail.prey import Prey
from tests.trail.turned import Bench, flipped, names
from tests.trail.verifying import verified, verifier

SAMPLES = 120
"""Of each column; another choice would find no less."""
EVERY = pytest.param(1, id="every byte", marks=pytest.mark.heavy)
SOME = pytest.param(97, id="some bytes of each event")


@pytest.fixture(scope="module")
def whole(crowd: Prey, tmp_path_factory: pytest.TempPathFactory) -> Parcel:
    """The bundle of a thousand events."""
    return Parcel.read(crowd.export(tmp_path_factory.mktemp("whole") / "all.zip"))


@pytest.fixture(scope="module")
def table(whole: Parcel, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Its events under the verifier."""
    return Bench(whole, tmp_path_factory.mktemp("bench"))


def test_the_walker_finds_nothing_in_what_nobody_turned_over(table: Bench):
    assert len(table.rows) > 950
    assert all(not table.taken(row, row["chain"], row["seq"]) for row in table.rows)


@pytest.mark.parametrize("step", [SOME, EVERY])
@pytest.mark.parametrize("column", ["body", "hash", "mac", "request"])
def test_a_byte_turned_over_is_found_and_its_event_named(table: Bench, column: str, step: int):
    rows = [row for row in table.rows if row[column] is not None]
    step = step if column == "body" else min(step, 8)
    count = 0
    for row in rows:
        for of, found in table.of_bytes(row, column, step):
            assert names(found, of), (of["chain"], of["seq"], found)
            count += 1
    assert count >= len(rows)


@pytest.mark.parametrize("step", [pytest.param(8, id="one byte of each event"), EVERY])
@pytest.mark.parametrize("column", ["chain", "seq"])
def test_a_byte_of_a_number_turned_over_is_found_where_the_event_was_or_where_it_has_come(
    table: Bench, column: str, step: int
):
    for row in table.rows:
        for of, found in table.of_numbers(row, column, step):
            assert found, (of["chain"], of["seq"])
            assert names(found, of) or is_last(table, of), (of["chain"], of["seq"], found)


def is_last(table: Bench, row: Row) -> bool:
    """Whether nothing follows an event in its chain: then its row, or the tree, misses it."""
    return not any((one["chain"], one["seq"]) == (row["chain"], row["seq"] + 1) for one in table.rows)


def test_a_request_where_there_was_none_is_found_and_its_event_named(table: Bench):
    for row in table.rows:
        if row["request"] is None:
            assert names(table.taken({**row, "request": "r"}, row["chain"], row["seq"]), row)


@pytest.mark.parametrize("step", [SOME, EVERY])
@pytest.mark.parametrize("column", ["salt", "body"])
def test_a_byte_of_what_is_sealed_turned_over_does_not_open_the_commitment(whole: Parcel, column: str, step: int):
    events = {(row["chain"], row["seq"]): verifier.read_json(row["body"]) for row in whole.rows("events.jsonl")}
    for row in whole.rows("personal.jsonl"):
        sealed = events[row["chain"], row["seq"]]["data"]["sealed"]
        assert verifier.opened_values(row, sealed) is not None
        kept = bytes.fromhex(row["salt"]) if column == "salt" else row["body"].encode()
        for other in flipped(kept, min(step, 4) if column == "salt" else step, row["seq"]):
            told = other.hex() if column == "salt" else other.decode(errors="replace")
            assert verifier.opened_values({**row, column: told}, sealed) is None


@pytest.mark.parametrize("step", [pytest.param(8, id="some bytes of each leaf"), EVERY])
def test_a_byte_of_a_leaf_turned_over_does_not_lead_to_the_root(whole: Parcel, table: Bench, step: int):
    body = whole["leaves.bin"]
    leaves = [body[place : place + 32] for place in range(0, len(body), 32)]
    tree, head = Tree(leaves), table.head
    assert verifier.root_of(leaves) == head.root
    for index, leaf in enumerate(leaves):
        path = inclusion_path(index, len(leaves), tree.node)
        assert verifier.includes(leaf, index, head.size, path, head.root)
        for other in flipped(leaf, step, index):
            assert not verifier.includes(other, index, head.size, path, head.root)


@pytest.mark.parametrize("step", [SOME, EVERY])
def test_a_line_says_what_json_says_whichever_byte_of_it_is_turned_over(whole: Parcel, step: int):
    for row, raw in enumerate(whole["events.jsonl"].splitlines(keepends=True)):
        for line in (raw, *flipped(raw, step, row)):
            assert told(verifier.event_line, line) == told(as_any_json, line)


@pytest.mark.parametrize("step", [SOME, EVERY])
def test_a_text_that_need_not_be_read_again_says_what_canonical_json_says(whole: Parcel, step: int):
    known = 0
    for row in whole.rows("events.jsonl"):
        body = row["body"].encode()
        for other in (body, body, *(one for one in flipped(body, step, row["seq"]) for _ in range(2))):
            text = other.decode(errors="replace")
            event = verifier.usual_event(text)
            if event is not None:
                assert event == verifier.read_canonical(text)
                assert verifier.is_event(event)
                assert verifier.is_shaped({**event, "data": dict(event["data"])})
                known += 1
    assert known > len(whole.rows("events.jsonl"))


def read_in_full(line: bytes) -> tuple[object, object] | None:
    """A line and its event, read without remembering anything; None of one that is not sound by itself."""
    try:
        found = verifier.event_line(line)
        event = verifier.read_canonical(found.body)
    except (verifier.Stop, verifier.NotCanonical):
        return None
    is_sound = verifier.event_hash(found.encoded) == found.hash and verifier.is_event(event)
    return (found, event) if is_sound and verifier.is_shaped(event) else None


def hashed_anew(line: bytes) -> bytes:
    """The line with the hash its bytes have now, as somebody would write it who changed them."""
    try:
        found = verifier.event_line(line)
    except verifier.Stop:
        return line
    return line.replace(found.hash.encode(), verifier.event_hash(found.encoded).encode()) if found.hash else line


@pytest.mark.parametrize("step", [SOME, EVERY])
def test_a_line_of_the_usual_form_says_what_reading_it_in_full_says_also_when_changed_and_hashed_anew(
    whole: Parcel, step: int
):
    lines = whole["events.jsonl"].splitlines(keepends=True)
    for line in lines:
        found = verifier.event_line(line)
        event = verifier.usual_event(found.body)
        if event is not None and isinstance(event["data"], verifier.Known):
            verifier.learn(line, found, event)
    usual = 0
    for row, line in enumerate(lines):
        for other in (line, *map(hashed_anew, flipped(line, step, row))):
            said = verifier.usual_line(other)
            if said is not None:
                assert said == read_in_full(other)
                usual += 1
    assert usual > len(lines) / 2


def as_any_json(line: bytes) -> object:
    """A line read without a look at how exporters write it."""
    return verifier.EventLine.of(verifier.read_line(line))


def told(read: Callable[[bytes], object], line: bytes) -> object:
    """What is read, or why the line is refused."""
    try:
        return read(line)
    except verifier.Stop as stop:
        return stop.code


@pytest.mark.parametrize(
    ("entry", "column"),
    [("events.jsonl", "body"), ("events.jsonl", "hash"), ("events.jsonl", "mac"), ("personal.jsonl", "salt"),
     ("personal.jsonl", "body")],
)  # fmt: skip
def test_the_whole_verifier_says_the_same(whole: Parcel, tmp_path: Path, entry: str, column: str):
    dice = Random(f"{entry}.{column}")  # noqa: S311 a sample that is the same in every run
    rows = whole.rows(entry)
    spoilt = dice.randrange(len(rows))
    row = rows[spoilt]
    kept = row[column].encode() if column == "body" else bytes.fromhex(row[column])
    other = next(flipped(kept, len(kept), dice.randrange(len(kept))))
    rows[spoilt] = {**row, column: other.decode(errors="replace") if column == "body" else other.hex()}
    attacked = whole.copy()
    attacked.set_rows(entry, rows)
    said = verified(attacked.write(tmp_path / "spoilt.zip"))
    assert said.outcome == "invalid"
    assert names(set(said.named), row)


def spoilt(kept: bytes, dice: Random) -> bytes:
    """The same bytes but for one bit of one of them."""
    place = dice.randrange(len(kept))
    return kept[:place] + bytes([kept[place] ^ 1 << dice.randrange(8)]) + kept[place + 1 :]


@pytest.mark.parametrize(
    ("table", "column"),
    [("event", "body"), ("event", "hash"), ("event", "mac"), ("personal", "salt"), ("personal", "body")],
)
def test_replay_names_the_event_whose_byte_was_turned_over(crowd: Prey, table: str, column: str):
    dice = Random(f"{table}.{column}")  # noqa: S311 a sample that is the same in every run
    rows = crowd.town.connection.execute(f"SELECT chain, seq, {column} FROM {table}").fetchall()  # noqa: S608 as above
    sql = f"UPDATE {table} SET {column} = ? WHERE chain = ? AND seq = ?"  # noqa: S608 columns above
    with crowd.undone():
        for chain, seq, kept in dice.sample(rows, SAMPLES):
            crowd.run(sql, spoilt(bytes(kept), dice), chain, seq)
            found = replay_range(crowd.town.connection, LOG, KEY, (chain, chain)).diverged
            assert [(one.chain, one.seq) for one in found] == [(chain_name(chain), seq)]
            crowd.run(sql, kept, chain, seq)


@pytest.mark.parametrize("column", ["chain", "seq"])
def test_replay_names_the_chain_of_an_event_whose_number_was_changed(crowd: Prey, column: str):
    dice = Random(column)  # noqa: S311 a sample that is the same in every run
    rows = crowd.town.connection.execute("SELECT id, chain, seq FROM event").fetchall()
    for row, chain, seq in dice.sample(rows, 12):
        with crowd.undone():
            kept = {"chain": chain, "seq": seq}[column]
            changed = kept ^ 1 << dice.randrange(11, 40)
            crowd.run(f"UPDATE event SET {column} = ? WHERE id = ?", changed, row)  # noqa: S608 columns above
            found = {one for span in spans(crowd.town.connection, 1) for one in _found(crowd, span)}
            assert (chain_name(chain), seq) in found


def _found(crowd: Prey, span: tuple[int, int]) -> set[tuple[str, int]]:
    return {(one.chain, one.seq) for one in replay_range(crowd.town.connection, LOG, KEY, span).diverged}
