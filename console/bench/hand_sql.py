"""The yardstick's statements: what a hand-written program would ask of either database, and nothing more.

A step that reads no other cases does not ask for them, one that reads no batch does not join it.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from console.bench.by_hand import STEPS, Decided, Grant, Letterhead, NotByHandError, Row, decide_by_hand
from console.bench.scene import Act

Raw = Any
"""The held connection as the driver gives it: sqlite3's or psycopg's, which share no type."""

Step = Callable[[int, Act, str, Grant], None]
"""Takes one step of one case: its number, the act, the request's id, the right it is taken by."""

UPDATE = (
    "UPDATE cases SET state = ?, revision = revision + 1, seq = ?, head = ?, fields = ?, taken = ?, rounds = ?,"
    " batch = ?, entered_at = ?, sent_back = ? WHERE id = ? AND revision = ? AND seq = ?"
)
EVENT = "INSERT INTO event (chain, seq, request, body, hash, mac) VALUES (?, ?, ?, ?, ?, ?)"
TOLD = "INSERT INTO outbox (chain, seq, recipient, message) VALUES (?, ?, ?, ?)"
RIGHTS = (
    "SELECT g.role, g.unit, u.path FROM role_grant g JOIN unit u ON u.code = g.unit"
    " WHERE g.login = ? AND g.until IS NULL"
)
_OTHER = "o.workflow || '|' || o.state || '|' || coalesce(o.batch, '')"


CHUNK = 1000
"""Cases read by one statement, as in the engine."""


class LostError(Exception):
    """Somebody else moved the case; nothing was written."""


def won_all(written: int, asked: int) -> None:
    """Check that every UPDATE found its case as it was read.

    Raises:
        LostError: If one did not.
    """
    if written != asked:
        raise LostError


def select(trigger: str, *, which: str, gather: str) -> str:
    """The reading statement of a step.

    Args:
        trigger: The step.
        which: What follows `c.id`: one case or many.
        gather: The database's aggregate that joins texts by commas, with `{}` for the text.
    """
    step = STEPS[trigger]
    columns = "c.id, c.path, c.state, c.revision, c.seq, c.head, c.fields, c.taken, c.rounds, s.facts"
    source = "cases c JOIN student s ON s.id = c.student"
    if step.reads_others:
        near = "o.student = c.student AND o.id <> c.id AND o.state <> 'cancelled'"
        columns += f", (SELECT {gather.format(_OTHER)} FROM cases o WHERE {near})"  # noqa: S608 constant text
    if step.reads_batch:
        columns += ", b.values_json"
        source += " LEFT JOIN batch b ON b.name = ?"
    return f"SELECT {columns}, s.pinyin, c.sent_back FROM {source} WHERE c.id {which}"  # noqa: S608 constant text


def select_params(act: Act, which: object) -> tuple[object, ...]:
    """What the reading statement of an act is asked with; `which` is the case or the cases."""
    own = which if isinstance(which, tuple) else (which,)
    return (act.fields["batch"], *own) if STEPS[act.trigger].reads_batch else own


def right_of(act: Act, held: list[Grant]) -> Grant:
    """The right an act is taken by.

    Raises:
        NotByHandError: If none of those held is of the step's role.
    """
    for grant in held:
        if grant[0] == STEPS[act.trigger].role:
            return grant
    raise NotByHandError(act.trigger)


def with_rights(step: Step, look_up: Callable[[str], list[Grant]]) -> Step:
    """The same step with the rights of the person read from the database first."""

    def take(case: int, act: Act, request: str, _held: Grant) -> None:
        step(case, act, request, right_of(act, look_up(act.login)))

    return take


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyByHand:
    """How many cases are read and written on one of the databases; everything between is the same."""

    raw: Raw
    letterhead: Letterhead
    begin: str
    read: Callable[[Act, Sequence[int]], list[Row]]
    write: Callable[[Sequence[Decided]], None]

    def take(self, asked: Sequence[tuple[int, str]], act: Act, grant: Grant, *, commit_every: int) -> None:
        """Take an act on cases, each with its request id; like the engine, with the collector paused."""
        gc.disable()
        for start in range(0, len(asked), commit_every):
            self.raw.execute(self.begin)
            part = asked[start : start + commit_every]
            chunks = [part[first : first + CHUNK] for first in range(0, len(part), CHUNK)]
            self.write([one for chunk in chunks for one in self._decided(chunk, act, grant)])
            self.raw.execute("COMMIT")
        gc.enable()

    def _decided(self, asked: Sequence[tuple[int, str]], act: Act, grant: Grant) -> list[Decided]:
        requests = dict(asked)
        rows = self.read(act, list(requests))
        return [decide_by_hand(row, act, requests[row[0]], grant, self.letterhead) for row in rows]
