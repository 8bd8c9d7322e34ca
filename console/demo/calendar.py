"""The calendar of the demonstration: people are reminded from day to day, and some then put things right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random

from console.demo.school import PUBLISHED_AT
from console.post import post_of
from console.reminding import Told, tell, told_clock
from console.rounds import Rounds
from console.settings import Settings
from console.wiring import Office
from engine.expressions.kinds import SHANGHAI
from engine.store.database import Connection

_DAY = timedelta(days=1)
_ROUND_AT = time(9, 5)
_SENT_AFTER = timedelta(minutes=20)
"""When the digests of the morning have left and what is held for a while is held no more."""

Key = tuple[int, str]
"""A case and one of its deadlines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What was put right by one moment, by deadline and by the last reminder its student had had (None: none)."""

    at: datetime
    after: Mapping[tuple[str, str | None], int]
    students: int


@dataclass(slots=True, kw_only=True)
class Calendar:
    """The days of the rehearsal, each with one round in the morning."""

    office: Office
    rounds: Rounds
    next_at: datetime
    days: int = 0
    sent: int = 0
    mended: list[Mended] = field(default_factory=list)

    def go_to(self, at: datetime) -> None:
        """Live through the mornings up to a moment."""
        while self.next_at < at:
            self._morning()

    @contextmanager
    def mending(self, at: datetime) -> Iterator[None]:
        """Whatever is settled in here was put right by its students at that moment."""
        connection = self.office.desk.connection
        before = _open(connection)
        yield
        done, last = before - _open(connection), _last_rungs(connection)
        after = Counter((name, last.get((case, name))) for case, name in done)
        self.mended.append(Mended(at=at, after=after, students=len({case for case, _ in done})))

    def _morning(self) -> Told:
        told = tell(self.office.desk.connection, self.rounds, told_clock(self.next_at), settling=_SENT_AFTER)
        self.next_at += _DAY
        self.days += 1
        self.sent += told.sent.accepted
        return told


def begin(office: Office, settings: Settings) -> Calendar:
    """The calendar from the first morning after the batch is published."""
    first = datetime.combine(PUBLISHED_AT.date(), _ROUND_AT, SHANGHAI)
    rounds = Rounds(office, post_of(settings), Random(0))  # noqa: S311 spreads retries; no secret
    return Calendar(office=office, rounds=rounds, next_at=first)


def rungs_told(connection: Connection) -> Mapping[tuple[str, str], int]:
    """How many messages each rung of each deadline has been: (rung, deadline); overdue ones together."""
    sql = "SELECT rung, deadline, count(*) FROM outbox WHERE deadline IS NOT NULL AND rung IS NOT NULL GROUP BY 1, 2"
    counts: Counter[tuple[str, str]] = Counter()
    for rung, deadline, count in connection.execute(sql):
        counts[str(rung).split("overdue")[0] or "overdue", str(deadline)] += int(count)
    return counts


def _open(connection: Connection) -> set[Key]:
    """The students' deadlines that run and are not settled."""
    sql = (
        "SELECT d.case_id, d.name FROM deadline d JOIN cases c ON c.id = d.case_id"
        " WHERE NOT d.settled AND c.student IS NOT NULL"
    )
    return {(int(case), str(name)) for case, name in connection.execute(sql)}


def _last_rungs(connection: Connection) -> dict[Key, str]:
    """The last rung of each deadline that anybody was told."""
    sql = "SELECT chain, deadline, rung FROM outbox WHERE deadline IS NOT NULL AND rung IS NOT NULL ORDER BY id"
    return {(int(case), str(name)): str(rung) for case, name, rung in connection.execute(sql)}
