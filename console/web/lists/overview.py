"""All lists in sight: one row for each unit and list, what is late first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import urlencode

from console.web.lists.reading import VOID, fixed_at
from console.web.presence import Presence
from console.web.visit import Visit
from engine.definition import Bilingual, Definition
from engine.forward import ways_on
from engine.records import Case
from engine.signing import votes
from engine.step import Step
from engine.steps import Machine
from engine.store import people
from engine.store.lists import Listing, standing
from engine.store.people import Holder
from engine.store.stories import story

PAGE = 100
_MOST = 5_000
"""Lists that are read for one page; a province has some hundreds in a batch."""
_NAMED = 2
_NEVER = datetime(9999, 12, 31, tzinfo=UTC)
OPEN, LATE, OVER = "open", "late", "over"


class Held(NamedTuple):
    """Whom a list waits for: the role, and the first of those who hold it there, as they are addressed."""

    role: Bilingual
    names: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One list. `signed` of `seats` signatures are given; `seats` 0: it is not being signed."""

    number: str
    unit: str
    unit_code: str
    kind: str
    title: Bilingual
    batch: str
    state: Bilingual
    tone: str
    is_over: bool
    members: int
    signed: int
    seats: int
    held: Held | None
    since: datetime
    due_at: datetime | None
    due_title: Bilingual | None
    is_late: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The page: its rows, how many there are of each sort, and what the address narrows it to."""

    rows: tuple[Row, ...]
    counts: Mapping[str, int]
    narrowing: Mapping[str, str]
    kinds: tuple[tuple[str, Bilingual], ...]
    batches: tuple[tuple[str, str], ...]
    following: str

    def address(self, **changes: str) -> str:
        """The address that says the same, with changes; an empty one leaves a word out."""
        return _address({**self.narrowing, **changes})


def overview(visit: Visit) -> Overview:
    """The lists that the visitor may know of, under the filter the address says."""
    given, narrowing = visit.request.query_params, narrowing_of(visit)
    every = in_sight(visit)
    fitting = [one for one in every if fits(visit, one, {**narrowing, "show": ""})]
    rows = shown_of(visit, fitting, narrowing)
    start = next((at + 1 for at, one in enumerate(rows) if one.number == given.get("after")), 0)
    page = rows[start : start + PAGE]
    follows = len(rows) > start + PAGE
    return Overview(
        rows=tuple(page),
        counts={
            "": len(fitting),
            LATE: sum(one.is_late for one in fitting),
            OPEN: sum(not one.is_over for one in fitting),
            OVER: sum(one.is_over for one in fitting),
        },
        narrowing=narrowing,
        kinds=tuple({one.kind: (one.kind, one.title) for one in every}.values()),
        batches=tuple({one.batch: (one.batch, _batch(visit, one.batch)) for one in every if one.batch}.values()),
        following=_address({**narrowing, "after": page[-1].number}) if follows else "",
    )


def narrowing_of(visit: Visit) -> dict[str, str]:
    """What the address narrows the lists to, by word."""
    return {name: visit.request.query_params.get(name, "") for name in ("show", "kind", "batch", "unit")}


def shown_of(visit: Presence, every: Iterable[Row], narrowing: Mapping[str, str]) -> list[Row]:
    """Those of some lists that fit, the most urgent first."""
    return sorted((one for one in every if fits(visit, one, narrowing)), key=_urgency)


def in_sight(visit: Presence) -> list[Row]:
    """Every list that somebody may know of, the newest first."""
    known = _kinds(visit)
    found = standing(visit.desk.connection, sorted(known), visit.visible.where(), _MOST) if known else []
    seats = [(one, visit.desk.machine_for(one.case, {})) for one in found]
    staff = _staff(visit, seats)
    return [_row(visit, one, machine, staff) for one, machine in seats]


def _address(said: Mapping[str, str]) -> str:
    kept = {name: value for name, value in said.items() if value}
    return f"/lists?{urlencode(kept)}" if kept else "/lists"


def _kinds(visit: Presence) -> dict[str, Definition]:
    """Every kind of list of every profile, by name."""
    return {one.workflow: one for one in visit.desk.library.machines() if one.members is not None}


def _batch(visit: Visit, code: str) -> str:
    row = visit.desk.batch(code)
    return code if row is None else row.title


def fits(visit: Presence, row: Row, narrowing: Mapping[str, str]) -> bool:
    """Whether a list is among those that `show`, `kind`, `batch` and `unit` narrow to; an empty one narrows nothing."""
    unit = visit.desk.units().get(narrowing["unit"])
    if narrowing["unit"] and (unit is None or not visit.desk.units()[row.unit_code].path.startswith(unit.path)):
        return False
    if any(narrowing[name] not in ("", getattr(row, name)) for name in ("kind", "batch")):
        return False
    match narrowing["show"]:
        case "late":
            return row.is_late
        case "open":
            return not row.is_over
        case "over":
            return row.is_over
        case _:
            return True


def _urgency(row: Row) -> tuple[bool, bool, datetime, str, str]:
    return row.is_over, not row.is_late, row.due_at or _NEVER, row.unit_code, row.kind


def _row(visit: Presence, one: Listing, machine: Machine, staff: Mapping[str, Sequence[Holder]]) -> Row:
    case, definition = one.case, machine.definition
    state, batch = definition.states.get(case.state), case.fields.get("batch")
    signing = _signing(machine, case)
    sign = None if signing is None else signing.transition.sign
    given = {} if signing is None else votes(case.slots, signing.trigger)
    is_over = machine.is_final(case.state)
    return Row(
        number=case.number,
        unit=_unit(visit, case, definition),
        unit_code=case.unit,
        kind=case.workflow,
        title=definition.title,
        batch=batch if isinstance(batch, str) else "",
        state=VOID if state is None else state.title,
        tone="ok" if is_over else "run" if definition.is_fixed(case.state) else "neutral",
        is_over=is_over,
        members=one.members,
        signed=sum(vote.yes for vote in given.values()),
        seats=0 if sign is None else max(len(sign.slots), len(given)),
        held=_held(visit, machine, case, staff),
        since=datetime.fromisoformat(case.entered_at),
        due_at=one.due_at,
        due_title=None if one.deadline is None else definition.deadlines[one.deadline].title,
        is_late=one.due_at is not None and visit.at > one.due_at,
    )


def _unit(visit: Presence, case: Case, definition: Definition) -> str:
    """What the unit is called; of a list with fixed members, what it was called when they were."""
    desk = visit.desk
    is_of_then = bool(desk.earlier_names(case.unit)) and definition.is_fixed(case.state)
    fixed = fixed_at(story(desk.connection, [case.id])) if is_of_then else None
    return desk.unit_named(case.unit, fixed or visit.at)


def _signing(machine: Machine, case: Case) -> Step | None:
    """The step that is being signed."""
    steps = (machine.step(case.state, trigger) for trigger in machine.open_triggers(case.state))
    return next((step for step in steps if step.signing is not None), None)


# --- who holds it -----------------------------------------------------------------------------------------------------


def _staff(visit: Presence, lists: Sequence[tuple[Listing, Machine]]) -> dict[str, list[Holder]]:
    """Everybody who holds a role that any of the lists waits for, by role."""
    roles = sorted({role for one, machine in lists for role, _ in _roles(machine, one.case)})
    found: dict[str, list[Holder]] = {}
    for holder in people.holding(visit.desk.connection, roles) if roles else ():
        found.setdefault(holder.role, []).append(holder)
    return found


def _roles(machine: Machine, case: Case) -> Iterator[tuple[str, str]]:
    """The roles a list waits for: who acts, and as whom (another where it is written down for somebody)."""
    signing = _signing(machine, case)
    if signing is not None and signing.signing is not None:
        given = {name.partition("@")[0] for name in votes(case.slots, signing.trigger)}
        open_ = [(who.acting_role, who.role) for name, who in signing.signing.sign.slots.items() if name not in given]
        yield from open_[:1] if signing.signing.sign.order == "sequence" else open_
        return
    for way in ways_on(machine, case.state):
        yield from ((role, role) for role, _ in way.roles)


def _held(visit: Presence, machine: Machine, case: Case, staff: Mapping[str, Sequence[Holder]]) -> Held | None:
    first = next(_roles(machine, case), None)
    if first is None:
        return None
    acting, role = first
    path = visit.desk.units()[case.unit].path
    here = {one.login: one.name or one.login for one in staff.get(acting, ()) if path.startswith(one.path)}
    title = visit.desk.library.rulebook.organisation.called(role)
    return Held(title, tuple(here.values())[:_NAMED], max(0, len(here) - _NAMED))
