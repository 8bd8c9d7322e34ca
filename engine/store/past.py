"""Rows of the past, in a database in memory, and what of the present they are completed by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from engine.records import Case, Json
from engine.store.database import Connection, Row
from engine.store.registry import UnitRow, registry_head
from engine.store.students import UNIQUE_FACTS, StudentRow
from engine.store.trail import Lent
from engine.trail.event import REGISTRY, canonical

_CASE = (
    "INSERT OR REPLACE INTO cases (id, workflow, shape, student, unit, path, batch, state, revision, seq, head, fields,"
    " taken, slots, rounds, opened_at, entered_at, sent_back)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_STUDENT = (
    "INSERT OR REPLACE INTO student (id, student_no, exam_no, id_number, certificate_no, unit, record, facts, seq,"
    " head) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_LENT = (
    "INSERT INTO delegation (case_id, giver, taker, role, unit, reason, for_good, since, until, revoked_at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_BATCH = (
    "INSERT INTO batch (name, kind, profile, title, values_json, rulebook, published_at) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_CHUNK = 500
_NO_ROWS = sha256(b"").hexdigest()
_SHAPES: dict[str, Row] = {}
_RULEBOOKS: dict[str, Row] = {}
"""Published texts that were read once, as their tables have them, by hash."""

Batch = Mapping[str, Json]
"""What the trail says of a batch: `kind`, `profile`, `rulebook`, `values`, `at`."""


def write_case(memory: Connection, case: Case) -> None:
    """Write one case as it was."""
    memory.execute(
        _CASE,
        (
            case.id,
            case.workflow,
            case.shape,
            case.student,
            case.unit,
            case.path,
            case.fields.get("batch"),
            case.state,
            case.revision,
            case.head.seq,
            case.head.hash,
            canonical(case.fields).decode(),
            canonical(case.taken).decode(),
            canonical(case.slots).decode() if case.slots else None,
            case.rounds,
            case.opened_at,
            case.entered_at,
            case.sent_back,
        ),
    )


def write_student(memory: Connection, one: StudentRow) -> None:
    """Write one student as known then; the unique columns are taken from the facts."""
    unique = (one.facts.get(fact) for fact in UNIQUE_FACTS)
    facts = canonical(one.facts).decode()
    memory.execute(
        _STUDENT, (one.id, one.student_no, *unique, one.unit, one.record, facts, one.head.seq, one.head.hash)
    )


def write_lent(memory: Connection, case: int | None, lent: Iterable[Lent]) -> None:
    """Write anew what is lent for a case, or (None) for all cases."""
    memory.execute("DELETE FROM delegation WHERE coalesce(case_id, 0) = ?", (case or REGISTRY,))
    memory.executemany(_LENT, [(case, *one) for one in lent])


def write_members(present: Connection, memory: Connection, case: int, *, are_fixed: bool) -> None:
    """Write anew the members of a list, as the present has them."""
    memory.execute("DELETE FROM member WHERE list_id = ?", (case,))
    if are_fixed:
        found = present.execute("SELECT list_id, member, kind, stay FROM member WHERE list_id = ?", (case,)).fetchall()
        rows = [(int(of), int(member), str(kind), str(stay)) for of, member, kind, stay in found]
        add_members(memory, rows)


def add_members(memory: Connection, rows: Sequence[tuple[int, int, str, str]]) -> None:
    """Write members of a list: list, member, kind of list, and when the member entered its state."""
    memory.executemany("INSERT INTO member (list_id, member, kind, stay) VALUES (?, ?, ?, ?)", rows)


def write_units(memory: Connection, units: Iterable[UnitRow]) -> None:
    """Write the organisation anew."""
    memory.execute("DELETE FROM unit")
    memory.executemany(
        "INSERT INTO unit (code, name, kind, parent, path, profile, facts) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (one.code, one.name, one.kind, one.parent, one.path, one.profile, canonical(one.facts).decode())
            for one in units
        ],
    )


def write_people(
    memory: Connection, grants: Mapping[tuple[str, str, str], str], students: Mapping[str, int | None]
) -> None:
    """Write anew who holds what since when, by (login, role, unit), and whose account each login is."""
    memory.execute("DELETE FROM role_grant")
    memory.execute("DELETE FROM account")
    memory.executemany("INSERT INTO account (login, created_at, student) VALUES (?, '', ?)", students.items())
    sql = "INSERT INTO role_grant (login, role, unit, since) VALUES (?, ?, ?, ?)"
    memory.executemany(sql, [(*held, since) for held, since in grants.items()])


def write_batches(memory: Connection, batches: Mapping[str, Batch], titles: Mapping[str, str]) -> None:
    """Write the batches anew; what one is called is not in the trail, and taken from the present."""
    memory.execute("DELETE FROM batch")
    memory.executemany(
        _BATCH,
        [
            (
                name, one["kind"], one["profile"], titles.get(name, name), canonical(one["values"]).decode(),
                one["rulebook"], one["at"],
            )
            for name, one in batches.items()
        ],
    )  # fmt: skip


def write_tables(present: Connection, memory: Connection, told: Mapping[str, str]) -> Iterator[str]:
    """Write tables anew whose rows have the SHA-256 told of them; the names of those whose rows nobody has any more."""
    memory.execute("DELETE FROM table_row")
    for name, digest in told.items():
        sql = "SELECT name, place, body FROM table_row WHERE name = ? ORDER BY place"
        rows = present.execute(sql, (name,)).fetchall() if digest != _NO_ROWS else []
        if sha256(b"\n".join(str(body).encode() for _, _, body in rows)).hexdigest() == digest:
            memory.executemany("INSERT INTO table_row (name, place, body) VALUES (?, ?, ?)", rows)
        else:
            yield name


def copy_published(present: Connection, memory: Connection, published: Iterable[str]) -> None:
    """Copy definitions and rulebooks by their hashes; those that are there already stay.

    A text is read once in a process: its hash says what it is, in whatever database.
    """
    there = {row[0] for row in memory.execute("SELECT hash FROM shape UNION ALL SELECT hash FROM rulebook").fetchall()}
    wanted = [one for one in published if one not in there]
    unread = [one for one in wanted if one not in _SHAPES and one not in _RULEBOOKS]
    for start in range(0, len(unread), _CHUNK):
        part = tuple(unread[start : start + _CHUNK])
        marks = ",".join("?" * len(part))
        shapes = f"SELECT hash, workflow, profile, version, body FROM shape WHERE hash IN ({marks})"  # noqa: S608 marks only
        _SHAPES.update((row[0], row) for row in present.execute(shapes, part).fetchall())
        books = f"SELECT hash, effective_from, body FROM rulebook WHERE hash IN ({marks})"  # noqa: S608 marks only
        _RULEBOOKS.update((row[0], row) for row in present.execute(books, part).fetchall())
    memory.executemany("INSERT INTO shape VALUES (?, ?, ?, ?, ?)", [_SHAPES[one] for one in wanted if one in _SHAPES])
    memory.executemany(
        "INSERT INTO rulebook VALUES (?, ?, ?)", [_RULEBOOKS[one] for one in wanted if one in _RULEBOOKS]
    )


def write_end(memory: Connection, seq: int, head: bytes) -> None:
    """Write where the registry's chain ended."""
    registry_head(memory)
    memory.execute("UPDATE registry SET seq = ?, head = ? WHERE id = 0", (seq, head))


def cases_of_workflows(present: Connection, workflows: Sequence[str]) -> list[tuple[int, int | None]]:
    """The cases of some workflows, each with its student; by number."""
    marks = ",".join("?" * len(workflows))
    sql = f"SELECT id, student FROM cases WHERE workflow IN ({marks}) ORDER BY id"  # noqa: S608 question marks only
    return [(int(case), student) for case, student in present.execute(sql, tuple(workflows)).fetchall()]


def cases_about(present: Connection, *, student: int | None = None, unit: str | None = None) -> list[int]:
    """Every case about a student, or about a unit and no student, cancelled ones too; by number."""
    where = "unit = ? AND student IS NULL" if student is None else "student = ?"
    sql = f"SELECT id FROM cases WHERE {where} ORDER BY id"  # noqa: S608 constant text
    return [int(row[0]) for row in present.execute(sql, (unit if student is None else student,)).fetchall()]


class Line(NamedTuple):
    """One event as it is kept, with what opens its commitment (None: nothing was sealed, or it is erased)."""

    chain: int
    seq: int
    body: bytes
    hash: bytes
    personal: bytes | None


def lines_of(present: Connection, chains: Sequence[int], before: tuple[int, int] | None = None) -> list[Line]:
    """The events of some chains, in the order in which they were written.

    With `before`, those only that were written before that event: chain and sequence.
    """
    where = f"e.chain IN ({','.join('?' * len(chains))})"
    where += "" if before is None else " AND e.id < (SELECT f.id FROM event f WHERE f.chain = ? AND f.seq = ?)"
    return _lines(present, where, (*chains, *(before or ())))


def lines_about(present: Connection, student_no: str) -> list[Line]:
    """The events of the registry, and of a student by number with all cases, in the order in which they were written.

    Those of the registry alone where there is no such student.
    """
    chains = (
        "SELECT 0 UNION ALL SELECT -s.id FROM student s WHERE s.student_no = ? UNION ALL"
        " SELECT c.id FROM student s JOIN cases c ON c.student = s.id WHERE s.student_no = ?"
    )
    return _lines(present, f"e.chain IN ({chains})", (student_no, student_no))


def _lines(present: Connection, where: str, params: Sequence[object]) -> list[Line]:
    sql = (
        "SELECT e.chain, e.seq, e.body, e.hash, p.body FROM event e LEFT JOIN personal p"  # noqa: S608 constant text
        f" ON p.chain = e.chain AND p.seq = e.seq WHERE {where} ORDER BY e.id"
    )
    return [
        Line(int(chain), int(seq), bytes(body), bytes(digest), None if personal is None else bytes(personal))
        for chain, seq, body, digest, personal in present.execute(sql, params).fetchall()
    ]


def event_at(present: Connection, chain: int, seq: int) -> bytes | None:
    """The body of one event, or None."""
    row = present.execute("SELECT body FROM event WHERE chain = ? AND seq = ?", (chain, seq)).fetchone()
    return None if row is None else bytes(row[0])


def owners_of(present: Connection, cases: Sequence[int]) -> dict[int, int]:
    """The students of those of some cases that are about one."""
    found: dict[int, int] = {}
    for start in range(0, len(cases), _CHUNK):
        part = tuple(cases[start : start + _CHUNK])
        sql = f"SELECT id, student FROM cases WHERE id IN ({','.join('?' * len(part))}) AND student IS NOT NULL"  # noqa: S608
        found.update((int(case), int(student)) for case, student in present.execute(sql, part).fetchall())
    return found
