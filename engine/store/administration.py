"""What those read who run the system: people with their roles, mails page by page, how the machinery stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from engine.store.database import NEWEST, Connection
from engine.store.leaves import LowMark, mark_in
from engine.store.people import PERSON
from engine.store.students import below

_PEOPLE = (
    "WITH page AS (SELECT DISTINCT h.login FROM role_grant h JOIN unit hu ON hu.code = h.unit"
    " WHERE h.until IS NULL AND h.login > ? AND ({within}) ORDER BY h.login LIMIT ?)"
    " SELECT a.login, a.name, c.disabled_at, g.role, g.unit, g.since FROM page p JOIN account a ON a.login = p.login"
    " JOIN role_grant g ON g.login = a.login AND g.until IS NULL LEFT JOIN credential c ON c.login = a.login"
    " ORDER BY a.login, g.since, g.id"
)
_FOUND = (
    "SELECT a.login, a.name, c.disabled_at, g.role, g.unit, g.since FROM account a"
    " LEFT JOIN role_grant g ON g.login = a.login AND g.until IS NULL LEFT JOIN credential c ON c.login = a.login"
    " WHERE a.login IN (SELECT f.login FROM account f"
    " WHERE (lower(f.login) LIKE ? ESCAPE '\\' OR lower(f.name) LIKE ? ESCAPE '\\') AND (EXISTS"
    " (SELECT 1 FROM role_grant h JOIN unit hu ON hu.code = h.unit"
    " WHERE h.login = f.login AND h.until IS NULL AND ({within}))"
    " OR f.student IS NULL AND NOT EXISTS (SELECT 1 FROM role_grant h WHERE h.login = f.login AND h.until IS NULL)"
    " AND (NOT EXISTS (SELECT 1 FROM role_grant h WHERE h.login = f.login) OR EXISTS"
    " (SELECT 1 FROM role_grant h JOIN unit hu ON hu.code = h.unit WHERE h.login = f.login AND ({within}))))"
    " ORDER BY f.login LIMIT ?)"
    " ORDER BY a.login, g.since, g.id"
)
"""Found are those who work at the units; of those who work nowhere, who did there, and who never did anywhere."""
_TAKEN = "SELECT 1 FROM account WHERE lower(login) = ?"
_PERSON = (
    "SELECT a.login, a.name, c.disabled_at, g.role, g.unit, g.since FROM account a"
    " LEFT JOIN role_grant g ON g.login = a.login AND g.until IS NULL LEFT JOIN credential c ON c.login = a.login"
    " WHERE a.login = ? AND (g.id IS NOT NULL OR a.student IS NULL) ORDER BY g.since, g.id"
)
_HEIRS = (
    "SELECT DISTINCT a.login, coalesce(a.name, a.login) FROM role_grant g JOIN account a ON a.login = g.login"
    " LEFT JOIN credential c ON c.login = a.login WHERE g.until IS NULL AND c.disabled_at IS NULL AND a.login <> ?"
    " AND g.role IN ({marks}) ORDER BY a.login"
)
_WAITING = (
    "SELECT count(DISTINCT l.case_id) FROM role_grant g JOIN unit u ON u.code = g.unit JOIN lane l ON l.role = g.role"
    " AND substr(l.at_path, 1, length(u.path)) = u.path WHERE g.login = ? AND g.until IS NULL"
)
_WAITING_AT = (
    "SELECT g.login, count(DISTINCT l.case_id) FROM role_grant g JOIN unit u ON u.code = g.unit"
    " JOIN lane l ON l.role = g.role AND substr(l.at_path, 1, length(u.path)) = u.path"
    " WHERE g.until IS NULL AND g.login IN ({marks}) AND ({within}) GROUP BY g.login"
)
_MAILS = (
    "SELECT m.id, m.recipient, m.slot, m.state, m.attempts, m.answer, m.changed_at FROM mail m"
    " WHERE m.state IN ({marks}) AND m.id < ?{refused} ORDER BY m.id DESC LIMIT ?"
)
_REFUSED = (
    "EXISTS (SELECT 1 FROM account a"  # noqa: S608 constant text
    f" WHERE a.login = substr(m.recipient, {len(PERSON) + 1}) AND a.refused_at IS NOT NULL)"
)
"""Whether the mail system has refused the recipient's address for good, and nobody has written another since."""
_STANDING = (
    "SELECT {version}, {size}, (SELECT min(not_before) FROM mail WHERE state = 'waiting'),"
    " (SELECT max(size) FROM checkpoint),"
    " (SELECT signed_at FROM checkpoint ORDER BY size DESC LIMIT 1),"
    " (SELECT value FROM setting WHERE name = 'clock'), (SELECT max(idx) FROM leaf),"
    " (SELECT value FROM setting WHERE name = 'sealing')"
)
_SQLITE = (
    "'SQLite ' || sqlite_version()",
    "(SELECT p.page_count * s.page_size FROM pragma_page_count() p, pragma_page_size() s)",
)
_POSTGRES = ("'PostgreSQL ' || current_setting('server_version')", "pg_database_size(current_database())")


class HeldRole(NamedTuple):
    """A role held at a unit, by its code, and since when."""

    role: str
    unit: str
    since: datetime


class PersonRow(NamedTuple):
    """An account that holds roles, or could; `disabled_at` None: the person may sign in."""

    login: str
    name: str | None
    disabled_at: datetime | None
    roles: tuple[HeldRole, ...]


class SentMail(NamedTuple):
    """A mail of the outbox; `answer` is what the mail system or a person said of it."""

    number: int
    recipient: str
    slot: str
    state: str
    attempts: int
    answer: str | None
    changed_at: datetime


class Standing(NamedTuple):
    """How the machinery stands: the database and its size in bytes, the first mail that waits, the newest head.

    `worked_at` is the latest moment anybody has worked at (`engine.store.timekeeping`), `leaves` how many events have
    their place in the tree, `low` from where on those are looked for that have none.
    """

    version: str
    size: int
    waiting_since: datetime | None
    sealed: int
    signed_at: datetime | None
    worked_at: datetime | None
    leaves: int
    low: LowMark


def people(connection: Connection, paths: Sequence[str], after: str, most: int) -> list[PersonRow]:
    """Those who hold a role at some units or below them, by login, from behind one login on; with every role held."""
    within, ends = _within(paths)
    return _grouped(connection.execute(_PEOPLE.format(within=within), (after, *ends, most)).fetchall())


def people_called(connection: Connection, paths: Sequence[str], text: str, most: int) -> list[PersonRow]:
    """Those whose name or login has a text in it, by login: who work at some units or below, or did, or nowhere yet."""
    within, ends = _within(paths)
    told = text.lower()
    for mark in ("\\", "%", "_"):
        told = told.replace(mark, f"\\{mark}")
    asked = (f"%{told}%", f"%{told}%", *ends, *ends, most)
    return _grouped(connection.execute(_FOUND.format(within=within), asked).fetchall())


def _within(paths: Sequence[str]) -> tuple[str, list[str]]:
    """A condition on the path of a unit `hu`, and its parameters."""
    within = " OR ".join("hu.path >= ? AND hu.path < ?" for _ in paths) or "1 = 0"
    return within, [end for path in paths for end in below(path)]


def is_taken(connection: Connection, login: str) -> bool:
    """Whether an account has a login already, or one that differs in small and capital letters alone."""
    return connection.execute(_TAKEN, (login.lower(),)).fetchone() is not None


def person(connection: Connection, login: str) -> PersonRow | None:
    """One person with the roles held now; None where there is no such account, or it is a student's and no more."""
    found = _grouped(connection.execute(_PERSON, (login,)).fetchall())
    return found[0] if found else None


def _grouped(rows: Sequence[Sequence[object]]) -> list[PersonRow]:
    found: dict[str, PersonRow] = {}
    for login, name, disabled, role, unit, since in rows:
        key = str(login)
        one = found.get(key) or PersonRow(key, None if name is None else str(name), _at(disabled), ())
        held = () if role is None else (HeldRole(str(role), str(unit), datetime.fromisoformat(str(since))),)
        found[key] = one._replace(roles=(*one.roles, *held))
    return list(found.values())


def last_units(connection: Connection, login: str) -> frozenset[str]:
    """Every unit at which a person ever held a role."""
    rows = connection.execute("SELECT DISTINCT unit FROM role_grant WHERE login = ?", (login,)).fetchall()
    return frozenset(str(row[0]) for row in rows)


def waiting_for(connection: Connection, login: str) -> int:
    """How many cases wait for a role somebody holds, at its unit or below."""
    [(number,)] = connection.execute(_WAITING, (login,)).fetchall()
    return int(number)


def waiting_at(connection: Connection, logins: Sequence[str], paths: Sequence[str]) -> dict[str, int]:
    """How many cases wait at some units and below them for a role that somebody holds; of nobody else they are none."""
    if not logins or not paths:
        return {}
    within = " OR ".join("l.at_path >= ? AND l.at_path < ?" for _ in paths)
    ends = [end for path in paths for end in below(path)]
    sql = _WAITING_AT.format(marks=",".join("?" * len(logins)), within=within)
    return {str(login): int(number) for login, number in connection.execute(sql, (*logins, *ends)).fetchall()}


def heirs(connection: Connection, roles: Sequence[str], apart_from: str) -> list[tuple[str, str]]:
    """Login and name of those who hold one of some roles and may sign in, but for one person; by login."""
    sql = _HEIRS.format(marks=",".join("?" * len(roles)))
    return [(str(login), str(name)) for login, name in connection.execute(sql, (apart_from, *roles)).fetchall()]


def mails(
    connection: Connection, states: Sequence[str], before: int | None, most: int, *, is_refused: bool | None = None
) -> list[SentMail]:
    """The mails in some states, the newest first, from before one of them on; all, or by what became of the address.

    `is_refused`: only those whose recipient's address the mail system refuses, or only the others.
    """
    refused = "" if is_refused is None else f" AND {'' if is_refused else 'NOT '}{_REFUSED}"
    sql = _MAILS.format(marks=",".join("?" * len(states)), refused=refused)
    rows = connection.execute(sql, (*states, before or NEWEST, most)).fetchall()
    return [
        SentMail(int(number), recipient, slot, state, int(attempts), answer, datetime.fromisoformat(changed))
        for number, recipient, slot, state, attempts, answer, changed in rows
    ]


def refused_mails(connection: Connection) -> int:
    """How many mails have failed whose recipient's address the mail system refuses."""
    [(number,)] = connection.execute(f"SELECT count(*) FROM mail m WHERE m.state = 'failed' AND {_REFUSED}").fetchall()  # noqa: S608 constant
    return int(number)


def standing(connection: Connection) -> Standing:
    """How the machinery stands, in one statement."""
    version, size = _SQLITE if connection.is_sqlite else _POSTGRES
    [(said, number, waiting, sealed, signed, worked, last, low)] = connection.execute(
        _STANDING.format(version=version, size=size)
    ).fetchall()
    placed = 0 if last is None else int(last) + 1
    return Standing(
        str(said), int(number), _at(waiting), int(sealed or 0), _at(signed), _at(worked), placed, mark_in(low)
    )


def _at(text: object) -> datetime | None:
    return None if text is None else datetime.fromisoformat(str(text))
