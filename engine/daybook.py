"""Daybook: where the students of a batch stood at the end of each day, by unit, read back from the trail.

The days that are over are kept (`day_figure`), so that a page draws its line from a few rows; today is counted live
from the roll. What is kept can be thrown away and written again: it is what the events of the records add up to, for
those who are in the batch now. Days are those of Asia/Shanghai.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter, itemgetter

import msgspec

from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI
from engine.figures import Road, Standing
from engine.pace import DayOpen
from engine.roll_call import members
from engine.store import figures, registry
from engine.store.figures import Line
from engine.trail.event import EventKind

_DAY = timedelta(days=1)
_MOVING = frozenset(map(str, (EventKind.OPENED, EventKind.MOVED, EventKind.RETRACTED, EventKind.MIGRATED)))
_RELOCATED = str(EventKind.RELOCATED)
_NOWHERE = ("", "")
_PLACE = attrgetter("unit", "state")

Place = tuple[str, str]
"""A unit and a state."""


class _Data(msgspec.Struct):
    to: str | None = None
    unit: str | None = None


class _Event(msgspec.Struct):
    kind: str
    at: str
    data: _Data


_decode = msgspec.json.Decoder(_Event).decode


def keep_days(desk: Desk, at: datetime) -> int:
    """Keep the days that are over and not kept yet, of every batch in which students apply; how many rows.

    What `xueji work` does after midnight; doing it again changes nothing.
    """
    written = 0
    desk.refresh()
    for batch in registry.batches(desk.connection):
        last = figures.last_day(desk.connection, batch)
        if last is None or date.fromisoformat(last) < _yesterday(at):
            written += _keep(desk, batch, at, after=last or "")
    return written


def rebuild_days(desk: Desk, batch: str, at: datetime) -> int:
    """Throw away the days of a batch and write them again from the trail; how many rows.

    Raises:
        Unknown: If the batch is not published, or nobody applies in batches of its kind.
    """
    with desk.connection.writing():
        figures.drop_days(desk.connection, batch)
        return _keep(desk, batch, at, after="")


def _keep(desk: Desk, batch: str, at: datetime, *, after: str) -> int:
    if not _has_applicants(desk, batch):
        return 0
    joined = {case: date.fromisoformat(day) for case, day in members(desk, batch, at).items()}
    lines = [one for one in ends_of_days(desk, joined, _yesterday(at)) if one.day > after]
    with desk.connection.writing():
        figures.add_days(desk.connection, batch, lines)
    return len(lines)


def _has_applicants(desk: Desk, batch: str) -> bool:
    """Whether it is a batch of the record: others (of teaching, of intake) have no road to graduation."""
    row = desk.batch(batch)
    if row is None:
        return False
    records = [one for (_, profile), one in desk.library.definitions.items() if profile == row.profile and one.record]
    return any(field.type == f"batch {row.kind}" for one in records for field in one.fields.values())


def ends_of_days(desk: Desk, joined: Mapping[int, date], last: date) -> list[Line]:
    """Where some records stood at the end of each day up to a last one, counted by unit and state.

    Args:
        desk: Where the trail is.
        joined: The records, each with the day from which it counts.
        last: The last day.
    """
    changes: dict[date, Counter[Place]] = defaultdict(Counter)
    for part in figures.parts(sorted(joined)):
        for chain, events in groupby(figures.events_of(desk.connection, part), itemgetter(0)):
            _count(changes, _stays(body for _, body in events), joined[chain])
    return list(_added_up(changes, last))


def _stays(bodies: Iterable[bytes]) -> Iterator[tuple[date, Place]]:
    """From which day on a record is at which place."""
    unit, state = _NOWHERE
    for event in map(_decode, bodies):
        if event.kind in _MOVING:
            state = event.data.to or state
        if event.data.unit is not None and event.kind in (_RELOCATED, EventKind.OPENED):
            unit = event.data.unit
        elif event.kind not in _MOVING:
            continue
        yield datetime.fromisoformat(event.at).astimezone(SHANGHAI).date(), (unit, state)


def _count(changes: dict[date, Counter[Place]], stays: Iterable[tuple[date, Place]], since: date) -> None:
    """Add a record to the place it comes to on a day, and take it from the one it leaves."""
    before: Place | None = None
    for day, place in stays:
        if place == before:
            continue
        on = max(day, since)
        changes[on][place] += 1
        if before is not None:
            changes[on][before] -= 1
        before = place


def _added_up(changes: Mapping[date, Counter[Place]], last: date) -> Iterator[Line]:
    standing: Counter[Place] = Counter()
    day = min(changes, default=last + _DAY)
    while day <= last:
        standing.update(changes.get(day, {}))
        yield from (
            Line(day.isoformat(), unit, state, count) for (unit, state), count in sorted(standing.items()) if count
        )
        day += _DAY


def series(lines: Iterable[Line], road: Road) -> list[DayOpen]:
    """Kept days as a line: of each day how many had applied and how many could and had not."""
    days: dict[str, list[int]] = {}
    for one in lines:
        counts = days.setdefault(one.day, [0, 0])
        counts[0] += one.students * (one.state in road.stages)
        counts[1] += one.students * (one.state == road.start)
    return [DayOpen(date.fromisoformat(day), filed, waiting) for day, (filed, waiting) in sorted(days.items())]


def today_of(standings: Iterable[Standing], road: Road, day: date) -> dict[str, DayOpen]:
    """The same of this moment, by unit."""
    found: dict[str, DayOpen] = {}
    for (unit, state), many in Counter(map(_PLACE, standings)).items():
        had = found.get(unit) or DayOpen(day, 0, 0)
        filed, waiting = many * (state in road.stages), many * (state == road.start)
        found[unit] = had._replace(filed=had.filed + filed, open=had.open + waiting)
    return found


def _yesterday(at: datetime) -> date:
    return at.astimezone(SHANGHAI).date() - _DAY
