"""Bundles: what an auditor takes away, as one zip that is checked without this program (docs/verifying.md).

The same database at the same moment gives the same bytes. Everything is streamed from the database into the file, so
memory does not grow with the number of events. What is stored is written as it is stored, sound or not: to judge it is
for the verifier, who must be able to see what somebody has done to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson

from engine.records import Json
from engine.store import bundles, leaves
from engine.store.bundles import Claim, Line, Scope
from engine.store.database import Connection
from engine.trail.event import canonical, moment
from engine.trail.notes import Checkpoint, Note
from engine.trail.tree import Node, consistency_path, inclusion_path

FORMAT = "xueji-bundle/1"
VERIFIER = Path(__file__).parent / "verifier"
"""What checks a bundle: it goes with every one, though an auditor is told to use a copy from elsewhere."""

NEWEST_CHECKPOINTS, OLDER_CHECKPOINTS = 1000, 1000
"""How many earlier heads a bundle leads on from: all of the newest, and as many of the rest, evenly thinned."""

_TELL_EVERY = 1000
_SENT_ALONG = (".css", ".html", ".js", ".py")
_JSON_COLUMNS = frozenset({"facts", "fields", "slots", "taken"})
_README = """\
这是学籍业务流程引擎的审计包。核对时请使用您自己保存的核对程序与策略文件，不要只相信本包所附的：
This is an audit bundle of xueji. Check it with a verifier and a policy file of your own, not only with what it brings:

    python -I xueji_verify.py BUNDLE.zip --policy POLICY [--seen HEAD]

策略文件写明日志的公钥，须从日志的主管单位当面或另行取得。HEAD 是上次核对后留存的日志头，可据此发现回退与分叉。
The policy names the log's public key; get it from those who run the log, by another way than this file.
HEAD is the signed head you kept from last time: with it, a log that was rolled back or forked is found.
不便运行程序时，用浏览器打开 verifier/index.html，不联网即可核对。
Where no program can be run, open verifier/index.html in a browser; it checks the bundle without any network.

本包含个人信息，请妥善保管。This bundle holds personal data; keep it safe.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a bundle that was written holds: events, the size of the head they are under, the SHA-256 of the file."""

    events: int
    size: int
    sha256: str


def write_bundle(
    path: Path,
    connection: Connection,
    scope: Scope,
    *,
    log: str,
    made_at: datetime,
    advance: Callable[[int], None] = lambda _: None,
) -> Contents:
    """Write a bundle of everything a scope holds as of now.

    Args:
        path: The file; one that is there is overwritten.
        connection: Where it is read from, in one transaction.
        scope: What is taken out.
        log: The log's origin.
        made_at: The moment that the bundle and the entries of the zip say.
        advance: Told how many events more are written.
    """
    with connection.reading(), ZipFile(path, "w", ZIP_DEFLATED) as archive:
        head = leaves.latest(connection)
        size = 0 if head is None else Checkpoint.parse(head.text).size
        number = bundles.count(connection, scope)
        writer = _Writer(archive, made_at)
        manifest: dict[str, Json] = {
            "format": FORMAT, "log": log, "scope": {"kind": scope.kind, "name": scope.name}, "size": size,
            "events": number, "made_at": moment(made_at),
        }  # fmt: skip
        writer.text("manifest.json", canonical(manifest))
        if head is not None:
            _write_heads(writer, connection, head, size)
        if head is not None and scope.kind == "all":
            writer.parts("leaves.bin", bundles.leaf_hashes(connection, size))
        _write_content(writer, connection, scope, size, advance)
        _write_verifier(writer)
    with path.open("rb") as file:
        return Contents(events=number, size=size, sha256=hashlib.file_digest(file, "sha256").hexdigest())


class _Writer:
    """Writes the entries of a zip one after the other, all as of one moment."""

    __slots__ = ("_archive", "_date")

    def __init__(self, archive: ZipFile, made_at: datetime) -> None:
        at = made_at.astimezone(UTC)
        self._archive = archive
        self._date = (at.year, at.month, at.day, at.hour, at.minute, at.second)

    def _open(self, name: str) -> IO[bytes]:
        info = ZipInfo(name, date_time=self._date)
        info.compress_type = ZIP_DEFLATED
        info.create_system = 3  # Unix, whatever made it: the same bytes everywhere
        info.external_attr = 0o644 << 16
        return self._archive.open(info, "w", force_zip64=True)

    def text(self, name: str, body: bytes) -> None:
        """One entry, whole."""
        self.parts(name, (body,))

    def parts(self, name: str, parts: Iterable[bytes]) -> None:
        """One entry, streamed."""
        with self._open(name) as entry:
            for part in parts:
                entry.write(part)

    def lines(self, name: str, values: Iterable[Mapping[str, object]]) -> None:
        """One entry with a JSON document on each line."""
        self.parts(name, (canonical(value) + b"\n" for value in values))


def _write_heads(writer: _Writer, connection: Connection, head: Note, size: int) -> None:
    """The signed head, and how it follows from the heads before it."""
    node = leaves.node(connection)
    earlier = [one for one, _ in leaves.checkpoints(connection) if one < size]
    writer.text("head.note", head.encoded().encode())
    writer.lines(
        "consistency.jsonl",
        ({"size": one, "path": _hexes(consistency_path(one, size, node))} for one in thinned(sorted(earlier))),
    )


def thinned(sizes: list[int]) -> list[int]:
    """The sizes of earlier heads that a bundle leads on from; with few of them, all."""
    older, newest = sizes[:-NEWEST_CHECKPOINTS], sizes[-NEWEST_CHECKPOINTS:]
    if len(older) <= OLDER_CHECKPOINTS:
        return sizes
    return [older[len(older) * place // OLDER_CHECKPOINTS] for place in range(OLDER_CHECKPOINTS)] + newest


def _write_content(
    writer: _Writer, connection: Connection, scope: Scope, size: int, advance: Callable[[int], None]
) -> None:
    named = _Named()
    node = None if scope.kind == "all" else leaves.node(connection)
    lines = _told(bundles.events(connection, scope, size), advance)
    writer.lines("events.jsonl", (_event(named.noted(one), size, node) for one in lines))
    writer.lines(
        "personal.jsonl",
        (
            {"chain": chain, "seq": seq, "salt": salt.hex(), "body": body.decode(errors="replace")}
            for chain, seq, salt, body in bundles.personal(connection, scope)
        ),
    )
    everything = scope.kind == "all"
    for digest, body in bundles.texts(connection, "shape", None if everything else named.definitions):
        writer.text(f"definitions/{digest}.json", body.encode())
    for digest, body in bundles.texts(connection, "rulebook", None if everything else named.rulebooks):
        writer.text(f"rulebooks/{digest}.json", body.encode())
    writer.lines("cases.jsonl", map(_case, bundles.cases(connection, scope)))
    writer.lines("students.jsonl", map(_student, bundles.students(connection, scope)))


class _Named:
    """The definitions and rulebooks that events name."""

    __slots__ = ("definitions", "rulebooks")

    def __init__(self) -> None:
        self.definitions: set[str] = set()
        self.rulebooks: set[str] = set()

    def noted(self, line: Line) -> Line:
        """Take note of what an event names; one that cannot be read names nothing."""
        try:
            event = orjson.loads(line.body)
        except orjson.JSONDecodeError:
            return line
        if isinstance(event, dict):
            self.definitions.add(str(event.get("definition")))
            self.rulebooks.add(str(event.get("rulebook")))
        return line


def _told(lines: Iterator[Line], advance: Callable[[int], None]) -> Iterator[Line]:
    done = 0
    for done, one in enumerate(lines, start=1):
        yield one
        if not done % _TELL_EVERY:
            advance(_TELL_EVERY)
    advance(done % _TELL_EVERY)


def _event(line: Line, size: int, node: Node | None) -> dict[str, object]:
    told: dict[str, object] = {
        "index": line.place, "chain": line.chain, "seq": line.seq, "request": line.request,
        "body": line.body.decode(errors="replace"), "hash": line.hash.hex(), "mac": line.mac.hex(),
    }  # fmt: skip
    if node is not None and line.place is not None:
        told["path"] = _hexes(inclusion_path(line.place, size, node))
    return told


def _case(claim: Claim) -> dict[str, object]:
    return {**_end(claim), **{name: _as_json(name, value) for name, value in claim.columns.items()}}


def _student(claim: Claim) -> dict[str, object]:
    columns = dict(claim.columns)
    facts, unit = _as_json("facts", columns.pop("facts")), columns.pop("unit")
    return {**_end(claim), "facts": facts, "unit": unit, "columns": columns}


def _end(claim: Claim) -> dict[str, object]:
    return {"chain": claim.chain, "seq": claim.seq, "head": claim.head.hex()}


def _as_json(name: str, value: object) -> object:
    """A column that holds JSON, as JSON; what is no JSON of the trail stays the text it is, and is found so."""
    if name not in _JSON_COLUMNS or not isinstance(value, str):
        return value
    try:
        read = orjson.loads(value)
        canonical(read)
    except (ValueError, TypeError):
        return value
    return read


def _hexes(path: Iterable[bytes]) -> list[str]:
    return [one.hex() for one in path]


def _write_verifier(writer: _Writer) -> None:
    for file in sorted(VERIFIER.iterdir()):
        if file.suffix in _SENT_ALONG and file.name != "__init__.py":
            writer.text(f"verifier/{file.name}", file.read_bytes())
    writer.text("README.txt", _README.encode())
