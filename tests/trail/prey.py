"""The district under attack: who is in it, and short words for what attackers with the database's password do to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from engine.library import Library
from engine.records import ZERO, Head
from engine.replay import replay_range
from engine.sealing import Sealed, Sealer, seal
from engine.store import leaves, schema
from engine.store.bundles import Scope
from engine.store.database import open_engine
from engine.store.trail import spans
from engine.trail.chain import Scribe, event_hash, mac_maker
from engine.trail.event import EventKind, chain_name, event_bytes, moment
from engine.trail.notes import COSIGNATURE, ED25519, Note, Signer
from exchange.bundles import write_bundle
from tests.engine.town import KEY, LOG, NOW, Town, town_at
from tests.trail.district import FEW, PUPILS, furnish

Told = list[dict[str, object]]
"""What the events of a chain say."""
LATER = NOW + timedelta(days=1)


def signer(name: str, secret: str, kind: int = ED25519) -> Signer:
    """A key that is the same in every run."""
    return Signer(name, Ed25519PrivateKey.from_private_bytes(sha256(secret.encode()).digest()), kind)


SEALING = signer(LOG, "the key that seals")
STRANGER = signer(LOG, "somebody's own key under the log's name")
WITNESS = signer("witness.example", "the witness", COSIGNATURE)
UNKNOWN_WITNESS = signer("unknown.example", "nobody's witness", COSIGNATURE)
POLICY = f"log {SEALING.verifier.vkey()}\nquorum none\n"
WITNESSED = f"log {SEALING.verifier.vkey()}\nwitness w {WITNESS.verifier.vkey()}\nquorum w\n"


@dataclass(slots=True)
class HeadInMemory:
    """The last head that a sealer signed; another sealer does not know of it."""

    note: Note | None = None

    def locked(self) -> nullcontext[None]:
        return nullcontext()

    def read(self) -> Note | None:
        return self.note

    def keep(self, note: Note) -> None:
        self.note = note


@dataclass(slots=True, kw_only=True)
class Prey:
    """A sealed district; `seen` is the head that the auditor has kept from earlier."""

    town: Town
    head: HeadInMemory = field(default_factory=HeadInMemory)
    seen: Note | None = None

    def seal(self) -> Sealed:
        return seal(self.town.connection, Sealer(log=LOG, signers=(SEALING,), head=self.head), "sealer", lambda: LATER)

    def go_on(self, *places: int) -> None:
        """Something more happens: telephone numbers change."""
        for place in places:
            self.town.know(PUPILS[place], phone=f"137{place:08d}")

    @property
    def walked(self) -> int:
        """A case with six events, registered."""
        return self.town.record(PUPILS[5])

    @property
    def other(self) -> int:
        """Another like it."""
        return self.town.record(PUPILS[11])

    @property
    def refused(self) -> int:
        """A case that ends with a refusal."""
        return self.town.record(PUPILS[24])

    @property
    def student(self) -> int:
        """The chain of the student of `walked`."""
        return -self.town.student(PUPILS[5]).id

    @property
    def second(self) -> int:
        """The chain of another student."""
        return -self.town.student(PUPILS[11]).id

    @property
    def registry(self) -> int:
        return 0

    @property
    def listed(self) -> int:
        """A list that was frozen and sealed."""
        rows = self.town.connection.execute("SELECT id FROM cases WHERE workflow = 'loan.roll'").fetchall()
        return int(rows[0][0])

    def run(self, sql: str, *values: object) -> None:
        self.town.connection.execute(sql, values)

    def last(self, chain: int) -> int:
        rows = self.town.connection.execute("SELECT max(seq) FROM event WHERE chain = ?", (chain,)).fetchall()
        return int(rows[0][0])

    def flip(self, table: str, column: str, where: str, *key: object) -> None:
        """Turn one bit in the middle of a value."""
        sql = f"SELECT {column} FROM {table} WHERE {where}"  # noqa: S608 a test's own words
        [(kept,)] = self.town.connection.execute(sql, key).fetchall()
        data = bytearray(kept)
        data[len(data) // 2] ^= 1
        self.run(f"UPDATE {table} SET {column} = ? WHERE {where}", bytes(data), *key)  # noqa: S608 a test's own words

    def rewrite(
        self, chain: int, change: Callable[[list[dict[str, object]]], object], key: bytes | None = None
    ) -> None:
        """Change what a chain says, and mend every link and hash after it, and the MACs with the key; and its row."""
        rows = self.town.connection.execute("SELECT body, mac FROM event WHERE chain = ? ORDER BY seq", (chain,))
        kept = [(orjson.loads(bytes(body)), bytes(mac)) for body, mac in rows.fetchall()]
        told = [event for event, _ in kept]
        change(told)
        macs = [mac for _, mac in kept] + [ZERO] * len(told)
        self.run("DELETE FROM event WHERE chain = ? AND seq > ?", chain, len(told))
        before = ZERO
        for seq, (event, mac) in enumerate(zip(told, macs, strict=False), start=1):
            body = event_bytes({**event, "prev": before.hex(), "seq": seq})
            before = event_hash(body)
            real = mac if key is None else mac_maker(key)(body)
            self._write(chain, seq, body, before, real)
        self.claim(chain, len(told), before)

    def _write(self, chain: int, seq: int, body: bytes, digest: bytes, mac: bytes) -> None:
        found = self.town.connection.execute("SELECT 1 FROM event WHERE chain = ? AND seq = ?", (chain, seq)).fetchone()
        if found is None:
            self.run(
                "INSERT INTO event (chain, seq, body, hash, mac) VALUES (?, ?, ?, ?, ?)", chain, seq, body, digest, mac
            )
        else:
            self.run(
                "UPDATE event SET body = ?, hash = ?, mac = ? WHERE chain = ? AND seq = ?",
                body,
                digest,
                mac,
                chain,
                seq,
            )

    def claim(self, chain: int, seq: int, head: bytes) -> None:
        """Let the row of a chain say that it ends there."""
        table = "registry" if chain == 0 else "cases" if chain > 0 else "student"
        self.run(f"UPDATE {table} SET seq = ?, head = ? WHERE id = ?", seq, head, abs(chain))  # noqa: S608 three tables

    def add(self, chain: int, kind: EventKind, data: Mapping[str, object], key: bytes = KEY) -> None:
        """One event more, linked and counted as the engine does it."""
        sql = "SELECT hash FROM event WHERE chain = ? ORDER BY seq DESC LIMIT 1"
        [(digest,)] = self.town.connection.execute(sql, (chain,)).fetchall()
        head = Head(seq=self.last(chain), hash=bytes(digest))
        event: dict[str, object] = {"at": moment(LATER), "actor": "somebody", "data": data}
        written = Scribe(LOG, key).write(chain, head, kind, event)  # type: ignore[arg-type]  # a test's own words
        self._write(chain, written.seq, written.body, written.hash, written.mac)
        self.claim(chain, written.seq, written.hash)

    def vanish(self, chain: int) -> None:
        """A case goes, with its row and everything beside it."""
        for table, column in (
            ("event", "chain"), ("personal", "chain"), ("outbox", "chain"), ("deadline", "case_id"),
            ("document", "case_id"), ("member", "member"), ("member", "list_id"), ("cases", "id"),
        ):  # fmt: skip
            self.run(f"DELETE FROM {table} WHERE {column} = ?", chain)  # noqa: S608 the tables above

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What is done inside has not happened afterwards; the database's own guards are taken away first."""
        with self.town.undone():
            sql = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for (name,) in self.town.connection.execute(sql).fetchall():
                self.run(f"DROP TRIGGER {name}")
            self.run("PRAGMA defer_foreign_keys = ON")
            yield

    def replayed(self) -> set[str]:
        """The chains that replay finds at fault."""
        parts = (replay_range(self.town.connection, LOG, KEY, span) for span in spans(self.town.connection, 1))
        return {one.chain for part in parts for one in part.diverged}

    def export(self, path: Path, scope: Scope | None = None) -> Path:
        write_bundle(path, self.town.connection, scope or Scope(kind="all"), log=LOG, made_at=LATER)
        return path

    def named(self, who: str | None) -> str | None:
        """The name of the chain that an attack is about, by the name it has here."""
        return None if who is None else chain_name(int(getattr(self, who)))


def begin(url: str, shelf: Library, pupils: Sequence[str] = FEW) -> None:
    """The district when it was first sealed."""
    engine = open_engine(url)
    schema.upgrade(engine)
    engine.dispose()
    with town_at(url, shelf) as town:
        furnish(town, pupils)
        Prey(town=town).seal()


@contextmanager
def carried_on(url: str, shelf: Library) -> Iterator[Prey]:
    """The district as it stands, sealed twice more; the auditor has kept the second head."""
    with town_at(url, shelf) as town:
        prey = Prey(town=town, head=HeadInMemory(leaves.latest(town.connection)))
        prey.go_on(1, 2, 3)
        prey.seal()
        prey.seen = prey.head.note
        prey.go_on(4, 5, 6, 7)
        prey.seal()
        yield prey
