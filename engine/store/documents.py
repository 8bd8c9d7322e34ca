"""Documents of cases in the database: what was handed in or made, what a reviewer found, and the bytes behind it.

A document is named within its case by the event that brought it (`seq`) and its kind: that name stands in the trail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import orjson

from engine.records import Json
from engine.store.database import Connection, Row
from engine.trail.event import canonical

COLUMNS = "d.case_id, d.seq, d.kind, d.sha256, d.looks, d.made, d.ticks, d.withdrawn"
_ADD = (
    "INSERT INTO document (case_id, seq, kind, sha256, looks, made, ticks, withdrawn) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


class DocumentRow(NamedTuple):
    """One document of a case.

    `sha256` names the bytes of an uploaded file, `made` holds what a step made instead; `looks` is what is known of
    it, `ticks` what a reviewer found (None: nobody has looked).
    """

    case: int
    seq: int
    kind: str
    sha256: str | None
    looks: Mapping[str, Json]
    made: Mapping[str, Json] | None = None
    ticks: Mapping[str, Json] | None = None
    withdrawn: bool = False


def document_from(row: Row) -> DocumentRow:
    """The eight columns (`COLUMNS`) as a document."""
    case, seq, kind, sha256, looks, made, ticks, withdrawn = row
    return DocumentRow(
        case=case,
        seq=seq,
        kind=kind,
        sha256=sha256,
        looks=orjson.loads(looks),
        made=None if made is None else orjson.loads(made),
        ticks=None if ticks is None else orjson.loads(ticks),
        withdrawn=bool(withdrawn),
    )


def lock_case(connection: Connection, case: int) -> None:
    """Let nobody else change a case until the transaction ends; on SQLite there is one writer anyway."""
    if not connection.is_sqlite:
        connection.execute("SELECT 1 FROM cases WHERE id = ? FOR UPDATE", (case,))


def of_case(connection: Connection, case: int) -> list[DocumentRow]:
    """Every document of a case that was not withdrawn, in the order they came."""
    return of_cases(connection, [case])[case]


def of_cases(connection: Connection, cases: Sequence[int]) -> dict[int, list[DocumentRow]]:
    """The same of many cases, by case, in one statement."""
    found: dict[int, list[DocumentRow]] = {case: [] for case in cases}
    which, params = _among(connection, cases)
    sql = f"SELECT {COLUMNS} FROM document d WHERE d.case_id {which} AND NOT d.withdrawn ORDER BY d.case_id, d.id"  # noqa: S608
    for row in connection.execute(sql, params).fetchall():
        document = document_from(row)
        found[document.case].append(document)
    return found


def in_range(connection: Connection, span: tuple[int, int]) -> Iterator[DocumentRow]:
    """Every document of a range of cases, withdrawn ones too, by case, event and kind; call inside `reading`."""
    sql = f"SELECT {COLUMNS} FROM document d WHERE d.case_id BETWEEN ? AND ? ORDER BY d.case_id, d.seq, d.kind"  # noqa: S608
    yield from map(document_from, connection.stream(sql, span))


def add(connection: Connection, documents: Sequence[DocumentRow]) -> None:
    """Insert documents; the file an uploaded one names must be there already."""
    connection.executemany(_ADD, [_params(one) for one in documents])


def _params(one: DocumentRow) -> tuple[object, ...]:
    looks, made, ticks = (
        None if part is None else canonical(part).decode() for part in (one.looks, one.made, one.ticks)
    )
    return (one.case, one.seq, one.kind, one.sha256, looks, made, ticks, one.withdrawn)


def add_file(connection: Connection, sha256: str, body: bytes) -> None:
    """Keep the bytes of a file; once, however often they are handed in, and anew where they had been erased."""
    sql = (
        "INSERT INTO file (sha256, body) VALUES (?, ?)"
        " ON CONFLICT (sha256) DO UPDATE SET body = excluded.body WHERE length(file.body) = 0"
    )
    connection.execute(sql, (sha256, body))


def file_body(connection: Connection, sha256: str) -> bytes | None:
    """The bytes of a file, or None."""
    row = connection.execute("SELECT body FROM file WHERE sha256 = ?", (sha256,)).fetchone()
    return None if row is None else bytes(row[0])


def files(connection: Connection) -> Iterator[tuple[str, bytes]]:
    """Every file with the hash it is kept under; call inside `reading`."""
    for sha256, body in connection.stream("SELECT sha256, body FROM file ORDER BY sha256"):
        yield str(sha256), bytes(body)


def mark(connection: Connection, case: int, kind: str, ticks: Mapping[str, Json]) -> None:
    """Note what a reviewer found on all documents of a kind that are on a case now."""
    connection.execute(
        "UPDATE document SET ticks = ? WHERE case_id = ? AND kind = ? AND NOT withdrawn",
        (canonical(ticks).decode(), case, kind),
    )


def withdraw(connection: Connection, document: DocumentRow) -> None:
    """Take a document off its case; row and bytes stay, for the trail speaks of them."""
    connection.execute(
        "UPDATE document SET withdrawn = ? WHERE case_id = ? AND seq = ? AND kind = ?",
        (True, document.case, document.seq, document.kind),
    )


def _among(connection: Connection, cases: Sequence[int]) -> tuple[str, tuple[object, ...]]:
    if connection.is_sqlite:
        return f"IN ({','.join('?' * len(cases))})", tuple(cases)
    return "= ANY(?)", (list(cases),)
