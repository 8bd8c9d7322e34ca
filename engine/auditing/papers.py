"""Working papers: what auditors noted and concluded, of cases and of findings, and the samples they drew.

All of it is read back from the trail.

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
from engine.store.trail import containing
from engine.trail.event import REGISTRY, EventKind, chain_name

NOTE, SAMPLE, FINDING = "note", "sample", "finding"
"""What an event of the kind `noted` tells: `data.noted`."""
_MARK = b'"kind":"noted"'  # canonical bytes: an event of the kind has them, and few others


class Conclusion(StrEnum):
    """What an auditor concludes of a case or a batch; the last one counts."""

    SOUND = "sound"
    EXCEPTION = "exception"
    OPEN = "open"


class Standing(StrEnum):
    """How a finding stands: nobody has looked into it, it is so, it is not, or it has been put right since."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    UNFOUNDED = "unfounded"
    MENDED = "mended"


FOLLOWING: Mapping[Standing, tuple[Standing, ...]] = {
    Standing.OPEN: (Standing.CONFIRMED, Standing.UNFOUNDED),
    Standing.CONFIRMED: (Standing.MENDED, Standing.OPEN),
    Standing.UNFOUNDED: (Standing.OPEN,),
    Standing.MENDED: (Standing.OPEN,),
}
"""What may be concluded of a finding that stands so; whoever erred looks into it once more."""


class Paper(NamedTuple):
    """One note: on a case (`chain`), or on a batch; `text` is None where it was erased.

    `about` is the event of the case that it is about, where it says so.
    """

    chain: int
    seq: int
    at: str
    actor: str
    unit: str
    batch: str | None
    conclusion: str | None
    text: str | None
    about: int | None = None

    @property
    def case(self) -> str | None:
        """The case by its number; None for a note on a batch."""
        return chain_name(self.chain).removeprefix("case/") if self.chain > REGISTRY else None


class Judgement(NamedTuple):
    """What an auditor concluded of a finding, with the note; `text` is None where it was erased."""

    seq: int
    at: str
    actor: str
    unit: str
    finding: str
    standing: Standing
    text: str | None


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
        f" LEFT JOIN personal p ON p.chain = e.chain AND p.seq = e.seq WHERE {where} AND {containing(connection)}"
        " ORDER BY e.chain, e.seq"
    )
    for row in connection.stream(sql, (*params, _MARK)):
        if (event := _noted(row)) is not None:
            yield _paper(row, event)


def paper_in(chain: int, event: Mapping[str, Any], opened: Mapping[str, Any]) -> Paper | None:
    """The note that an event tells of, with what opens its commitment; None where it tells of something else."""
    if event["kind"] != EventKind.NOTED or event["data"]["noted"] != NOTE:
        return None
    return _noted_paper(chain, event, event["data"].get("batch"), opened.get("text"))


def samples(connection: Connection, scope: Scope) -> list[Drawn]:
    """The samples of a scope, oldest first; call inside `reading`."""
    return [_drawn(event) for _, event in _of_registry(connection, scope) if event["data"]["noted"] == SAMPLE]


def sample_in(body: bytes) -> Drawn | None:
    """The sample that an event of the registry's chain tells of; None where it tells of something else."""
    event = readable(body)
    is_one = event["kind"] == EventKind.NOTED and event["data"]["noted"] == SAMPLE
    return _drawn(event) if is_one else None


def judgements(connection: Connection, scope: Scope) -> dict[str, list[Judgement]]:
    """What was concluded of findings, by their digests, oldest first; call inside `reading`."""
    found: dict[str, list[Judgement]] = {}
    for row, event in _of_registry(connection, scope):
        if event["data"]["noted"] == FINDING:
            one = _judgement(row, event)
            found.setdefault(one.finding, []).append(one)
    return found


def concluded(notes: Iterable[Paper]) -> dict[str, Paper]:
    """The last conclusion of every case, by its number, from notes in order of their places."""
    return {one.case: one for one in notes if one.case is not None and one.conclusion is not None}


def _of_registry(connection: Connection, scope: Scope) -> Iterator[tuple[Row, Mapping[str, Any]]]:
    """What was noted on batches, by auditors at or below the units of the scope."""
    sql = (
        "SELECT e.chain, e.seq, e.body, p.body FROM event e LEFT JOIN personal p ON p.chain = e.chain AND p.seq = e.seq"  # noqa: S608 constant
        f" WHERE e.chain = ? AND {containing(connection)} ORDER BY e.seq"
    )
    paths = {str(code): str(path) for code, path in connection.execute("SELECT code, path FROM unit").fetchall()}
    for row in connection.stream(sql, (REGISTRY, _MARK)):
        event = _noted(row)
        if event is None or scope.batch not in (None, event["data"].get("batch")):
            continue
        if not scope.paths or paths.get(event["unit"], "").startswith(scope.paths):
            yield (*row, event["data"].get("batch")), event


def _noted(row: Row) -> Mapping[str, Any] | None:
    """The event, if it is a note: bytes that look so may stand in another one."""
    event = readable(bytes(row[2]))
    return event if event["kind"] == EventKind.NOTED else None


def _paper(row: Row, event: Mapping[str, Any]) -> Paper:
    chain, _, _, sealed, batch = row
    return _noted_paper(int(chain), event, batch, _text(sealed))


def _noted_paper(chain: int, event: Mapping[str, Any], batch: str | None, text: str | None) -> Paper:
    data = event["data"]
    conclusion, about = data.get("conclusion"), data.get("event")
    return Paper(chain, event["seq"], event["at"], event["actor"], event["unit"], batch, conclusion, text, about)


def _judgement(row: Row, event: Mapping[str, Any]) -> Judgement:
    data = event["data"]
    standing = Standing(data["standing"])
    return Judgement(int(row[1]), event["at"], event["actor"], event["unit"], data["finding"], standing, _text(row[3]))


def _drawn(event: Mapping[str, Any]) -> Drawn:
    return Drawn(event["seq"], event["at"], event["actor"], event["unit"], event["data"])


def _text(sealed: bytes | None) -> str | None:
    return None if sealed is None else str(orjson.loads(bytes(sealed))["text"])
