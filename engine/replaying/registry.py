"""The registry: what its chain says of units, people, definitions, batches and tables, compared with their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

import orjson

from engine.store.database import Connection
from engine.trail.event import EventKind, chain_name

Data = Mapping[str, Any]
Rows = dict[object, object]
"""One kind of row, by what names it."""
Told = dict[str, Rows]


class Registered:
    """What the events of the registry's chain add up to, kind by kind of row."""

    __slots__ = ("_last", "_rows")

    def __init__(self) -> None:
        of_people = ("role_grant", "role_ended", "account", "account_opened", "account_closed", "api_token")
        names = ("unit", "unit_fact", *of_people, "published", "proposal", "batch", "table_row")
        self._rows: dict[str, Rows] = {name: {} for name in names}
        self._last = ""

    @property
    def rows(self) -> Told:
        """What is told so far, kind by kind of row."""
        return self._rows

    def apply(self, event: Mapping[str, Any]) -> None:
        """Add one event; those that keep no row change nothing."""
        self._last = event["at"]
        learn = _LEARN.get(event["kind"])
        if learn is not None:
            learn(self._rows, event["at"], event["data"])

    def differences(self, connection: Connection) -> list[str]:
        """The rows that are kept otherwise than the events say, as `TABLE KEY`; call inside `reading`."""
        kept = {
            "unit": _units(connection),
            "unit_fact": _facts_of_units(connection),
            "role_grant": _grants(connection),
            "role_ended": _ended(connection),
            "account": _accounts(connection),
            "account_opened": _opened(connection),
            "account_closed": _closed(connection),
            "api_token": _tokens(connection, self._rows["api_token"], self._last),
            "published": _published(connection),
            "proposal": _proposals(connection),
            "batch": _batches(connection),
            "table_row": _tables(connection),
        }
        told = {**self._rows, "table_row": _without_empty(self._rows["table_row"])}
        return [
            f"{table} {key}"
            for table, rows in told.items()
            for key in sorted(rows.keys() | kept[table].keys(), key=str)
            if rows.get(key) != kept[table].get(key)
        ] + _paths(connection)


def _unit(rows: Told, _at: str, data: Data) -> None:
    rows["unit"][data["unit"]] = tuple(data.get(key) for key in ("name", "kind", "parent", "profile"))


def _unit_facts(rows: Told, _at: str, data: Data) -> None:
    for name, change in data["facts"].items():
        rows["unit_fact"].pop((data["unit"], name), None)  # cleared, and never known, are the same
        if change["new"] is not None:
            rows["unit_fact"][data["unit"], name] = change["new"]


def _role(rows: Told, at: str, data: Data) -> None:
    rows["account_opened"].setdefault(data["login"], at)  # an account is made with the first role
    if "about" in data:
        rows["account"][data["login"]] = data["about"]
        return
    key = (data["login"], data["role"], data["unit"])
    if data["held"]:
        rows["role_grant"][key] = at
    elif key in rows["role_grant"]:
        rows["role_ended"][*key, rows["role_grant"].pop(key)] = at


def _account(rows: Told, at: str, data: Data) -> None:
    if "disabled" not in data:  # a code handed out, a second factor forgotten: the account is as open as it was
        return
    rows["account_closed"].pop(data["login"], None)
    if data["disabled"]:
        rows["account_closed"][data["login"]] = at


def _token(rows: Told, at: str, data: Data) -> None:
    key = (data["login"], data["name"], at if data["good"] else data["made_at"])
    before: Any = rows["api_token"].get(key, ())
    if data["good"]:
        rows["api_token"][key] = tuple(
            sorted((*before, (" ".join(data["scopes"]), data["until"], "", data.get("proved_at", ""))))
        )
    elif before:  # one that was made before the trail told of tokens is told of when it ends
        rows["api_token"][key] = tuple(
            sorted((scopes, until, ended or at, proved) for scopes, until, ended, proved in before)
        )


def _publication(rows: Told, _at: str, data: Data) -> None:
    if "message" not in data and "batch" not in data:  # these texts are kept as proposals only
        rows["published"][data.get("definition") or data.get("rulebook")] = True
    if "proposal" in data:  # its text is in force from the first of its days on
        said = tuple(data[key] for key in ("file", "sha256", "effective_from", "proposed_by", "approved_by"))
        rows["proposal"].setdefault(data["proposal"], said)


def _batch(rows: Told, at: str, data: Data) -> None:
    pinned = {key: data[key] for key in ("kind", "profile", "rulebook")}
    rows["batch"][data["batch"]] = {**pinned, "values": dict(data["values"]), "at": at}


def _batch_value(rows: Told, _at: str, data: Data) -> None:
    batch: Any = rows["batch"].get(data["batch"])
    if batch is not None:
        batch["values"].update((field, change["new"]) for field, change in data["values"].items())


def _table(rows: Told, _at: str, data: Data) -> None:
    rows["table_row"][data["table"]] = data["sha256"]


_LEARN: Mapping[str, Callable[[Told, str, Data], None]] = {
    EventKind.UNIT_CHANGED: _unit,
    EventKind.FACT_CHANGED: _unit_facts,
    EventKind.ROLE_CHANGED: _role,
    EventKind.ACCOUNT_CHANGED: _account,
    EventKind.TOKEN_CHANGED: _token,
    EventKind.DEFINITION_PUBLISHED: _publication,
    EventKind.BATCH_PUBLISHED: _batch,
    EventKind.BATCH_CHANGED: _batch_value,
    EventKind.TABLE_CHANGED: _table,
}
_NO_ROWS = sha256(b"").hexdigest()


def _without_empty(tables: Rows) -> Rows:
    """A table emptied has no rows to be kept."""
    return {name: digest for name, digest in tables.items() if digest != _NO_ROWS}


def _units(connection: Connection) -> Rows:
    rows = connection.execute("SELECT code, name, kind, parent, profile FROM unit").fetchall()
    return {code: tuple(rest) for code, *rest in rows}


def _facts_of_units(connection: Connection) -> Rows:
    rows = connection.execute("SELECT code, facts FROM unit WHERE facts <> '{}'").fetchall()
    return {
        (code, name): value
        for code, facts in rows
        for name, value in orjson.loads(str(facts)).items()
        if value is not None
    }


def _paths(connection: Connection) -> list[str]:
    """A unit's path is its parent's and its own code; right by which cases are found follows from it."""
    sql = (
        "SELECT u.code FROM unit u LEFT JOIN unit p ON p.code = u.parent"
        " WHERE u.path <> coalesce(p.path, '/') || u.code || '/' ORDER BY u.code"
    )
    return [f"unit {code} (path)" for (code,) in connection.execute(sql).fetchall()]


def _grants(connection: Connection) -> Rows:
    """Who holds what since when; a row too many is told by its number."""
    rows = connection.execute("SELECT login, role, unit, since FROM role_grant WHERE until IS NULL").fetchall()
    many = Counter((login, role, unit) for login, role, unit, _ in rows)
    return {
        (login, role, unit): since if many[login, role, unit] == 1 else (since, many[login, role, unit])
        for login, role, unit, since in rows
    }


def _ended(connection: Connection) -> Rows:
    """Who held what from when until when; a row too many is told by its number."""
    rows = connection.execute(
        "SELECT login, role, unit, since, max(until), count(*) FROM role_grant WHERE until IS NOT NULL"
        " GROUP BY login, role, unit, since"
    ).fetchall()
    return {
        (login, role, unit, since): until if number == 1 else (until, number)
        for login, role, unit, since, until, number in rows
    }


def _accounts(connection: Connection) -> Rows:
    rows = connection.execute("SELECT login, student FROM account WHERE student IS NOT NULL").fetchall()
    return {login: chain_name(-int(str(student))) for login, student in rows}


def _opened(connection: Connection) -> Rows:
    """Since when there is an account."""
    return _by_key(connection, "SELECT login, created_at FROM account")


def _closed(connection: Connection) -> Rows:
    """Who is kept out, since when."""
    return _by_key(connection, "SELECT login, disabled_at FROM credential WHERE disabled_at IS NOT NULL")


def _by_key(connection: Connection, sql: str) -> Rows:
    """Rows of two columns, the second by the first."""
    return {key: value for key, value in connection.execute(sql).fetchall()}  # noqa: C416 rows are no pairs to mypy


def _tokens(connection: Connection, told: Rows, last: str) -> Rows:
    """Tokens by person, name and when they were made: scopes, until when, when ended, and when proved.

    Those that nobody has told of count while they are good: an ended one of before the trail told of tokens lets
    nobody in.
    """
    rows = connection.execute(
        "SELECT login, name, made_at, scopes, expires_at, coalesce(revoked_at, ''), coalesce(proved_at, '')"
        " FROM api_token ORDER BY scopes, expires_at, revoked_at"
    ).fetchall()
    found: Rows = {}
    for login, name, made, *token in rows:
        key, (_, until, ended, _) = (login, name, made), token
        if key in told or (not ended and until > last):
            before: Any = found.get(key, ())
            found[key] = tuple(sorted((*before, tuple(token))))
    return found


def _published(connection: Connection) -> Rows:
    """Definitions and rulebooks under their hash, and whether the text has it still."""
    bodies = connection.execute("SELECT hash, body FROM shape UNION ALL SELECT hash, body FROM rulebook").fetchall()
    return {digest: sha256(str(body).encode()).hexdigest() == digest for digest, body in bodies}


def _proposals(connection: Connection) -> Rows:
    """Approved texts by number: for which file, the hash of the text as it is kept, from when, and by whom."""
    rows = connection.execute(
        "SELECT number, file, body, effective_on, made_by, decided_by FROM proposal WHERE stage = 'approved'"
    ).fetchall()
    return {number: (file, sha256(str(body).encode()).hexdigest(), *rest) for number, file, body, *rest in rows}


def _batches(connection: Connection) -> Rows:
    sql = "SELECT name, kind, profile, rulebook, values_json, published_at FROM batch"
    return {
        name: {"kind": kind, "profile": profile, "rulebook": rulebook, "values": orjson.loads(str(values)), "at": at}
        for name, kind, profile, rulebook, values, at in connection.execute(sql).fetchall()
    }


def _tables(connection: Connection) -> Rows:
    rows: Iterable[tuple[object, ...]] = connection.execute(
        "SELECT name, body FROM table_row ORDER BY name, place"
    ).fetchall()
    bodies: dict[object, list[bytes]] = {}
    for name, body in rows:
        bodies.setdefault(name, []).append(str(body).encode())
    return {name: sha256(b"\n".join(many)).hexdigest() for name, many in bodies.items()}
