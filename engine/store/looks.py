"""Looks at cases in the database: who opened which, when, and for what purpose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from engine.store.database import Connection
from engine.store.students import below
from engine.trail.event import moment

OPEN, AUDIT, REVEAL, PAPER = "open", "audit", "reveal/", "document/"
"""What a look was for: the case as a whole, by an auditor too; before the purpose personal values in full, before its
kind a document. Looks but the first are events as well: the rows are what is found by person and by student."""

OPENED_SINCE = "access_row a JOIN cases c ON c.id = a.case_id AND a.at >= c.entered_at"
"""Looks (`a`) at cases (`c`) since those came to where they are, as SQL behind FROM."""

PAGE = 50


class Look(NamedTuple):
    """Somebody who looks at a case at a moment, and what for."""

    login: str
    case: int
    at: datetime
    purpose: str = OPEN


class Kept(NamedTuple):
    """A look as it is shown: who looked, at which case of which workflow where, when and what for."""

    number: int
    login: str
    name: str
    case: int
    workflow: str
    unit: str
    at: datetime
    purpose: str


def of_person(connection: Connection, paths: Sequence[str], login: str, before: int, most: int) -> list[Kept]:
    """What somebody looked at among the cases at some units and below them, newest first."""
    return _kept(connection, "r.login = ?", login, (paths, before, most))


def of_student(connection: Connection, paths: Sequence[str], student: int, before: int, most: int) -> list[Kept]:
    """Who looked at the cases of a student at some units and below them, newest first."""
    return _kept(connection, "c.student = ?", student, (paths, before, most))


def _kept(connection: Connection, where: str, whose: object, page: tuple[Sequence[str], int, int]) -> list[Kept]:
    paths, before, most = page
    within = " OR ".join("c.path >= ? AND c.path < ?" for _ in paths) or "1 = 0"
    ends = [end for path in paths for end in below(path)]
    rows = connection.execute(
        "SELECT r.id, r.login, coalesce(a.name, r.login), r.case_id, c.workflow, c.unit, r.at, r.purpose"  # noqa: S608
        " FROM access_row r JOIN cases c ON c.id = r.case_id JOIN account a ON a.login = r.login"
        f" WHERE {where} AND r.id < ? AND ({within}) ORDER BY r.id DESC LIMIT ?",
        (whose, before, *ends, most),
    ).fetchall()
    return [
        Kept(int(number), login, name, int(case), workflow, unit, datetime.fromisoformat(at), purpose)
        for number, login, name, case, workflow, unit, at, purpose in rows
    ]


def add_look(connection: Connection, look: Look) -> None:
    """Keep a look."""
    connection.execute(
        "INSERT INTO access_row (login, case_id, at, purpose) VALUES (?, ?, ?, ?)",
        (look.login, look.case, moment(look.at), look.purpose),
    )


def opened(connection: Connection, login: str, most: int) -> list[int]:
    """The waiting cases that somebody has opened since they came to where they are, the last `most` of them."""
    rows = connection.execute(
        "SELECT a.case_id FROM access_row a JOIN lane l ON l.case_id = a.case_id"
        " WHERE a.login = ? AND a.at >= l.entered_at GROUP BY a.case_id ORDER BY max(a.at) DESC, a.case_id LIMIT ?",
        (login, most),
    ).fetchall()
    return [int(row[0]) for row in rows]


def reveals(connection: Connection, login: str, since: datetime) -> int:
    """How often somebody had personal values shown in full since a moment."""
    row = connection.execute(
        "SELECT count(*) FROM access_row WHERE login = ? AND at >= ? AND substr(purpose, 1, ?) = ?",
        (login, moment(since), len(REVEAL), REVEAL),
    ).fetchone()
    return 0 if row is None else int(row[0])
