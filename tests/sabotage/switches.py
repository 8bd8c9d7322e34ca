"""The switches: each breaks one promise of the built engine, in memory and for one test only.

A switch rewrites a statement, or puts something worse in the place of a function. None exists in the engine itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from types import ModuleType

import pytest
from sqlalchemy import Engine

import engine.store.bulk as store_bulk
from engine import acting, bulk, casework, facts, keeping, machine, replay, rights, sight
from engine.desk import Desk
from engine.guards import Guard
from engine.records import Case, Head, Json, Moved, Outcome, Refused, Repeated, Request
from engine.rights import Sight
from engine.step import Step
from engine.steps import Machine
from engine.store import cases, database, lanes, schema
from engine.store.cases import Keeping
from engine.store.database import Connection
from engine.trail import chain
from engine.trail.chain import Scribe
from engine.trail.event import EventKind, Written, moment
from tests.engine.tampering import tamper
from tests.sabotage.builds import Build

Patch = pytest.MonkeyPatch

ANOTHER_MOMENT = datetime(2031, 1, 1, tzinfo=UTC)


def edit(patch: Patch, module: ModuleType, name: str, old: str, new: str) -> None:
    """Rewrite a part of a statement; a part that is not there any more is a switch that does nothing."""
    text: str = getattr(module, name)
    assert old in text, f"{module.__name__}.{name} no longer says '{old}'"
    patch.setattr(module, name, text.replace(old, new))


def _only_the_first_reason(patch: Patch) -> None:
    honest = Step.refusing

    def refusing(step: Step, asked: list[int]) -> list[tuple[Guard, Outcome]]:
        return honest(step, asked)[:1]

    patch.setattr(Step, "refusing", refusing)


def _refusals_leave_no_trace(patch: Patch) -> None:
    patch.setattr(casework, "extend", lambda *_: True)


def _bulk_waves_through(patch: Patch) -> None:
    honest = machine.decide

    def decide(of: Machine, case: Case, request: Request, seen: Sight) -> Moved | Refused:
        outcome = honest(of, case, request, seen)
        if isinstance(outcome, Moved):
            return outcome
        target = of.step(case.state, request.trigger).targets[0]
        data: dict[str, Json] = {"trigger": request.trigger, "from": case.state, "to": target}
        after = case._replace(state=target, revision=case.revision + 1)
        return Moved(trigger=request.trigger, case=after, event={**outcome.event, "data": data}, data=data)

    patch.setattr(bulk, "decide", decide)


def _every_statement_for_itself(patch: Patch) -> None:
    @contextmanager
    def writing(connection: Connection) -> Iterator[None]:
        was, connection.in_transaction = connection.in_transaction, True
        try:
            yield
        finally:
            connection.in_transaction = was

    patch.setattr(Connection, "writing", writing)
    patch.setattr(Connection, "deciding", writing)
    edit(patch, store_bulk, "_PG_TABLE", " ON COMMIT DELETE ROWS", "")


def _messages_before_the_deed(patch: Patch) -> None:
    honest = cases.keep

    def keep(connection: Connection, keeping: Keeping) -> bool:
        cases.write_told(connection, [(keeping.event, keeping.told, None)])
        if connection.in_transaction:
            connection.execute("COMMIT")
            connection.execute("BEGIN")
        return honest(connection, keeping._replace(told=()))

    for module in (cases, casework, acting):
        patch.setattr(module, "keep", keep)


def _request_ids_forgotten(patch: Patch) -> None:
    honest = Scribe.write

    def write(scribe: Scribe, of: int, head: Head, kind: EventKind, event: dict[str, Json]) -> Written:
        event.pop("request", None)
        return honest(scribe, of, head, kind, event)

    patch.setattr(Scribe, "write", write)


def _no_version_predicate(patch: Patch) -> None:
    for module, name in ((cases, "UPDATE_STEP"), (cases, "_PG_KEEP"), (store_bulk, "UPDATE_STEP")):
        edit(patch, module, name, " AND revision = ? AND seq = ?", " AND ? >= 0 AND ? >= 0")
    edit(patch, store_bulk, "_PG_KEEP", " AND c.revision = t.revision AND c.seq = t.was_seq", "")


def _no_unique_key(patch: Patch, *keys: str) -> None:
    honest = schema.upgrade

    def upgrade(engine: Engine) -> None:
        honest(engine)
        with engine.connect() as connection:
            for key in keys:
                connection.exec_driver_sql(f"DROP INDEX {key}")

    patch.setattr(schema, "upgrade", upgrade)


def _neither_predicate_nor_key(patch: Patch) -> None:
    """Messages and deeds are unique per event too, each of which alone would stop a second step."""
    honest = lanes.beside_a_step
    patch.setattr(cases, "add_deeds", lambda _connection, _deeds: None)
    patch.setattr(cases, "beside_a_step", lambda standing, _deed: honest(standing, None))
    _no_version_predicate(patch)
    _no_unique_key(patch, "uq_event_chain_seq", "uq_outbox_once")


def _old_pages_welcome(patch: Patch) -> None:
    honest = casework.move

    def move(desk: Desk, case: int, request: Request) -> Moved | Refused | Repeated:
        return honest(desk, case, replace(request, seen=None))

    patch.setattr(casework, "move", move)


def _deciding_without_the_writers_place(patch: Patch) -> None:
    @contextmanager
    def deciding(_connection: Connection) -> Iterator[None]:
        yield

    patch.setattr(Connection, "deciding", deciding)


def _shape_in_force(patch: Patch) -> None:
    def machine_for(desk: Desk, case: Case, _given: Mapping[str, Json]) -> Machine:
        return desk.machine(desk.hash_of(desk.library.definition(case.workflow, desk.profile_of(case.unit))))

    patch.setattr(Desk, "machine_for", machine_for)


def _rulebook_in_force(patch: Patch) -> None:
    patch.setattr(Desk, "machine_for", lambda desk, case, _given: desk.machine(case.shape))


def _a_clock_of_its_own(patch: Patch) -> None:
    for room in (machine, rights):
        patch.setattr(room, "moment", lambda _: moment(ANOTHER_MOMENT))


def _days_in_utc(patch: Patch) -> None:
    patch.setattr(sight, "_today", lambda at: at.astimezone(UTC).date().isoformat())


def _unlinked_events(patch: Patch) -> None:
    honest = Scribe.write

    def write(scribe: Scribe, of: int, head: Head, kind: EventKind, event: dict[str, Json]) -> Written:
        return honest(scribe, of, Head(seq=head.seq), kind, event)

    patch.setattr(Scribe, "write", write)


def _constant_mac(patch: Patch) -> None:
    for module in (chain, replay):
        patch.setattr(module, "mac_maker", lambda _key: lambda _body: bytes(32))


def _rows_believed(patch: Patch) -> None:
    patch.setattr("engine.replay._Walk._compare", lambda _walk, _end: None)


def _bytes_believed(patch: Patch) -> None:
    patch.setattr("engine.replay._Walk._fail", lambda _walk, _seq, _why: None)


def _tidied_history(patch: Patch) -> None:
    honest = cases.keep

    def keep(connection: Connection, keeping: Keeping) -> bool:
        won = honest(connection, keeping)
        tamper(connection, "DELETE FROM event WHERE chain = ? AND seq < ?", (keeping.event.chain, keeping.event.seq))
        return won

    for module in (casework, acting):
        patch.setattr(module, "keep", keep)


def _empty_commitments(patch: Patch) -> None:
    _commit_by(patch, lambda salt, _body: sha256(salt).hexdigest())


def _personal_values_in_clear(patch: Patch) -> None:
    _commit_by(patch, lambda _salt, body: body.decode())


def _one_salt(patch: Patch) -> None:
    patch.setattr(Desk, "salt", lambda _desk: bytes(16))


def _disk_not_awaited(patch: Patch) -> None:
    patch.setattr(database, "journal_of", lambda _version: ("WAL", "OFF"))


def _commit_by(patch: Patch, way: Callable[[bytes, bytes], str]) -> None:
    for module in (keeping, facts, replay):
        patch.setattr(module, "commitment", way)


ONLY_THE_FIRST_REASON = Build(name="only the first reason is told", sabotage=_only_the_first_reason)
REFUSALS_LEAVE_NO_TRACE = Build(name="refusals leave no event", sabotage=_refusals_leave_no_trace)
BULK_WAVES_THROUGH = Build(name="bulk moves what the rules refuse", sabotage=_bulk_waves_through)
EVERY_STATEMENT_FOR_ITSELF = Build(name="every statement commits for itself", sabotage=_every_statement_for_itself)
MESSAGES_BEFORE_THE_DEED = Build(name="messages are committed before the step", sabotage=_messages_before_the_deed)
REQUEST_IDS_FORGOTTEN = Build(name="request ids are not kept", sabotage=_request_ids_forgotten)
NO_VERSION_PREDICATE = Build(name="no version predicate", sabotage=_no_version_predicate)
NO_UNIQUE_KEY = Build(name="no unique (chain, seq)", sabotage=lambda patch: _no_unique_key(patch, "uq_event_chain_seq"))
NEITHER_PREDICATE_NOR_KEY = Build(name="neither predicate nor unique key", sabotage=_neither_predicate_nor_key)
OLD_PAGES_WELCOME = Build(name="the revision seen is ignored", sabotage=_old_pages_welcome)
NO_WRITERS_PLACE = Build(name="deciding without BEGIN IMMEDIATE", sabotage=_deciding_without_the_writers_place)
SHAPE_IN_FORCE = Build(name="cases follow the newest shape", sabotage=_shape_in_force)
RULEBOOK_IN_FORCE = Build(name="batches follow the newest rulebook", sabotage=_rulebook_in_force)
A_CLOCK_OF_ITS_OWN = Build(name="the engine reads a clock", sabotage=_a_clock_of_its_own)
DAYS_IN_UTC = Build(name="days are counted in UTC", sabotage=_days_in_utc)
UNLINKED_EVENTS = Build(name="events do not name the one before", sabotage=_unlinked_events)
CONSTANT_MAC = Build(name="every MAC is the same", sabotage=_constant_mac)
ROWS_BELIEVED = Build(name="replay believes the rows", sabotage=_rows_believed)
BYTES_BELIEVED = Build(name="replay believes the events", sabotage=_bytes_believed)
TIDIED_HISTORY = Build(name="old events are tidied away", sabotage=_tidied_history)
EMPTY_COMMITMENTS = Build(name="commitments bind nothing", sabotage=_empty_commitments)
PERSONAL_VALUES_IN_CLEAR = Build(name="personal values stand in the events", sabotage=_personal_values_in_clear)
ONE_SALT = Build(name="one salt for all", sabotage=_one_salt)
DISK_NOT_AWAITED = Build(name="synchronous off", sabotage=_disk_not_awaited)
