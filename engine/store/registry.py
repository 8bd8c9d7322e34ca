"""What belongs to no case: settings, the organisation, rights, definitions, batches and the registry's own chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson

from engine.actors import RESERVED, Actor, Grant
from engine.errors import Reserved
from engine.records import NOTHING, Head, Json
from engine.store.cases import write_events
from engine.store.database import Connection, Row
from engine.store.delegations import LENT
from engine.trail.event import Written, canonical

_ACTOR = (
    f"{LENT} UNION ALL SELECT a.student, g.role, g.unit, u.path, NULL, NULL, NULL, NULL, NULL FROM account a"  # noqa: S608
    " LEFT JOIN role_grant g ON g.login = a.login AND g.until IS NULL LEFT JOIN unit u ON u.code = g.unit"
    " WHERE a.login = ?"
)
"""Everything a person may act by, in one statement; an account without any right still gives one row."""

_BATCH = "SELECT name, kind, profile, title, values_json, rulebook FROM batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow:
    """One node of the organisation as kept; `facts` are JSON by the kinds of the vocabulary."""

    code: str
    name: str
    kind: str
    parent: str | None
    path: str
    profile: str | None
    facts: Mapping[str, Json] = field(default_factory=dict)


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


def put_setting(connection: Connection, name: str, value: str) -> None:
    """Write a setting that may change, over what it was. Inside the open transaction."""
    connection.execute(
        "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )


def actor(connection: Connection, login: str) -> Actor | None:
    """A person with the rights held now, or None when there is no such account."""
    rows = connection.execute(_ACTOR, (login, login)).fetchall()
    if not rows:
        return None
    return Actor(
        login=login,
        grants=tuple(_grant(row) for row in rows if row[1] is not None and row[4] is None),
        delegated=tuple(_grant(row) for row in rows if row[4] is not None),
        student=rows[0][0],
    )


def _grant(row: Row) -> Grant:
    _, role, unit, path, giver, case, since, until, reason = row
    return Grant(
        role=role, unit=unit, path=path, giver=giver, case=case, since=since or "", until=until, reason=reason or ""
    )


def logins(connection: Connection) -> tuple[str, ...]:
    """Every account's login, sorted."""
    rows = connection.execute("SELECT login FROM account ORDER BY login").fetchall()
    return tuple(str(row[0]) for row in rows)


def add_account(connection: Connection, login: str, at: str) -> bool:
    """Make an account; False when there is one.

    Raises:
        Reserved: If xueji itself goes by that login, in whatever case of letters.
    """
    if connection.execute("SELECT 1 FROM account WHERE login = ?", (login,)).fetchone() is not None:
        return False
    if login.casefold() in RESERVED:
        raise Reserved(login)
    connection.execute("INSERT INTO account (login, created_at) VALUES (?, ?)", (login, at))
    return True


def account_of(connection: Connection, student: int) -> str | None:
    """The login of a student's own account, or None."""
    row = connection.execute("SELECT login FROM account WHERE student = ?", (student,)).fetchone()
    return None if row is None else str(row[0])


def set_student(connection: Connection, login: str, student: int) -> bool:
    """Say whose account it is; False when it is another student's."""
    sql = "UPDATE account SET student = ? WHERE login = ? AND student IS NULL"
    return connection.execute(sql, (student, login)).rowcount == 1


def add_grant(connection: Connection, login: str, role: str, unit: str, since: str) -> bool:
    """Give a role at a unit; False when it is held already."""
    held = "SELECT 1 FROM role_grant WHERE login = ? AND role = ? AND unit = ? AND until IS NULL"
    if connection.execute(held, (login, role, unit)).fetchone() is not None:
        return False
    connection.execute(
        "INSERT INTO role_grant (login, role, unit, since) VALUES (?, ?, ?, ?)", (login, role, unit, since)
    )
    return True


def end_grant(connection: Connection, login: str, role: str, unit: str, until: str) -> bool:
    """End a role at a unit; False when it is not held. The row stays, with its end."""
    sql = "UPDATE role_grant SET until = ? WHERE login = ? AND role = ? AND unit = ? AND until IS NULL"
    return connection.execute(sql, (until, login, role, unit)).rowcount > 0


def holders(connection: Connection, role: str, path: str) -> tuple[str, ...]:
    """The logins of those who hold a role at a unit or above it, sorted."""
    rows = connection.execute(
        "SELECT DISTINCT g.login FROM role_grant g JOIN unit u ON u.code = g.unit WHERE g.role = ? AND g.until IS NULL"
        " AND substr(CAST(? AS text), 1, length(u.path)) = u.path ORDER BY g.login",
        (role, path),
    ).fetchall()
    return tuple(str(row[0]) for row in rows)


def units(connection: Connection) -> dict[str, UnitRow]:
    """The whole organisation by code."""
    sql = "SELECT code, name, kind, parent, path, profile, facts FROM unit ORDER BY path"
    return {str(row[0]): _unit(row) for row in connection.execute(sql).fetchall()}


def _unit(row: Row) -> UnitRow:
    code, name, kind, parent, path, profile, text = row
    facts = NOTHING if text == "{}" else orjson.loads(text)
    return UnitRow(code=code, name=name, kind=kind, parent=parent, path=path, profile=profile, facts=facts)


def add_unit(connection: Connection, unit: UnitRow) -> None:
    """Insert one node."""
    connection.execute(
        "INSERT INTO unit (code, name, kind, parent, path, profile) VALUES (?, ?, ?, ?, ?, ?)",
        (unit.code, unit.name, unit.kind, unit.parent, unit.path, unit.profile),
    )


def set_unit_name(connection: Connection, code: str, name: str) -> None:
    """Write anew what a unit is called."""
    connection.execute("UPDATE unit SET name = ? WHERE code = ?", (name, code))


def set_unit_facts(connection: Connection, code: str, facts: Mapping[str, Json]) -> None:
    """Write anew what is known of a unit."""
    connection.execute("UPDATE unit SET facts = ? WHERE code = ?", (canonical(facts).decode(), code))


def hold_units(connection: Connection, paths: Iterable[str]) -> None:
    """Keep others from changing units, and those above them, for the rest of the transaction, in order of their codes.

    SQLite's writer has the whole database.
    """
    codes = {code for path in paths for code in path.split("/") if code}
    if codes and not connection.is_sqlite:
        connection.execute("SELECT code FROM unit WHERE code = ANY(?) ORDER BY code FOR SHARE", (sorted(codes),))


def shape_body(connection: Connection, shape: str) -> str | None:
    """A pinned definition by its hash, as JSON text."""
    row = connection.execute("SELECT body FROM shape WHERE hash = ?", (shape,)).fetchone()
    return None if row is None else str(row[0])


def shapes(connection: Connection) -> frozenset[str]:
    """The hashes of all pinned definitions."""
    return frozenset(str(row[0]) for row in connection.execute("SELECT hash FROM shape").fetchall())


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
    row = connection.execute(f"{_BATCH} WHERE name = ?", (name,)).fetchone()
    return None if row is None else _batch(row)


def every_batch(connection: Connection) -> list[BatchRow]:
    """Every published batch, by name."""
    return [_batch(row) for row in connection.execute(f"{_BATCH} ORDER BY name").fetchall()]


def _batch(row: Row) -> BatchRow:
    name, kind, profile, title, values, rulebook = map(str, row)
    return BatchRow(name=name, kind=kind, profile=profile, title=title, values=orjson.loads(values), rulebook=rulebook)


def hold_batch(connection: Connection, name: str) -> None:
    """Keep others from changing a batch for the rest of the transaction; SQLite's writer has the whole database."""
    if not connection.is_sqlite:
        connection.execute("SELECT name FROM batch WHERE name = ? FOR SHARE", (name,))


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


def table_rows(connection: Connection, name: str) -> list[dict[str, Json]]:
    """The rows of a table as JSON by column, in the order of its sheet; none where nothing was taken in yet."""
    rows = connection.execute("SELECT body FROM table_row WHERE name = ? ORDER BY place", (name,)).fetchall()
    return [orjson.loads(row[0]) for row in rows]


def replace_table(connection: Connection, name: str, rows: Iterable[Mapping[str, Json]]) -> None:
    """Keep these rows as the whole of a table."""
    connection.execute("DELETE FROM table_row WHERE name = ?", (name,))
    connection.executemany(
        "INSERT INTO table_row (name, place, body) VALUES (?, ?, ?)",
        [(name, place, canonical(row).decode()) for place, row in enumerate(rows)],
    )


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
