"""What lies about on a desk: claims, drafts, saved filters, searches; plain SQL for both databases.

A claim is soft: it tells others that somebody is at a case, and keeps nobody from anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from engine.store.database import Connection
from engine.store.looks import OPENED_SINCE
from engine.store.people import PERSON
from engine.trail.event import EventKind, canonical, moment

CLAIM_LASTS = timedelta(minutes=3)
"""Unless the page asks again that has the case open."""
FIND_LASTS = timedelta(hours=12)
"""As long as a session may."""


class Claim(NamedTuple):
    """Who is at a case, since when (aware UTC), and how that person is addressed."""

    case: int
    login: str
    since: datetime
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lying:
    """What lies on some cases: who is at them, and on which the person asking has something half written.

    `papers` are those of them that have documents. Where it was asked for (`Around`) also the filters that the person
    keeps, when others were told today of what, and which of the newcomers the person has `opened` since they came.
    `cases` are those it was asked of.
    """

    claims: Mapping[int, Claim]
    drafts: frozenset[int]
    papers: frozenset[int] = frozenset()
    views: tuple[SavedView, ...] = ()
    told: Mapping[str, datetime] = field(default_factory=dict)
    opened: frozenset[int] = frozenset()
    cases: frozenset[int] = frozenset()


class SavedView(NamedTuple):
    """A filter under a name; with `unit` it is for everybody there, pinned it stands above every queue."""

    id: str
    login: str
    unit: str | None
    name: str
    address: str
    pinned: bool


class Around(NamedTuple):
    """What else is asked for beside some cases: the filters kept at `units`, and who was told on a day of what.

    `abouts` are rules, `scopes` the cases and units for which somebody may have been told (`engine.store.urgings`).
    `came` are cases that have just come.
    """

    units: Sequence[str]
    day: str
    abouts: Sequence[str] = ()
    scopes: Sequence[str] = ()
    came: Sequence[int] = ()


class Finding(NamedTuple):
    """What a search found: which kind of thing was asked for, and the cases."""

    kind: str
    cases: tuple[int, ...]


_CLAIM = (
    "INSERT INTO claim (case_id, login, since, until) VALUES (?, ?, ?, ?) ON CONFLICT (case_id) DO UPDATE SET"
    " login = excluded.login, until = excluded.until,"
    " since = CASE WHEN claim.login = excluded.login AND claim.until > excluded.since THEN claim.since"
    " ELSE excluded.since END"
)
_UNLESS_ANOTHERS = " WHERE claim.login = excluded.login OR claim.until <= excluded.since"
_GO_ON = (
    "UPDATE OR REPLACE claim SET case_id = ?, until = ?, since = coalesce("
    "(SELECT o.since FROM claim o WHERE o.case_id = ? AND o.login = ? AND o.until > ?), ?)"
    " WHERE case_id = ? AND login = ?"
    " AND NOT EXISTS (SELECT 1 FROM claim o WHERE o.case_id = ? AND o.login <> ? AND o.until > ?)"
)
"""SQLite: the row moves on, in place of one that is the person's own or over."""


def claim(connection: Connection, case: int, login: str, at: datetime) -> bool:
    """Say that a person is at a case for the next minutes; False when somebody else is, who stays."""
    params = (case, login, moment(at), moment(at + CLAIM_LASTS))
    return connection.execute(_CLAIM + _UNLESS_ANOTHERS, params).rowcount == 1


def take_over(connection: Connection, case: int, login: str, at: datetime) -> None:
    """Say that a person is at a case, whoever else was."""
    connection.execute(_CLAIM, (case, login, moment(at), moment(at + CLAIM_LASTS)))


def go_on(connection: Connection, done: int, case: int, login: str, at: datetime) -> None:
    """A person is done with one case and at another from now on, unless somebody else is; mostly one statement."""
    now, until = moment(at), moment(at + CLAIM_LASTS)
    if not connection.is_sqlite:
        gone = "WITH gone AS (DELETE FROM claim WHERE case_id = ? AND login = ?)"
        connection.execute(f"{gone} {_CLAIM}{_UNLESS_ANOTHERS}", (done, login, case, login, now, until))
        return
    params = (case, until, case, login, now, now, done, login, case, login, now)
    if connection.execute(_GO_ON, params).rowcount != 1:
        let_go(connection, done, login)
        claim(connection, case, login, at)


def let_go(connection: Connection, case: int, login: str) -> None:
    """A person is at a case no more."""
    connection.execute("DELETE FROM claim WHERE case_id = ? AND login = ?", (case, login))


def drop_claims(connection: Connection, login: str) -> None:
    """Somebody is at no case any more."""
    connection.execute("DELETE FROM claim WHERE login = ?", (login,))


def claimed_by(connection: Connection, login: str, at: datetime) -> list[int]:
    """The cases a person is at."""
    sql = "SELECT case_id FROM claim WHERE login = ? AND until > ? ORDER BY case_id"
    return [int(row[0]) for row in connection.execute(sql, (login, moment(at))).fetchall()]


_CLAIMED, _DRAFTED, _PAPERED, _KEPT, _TOLD, _OPENED = range(6)


def lying_on(
    connection: Connection, cases: Sequence[int], login: str, at: datetime, around: Around | None = None
) -> Lying:
    """What lies on some cases for a person, and what else is asked for; read in one statement."""
    parts = [*_on_cases(cases, login, at), *([] if around is None else _around(around, login))]
    if not parts:
        return Lying(claims={}, drafts=frozenset())
    sql = " UNION ALL ".join(text for text, _ in parts)
    rows = connection.execute(sql, tuple(value for _, values in parts for value in values)).fetchall()
    found = {kind: [row[1:] for row in rows if row[0] == kind] for kind in range(6)}
    claims = [Claim(int(row[0]), row[1], datetime.fromisoformat(row[2]), row[3]) for row in found[_CLAIMED]]
    views = [SavedView(row[2], row[1], row[4], row[3], row[5], bool(row[0])) for row in found[_KEPT]]
    return Lying(
        claims={one.case: one for one in claims},
        drafts=frozenset(int(row[0]) for row in found[_DRAFTED]),
        papers=frozenset(int(row[0]) for row in found[_PAPERED]),
        views=tuple(sorted(views, key=lambda one: (one.name, one.id))),
        told={str(row[1]): datetime.fromisoformat(str(row[2])) for row in found[_TOLD]},
        opened=frozenset(int(row[0]) for row in found[_OPENED]),
        cases=frozenset(cases),
    )


_Part = tuple[str, tuple[object, ...]]
"""One SELECT of seven columns with its parameters: the kind of row, a number, and five texts."""


def _on_cases(cases: Sequence[int], login: str, at: datetime) -> Iterator[_Part]:
    marks = ",".join("?" * len(cases))
    if not cases:
        return
    claimed = (
        f"SELECT {_CLAIMED}, c.case_id, c.login, c.since, coalesce(a.name, c.login), '', '' FROM claim c"  # noqa: S608 marks
        f" JOIN account a ON a.login = c.login WHERE c.case_id IN ({marks}) AND c.until > ?"
    )
    drafted = (
        f"SELECT {_DRAFTED}, d.case_id, d.login, d.at, '', '', '' FROM draft d"  # noqa: S608 question marks only
        f" WHERE d.login = ? AND d.case_id IN ({marks})"
    )
    papered = (
        f"SELECT DISTINCT {_PAPERED}, p.case_id, '', '', '', '', '' FROM document p"  # noqa: S608 question marks only
        f" WHERE p.case_id IN ({marks}) AND NOT p.withdrawn"
    )
    yield claimed, (*cases, moment(at))
    yield drafted, (login, *cases)
    yield papered, tuple(cases)


def _around(around: Around, login: str) -> Iterator[_Part]:
    shared = f" OR v.unit IN ({','.join('?' * len(around.units))})" if around.units else ""
    kept = (
        f"SELECT {_KEPT}, CASE WHEN v.pinned THEN 1 ELSE 0 END, v.login, v.id, v.name, v.unit, v.address"  # noqa: S608 marks
        f" FROM saved_view v WHERE v.login = ?{shared}"
    )
    yield kept, (login, *around.units)
    if around.abouts and around.scopes:
        told = (
            f"SELECT {_TOLD}, 0, u.about, CAST(max(u.at) AS text), '', '', '' FROM urged u WHERE u.day = ?"  # noqa: S608 marks
            f" AND u.about IN ({','.join('?' * len(around.abouts))})"
            f" AND u.scope IN ({','.join('?' * len(around.scopes))}) GROUP BY u.about"
        )
        yield told, (around.day, *around.abouts, *around.scopes)
    if around.came:
        opened = (
            f"SELECT DISTINCT {_OPENED}, a.case_id, '', '', '', '', '' FROM {OPENED_SINCE}"  # noqa: S608 marks
            f" WHERE a.login = ? AND a.case_id IN ({','.join('?' * len(around.came))})"
        )
        yield opened, (login, *around.came)


def keep_draft(connection: Connection, place: tuple[str, int, str], body: Mapping[str, str], at: datetime) -> None:
    """Keep what a person has typed for a step (`place`: login, case, trigger); nothing typed is no draft."""
    if not any(body.values()):
        connection.execute("DELETE FROM draft WHERE login = ? AND case_id = ? AND trigger = ?", place)
        return
    connection.execute(
        "INSERT INTO draft (login, case_id, trigger, body, at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (login, case_id, trigger) DO UPDATE SET body = excluded.body, at = excluded.at",
        (*place, orjson.dumps(dict(body)).decode(), moment(at)),
    )


def draft(connection: Connection, login: str, case: int, trigger: str) -> Mapping[str, str]:
    """What a person has typed for a step; nothing where there is no draft."""
    sql = "SELECT body FROM draft WHERE login = ? AND case_id = ? AND trigger = ?"
    row = connection.execute(sql, (login, case, trigger)).fetchone()
    body: Mapping[str, str] = {} if row is None else orjson.loads(row[0])
    return body


def leave(connection: Connection, case: int, login: str) -> None:
    """A person is done with a case: neither claim nor drafts stay."""
    let_go(connection, case, login)
    drop_drafts(connection, case, login)


def drop_drafts(connection: Connection, case: int, login: str) -> None:
    """What a person has typed on a case is not wanted any more."""
    connection.execute("DELETE FROM draft WHERE login = ? AND case_id = ?", (login, case))


def add_view(connection: Connection, view: SavedView) -> None:
    """Keep a filter."""
    sql = "INSERT INTO saved_view (id, login, unit, name, address, pinned) VALUES (?, ?, ?, ?, ?, ?)"
    connection.execute(sql, view)


def drop_view(connection: Connection, view: str, login: str) -> bool:
    """Forget a filter of one's own; False when there is none."""
    return connection.execute("DELETE FROM saved_view WHERE id = ? AND login = ?", (view, login)).rowcount == 1


def views(connection: Connection, login: str, units: Sequence[str]) -> list[SavedView]:
    """The filters of a person and of some units, by name."""
    marks = ",".join("?" * len(units))
    shared = f" OR unit IN ({marks})" if units else ""
    rows = connection.execute(
        f"SELECT id, login, unit, name, address, pinned FROM saved_view WHERE login = ?{shared} ORDER BY name, id",  # noqa: S608
        (login, *units),
    )
    return [
        SavedView(one, whose, unit, name, address, bool(pinned))
        for one, whose, unit, name, address, pinned in rows.fetchall()
    ]


def keep_finding(connection: Connection, handle: str, session: str, found: Finding, at: datetime) -> None:
    """Keep what a search found, for the session that asked; what nobody can look at any more is forgotten."""
    connection.execute("DELETE FROM find_handle WHERE at < ?", (moment(at - FIND_LASTS),))
    connection.execute(
        "INSERT INTO find_handle (handle, session, kind, cases, at) VALUES (?, ?, ?, ?, ?)",
        (handle, session, found.kind, orjson.dumps(found.cases).decode(), moment(at)),
    )


def finding(connection: Connection, handle: str, session: str) -> Finding | None:
    """What a search of this session found, or None."""
    sql = "SELECT kind, cases FROM find_handle WHERE handle = ? AND session = ?"
    row = connection.execute(sql, (handle, session)).fetchone()
    return None if row is None else Finding(str(row[0]), tuple(orjson.loads(row[1])))


def cases_named(connection: Connection, text: str, within: tuple[str, Sequence[object]]) -> Finding:
    """The cases of the students whom a text names exactly, newest first, and what the text is.

    Args:
        connection: Where to look.
        text: A student number, the number of an identity document, or a name.
        within: A condition on `cases c` and its parameters: what whoever asks may know of.
    """
    condition, params = within
    for kind, where in _WAYS:
        asked = _as_pattern(text) if kind == "name" else text
        rows = connection.execute(
            f"SELECT c.id FROM cases c JOIN student s ON s.id = c.student WHERE {where} AND {condition}"  # noqa: S608 constant text
            " ORDER BY c.id DESC LIMIT ?",
            (asked, *params, MOST_FOUND),
        ).fetchall()
        if rows:
            return Finding(kind, tuple(int(row[0]) for row in rows))
    return Finding("nothing", ())


MOST_FOUND = 200
_WAYS = (
    ("student_no", "s.student_no = ?"),
    ("id_number", "s.id_number = ?"),
    ("name", r"s.facts LIKE ? ESCAPE '\'"),
)
"""In which order a text is tried; a name stands in the facts as their canonical JSON has it."""


def _as_pattern(name: str) -> str:
    told = canonical({"name": name}).decode()[1:-1]
    for mark in ("\\", "%", "_"):
        told = told.replace(mark, f"\\{mark}")
    return f"%{told}%"


_LOOKED_THROUGH = 60
"""So many of the last steps are looked through for what was said with them."""
_LONG_NUMBER = re.compile(r"[0-9]{6,}")


class Tally(NamedTuple):
    """What a person did and was told: counts, capped at `MOST_COUNTED` and one more."""

    done: int
    opened: int
    told: int
    today: int
    last_hour: int


MOST_COUNTED = 10_000
DECISIONS = (EventKind.MOVED.value, EventKind.SIGNED.value)
DONE = (*DECISIONS, EventKind.RETRACTED.value)
"""What is under 已办: what a person decided, and what they took back."""
_DECIDED, _DONE = (f"d.kind IN ({', '.join(map(repr, kinds))})" for kinds in (DECISIONS, DONE))


def tally(connection: Connection, login: str, midnight: datetime, at: datetime) -> Tally:
    """How much a person has done, opened and been told, and decided of late, in one statement."""
    most = f"LIMIT {MOST_COUNTED + 1}"
    row = connection.execute(
        f"SELECT (SELECT count(*) FROM (SELECT 1 FROM deed d WHERE d.login = ? AND {_DONE} {most}) a),"  # noqa: S608
        f" (SELECT count(*) FROM (SELECT 1 FROM deed d WHERE d.login = ? AND d.kind = 'opened' {most}) b),"
        f" (SELECT count(*) FROM (SELECT 1 FROM outbox o WHERE o.recipient = ? {most}) c),"
        f" (SELECT count(*) FROM deed d WHERE d.login = ? AND d.at >= ? AND {_DECIDED}),"
        f" (SELECT count(*) FROM deed d WHERE d.login = ? AND d.at >= ? AND {_DECIDED})",
        (login, login, f"{PERSON}{login}", login, moment(midnight), login, moment(at - timedelta(hours=1))),
    ).fetchone()
    return Tally(0, 0, 0, 0, 0) if row is None else Tally(*(int(one) for one in row))


def decided_at(connection: Connection, login: str, since: datetime) -> dict[str, int]:
    """How much a person has decided since a moment, by the path of the unit."""
    rows = connection.execute(
        "SELECT c.path, count(*) FROM deed d JOIN cases c ON c.id = d.case_id"  # noqa: S608 constant text
        f" WHERE d.login = ? AND d.at >= ? AND {_DECIDED} GROUP BY c.path",
        (login, moment(since)),
    ).fetchall()
    return {str(path): int(number) for path, number in rows}


class Deed(NamedTuple):
    """Something a person did: on which case, by which event and step, when."""

    case: int
    seq: int
    kind: str
    trigger: str
    at: datetime


class Within(NamedTuple):
    """Which deeds are wanted: of which kinds, of cases at the unit of a path, from a moment on and before another."""

    kinds: Sequence[str]
    path: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def deeds_of(connection: Connection, login: str, within: Within, after: str, limit: int) -> list[Deed]:
    """What a person did, the newest first, from before a moment (`MOMENT/CASE/SEQ`, or nothing) on."""
    at, _, rest = after.partition("/")
    case, _, seq = rest.partition("/")
    marks = ",".join("?" * len(within.kinds))
    sql = f"SELECT case_id, seq, kind, trigger, at FROM deed WHERE login = ? AND kind IN ({marks})"  # noqa: S608 marks
    params: list[object] = [login, *within.kinds]
    if within.path is not None:
        sql, params = f"{sql} AND case_id IN (SELECT id FROM cases WHERE path = ?)", [*params, within.path]  # noqa: S608 marks
    for sign, moment_of in ((">=", within.since), ("<", within.until)):
        if moment_of is not None:
            sql, params = f"{sql} AND at {sign} ?", [*params, moment(moment_of)]
    if case.isdecimal() and seq.isdecimal():
        sql += " AND (at, case_id, seq) < (?, ?, ?)"
        params += [at, int(case), int(seq)]
    rows = connection.execute(f"{sql} ORDER BY at DESC, case_id DESC, seq DESC LIMIT ?", (*params, limit)).fetchall()
    return [Deed(int(one), int(seq), kind, trigger, datetime.fromisoformat(at)) for one, seq, kind, trigger, at in rows]


def last_deed(connection: Connection, case: int) -> tuple[str, Deed] | None:
    """Who did something to a case last, and what."""
    row = connection.execute(
        "SELECT login, case_id, seq, kind, trigger, at FROM deed WHERE case_id = ? ORDER BY seq DESC LIMIT 1", (case,)
    ).fetchone()
    if row is None:
        return None
    login, one, seq, kind, trigger, at = row
    return str(login), Deed(int(one), int(seq), kind, trigger, datetime.fromisoformat(at))


def reasons_of(connection: Connection, login: str, trigger: str, most: int) -> tuple[str, ...]:
    """The reasons a person gave for a step, each once, the last first; none that names the student it was given to.

    Nor one with a long number in it: it may be somebody's.
    """
    rows = connection.execute(
        "SELECT e.body, s.facts FROM deed d JOIN event e ON e.chain = d.case_id AND e.seq = d.seq"
        " JOIN cases c ON c.id = d.case_id LEFT JOIN student s ON s.id = c.student"
        " WHERE d.login = ? AND d.kind = 'moved' AND d.trigger = ? ORDER BY d.at DESC, d.case_id LIMIT ?",
        (login, trigger, _LOOKED_THROUGH),
    ).fetchall()
    given = (
        (str(orjson.loads(bytes(body))["data"].get("reason") or ""), orjson.loads(facts).get("name") if facts else None)
        for body, facts in rows
    )
    free = (reason for reason, name in given if not (name and str(name) in reason) and not _LONG_NUMBER.search(reason))
    return tuple(dict.fromkeys(one for one in free if one))[:most]
