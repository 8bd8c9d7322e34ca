"""Taking sheets in for people at a console: read whole and judged whole, rehearsed, and kept whole or not at all.

A sheet is judged for whoever sends it: students of other units are as unknown as those who do not exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NoReturn

from console.on_file import on_file, unit_rows
from engine.actors import Actor
from engine.desk import Desk
from engine.enrolling import Enrolment, RosterRefused, enrol
from engine.errors import NotAllowed, Unknown
from engine.expressions.kinds import SHANGHAI
from engine.facts import FactRefusal, keep_refusals, write_facts
from engine.organisation import add_units
from engine.recording import WholeRefused
from engine.records import Json, Request
from engine.scopes import choice_titles
from engine.store.students import by_numbers
from engine.tabling import replace_table
from engine.taking_in import Ready, not_theirs, reach_of, ready
from engine.writers import KEEPER
from exchange.columns import Column, codes_under
from exchange.fact_sheets import STUDENT_NO, facts_in
from exchange.faults import Fault
from exchange.known import Known
from exchange.rosters import RosterRow, new_units, roster_in
from exchange.tables import table_in
from exchange.workbooks import Grid

PART = 1_000
"""Students rehearsed in one go: on SQLite nobody else writes meanwhile."""

OPEN_RECORD = "open_record"
"""The step by which a roster opens records."""

REFUSED = (RosterRefused, WholeRefused)
"""What ends the keeping of a whole sheet because rules refuse some of it; each says whom."""

Told = Callable[[int], None]
"""Told of the row that was looked at last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What taking a sheet in does: students opened, added without a record, changed or not; or rows of a table.

    `passed` and `failed` are results recorded; `pictures` those put on cases, `loose` those without a case to be put
    on, and `openable` for how many of them whoever takes them in could open one. `ready` are the cases that nothing
    stands in the way of any more, `applying` the records among them, whose students may apply; `reviews` those whose
    picture is to be looked at again. With `refused` nothing of the rest was done.
    """

    opened: int = 0
    added: int = 0
    removed: int = 0
    changed: int = 0
    unchanged: int = 0
    units: int = 0
    passed: int = 0
    failed: int = 0
    pictures: int = 0
    loose: int = 0
    openable: int = 0
    ready: frozenset[int] = frozenset()
    applying: frozenset[int] = frozenset()
    reviews: frozenset[int] = frozenset()
    refused: tuple[FactRefusal, ...] = ()

    @property
    def counts(self) -> tuple[int, ...]:
        """What people are shown before they say yes, and what has to be so still when they do."""
        return tuple(getattr(self, name) for name in COUNTED)

    @property
    def does_nothing(self) -> bool:
        """Whether everything it says is on file already."""
        return not (self.refused or any(getattr(self, name) for name in COUNTED if name not in _AS_BEFORE))

    def and_then(self, other: Effect) -> Effect:
        """Both parts of a sheet together."""
        sums = (one + two for one, two in zip(self.counts, other.counts, strict=True))
        return replace(
            counted(sums), ready=self.ready | other.ready, applying=self.applying | other.applying,
            reviews=self.reviews | other.reviews, refused=(*self.refused, *other.refused),
        )  # fmt: skip


COUNTED = (
    "opened", "added", "removed", "changed", "unchanged", "units", "passed", "failed", "pictures", "loose", "openable",
)  # fmt: skip
"""What is counted, in the order it is kept beside a sheet; what is new comes last."""
_AS_BEFORE = ("unchanged", "loose", "openable")
"""What is counted and changes nothing."""


def counted(counts: Iterable[int]) -> Effect:
    """What taking a sheet in does, as far as it is counted (`Effect.counts`, or the first of them)."""
    known: dict[str, Any] = dict(zip(COUNTED, counts, strict=False))
    return Effect(**known)


def freeing(effect: Effect, before: Ready, after: Ready) -> Effect:
    """The same, with the cases that it has freed."""
    applying = after.applying - before.applying
    return replace(effect, ready=applying | (after.waiting - before.waiting), applying=applying)


Keep = Callable[[Desk, Request], Effect]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A sheet that was read: what is wrong with it, how often it changes which fact, and how it is kept.

    `keep` keeps the whole of it; `parts` do the same one after the other, for a rehearsal. `listed` are the students
    who are to be named before anybody says yes, each with why; `first` is the number of the first row.
    """

    rows: int
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]
    keep: Keep
    parts: tuple[Keep, ...]
    facts: Mapping[str, int] = field(default_factory=dict)
    listed: tuple[tuple[str, str], ...] = ()
    first: int = 2


class _TakenBack(Exception):
    """Ends the transaction of a rehearsal: an ending, no error."""

    def __init__(self, effect: Effect) -> None:
        self.effect = effect
        super().__init__()


def rehearsed(desk: Desk, judged: Judged, request: Request, told: Told) -> Effect:
    """What a sheet would do, found by doing it and taking it back, part by part.

    Args:
        desk: Where it would be kept.
        judged: A sheet without faults.
        request: By whom and when.
        told: Told of the parts that were tried.
    """
    found = Effect()
    for place, part in enumerate(judged.parts, start=1):
        found = found.and_then(_tried(desk, part, request))
        told(judged.rows * place // len(judged.parts))
    return found


def _tried(desk: Desk, part: Keep, request: Request) -> Effect:
    try:
        with desk.connection.writing():
            _take_back(part(desk, request))
    except _TakenBack as end:
        return end.effect
    except REFUSED as problem:
        return Effect(refused=problem.refused)
    finally:
        desk.refresh()


def _take_back(effect: Effect) -> NoReturn:
    raise _TakenBack(effect)


def rows_in(grid: Grid) -> int:
    """How many rows below the header say anything."""
    return sum(any(cell is not None for cell in row) for row in grid[1:])


# --- facts --------------------------------------------------------------------------------------


def facts(desk: Desk, grid: Grid, request: Request, columns: Sequence[Column], told: Told) -> Judged:
    """A sheet of facts, as whoever sends it may take it in."""
    reach = reach_of(desk.library.rulebook, request.actor, request.at)
    today = request.at.astimezone(SHANGHAI).date()
    known = on_file(desk, reach.everywhere(), codes_under(grid, STUDENT_NO))
    sheet = facts_in(grid, known, today, columns, told)
    rows = {one.student_no: one.facts for one in sheet.rows}
    numbers = list(rows)
    parts = [{one: rows[one] for one in numbers[start : start + PART]} for start in range(0, len(numbers), PART)]
    return Judged(
        rows=rows_in(grid),
        faults=sheet.faults,
        warnings=sheet.warnings,
        keep=partial(_keep_facts, rows),
        parts=tuple(partial(_keep_facts, one) for one in parts),
        facts=Counter(name for one in sheet.rows for name in one.changed),
    )


def _keep_facts(rows: Mapping[str, Mapping[str, Json]], desk: Desk, request: Request) -> Effect:
    with desk.connection.writing():
        refused = not_theirs(desk, rows, request)
        if refused:
            keep_refusals(desk, refused, request)
            return Effect(refused=refused)
        before = ready(desk, list(rows), request)
        done = write_facts(desk, rows, request)
        after = ready(desk, list(rows), request)
    done_so_far = Effect(changed=done.changed, unchanged=done.unchanged, refused=done.refused)
    return freeing(done_so_far, before, after)


# --- rosters ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolling:
    """How a roster is taken in: may it name new units, and are records opened (not so for 录取名单)."""

    create_units: bool = False
    opens_record: bool = True


def roster(desk: Desk, grid: Grid, request: Request, how: Enrolling, told: Told) -> Judged:
    """A roster; it is kept and rehearsed in one piece, for its units and numbers hang together."""
    known = replace(on_file(desk), students={})
    today = request.at.astimezone(SHANGHAI).date()
    sheet = roster_in(grid, known, today, create_units=how.create_units, told=told)
    keep = partial(_keep_roster, sheet.rows, known, how)
    return Judged(rows=rows_in(grid), faults=sheet.faults, warnings=sheet.warnings, keep=keep, parts=(keep,))


def enrolments(rows: Sequence[RosterRow]) -> list[Enrolment]:
    """The lines of a roster as the engine takes them."""
    return [Enrolment(student_no=row.student_no, unit=row.site_code, facts=row.facts) for row in rows]


def _keep_roster(rows: Sequence[RosterRow], known: Known, how: Enrolling, desk: Desk, request: Request) -> Effect:
    said = {row.student_no: row.facts for row in rows}
    with desk.connection.writing():
        new = unit_rows(desk, new_units(rows, known))
        add_units(desk, new, at=request.at, actor=request.actor.login)
        _demand_own_units(desk, rows, request)
        if refused := not_theirs(desk, said, request):
            raise RosterRefused(refused)
        known_before = list(by_numbers(desk.connection, list(said)))
        before = ready(desk, known_before, request)
        done = enrol(desk, enrolments(rows), request, opens_record=how.opens_record)
        after = ready(desk, known_before, request)
    effect = Effect(
        opened=done.opened, added=done.added, changed=done.changed, unchanged=done.unchanged, units=len(new),
    )  # fmt: skip
    return freeing(effect, before, after)


def _demand_own_units(desk: Desk, rows: Sequence[RosterRow], request: Request) -> None:
    paths = reach_of(desk.library.rulebook, request.actor, request.at).everywhere()
    for unit in dict.fromkeys(row.site_code for row in rows):
        if not desk.units()[unit].path.startswith(paths):
            raise NotAllowed(request.actor.login, OPEN_RECORD, (KEEPER,), unit)


# --- tables -------------------------------------------------------------------------------------


def table(desk: Desk, grid: Grid, name: str) -> Judged:
    """A sheet that becomes the whole of a table."""
    vocabulary = desk.library.rulebook.vocabulary
    sheet = table_in(grid, vocabulary.tables[name], vocabulary.student, choice_titles(vocabulary))
    keep = partial(_keep_table, name, [one.values for one in sheet.rows])
    return Judged(rows=rows_in(grid), faults=sheet.faults, warnings=sheet.warnings, keep=keep, parts=(keep,))


def _keep_table(name: str, rows: Sequence[Mapping[str, Json]], desk: Desk, request: Request) -> Effect:
    done = replace_table(desk, name, rows, request)
    return Effect(added=done.added, removed=done.removed, unchanged=done.after - done.added)


def may_open_records(desk: Desk, actor: Actor) -> bool:
    """Whether a person is one of those who open records where they hold a role."""
    return any(grant.role in _openers(desk, grant.unit) for grant in actor.grants)


def _openers(desk: Desk, unit: str) -> frozenset[str]:
    try:
        record = desk.library.record(desk.profile_of(unit))
    except Unknown:  # a unit above all profiles
        return frozenset()
    opening = record.transitions.get(OPEN_RECORD)
    return frozenset() if opening is None else frozenset(who.acting_role for who in opening.by)
