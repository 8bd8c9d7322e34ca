"""What a bundle holds, read in the order it is written: events, personal values, texts of definitions, rows.

Everything is streamed, so memory does not grow with what is taken out; call inside `reading`, so that all of it is as
of one moment. Nothing here believes what it reads: whoever checks the bundle must see what is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, assert_never

from engine.store.database import Connection, Row
from engine.trail.event import REGISTRY

ScopeKind = Literal["case", "batch", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is taken out: one case (`case` is its id, `name` its number), the cases of a batch, or everything."""

    kind: ScopeKind
    name: str | None = None
    case: int | None = None


class Line(NamedTuple):
    """One event as stored; `place` is its index in the sealed tree, None while it has none."""

    place: int | None
    chain: int
    seq: int
    request: str | None
    body: bytes
    hash: bytes
    mac: bytes


class Claim(NamedTuple):
    """What a row says of its chain: where it ends, and the columns beside."""

    chain: int
    seq: int
    head: bytes
    columns: Mapping[str, object]


CASE_COLUMNS = (
    "state", "fields", "taken", "slots", "rounds", "shape", "workflow", "unit", "batch", "opened_at", "entered_at",
)  # fmt: skip
STUDENT_COLUMNS = ("facts", "unit", "student_no", "exam_no", "id_number", "certificate_no")


def _its_cases(scope: Scope) -> tuple[str, tuple[object, ...]]:
    """The condition on rows of `cases` that belong to a scope, with its parameters."""
    match scope.kind:
        case "case":
            return " WHERE id = ?", (scope.case,)
        case "batch":
            return " WHERE batch = ?", (scope.name,)
        case "all":
            return "", ()
        case _ as never:
            assert_never(never)


def _its_chains(scope: Scope, column: str) -> tuple[str, tuple[object, ...]]:
    """The condition on a column of chains, with its parameters: the cases', their students', and the registry's."""
    if scope.kind == "all":
        return "", ()
    those, values = _its_cases(scope)
    students_of = f"SELECT -student FROM cases{those} AND student IS NOT NULL"  # noqa: S608 conditions above
    within = f"SELECT id FROM cases{those} UNION {students_of} UNION SELECT {REGISTRY}"  # noqa: S608 the same
    return f" WHERE {column} IN ({within})", (*values, *values)


def count(connection: Connection, scope: Scope) -> int:
    """How many events a scope has."""
    where, values = _its_chains(scope, "chain")
    row = connection.execute(f"SELECT count(*) FROM event{where}", values).fetchone()  # noqa: S608 columns above
    return 0 if row is None else int(row[0])


def events(connection: Connection, scope: Scope, size: int) -> Iterator[Line]:
    """Every event of a scope by chain and sequence; `size` is the head's, what came later has no index."""
    where, values = _its_chains(scope, "e.chain")
    sql = (
        "SELECT l.idx, e.chain, e.seq, e.request, e.body, e.hash, e.mac FROM event e"  # noqa: S608 columns above
        f" LEFT JOIN leaf l ON l.event = e.id AND l.idx < ?{where} ORDER BY e.chain, e.seq"
    )
    for place, chain, seq, request, body, digest, mac in connection.stream(sql, (size, *values)):
        yield Line(place, chain, seq, request, bytes(body), bytes(digest), bytes(mac))


def leaf_hashes(connection: Connection, size: int) -> Iterator[bytes]:
    """The leaf hashes of the tree of a size, in order of index."""
    for (digest,) in connection.stream("SELECT hash FROM leaf WHERE idx < ? ORDER BY idx", (size,)):
        yield bytes(digest)


def personal(connection: Connection, scope: Scope) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Chain, sequence, salt and body of the personal values of a scope, in that order; erased ones are absent."""
    where, values = _its_chains(scope, "chain")
    sql = f"SELECT chain, seq, salt, body FROM personal{where} ORDER BY chain, seq"  # noqa: S608 columns above
    for chain, seq, salt, body in connection.stream(sql, values):
        yield chain, seq, bytes(salt), bytes(body)


def texts(
    connection: Connection, table: Literal["shape", "rulebook"], only: Collection[str] | None
) -> Iterator[tuple[str, str]]:
    """Hash and text of pinned definitions or of rulebooks, by hash: those named, or all of them."""
    sql = f"SELECT hash, body FROM {table} ORDER BY hash"  # noqa: S608 two constants
    for digest, body in connection.stream(sql):
        if only is None or digest in only:
            yield digest, body


def cases(connection: Connection, scope: Scope) -> Iterator[Claim]:
    """What the rows of the cases of a scope claim, by chain."""
    those, values = _its_cases(scope)
    sql = f"SELECT id, seq, head, {', '.join(CASE_COLUMNS)} FROM cases{those} ORDER BY id"  # noqa: S608 columns above
    yield from _claims(connection.stream(sql, values), CASE_COLUMNS)


def students(connection: Connection, scope: Scope) -> Iterator[Claim]:
    """What the rows of the students of a scope claim, by chain: the newest first, for their chains are negative."""
    those, values = _its_cases(scope)
    within = "" if scope.kind == "all" else f" WHERE id IN (SELECT student FROM cases{those})"  # noqa: S608 as above
    sql = f"SELECT -id, seq, head, {', '.join(STUDENT_COLUMNS)} FROM student{within} ORDER BY id DESC"  # noqa: S608 as above
    yield from _claims(connection.stream(sql, values), STUDENT_COLUMNS)


def _claims(rows: Iterator[Row], names: tuple[str, ...]) -> Iterator[Claim]:
    for chain, seq, head, *values in rows:
        yield Claim(chain, seq, bytes(head), dict(zip(names, values, strict=True)))


def units(connection: Connection, scope: Scope) -> list[tuple[str, str]]:
    """The units, with their paths, that somebody must be at or above to see all of a scope; topmost first."""
    if scope.kind == "all":
        within, values = "parent IS NULL", tuple[object, ...]()
    else:
        those, one = _its_cases(scope)
        of_students = f"SELECT unit FROM student WHERE id IN (SELECT student FROM cases{those})"  # noqa: S608 as above
        within, values = f"code IN (SELECT unit FROM cases{those} UNION {of_students})", (*one, *one)  # noqa: S608 as above
    sql = f"SELECT code, path FROM unit WHERE {within} ORDER BY path"  # noqa: S608 conditions above
    return [(str(code), str(path)) for code, path in connection.execute(sql, values).fetchall()]
