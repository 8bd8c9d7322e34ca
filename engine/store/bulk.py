"""Keeping many decided steps at once: `executemany` on SQLite, COPY and one UPDATE on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from engine.records import Case, case_number
from engine.store.cases import (
    UPDATE_STEP,
    Keeping,
    Sealed,
    extend,
    freeing,
    update_params,
    write_beside,
    write_events,
    write_told,
)  # fmt: skip
from engine.store.database import Connection
from engine.trail.event import Written

_PG_TABLE = (
    "CREATE TEMP TABLE IF NOT EXISTS step (state text, seq integer, head bytea, fields text, taken text,"
    " rounds integer, batch text, entered_at text, slots text, sent_back integer, id bigint, revision integer,"
    " was_seq integer, frees boolean, request text, body bytea, mac bytea) ON COMMIT DELETE ROWS"
)
_PG_COPY = "COPY step FROM STDIN (FORMAT BINARY)"
_PG_TYPES = (
    "text", "int4", "bytea", "text", "text", "int4", "text", "text", "text", "int4", "int8", "int4", "int4", "bool",
    "text", "bytea", "bytea",
)  # fmt: skip
_PG_KEEP = (
    "WITH won AS (UPDATE cases c SET state = t.state, revision = c.revision + 1, seq = t.seq, head = t.head,"
    " fields = t.fields, taken = t.taken, rounds = t.rounds, batch = t.batch,"
    " unique_key = CASE WHEN t.frees THEN NULL ELSE c.unique_key END, entered_at = t.entered_at, slots = t.slots,"
    " sent_back = t.sent_back"
    " FROM step t WHERE c.id = t.id AND c.revision = t.revision AND c.seq = t.was_seq RETURNING c.id, c.seq),"
    " e AS (INSERT INTO event (chain, seq, request, body, hash, mac)"
    " SELECT t.id, t.seq, t.request, t.body, t.head, t.mac FROM step t JOIN won USING (id, seq))"
    " SELECT id FROM won"
)


def keep_many(connection: Connection, kept: Sequence[Keeping]) -> set[int]:
    """Write decided steps inside the open transaction; returns the cases that won.

    A case that has moved on meanwhile is not written: on SQLite it cannot have, the transaction holds the writer's
    place since before the cases were read.
    """
    if not kept:
        return set()
    if connection.is_sqlite:
        connection.executemany(UPDATE_STEP, [update_params(one) for one in kept if not one.frees_key])
        connection.executemany(freeing(UPDATE_STEP), [update_params(one) for one in kept if one.frees_key])
        write_events(connection, [one.event for one in kept])
        won = {one.before.id for one in kept}
    else:
        won = _copy_and_update(connection, kept)
    written = [one for one in kept if one.before.id in won]
    write_told(connection, [(one.event, one.told, one.sealed) for one in written])
    write_beside(connection, written)
    return won


def answered_before(connection: Connection, cases: Sequence[int], request: str | None) -> dict[int, bytes]:
    """The cases that a bulk request of this id has had an answer for already, each with the event that tells it."""
    if request is None or not cases:
        return {}
    marks = ",".join("?" * len(cases))
    ids = tuple(f"{request}/{case_number(case)}" for case in cases)
    rows = connection.execute(f"SELECT chain, body FROM event WHERE request IN ({marks})", ids)  # noqa: S608 question marks only
    return {int(row[0]): bytes(row[1]) for row in rows.fetchall()}


def extend_many(connection: Connection, refusals: Sequence[tuple[Case, Written, Sealed | None]]) -> set[int]:
    """Add refusals to the chains of their cases; returns the cases passed over, because their chain has grown."""
    return {case.id for case, event, sealed in refusals if not extend(connection, case, event, sealed)}


def _copy_and_update(connection: Connection, kept: Sequence[Keeping]) -> set[int]:
    connection.execute(_PG_TABLE)
    with connection.raw.cursor() as cursor, cursor.copy(_PG_COPY) as copy:
        copy.set_types(_PG_TYPES)
        for one in kept:
            copy.write_row((*update_params(one), one.frees_key, one.event.request, one.event.body, one.event.mac))
    return {int(row[0]) for row in connection.execute(_PG_KEEP).fetchall()}
