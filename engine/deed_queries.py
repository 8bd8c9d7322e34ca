"""What a person has done (已办), has opened (我发起的), and was told of without having to act (抄送我的), page by page.

Whatever is found is narrowed to what the person may know of now: who has left a unit finds its cases no more.

Source: console.md 7.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.records import case_number
from engine.store.database import Connection, Row
from engine.store.lanes import Deed
from engine.store.people import PERSON
from engine.trail.event import EventKind
from engine.visibility import Visible

PAGE = 50
_DECIDED = (EventKind.MOVED.value, EventKind.SIGNED.value, EventKind.RETRACTED.value)
_CASE = "c.workflow, c.shape, c.state, c.unit, c.batch, c.entered_at, s.student_no, c.revision"
_FROM = "JOIN cases c ON c.id = {} LEFT JOIN student s ON s.id = c.student"


class CaseNow(NamedTuple):
    """A case as a list shows it."""

    workflow: str
    shape: str
    state: str
    unit: str
    batch: str | None
    entered_at: str
    student_no: str | None
    revision: int


class Done(NamedTuple):
    """Something a person did, and the case as it stands now; `is_last`: nobody has done anything to it since."""

    deed: Deed
    case: CaseNow
    is_last: bool

    @property
    def number(self) -> str:
        """The case's number as people read it."""
        return case_number(self.deed.case)


class Copy(NamedTuple):
    """Something a person was told: which message, by which event of which case, and when that happened."""

    id: int
    case_id: int
    seq: int
    message: str
    case: CaseNow


DoneAfter = tuple[str, int, int]
"""Where a page of deeds ends: moment, case, place of the event."""


def decided(
    connection: Connection, login: str, visible: Visible, after: DoneAfter | None = None, limit: int = PAGE
) -> list[Done]:
    """The cases a person decided, signed for or took back, newest first."""
    return _deeds(connection, (login, _DECIDED), visible, after, limit)


def opened(
    connection: Connection, login: str, visible: Visible, after: DoneAfter | None = None, limit: int = PAGE
) -> list[Done]:
    """The cases a person opened, newest first."""
    return _deeds(connection, (login, (EventKind.OPENED.value,)), visible, after, limit)


def copies(
    connection: Connection, login: str, visible: Visible, after: int | None = None, limit: int = PAGE
) -> list[Copy]:
    """What a person was told of cases, newest first; reminders of deadlines are none of it."""
    where, params = visible.where("c")
    sql = (
        f"SELECT o.id, o.chain, o.seq, o.message, {_CASE} FROM outbox o {_FROM.format('o.chain')}"  # noqa: S608 built here
        f" WHERE o.recipient = ? AND o.deadline IS NULL AND o.id < ? AND {where} ORDER BY o.id DESC LIMIT ?"
    )
    rows = connection.execute(sql, (f"{PERSON}{login}", after or _NEWEST, *params, limit)).fetchall()
    return [_copy(row) for row in rows]


_NEWEST = (1 << 63) - 1


def _deeds(
    connection: Connection, whose: tuple[str, Sequence[str]], visible: Visible, after: DoneAfter | None, limit: int
) -> list[Done]:
    login, kinds = whose
    where, params = visible.where("c")
    behind = "" if after is None else " AND (d.at, d.case_id, d.seq) < (?, ?, ?)"
    sql = (
        f"SELECT d.case_id, d.seq, d.login, d.kind, d.trigger, d.at, d.giver, d.late, {_CASE},"  # noqa: S608 built here
        " NOT EXISTS (SELECT 1 FROM deed n WHERE n.case_id = d.case_id AND n.seq > d.seq)"
        f" FROM deed d {_FROM.format('d.case_id')} WHERE d.login = ? AND d.kind IN ({','.join('?' * len(kinds))})"
        f"{behind} AND {where} ORDER BY d.at DESC, d.case_id DESC, d.seq DESC LIMIT ?"
    )
    given = (login, *kinds, *(after or ()), *params, limit)
    return [_done(row) for row in connection.execute(sql, given).fetchall()]


def _copy(row: Row) -> Copy:
    number, case, seq, message, *now = row
    return Copy(number, case, seq, message, CaseNow(*now))


def _done(row: Row) -> Done:
    case, seq, login, kind, trigger, at, giver, late, *now, is_last = row
    return Done(Deed(case, seq, login, kind, trigger, at, giver, bool(late)), CaseNow(*now), bool(is_last))
