"""Extending a deadline of a case, of all cases of a batch, and counting dates anew after a new holiday notice.

Whoever is told when a deadline is missed may set another date, later or earlier, at the case's unit or above; the
records section, where nobody is. A date that a person has set is not counted anew. Every change is a `deadline_moved`
event with the old date, the new one and why, and a message to those who are reminded of it.

Source: the definition language, section 8; requirements.md, INV-DL-1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from engine.actors import Grant
from engine.barring import Hearing, hear, on_clock, refusal
from engine.definition import Deadline
from engine.delegating import keep_refusal, refused_data
from engine.desk import Desk
from engine.errors import NotAllowed, Unknown
from engine.expressions.functions import end_of_day
from engine.ladder import over_at
from engine.records import Case, Request, Verdict
from engine.rights import decides_own_case
from engine.settling import Moving, change_of, moved_to, next_at, settle, write_moving
from engine.store import deadlines
from engine.store.cases import Found, read_case, read_cases
from engine.store.deadlines import Row

_CHUNK = 500
_OTHERWISE = "records_section"
"""Who sets another date where nobody is told of a missed one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extended:
    """What asking for another date came to: the row before and after, or every reason why not."""

    before: Row | None = None
    after: Row | None = None
    refused: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedMany:
    """What asking for another date for a batch came to: how many have it, those that had it, and not the person's."""

    moved: int = 0
    unchanged: int = 0
    barred: tuple[str, ...] = ()
    refused: tuple[Verdict, ...] = ()

    def __add__(self, other: ExtendedMany) -> ExtendedMany:
        """Two chunks together."""
        return ExtendedMany(
            moved=self.moved + other.moved,
            unchanged=self.unchanged + other.unchanged,
            barred=self.barred + other.barred,
            refused=self.refused + other.refused,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Recounted:
    """What counting anew came to: cases looked at, and deadlines that moved."""

    looked: int
    moved: int


def last_moment(day: date) -> datetime:
    """A day or a moment as a person gives it: a day lasts to its last second in Asia/Shanghai, a moment is itself."""
    if isinstance(day, datetime):
        return day
    end = end_of_day(day)
    if end is None:
        raise Unknown("日期 date", str(day))
    return end


def may_extend(deadline: Deadline) -> str:
    """The role that may set another date for a deadline."""
    return _OTHERWISE if deadline.escalate is None else deadline.escalate.to


def extend_deadline(desk: Desk, case: int, name: str, due: datetime, request: Request) -> Extended:
    """Give a deadline of a case another last moment.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        name: The deadline of its definition.
        due: The last moment in time, UTC.
        request: By whom, when, and the `reason`.

    Raises:
        Unknown: If there is no such case, or no such deadline runs in its state.
        NotAllowed: If the person may not set this date at the case's unit.
        StaleCase: If the case has changed since it was seen.
    """
    desk.refresh()
    with desk.connection.writing():
        deadlines.hold_cases(desk.connection, [case])
        hearing = hear(desk, case, request)
        row = _running(desk, hearing.case, name)
        refused = (*_unfit(desk, due, request), *_barred(hearing, row, due))
        if refused:
            keep_refusal(hearing, {**refused_data(request, refused), "deadline": name})
            return Extended(before=row, refused=refused)
        found = read_case(desk.connection, case)
        if found is None:
            raise Unknown("办件 case", hearing.case.number)
        moving = _moving(desk, found, row, due, request)
        write_moving(desk, [[moving]], request, _told(request))
    return Extended(before=row, after=moving.row)


def extend_batch(
    desk: Desk, batch: str, name: str, due: datetime, request: Request, *, dry_run: bool = False
) -> ExtendedMany:
    """Give a deadline of every case of a batch in which it runs another last moment, some hundreds a transaction.

    Run again after it was cut off, it goes on: what has the date already stays as it is.

    Args:
        desk: Where the cases are worked.
        batch: The batch.
        name: The deadline, in whichever definitions have it.
        due: The last moment in time, UTC.
        request: By whom, when, and the `reason`.
        dry_run: Count, and write nothing.

    Raises:
        Unknown: If the batch is not published, or the deadline runs in none of its cases.
    """
    desk.refresh()
    if desk.batch(batch) is None:
        raise Unknown("已发布批次 published batch", batch)
    cases = deadlines.running_of_batch(desk.connection, batch, name)
    if not cases:
        raise Unknown(f"批次 {batch} 中运行的期限 running deadline", name)
    refused = tuple(_unfit(desk, due, request))
    if refused:
        return ExtendedMany(refused=refused)
    done = ExtendedMany()
    for start in range(0, len(cases), _CHUNK):
        with desk.connection.writing():
            done += _extend_chunk(desk, cases[start : start + _CHUNK], (name, due), request, dry_run=dry_run)
    return done


def _extend_chunk(
    desk: Desk, cases: Sequence[int], wanted: tuple[str, datetime], request: Request, *, dry_run: bool
) -> ExtendedMany:
    """Give a deadline (name, last moment) of some cases of a batch another date, inside one transaction."""
    name, due = wanted
    moving: list[list[Moving]] = []
    unchanged, barred = 0, []
    for found, row in _held(desk, cases, name):
        hearing = Hearing(desk, desk.machine(found.case.shape), found.case, request)
        if row.due_at == due:
            unchanged += 1
        elif (grant := _grant(hearing, name)) is None or decides_own_case(request.actor, grant, found.case):
            barred.append(found.case.number)
        else:
            moving.append([_moving(desk, found, row, due, request)])
    if not dry_run:
        write_moving(desk, moving, request, _told(request))
    return ExtendedMany(moved=len(moving), unchanged=unchanged, barred=tuple(barred))


def recount(
    desk: Desk, request: Request, progress: Callable[[int], None] = lambda _: None, *, dry_run: bool = False
) -> Recounted:
    """Count every deadline that runs anew by the calendar in force; dates that people have set stay.

    Run again after it was cut off, it goes on: what is counted already does not move again. A case from before there
    were rows is given its own.

    Raises:
        NotAllowed: If the person does not keep the calendar (the records section does).
    """
    desk.refresh()
    if all(grant.role != _OTHERWISE for grant in request.actor.grants):
        raise NotAllowed(request.actor.login, "deadline_recount", (_OTHERWISE,), "")
    timed = [shape for shape in desk.shapes_in_use() if desk.definition(shape).deadlines]
    looked = moved = after = 0
    while timed and (cases := deadlines.cases_after(desk.connection, timed, after, _CHUNK)):
        after = cases[-1]
        with desk.connection.writing():
            moved += settle(desk, dict.fromkeys(cases), request, dry_run=dry_run)
        looked += len(cases)
        progress(len(cases))
    return Recounted(looked=looked, moved=moved)


class Touched(NamedTuple):
    """How many dates would move, and of how many students; `is_most`: not more than so many, they were not counted."""

    deadlines: int
    people: int
    is_most: bool = False


def touched(desk: Desk, request: Request, most: int) -> Touched:
    """Which dates would move if every deadline that runs were counted anew at this desk; nothing is written.

    Args:
        desk: By whose calendar.
        request: By whom and when.
        most: More cases than this are not counted while somebody waits; then it is said how many run in all.
    """
    timed = [shape for shape in desk.shapes_in_use() if desk.definition(shape).deadlines]
    moved, people, after = 0, set[int](), 0
    with desk.connection.reading():
        cases = deadlines.cases_after(desk.connection, timed, after, most + 1) if timed else []
        if len(cases) > most:
            return Touched(*deadlines.still_counted(desk.connection), is_most=True)
        rows = deadlines.of_cases(desk.connection, cases)
        for case, found in read_cases(desk.connection, cases).items():
            before = {row.name: row.due_at for row in rows.get(case, ())}
            change = change_of(desk, found, rows.get(case, ()), request)
            late = [row for row in (() if change is None else change.rows) if before.get(row.name) != row.due_at]
            moved += len(late)
            people |= {found.case.student} if late and found.case.student is not None else set()
    return Touched(moved, len(people))


def _running(desk: Desk, case: Case, name: str) -> Row:
    rows = {row.name: row for row in deadlines.of_case(desk.connection, case.id)}
    if name not in rows:
        raise Unknown(f"办件 {case.number} 正在运行的期限 running deadline", name, rows)
    return rows[name]


def _held(desk: Desk, cases: Sequence[int], name: str) -> Iterator[tuple[Found, Row]]:
    """Cases with the row of a deadline, nobody else's for the rest of the transaction."""
    deadlines.hold_cases(desk.connection, cases)
    rows = deadlines.of_cases(desk.connection, cases)
    for case, found in sorted(read_cases(desk.connection, cases).items()):
        yield from ((found, row) for row in rows.get(case, ()) if row.name == name)


def _unfit(desk: Desk, due: datetime, request: Request) -> Iterator[Verdict]:
    """What is wrong with the words of a call, whichever case it is about."""
    if not str(request.fields.get("reason") or "").strip():
        yield refusal(desk, "asked-missing", field="理由 Reason")
    if request.at >= over_at(due):
        yield refusal(desk, "deadline-past", due=on_clock(due))


def _barred(hearing: Hearing, row: Row, due: datetime) -> Iterator[Verdict]:
    """What stands against another date for this case.

    Raises:
        NotAllowed: If the person does not hold the role.
    """
    desk, machine, case, request = hearing
    deadline = machine.definition.deadlines[row.name]
    grant = _grant(hearing, row.name)
    if grant is None:
        raise NotAllowed(request.actor.login, "deadline_extend", (may_extend(deadline),), case.unit)
    if decides_own_case(request.actor, grant, case):
        yield refusal(desk, "own-case", what=deadline.title.zh)
    if row.due_at == due:
        yield refusal(desk, "deadline-same", what=deadline.title.zh, due=on_clock(due))


def _grant(hearing: Hearing, name: str) -> Grant | None:
    """The right of one's own, at the case's unit or above, by which a person sets another date; none that is lent."""
    role, path = may_extend(hearing.machine.definition.deadlines[name]), hearing.case.path
    own = (one for one in hearing.request.actor.grants if one.role == role and path.startswith(one.path))
    return next(own, None)


def _moving(desk: Desk, found: Found, row: Row, due: datetime, request: Request) -> Moving:
    machine = desk.machine(found.case.shape)
    moved = moved_to(row, due, request.at, found.case.head.seq + 1)._replace(extended=True)
    following = next_at(machine.definition.deadlines[row.name], moved, machine.calendar)
    return Moving(found, row, moved._replace(next_at=following), None)


def _told(request: Request) -> dict[str, bool | str]:
    return {"extended": True, "reason": str(request.fields["reason"])}
