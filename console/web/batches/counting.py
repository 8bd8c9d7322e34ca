"""What is counted for a page: the figures in sight, the line of the days, and what comes of it unit by unit.

No words here and no addresses; `overview` puts them around it. Counted once for a state of the roll (`rolls`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter

from console.web.batches.rolls import MARKS, roll_of, shelf_of
from console.web.batches.sight import Narrowing, Sight, narrowing_of, sight_of
from console.web.visit import Visit
from engine.daybook import series, today_of
from engine.expressions.functions import days_after, end_of_day
from engine.figures import Lack, Node, Road, Standing, lacks, tallies, tree
from engine.pace import DayOpen, EveryDay, Forecast, Horizon, WorkDays
from engine.records import Json
from engine.roll_call import Roll
from engine.steps import Machine
from engine.store import figures
from engine.store.figures import Line

GOALS: Mapping[str, str] = {"graduation": "lists_by"}
"""By which date of a kind of batch everybody is to have applied: the final lists go out then (D-05)."""
_TWO_THIRDS = (2, 3)
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What comes of one unit and all below it.

    Attributes:
        week: How many were open at the ends of the last days, and now.
        left: How many will be when time is over, each unit at its own pace; None while it is too early to tell.
    """

    week: tuple[int, ...]
    left: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Everything a page of a batch counts.

    Attributes:
        seen: The students in sight that the address has not left out.
        node: Their figures, unit by unit.
        lacks: What is missing, by rule.
        marks: The values of the facts one can narrow by, of everybody in sight.
    """

    seen: tuple[Standing, ...]
    node: Node
    lacks: tuple[Lack, ...]
    marks: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How it went and where it leads; of everybody in sight, whatever the address has left out.

    Attributes:
        due: The last moment; None where the batch has no such date.
        days: The ends of the days that are over.
        now: This moment.
        forecast: At the pace of all in sight together; None while it is too early to tell.
        units: By path.
    """

    due: datetime | None
    days: Sequence[DayOpen]
    now: DayOpen
    forecast: Forecast | None
    units: Mapping[str, Outlook]
    work: WorkDays

    def left(self, top: str) -> int | None:
        """How many will be open when time is over: the sum of the units, each at its own pace."""
        return self.units[top].left if top in self.units else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """One look at a batch: who looks, at what, and what is counted."""

    visit: Visit
    roll: Roll
    narrowing: Narrowing
    sight: Sight
    counts: Counts
    machine: Machine

    @property
    def code(self) -> str:
        """The batch as addresses name it."""
        return self.roll.batch.name


def look(visit: Visit, batch: str) -> Looked:
    """Look at a batch as the address says; that an auditor does is kept.

    Raises:
        Unknown: If the batch is not published, or nobody applies in batches of its kind.
        NotFound: If the visitor sees nothing of it, or not the unit that is asked for.
    """
    roll = roll_of(visit, batch)
    narrowing = narrowing_of(visit)
    sight = sight_of(visit, roll.definition, narrowing.unit)
    visit.leaves_trace("batch", batch=batch)
    desk = visit.desk
    marks = tuple(sorted(narrowing.marks.items()))
    key = ("counts", batch, roll.version, sight.top.code, sight.paths, marks)
    return Looked(
        visit=visit,
        roll=roll,
        narrowing=narrowing,
        sight=sight,
        counts=shelf_of(visit).counted(key, lambda: _counts(visit, roll, sight, narrowing)),
        machine=desk.machine(desk.hash_of(roll.definition), roll.batch.rulebook),
    )


def _counts(visit: Visit, roll: Roll, sight: Sight, narrowing: Narrowing) -> Counts:
    everybody = _in_sight(visit, roll, sight)
    seen = tuple(filter(narrowing.admits, everybody)) if narrowing.marks else everybody
    key = ("marks", roll.batch.name, roll.version, sight.paths)
    return Counts(
        seen=seen,
        node=tree(tallies(seen, roll.road), visit.desk.units(), sight.top.code),
        lacks=lacks(seen),
        marks=shelf_of(visit).counted(key, lambda: {name: _values(everybody, name) for name in MARKS}),
    )


def _in_sight(visit: Visit, roll: Roll, sight: Sight) -> tuple[Standing, ...]:
    """Everybody at the units a visitor sees."""
    codes = {code for code, unit in visit.desk.units().items() if sight.covers(unit.path)}
    key = ("seen", roll.batch.name, roll.version, sight.paths)
    return shelf_of(visit).counted(key, lambda: tuple(one for one in roll.standings.values() if one.unit in codes))


def _values(standings: Iterable[Standing], name: str) -> tuple[str, ...]:
    return tuple(sorted({str(value) for one in standings if (value := one.marks.get(name)) is not None}))


def course_of(looked: Looked) -> Course:
    """How the applications went in sight, and where that leads."""
    visit, roll, sight = looked.visit, looked.roll, looked.sight
    work = looked.machine.calendar or EveryDay()
    due, today = due_of(looked), visit.today
    horizon, connection, batch = Horizon(visit.at, due or visit.at, work), visit.desk.connection, roll.batch.name
    since = min(horizon.since, today - _WEEK).isoformat()
    lines = [line for path in sight.paths for line in figures.days(connection, batch, path, since)]
    together = [line for path in sight.paths for line in figures.days_together(connection, batch, path)]
    own = today_of(_in_sight(visit, roll, sight), roll.road, today)
    days = series(together, roll.road)
    now = DayOpen(today, sum(one.filed for one in own.values()), sum(one.open for one in own.values()))
    recent = _own_days(lines, roll.road)
    outlooks = {unit: _outlook(horizon, recent.get(unit, []), one) for unit, one in own.items()}
    return Course(
        due=due,
        days=days,
        now=now,
        forecast=None if due is None else horizon.forecast(days, now),
        units=_added_up(looked, outlooks),
        work=work,
    )


def _own_days(lines: Iterable[Line], road: Road) -> dict[str, list[DayOpen]]:
    """Of each unit the ends of its last days."""
    by_unit = attrgetter("unit")
    return {unit: series(some, road) for unit, some in groupby(sorted(lines, key=by_unit), by_unit)}


def _outlook(horizon: Horizon, days: Sequence[DayOpen], now: DayOpen) -> Outlook:
    found = horizon.forecast(days, now)
    left = 0 if not now.open else None if found is None else found.left
    return Outlook(week=(*(one.open for one in days[-7:]), now.open), left=left)


def _added_up(looked: Looked, own: Mapping[str, Outlook]) -> dict[str, Outlook]:
    """The outlook of every unit in sight with all below it, by path."""
    units, top = looked.visit.desk.units(), looked.sight.top.path
    found: dict[str, Outlook] = {}
    for code, one in own.items():
        parts = units[code].path[len(top) :].strip("/").split("/")
        paths = [top, *(f"{top}{'/'.join(parts[:size])}/" for size in range(1, len(parts) + 1) if parts[0])]
        for path in paths:
            found[path] = _sum(found[path], one) if path in found else one
    return found


def _sum(one: Outlook, other: Outlook) -> Outlook:
    length = min(len(one.week), len(other.week))
    week = zip(one.week[-length:], other.week[-length:], strict=True)
    left = None if one.left is None or other.left is None else one.left + other.left
    return Outlook(week=tuple(map(sum, week)), left=left)


def due_of(looked: Looked) -> datetime | None:
    """The last moment to apply; None where the batch has none."""
    return last_second(looked, GOALS.get(looked.roll.batch.kind, ""))


def last_second(looked: Looked, field: str) -> datetime | None:
    """The end of a date of the batch, None while that is open; a profile may read 之前 without the day itself."""
    row = looked.roll.batch
    day = day_from(row.values.get(field))
    if day is None:
        return None
    profile = looked.visit.desk.library.rulebook.organisation.profiles.get(row.profile)
    last = days_after(day, -1) if profile is not None and profile.before == "exclusive" else day
    return None if last is None else end_of_day(last)


def day_from(value: Json) -> date | None:
    """A date of a batch as kept; None where it is open, or no date."""
    return date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2024-05-13") else None


def lagging(nodes: Iterable[Node], course: Course, paths: Mapping[str, str]) -> tuple[Node, ...]:
    """The fewest units that together make up two thirds of what will be missing, those that lack most first.

    Args:
        nodes: Units that have nobody below them.
        course: What comes of each.
        paths: Their paths by code.
    """
    short = [(one, course.units[paths[one.unit]].left or 0) for one in nodes if paths[one.unit] in course.units]
    short = sorted((one for one in short if one[1]), key=lambda one: (-one[1], one[0].unit))
    wanted, found = sum(left for _, left in short) * _TWO_THIRDS[0], list[Node]()
    reached = 0
    for one, left in short:
        if reached * _TWO_THIRDS[1] >= wanted:
            break
        found.append(one)
        reached += left
    return tuple(found)
