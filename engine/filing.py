"""Filing: what the events of a case say of its documents, to be compared with the rows that are kept.

Pure but for `documents_agree` and `files_agree`, which read what is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson

from engine.documents import marks
from engine.issuing import made_hash
from engine.records import Json
from engine.store import documents
from engine.store.database import Connection
from engine.store.documents import DocumentRow
from engine.store.erasures import is_emptied
from engine.trail.event import EventKind

PERSONAL_LOOKS = ("stem", "listed")
"""What is known of a file and sealed in its event (`Upload.personal_looks`)."""

Data = Mapping[str, Any]
"""The innermost part of an event, read back."""


class Filed:
    """The documents that a case's events add up to: fold event after event, then ask where the rows differ."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows: list[DocumentRow] = []

    @property
    def rows(self) -> Sequence[DocumentRow]:
        """The documents told of so far; of forms made by a step only the hash, under `looks`."""
        return self._rows

    def apply(self, kind: str, seq: int, data: Data) -> None:
        """Add one event of the case; those that say nothing of documents change nothing."""
        match kind:
            case EventKind.EVIDENCE_ADDED:
                file = data["file"]
                looks = {name: value for name, value in file.items() if name != "sha256"}
                self._rows.append(DocumentRow(0, seq, data["document"], file["sha256"], looks))
            case EventKind.EVIDENCE_WITHDRAWN:
                self._rows = [row._replace(withdrawn=row.withdrawn or row.seq == data["added"]) for row in self._rows]
            case EventKind.REFUSED | EventKind.RETRACTED:
                pass  # what was given with a refused step is not kept; a reviewing step is not retractable
            case _:
                self._step(seq, data)

    def _step(self, seq: int, data: Data) -> None:
        """What a step reviewed, then what it made: its own forms nobody has looked at yet."""
        given = marks(data.get("ticks") or {})
        self._rows = [
            row._replace(ticks=given[row.kind]) if row.kind in given and not row.withdrawn else row
            for row in self._rows
        ]
        for kind, digest in (data.get("documents") or {}).items():
            self._rows.append(DocumentRow(0, seq, kind, None, {"sha256": digest}))

    def reveal(self, seq: int, personal: Mapping[str, Json]) -> None:
        """Add the personal values behind an event's commitment, where they are still kept: name and people listed."""
        named = {name: personal[f"file.{name}"] for name in PERSONAL_LOOKS if f"file.{name}" in personal}
        self._rows = [
            row._replace(looks={**row.looks, **named}) if row.seq == seq and row.sha256 is not None else row
            for row in self._rows
        ]

    def differences(self, kept: Sequence[DocumentRow], is_erased: Callable[[int], bool] = lambda _: False) -> list[str]:
        """The documents that are kept otherwise than the events say, as `document KIND #SEQ`.

        `is_erased` is asked, by the event that brought it, of a form that has lost its contents.
        """
        told = {(row.seq, row.kind): row for row in self._rows}
        found = {(row.seq, row.kind): row for row in kept}
        names = sorted(told.keys() | found.keys())
        wrong = [name for name in names if not _agree(told.get(name), found.get(name), is_erased)]
        doubled = [] if len(found) == len(kept) else ["document kept twice"]
        return [f"document {kind} #{seq}" for seq, kind in wrong] + doubled


def _agree(told: DocumentRow | None, kept: DocumentRow | None, is_erased: Callable[[int], bool]) -> bool:
    if told is None or kept is None:
        return False
    looks = {name: value for name, value in kept.looks.items() if name not in PERSONAL_LOOKS or name in told.looks}
    if told.sha256:
        made = kept.made is None
    elif kept.made is None:
        made = is_erased(told.seq)
    else:
        made = made_hash(kept.made) == told.looks["sha256"]
    same = (told.sha256, told.ticks, told.withdrawn) == (kept.sha256, kept.ticks, kept.withdrawn)
    return same and made and looks == told.looks


def documents_agree(connection: Connection, chain: int, bodies: Iterable[bytes]) -> list[str]:
    """Where the documents of one case are kept otherwise than its events say; call inside `reading`.

    Args:
        connection: Where they are kept.
        chain: The case.
        bodies: The events of the case, in order.
    """
    filed = Filed()
    for body in bodies:
        event = orjson.loads(body)
        filed.apply(event["kind"], event["seq"], event["data"])
    for seq, personal in _personal(connection, chain):
        filed.reveal(seq, personal)
    return filed.differences(list(documents.in_range(connection, (chain, chain))))


def _personal(connection: Connection, chain: int) -> Iterator[tuple[int, Mapping[str, Json]]]:
    rows = connection.execute("SELECT seq, body FROM personal WHERE chain = ? ORDER BY seq", (chain,)).fetchall()
    for seq, body in rows:
        yield int(seq), orjson.loads(bytes(body))


def files_agree(connection: Connection) -> list[str]:
    """The hashes of files whose bytes are not those they are kept under, nor erased; call inside `reading`."""
    wrong = [(digest, body) for digest, body in documents.files(connection) if sha256(body).hexdigest() != digest]
    return [digest for digest, body in wrong if body or not is_emptied(connection, digest)]
