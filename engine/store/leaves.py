"""The sealed tree as kept: leaves, roots of complete subtrees at every eighth level, heads that were signed.

Which events have no leaf yet is found from the low mark on: every event up to it has its leaf or will never come.
PostgreSQL shows events out of order, and an id whose transaction was rolled back never comes; so there the mark passes
a missing id only when nobody who might still bring it is left (docs/decisions/0015). SQLite has one writer at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from engine.errors import XuejiError
from engine.store.database import NEWEST, Connection
from engine.store.registry import setting
from engine.trail.notes import Note, Signature
from engine.trail.tree import Node, node_hash, root_of

TILE_LEVELS = 8
TILE = 1 << TILE_LEVELS
"""So many hashes of one kept level make one of the next."""
_MOST_TILES = 1024
"""Of these `node` remembers; one is about 40 kB."""
_MARK = "sealing"

_UNSEALED = (
    "SELECT e.id, e.hash, e.mac FROM event e WHERE e.id > ? AND NOT EXISTS"
    " (SELECT 1 FROM leaf l WHERE l.event = e.id AND l.event > ?) ORDER BY e.id LIMIT ?"
)
_COUNT = (
    "SELECT count(*) FROM event e WHERE e.id > ? AND NOT EXISTS"
    " (SELECT 1 FROM leaf l WHERE l.event = e.id AND l.event > ?)"
)
_FIRST_UNSEALED = (
    "SELECT min(e.id) FROM event e WHERE e.id > ? AND e.id <= ? AND NOT EXISTS"
    " (SELECT 1 FROM leaf l WHERE l.event = e.id AND l.event > ?)"
)
_OVERTAKEN = (  # a subquery for each row: joined, PostgreSQL reads both tables whole for every round
    "SELECT e.chain, e.seq FROM leaf l JOIN event e ON e.id = l.event WHERE l.idx >= ? AND l.idx < ? AND l.idx >"
    " (SELECT m.idx FROM event n JOIN leaf m ON m.event = n.id WHERE n.chain = e.chain AND n.seq = e.seq + 1)"
    " ORDER BY l.idx LIMIT 1"
)
_NEWEST = "SELECT l.event, l.hash, e.hash, e.mac FROM leaf l LEFT JOIN event e ON e.id = l.event WHERE l.idx = ?"
_PG_WRITERS = (
    "SELECT DISTINCT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND relation = 'event'::regclass"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND mode = 'RowExclusiveLock' AND granted AND pid IS DISTINCT FROM pg_backend_pid()"
)
_SET_MARK = "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_LEAVES = "INSERT INTO leaf (idx, event, hash) VALUES (?, ?, ?)"
_PG_LEAVES = "INSERT INTO leaf (idx, event, hash) SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::bytea[])"
_NODES = "INSERT INTO tree_node (level, idx, hash) VALUES (?, ?, ?)"
_COSIGNED = (
    "INSERT INTO cosignature (size, name, line) VALUES (?, ?, ?)"
    " ON CONFLICT (size, name) DO UPDATE SET line = excluded.line"
)


class TreeBroken(XuejiError):
    """Leaves or nodes of the sealed tree are not in the database any more."""

    def __init__(self, level: int, index: int) -> None:
        self.level, self.index = level, index
        super().__init__(
            f"封存树缺少第 {level} 层第 {index} 个结点：数据库被改动过，请从备份恢复。"
            f" The sealed tree lacks node {index} of level {level}: the database was tampered with; restore a backup."
        )


class Unsealed(NamedTuple):
    """An event without a leaf."""

    id: int
    hash: bytes
    mac: bytes


class LowMark(NamedTuple):
    """Up to where everything is sealed or will never come.

    `target` is the newest event there was when the mark was last raised, `awaits` the transactions that wrote events
    then: only these can still bring an id up to it.
    """

    mark: int = 0
    target: int = 0
    awaits: tuple[str, ...] = ()


def size(connection: Connection) -> int:
    """How many leaves the tree has."""
    [(last,)] = connection.execute("SELECT max(idx) FROM leaf").fetchall()
    return 0 if last is None else int(last) + 1


def node(connection: Connection) -> Node:
    """The roots of complete subtrees, each from one read of at most 256 hashes, and remembered.

    Returns:
        A function that raises `TreeBroken` where the tree has no such subtree.
    """
    tiles: dict[tuple[int, int], list[list[bytes]]] = {}

    def read(level: int, index: int) -> bytes:
        kept, height = level - level % TILE_LEVELS, level % TILE_LEVELS
        tile, place = index >> (TILE_LEVELS - height), index & ((1 << (TILE_LEVELS - height)) - 1)
        found = tiles.get((kept, tile))
        if found is None or place >= len(found[height]):
            if len(tiles) >= _MOST_TILES:
                tiles.clear()
            found = tiles[kept, tile] = _folded(_kept(connection, kept, tile * TILE, (tile + 1) * TILE))
        if place >= len(found[height]):
            raise TreeBroken(level, index)
        return found[height][place]

    return read


def _folded(hashes: list[bytes]) -> list[list[bytes]]:
    """A tile's own hashes, those of their pairs, and so on up."""
    levels = [hashes]
    for _ in range(TILE_LEVELS - 1):
        below = levels[-1]
        levels.append([node_hash(left, right) for left, right in zip(below[::2], below[1::2], strict=False)])
    return levels


def _kept(connection: Connection, level: int, begin: int, end: int) -> list[bytes]:
    """The hashes of a kept level from `begin` on, up to before `end` or where they end."""
    if level == 0:
        sql = "SELECT idx, hash FROM leaf WHERE ? = 0 AND idx >= ? AND idx < ? ORDER BY idx"
    else:
        sql = "SELECT idx, hash FROM tree_node WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx"
    rows = connection.execute(sql, (level, begin, end)).fetchall()
    for place, (index, _) in enumerate(rows, begin):
        if index != place:
            raise TreeBroken(level, place)
    return [bytes(digest) for _, digest in rows]


def append(connection: Connection, first: int, leaves: Sequence[tuple[int, bytes]]) -> None:
    """Add leaves (event and leaf hash) from index `first` on, and the roots of the subtrees they complete.

    Call inside a transaction; a second leaf for an event, or at an index, is refused by the database.
    """
    rows = [(index, event, digest) for index, (event, digest) in enumerate(leaves, first)]
    if connection.is_sqlite:
        connection.executemany(_LEAVES, rows)
    elif rows:
        connection.execute(_PG_LEAVES, [list(column) for column in zip(*rows, strict=True)])
    level, fresh = 0, [digest for _, digest in leaves]
    while fresh:
        first, fresh = _complete(connection, level, first, fresh)
        level += TILE_LEVELS
        connection.executemany(_NODES, [(level, index, digest) for index, digest in enumerate(fresh, first)])


def _complete(connection: Connection, level: int, first: int, fresh: list[bytes]) -> tuple[int, list[bytes]]:
    """The tiles of a level that are full now: the index of the first of them, and their roots."""
    tile, end = first // TILE, first + len(fresh)
    if end // TILE == tile:
        return tile, []
    hashes = _kept(connection, level, tile * TILE, first) + fresh
    return tile, [root_of(hashes[begin : begin + TILE]) for begin in range(0, len(hashes) - TILE + 1, TILE)]


def unsealed(connection: Connection, after: int, limit: int) -> list[Unsealed]:
    """Events after an id that have no leaf, in order of id; of the bytes only their hash and MAC are read."""
    rows = connection.execute(_UNSEALED, (after, after, limit)).fetchall()
    return [Unsealed(int(row), bytes(digest), bytes(mac)) for row, digest, mac in rows]


def count_unsealed(connection: Connection) -> int:
    """How many events have no leaf yet."""
    return count_unsealed_after(connection, low_mark(connection))


def count_unsealed_after(connection: Connection, low: LowMark) -> int:
    """How many events have no leaf yet, where the low mark has been read."""
    mark = low.mark
    [(number,)] = connection.execute(_COUNT, (mark, mark)).fetchall()
    return int(number)


def overtaken(connection: Connection, first: int, end: int) -> tuple[int, int] | None:
    """A chain and place among these leaves whose next event was sealed before it; None, as it should be."""
    row = connection.execute(_OVERTAKEN, (first, end)).fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


def newest(connection: Connection, index: int) -> tuple[int, bytes, bytes | None]:
    """The event and hash of a leaf, and what the hash is made of as the event stands now; None: it is gone.

    Raises:
        TreeBroken: If there is no such leaf.
    """
    row = connection.execute(_NEWEST, (index,)).fetchone()
    if row is None:
        raise TreeBroken(0, index)
    event, digest, event_hash, mac = row
    return int(event), bytes(digest), None if event_hash is None else bytes(event_hash) + bytes(mac)


class Head(NamedTuple):
    """A head that was signed, and when."""

    note: Note
    signed_at: datetime


def newest_heads(connection: Connection, before: int | None, limit: int) -> tuple[list[Head], LowMark]:
    """The newest heads (smaller than `before`), largest first, without cosignatures; and the low mark with them."""
    sql = (
        "SELECT m.value, c.note, c.signed_at FROM (SELECT max(value) AS value FROM setting WHERE name = ?) m"
        " LEFT JOIN checkpoint c ON c.size < ? ORDER BY c.size DESC LIMIT ?"
    )
    most = before if before is not None else NEWEST
    rows = connection.execute(sql, (_MARK, most, limit)).fetchall()
    heads = [Head(Note.parse(str(note)), datetime.fromisoformat(str(at))) for _, note, at in rows if note is not None]
    return heads, mark_in(rows[0][0])


def sealed_under(connection: Connection, chain: int, seq: int) -> int | None:
    """The size of the first head that an event is under; None: it is under none yet."""
    row = connection.execute(
        "SELECT min(c.size) FROM event e JOIN leaf l ON l.event = e.id JOIN checkpoint c ON c.size > l.idx"
        " WHERE e.chain = ? AND e.seq = ?",
        (chain, seq),
    ).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def low_mark(connection: Connection) -> LowMark:
    """The low mark as it was last kept."""
    return mark_in(setting(connection, _MARK))


def mark_in(text: str | None) -> LowMark:
    """The low mark in the text under which it is kept."""
    if text is None:
        return LowMark()
    told = orjson.loads(text)
    return LowMark(told["mark"], told["target"], tuple(told["awaits"]))


def raise_low_mark(connection: Connection, low: LowMark, last: int) -> None:
    """Raise the mark as far as is safe, in the transaction that has sealed up to event `last`.

    On PostgreSQL the order of the statements is what makes it safe: an id is drawn under a lock on `event` that is held
    until its transaction ends. Who is seen to hold none after an event was seen, can bring no id before that event.
    """
    if connection.is_sqlite:
        _keep_mark(connection, low, LowMark(mark=max(low.mark, last)))
        return
    left = tuple(sorted(_writers(connection).intersection(low.awaits)))
    if left:
        _keep_mark(connection, low, low._replace(awaits=left))
        return
    [(first,)] = connection.execute(_FIRST_UNSEALED, (low.mark, low.target, low.mark)).fetchall()
    mark = max(low.mark, low.target if first is None else int(first) - 1)
    [(target,)] = connection.execute("SELECT coalesce(max(id), 0) FROM event").fetchall()
    awaits = tuple(sorted(_writers(connection)))
    _keep_mark(connection, low, LowMark(mark=mark, target=int(target), awaits=awaits))


def _writers(connection: Connection) -> set[str]:
    """The transactions that are writing events, but for this one."""
    return {str(one) for (one,) in connection.execute(_PG_WRITERS).fetchall()}


def _keep_mark(connection: Connection, before: LowMark, now: LowMark) -> None:
    if now != before:
        connection.execute(_SET_MARK, (_MARK, orjson.dumps(now._asdict()).decode()))


def keep_checkpoint(connection: Connection, of_size: int, note: Note, signed_at: str) -> None:
    """Keep a signed head; a second one of its size is refused by the database."""
    sql = "INSERT INTO checkpoint (size, note, signed_at) VALUES (?, ?, ?)"
    connection.execute(sql, (of_size, note.encoded(), signed_at))


def keep_cosignature(connection: Connection, of_size: int, signature: Signature) -> None:
    """Keep a witness's newest line on a head."""
    with connection.writing():
        connection.execute(_COSIGNED, (of_size, signature.name, signature.line()))


def latest(connection: Connection) -> Note | None:
    """The newest signed head with every cosignature known of it; None before the first sealing."""
    row = connection.execute("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    return None if row is None else _cosigned(connection, int(row[0]), str(row[1]))


def checkpoint_of(connection: Connection, of_size: int) -> Note | None:
    """The signed head of a size, with its cosignatures."""
    row = connection.execute("SELECT note FROM checkpoint WHERE size = ?", (of_size,)).fetchone()
    return None if row is None else _cosigned(connection, of_size, str(row[0]))


def signed_at(connection: Connection) -> datetime | None:
    """When the newest head was signed."""
    row = connection.execute("SELECT signed_at FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
    return None if row is None else datetime.fromisoformat(str(row[0]))


def checkpoints(connection: Connection) -> list[tuple[int, Note]]:
    """Every head that was signed, smallest first, without cosignatures."""
    rows = connection.execute("SELECT size, note FROM checkpoint ORDER BY size").fetchall()
    return [(int(of_size), Note.parse(str(note))) for of_size, note in rows]


def cosigned_sizes(connection: Connection) -> dict[str, int]:
    """The largest head that each witness has vouched for, by the name of its key."""
    rows = connection.execute("SELECT name, max(size) FROM cosignature GROUP BY name ORDER BY name").fetchall()
    return {str(name): int(of_size) for name, of_size in rows}


def _cosigned(connection: Connection, of_size: int, note: str) -> Note:
    rows = connection.execute("SELECT line FROM cosignature WHERE size = ? ORDER BY name", (of_size,)).fetchall()
    return Note.parse(note).with_signature(*(Signature.parse(str(line)) for (line,) in rows))
