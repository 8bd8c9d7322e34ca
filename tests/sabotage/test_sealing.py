"""Promise 6, for those who keep a head: the sealed tree never goes back, and no event is left out of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine import sealing
from engine.sealing import SealingRefused
from engine.store import leaves
from engine.store.database import Connection
from tests.engine.tampering import unguarded
from tests.engine.vault import Vault, add, connected, vault_at
from tests.sabotage.builds import Build, breaks_under
from tests.sabotage.office import attempt, rows
from tests.sabotage.switches import Patch


def _head_ignored(patch: Patch) -> None:
    patch.setattr(sealing, "_check_heads", lambda connection, _sealer, _size: leaves.node(connection))


def _mark_passes_gaps(patch: Patch) -> None:
    patch.setattr(leaves, "_writers", lambda _connection: set[str]())


def _newest_not_looked_at(patch: Patch) -> None:
    patch.setattr(sealing, "_check_newest", lambda _connection, _size: None)


HEAD_IGNORED = Build(name="the last head is not looked at", sabotage=_head_ignored)
MARK_PASSES_GAPS = Build(name="the low mark passes ids that may still come", sabotage=_mark_passes_gaps)
NEWEST_NOT_LOOKED_AT = Build(name="the newest sealed event is not looked at", sabotage=_newest_not_looked_at)


@pytest.fixture
def vault(database_url: str) -> Iterator[Vault]:
    with vault_at(database_url) as vault:
        yield vault


@pytest.fixture
def postgres_vault(postgres_url: str) -> Iterator[Vault]:
    with vault_at(postgres_url) as vault:
        yield vault


@breaks_under(HEAD_IGNORED)
def test_of_no_size_two_heads_are_signed_though_the_database_is_put_back(build, vault):
    with build.tried():
        vault.write((0, 1))
        vault.seal()
        vault.write((0, 2))
        first = vault.seal().note
        with unguarded(vault.connection):
            for sql in ("leaf WHERE idx = 1", "checkpoint WHERE size = 2", "event WHERE seq = 2"):
                vault.connection.execute(f"DELETE FROM {sql}")  # noqa: S608 the three above
            vault.connection.execute("DELETE FROM setting WHERE name = 'sealing'")
        vault.write((9, 1))

        second = attempt(vault.seal)

        assert first is not None
        assert isinstance(second, SealingRefused)
        assert vault.head.note == first


@breaks_under(MARK_PASSES_GAPS)
def test_an_event_that_is_committed_after_later_ones_were_sealed_is_sealed_all_the_same(build, postgres_vault):
    with build.tried(), connected(postgres_vault.url, Connection) as late:
        late.execute("BEGIN")
        add(late, 7, 1)
        postgres_vault.write((8, 1))
        for _ in range(2):
            postgres_vault.seal()
        late.execute("COMMIT")

        postgres_vault.seal()

        assert postgres_vault.order() == [(8, 1), (7, 1)]


@breaks_under(NEWEST_NOT_LOOKED_AT)
def test_an_event_does_not_pass_for_sealed_under_the_id_of_one_that_was_removed(build, sqlite_url):
    with build.tried(), vault_at(sqlite_url) as vault:
        vault.write((0, 1), (0, 2))
        vault.seal()
        with unguarded(vault.connection):
            vault.connection.execute("DELETE FROM event WHERE seq = 2")
        vault.write((5, 1))

        answer = attempt(vault.seal)

        assert isinstance(answer, SealingRefused)
        assert rows(vault.connection, "SELECT id FROM event WHERE chain = 5") == [(2,)]
