"""One case as it stands, or stood: where it is, what leads on and what stands in the way, and how it came here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from console import documents
from console.calling import Caller, Sitting
from console.deadlines import show_of_case
from console.judging import NOBODY
from console.looking_back import Beside, Past, beside, past, show_beside, show_then
from console.looking_back import document as beside_document
from console.printing import (
    both,
    document,
    line,
    long_moment,
    note,
    role_title,
    shortened,
    state_title,
    table,
    timeline,
    verdicts,
)
from engine.casework import find_case
from engine.definition import Bilingual
from engine.desk import Desk
from engine.eligibility import works_by
from engine.prospects import Prospect, SeatStanding, Signatures, prospects
from engine.records import Case, Json
from engine.steps import Machine
from engine.store import registry
from engine.store.cases import Found, read_case
from engine.store.deadlines import Row, of_case
from engine.timeline import Entry
from engine.timeline import timeline as entries_of
from engine.trail.event import moment
from engine.viewing import view_case
from engine.vocabulary import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """What is shown of a case."""

    found: Found
    machine: Machine
    steps: tuple[Prospect, ...]
    entries: tuple[Entry, ...]
    assumed: dict[str, Json]
    deadlines: tuple[Row, ...]
    beside: Beside
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Which case is asked for, as of when (None: now), and who looks; an auditor's look is kept in the trail."""

    about: str
    number: str | None = None
    at: datetime | None = None
    login: str | None = None


def show_case(caller: Caller, look: Look, *, as_json: bool) -> int:
    """Show one case; without a number, the student's record, or the one open case of a unit."""
    with caller.sitting() as sitting:
        if look.login is not None:
            _keep_look(sitting, look, look.login)
        if look.at is None:
            _answer(sitting, _look(sitting, find_case(sitting.desk, look.about, look.number)), None, as_json=as_json)
        else:
            with past(sitting, look.about, look.number, look.at) as then:
                _answer(then.sitting, _look(then.sitting, then.case), then, as_json=as_json)
    return 0


def _keep_look(sitting: Sitting, look: Look, login: str) -> None:
    """An auditor's look at a case is an event of it, before anything is shown."""
    case = find_case(sitting.desk, look.about, look.number)
    view_case(sitting.desk, case, sitting.request("view", sitting.desk.actor(login)), as_of=look.at)


def _answer(sitting: Sitting, view: _View, then: Past | None, *, as_json: bool) -> None:
    if as_json:
        told = (
            {} if then is None else {"at": moment(view.at), "lacking": [documents.words(one) for one in then.lacking]}
        )
        document({**_document(view), **told})
        return
    if then is not None:
        show_then(view.at, then.lacking)
    _show(sitting.desk, view, is_past=then is not None)


def _look(sitting: Sitting, case: int) -> _View:
    desk = sitting.desk
    before = read_case(desk.connection, case)
    assumed = {} if before is None else _batch_to_come(desk, before.case)
    found, machine, steps = prospects(desk, case, sitting.request("look", NOBODY, assumed))
    return _View(
        found=found,
        machine=machine,
        steps=steps,
        entries=entries_of(desk, found),
        assumed=assumed,
        deadlines=tuple(of_case(desk.connection, case)),
        beside=beside(desk, found, machine, steps, sitting.at),
        at=sitting.at,
    )


def _batch_to_come(desk: Desk, case: Case) -> dict[str, Json]:
    """The batch a case would be given, where only one can be meant: without it, rules that read it stay undecided."""
    definition = desk.definition(case.shape)
    for name, field in definition.fields.items():
        kind, _, of = field.type.partition(" ")
        if kind != "batch" or case.fields.get(name) is not None:
            continue
        rows = [desk.batch(batch) for batch in registry.batches(desk.connection)]
        fitting = [row.name for row in rows if row and row.kind == of and works_by(desk, case.unit, row.profile)]
        if len(fitting) == 1:
            return {name: fitting[0]}
    return {}


def _document(view: _View) -> documents.Document:
    case, definition = view.found.case, view.machine.definition
    state = definition.states.get(case.state)
    return {
        "student_no": view.found.student_no,
        "case": case.number,
        "workflow": case.workflow,
        "state": case.state,
        "state_title": documents.words(state.title) if state else None,
        "revision": case.revision,
        "unit": case.unit,
        "batch": case.fields.get("batch"),
        "opened_at": case.opened_at,
        "entered_at": case.entered_at,
        "deadlines": [documents.deadline(row, view.at) for row in view.deadlines],
        "assumed": view.assumed,
        **beside_document(view.beside),
        "steps": [documents.prospect(one) for one in view.steps],
        "timeline": [documents.entry(one) for one in view.entries],
    }


def _show(desk: Desk, view: _View, *, is_past: bool) -> None:
    case, definition = view.found.case, view.machine.definition
    about = f"单位 unit {case.unit}" if view.found.student_no is None else f"学号 student {view.found.student_no}"
    line(f"{about}　{both(definition.title)}", style="bold")
    line(f"办件号 case {case.number}　状态 state：{state_title(definition, case.state)}　版本 revision {case.revision}")
    line(f"单位 unit {_place(desk, case.unit)}　批次 batch {case.fields.get('batch') or '—'}")
    line(f"进入此状态 since {long_moment(case.entered_at)}")
    line()
    if is_past:
        show_beside(desk, view.machine, view.beside)
    if view.deadlines:
        show_of_case(definition, view.deadlines, view.at)
    if not view.steps:
        line("没有可办的步骤。Nothing leads on from here.")
    for one in view.steps:
        _show_step(desk, view.machine, one)
    for name, batch in view.assumed.items():
        note(f"按批次 {batch} 判断（{name} 尚未填写）。Judged as for batch {batch}, the only one there is.")
    timeline(view.entries, definition, fact_titles(desk))


def fact_titles(desk: Desk) -> Mapping[str, Bilingual]:
    """What the facts of a student are called."""
    return {name: fact.title for name, fact in desk.library.rulebook.vocabulary.student.items()}


def _show_step(desk: Desk, machine: Machine, one: Prospect) -> None:
    roles = desk.library.rulebook.organisation.roles
    targets = " / ".join(state_title(machine.definition, target) for target in one.targets) or "状态不变 stays"
    standing = "可以办理 open" if one.is_open else f"受阻 {len(one.refusing) + len(one.papers)} blocked"
    line(f"{both(one.title)}（{one.trigger}）→ {targets}　{standing}", style="bold")
    if one.roles:
        could = f"：{shortened(one.could)}" if one.could else "：无人可办 nobody"
        line(f"  办理人 by {'、'.join(role_title(roles, role) for role in one.roles)}{could}")
    if one.asks:
        line(f"  须填 asks {'、'.join(one.asks)}")
    if one.signatures is not None:
        _show_signatures(one.signatures, roles)
    verdicts((*one.verdicts, *one.papers), roles)


def _show_signatures(one: Signatures, roles: Mapping[str, Role]) -> None:
    """The seats of a step, one line each: who signs there, what was given, whose turn it is."""
    order = "依次 in sequence" if one.in_sequence else "不分先后 in any order"
    rows = [
        (
            seat.name, role_title(roles, seat.role).replace(" ", "\n"), seat.unit, _standing(seat),
            shortened(seat.could, 3).replace("、", "\n") or "—",
        )
        for seat in one.seats
    ]  # fmt: skip
    title = f"签字 Signatures：已签 {one.given} given，须签 {one.needed} of {len(one.seats)} needed，{order}"
    table(("签字位 slot", "角色 role", "单位 unit", "情况 standing", "可签 could sign"), rows, title)


def _standing(seat: SeatStanding) -> str:
    if seat.given is None:
        return "待签\nto sign now" if seat.is_turn else "未到\nlater"
    said = "已签 signed" if seat.given.yes else "不同意 against"
    return f"{said}\n{'、'.join(seat.given.people)}"


def _place(desk: Desk, unit: str) -> str:
    """A unit with all that is above it, from the top."""
    names: list[str] = []
    at: str | None = unit
    while at is not None:
        names.insert(0, desk.units()[at].name)
        at = desk.units()[at].parent
    return f"{unit}（{' / '.join(names)}）"
