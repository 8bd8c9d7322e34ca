"""Settling: the deadline rows of cases are kept what they should be, in the transaction that changes what they read.

A row is the kept answer to a pure question (`standing`): does the deadline run, when is it due, is it settled. A
step tells of its own case's rows in its own event; what changes without a step is told by a `deadline_moved` event of
the case. What is done about rows when their time comes (marking late, telling, firing timers) is in `engine.timers`.

Source: the definition language, sections 8 and 11 (settle).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from engine import lanes
from engine.actors import TIMER
from engine.calendars import WorkCalendar
from engine.deadlines import Watch, due_of, is_settled
from engine.definition import NEW, Deadline
from engine.desk import Desk
from engine.errors import StaleCase
from engine.keeping import write_event
from engine.ladder import next_look, over_at
from engine.records import NOTHING, Case, Head, Json, Moved, Request
from engine.sight import Seeing
from engine.steps import Machine
from engine.store import deadlines
from engine.store.bulk import keep_many
from engine.store.cases import Found, Keeping, read_cases
from engine.store.deadlines import Message, Row
from engine.store.registry import UnitRow
from engine.store.relations import lock_students
from engine.trail.event import EventKind, chain_name, moment

_CHUNK = 1000
MOVED = "deadline_moved"
"""The message to those a deadline is told to, when its date has changed."""


class Standing(NamedTuple):
    """How a deadline that runs stands: when it is due (None: 待定), and whether what was to be done is done."""

    due: datetime | None
    is_settled: bool


class Change(NamedTuple):
    """What becomes of the deadline rows of one case: rows to write, names to close, and how an event tells of it."""

    case: int
    rows: tuple[Row, ...]
    closed: tuple[str, ...]

    @property
    def told(self) -> dict[str, Json]:
        """By deadline: what its row is now, null where it is closed."""
        return {**{row.name: told_of(row) for row in self.rows}, **dict.fromkeys(self.closed)}


def told_of(row: Row) -> dict[str, Json]:
    """How an event tells of a row: when it is due, whether it is settled, when something is next to be done."""
    told: dict[str, Json] = {"due": None if row.due_at is None else moment(row.due_at)}
    if row.settled:
        told["settled"] = True
    if row.next_at is not None:
        told["next"] = moment(row.next_at)
    return told


def next_at(deadline: Deadline, row: Row, calendar: WorkCalendar | None, *, fired: bool = False) -> datetime | None:
    """When something is next to be done about a row; the moment it was over as long as its timer is to be fired."""
    if row.due_at is None or row.settled:
        return None
    if deadline.missed is not None and row.missed_at is not None and not row.blocked and not fired:
        return over_at(row.due_at)
    return next_look(deadline, row.due_at, calendar, row.told_at, is_missed=row.missed_at is not None)


def standings(desk: Desk, found: Found, request: Request) -> dict[str, Standing]:
    """Every deadline that runs in a case's state, by name: a pure question to what is known.

    Dates are counted by the calendar in force; whether a deadline is settled is judged as the case's steps are.
    """
    machine = desk.machine(found.case.shape)
    names = machine.running(found.case.state)
    if not names:
        return {}
    plain = Request(trigger=request.trigger, actor=request.actor, at=request.at)
    pinned = desk.machine_for(found.case, {})
    sight = Seeing(desk, machine, found, plain)
    judging = sight if pinned is machine else Seeing(desk, pinned, found, plain)
    return {name: _standing((machine, sight), (pinned, judging), name) for name in names}


def _standing(counting: tuple[Machine, Seeing], judging: tuple[Machine, Seeing], name: str) -> Standing:
    machine, sight = counting
    bound = machine.deadline(name)
    due = due_of(bound, machine.decoded(sight.see((), bound.due.reads)))
    machine, sight = judging
    bound = machine.deadline(name)
    if not bound.settled:
        return Standing(due, is_settled=False)
    keys = tuple(dict.fromkeys(key for guard in bound.settled for key in guard.reads))
    return Standing(due, is_settled(bound, machine.decoded(sight.see((), keys))))


def change_of(desk: Desk, found: Found, rows: Sequence[Row], request: Request) -> Change | None:
    """What becomes of a case's rows now that it stands as `found`, told by the next event of its chain; None: nothing.

    Args:
        desk: Where the case is worked.
        found: The case as it is going to stand, with what is known about its student; its head is as before the event.
        rows: Its rows as they were.
        request: By whom and when. A step that the timer takes has been fired.
    """
    case = found.case
    machine = desk.machine(case.shape)
    before = {row.name: row for row in rows}
    written = []
    for name, standing in standings(desk, found, request).items():
        clock = (machine.definition.deadlines[name], machine.calendar)
        row = _row(before.pop(name, (case.id, name)), standing, clock, request, case.head.seq + 1)
        if row is not None:
            written.append(row)
    return Change(case.id, tuple(written), tuple(before)) if written or before else None


def _row(
    old: Row | tuple[int, str],
    standing: Standing,
    clock: tuple[Deadline, WorkCalendar | None],
    request: Request,
    seq: int,
) -> Row | None:
    """The row of a deadline that runs, as event `seq` of the case leaves it; None where it is as it was."""
    deadline, calendar = clock
    if not isinstance(old, Row):
        made = made_row(*old, standing, seq, request.at)
        return made._replace(next_at=next_at(deadline, made, calendar))
    fires = deadline.missed is not None and request.actor == TIMER and request.trigger == deadline.missed.fire
    row = old._replace(settled=standing.is_settled, blocked=False)
    if not old.extended and standing.due != old.due_at:
        row = moved_to(row, standing.due, request.at, seq)
    elif old.settled and not row.settled:
        row = row._replace(told_at=max(old.told_at, request.at))
    elif row == old and not fires:
        return None
    return row._replace(next_at=next_at(deadline, row, calendar, fired=fires))


def made_row(case: int, name: str, standing: Standing, seq: int, at: datetime) -> Row:
    """The row of a deadline that begins to run with event `seq` of its case; what it is told before then is over."""
    return Row(
        case=case,
        name=name,
        due_at=standing.due,
        settled=standing.is_settled,
        extended=False,
        sequence=seq,
        told_at=at,
        missed_at=None,
        blocked=False,
        next_at=None,
    )


def moved_to(row: Row, due: datetime | None, at: datetime, seq: int) -> Row:
    """A row with another date: nothing has been told about that one, and nobody has missed it yet."""
    return row._replace(
        due_at=due, sequence=seq, told_at=max(row.told_at, at), missed_at=None, blocked=False, next_at=None
    )


def left_of(rows: Sequence[Row], change: Change | None) -> Sequence[Row]:
    """The rows of a case as a change leaves them."""
    if change is None:
        return rows
    after = {**{row.name: row for row in rows}, **{row.name: row for row in change.rows}}
    return [row for name, row in after.items() if name not in change.closed]


def write_changes(desk: Desk, changes: Iterable[Change]) -> None:
    """Write rows and close others, for steps whose events tell of it; call inside their transaction."""
    many = list(changes)
    deadlines.close(desk.connection, [(one.case, name) for one in many for name in one.closed])
    deadlines.put(desk.connection, [row for one in many for row in one.rows])


def rows_of(desk: Desk, cases: Iterable[Case]) -> dict[int, list[Row]]:
    """The rows of those of some cases that wait in a state in which deadlines run."""
    running = [one.id for one in cases if one.state != NEW and desk.machine(one.shape).running(one.state)]
    return deadlines.of_cases(desk.connection, running) if running else {}


def hold_shared(desk: Desk, cases: Iterable[Case]) -> None:
    """Hold the batches and units that deadlines read: who sets a date of one meanwhile waits, and finds their rows.

    SQLite's writer has the whole database already.
    """
    if desk.connection.is_sqlite:
        return
    watched = [(case, desk.machine(case.shape).watch) for case in cases]
    names = {case.fields.get("batch") for case, watch in watched if watch.batch}
    for name in sorted(one for one in names if isinstance(one, str)):
        desk.hold_batch(name)
    paths = {case.path for case, watch in watched if watch.units}
    if paths:
        desk.hold_units(paths)


def hold_sources(desk: Desk, cases: Iterable[Case], trigger: str) -> bool:
    """Hold what deadlines read that a step touches: batches, units, students. Whether cases are to be read again.

    SQLite's writer has the whole database already. Whoever acts on one case holds its student anyway.
    """
    if desk.connection.is_sqlite:
        return False
    touched = [one for one in cases if desk.machine(one.shape).touches_deadlines(one.state, trigger)]
    hold_shared(desk, touched)
    reading = [one.student for one in touched if one.student and desk.machine(one.shape).watch.facts]
    lock_students(desk.connection, reading)
    return bool(touched)


def settle_step(
    desk: Desk, found: Found, moved: Moved, rows: Mapping[int, Sequence[Row]], request: Request
) -> Change | None:
    """What a decided step makes of its case's rows; its event is told of it. None, at no cost, where none runs.

    Args:
        desk: Where the case is worked.
        found: The case before the step, with what is known about its student.
        moved: The step as decided, its event not yet written.
        rows: The rows of that act's cases, by case.
        request: By whom and when.
    """
    machine = desk.machine(found.case.shape)
    if not machine.running(found.case.state) and not machine.running(moved.case.state):
        return None
    if found.case.state == NEW:
        hold_shared(desk, [moved.case])
    known = {**found.facts, **moved.facts} if moved.facts else found.known
    after = found._replace(case=moved.case._replace(head=found.case.head), known=known)
    change = change_of(desk, after, rows.get(found.case.id, ()), replace(request, trigger=moved.trigger))
    if change is not None:
        moved.data["deadlines"] = change.told
    return change


Concerns = Callable[[Watch], bool]
"""Whether what has changed is among what deadlines read."""

Causes = Mapping[int, Mapping[str, Json] | None]
"""By case, the event that may change its deadlines: chain and place; None where only the calendar has changed."""


class Moving(NamedTuple):
    """One row about to change without a step: its case, the row as it was (None: there was none) and as it will be."""

    found: Found
    old: Row | None
    row: Row
    cause: Mapping[str, Json] | None


def settle(
    desk: Desk, causes: Causes, request: Request, concerns: Concerns = lambda _: True, *, dry_run: bool = False
) -> int:
    """Bring the rows of cases up to date after something they may read has changed; call inside its transaction.

    Each date that moves, and each deadline that is settled or starts again, is an event of its case. A timer that was
    refused is going to be tried again.

    Args:
        desk: Where the cases are worked.
        causes: The cases to look at, each with the event that may change its deadlines.
        request: By whom and when.
        concerns: Says of what a machine's deadlines read whether the change is about it; others are passed over.
        dry_run: Count, and write nothing.

    Returns:
        The number of rows that changed.

    Raises:
        StaleCase: If somebody else moved one of the cases meanwhile.
    """
    changed = 0
    ordered = sorted(causes)
    for start in range(0, len(ordered), _CHUNK):
        chunk = ordered[start : start + _CHUNK]
        deadlines.hold_cases(desk.connection, chunk)
        rows = deadlines.of_cases(desk.connection, chunk)
        found = read_cases(desk.connection, chunk)
        moving = [
            [Moving(one, old, row, causes[one.case.id]) for old, row in _changed(desk, one, rows, request)]
            for one in found.values()
            if _is_concerned(desk, one.case, rows.get(one.case.id, ()), concerns)
        ]
        changed += sum(map(len, moving))
        if not dry_run:
            write_moving(desk, moving, request)
    return changed


def _changed(
    desk: Desk, found: Found, rows: Mapping[int, Sequence[Row]], request: Request
) -> list[tuple[Row | None, Row]]:
    own = rows.get(found.case.id, ())
    change = change_of(desk, found, own, request)
    before = {row.name: row for row in own}
    return [] if change is None else [(before.get(row.name), row) for row in change.rows]


def _is_concerned(desk: Desk, case: Case, rows: Sequence[Row], concerns: Concerns) -> bool:
    machine = desk.machine(case.shape)
    if not machine.running(case.state):
        return False
    judging = desk.machine_for(case, {})
    return any(row.blocked for row in rows) or concerns(machine.watch) or concerns(judging.watch)


def write_moving(
    desk: Desk, moving: Iterable[Sequence[Moving]], request: Request, more: Mapping[str, Json] = NOTHING
) -> None:
    """Write rows that change without a step, case by case, each with its event and the message that its date moved.

    Raises:
        StaleCase: If somebody else moved one of the cases meanwhile.
    """
    left = [list(one) for one in moving if one]
    while left:
        kept, rows, messages = [], [], []
        for many in left:
            keeping, row = _moving_kept(desk, many.pop(0), request, more)
            kept.append(keeping)
            rows.append(row[0])
            messages += row[1]
            many[:] = [one._replace(found=one.found._replace(case=keeping.after)) for one in many]
        won = keep_many(desk.connection, kept)
        lost = next((one.before for one in kept if one.before.id not in won), None)
        if lost is not None:
            raise StaleCase(lost.number, lost.revision)
        deadlines.put(desk.connection, rows)
        deadlines.add_messages(desk.connection, messages)
        lanes.settle(desk, [one.before.id for one in kept], request)
        left = [many for many in left if many]


def _moving_kept(
    desk: Desk, one: Moving, request: Request, more: Mapping[str, Json]
) -> tuple[Keeping, tuple[Row, list[Message]]]:
    case, old = one.found.case, one.old
    machine = desk.machine(case.shape)
    is_new_date = old is None or old.due_at != one.row.due_at
    row = one.row._replace(sequence=case.head.seq + 1) if is_new_date else one.row
    told = told_of(row)
    was = None if old is None or old.due_at is None else moment(old.due_at)
    data: dict[str, Json] = {"deadline": row.name, "old": was, "new": told.pop("due"), **told, **more}
    event: dict[str, Json] = {"at": moment(request.at), "actor": request.actor.login, "data": data}
    if one.cause is not None:
        event["cause"] = one.cause
    written = write_event(desk, machine, case, EventKind.DEADLINE_MOVED, event)
    after = case._replace(revision=case.revision + 1, head=Head(seq=written.seq, hash=written.hash))
    messages = [
        Message(written.chain, written.seq, role, MOVED, row.name, row.due_at)
        for role in (
            told_roles(machine.definition.deadlines[row.name]) if was and is_new_date and not row.settled else ()
        )
    ]
    return Keeping(before=case, after=after, event=written), (row, messages)


def told_roles(deadline: Deadline) -> tuple[str, ...]:
    """Who hears that a date has moved: those it is told to before it comes."""
    return () if deadline.remind is None else deadline.remind.to


def settle_students(
    desk: Desk, causes: Mapping[int, Mapping[str, Json]], facts: Iterable[str], request: Request, *, apart_from: int = 0
) -> None:
    """After facts of students have changed: settle their cases that read them, and cases that look at other cases.

    Args:
        desk: Where the cases are worked.
        causes: By student, the event that changed the facts.
        facts: The facts that changed, of whichever of them.
        request: By whom and when.
        apart_from: The case whose own step wrote the facts and tells of its deadlines itself.
    """
    touched = frozenset(facts)
    running = deadlines.running_of_students(desk.connection, list(causes))
    own = {case: causes[student or 0] for case, student in running if case != apart_from}
    settle(desk, own, request, lambda watch: watch.documents or watch.others or not touched.isdisjoint(watch.facts))
    settle_lookers(desk, causes, request)


def settle_batch(desk: Desk, batch: str, fields: Iterable[str], request: Request, cause: Mapping[str, Json]) -> int:
    """After values of a batch have changed: settle its cases that read them; a date just set is no longer open."""
    touched = frozenset(fields)
    running = deadlines.running_of_batch(desk.connection, batch)
    lanes.settle_batch(desk, batch, touched, request)
    return settle(desk, dict.fromkeys(running, cause), request, lambda watch: not touched.isdisjoint(watch.batch))


def settle_unit(desk: Desk, unit: UnitRow, facts: Iterable[str], request: Request, cause: Mapping[str, Json]) -> int:
    """After facts of a unit have changed: settle the cases there and below whose deadlines read them."""
    touched = frozenset(facts)
    running = deadlines.running_at(desk.connection, unit.path)
    lanes.settle_unit(desk, unit, touched, request)
    return settle(desk, dict.fromkeys(running, cause), request, lambda watch: not touched.isdisjoint(watch.units))


def settle_lookers(desk: Desk, causes: Mapping[int, Mapping[str, Json]], request: Request) -> None:
    """After cases of students have moved: settle the cases whose deadlines or timers look at other cases.

    Few definitions have such (`Desk.lookers`); where there are none, this costs nothing.
    """
    lookers = desk.lookers()
    if not lookers or not causes:
        return
    first = next(iter(causes.values()))
    running = deadlines.running_of_shapes(desk.connection, lookers)
    own = {case: causes.get(student or 0, first) for case, student in running}
    settle(desk, own, request, lambda watch: watch.others or watch.tables)


def cause_of(chain: int, seq: int) -> Mapping[str, Json]:
    """An event as another names it as its cause."""
    return {"chain": chain_name(chain), "seq": seq}
