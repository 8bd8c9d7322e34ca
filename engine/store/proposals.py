"""Proposed and approved texts of definitions in the database; plain SQL for both."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from engine.errors import XuejiError
from engine.store.database import Connection


class Altered(XuejiError):
    """A text is not the one that was approved."""

    def __init__(self, number: int, file: str) -> None:
        super().__init__(
            f"第 {number} 号发布的 {file} 与批准时的内容不符，不能使用；请用备份核对数据库。"
            f" The text of publication {number} ({file}) is not the one that was approved;"
            " compare the database with a backup."
        )


class Stage(StrEnum):
    """What has become of a proposal; `DRAFT` is known to its maker alone."""

    DRAFT = "draft"
    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


MESSAGES = "messages/"
"""Below it are templates of what people are told: they are laid over those installed, everything else over the folder
of definitions."""


BATCHES = "workflows/batches/"
"""Below it are batches (届/批次): they define no procedure, and nothing goes by one before it is published itself."""


def is_template(file: str) -> bool:
    """Whether a text for a file is a template of what people are told."""
    return file.startswith(MESSAGES)


def is_batch(file: str) -> bool:
    """Whether a text for a file is a batch."""
    return file.startswith(BATCHES)


def is_procedure(file: str) -> bool:
    """Whether a text for a file is a procedure."""
    return file.startswith("workflows/") and not is_batch(file)


class Line(NamedTuple):
    """A proposal without its texts."""

    number: int
    file: str
    sha256: str
    stage: Stage
    effective_on: str | None
    reason: str
    made_by: str
    made_at: str
    decided_by: str | None
    decided_at: str | None
    answer: str


class Proposal(NamedTuple):
    """A proposal with its texts; `findings` is JSON of whoever wrote it."""

    line: Line
    body: str
    before: str
    findings: str


class Template(NamedTuple):
    """An approved text of a template, without `messages/` before its name; empty: the one installed is back.

    `text` None: it is not the one that was approved, and nobody is told anything by it.
    """

    number: int
    name: str
    text: str | None


_LINE = "number, file, sha256, stage, effective_on, reason, made_by, made_at, decided_by, decided_at, answer"
_OF_DEFINITIONS = f"substr(file, 1, {len(MESSAGES)}) <> '{MESSAGES}'"
_OF_TEMPLATES = f"substr(file, 1, {len(MESSAGES)}) = '{MESSAGES}'"
_ORDER = "effective_on, decided_at, number"
"""In which approved texts are laid one over the other."""


def add(connection: Connection, texts: tuple[str, str, str], findings: str, by: tuple[str, str]) -> int:
    """Keep a draft: (file, text, text it replaces), what was found, (login, moment); its number."""
    file, body, before = texts
    row = connection.execute(
        "INSERT INTO proposal (file, body, sha256, before, findings, stage, reason, made_by, made_at, answer)"
        " VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, '') RETURNING number",
        (file, body, digest_of(body), before, findings, Stage.DRAFT.value, *by),
    ).fetchone()
    assert row is not None  # noqa: S101 a row that was written has a number
    return int(row[0])


def proposal(connection: Connection, number: int) -> Proposal | None:
    """A proposal by its number."""
    row = connection.execute(
        f"SELECT {_LINE}, body, before, findings FROM proposal WHERE number = ?",  # noqa: S608 a constant
        (number,),
    ).fetchone()
    return None if row is None else Proposal(_line(row[:-3]), *map(str, row[-3:]))


def lines(connection: Connection, file: str | None = None) -> list[Line]:
    """Proposals without their texts, the newest first: all, or those of one file; drafts are nobody else's business."""
    where, params = ("", ()) if file is None else (" AND file = ?", (file,))
    rows = connection.execute(
        f"SELECT {_LINE} FROM proposal WHERE stage <> 'draft'{where} ORDER BY number DESC",  # noqa: S608 constants
        params,
    ).fetchall()
    return [_line(row) for row in rows]


def waiting_alike(connection: Connection, file: str, text: str, login: str) -> Line | None:
    """Somebody's own proposal of the same text for the same file that waits for another person; None: there is none."""
    digest = digest_of(text)
    own = (one for one in lines(connection, file) if one.stage is Stage.PROPOSED and one.made_by == login)
    return next((one for one in own if one.sha256 == digest), None)


def drafts_of(connection: Connection, login: str) -> list[Line]:
    """What somebody has begun and not submitted, the newest first."""
    rows = connection.execute(
        f"SELECT {_LINE} FROM proposal WHERE stage = 'draft' AND made_by = ? ORDER BY number DESC",  # noqa: S608
        (login,),
    ).fetchall()
    return [_line(row) for row in rows]


def _line(row: tuple[object, ...]) -> Line:
    number, file, digest, stage, *rest = row
    return Line(int(str(number)), str(file), str(digest), Stage(str(stage)), *rest)  # type: ignore[arg-type]  # as selected


def move(connection: Connection, number: int, stages: tuple[Stage, Stage]) -> bool:
    """Take a proposal from a stage to another; False where it is not in the first. Inside the open transaction."""
    was, to = stages
    sql = "UPDATE proposal SET stage = ? WHERE number = ? AND stage = ?"
    return connection.execute(sql, (to.value, number, was.value)).rowcount == 1


def submit(connection: Connection, number: int, effective_on: str, reason: str, at: str) -> bool:
    """Make a draft a proposal; False where it is none any more. Inside the open transaction."""
    done = connection.execute(
        "UPDATE proposal SET effective_on = ?, reason = ?, made_at = ? WHERE number = ? AND stage = 'draft'",
        (effective_on, reason, at, number),
    )
    return done.rowcount == 1 and move(connection, number, (Stage.DRAFT, Stage.PROPOSED))


def decide(connection: Connection, number: int, stage: Stage, by: tuple[str, str], answer: str = "") -> bool:
    """Keep what was decided of a proposal, by (login, moment); False where somebody was faster. In the transaction."""
    done = connection.execute(
        "UPDATE proposal SET stage = ?, decided_by = ?, decided_at = ?, answer = ?"
        " WHERE number = ? AND stage = 'proposed'",
        (stage.value, *by, answer, number),
    )
    return done.rowcount == 1


def put_off(connection: Connection, number: int, effective_on: str) -> None:
    """Give a proposal that was approved late the day of its approval. Inside the open transaction."""
    connection.execute("UPDATE proposal SET effective_on = ? WHERE number = ?", (effective_on, number))


def numbers_in_force(connection: Connection, day: date) -> tuple[int, ...]:
    """The definitions in force on a day, by number: another one is a reason to read the definitions again."""
    rows = connection.execute(
        f"SELECT number FROM proposal WHERE stage = 'approved' AND {_OF_DEFINITIONS} AND effective_on <= ?"  # noqa: S608
        " ORDER BY number",
        (day.isoformat(),),
    ).fetchall()
    return tuple(int(row[0]) for row in rows)


def numbers_approved(connection: Connection) -> tuple[int, ...]:
    """Everything that was ever approved, by number."""
    rows = connection.execute("SELECT number FROM proposal WHERE stage = 'approved' ORDER BY number").fetchall()
    return tuple(int(row[0]) for row in rows)


def texts_in_force(connection: Connection, day: date) -> dict[str, str]:
    """The approved definitions that are read on a day instead of, or beside, the files of the folder: by file.

    Raises:
        Altered: If one of them is not what was approved.
    """
    for number, file, body, digest in (rows := _approved(connection, day, _OF_DEFINITIONS)):
        if digest_of(body) != digest:
            raise Altered(number, file)
    return {file: body for _, file, body, _ in rows}


def templates_in_force(connection: Connection, day: date) -> tuple[Template, ...]:
    """The approved templates in force on a day, one of each name.

    One that was altered since does not stop the others: a mail about something else is not held up by it.
    """
    newest = {row[1]: row for row in _approved(connection, day, _OF_TEMPLATES)}
    return tuple(
        Template(number, file.removeprefix(MESSAGES), body if digest_of(body) == digest else None)
        for number, file, body, digest in newest.values()
    )


def _approved(connection: Connection, day: date, which: str) -> list[tuple[int, str, str, str]]:
    """What was approved and is in force on a day, in the order in which it is laid: number, file, text, its hash."""
    rows = connection.execute(
        "SELECT number, file, body, sha256 FROM proposal WHERE stage = 'approved'"  # noqa: S608 constants
        f" AND {which} AND effective_on <= ? ORDER BY {_ORDER}",
        (day.isoformat(),),
    ).fetchall()
    return [(int(number), str(file), str(body), str(digest)) for number, file, body, digest in rows]


def approved_by(connection: Connection, day: date) -> dict[str, Line]:
    """What was approved and is in force on a day, by file: the publication that is read instead of it."""
    rows = connection.execute(
        f"SELECT {_LINE} FROM proposal WHERE stage = 'approved' AND effective_on <= ? ORDER BY {_ORDER}",  # noqa: S608
        (day.isoformat(),),
    ).fetchall()
    return {line.file: line for line in map(_line, rows)}


def days_to_come(connection: Connection, day: date) -> tuple[date, ...]:
    """The days after one on which something approved comes into force, in order."""
    rows = connection.execute(
        "SELECT DISTINCT effective_on FROM proposal WHERE stage = 'approved' AND effective_on > ?"
        " ORDER BY effective_on",
        (day.isoformat(),),
    ).fetchall()
    return tuple(date.fromisoformat(str(row[0])) for row in rows)


def digest_of(text: str) -> str:
    """The SHA-256 of a text, as 64 hexadecimal digits."""
    return sha256(text.encode()).hexdigest()
