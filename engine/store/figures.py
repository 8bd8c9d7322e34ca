"""Figures of a batch in the database: its students, what has changed of them, and the ends of its days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from engine.definition import CANCELLED
from engine.store.database import Connection
from engine.store.students import below

Key = TypeVar("Key", int, str)

_CHUNK = 900
"""Numbers in one list: a step below what the oldest SQLite takes."""


class Head(NamedTuple):
    """How far the trail had come: the last event there is, and the length of the registry's chain."""

    event: int
    registry: int


class Line(NamedTuple):
    """How many students of a unit were in a state at the end of a day (ISO)."""

    day: str
    unit: str
    state: str
    students: int


def head(connection: Connection) -> Head:
    """Where the trail ends now."""
    row = connection.execute(
        "SELECT (SELECT coalesce(max(id), 0) FROM event), (SELECT coalesce(max(seq), 0) FROM registry)"
    ).fetchone()
    assert row is not None  # noqa: S101 an aggregate always has a row
    return Head(int(row[0]), int(row[1]))


def chains_after(connection: Connection, event: int) -> list[tuple[int, int]]:
    """The events after one, in order: number and chain."""
    rows = connection.execute("SELECT id, chain FROM event WHERE id > ? ORDER BY id", (event,)).fetchall()
    return [(int(number), int(chain)) for number, chain in rows]


def registry_after(connection: Connection, seq: int) -> list[bytes]:
    """The events of the registry's chain after one."""
    rows = connection.execute("SELECT body FROM event WHERE chain = 0 AND seq > ? ORDER BY seq", (seq,)).fetchall()
    return [bytes(row[0]) for row in rows]


_JOINED = (
    "SELECT c.student, min(c.opened_at) FROM cases c JOIN student s ON s.id = c.student AND s.record <> c.id"
    " WHERE c.batch = ? AND c.state <> ?{} GROUP BY c.student"
)


def joined(connection: Connection, batch: str, students: Sequence[int] | None = None) -> dict[int, str]:
    """Of all students, or some, those who have a case of a batch beside their record: when the first was opened."""
    if students is None:
        rows = connection.execute(_JOINED.format(""), (batch, CANCELLED)).fetchall()
        return {int(student): str(at) for student, at in rows}
    found: dict[int, str] = {}
    for part in parts(students):
        sql = _JOINED.format(f" AND c.student IN ({','.join('?' * len(part))})")
        found.update(
            (int(student), str(at)) for student, at in connection.execute(sql, (batch, CANCELLED, *part)).fetchall()
        )
    return found


def students_of(connection: Connection, cases: Sequence[int]) -> set[int]:
    """The students some cases are about."""
    students: set[int] = set()
    for part in parts(cases):
        marks = ",".join("?" * len(part))
        sql = f"SELECT student FROM cases WHERE student IS NOT NULL AND id IN ({marks})"  # noqa: S608 marks only
        students.update(int(row[0]) for row in connection.execute(sql, part).fetchall())
    return students


def parts(many: Sequence[Key]) -> Iterator[tuple[Key, ...]]:
    """Numbers or names in lists short enough for one statement."""
    return (tuple(many[start : start + _CHUNK]) for start in range(0, len(many), _CHUNK))


def events_of(connection: Connection, cases: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """The events of some cases, chain by chain in order: chain and body."""
    for part in parts(cases):
        marks = ",".join("?" * len(part))
        sql = f"SELECT chain, body FROM event WHERE chain IN ({marks}) ORDER BY chain, seq"  # noqa: S608 marks only
        for chain, body in connection.execute(sql, part).fetchall():
            yield int(chain), bytes(body)


def last_day(connection: Connection, batch: str) -> str | None:
    """The last day of which a batch has figures."""
    row = connection.execute("SELECT max(day) FROM day_figure WHERE batch = ?", (batch,)).fetchone()
    return None if row is None or row[0] is None else str(row[0])


def drop_days(connection: Connection, batch: str) -> None:
    """Forget the figures of a batch."""
    connection.execute("DELETE FROM day_figure WHERE batch = ?", (batch,))


def add_days(connection: Connection, batch: str, lines: Iterable[Line]) -> None:
    """Keep ends of days; one that is there already stays."""
    connection.executemany(
        "INSERT INTO day_figure (batch, day, unit, state, students) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [(batch, *line) for line in lines],
    )


def days(connection: Connection, batch: str, path: str, since: str = "") -> list[Line]:
    """The ends of the days of a batch from a day on, for a unit and those below it; in the order of days."""
    rows = connection.execute(
        "SELECT f.day, f.unit, f.state, f.students FROM day_figure f JOIN unit u ON u.code = f.unit"
        " WHERE f.batch = ? AND f.day >= ? AND u.path >= ? AND u.path < ? ORDER BY f.day, f.unit, f.state",
        (batch, since, *below(path)),
    ).fetchall()
    return [Line(str(day), str(unit), str(state), int(students)) for day, unit, state, students in rows]


def days_together(connection: Connection, batch: str, path: str) -> list[Line]:
    """The ends of all days of a batch, a unit and those below it added up; the lines name no unit."""
    rows = connection.execute(
        "SELECT f.day, f.state, sum(f.students) FROM day_figure f JOIN unit u ON u.code = f.unit"
        " WHERE f.batch = ? AND u.path >= ? AND u.path < ? GROUP BY f.day, f.state ORDER BY f.day, f.state",
        (batch, *below(path)),
    ).fetchall()
    return [Line(str(day), "", str(state), int(students)) for day, state, students in rows]
