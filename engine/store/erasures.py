"""What a person's values stand in, beside the trail, and how they are taken out: rows, files, forms, an account.

Nothing here touches an event. Which values may go is for `engine.erasing` to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from engine.errors import StaleCase
from engine.records import Case, Json, case_number, case_of
from engine.store.cases import CASE_COLUMNS, case_from
from engine.store.database import DRIVER_ERRORS, Connection
from engine.store.trail import containing
from engine.trail.event import EventKind, canonical, chain_name

_MARK = b'"kind":"%s"' % EventKind.ERASED.value.encode()
_OPEN_LOOKS = "SELECT id, looks FROM document WHERE case_id = ? AND sha256 IS NOT NULL"
_ELSEWHERE = "SELECT 1 FROM document o WHERE o.sha256 = d.sha256 AND o.case_id NOT IN ({})"


class Holdings(NamedTuple):
    """How much there is of a person in some chains: sealed values, forms with their contents, files, shared files."""

    values: int
    forms: int
    files: int
    shared: int


def cases_of(connection: Connection, student: int) -> list[Case]:
    """Every case of a student, cancelled ones too, by number; nobody else changes one until the transaction ends."""
    sql = f"SELECT {CASE_COLUMNS} FROM cases c WHERE c.student = ? ORDER BY c.id"  # noqa: S608 constant text
    if not connection.is_sqlite and connection.in_transaction:
        connection.execute("SELECT 1 FROM student WHERE id = ? FOR UPDATE", (student,))
        sql += " FOR UPDATE"
    return [case_from(row) for row in connection.execute(sql, (student,)).fetchall()]


def told(connection: Connection, chain: int) -> list[Mapping[str, Any]]:
    """The events of a chain, in order."""
    rows = connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (chain,)).fetchall()
    return [orjson.loads(bytes(row[0])) for row in rows]


def holdings(connection: Connection, student: int, cases: Sequence[int]) -> Holdings:
    """What there is of a student and the student's cases that could be taken out."""
    marks = ",".join("?" * len(cases))
    values = f"SELECT count(*) FROM personal WHERE chain IN (?,{marks})" if cases else _VALUES_ALONE  # noqa: S608 marks
    kept = _count(connection, values, (-student, *cases))
    if not cases:
        return Holdings(kept, 0, 0, 0)
    forms = f"SELECT count(*) FROM document WHERE case_id IN ({marks}) AND made IS NOT NULL"  # noqa: S608 marks
    named = (
        f"SELECT count(DISTINCT d.sha256) FROM document d JOIN file f ON f.sha256 = d.sha256"  # noqa: S608 marks
        f" WHERE d.case_id IN ({marks}) AND length(f.body) > 0 AND {{}} EXISTS ({_ELSEWHERE.format(marks)})"
    )
    both = (*cases, *cases)
    return Holdings(
        kept,
        _count(connection, forms, tuple(cases)),
        _count(connection, named.format("NOT"), both),
        _count(connection, named.format(""), both),
    )


_VALUES_ALONE = "SELECT count(*) FROM personal WHERE chain = ?"


def _count(connection: Connection, sql: str, params: tuple[object, ...]) -> int:
    row = connection.execute(sql, params).fetchone()
    return int(row[0]) if row else 0


def empty(connection: Connection, student: int, cases: Sequence[int]) -> None:
    """Destroy the salts and sealed values of a student's chains, and what is in the forms and files of the cases.

    The row of a file stays with its hash, for the trail speaks of it; bytes that other people's cases name too stay.
    """
    connection.executemany("DELETE FROM personal WHERE chain = ?", [(chain,) for chain in (-student, *cases)])
    if not cases:
        return
    marks = ",".join("?" * len(cases))
    connection.execute(f"UPDATE document SET made = NULL WHERE case_id IN ({marks})", tuple(cases))  # noqa: S608 marks
    own = f"SELECT d.sha256 FROM document d WHERE d.case_id IN ({marks}) AND d.sha256 IS NOT NULL"  # noqa: S608 marks
    connection.execute(
        f"UPDATE file SET body = ? WHERE sha256 IN ({own} AND NOT EXISTS ({_ELSEWHERE.format(marks)}))",  # noqa: S608
        (b"", *cases, *cases),
    )


def forget_looks(connection: Connection, cases: Iterable[int], names: Iterable[str]) -> None:
    """Take what is known of the files of cases under some names, such as their titles, out of the rows."""
    gone = frozenset(names)
    for case in cases:
        for document, text in connection.execute(_OPEN_LOOKS, (case,)).fetchall():
            looks = {name: value for name, value in orjson.loads(text).items() if name not in gone}
            sql = "UPDATE document SET looks = ? WHERE id = ?"
            connection.execute(sql, (canonical(looks).decode(), document))


def set_fields(connection: Connection, case: Case, fields: Mapping[str, Json]) -> None:
    """Write the fields of a case that has ended, without an event: those taken out had stood in none.

    Raises:
        StaleCase: If the chain has grown meanwhile.
    """
    sql = "UPDATE cases SET fields = ? WHERE id = ? AND seq = ?"
    if connection.execute(sql, (canonical(fields).decode(), case.id, case.head.seq)).rowcount != 1:
        raise StaleCase(case_number(case.id), case.revision)


def account_of(connection: Connection, student: int) -> tuple[str, tuple[str, ...]] | None:
    """The login of a student's own account, and which of name and address it has."""
    row = connection.execute("SELECT login, name, email FROM account WHERE student = ?", (student,)).fetchone()
    if row is None:
        return None
    login, name, email = row
    return str(login), tuple(word for word, value in (("name", name), ("email", email)) if value is not None)


def clear_account(connection: Connection, student: int, login: str | None) -> None:
    """Forget how a student is addressed and reached, and what mail servers answered: they repeat the address."""
    connection.execute("UPDATE account SET name = NULL, email = NULL, refused_at = NULL WHERE student = ?", (student,))
    recipients = (chain_name(-student), f"person/{login}")
    connection.execute("UPDATE mail SET answer = NULL WHERE recipient IN (?, ?)", recipients)


def lists_naming(connection: Connection, student_no: str) -> list[str]:
    """The numbers of cases about nobody in particular (名单) whose forms or sealed values name a student."""
    sql = (
        "SELECT d.case_id, d.made FROM document d JOIN cases c ON c.id = d.case_id"
        " WHERE c.student IS NULL AND d.made IS NOT NULL"
        " UNION ALL SELECT p.chain, p.body FROM personal p JOIN cases c ON c.id = p.chain WHERE c.student IS NULL"
    )
    if not connection.is_sqlite:  # one column of both: text and bytes do not go together there
        sql = sql.replace("d.made FROM", "convert_to(d.made, 'UTF8') FROM")
    named = student_no.encode()
    rows = connection.execute(sql).fetchall()
    return sorted({case_number(int(case)) for case, held in rows if named in _as_bytes(held)})


def _as_bytes(held: object) -> bytes:
    return held.encode() if isinstance(held, str) else bytes(held)  # type: ignore[call-overload] # a BLOB of a driver


def erasures(connection: Connection, chain: int) -> Iterator[Mapping[str, Any]]:
    """The erasures that the chain of a case's student, or a student's own, tells of."""
    student = -chain if chain < 0 else _student_of(connection, chain)
    if student is None:
        return
    for (body,) in connection.execute("SELECT body FROM event WHERE chain = ? ORDER BY seq", (-student,)).fetchall():
        if _MARK in bytes(body):
            event = orjson.loads(bytes(body))
            if event["kind"] == EventKind.ERASED:
                yield event


def every_erasure(connection: Connection) -> list[tuple[int, Mapping[str, Any]]]:
    """Every erasure of every student, with the chain that tells of it, in the order of the chains."""
    holds = containing(connection)
    sql = f"SELECT e.chain, e.body FROM event e WHERE e.chain < 0 AND {holds} ORDER BY e.chain, e.seq"  # noqa: S608 constant text
    events = [(int(chain), orjson.loads(bytes(body))) for chain, body in connection.execute(sql, (_MARK,)).fetchall()]
    return [(chain, event) for chain, event in events if event["kind"] == EventKind.ERASED]


def _student_of(connection: Connection, case: int) -> int | None:
    row = connection.execute("SELECT student FROM cases WHERE id = ?", (case,)).fetchone()
    return None if row is None else row[0]


def erased_upto(connection: Connection, chain: int) -> int:
    """Up to which event the chain of a case or student was last erased, by an act that the trail keeps; else 0."""
    return max((_upto(one["data"], chain) for one in erasures(connection, chain)), default=0)


def _upto(data: Mapping[str, Any], chain: int) -> int:
    return max((int(upto) for name, upto in data["chains"].items() if chain_of(name) == chain), default=0)


def chain_of(name: str) -> int | None:
    """The number of the chain that events call `student/…` or `case/…`; None of any other."""
    kind, _, number = name.partition("/")
    found = case_of(number)
    return -found if kind == "student" and found is not None else found


def left_behind(connection: Connection, chain: int, upto: int) -> int:
    """How many sealed values and forms of a chain are still there of its first `upto` events."""
    values = "SELECT count(*) FROM personal WHERE chain = ? AND seq <= ?"
    forms = "SELECT count(*) FROM document WHERE case_id = ? AND seq <= ? AND made IS NOT NULL"
    return sum(_count(connection, sql, (chain, upto)) for sql in (values, forms))


def is_emptied(connection: Connection, sha256: str) -> bool:
    """Whether the bytes of a file are gone because everybody whose cases name it was erased."""
    sql = "SELECT DISTINCT case_id, seq FROM document WHERE sha256 = ?"
    named = connection.execute(sql, (sha256,)).fetchall()
    return bool(named) and all(seq <= erased_upto(connection, case) for case, seq in named)


def overwrite(connection: Connection) -> bool:
    """Write the database anew, so that its file keeps no trace of rows as they were; True where that was done.

    A SQLite file is written anew unless somebody is at it; then it is False. PostgreSQL's files are for its keepers:
    False. Call outside a transaction.
    """
    if not connection.is_sqlite:
        return False
    try:
        connection.execute("VACUUM")
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except DRIVER_ERRORS:
        return False
    return busy is None or not busy[0]
