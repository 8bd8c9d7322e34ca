"""A log to seal: a database with events in it that nobody decided, a key, and the last head in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typing_extensions import override

from engine.sealing import LastHead, Sealed, Sealer, seal
from engine.store import leaves, schema
from engine.store.database import Connection, open_engine
from engine.trail.notes import Checkpoint, Note, Signer
from engine.trail.tree import leaf_hash

AnyConnection = TypeVar("AnyConnection", bound=Connection)
LOG = "xueji/vault"
NOW = datetime(2024, 5, 13, 1, tzinfo=UTC)
SIGNER = Signer(LOG, Ed25519PrivateKey.from_private_bytes(sha256(b"a key only tests use").digest()))


class HeadInMemory(LastHead):
    """The last head, as long as the test lasts."""

    def __init__(self) -> None:
        self.note: Note | None = None

    @contextmanager
    @override
    def locked(self) -> Iterator[None]:
        yield

    @override
    def read(self) -> Note | None:
        return self.note

    @override
    def keep(self, note: Note) -> None:
        self.note = note


def digest(*words: object) -> bytes:
    """32 bytes that stand for a hash."""
    return sha256(repr(words).encode()).digest()


def add(connection: Connection, chain: int, seq: int) -> None:
    """An event as it is kept, with bytes of no meaning."""
    sql = "INSERT INTO event (chain, seq, body, hash, mac) VALUES (?, ?, ?, ?, ?)"
    connection.execute(sql, (chain, seq, b"{}", digest(chain, seq), digest("mac", chain, seq)))


def leaf(chain: int, seq: int) -> bytes:
    """The leaf hash that such an event has."""
    return leaf_hash(digest(chain, seq) + digest("mac", chain, seq))


@dataclass(slots=True, kw_only=True)
class Vault:
    """A log and its sealer."""

    connection: Connection
    url: str
    head: HeadInMemory = field(default_factory=HeadInMemory)
    signers: tuple[Signer, ...] = (SIGNER,)

    @property
    def sealer(self) -> Sealer:
        return Sealer(log=LOG, signers=self.signers, head=self.head)

    def write(self, *events: tuple[int, int]) -> None:
        """Events by chain and place, each committed by itself."""
        for chain, seq in events:
            add(self.connection, chain, seq)

    def seal(self, after: float = 0) -> Sealed:
        """Seal what there is, so many seconds after the beginning."""
        return seal(self.connection, self.sealer, "sealer", lambda: NOW + timedelta(seconds=after))

    def leaves(self) -> list[bytes]:
        """The leaf hashes in order."""
        return [bytes(one) for (one,) in self.connection.execute("SELECT hash FROM leaf ORDER BY idx").fetchall()]

    def order(self) -> list[tuple[int, int]]:
        """The events in the order of their leaves."""
        sql = "SELECT e.chain, e.seq FROM leaf l JOIN event e ON e.id = l.event ORDER BY l.idx"
        return [(int(chain), int(seq)) for chain, seq in self.connection.execute(sql).fetchall()]

    def heads(self) -> list[Checkpoint]:
        """The heads that were signed, smallest first."""
        return [Checkpoint.parse(note.text) for _, note in leaves.checkpoints(self.connection)]


@contextmanager
def connected(url: str, connect: type[AnyConnection]) -> Iterator[AnyConnection]:
    """A connection of its own."""
    engine = open_engine(url)
    connection = connect(engine)
    if connection.is_sqlite:
        connection.execute("PRAGMA synchronous = OFF")  # no power is cut here
    try:
        yield connection
    finally:
        connection.close()
        engine.dispose()


@contextmanager
def vault_at(url: str) -> Iterator[Vault]:
    """A new log in an empty database."""
    engine = open_engine(url)
    schema.upgrade(engine)
    engine.dispose()
    with connected(url, Connection) as connection:
        yield Vault(connection=connection, url=url)
