"""Cases in the database: reading them with what deciding needs, and keeping what was decided.

The statements of one step are counted: on SQLite a SELECT, an UPDATE and the INSERTs inside one BEGIN IMMEDIATE; on
PostgreSQL a SELECT and one data-modifying statement that writes nothing at all unless its UPDATE found the case as
it was read, so no message can be committed beside a lost race.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from engine.definition import CANCELLED
from engine.errors import StaleCase
from engine.records import NO_SLOTS, NOTHING, Case, Head, Json
from engine.store.database import Connection, Row
from engine.store.lanes import Deed, Kept, Standing, add_deeds, beside_a_step, put
from engine.trail.event import Written, canonical

CASE_COLUMNS = (
    "c.id, c.workflow, c.shape, c.student, c.unit, c.path, c.state, c.revision, c.seq, c.head, c.fields, c.taken,"
    " c.rounds, c.opened_at, c.entered_at, c.slots, c.sent_back"
)
_HAS_OTHERS = (
    "EXISTS (SELECT 1 FROM cases o WHERE o.student = c.student AND o.id <> c.id"  # noqa: S608 constant text
    f" AND o.state <> '{CANCELLED}')"
)
_READ = (
    f"SELECT {CASE_COLUMNS}, s.facts, s.student_no, s.record, {{others}},"  # noqa: S608 constant text
    " (SELECT seq FROM registry WHERE id = 0), s.marks, s.pinyin"
    " FROM cases c LEFT JOIN student s ON s.id = c.student"
)
_READ_ONE = f"{_READ.format(others=_HAS_OTHERS)} WHERE c.id = ?"
_READ_MANY = _READ.format(others="1")  # a chunk fetches the others of all its students at once, if any rule asks
_READ_TO_ACT = (
    f"SELECT {CASE_COLUMNS}, CASE WHEN c.id = ? THEN s.facts END, s.student_no, s.record, 1,"  # noqa: S608 constant text
    " (SELECT seq FROM registry WHERE id = 0), s.marks, s.pinyin, l.role, l.at_path, l.apart"
    " FROM cases c LEFT JOIN student s ON s.id = c.student LEFT JOIN lane l ON l.case_id = c.id WHERE c.id = ?"
    f" OR (c.student = (SELECT o.student FROM cases o WHERE o.id = ?) AND c.state <> '{CANCELLED}')"
)
"""A case with the student's other cases and the rows by which all of them wait: whoever acts mostly needs them all."""

UPDATE_STEP = (
    "UPDATE cases SET state = ?, revision = revision + 1, seq = ?, head = ?, fields = ?, taken = ?, rounds = ?,"
    " batch = ?, entered_at = ?, slots = ?, sent_back = ? WHERE id = ? AND revision = ? AND seq = ?"
)
_EVENT = "INSERT INTO event (chain, seq, request, body, hash, mac) VALUES (?, ?, ?, ?, ?, ?)"
_OUTBOX = "INSERT INTO outbox (chain, seq, recipient, message) VALUES (?, ?, ?, ?)"
_PERSONAL = "INSERT INTO personal (chain, seq, salt, body) VALUES (?, ?, ?, ?)"
_EXTEND = "UPDATE cases SET seq = ?, head = ? WHERE id = ? AND seq = ?"


class Found(NamedTuple):
    """A case as read, with the facts of its student.

    `known` is what is known about the student, as JSON text until somebody asks: most steps read no fact at all.
    `has_others` tells whether the student may have other cases that are not cancelled, so that nobody asks for none;
    `registry` is how long the registry's chain was: while it has not grown, batches and units are as they were.
    `marks` says how the facts were changed (`engine.cautions`), `pinyin` is by what the student is put in order.
    Where the case was read to be acted on (`read_to_act`), `others` are those other cases, by number, and `waits` the
    rows by which the case and they wait, by case; one that waits for nobody is absent.
    """

    case: Case
    known: Mapping[str, Json] | str
    student_no: str | None
    record: int | None
    has_others: bool = True
    registry: int = 0
    marks: str | None = None
    pinyin: str = ""
    others: tuple[Case, ...] | None = None
    waits: Mapping[int, Sequence[Kept]] | None = None

    @property
    def facts(self) -> Mapping[str, Json]:
        """What is known about the student; read anew each time it is asked for."""
        facts: Mapping[str, Json] = orjson.loads(self.known) if isinstance(self.known, str) else self.known
        return facts


class Sealed(NamedTuple):
    """Personal values behind a commitment."""

    salt: bytes
    body: bytes


Told = Sequence[tuple[str, str]]
"""Who is told, with which message."""


class Keeping(NamedTuple):
    """One decided step, ready to be written: the case before and after, its event, and who is told.

    `standing` is where the case waits from now on (None: nothing is written of it), `deed` what somebody did.
    """

    before: Case
    after: Case
    event: Written
    told: Told = ()
    sealed: Sealed | None = None
    frees_key: bool = False
    standing: Standing | None = None
    deed: Deed | None = None


def read_case(connection: Connection, case: int) -> Found | None:
    """One case by its number's integer, or None."""
    row = connection.execute(_READ_ONE, (case,)).fetchone()
    return None if row is None else found(row)


def read_to_act(connection: Connection, case: int) -> Found | None:
    """One case to be acted on, with the student's other cases and where all of them wait, in one statement; or None."""
    rows = connection.execute(_READ_TO_ACT, (case, case, case)).fetchall()
    own = next((row for row in rows if row[0] == case), None)
    if own is None:
        return None
    others = {int(row[0]): row for row in rows if row[0] != case}
    waits: dict[int, list[Kept]] = {}
    for row in rows:
        if row[-3] is not None:
            waits.setdefault(int(row[0]), []).append(Kept(*row[-3:]))
    kin = tuple(case_from(others[number]) for number in sorted(others))
    return found(own)._replace(has_others=bool(kin), others=kin, waits=waits)


def read_cases(connection: Connection, cases: Sequence[int]) -> dict[int, Found]:
    """Many cases in one statement."""
    if connection.is_sqlite:
        marks = ",".join("?" * len(cases))
        rows = connection.execute(f"{_READ_MANY} WHERE c.id IN ({marks})", tuple(cases))
    else:
        rows = connection.execute(f"{_READ_MANY} WHERE c.id = ANY(?)", (list(cases),))
    return {one.case.id: one for one in map(found, rows)}


def read_with_kin(connection: Connection, cases: Sequence[int], case: int) -> dict[int, Found]:
    """Some cases, and beside one of them all of its student's that are not cancelled, in one statement."""
    marks = ",".join("?" * len(cases))
    kin = "c.student = (SELECT o.student FROM cases o WHERE o.id = ?) AND c.state <> ?"
    rows = connection.execute(
        f"{_READ_MANY} WHERE c.id IN ({marks}) OR ({kin}) ORDER BY c.id", (*cases, case, CANCELLED)
    )
    return {one.case.id: one for one in map(found, rows)}


def related(connection: Connection, student: int, apart_from: int) -> list[Case]:
    """The other cases of a student that are not cancelled, by number."""
    where = "c.student = ? AND c.id <> ? AND c.state <> ?"
    sql = f"SELECT {CASE_COLUMNS} FROM cases c WHERE {where} ORDER BY c.id"  # noqa: S608 constant text
    return [case_from(row) for row in connection.execute(sql, (student, apart_from, CANCELLED)).fetchall()]


def related_many(connection: Connection, students: Sequence[int]) -> dict[int, list[Case]]:
    """The cases of many students that are not cancelled, by student, in one statement."""
    found: dict[int, list[Case]] = {student: [] for student in students}
    if not found:
        return found
    marks = ",".join("?" * len(students))
    sql = f"SELECT {CASE_COLUMNS} FROM cases c WHERE c.student IN ({marks}) AND c.state <> ? ORDER BY c.id"  # noqa: S608
    for row in connection.execute(sql, (*students, CANCELLED)).fetchall():
        case = case_from(row)
        found[case.student or 0].append(case)
    return found


def records_under(connection: Connection, path: str = "") -> list[Found]:
    """The record of every student at a unit or below, with facts; by student number."""
    sql = f"{_READ_MANY} WHERE s.record = c.id"
    params: tuple[object, ...] = ()
    if path:
        sql, params = f"{sql} AND c.path >= ? AND c.path < ?", (path, path[:-1] + "0")
    return [found(row) for row in connection.execute(f"{sql} ORDER BY s.student_no", params).fetchall()]


def records_of(connection: Connection, students: Sequence[int]) -> list[Found]:
    """The records of some students, at most a few hundred, with facts."""
    marks = ",".join("?" * len(students))
    sql = f"{_READ_MANY} WHERE s.record = c.id AND s.id IN ({marks}) ORDER BY c.id"
    return [found(row) for row in connection.execute(sql, tuple(students)).fetchall()]


def in_batch(connection: Connection, batch: str) -> list[tuple[Case, str]]:
    """Every case that belongs to a batch, with its student's number, by that number."""
    sql = f"SELECT {CASE_COLUMNS}, s.student_no FROM cases c JOIN student s ON s.id = c.student WHERE c.batch = ?"  # noqa: S608
    rows = connection.execute(f"{sql} ORDER BY s.student_no, c.id", (batch,)).fetchall()
    return [(case_from(row), str(row[17])) for row in rows]


def same_person(connection: Connection, id_number: str, apart_from: int) -> list[tuple[Mapping[str, Json], str | None]]:
    """Facts and state of the record of every other student with an ID number."""
    rows = connection.execute(
        "SELECT s.facts, c.state FROM student s LEFT JOIN cases c ON c.id = s.record"
        " WHERE s.id_number = ? AND s.id <> ?",
        (id_number, apart_from),
    ).fetchall()
    return [(orjson.loads(str(facts)), None if state is None else str(state)) for facts, state in rows]


def case_from(row: Row) -> Case:
    """The first columns (`CASE_COLUMNS`) as a case."""
    (
        case, workflow, shape, student, unit, path, state, revision, seq, head,
        fields, taken, rounds, opened, entered, slots, sent_back, *_,
    ) = row  # fmt: skip
    return Case(
        case, workflow, shape, student, unit, path, state, revision, Head(seq, head),
        _document(fields), _document(taken), rounds, opened, entered,
        NO_SLOTS if slots is None else _document(slots), sent_back,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _document(text: str) -> Any:  # noqa: ANN401 JSON of a declared column
    """Fields or who took what; remembered, for the cases of a batch mostly say the same, and nobody changes them."""
    return orjson.loads(text)


def found(row: Row) -> Found:
    """A whole row of the reading statement."""
    facts, student_no, record, has_others, registry, marks, pinyin = row[17:24]
    known = facts or NOTHING
    return Found(case_from(row), known, student_no, record, bool(has_others), registry or 0, marks, pinyin or "")


def keep(connection: Connection, keeping: Keeping) -> bool:
    """Write one decided step; False when the chain has grown meanwhile without the case changing (decide again).

    Raises:
        StaleCase: If somebody else moved the case since it was read; nothing was written.
    """
    if connection.is_sqlite or connection.in_transaction:
        update = freeing(UPDATE_STEP) if keeping.frees_key else UPDATE_STEP
        won = connection.execute(update, update_params(keeping)).rowcount == 1
        if won:
            write_events(connection, (keeping.event,))
            write_told(connection, ((keeping.event, keeping.told, keeping.sealed),))
            write_beside(connection, (keeping,))
    else:
        won = _keep_in_one_statement(connection, keeping)
    if not won:
        _refuse_stale(connection, keeping.before)
    return won


def extend(connection: Connection, case: Case, event: Written, sealed: Sealed | None = None) -> bool:
    """Add an event to a case's chain without changing the case (a refusal); False when the chain has grown."""
    if connection.is_sqlite or connection.in_transaction:
        params = (event.seq, event.hash, case.id, case.head.seq)
        won = connection.execute(_EXTEND, params).rowcount == 1
        if won:
            write_events(connection, (event,))
            if sealed is not None:
                connection.execute(_PERSONAL, (event.chain, event.seq, sealed.salt, sealed.body))
        return won
    return _extend_in_one_statement(connection, case, event, sealed)


def write_events(connection: Connection, events: Iterable[Written]) -> None:
    """Insert events as they are."""
    rows = [(one.chain, one.seq, one.request, one.body, one.hash, one.mac) for one in events]
    if len(rows) == 1:
        connection.execute(_EVENT, rows[0])
    elif rows:
        connection.executemany(_EVENT, rows)


def write_told(connection: Connection, steps: Iterable[tuple[Written, Told, Sealed | None]]) -> None:
    """Insert the messages and the sealed personal values of events."""
    messages, personal = [], []
    for event, told, sealed in steps:
        messages += [(event.chain, event.seq, recipient, message) for recipient, message in told]
        if sealed is not None:
            personal.append((event.chain, event.seq, sealed.salt, sealed.body))
    if messages:
        connection.executemany(_OUTBOX, messages)
    if personal:
        connection.executemany(_PERSONAL, personal)


def write_beside(connection: Connection, kept: Sequence[Keeping]) -> None:
    """Write where the cases wait from now on, and who did it."""
    put(connection, [one.standing for one in kept if one.standing is not None])
    add_deeds(connection, [one.deed for one in kept if one.deed is not None])


def drop_messages(connection: Connection, chain: int, seq: int) -> None:
    """Take back what an event would have told, as long as it has not left the outbox."""
    connection.execute("DELETE FROM outbox WHERE chain = ? AND seq = ?", (chain, seq))


def write_personal(connection: Connection, rows: Iterable[tuple[int, int, bytes, bytes]]) -> None:
    """Insert sealed personal values: chain, seq, salt, body."""
    connection.executemany(_PERSONAL, rows)


def add_cases(connection: Connection, rows: Iterable[tuple[Case, Written, str | None]]) -> None:
    """Insert opened cases, each with its first event and what must be unique about it."""
    connection.executemany(
        "INSERT INTO cases (id, workflow, shape, student, unit, path, batch, state, revision, seq, head, fields, taken,"
        " rounds, unique_key, opened_at, entered_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
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
                event.seq,
                event.hash,
                canonical(case.fields).decode(),
                canonical(case.taken).decode(),
                case.rounds,
                unique_key,
                case.opened_at,
                case.entered_at,
            )
            for case, event, unique_key in rows
        ],
    )


def holder_of(connection: Connection, unique_key: str) -> Case | None:
    """The case that holds what must be unique, or None."""
    sql = f"SELECT {CASE_COLUMNS} FROM cases c WHERE c.unique_key = ?"  # noqa: S608 constant text
    row = connection.execute(sql, (unique_key,)).fetchone()
    return None if row is None else case_from(row)


def cases_at(connection: Connection, workflow: str, unit: str) -> list[Case]:
    """The cases of a workflow whose unit is exactly this one, those that are cancelled left out."""
    where = "c.workflow = ? AND c.unit = ? AND c.state <> ?"
    sql = f"SELECT {CASE_COLUMNS} FROM cases c WHERE {where} ORDER BY c.id"  # noqa: S608 constant text
    return [case_from(row) for row in connection.execute(sql, (workflow, unit, CANCELLED)).fetchall()]


def hold_case(connection: Connection, case: int) -> None:
    """Hold a case for the rest of the transaction: of two acts on it the second decides on what the first has left.

    SQLite's writer has the whole database already.
    """
    if not connection.is_sqlite:
        connection.execute("SELECT id FROM cases WHERE id = ? FOR UPDATE", (case,))


def update_params(keeping: Keeping) -> tuple[object, ...]:
    """The parameters of the UPDATE of a step, the version predicate last."""
    before, after = keeping.before, keeping.after
    return (
        after.state,
        keeping.event.seq,
        keeping.event.hash,
        canonical(after.fields).decode(),
        canonical(after.taken).decode(),
        after.rounds,
        after.fields.get("batch"),
        after.entered_at,
        canonical(after.slots).decode() if after.slots else None,
        after.sent_back,
        before.id,
        before.revision,
        before.head.seq,
    )


def freeing(update: str) -> str:
    """The same update, for a step that frees the case's unique key: naming the key costs its index in every step."""
    return update.replace("SET state = ?", "SET unique_key = NULL, state = ?")


def students_cases(connection: Connection, student: int) -> list[Case]:
    """All cases of a student that are not cancelled, by number."""
    return related(connection, student, 0)


def units_cases(connection: Connection, unit: str) -> list[Case]:
    """All cases about a unit, not about a student of it, that are not cancelled; by number."""
    sql = (
        f"SELECT {CASE_COLUMNS} FROM cases c WHERE c.unit = ? AND c.student IS NULL"  # noqa: S608 constant text
        " AND c.state <> ? ORDER BY c.id"
    )
    return [case_from(row) for row in connection.execute(sql, (unit, CANCELLED)).fetchall()]


def _refuse_stale(connection: Connection, before: Case) -> None:
    row = connection.execute("SELECT revision FROM cases WHERE id = ?", (before.id,)).fetchone()
    now = None if row is None else int(row[0])
    if now != before.revision:
        raise StaleCase(before.number, before.revision, now)


_PG_KEEP = (
    "WITH won AS (UPDATE cases SET state = ?, revision = revision + 1, seq = ?, head = ?, fields = ?, taken = ?,"
    " rounds = ?, batch = ?, entered_at = ?, slots = ?, sent_back = ? WHERE id = ? AND revision = ? AND seq = ?"
    " RETURNING id),"
    " e AS (INSERT INTO event (chain, seq, request, body, hash, mac)"
    " SELECT CAST(? AS bigint), CAST(? AS integer), CAST(? AS text), CAST(? AS bytea), CAST(? AS bytea),"
    " CAST(? AS bytea) FROM won)"
)
_PG_OUTBOX = (
    ", o{0} AS (INSERT INTO outbox (chain, seq, recipient, message)"
    " SELECT CAST(? AS bigint), CAST(? AS integer), CAST(? AS text), CAST(? AS text) FROM won)"
)
_PG_PERSONAL = (
    ", p AS (INSERT INTO personal (chain, seq, salt, body)"
    " SELECT CAST(? AS bigint), CAST(? AS integer), CAST(? AS bytea), CAST(? AS bytea) FROM won)"
)
_PG_COUNT = " SELECT count(*) FROM won"
_PG_EXTEND = (
    "WITH won AS (UPDATE cases SET seq = ?, head = ? WHERE id = ? AND seq = ? RETURNING id),"
    " e AS (INSERT INTO event (chain, seq, request, body, hash, mac)"
    " SELECT CAST(? AS bigint), CAST(? AS integer), CAST(? AS text), CAST(? AS bytea), CAST(? AS bytea),"
    " CAST(? AS bytea) FROM won)"
)


def _event_params(event: Written) -> tuple[object, ...]:
    return (event.chain, event.seq, event.request, event.body, event.hash, event.mac)


def _keep_in_one_statement(connection: Connection, keeping: Keeping) -> bool:
    sql, event = freeing(_PG_KEEP) if keeping.frees_key else _PG_KEEP, keeping.event
    params = (*update_params(keeping), *_event_params(event))
    for place, (recipient, message) in enumerate(keeping.told):
        sql += _PG_OUTBOX.format(place)
        params += (event.chain, event.seq, recipient, message)
    if keeping.sealed is not None:
        sql += _PG_PERSONAL
        params += (event.chain, event.seq, keeping.sealed.salt, keeping.sealed.body)
    beside, more = beside_a_step(keeping.standing, keeping.deed)
    return connection.execute(sql + beside + _PG_COUNT, (*params, *more)).fetchone() == (1,)


def _extend_in_one_statement(connection: Connection, case: Case, event: Written, sealed: Sealed | None) -> bool:
    sql = _PG_EXTEND
    params: tuple[object, ...] = (event.seq, event.hash, case.id, case.head.seq, *_event_params(event))
    if sealed is not None:
        sql += _PG_PERSONAL
        params += (event.chain, event.seq, sealed.salt, sealed.body)
    return connection.execute(sql + _PG_COUNT, params).fetchone() == (1,)
