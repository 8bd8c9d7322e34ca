"""Sealing: each event gets its place once, heads only grow, a database that went back or was rewritten is refused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine import sealing
from engine.sealing import SealedElsewhere, SealingRefused, check
from engine.store import append_only, leaves
from engine.store.database import INTEGRITY_ERRORS, Connection
from engine.store.leases import take
from engine.store.leaves import TreeBroken
from engine.trail.notes import Checkpoint, Note, Signer
from engine.trail.tree import consistency_path, extends, includes, inclusion_path, root_of
from tests.engine.tampering import tamper, unguarded
from tests.engine.vault import LOG, NOW, SIGNER, Vault, add, connected, digest, leaf, vault_at


@pytest.fixture
def vault(database_url: str) -> Iterator[Vault]:
    with vault_at(database_url) as vault:
        yield vault


@pytest.fixture
def postgres_vault(postgres_url: str) -> Iterator[Vault]:
    with vault_at(postgres_url) as vault:
        yield vault


@pytest.fixture
def sqlite_vault(sqlite_url: str) -> Iterator[Vault]:
    with vault_at(sqlite_url) as vault:
        yield vault


def marked(vault: Vault) -> int:
    return leaves.low_mark(vault.connection).mark


def place_of(vault: Vault, event: int) -> int | None:
    """The index of an event's leaf."""
    row = vault.connection.execute("SELECT idx FROM leaf WHERE event = ?", (event,)).fetchone()
    return None if row is None else int(row[0])


def last_id(vault: Vault) -> int:
    [(last,)] = vault.connection.execute("SELECT max(id) FROM event").fetchall()
    return int(last)


def test_every_event_gets_one_leaf_and_the_head_over_them_is_signed(vault: Vault):
    events = [(0, 1), (1, 1), (0, 2), (-1, 1), (1, 2)]
    vault.write(*events)

    done = vault.seal()

    assert done.events == 5
    assert vault.order() == events
    assert vault.leaves() == [leaf(*event) for event in events]
    assert done.note is not None
    assert done.note.signed_by(SIGNER.verifier)
    assert Checkpoint.parse(done.note.text) == Checkpoint(LOG, 5, root_of(vault.leaves()))
    assert leaves.latest(vault.connection) == done.note == vault.head.note


def test_what_is_sealed_is_not_sealed_again_and_no_head_is_signed_twice(vault: Vault):
    vault.write((0, 1))
    vault.seal()

    again = vault.seal()

    assert (again.events, again.note) == (0, None)
    assert len(vault.heads()) == len(vault.leaves()) == 1


def test_an_empty_log_has_no_head(vault: Vault):
    done = vault.seal()

    assert (done.events, done.note, vault.head.note, leaves.latest(vault.connection)) == (0, None, None, None)


def test_every_leaf_is_shown_to_be_in_every_later_head_however_the_rounds_fell(vault: Vault, monkeypatch):
    monkeypatch.setattr(sealing, "ROUND", 97)
    with vault.connection.writing():
        for place in range(1, 601):
            add(vault.connection, place, 1)
    for begin, end in ((601, 602), (602, 775), (775, 1100)):
        vault.seal()
        with vault.connection.writing():
            for place in range(begin, end):
                add(vault.connection, place, 1)
    vault.seal()

    hashes, heads, node = vault.leaves(), vault.heads(), leaves.node(vault.connection)
    assert [head.size for head in heads] == [600, 601, 774, 1099]
    assert [head.root for head in heads] == [root_of(hashes[: head.size]) for head in heads]
    for index in (0, 255, 256, 511, 512, 599, 600, 767, 768, 1023, 1024, 1098):
        path = inclusion_path(index, 1099, node)
        assert includes(hashes[index], index, 1099, path, heads[-1].root)
    for old, new in pairwise(heads):
        assert extends(old.size, old.root, new.size, new.root, consistency_path(old.size, new.size, node))


def test_the_subtrees_that_are_kept_are_those_of_the_leaves(sqlite_vault: Vault):
    with sqlite_vault.connection.writing():
        leaves.append(sqlite_vault.connection, 0, [(place, digest(place)) for place in range(1, 65536)])
        leaves.append(sqlite_vault.connection, 65535, [(65536, digest(65536)), (65537, digest(65537))])

    node, hashes = leaves.node(sqlite_vault.connection), [digest(place) for place in range(1, 65538)]

    kept = sqlite_vault.connection.execute("SELECT level, count(*) FROM tree_node GROUP BY level").fetchall()
    assert kept == [(8, 256), (16, 1)]
    assert node(16, 0) == root_of(hashes[:65536])
    for level, index in ((0, 65536), (3, 77), (8, 255), (11, 31), (15, 1)):
        assert node(level, index) == root_of(hashes[index << level : (index + 1) << level])
    with pytest.raises(TreeBroken, match="level 1"):
        node(1, 32768)


def test_events_without_a_leaf_are_counted_and_have_no_place(vault: Vault):
    vault.write((0, 1), (0, 2))
    vault.seal()
    vault.write((0, 3))

    assert leaves.count_unsealed(vault.connection) == 1
    assert place_of(vault, last_id(vault)) is None
    vault.seal()
    assert leaves.count_unsealed(vault.connection) == 0
    assert place_of(vault, last_id(vault)) == 2


def test_an_event_that_is_committed_late_gets_a_later_place(postgres_vault: Vault):
    with connected(postgres_vault.url, Connection) as late:
        with late.writing():
            add(late, 7, 1)  # has its id, and nobody sees it yet
            postgres_vault.write((8, 1), (9, 1))
            for _ in range(3):
                postgres_vault.seal()
            assert postgres_vault.order() == [(8, 1), (9, 1)]
            assert marked(postgres_vault) < last_id(postgres_vault) - 1
        postgres_vault.seal()

    assert postgres_vault.order() == [(8, 1), (9, 1), (7, 1)]
    postgres_vault.seal()
    assert marked(postgres_vault) == last_id(postgres_vault)


def test_an_id_that_was_rolled_back_does_not_hold_the_mark_for_ever(postgres_vault: Vault):
    with connected(postgres_vault.url, Connection) as failing:
        failing.execute("BEGIN")
        add(failing, 7, 1)
        postgres_vault.write((8, 1))
        postgres_vault.seal()
        failing.execute("ROLLBACK")
        with failing.writing():  # another is writing by now: it began after the gap, and is not waited for
            add(failing, 9, 1)
            for _ in range(2):
                postgres_vault.seal()
            assert marked(postgres_vault) == 2
    for _ in range(2):
        postgres_vault.seal()

    assert marked(postgres_vault) == last_id(postgres_vault) == 3
    assert postgres_vault.order() == [(8, 1), (9, 1)]


def test_while_one_seals_another_is_told_so_and_does_nothing(vault: Vault):
    vault.write((0, 1))
    take(vault.connection, sealing.LEASE, "another", NOW, 60)

    with pytest.raises(SealedElsewhere, match="another"):
        vault.seal(after=59)

    assert vault.leaves() == []
    assert vault.seal(after=61).events == 1, "the other has been gone for longer than its lease"


def test_who_lost_the_lead_between_two_rounds_writes_nothing_more(vault: Vault, monkeypatch):
    monkeypatch.setattr(sealing, "ROUND", 1)
    vault.write((0, 1), (0, 2))

    def overtaken(_: int) -> None:
        vault.connection.execute("UPDATE lease SET holder = 'another', epoch = epoch + 1")

    with pytest.raises(SealedElsewhere):
        sealing.seal(vault.connection, vault.sealer, "sealer", lambda: NOW, overtaken)

    assert (len(vault.leaves()), vault.heads(), vault.head.note) == (1, [], None)


def test_a_clock_that_was_turned_back_changes_nothing_about_the_tree(vault: Vault):
    for seq, after in ((1, 0), (2, 3600), (3, -86400), (4, 5)):
        vault.write((0, seq))
        vault.seal(after=after)

    assert [head.size for head in vault.heads()] == [1, 2, 3, 4]
    assert vault.order() == [(0, seq) for seq in (1, 2, 3, 4)]


def test_killed_after_the_head_was_kept_the_next_signs_the_same_head(vault: Vault):
    vault.write((0, 1), (0, 2))
    first = vault.seal().note
    tamper(vault.connection, "DELETE FROM checkpoint")

    again = vault.seal()

    assert again.note == first


def gone_back(vault: Vault, size: int, last: int) -> None:
    """The database as it was when the tree had so many leaves."""
    with unguarded(vault.connection):
        vault.connection.execute("DELETE FROM leaf WHERE idx >= ?", (size,))
        vault.connection.execute("DELETE FROM checkpoint WHERE size > ?", (size,))
        vault.connection.execute("DELETE FROM event WHERE id > ?", (last,))
        vault.connection.execute("DELETE FROM setting WHERE name = 'sealing'")


def test_a_database_that_was_restored_from_an_old_copy_is_not_sealed(vault: Vault):
    vault.write((0, 1), (0, 2))
    vault.seal()
    last = last_id(vault)
    vault.write((0, 3))
    vault.seal()
    gone_back(vault, 2, last)
    vault.write((9, 1), (9, 2))

    with pytest.raises(SealingRefused, match="rolled back"):
        vault.seal()
    with pytest.raises(SealingRefused, match="rolled back"):
        check(vault.connection, vault.sealer)

    assert len(vault.leaves()) == 2, "not even leaves are added"


def test_a_tree_that_grew_otherwise_out_of_an_old_copy_is_not_signed(vault: Vault):
    vault.write((0, 1), (0, 2))
    vault.seal()
    signed = vault.head.note
    gone_back(vault, 0, 0)
    vault.head.note = None
    vault.write((9, 1), (9, 2), (9, 3))
    vault.seal()
    vault.head.note = signed
    vault.write((9, 4))

    with pytest.raises(SealingRefused, match="history was rewritten"):
        vault.seal()

    assert len(vault.leaves()) == 3


@pytest.mark.parametrize("how", ["gone", "of another key", "of another log"])
def test_without_the_last_head_of_this_log_by_this_key_nothing_is_sealed(vault: Vault, how: str):
    vault.write((0, 1))
    vault.seal()
    stranger = Signer(LOG, Ed25519PrivateKey.generate())
    if how == "gone":
        vault.head.note = None
    elif how == "of another key":
        vault.signers = (stranger,)
    else:
        text = Checkpoint("xueji/other", 1, bytes(32)).text()
        vault.head.note = Note(text, (SIGNER.sign(text),))
    vault.write((0, 2))

    with pytest.raises(SealingRefused, match=r"is gone|was not signed"):
        vault.seal()

    assert len(vault.leaves()) == 1


def test_a_second_key_signs_beside_the_first_and_then_alone(vault: Vault):
    vault.write((0, 1))
    vault.seal()
    newer = Signer(LOG, Ed25519PrivateKey.generate())
    vault.signers = (newer, SIGNER)
    vault.write((0, 2))
    both = vault.seal().note
    vault.signers = (newer,)
    vault.write((0, 3))

    assert both is not None
    assert both.signed_by(newer.verifier)
    assert both.signed_by(SIGNER.verifier)
    assert vault.seal().events == 1


@pytest.mark.parametrize("change", ["DELETE FROM event WHERE seq = 2", "UPDATE event SET mac = hash WHERE seq = 2"])
def test_the_newest_sealed_event_removed_or_changed_is_noticed_before_its_id_is_given_again(vault: Vault, change: str):
    vault.write((0, 1), (0, 2))
    vault.seal()
    tamper(vault.connection, change)
    vault.write((1, 1))

    with pytest.raises(SealingRefused, match="deleted or changed"):
        vault.seal()


def test_an_event_put_in_the_place_of_a_sealed_one_is_not_sealed_behind_its_successor(vault: Vault):
    vault.write((5, 1), (5, 2), (5, 3))
    vault.seal()
    tamper(vault.connection, "DELETE FROM event WHERE seq = 2")
    vault.write((5, 2))

    with pytest.raises(SealingRefused, match="came after the one that follows it"):
        vault.seal()

    assert len(vault.leaves()) == 3


def test_a_leaf_taken_out_of_the_tree_is_named(vault: Vault):
    vault.write(*((place, 1) for place in range(1, 5)))
    vault.seal()
    tamper(vault.connection, "DELETE FROM leaf WHERE idx = 1")

    with pytest.raises(TreeBroken, match="node 1 of level 0"):
        vault.seal()


def rows(vault: Vault, table: str) -> list[tuple[object, ...]]:
    return vault.connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 a table named below


def forbidden(vault: Vault) -> list[tuple[str, str]]:
    """What the guards refuse, and on which table: everything but erasing personal values."""
    columns = {"event": "seq", "leaf": "idx", "tree_node": "idx", "checkpoint": "size", "personal": "seq"}
    assert columns.keys() == append_only.GUARDED.keys()
    updates = [(table, f"UPDATE {table} SET {column} = 7") for table, column in columns.items()]  # noqa: S608 ours
    deletes = [(table, f"DELETE FROM {table}") for table in columns if table != "personal"]  # noqa: S608 ours
    truncates = [] if vault.connection.is_sqlite else [(table, f"TRUNCATE {table}") for table in columns]
    return [*updates, *deletes, *truncates]


def test_the_database_itself_keeps_what_is_only_added_to(vault: Vault):
    vault.write((0, 1))
    vault.connection.execute("INSERT INTO personal (chain, seq, salt, body) VALUES (0, 1, ?, ?)", (b"s", b"{}"))
    vault.connection.execute("INSERT INTO tree_node (level, idx, hash) VALUES (8, 9, ?)", (bytes(32),))
    vault.seal()
    before = {table: rows(vault, table) for table in append_only.GUARDED}

    for table, sql in forbidden(vault):
        with pytest.raises(INTEGRITY_ERRORS, match=rf"{table} 表.*The table {table} is"):
            vault.connection.execute(sql)

    assert {table: rows(vault, table) for table in append_only.GUARDED} == before
    assert all(before.values())


def test_personal_values_can_be_erased(vault: Vault):
    vault.connection.execute("INSERT INTO personal (chain, seq, salt, body) VALUES (0, 1, ?, ?)", (b"s", b"{}"))

    assert vault.connection.execute("DELETE FROM personal WHERE chain = 0").rowcount == 1


def test_guards_that_were_taken_off_are_named(vault: Vault):
    assert append_only.missing(vault.connection) == ()
    with unguarded(vault.connection):
        assert append_only.missing(vault.connection) == append_only.guards(vault.connection)
        assert len(append_only.guards(vault.connection)) == (9 if vault.connection.is_sqlite else 5)
    assert append_only.missing(vault.connection) == ()


def test_a_head_carries_the_newest_line_of_each_witness(vault: Vault):
    vault.write((0, 1))
    note = vault.seal().note
    assert note is not None
    key = Ed25519PrivateKey.generate()
    witness = Signer("province/w1", key, 4)
    for at in (1, 2):
        leaves.keep_cosignature(vault.connection, 1, witness.sign(note.text, at))

    latest = leaves.latest(vault.connection)

    assert latest == note.with_signature(witness.sign(note.text, 2))
    assert leaves.cosigned_sizes(vault.connection) == {"province/w1": 1}
