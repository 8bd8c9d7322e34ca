"""Deadlines: what the events of a case say of its deadline rows, to be compared with those that are kept.

Events name every row that is made, changed or closed, so nothing has to be counted anew and no definition is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from engine.store.deadlines import Row
from engine.trail.event import EventKind, moment

TOLD = frozenset(
    map(
        str,
        (
            EventKind.DEADLINE_MOVED,
            EventKind.LATE,
            EventKind.REMINDED,
            EventKind.ESCALATED,
            EventKind.TIMER_BLOCKED,
        ),
    )
)
"""Kinds of event that say something of one deadline row; steps say of several what has become of them."""

Data = Mapping[str, Any]


class _Told(NamedTuple):
    """A row as events tell of it; moments as they stand there."""

    due_at: str | None
    settled: bool
    extended: bool
    sequence: int
    told_at: str
    missed_at: str | None
    blocked: bool
    next_at: str | None


class Clocks:
    """The rows that a case's events add up to: fold event after event, then ask where the kept ones differ."""

    __slots__ = ("_rows",)

    def __init__(self) -> None:
        self._rows: dict[str, _Told] = {}

    def rows(self, case: int) -> list[Row]:
        """The rows told of so far, as they would be kept for a case."""
        return [_kept(case, name, one) for name, one in self._rows.items()]

    def apply(self, event: Mapping[str, Any]) -> None:
        """Add one event of the case; those that say nothing of deadlines change nothing."""
        kind, data = event["kind"], event["data"]
        if kind == EventKind.DEADLINE_MOVED:
            self._put(data["deadline"], event, {**data, "due": data["new"]})
        elif kind in TOLD:
            self._look(data["deadline"], event)
        else:
            for name, told in (data.get("deadlines") or {}).items():
                if told is None:
                    self._rows.pop(name, None)
                else:
                    self._put(name, event, told)

    def _put(self, name: str, event: Mapping[str, Any], told: Data) -> None:
        """A row is made, or has another date, is settled, or starts again."""
        at, settled, following = event["at"], bool(told.get("settled")), told.get("next")
        old = self._rows.get(name)
        if old is None or told["due"] != old.due_at:
            row = _Told(
                due_at=told["due"],
                settled=settled,
                extended=old is not None and old.extended,
                sequence=event["seq"],
                told_at=at if old is None else max(old.told_at, at),
                missed_at=None,
                blocked=False,
                next_at=following,
            )
        else:
            told_at = max(old.told_at, at) if old.settled and not settled else old.told_at
            row = old._replace(settled=settled, told_at=told_at, blocked=False, next_at=following)
        self._rows[name] = row._replace(extended=row.extended or bool(told.get("extended")))

    def _look(self, name: str, event: Mapping[str, Any]) -> None:
        """Its time has come: it is late, people were told, or its timer was refused."""
        row, at = self._rows.get(name), event["at"]
        if row is None:
            return
        match event["kind"]:
            case EventKind.LATE:
                row = row._replace(missed_at=at)
            case EventKind.TIMER_BLOCKED:
                row = row._replace(blocked=True)
            case _:
                row = row._replace(told_at=max(row.told_at, at))
        self._rows[name] = row._replace(next_at=event["data"].get("next"))

    def differences(self, kept: Sequence[Row]) -> list[str]:
        """The rows that are kept otherwise than the events say, as `deadline NAME`, with the columns that differ."""
        found = {row.name: _written(row) for row in kept}
        return [
            f"deadline {name} ({', '.join(_differing(self._rows.get(name), found.get(name)))})"
            for name in sorted(self._rows.keys() | found.keys())
            if self._rows.get(name) != found.get(name)
        ]


def _differing(told: _Told | None, kept: _Told | None) -> list[str]:
    if told is None or kept is None:
        return ["missing" if kept is None else "not told of"]
    return [name for name, one, other in zip(_Told._fields, told, kept, strict=True) if one != other]


def _kept(case: int, name: str, one: _Told) -> Row:
    due, told, missed, following = (
        None if text is None else datetime.fromisoformat(text)
        for text in (one.due_at, one.told_at, one.missed_at, one.next_at)
    )
    assert told is not None  # noqa: S101 a row is told of from its first event on
    return Row(
        case=case,
        name=name,
        due_at=due,
        settled=one.settled,
        extended=one.extended,
        sequence=one.sequence,
        told_at=told,
        missed_at=missed,
        blocked=one.blocked,
        next_at=following,
    )


def _written(row: Row) -> _Told:
    due, missed, following = (None if at is None else moment(at) for at in (row.due_at, row.missed_at, row.next_at))
    return _Told(
        due, row.settled, row.extended, row.sequence, moment(row.told_at), missed, row.blocked, following
    )  # fmt: skip
