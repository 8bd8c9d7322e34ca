"""Deadlines of cases in the database: which run, when they are due, when something is next to be done about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from engine.records import Case
from engine.store.cases import CASE_COLUMNS, case_from, hold_case
from engine.store.database import Connection
from engine.store.database import Row as DatabaseRow
from engine.store.students import below
from engine.trail.event import moment

COLUMNS = "d.case_id, d.name, d.due_at, d.settled, d.extended, d.sequence, d.told_at, d.missed_at, d.blocked, d.next_at"
_SELECT = f"SELECT {COLUMNS} FROM deadline d"  # noqa: S608 constant text
_CASE_WIDTH = len(CASE_COLUMNS.split(","))
_CHUNK = 1000
_NEVER = "9999"
"""Where an open date stands among moments of the trail."""


class Row(NamedTuple):
    """One deadline of a case while it runs. Moments are aware UTC.

    Attributes:
        case: The case.
        name: The deadline of its definition.
        due_at: The last moment in time; None while the date is open (待定).
        settled: What was to be done is done; nothing is told while it stays so.
        extended: A person has set the date; no recount moves it.
        sequence: How often the date was moved.
        told_at: Rungs of the ladder up to then are done.
        missed_at: When it was marked late (逾期), for this date.
        blocked: Its timer was refused, and is tried again when something it reads has changed.
        next_at: When something is next to be done; None where nothing is until something changes.
    """

    case: int
    name: str
    due_at: datetime | None
    settled: bool
    extended: bool
    sequence: int
    told_at: datetime
    missed_at: datetime | None
    blocked: bool
    next_at: datetime | None

    @property
    def is_late(self) -> bool:
        """Whether it is marked late and what was to be done is still to be done."""
        return self.missed_at is not None and not self.settled

    def is_over(self, at: datetime) -> bool:
        """Whether what was to be done is still to be done and it is too late at a moment."""
        if self.settled:
            return False
        return self.missed_at is not None or (self.due_at is not None and at.replace(microsecond=0) > self.due_at)


class Message(NamedTuple):
    """Something about a deadline for the outbox: by which event, to whom, and for a rung which one of which date."""

    chain: int
    seq: int
    recipient: str
    message: str
    deadline: str
    due_at: datetime | None
    rung: str | None = None


def due_rows(connection: Connection, now: datetime, limit: int) -> list[Row]:
    """The rows about which something is to be done now, what has waited longest first."""
    sql = f"{_SELECT} WHERE d.next_at <= ? ORDER BY d.next_at, d.case_id, d.name LIMIT ?"
    return _rows(connection.execute(sql, (moment(now), limit)))


def hold(connection: Connection, case: int, name: str) -> Row | None:
    """One row, nobody else's for the rest of the transaction, nor its case; None where it is closed.

    The case is held first, as every step on it does: so nobody waits in a circle.
    """
    hold_case(connection, case)
    found = _rows(connection.execute(f"{_SELECT} WHERE d.case_id = ? AND d.name = ?", (case, name)))
    return found[0] if found else None


def of_case(connection: Connection, case: int) -> list[Row]:
    """The rows of one case, by name."""
    return _rows(connection.execute(f"{_SELECT} WHERE d.case_id = ? ORDER BY d.name", (case,)))


def of_cases(connection: Connection, cases: Sequence[int]) -> dict[int, list[Row]]:
    """The rows of many cases; one without rows is absent."""
    found: dict[int, list[Row]] = {}
    for start in range(0, len(cases), _CHUNK):
        chunk = cases[start : start + _CHUNK]
        where = f"d.case_id IN ({','.join('?' * len(chunk))})" if connection.is_sqlite else "d.case_id = ANY(?)"
        params = tuple(chunk) if connection.is_sqlite else (list(chunk),)
        for row in _rows(connection.execute(f"{_SELECT} WHERE {where} ORDER BY d.case_id, d.name", params)):
            found.setdefault(row.case, []).append(row)
    return found


def hold_cases(connection: Connection, cases: Sequence[int]) -> None:
    """Hold cases for the rest of the transaction, in one order for everybody; SQLite's writer has them already."""
    if not connection.is_sqlite:
        connection.execute("SELECT id FROM cases WHERE id = ANY(?) ORDER BY id FOR UPDATE", (list(cases),))


def running_of_students(connection: Connection, students: Sequence[int]) -> list[tuple[int, int | None]]:
    """The cases of students that have rows, each with its student."""
    found: list[tuple[int, int | None]] = []
    for start in range(0, len(students), _CHUNK):
        chunk = students[start : start + _CHUNK]
        found += _running(connection, f"c.student IN ({','.join('?' * len(chunk))})", chunk)
    return found


def running_of_batch(connection: Connection, batch: str, name: str | None = None) -> list[int]:
    """The cases of a batch that have rows; of them those with the row of one deadline, where it is named."""
    where, params = ("c.batch = ?", [batch]) if name is None else ("c.batch = ? AND d.name = ?", [batch, name])
    sql = f"SELECT DISTINCT c.id FROM cases c JOIN deadline d ON d.case_id = c.id WHERE {where} ORDER BY c.id"  # noqa: S608
    return [int(row[0]) for row in connection.execute(sql, params).fetchall()]


def running_at(connection: Connection, path: str) -> list[int]:
    """The cases at a unit and below that have rows."""
    return [case for case, _ in _running(connection, "c.path >= ? AND c.path < ?", below(path))]


def cases_after(connection: Connection, shapes: Sequence[str], after: int, limit: int) -> list[int]:
    """The next cases of definitions, by number, in whatever state."""
    marks = ",".join("?" * len(shapes))
    sql = f"SELECT id FROM cases WHERE id > ? AND shape IN ({marks}) ORDER BY id LIMIT ?"  # noqa: S608 question marks only
    return [int(row[0]) for row in connection.execute(sql, (after, *shapes, limit)).fetchall()]


def how_many(connection: Connection, shapes: Sequence[str]) -> int:
    """How many cases there are of definitions, in whatever state."""
    marks = ",".join("?" * len(shapes))
    row = connection.execute(f"SELECT count(*) FROM cases WHERE shape IN ({marks})", tuple(shapes)).fetchone()  # noqa: S608
    return 0 if row is None else int(row[0])


def still_counted(connection: Connection) -> tuple[int, int]:
    """How many deadlines have a date that nobody has set, and of how many students: so many can move at most."""
    row = connection.execute(
        "SELECT count(*), count(DISTINCT c.student) FROM deadline d JOIN cases c ON c.id = d.case_id"
        " WHERE NOT d.extended"
    ).fetchone()
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def in_range(connection: Connection, span: tuple[int, int]) -> Iterator[tuple[int, Row]]:
    """Every row of the cases in a span, each with its case, in that order; streamed, call inside `reading`."""
    sql = f"{_SELECT} WHERE d.case_id >= ? AND d.case_id <= ? ORDER BY d.case_id, d.name"
    for row in map(row_from, connection.stream(sql, span)):
        yield row.case, row


def running_of_shapes(connection: Connection, shapes: Sequence[str]) -> list[tuple[int, int | None]]:
    """The cases of definitions that have rows, each with its student."""
    return _running(connection, f"c.shape IN ({','.join('?' * len(shapes))})", shapes)


def _running(connection: Connection, where: str, params: Sequence[object]) -> list[tuple[int, int | None]]:
    sql = (
        f"SELECT c.id, c.student FROM cases c WHERE {where}"  # noqa: S608 question marks and columns only
        " AND EXISTS (SELECT 1 FROM deadline d WHERE d.case_id = c.id) ORDER BY c.id"
    )
    return [(int(case), student) for case, student in connection.execute(sql, tuple(params)).fetchall()]


class Listed(NamedTuple):
    """A row with its case, and the number of the student it is about."""

    case: Case
    student_no: str | None
    row: Row


def listed(connection: Connection, *, batch: str | None = None, path: str | None = None, limit: int) -> list[Listed]:
    """The deadlines that run, what is due first and open dates last: of a batch, at a unit and below, or all."""
    where, params = ["1 = 1"], list[object]()
    if batch is not None:
        where.append("c.batch = ?")
        params.append(batch)
    if path is not None:
        where.append("c.path >= ? AND c.path < ?")
        params += below(path)
    sql = (
        f"SELECT {CASE_COLUMNS}, s.student_no, {COLUMNS} FROM deadline d JOIN cases c ON c.id = d.case_id"  # noqa: S608
        f" LEFT JOIN student s ON s.id = c.student WHERE {' AND '.join(where)}"
        " ORDER BY d.settled, d.due_at IS NULL, d.due_at, d.case_id, d.name LIMIT ?"
    )
    rows = connection.execute(sql, (*params, limit)).fetchall()
    return [Listed(case_from(row), row[_CASE_WIDTH], row_from(row[_CASE_WIDTH + 1 :])) for row in rows]


class Place(NamedTuple):
    """Where a row stands among what is due: an open date stands after every day there is."""

    due: str
    case: int
    name: str

    @classmethod
    def of(cls, row: Row) -> Place:
        """The place of a row."""
        return cls(_NEVER if row.due_at is None else moment(row.due_at), row.case, row.name)


def due_of_batch(
    connection: Connection, batch: str, sight: tuple[str, Sequence[object]], after: Place | None, limit: int
) -> list[Listed]:
    """What is still to be done in a batch, what is due first and open dates last.

    Args:
        connection: Where they are.
        batch: Its name.
        sight: The condition that says which cases may be known of (`engine.visibility`), and its parameters.
        after: The last of the page before; None: from the first.
        limit: So many at most.
    """
    place = f"coalesce(d.due_at, '{_NEVER}')"
    later = f" AND ({place}, d.case_id, d.name) > (?, ?, ?)" if after is not None else ""
    sql = (
        f"SELECT {CASE_COLUMNS}, s.student_no, {COLUMNS} FROM deadline d JOIN cases c ON c.id = d.case_id"  # noqa: S608
        f" LEFT JOIN student s ON s.id = c.student WHERE c.batch = ? AND NOT d.settled AND {sight[0]}{later}"
        f" ORDER BY {place}, d.case_id, d.name LIMIT ?"
    )
    rows = connection.execute(sql, (batch, *sight[1], *(after or ()), limit)).fetchall()
    return [Listed(case_from(row), row[_CASE_WIDTH], row_from(row[_CASE_WIDTH + 1 :])) for row in rows]


def put(connection: Connection, rows: Iterable[Row]) -> None:
    """Write rows, whether they are there already or not."""
    many = [_params(row) for row in rows]
    if many:
        connection.executemany(
            "INSERT INTO deadline (case_id, name, due_at, settled, extended, sequence, told_at, missed_at, blocked,"
            " next_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (case_id, name) DO UPDATE SET"
            " due_at = excluded.due_at, settled = excluded.settled, extended = excluded.extended,"
            " sequence = excluded.sequence, told_at = excluded.told_at, missed_at = excluded.missed_at,"
            " blocked = excluded.blocked, next_at = excluded.next_at",
            many,
        )


def close(connection: Connection, rows: Iterable[tuple[int, str]]) -> None:
    """Take rows away whose case has left the states in which they run: (case, name)."""
    many = list(rows)
    if many:
        connection.executemany("DELETE FROM deadline WHERE case_id = ? AND name = ?", many)


def add_messages(connection: Connection, messages: Iterable[Message]) -> None:
    """Write messages; somebody told the same rung of the same date before is not told again."""
    connection.executemany(
        "INSERT INTO outbox (chain, seq, recipient, message, deadline, due_at, rung) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        [(*one[:5], _text(one.due_at), one.rung) for one in messages],
    )


def row_from(row: DatabaseRow) -> Row:
    """The ten columns (`COLUMNS`) as a row."""
    case, name, due, settled, extended, sequence, told, missed, blocked, following = row
    return Row(
        case=case,
        name=name,
        due_at=_moment(due),
        settled=bool(settled),
        extended=bool(extended),
        sequence=sequence,
        told_at=datetime.fromisoformat(told).astimezone(UTC),
        missed_at=_moment(missed),
        blocked=bool(blocked),
        next_at=_moment(following),
    )


def _rows(found: Iterable[DatabaseRow]) -> list[Row]:
    return [row_from(row) for row in found]


def _params(row: Row) -> tuple[object, ...]:
    return (
        row.case,
        row.name,
        _text(row.due_at),
        row.settled,
        row.extended,
        row.sequence,
        moment(row.told_at),
        _text(row.missed_at),
        row.blocked,
        _text(row.next_at),
    )


def _text(at: datetime | None) -> str | None:
    return None if at is None else moment(at)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
