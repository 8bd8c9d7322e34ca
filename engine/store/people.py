"""People in the database: who holds a role, who stands in for whom, who is away, and where mail reaches them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

import orjson

from engine.records import case_of
from engine.store.database import Connection, Row
from engine.trail.event import chain_name, moment

PERSON, STUDENT = "person/", "student/"
"""How a recipient begins who is a person with an account, or a student without; the rest is the chain's number."""

_CHUNK = 1000


class Loan(NamedTuple):
    """A role that `giver` lends `taker` (委派): at a unit and below, or (`case`) for one case."""

    giver: str
    taker: str
    path: str
    case: int | None


class Holder(NamedTuple):
    """Somebody who holds a role, the path of the unit at which, and how the person is addressed."""

    login: str
    role: str
    path: str
    name: str | None


class Contact(NamedTuple):
    """Where mail reaches a person. `student` is whose own account it is; `refused` the address takes no mail."""

    login: str | None
    name: str | None
    email: str | None
    refused: bool
    student: int | None


class Absence(NamedTuple):
    """Days on which a person is away, first and last included."""

    login: str
    first: date
    last: date


def holders(connection: Connection, role: str) -> list[tuple[str, str]]:
    """Who holds a role, and the path of the unit at which: by login."""
    rows = connection.execute(
        "SELECT DISTINCT g.login, u.path FROM role_grant g JOIN unit u ON u.code = g.unit"
        " WHERE g.role = ? AND g.until IS NULL ORDER BY g.login, u.path",
        (role,),
    )
    return [(str(login), str(path)) for login, path in rows]


def staff_above(connection: Connection, path: str) -> list[Holder]:
    """Everybody who holds a role at a unit or above it, with the role; by login."""
    parts = path.split("/")[:-1]
    above = ["/".join(parts[:count]) + "/" for count in range(2, len(parts) + 1)]
    rows = connection.execute(
        "SELECT DISTINCT g.login, g.role, u.path, a.name FROM role_grant g JOIN unit u ON u.code = g.unit"  # noqa: S608
        f" JOIN account a ON a.login = g.login WHERE g.until IS NULL AND u.path IN ({','.join('?' * len(above))})"
        " ORDER BY g.login, g.role, u.path",
        tuple(above),
    )
    return [Holder(*row) for row in rows.fetchall()]


def holding(connection: Connection, roles: Sequence[str]) -> list[Holder]:
    """Everybody who holds one of some roles, wherever; by login."""
    rows = connection.execute(
        "SELECT DISTINCT g.login, g.role, u.path, a.name FROM role_grant g JOIN unit u ON u.code = g.unit"  # noqa: S608
        f" JOIN account a ON a.login = g.login WHERE g.until IS NULL AND g.role IN ({','.join('?' * len(roles))})"
        " ORDER BY g.login, g.role, u.path",
        tuple(roles),
    )
    return [Holder(*row) for row in rows.fetchall()]


def loans(connection: Connection, role: str, at: datetime) -> list[Loan]:
    """What is lent of a role at a moment, oldest first, whether or not its giver still holds the role."""
    rows = connection.execute(
        "SELECT d.giver, d.taker, u.path, d.case_id FROM delegation d JOIN unit u ON u.code = d.unit WHERE d.role = ?"
        " AND d.revoked_at IS NULL AND NOT d.for_good AND d.since <= ? AND (d.until IS NULL OR d.until >= ?)"
        " ORDER BY d.id",
        (role, moment(at), moment(at)),
    )
    return [Loan(str(giver), str(taker), str(path), case) for giver, taker, path, case in rows]


def contacts(connection: Connection, logins: Sequence[str]) -> dict[str, Contact]:
    """Accounts by login; those not known are absent. What a student's leaves open is taken from the facts."""
    sql = (
        "SELECT a.login, a.name, a.email, a.refused_at, a.student, s.facts FROM account a"
        " LEFT JOIN student s ON s.id = a.student WHERE a.login IN ({})"
    )
    return {str(row[0]): _contact(row) for row in _chunked(connection, sql, logins)}


def named(connection: Connection, logins: Sequence[str], student: int | None) -> tuple[dict[str, str], str | None]:
    """How people are addressed, by login, and the login of a student's own account, in one statement."""
    marks = ",".join("?" * len(logins))
    sql = f"SELECT login, name, student FROM account WHERE student = ? OR login IN ({marks})"  # noqa: S608 marks only
    rows = connection.execute(sql, (-1 if student is None else student, *logins)).fetchall()
    own = next((str(login) for login, _, of in rows if student is not None and of == student), None)
    return {str(login): str(name) for login, name, _ in rows if name}, own


def pupils(connection: Connection, students: Sequence[int]) -> dict[int, Contact]:
    """Students by the integer behind their chain: by their own account where there is one, else by their facts."""
    sql = (
        "SELECT a.login, a.name, a.email, a.refused_at, s.id, s.facts FROM student s"
        " LEFT JOIN account a ON a.student = s.id WHERE s.id IN ({})"
    )
    return {int(row[4]): _contact(row) for row in _chunked(connection, sql, students)}


def reached(connection: Connection, recipients: Iterable[str]) -> dict[str, Contact]:
    """Where mail reaches recipients, `person/LOGIN` and `student/NUMBER`; those not known are absent."""
    keys = set(recipients)
    logins = sorted(key.removeprefix(PERSON) for key in keys if key.startswith(PERSON))
    numbers = (case_of(key.removeprefix(STUDENT)) for key in keys if key.startswith(STUDENT))
    found = {f"{PERSON}{login}": one for login, one in contacts(connection, logins).items()}
    for student, one in pupils(connection, sorted(number for number in numbers if number is not None)).items():
        found[chain_name(-student)] = one
    return found


def _contact(row: Row) -> Contact:
    login, name, email, refused, student, text = row
    facts = orjson.loads(text) if text is not None and not (name and email) else {}
    return Contact(login, name or facts.get("name"), email or facts.get("email"), refused is not None, student)


def _chunked(connection: Connection, sql: str, keys: Sequence[object]) -> Iterator[Row]:
    """The rows of a statement with one list of keys in it, which may be long."""
    for start in range(0, len(keys), _CHUNK):
        chunk = tuple(keys[start : start + _CHUNK])
        yield from connection.execute(sql.format(",".join("?" * len(chunk))), chunk).fetchall()


def away(connection: Connection, day: date) -> frozenset[str]:
    """The logins of those who are away on a day."""
    text = day.isoformat()
    sql = "SELECT login FROM absence WHERE first_day <= ? AND last_day >= ?"
    return frozenset(str(row[0]) for row in connection.execute(sql, (text, text)))


def absences(connection: Connection, login: str | None) -> list[Absence]:
    """When a person, or (None) anybody, is away, by login and day."""
    where, params = ("", ()) if login is None else (" WHERE login = ?", (login,))
    sql = f"SELECT login, first_day, last_day FROM absence{where} ORDER BY login, first_day, id"  # noqa: S608 constant
    return [
        Absence(str(who), date.fromisoformat(first), date.fromisoformat(last))
        for who, first, last in connection.execute(sql, params)
    ]


def add_absence(connection: Connection, one: Absence) -> bool:
    """Keep that somebody is away; False when exactly this is kept already."""
    if one in absences(connection, one.login):
        return False
    connection.execute(
        "INSERT INTO absence (login, first_day, last_day) VALUES (?, ?, ?)",
        (one.login, one.first.isoformat(), one.last.isoformat()),
    )
    return True


def set_address(connection: Connection, login: str, email: str | None) -> bool:
    """Write where mail reaches a person, or that none does; a new address has refused nothing. False: no account."""
    sql = "UPDATE account SET email = ?, refused_at = NULL WHERE login = ?"
    return connection.execute(sql, (email, login)).rowcount == 1


def set_name(connection: Connection, login: str, name: str) -> bool:
    """Write how a person is addressed; False when there is no such account."""
    return connection.execute("UPDATE account SET name = ? WHERE login = ?", (name, login)).rowcount == 1


def beyond_mail(connection: Connection) -> list[Contact]:
    """The members of staff whom no mail reaches, by login: no address, or one that refused for good."""
    rows = connection.execute(
        "SELECT login, name, email, refused_at, student FROM account a WHERE (email IS NULL OR refused_at IS NOT NULL)"
        " AND EXISTS (SELECT 1 FROM role_grant g WHERE g.login = a.login AND g.until IS NULL) ORDER BY login"
    )
    return [Contact(row[0], row[1], row[2], row[3] is not None, row[4]) for row in rows]
