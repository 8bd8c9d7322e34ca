"""Sealing: events get their place in the tree, and its head is signed. Deciding neither waits for it nor knows it.

Rule 1: no head is signed unless it extends the last one that was, which is kept where restoring the database does not
reach; so a database that was rolled back or rewritten is noticed by the sealer itself.
Rule 2: the head is kept there before anybody else hears of it; killed anywhere, the next sealer signs the same again.
Rule 3: only ids, hashes and MACs of events are read; bodies never.

Source: docs/decisions/0015; reliability of the log, one head for each size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import orjson

from engine.desk import Desk
from engine.errors import XuejiError
from engine.store import leaves
from engine.store.database import DRIVER_ERRORS, Connection
from engine.store.leases import Held, give_up, leader, still_held, take
from engine.trail.event import REGISTRY, EventKind, chain_name, moment
from engine.trail.notes import Checkpoint, Note, Signer
from engine.trail.tree import Node, leaf_hash, root_at

LEASE = "seal"
"""The name of the lease under which the tree grows."""
ROUND = 5_000
"""Events sealed in one transaction: some 0.1 s in which nobody else writes on SQLite."""
_LEASE_SECONDS = 60.0
"""Longer than any round takes; so long the next sealer waits for one that was killed."""

Clock = Callable[[], datetime]


class SealingRefused(XuejiError):
    """The sealer does not sign: what it would sign does not extend what was signed before."""


class SealedElsewhere(XuejiError):
    """Another process is sealing, or has taken over meanwhile."""

    def __init__(self, holder: str | None) -> None:
        super().__init__(
            f"另一进程正在封存（{holder or '不明'}），请稍后再试。"
            f" Another process is sealing ({holder or 'unknown'}); try again later."
        )


class LastHead(Protocol):
    """The last head that was signed, kept where restoring the database does not reach."""

    def locked(self) -> AbstractContextManager[None]:
        """Nobody else looks at the head to sign another one meanwhile, whatever database they work on."""
        ...

    def read(self) -> Note | None:
        """The last head; None before the first."""
        ...

    def keep(self, note: Note) -> None:
        """Put a head in the last one's place; it is on the disk when this returns."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer:
    """Who seals which log: its name, its keys (the newest first), and the last head."""

    log: str
    signers: tuple[Signer, ...]
    head: LastHead


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What came of a sealing: how many events got their leaf, and the head if a new one was signed."""

    events: int
    note: Note | None


def seal(
    connection: Connection,
    sealer: Sealer,
    holder: str,
    clock: Clock,
    told: Callable[[int], None] = lambda _: None,
) -> Sealed:
    """Give every event its leaf, in rounds, and sign the head.

    Args:
        connection: The held connection, outside any transaction.
        sealer: Whose log.
        holder: Unlike any other process's, on whatever machine.
        clock: The moment to go by; never backwards.
        told: Hears after each round how many events it has sealed.

    Raises:
        SealedElsewhere: If another process is at it.
        SealingRefused: If the tree does not extend what was signed, or sealed events are not as they were.
        TreeBroken: If a part of the tree is missing.
    """
    with _leading(connection, holder, clock) as lead:
        with connection.reading():
            _check_heads(connection, sealer, leaves.size(connection))
        done = 0
        while True:
            number = _round(connection, lead(), clock)
            done += number
            told(number)
            if number < ROUND:
                break
        return Sealed(events=done, note=_sign(connection, sealer, lead(), clock))


def check(connection: Connection, sealer: Sealer) -> None:
    """See whether the next head could be signed, and sign nothing.

    Raises:
        SealingRefused: If not.
    """
    with connection.reading():
        size = leaves.size(connection)
        _check_heads(connection, sealer, size)
        _check_newest(connection, size)


def announce(desk: Desk, vkey: str, *, at: datetime, actor: str) -> bool:
    """Say in the registry's chain which key seals from now on; False if it says so already."""
    with desk.connection.writing():
        if vkey in _announced(desk.connection)[-1:]:
            return False
        desk.record([(EventKind.SEALED, {"vkey": vkey})], at=at, actor=actor)
    return True


def _announced(connection: Connection) -> list[str]:
    """Every key that was announced, oldest first."""
    rows = connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (REGISTRY,)).fetchall()
    events = (orjson.loads(bytes(body)) for (body,) in rows if b'"kind":"sealed"' in bytes(body))
    return [str(event["data"]["vkey"]) for event in events if event["kind"] == EventKind.SEALED]


@contextmanager
def _leading(connection: Connection, holder: str, clock: Clock) -> Iterator[Callable[[], Held]]:
    """Take the lease, hold on to it whenever asked, and let go of it at the end."""

    def lead() -> Held:
        held = take(connection, LEASE, holder, clock(), _LEASE_SECONDS)
        if held is None:
            other = leader(connection, LEASE)
            raise SealedElsewhere(None if other is None else other.holder)
        return held

    held = lead()
    try:
        yield lead
    finally:
        with suppress(*DRIVER_ERRORS):  # what broke the connection is what is to be heard
            give_up(connection, held)


def _round(connection: Connection, held: Held, clock: Clock) -> int:
    """One transaction: leaves for the oldest events without one, and the low mark."""
    with connection.writing():
        _still_leading(connection, held, clock)
        size, low = leaves.size(connection), leaves.low_mark(connection)
        _check_newest(connection, size)
        rows = leaves.unsealed(connection, low.mark, ROUND)
        leaves.append(connection, size, [(row.id, leaf_hash(row.hash + row.mac)) for row in rows])
        if rows:
            _check_order(connection, size, size + len(rows))
        leaves.raise_low_mark(connection, low, rows[-1].id if rows else low.mark)
    return len(rows)


def _sign(connection: Connection, sealer: Sealer, held: Held, clock: Clock) -> Note | None:
    """Sign the head of the tree as it stands, unless it has been already."""
    with sealer.head.locked(), connection.writing():
        _still_leading(connection, held, clock)
        size = leaves.size(connection)
        tree = _check_heads(connection, sealer, size)
        if size == 0 or leaves.checkpoint_of(connection, size) is not None:
            return None
        text = Checkpoint(origin=sealer.log, size=size, root=root_at(size, tree)).text()
        note = Note(text=text, signatures=tuple(signer.sign(text) for signer in sealer.signers))
        sealer.head.keep(note)
        leaves.keep_checkpoint(connection, size, note, moment(clock()))
    return note


def _still_leading(connection: Connection, held: Held, clock: Clock) -> None:
    if not still_held(connection, held, clock()):
        raise SealedElsewhere(None)


def _check_heads(connection: Connection, sealer: Sealer, size: int) -> Node:
    """The tree extends the last head beside the key and the newest in the database, if there are any."""
    tree = leaves.node(connection)
    last, kept = sealer.head.read(), leaves.latest(connection)
    if last is None and kept is not None:
        message = (
            "封存头文件不见了：请放回原处，或把最近公布的检查点复制到那里；在此之前不再封存。"
            " The file of the last head is gone: put it back, or copy the newest published checkpoint to its place;"
            " nothing is sealed before."
        )
        raise SealingRefused(message)
    for note in (last, kept):
        if note is not None:
            _check_head(sealer, note, size, tree)
    return tree


def _check_head(sealer: Sealer, note: Note, size: int, tree: Node) -> None:
    head = Checkpoint.parse(note.text)
    if head.origin != sealer.log or not any(note.signed_by(signer.verifier) for signer in sealer.signers):
        message = (
            f"已签署的封存头（{head.origin}，{head.size}）不是本日志 {sealer.log} 用现有密钥签的：密钥或头文件放错了。"
            f" The last head ({head.origin}, {head.size}) was not signed for {sealer.log} by the keys at hand:"
            f" the wrong key, or the wrong head file."
        )
        raise SealingRefused(message)
    if size < head.size:
        message = (
            f"数据库被退回过：已签署 {head.size} 个事件的封存头，库中只有 {size} 个。拒绝封存；请恢复较新的备份。"
            f" The database was rolled back: a head of {head.size} events has been signed, and it holds {size}."
            f" Nothing is sealed; restore a newer copy."
        )
        raise SealingRefused(message)
    if root_at(head.size, tree) != head.root:
        message = (
            f"库中前 {head.size} 个事件的树根与已签署的封存头不同：历史被改写过。拒绝封存；请保全现场并比对备份。"
            f" The first {head.size} events do not have the root that has been signed: history was rewritten."
            f" Nothing is sealed; keep everything as it is and compare with backups."
        )
        raise SealingRefused(message)


def _check_newest(connection: Connection, size: int) -> None:
    """The newest sealed event is as it was: were it gone, its id might be given again, and pass for sealed."""
    if size == 0:
        return
    event, digest, data = leaves.newest(connection, size - 1)
    if data is None or leaf_hash(data) != digest:
        message = (
            f"最近封存的事件（第 {size - 1} 号叶，事件 {event}）已被删除或改动。拒绝封存；请运行 xueji replay --all。"
            f" The newest sealed event (leaf {size - 1}, event {event}) was deleted or changed. Nothing is sealed;"
            f" run 'xueji replay --all'."
        )
        raise SealingRefused(message)


def _check_order(connection: Connection, first: int, end: int) -> None:
    """No event was sealed before the one it follows: ids rise along a chain, unless somebody put a row in."""
    found = leaves.overtaken(connection, first, end)
    if found is not None:
        chain, seq = found
        message = (
            f"{chain_name(chain)} 第 {seq} 号事件晚于其后续事件出现：有人插入或替换过事件。拒绝封存。"
            f" Event {seq} of {chain_name(chain)} came after the one that follows it: somebody put it in its place."
            f" Nothing is sealed."
        )
        raise SealingRefused(message)
