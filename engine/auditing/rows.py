"""Rows: cases and students as they are kept, as far as checks over a whole database read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
import orjson

from engine.auditing.history import readable
from engine.definition import CANCELLED
from engine.records import Json
from engine.store.database import Connection


class Row(NamedTuple):
    """One case as it stands."""

    id: int
    student: int | None
    unit: str
    path: str
    state: str
    shape: str
    fields: Mapping[str, Json]
    opened_at: str
    entered_at: str


class Known(msgspec.Struct, gc=False):
    """What is known about a student, as far as it is asked here."""

    id_number: str | None = None
    record_no: str | None = None
    certificate_no: str | None = None
    registration_no: str | None = None
    study_mode: str | None = None
    level: str | None = None
    admitted_level: str | None = None
    conclusion: str | None = None
    preliminary_passed: bool | None = None
    enrolled_on: str | None = None
    graduated_on: str | None = None
    ended_on: str | None = None
    issued_on: str | None = None
    cohort: int | None = None


_known = msgspec.json.Decoder(Known).decode
_COLUMNS = "id, student, unit, path, state, shape, fields, opened_at, entered_at"


def _row(row: tuple[Any, ...]) -> Row:
    number, student, unit, path, state, shape, fields, opened_at, entered_at = row
    return Row(number, student, unit, path, state, shape, orjson.loads(fields), opened_at, entered_at)


def cases_of(connection: Connection, workflow: str) -> list[Row]:
    """Every case of a workflow that is not cancelled, by number."""
    sql = f"SELECT {_COLUMNS} FROM cases WHERE workflow = ? AND state <> ? ORDER BY id"  # noqa: S608 constant text
    rows = connection.execute(sql, (workflow, CANCELLED)).fetchall()
    return [_row(row) for row in rows]


def students(connection: Connection) -> Iterator[tuple[int, int | None, Known]]:
    """Every student with the number of the record and what is known; streamed, call inside `reading`."""
    for student, record, facts in connection.stream("SELECT id, record, facts FROM student ORDER BY id"):
        yield int(student), None if record is None else int(record), _known(facts)


def known_of(connection: Connection, student: int | None) -> Known:
    """What is known about one student."""
    row = connection.execute("SELECT facts FROM student WHERE id = ?", (student or 0,)).fetchone()
    return Known() if row is None else _known(row[0])


def records_of(connection: Connection, shapes: list[str]) -> dict[int, list[Row]]:
    """The records of students who have more than one, by student."""
    marks = ",".join("?" * len(shapes))
    several = (
        f"SELECT student FROM cases WHERE shape IN ({marks}) AND state <> ? AND student IS NOT NULL"  # noqa: S608 marks
        " GROUP BY student HAVING count(*) > 1"
    )
    sql = f"SELECT {_COLUMNS} FROM cases WHERE shape IN ({marks}) AND state <> ? AND student IN ({several}) ORDER BY id"  # noqa: S608
    found: dict[int, list[Row]] = {}
    if shapes:
        for row in connection.execute(sql, (*shapes, CANCELLED, *shapes, CANCELLED)).fetchall():
            one = _row(row)
            found.setdefault(one.student or 0, []).append(one)
    return found


def members_of(connection: Connection, list_id: int) -> list[int]:
    """The members of a frozen list."""
    rows = connection.execute("SELECT member FROM member WHERE list_id = ? ORDER BY member", (list_id,)).fetchall()
    return [int(row[0]) for row in rows]


def frozen_at(connection: Connection, list_id: int) -> str | None:
    """When the members of a list were fixed last."""
    rows = connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq DESC", (list_id,)).fetchall()
    for (body,) in rows:
        event = readable(body)
        if event["data"].get("members"):
            return str(event["at"])
    return None
