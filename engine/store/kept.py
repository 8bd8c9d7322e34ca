"""What is kept beside a case, in one statement: its events, the documents they brought, and its deadlines."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from engine.records import NOTHING
from engine.store import deadlines, documents
from engine.store.database import Connection
from engine.store.documents import DocumentRow
from engine.store.stories import StoryLine

_DEADLINES, _DOCUMENTS = deadlines.COLUMNS, documents.COLUMNS.replace("d.", "p.")
_WIDTH = len(_DOCUMENTS.split(","))


class Kept(NamedTuple):
    """The events of a case in their order, its documents that were not withdrawn, and the deadlines that run."""

    lines: tuple[StoryLine, ...]
    documents: tuple[DocumentRow, ...]
    deadlines: tuple[deadlines.Row, ...]


def kept_of(connection: Connection, case: int) -> Kept:
    """Read what is kept beside a case; personal values of its events stay closed.

    A document stands beside the event that brought it, and the deadlines beside the first, which every case has.
    """
    sql = (
        f"SELECT e.seq, e.body, {_DOCUMENTS}, {_DEADLINES} FROM event e"  # noqa: S608 constant text
        " LEFT JOIN document p ON p.case_id = e.chain AND p.seq = e.seq AND NOT p.withdrawn"
        " LEFT JOIN deadline d ON d.case_id = e.chain AND e.seq = 1 WHERE e.chain = ? ORDER BY e.seq, p.id, d.name"
    )
    lines: dict[int, StoryLine] = {}
    papers: dict[tuple[int, str], DocumentRow] = {}
    running: dict[str, deadlines.Row] = {}
    for seq, body, *rest in connection.execute(sql, (case,)).fetchall():
        paper, deadline = tuple(rest[:_WIDTH]), tuple(rest[_WIDTH:])
        if seq not in lines:
            lines[seq] = StoryLine(case, int(seq), orjson.loads(bytes(body)), NOTHING)
        if paper[0] is not None:
            row = documents.document_from(paper)
            papers[row.seq, row.kind] = row
        if deadline[0] is not None:
            running[str(deadline[1])] = deadlines.row_from(deadline)
    return Kept(tuple(lines.values()), tuple(papers.values()), tuple(running.values()))
