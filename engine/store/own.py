"""What a student's own pages read beside cases and facts: events, messages, papers, drafts and looks of one person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from engine.definition import CANCELLED
from engine.records import NOTHING
from engine.store.cases import CASE_COLUMNS, Found, found
from engine.store.database import Connection, Row
from engine.store.documents import DocumentRow
from engine.store.looks import OPEN
from engine.store.outbox import SPREAD
from engine.store.people import PERSON
from engine.trail.event import EventKind, chain_name

PHOTO = "E-PHOTO"
"""The document that is a graduate's photo."""
_PART = "student"
"""Whom a step tells that tells its student, before it is found out how the student is reached."""
_EVENT, _TOLD, _DOCUMENT, _DRAFT = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What a student's own pages show beside cases and facts.

    Attributes:
        steps: The events of the cases that are no looks, by case, oldest first.
        told: How many messages there are.
        documents: The documents of the cases, by case.
        drafts: What the student has begun to fill in: case and step.
    """

    steps: Mapping[int, Sequence[Mapping[str, Any]]]
    told: int
    documents: Mapping[int, Sequence[DocumentRow]]
    drafts: frozenset[tuple[int, str]]

    @property
    def photo(self) -> DocumentRow | None:
        """The last photo that was handed in."""
        found = (row for rows in self.documents.values() for row in rows if row.kind == PHOTO and row.sha256)
        return max(found, key=lambda row: (row.case, row.seq), default=None)


class Told(NamedTuple):
    """One message to a student: because of which event, of which kind, for which deadline, and its mail's state."""

    case: int
    at: datetime
    message: str
    deadline: str | None
    state: str


class Look(NamedTuple):
    """Somebody looked at something of a student's: login, name, moment, case, and what for or at what."""

    login: str
    name: str
    at: datetime
    case: int
    what: str


def cases_of(connection: Connection, student: int) -> list[Found]:
    """The cases of a student that are not cancelled, with what is known; by number."""
    rows = connection.execute(
        f"SELECT {CASE_COLUMNS}, s.facts, s.student_no, s.record, 1, (SELECT seq FROM registry WHERE id = 0), s.marks,"  # noqa: S608 constant text
        " s.pinyin FROM cases c JOIN student s ON s.id = c.student WHERE c.student = ? AND c.state <> ? ORDER BY c.id",
        (student, CANCELLED),
    )
    return [found(row) for row in rows.fetchall()]


def glance(connection: Connection, student: int, login: str, cases: Sequence[int]) -> Glance:
    """What a student's pages show of the own cases, in one statement."""
    marks = ",".join("?" * len(cases))
    rows = connection.execute(
        f"SELECT {_EVENT}, e.chain, e.seq, e.body, '', '', '', '', '' FROM event e WHERE e.chain IN ({marks})"  # noqa: S608 question marks only
        f" UNION ALL SELECT {_TOLD}, count(*), 0, NULL, '', '', '', '', '' FROM outbox o WHERE o.chain IN ({marks})"
        " AND o.recipient IN (?, ?, ?) AND (o.mail IS NULL OR o.mail <> ?)"
        f" UNION ALL SELECT {_DOCUMENT}, d.case_id, d.seq, NULL, d.kind, d.sha256, d.looks, d.made, d.ticks"
        f" FROM document d WHERE d.case_id IN ({marks}) AND NOT d.withdrawn"
        f" UNION ALL SELECT {_DRAFT}, r.case_id, 0, NULL, r.trigger, '', '', '', '' FROM draft r WHERE r.login = ?"
        f" AND r.case_id IN ({marks})",
        (*cases, *cases, *recipients(student, login), SPREAD, *cases, login, *cases),
    ).fetchall()
    steps: dict[int, list[Mapping[str, Any]]] = {case: [] for case in cases}
    documents: dict[int, list[DocumentRow]] = {case: [] for case in cases}
    for row in sorted(rows, key=lambda one: (one[1], one[2])):
        if row[0] == _EVENT and (event := orjson.loads(bytes(row[3])))["kind"] != EventKind.VIEWED:
            steps[int(row[1])].append(event)
        elif row[0] == _DOCUMENT:
            documents[int(row[1])].append(_document(row))
    return Glance(
        steps=steps,
        told=next(int(row[1]) for row in rows if row[0] == _TOLD),
        documents=documents,
        drafts=frozenset((int(row[1]), str(row[4])) for row in rows if row[0] == _DRAFT),
    )


def _document(row: Row) -> DocumentRow:
    _, case, seq, _, kind, sha256, looks, made, ticks = row
    read = [None if text is None else orjson.loads(text) for text in (looks, made, ticks)]
    return DocumentRow(int(case), int(seq), str(kind), sha256, read[0] or NOTHING, read[1], read[2])


def recipients(student: int, login: str) -> tuple[str, str, str]:
    """How a student is named where messages say whom they are for: by the own account, by number, or by the part."""
    return f"{PERSON}{login}", chain_name(-student), _PART


def told(connection: Connection, student: int, login: str, cases: Sequence[int]) -> list[Told]:
    """What a student was told because of some cases, newest first."""
    if not cases:
        return []
    marks = ",".join("?" * len(cases))
    rows = connection.execute(
        "SELECT o.chain, e.body, o.message, o.deadline, m.state, m.changed_at FROM outbox o"  # noqa: S608 question marks only
        " JOIN event e ON e.chain = o.chain AND e.seq = o.seq LEFT JOIN mail m ON m.id = o.mail"
        f" WHERE o.chain IN ({marks}) AND o.recipient IN (?, ?, ?) AND (o.mail IS NULL OR o.mail <> ?)"
        " ORDER BY o.id DESC",
        (*cases, *recipients(student, login), SPREAD),
    ).fetchall()
    return [
        Told(
            int(case), datetime.fromisoformat(changed or orjson.loads(bytes(body))["at"]), str(message), deadline,
            str(state or ""),
        )
        for case, body, message, deadline, state, changed in rows
    ]  # fmt: skip


def looks(connection: Connection, cases: Sequence[int]) -> list[Look]:
    """Who looked at some cases: pages that were opened, and events of looks, which rows only repeat; newest first."""
    if not cases:
        return []
    marks = ",".join("?" * len(cases))
    opened = connection.execute(
        "SELECT r.login, coalesce(a.name, r.login), r.at, r.case_id, r.purpose FROM access_row r"  # noqa: S608 question marks only
        f" JOIN account a ON a.login = r.login WHERE r.case_id IN ({marks}) AND r.purpose = ?",
        (*cases, OPEN),
    ).fetchall()
    seen = [
        Look(str(login), str(name), datetime.fromisoformat(at), int(case), str(why))
        for login, name, at, case, why in opened
    ]
    events = connection.execute(
        f"SELECT e.chain, e.body FROM event e WHERE e.chain IN ({marks})",  # noqa: S608 question marks only
        tuple(cases),
    ).fetchall()
    for chain, body in events:
        event = orjson.loads(bytes(body))
        if event["kind"] == EventKind.VIEWED:
            seen.append(_look(int(chain), event))
    return sorted(seen, key=lambda one: one.at, reverse=True)


def _look(case: int, event: Mapping[str, Any]) -> Look:
    data = event["data"]
    what = str(data.get("purpose") or data.get("document") or "")
    return Look(str(event["actor"]), str(event["actor"]), datetime.fromisoformat(event["at"]), case, what)
