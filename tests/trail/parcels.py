"""A bundle unpacked in memory, to be altered and packed again as an attacker would; and what attackers can compute."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson

from engine.records import ZERO
from engine.trail.chain import event_hash, mac_maker
from engine.trail.event import canonical
from engine.trail.notes import Checkpoint, Note, Signer
from engine.trail.tree import Frontier, consistency_path, inclusion_path, leaf_hash, root_of

Row = dict[str, Any]


@dataclass(slots=True)
class Parcel:
    """The entries of a bundle in their order; a name may stand in it twice."""

    entries: list[tuple[str, bytes]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Parcel:
        with ZipFile(path) as archive:
            return cls([(one.filename, archive.read(one)) for one in archive.infolist()])

    def write(self, path: Path) -> Path:
        with warnings.catch_warnings(), ZipFile(path, "w", ZIP_DEFLATED) as archive:
            warnings.simplefilter("ignore")  # an entry twice is what some attackers want
            for name, body in self.entries:
                info = ZipInfo(name, (2024, 5, 13, 0, 0, 0))
                info.compress_type = ZIP_DEFLATED
                archive.writestr(info, body)
        return path

    def copy(self) -> Parcel:
        return Parcel(list(self.entries))

    def names(self, folder: str = "") -> list[str]:
        return [name for name, _ in self.entries if name.startswith(folder)]

    def __getitem__(self, name: str) -> bytes:
        return dict(self.entries)[name]

    def __setitem__(self, name: str, body: bytes) -> None:
        self.entries = [(one, body if one == name else kept) for one, kept in self.entries]

    def drop(self, name: str) -> None:
        self.entries = [one for one in self.entries if one[0] != name]

    def insert(self, name: str, body: bytes, *, before: str | None = None) -> None:
        place = len(self.entries) if before is None else self.names().index(before)
        self.entries.insert(place, (name, body))

    def rows(self, name: str) -> list[Row]:
        return [orjson.loads(line) for line in self[name].splitlines()]

    def set_rows(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        self[name] = b"".join(canonical(row) + b"\n" for row in rows)

    def edit(self, name: str, change: Callable[[list[Row]], list[Row] | None]) -> None:
        """Change the lines of an entry, in place or by giving others."""
        rows = self.rows(name)
        changed = change(rows)
        self.set_rows(name, rows if changed is None else changed)

    def tell(self, **said: object) -> None:
        """Change what the manifest says."""
        self["manifest.json"] = canonical({**orjson.loads(self["manifest.json"]), **said})

    def counted(self) -> None:
        """Let the manifest say as many events as there are."""
        self.tell(events=len(self.rows("events.jsonl")))


def body_of(row: Row) -> Row:
    """What an event says."""
    return cast("Row", orjson.loads(row["body"]))


def say(row: Row, **said: object) -> None:
    """Let an event say something else, without mending anything."""
    row["body"] = canonical({**body_of(row), **said}).decode()


def rechain(rows: list[Row], chain: int, key: bytes | None = None) -> str:
    """Mend the links and hashes of a chain, the MACs too with the key; returns the hash of its last event."""
    before = ZERO.hex()
    mac = None if key is None else mac_maker(key)
    for row in rows:
        if row["chain"] != chain:
            continue
        say(row, prev=before)
        body = row["body"].encode()
        before = row["hash"] = event_hash(body).hex()
        row["mac"] = row["mac"] if mac is None else mac(body).hex()
    return before


def rechained(parcel: Parcel, chain: int, key: bytes | None = None) -> None:
    """Mend a chain, and the end that its row claims."""

    def mend(rows: list[Row]) -> None:
        last = rechain(rows, chain, key)
        seq = max(row["seq"] for row in rows if row["chain"] == chain)
        for name in ("cases.jsonl", "students.jsonl"):
            parcel.edit(name, lambda ends: _ending(ends, chain, seq, last))

    parcel.edit("events.jsonl", mend)


def _ending(ends: list[Row], chain: int, seq: int, last: str) -> None:
    for end in ends:
        if end["chain"] == chain:
            end["seq"], end["head"] = seq, last


def reseal(parcel: Parcel, signer: Signer, *, size: int | None = None) -> None:
    """Build the tree anew over the events as they are, and sign it: what only the holder of the key can do."""
    sealed = (row for row in parcel.rows("events.jsonl") if row["index"] is not None)
    rows = sorted(sealed, key=lambda row: row["index"])
    leaves = [leaf_hash(bytes.fromhex(row["hash"]) + bytes.fromhex(row["mac"])) for row in rows][:size]
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    text = Checkpoint(signer.verifier.name, frontier.size, frontier.root()).text()
    parcel["leaves.bin"] = b"".join(leaves)
    parcel["head.note"] = Note(text, (signer.sign(text),)).encoded().encode()
    parcel.tell(size=frontier.size)
    tree = Tree(leaves)
    earlier = [row["size"] for row in parcel.rows("consistency.jsonl") if row["size"] <= frontier.size]
    paths = {one: consistency_path(one, frontier.size, tree.node) for one in earlier}
    told = ({"size": one, "path": [hop.hex() for hop in path]} for one, path in paths.items())
    parcel.set_rows("consistency.jsonl", told)


class Tree:
    """All nodes over some leaves; for tests, which have few."""

    def __init__(self, leaves: list[bytes]) -> None:
        self._leaves = leaves
        self.node = cache(self._node)

    def _node(self, level: int, index: int) -> bytes:
        return root_of(self._leaves[index << level : (index + 1) << level])

    def path(self, index: int) -> list[bytes]:
        return inclusion_path(index, len(self._leaves), self.node)
