"""What belongs to no case: settings, the organisation, rights, definitions, batches and the registry's own chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from engine.actors import Actor, Grant
from engine.records import Head, Json
from engine.store.cases import write_events
from engine.store.database import Connection
from engine.trail.event import Written, canonical

_GRANTS = (
    "SELECT g.role, g.unit, u.path FROM role_grant g JOIN unit u ON u.code = g.unit"
    " WHERE g.login = ? AND g.until IS NULL"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """One node of the organisation as kept."""

    code: str
    name: str
    kind: str
    parent: str | None
    path: str
    profile: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    """A published batch as kept; `values` are JSON by the kinds of the vocabulary."""

    name: str
    kind: str
    profile: str
    title: str
    values: Mapping[str, Json]
    rulebook: str


def setting(connection: Connection, name: str) -> str | None:
    """A setting of the database, or None."""
    row = connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def set_setting(connection: Connection, name: str, value: str) -> None:
    """Write a setting once; a second value under the same name is refused by its key."""
    connection.execute("INSERT INTO setting (name, value) VALUES (?, ?)", (name, value))


def actor(connection: Connection, login: str) -> Actor | None:
    """A person with the rights held now, or None when there is no such account."""
    grants = connection.execute(_GRANTS, (login,)).fetchall()
    if not grants and connection.execute("SELECT 1 FROM account WHERE login = ?", (login,)).fetchone() is None:
        return None
    return Actor(
        login=login,
        grants=tuple(Grant(role=str(role), unit=str(unit), path=str(path)) for role, unit, path in grants),
    )


def logins(connection: Connection) -> tuple[str, ...]:
    """Every account's login, sorted."""
    rows = connection.execute("SELECT login FROM account ORDER BY login").fetchall()
    return tuple(str(row[0]) for row in rows)


def add_account(connection: Connection, login: str, at: str) -> bool:
    """Make an account; False when there is one."""
    if connection.execute("SELECT 1 FROM account WHERE login = ?", (login,)).fetchone() is not None:
        return False
    connection.execute("INSERT INTO account (login, created_at) VALUES (?, ?)", (login, at))
    return True


def add_grant(connection: Connection, login: str, role: str, unit: str, since: str) -> bool:
    """Give a role at a unit; False when it is held already."""
    held = "SELECT 1 FROM role_grant WHERE login = ? AND role = ? AND unit = ? AND until IS NULL"
    if connection.execute(held, (login, role, unit)).fetchone() is not None:
        return False
    connection.execute(
        "INSERT INTO role_grant (login, role, unit, since) VALUES (?, ?, ?, ?)", (login, role, unit, since)
    )
    return True


def units(connection: Connection) -> dict[str, UnitRow]:
    """The whole organisation by code."""
    rows = connection.execute("SELECT code, name, kind, parent, path, profile FROM unit ORDER BY path").fetchall()
    return {
        str(code): UnitRow(code=code, name=name, kind=kind, parent=parent, path=path, profile=profile)
        for code, name, kind, parent, path, profile in rows
    }


def add_unit(connection: Connection, unit: UnitRow) -> None:
    """Insert one node."""
    connection.execute(
        "INSERT INTO unit (code, name, kind, parent, path, profile) VALUES (?, ?, ?, ?, ?, ?)",
        (unit.code, unit.name, unit.kind, unit.parent, unit.path, unit.profile),
    )


def shape_body(connection: Connection, shape: str) -> str | None:
    """A pinned definition by its hash, as JSON text."""
    row = connection.execute("SELECT body FROM shape WHERE hash = ?", (shape,)).fetchone()
    return None if row is None else str(row[0])


def add_shape(connection: Connection, shape: str, pinned: tuple[str, str, int], body: str) -> None:
    """Keep a definition: its hash, (workflow, profile, version) and JSON text."""
    connection.execute(
        "INSERT INTO shape (hash, workflow, profile, version, body) VALUES (?, ?, ?, ?, ?)", (shape, *pinned, body)
    )


def rulebook_body(connection: Connection, rulebook: str) -> str | None:
    """A rulebook by its hash, as JSON text."""
    row = connection.execute("SELECT body FROM rulebook WHERE hash = ?", (rulebook,)).fetchone()
    return None if row is None else str(row[0])


def add_rulebook(connection: Connection, rulebook: str, effective_from: str, body: str) -> None:
    """Keep a rulebook."""
    connection.execute(
        "INSERT INTO rulebook (hash, effective_from, body) VALUES (?, ?, ?)", (rulebook, effective_from, body)
    )


def batch(connection: Connection, name: str) -> BatchRow | None:
    """A published batch, or None."""
    row = connection.execute(
        "SELECT name, kind, profile, title, values_json, rulebook FROM batch WHERE name = ?", (name,)
    ).fetchone()
    if row is None:
        return None
    name_, kind, profile, title, values, rulebook = map(str, row)
    return BatchRow(name=name_, kind=kind, profile=profile, title=title, values=orjson.loads(values), rulebook=rulebook)


def batches(connection: Connection) -> tuple[str, ...]:
    """The names of the published batches."""
    return tuple(str(row[0]) for row in connection.execute("SELECT name FROM batch ORDER BY name").fetchall())


def add_batch(connection: Connection, row: BatchRow, at: str) -> None:
    """Keep a batch as published."""
    connection.execute(
        "INSERT INTO batch (name, kind, profile, title, values_json, rulebook, published_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (row.name, row.kind, row.profile, row.title, canonical(row.values).decode(), row.rulebook, at),
    )


def set_batch_values(connection: Connection, name: str, values: Mapping[str, Json]) -> None:
    """Write a published batch's values anew."""
    connection.execute("UPDATE batch SET values_json = ? WHERE name = ?", (canonical(values).decode(), name))


def registry_head(connection: Connection) -> Head:
    """The end of the registry's chain; PostgreSQL locks it for the transaction, SQLite's writer has it alone."""
    lock = "" if connection.is_sqlite else " FOR UPDATE"
    row = connection.execute(f"SELECT seq, head FROM registry WHERE id = 0{lock}").fetchone()  # noqa: S608 constant
    if row is None:
        connection.execute("INSERT INTO registry (id, seq, head) VALUES (0, 0, ?)", (Head().hash,))
        return Head()
    return Head(seq=int(row[0]), hash=bytes(row[1]))


def write_registry(connection: Connection, events: Iterable[Written]) -> None:
    """Extend the registry's chain."""
    written = list(events)
    write_events(connection, written)
    if written:
        connection.execute("UPDATE registry SET seq = ?, head = ? WHERE id = 0", (written[-1].seq, written[-1].hash))
