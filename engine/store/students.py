"""Students in the database: who they are, what is known, and the end of each one's chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import orjson

from engine.errors import StaleCase, Unknown
from engine.pinyin import NAMES, order_of
from engine.records import Head, Json, case_number
from engine.store.database import Connection, Row
from engine.trail.event import canonical

UNIQUE_FACTS = ("exam_no", "id_number", "certificate_no")
"""Facts with a column of their own, kept unique by the database."""

_COLUMNS = "s.id, s.student_no, s.unit, s.record, s.facts, s.seq, s.head, s.marks"


class StudentRow(NamedTuple):
    """One student as kept. `record` is the case of W-01; `marks` says how facts were changed (`engine.cautions`)."""

    id: int
    student_no: str
    unit: str
    record: int | None
    facts: Mapping[str, Json]
    head: Head
    marks: str | None = None


def _student(row: Row) -> StudentRow:
    student, number, unit, record, facts, seq, head, marks = row
    return StudentRow(
        id=student,
        student_no=number,
        unit=unit,
        record=record,
        facts=orjson.loads(facts),
        head=Head(seq=seq, hash=head),
        marks=marks,
    )


def student(connection: Connection, student_no: str) -> StudentRow | None:
    """One student by number, or None."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM student s WHERE s.student_no = ?", (student_no,)).fetchone()  # noqa: S608
    return None if row is None else _student(row)


def by_id(connection: Connection, student: int) -> StudentRow:
    """One student by the integer behind the chain; whoever holds it has it from a case or from here."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM student s WHERE s.id = ?", (student,)).fetchone()  # noqa: S608
    if row is None:
        raise Unknown("学生 student", str(student))
    return _student(row)


def students(connection: Connection, path: str = "") -> Iterable[StudentRow]:
    """All students at a unit or below, by number; read before anything else is asked of the connection."""
    sql = f"SELECT {_COLUMNS} FROM student s JOIN unit u ON u.code = s.unit"  # noqa: S608 constant text
    if path:
        sql += " WHERE u.path >= ? AND u.path < ?"
    rows = connection.execute(f"{sql} ORDER BY s.student_no", below(path) if path else ()).fetchall()
    return map(_student, rows)


def by_numbers(connection: Connection, numbers: Sequence[str]) -> dict[str, StudentRow]:
    """Students by number, in chunks of a thousand; those not known are absent."""
    found: dict[str, StudentRow] = {}
    for start in range(0, len(numbers), 1000):
        chunk = numbers[start : start + 1000]
        marks = ",".join("?" * len(chunk))
        rows = connection.execute(f"SELECT {_COLUMNS} FROM student s WHERE s.student_no IN ({marks})", tuple(chunk))  # noqa: S608
        found.update((one.student_no, one) for one in map(_student, rows))
    return found


def ids_of(connection: Connection, numbers: Sequence[str]) -> list[int]:
    """The integers behind students by number, without anything that is known of them."""
    found: list[int] = []
    for start in range(0, len(numbers), 1000):
        chunk = numbers[start : start + 1000]
        sql = f"SELECT id FROM student WHERE student_no IN ({','.join('?' * len(chunk))})"  # noqa: S608 question marks
        found += (int(row[0]) for row in connection.execute(sql, tuple(chunk)).fetchall())
    return found


def owners(connection: Connection, fact: str) -> dict[str, str]:
    """Who holds each value of a unique fact: value → student number."""
    if fact not in UNIQUE_FACTS:
        message = f"'{fact}' has no column of its own; those that have: {', '.join(UNIQUE_FACTS)}"
        raise ValueError(message)
    rows = connection.execute(f"SELECT {fact}, student_no FROM student WHERE {fact} IS NOT NULL").fetchall()  # noqa: S608
    return {str(value): str(number) for value, number in rows}


def held_elsewhere(connection: Connection, facts: Mapping[str, Json], student: int) -> list[str]:
    """The unique facts among these that another student has with the same value."""
    given = [(name, facts[name]) for name in UNIQUE_FACTS if facts.get(name) is not None]
    sql = "SELECT 1 FROM student WHERE {} = ? AND id <> ?"
    return [name for name, value in given if connection.execute(sql.format(name), (value, student)).fetchone()]


def last_ids(connection: Connection) -> tuple[int, int]:
    """The highest student and case so far; the next ones follow. Call inside a writing transaction."""
    if not connection.is_sqlite:  # two openings at once must not take the same numbers
        connection.execute("SELECT pg_advisory_xact_lock(7210)")
    one = connection.execute("SELECT coalesce(max(id), 0) FROM student").fetchone()
    two = connection.execute("SELECT coalesce(max(id), 0) FROM cases").fetchone()
    return int(one[0]) if one else 0, int(two[0]) if two else 0


def add_students(connection: Connection, rows: Iterable[StudentRow]) -> None:
    """Insert students; the unique columns and by what they are put in order are taken from their facts."""
    connection.executemany(
        "INSERT INTO student (id, student_no, exam_no, id_number, certificate_no, unit, record, facts, seq, head,"
        " pinyin) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                one.id,
                one.student_no,
                *(one.facts.get(fact) for fact in UNIQUE_FACTS),
                one.unit,
                one.record,
                canonical(one.facts).decode(),
                one.head.seq,
                one.head.hash,
                order_of(one.facts),
            )
            for one in rows
        ],
    )


def set_facts(connection: Connection, row: StudentRow, facts: Mapping[str, Json], head: Head) -> None:
    """Write a student's facts and the new end of the chain.

    Raises:
        StaleCase: If somebody wrote to this student meanwhile.
    """
    done = connection.execute(
        "UPDATE student SET exam_no = ?, id_number = ?, certificate_no = ?, facts = ?, seq = ?, head = ?"
        " WHERE id = ? AND seq = ?",
        (
            *(facts.get(fact) for fact in UNIQUE_FACTS),
            canonical(facts).decode(),
            head.seq,
            head.hash,
            row.id,
            row.head.seq,
        ),
    )
    if done.rowcount != 1:
        raise StaleCase(case_number(-row.id % (1 << 40)), row.head.seq)
    if any(facts.get(fact) != row.facts.get(fact) for fact in NAMES):
        set_pinyin(connection, [(order_of(facts), row.id)])


def pinyin_within(connection: Connection, span: tuple[int, int]) -> Iterator[tuple[int, str, str]]:
    """By what the students from the first to the last of a span are put in order: as kept, and as it would be made."""
    sql = "SELECT id, pinyin, facts FROM student WHERE id >= ? AND id <= ?"
    rows = connection.execute(sql, span).fetchall()
    return ((int(student), str(kept), order_of(orjson.loads(facts))) for student, kept, facts in rows)


def set_pinyin(connection: Connection, pairs: Iterable[tuple[str, int]]) -> None:
    """Write by what students are put in order: (pinyin, student)."""
    connection.executemany("UPDATE student SET pinyin = ? WHERE id = ?", pairs)


def marks_within(connection: Connection, span: tuple[int, int]) -> Iterator[tuple[int, str]]:
    """The marks of the students from the first to the last of a span, where there are any."""
    sql = "SELECT id, marks FROM student WHERE id >= ? AND id <= ? AND marks IS NOT NULL"
    return ((int(student), str(marks)) for student, marks in connection.execute(sql, span).fetchall())


def set_marks(connection: Connection, pairs: Iterable[tuple[str | None, int]]) -> None:
    """Write how facts of students were changed: (marks, student)."""
    connection.executemany("UPDATE student SET marks = ? WHERE id = ?", pairs)


def set_unit(connection: Connection, row: StudentRow, unit: str, head: Head) -> None:
    """Write the unit a student belongs to from now on.

    Raises:
        StaleCase: If somebody wrote to this student meanwhile.
    """
    sql = "UPDATE student SET unit = ?, seq = ?, head = ? WHERE id = ? AND seq = ?"
    if connection.execute(sql, (unit, head.seq, head.hash, row.id, row.head.seq)).rowcount != 1:
        raise StaleCase(case_number(-row.id % (1 << 40)), row.head.seq)


def set_records(connection: Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Name the record of students: (case, student)."""
    connection.executemany("UPDATE student SET record = ? WHERE id = ?", pairs)


def touch_cases(
    connection: Connection, students_changed: Sequence[int], shapes: Sequence[str], *, apart_from: int = 0
) -> None:
    """Raise the revision of every case that reads what has changed: an open page must not decide on old facts.

    `apart_from` is the case whose own step wrote the facts, and which has its new revision already. The shape is asked
    for in a form no index serves, or SQLite would go through every case of the shape for each student.
    """
    if not shapes:
        return
    marks = ",".join("?" * len(shapes))
    connection.executemany(
        f"UPDATE cases SET revision = revision + 1 WHERE student = ? AND id <> ? AND coalesce(shape, '') IN ({marks})",  # noqa: S608
        [(one, apart_from, *shapes) for one in students_changed],
    )


def below(path: str) -> tuple[str, str]:
    """The range of paths at or below a unit: from its own path to the character after the slash."""
    return path, path[:-1] + "0"
