"""Roll call (点名): every student of a batch, where the record is, and what keeps the student from applying.

Who is in a batch: those whom its publication opened a case for, such as the review, and those who came after them;
where it opened none, everybody whose unit works by its profile. Whoever has applied in another batch is in that one.

To judge a batch takes seconds where it has a hundred thousand students, and a page has a tenth of one. So a process
keeps the roll it has called, and calls again only those to whom something has happened since: their own events, those
of their other cases, and everybody when the registry's chain has grown (a date of the batch, a unit) or the day is
another (rules read it).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

import orjson

from engine.actors import ROLL_CALL
from engine.definition import Definition
from engine.desk import Desk
from engine.eligibility import Eligibility, application, judge_records, works_by
from engine.errors import Unknown
from engine.expressions.kinds import SHANGHAI
from engine.figures import Road, Standing, road_of
from engine.records import NOTHING, Request
from engine.store import figures
from engine.store.cases import Found, records_of, records_under
from engine.store.figures import Head
from engine.store.registry import BatchRow
from engine.trail.event import EventKind

_CHUNK = 1000
_OVERLAP = 2000
"""Events looked at once more: PostgreSQL commits them in another order than it numbers them."""
_TOO_MANY = 1000
"""Where more students than this, and more than a quarter of them, are to be called again, all are."""
_CONCERNS_ALL = frozenset(
    map(
        str,
        (
            EventKind.UNIT_CHANGED,
            EventKind.FACT_CHANGED,
            EventKind.BATCH_PUBLISHED,
            EventKind.BATCH_CHANGED,
            EventKind.TERM_STARTED,
            EventKind.TABLE_CHANGED,
            EventKind.DEFINITION_PUBLISHED,
        ),
    )
)
"""What in the registry's chain may change what rules say of everybody; roles, exports and seals do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """The students of a batch at one moment, by case.

    Attributes:
        trigger: The step by which they apply.
        is_listed: Whether its publication has said who is expected.
        version: Another one where something about the students has changed.
    """

    batch: BatchRow
    definition: Definition
    trigger: str
    road: Road
    is_listed: bool
    standings: Mapping[int, Standing]
    version: tuple[int, date]

    def below(self, desk: Desk, path: str) -> list[Standing]:
        """Those at a unit and below it."""
        codes = {code for code, unit in desk.units().items() if unit.path.startswith(path)}
        return [one for one in self.standings.values() if one.unit in codes]


class _Kept(NamedTuple):
    """A roll, how far the trail had come, and which of its last events it knows."""

    roll: Roll
    head: Head
    known: frozenset[int]


class Rolls:
    """The rolls one process has called; several threads may ask.

    Args:
        marks: The facts of a student to keep with the standing.
    """

    def __init__(self, marks: Sequence[str] = ()) -> None:
        self._marks = tuple(marks)
        self._kept: dict[str, _Kept] = {}
        self._locks: dict[str, Lock] = {}
        self._lock = Lock()

    def of(self, desk: Desk, batch: str, at: datetime) -> Roll:
        """The roll of a batch as things stand now.

        Raises:
            Unknown: If the batch is not published, or nobody applies in batches of its kind.
        """
        with self._lock:
            lock = self._locks.setdefault(batch, Lock())
        with lock, desk.connection.reading():
            kept = _Call(desk, batch, at, self._marks).again(self._kept.get(batch))
            self._kept[batch] = kept
            return kept.roll


def members(desk: Desk, batch: str, at: datetime) -> dict[int, str]:
    """The records of a batch with the day from which each is in it; nobody is judged.

    Raises:
        Unknown: If the batch is not published, or nobody applies in batches of its kind.
    """
    call = _Call(desk, batch, at, ())
    roll, joined = call.begun(figures.head(desk.connection))
    found = call.belonging(roll, records_under(desk.connection), joined)
    return {one.case.id: _day(joined.get(one.case.student or 0, one.case.opened_at)) for one in found}


def among(desk: Desk, batch: str, at: datetime, some: Sequence[int]) -> frozenset[int]:
    """Those of some students who are in a batch; nobody is judged.

    Where nobody applies in batches of its kind, they are those who have a case of it.

    Raises:
        Unknown: If the batch is not published.
    """
    call = _Call(desk, batch, at, ())
    try:
        roll, joined = call.begun(figures.head(desk.connection))
    except Unknown:
        if desk.batch(batch) is None:
            raise
        return frozenset(figures.joined(desk.connection, batch, some))
    records = [one for part in figures.parts(some) for one in records_of(desk.connection, part)]
    return frozenset(one.case.student for one in call.belonging(roll, records, joined) if one.case.student is not None)


class _Call:
    """One calling of the roll."""

    def __init__(self, desk: Desk, batch: str, at: datetime, marks: tuple[str, ...]) -> None:
        self._desk = desk
        self._batch = batch
        self._at = at
        self._day = at.astimezone(SHANGHAI).date()
        self._marks = marks

    def again(self, kept: _Kept | None) -> _Kept:
        """The roll anew, or only for those to whom something has happened."""
        connection = self._desk.connection
        head = figures.head(connection)
        self._desk.as_of(head.registry)
        if kept is None or kept.roll.version[1] != self._day or self._concerns_all(kept.head, head):
            return _Kept(self._afresh(head), head, self._known(head))
        if connection.is_sqlite and head == kept.head:
            return kept
        events = figures.chains_after(connection, self._since(kept.head))
        touched = self._touched({chain for number, chain in events if number not in kept.known})
        known = frozenset(number for number, _ in events)
        if len(touched) > max(_TOO_MANY, len(kept.roll.standings) // 4):
            return _Kept(self._afresh(head), head, known)
        roll = self._changed(kept.roll, touched, head) if touched else kept.roll
        return _Kept(roll, head, known)

    def _since(self, head: Head) -> int:
        return head.event if self._desk.connection.is_sqlite else max(0, head.event - _OVERLAP)

    def _known(self, head: Head) -> frozenset[int]:
        return frozenset(number for number, _ in figures.chains_after(self._desk.connection, self._since(head)))

    def _concerns_all(self, before: Head, now: Head) -> bool:
        if before.registry == now.registry:
            return False
        bodies = figures.registry_after(self._desk.connection, before.registry)
        return any(orjson.loads(body)["kind"] in _CONCERNS_ALL for body in bodies)

    def _touched(self, chains: Iterable[int]) -> set[int]:
        """The students whose own chain has grown, or that of a case about them."""
        cases = [chain for chain in chains if chain > 0]
        students = {-chain for chain in chains if chain < 0}
        return students | figures.students_of(self._desk.connection, cases)

    def _afresh(self, head: Head) -> Roll:
        roll, joined = self.begun(head)
        called = self._called(roll, records_under(self._desk.connection), joined)
        return replace(roll, standings={one.case: one for one in called})

    def begun(self, head: Head) -> tuple[Roll, Mapping[int, str]]:
        """A roll without anybody on it yet, and since when students have had a case of the batch."""
        desk = self._desk
        row = desk.batch(self._batch)
        if row is None:
            raise Unknown("已发布批次 published batch", self._batch, desk.library.batches)
        trigger, definition = application(desk, self._batch), desk.library.record(row.profile)
        joined = figures.joined(desk.connection, self._batch)
        roll = Roll(
            batch=row,
            definition=definition,
            trigger=trigger,
            road=road_of(definition, trigger),
            is_listed=bool(joined) and _opens_cases(desk, row),
            standings={},
            version=(head.event, self._day),
        )
        return roll, joined

    def _changed(self, roll: Roll, touched: set[int], head: Head) -> Roll:
        connection, wanted = self._desk.connection, sorted(touched)
        found = [one for part in figures.parts(wanted) for one in records_of(connection, part)]
        joined = figures.joined(connection, self._batch, wanted)
        kept = {case: one for case, one in roll.standings.items() if one.student not in touched}
        fresh = {one.case: one for one in self._called(roll, found, joined)}
        return replace(roll, standings=kept | fresh, version=(head.event, self._day))

    def _called(self, roll: Roll, found: Iterable[Found], joined: Mapping[int, str]) -> Iterator[Standing]:
        """The standings of those of some records that are in the batch."""
        belonging = self.belonging(roll, found, joined)
        answers = self._judged(roll, [one for one in belonging if one.case.state == roll.road.start])
        return (self._standing(one, answers) for one in belonging)

    def belonging(self, roll: Roll, found: Iterable[Found], joined: Mapping[int, str]) -> list[Found]:
        """Those of some records that are in the batch."""
        desk, profile = self._desk, roll.batch.profile
        here = {code for code in desk.units() if works_by(desk, code, profile)}
        return [
            one
            for one in found
            if one.case.unit in here
            and _belongs(roll, one, is_expected=not roll.is_listed or one.case.student in joined)
        ]

    def _judged(self, roll: Roll, waiting: Sequence[Found]) -> dict[int, Eligibility]:
        """What the rules say of those who may still apply, by case."""
        request = Request(trigger=roll.trigger, actor=ROLL_CALL, at=self._at, fields={"batch": self._batch})
        answers: dict[int, Eligibility] = {}
        for start in range(0, len(waiting), _CHUNK):
            chunk = waiting[start : start + _CHUNK]
            said = judge_records(self._desk, chunk, request)
            answers.update((one.case.id, answer) for one, answer in zip(chunk, said, strict=True))
        return answers

    def _standing(self, one: Found, answers: Mapping[int, Eligibility]) -> Standing:
        answer, facts, student = answers.get(one.case.id), one.facts if self._marks else NOTHING, one.case.student or 0
        return Standing(
            case=one.case.id,
            student=student,
            unit=one.case.unit,
            state=one.case.state,
            failing=() if answer is None else answer.failed,
            undecided=() if answer is None else answer.undecided,
            marks={name: facts.get(name) for name in self._marks},
        )


def _belongs(roll: Roll, one: Found, *, is_expected: bool) -> bool:
    """Whether a record is of this batch: whoever has applied says it themselves."""
    if one.case.state in roll.road.stages:
        return one.case.fields.get("batch") == roll.batch.name
    return is_expected


def _opens_cases(desk: Desk, batch: BatchRow) -> bool:
    """Whether publishing a batch of this kind opens a case for each of its students."""
    return any(
        f"batch {batch.kind}" in one.about and "student" in one.about
        for one in desk.library.of_profile(batch.profile).values()
        for step in one.transitions.values()
        if step.when == "batch_published"
    )


@lru_cache(maxsize=4096)
def _day(at: str) -> str:
    """The day of a moment of the trail in Asia/Shanghai."""
    return datetime.fromisoformat(at).astimezone(SHANGHAI).date().isoformat()
