"""Working papers: what auditors noted and concluded, and the samples they drew, read back from the trail.

The text of a note is sealed like a personal value: the event has a commitment to it, and a note whose text has been
erased still says who concluded what and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from engine.auditing.history import readable
from engine.auditing.scope import Scope
from engine.store.database import Connection, Row
from engine.trail.event import REGISTRY, EventKind, chain_name

NOTE, SAMPLE = "note", "sample"
"""What an event of the kind `noted` tells: `data.noted`."""
_MARK = b'"kind":"noted"'  # canonical bytes: an event of the kind has them, and few others


class Conclusion(StrEnum):
    """What an auditor concludes of a case or a batch; the last one counts."""

    SOUND = "sound"
    EXCEPTION = "exception"
    OPEN = "open"


class Paper(NamedTuple):
    """One note: on a case (`chain`), or on a batch; `text` is None where it was erased."""

    chain: int
    seq: int
    at: str
    actor: str
    unit: str
    batch: str | None
    conclusion: str | None
    text: str | None

    @property
    def case(self) -> str | None:
        """The case by its number; None for a note on a batch."""
        return chain_name(self.chain).removeprefix("case/") if self.chain > REGISTRY else None


class Drawn(NamedTuple):
    """A sample as its event tells of it."""

    seq: int
    at: str
    actor: str
    unit: str
    told: Mapping[str, Any]

    @property
    def cases(self) -> tuple[str, ...]:
        """The numbers drawn, in the order of the draw."""
        return tuple(self.told["cases"])


def papers(connection: Connection, scope: Scope) -> Iterator[Paper]:
    """The notes on the batch or batches of a scope and on its cases, by place; streamed, call inside `reading`."""
    yield from (_paper(row, event) for row, event in _of_registry(connection, scope) if event["data"]["noted"] == NOTE)
    where, params = scope.where()
    sql = (
        "SELECT e.chain, e.seq, e.body, p.body, c.batch FROM event e JOIN cases c ON c.id = e.chain"  # noqa: S608 constant
        f" LEFT JOIN personal p ON p.chain = e.chain AND p.seq = e.seq WHERE {where} ORDER BY e.chain, e.seq"
    )
    for row in connection.stream(sql, params):
        if (event := _noted(row)) is not None:
            yield _paper(row, event)


def samples(connection: Connection, scope: Scope) -> list[Drawn]:
    """The samples of a scope, oldest first; call inside `reading`."""
    return [
        Drawn(event["seq"], event["at"], event["actor"], event["unit"], event["data"])
        for _, event in _of_registry(connection, scope)
        if event["data"]["noted"] == SAMPLE
    ]


def concluded(notes: Iterable[Paper]) -> dict[str, Paper]:
    """The last conclusion of every case, by its number, from notes in order of their places."""
    return {one.case: one for one in notes if one.case is not None and one.conclusion is not None}


def _of_registry(connection: Connection, scope: Scope) -> Iterator[tuple[Row, Mapping[str, Any]]]:
    """What was noted on batches, by auditors at or below the units of the scope."""
    sql = (
        "SELECT e.chain, e.seq, e.body, p.body FROM event e LEFT JOIN personal p ON p.chain = e.chain AND p.seq = e.seq"
        " WHERE e.chain = ? ORDER BY e.seq"
    )
    paths = {str(code): str(path) for code, path in connection.execute("SELECT code, path FROM unit").fetchall()}
    for row in connection.stream(sql, (REGISTRY,)):
        event = _noted(row)
        if event is None or scope.batch not in (None, event["data"].get("batch")):
            continue
        if not scope.paths or paths.get(event["unit"], "").startswith(scope.paths):
            yield (*row, event["data"].get("batch")), event


def _noted(row: Row) -> Mapping[str, Any] | None:
    body = bytes(row[2])
    event = readable(body) if _MARK in body else {"kind": ""}
    return event if event["kind"] == EventKind.NOTED else None


def _paper(row: Row, event: Mapping[str, Any]) -> Paper:
    chain, seq, _, sealed, batch = row
    text = None if sealed is None else orjson.loads(bytes(sealed))["text"]
    conclusion = event["data"].get("conclusion")
    return Paper(int(chain), int(seq), event["at"], event["actor"], event["unit"], batch, conclusion, text)
