"""Opening a case: what it is about, what it starts with, and whether it may be opened at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from engine.actors import Actor
from engine.deeds import deed_written
from engine.definition import NEW, Definition
from engine.desk import Desk
from engine.errors import AlreadyOpen, Unknown
from engine.fetching import Fetched
from engine.keeping import seal, write_event
from engine.lists import fix_members
from engine.machine import decide
from engine.neighbours import unit_kind
from engine.outline import fields_about
from engine.records import Case, Head, Json, Moved, Refused, Request, Verdict
from engine.settling import Change, settle_step, write_changes
from engine.sight import Seeing
from engine.steps import Machine
from engine.store import students
from engine.store.cases import (
    Found,
    Sealed,
    add_cases,
    holder_of,
    write_events,
    write_personal,
    write_told,
)  # fmt: skip
from engine.store.lanes import add_deeds
from engine.store.students import StudentRow
from engine.trail.event import EventKind, Written, chain_name, moment


class Subject(NamedTuple):
    """What a case is opened about: a unit, or a student and the unit the student belongs to.

    `fetched` is what was fetched around a whole chunk of them.
    """

    unit: str
    student: StudentRow | None = None
    fetched: Fetched | None = None


class Opened(NamedTuple):
    """A case that was opened, and the step that opened it."""

    found: Found
    machine: Machine
    moved: Moved
    event: Written
    sealed: Sealed | None
    unique_key: str | None
    change: Change | None


def machine_to_open(desk: Desk, workflow: str, unit: str, trigger: str) -> Machine:
    """The machine of a workflow as the unit's profile runs it now, for opening.

    Raises:
        Unknown: If the profile has no such workflow, or the workflow no such opening.
    """
    definition = desk.library.definition(workflow, desk.profile_of(unit))
    if trigger not in definition.openings:
        raise Unknown("开始步骤 opening", trigger, definition.openings)
    return desk.machine(desk.hash_of(definition))


def opening_of(definition: Definition, actor: Actor) -> str | None:
    """The opening a person takes: one that the person's role may, else the first, which then says who may.

    None if cases of this workflow are opened by the registry's own events only.
    """
    by_hand = {trigger: one for trigger, one in definition.openings.items() if one.when is None}
    held = {grant.role for grant in (*actor.grants, *actor.delegated)} | ({"student"} if actor.student else set())
    mine = (trigger for trigger, one in by_hand.items() if held & {who.acting_role for who in one.by})
    return next(mine, next(iter(by_hand), None))


def unit_of(desk: Desk, about: str) -> str:
    """The unit of what a person names: of the student with that number, or the unit with that code.

    Raises:
        Unknown: If there is neither.
    """
    row = students.student(desk.connection, about)
    if row is None and about not in desk.units():
        raise Unknown("学号或单位代码 student number or unit code", about)
    return about if row is None else row.unit


def subject_named(desk: Desk, definition: Definition, name: str) -> Subject:
    """What a person names as the subject of a case: a student number, or the code of a unit.

    Raises:
        Unknown: If there is no such student, or no such unit of the kind the case is about.
    """
    if "student" in definition.about:
        row = students.student(desk.connection, name)
        if row is None:
            raise Unknown("学号 student number", name)
        return Subject(row.unit, row)
    kind = unit_kind(definition)
    units = {code: unit for code, unit in desk.units().items() if kind is None or unit.kind == kind}
    if name not in units:
        raise Unknown(f"单位 unit{f' ({kind})' if kind else ''}", name, units)
    return Subject(name)


def open_one(
    desk: Desk,
    machine: Machine,
    subject: Subject,
    case: int,
    request: Request,
    *,
    cause: Mapping[str, Json] | None = None,
) -> Opened | Refused:
    """Judge an opening; nothing is written yet.

    Args:
        desk: Where the case will be worked.
        machine: What it will be pinned to.
        subject: What it is about.
        case: The number it will have.
        request: By whom, when, with which fields and dimensions.
        cause: The event of another case that opens this one.
    """
    to_be = _case_to_be(desk, machine, subject, case, request)
    row = subject.student
    found = Found(
        case=to_be,
        known={} if row is None else row.facts,
        student_no=None if row is None else row.student_no,
        record=None if row is None else row.record,
        has_others=row is None or row.record != case,
    )
    if machine.definition.status == "draft" and not desk.rehearsal:
        verdict = machine.engine_verdict("draft-definition", workflow=machine.definition.workflow)
        return _refused_by_engine(to_be, request, verdict)
    sight = Seeing(desk, machine, found, request, fetched=subject.fetched)
    if machine.starts:
        found = found._replace(case=to_be._replace(fields=sight.starting_fields()))
        sight = Seeing(desk, machine, found, request, fetched=subject.fetched)
    outcome = decide(machine, found.case, request, sight)
    if isinstance(outcome, Refused):
        return outcome
    data = outcome.data
    data["about"] = {"unit": subject.unit} if row is None else {"student": chain_name(-row.id)}
    data["unit"] = subject.unit
    data["workflow"] = machine.definition.workflow
    data["fields"] = {name: value for name, value in outcome.case.fields.items() if value is not None}
    if cause is not None:
        outcome.event["cause"] = cause
    return _opened(desk, machine, found, outcome, request)


def _opened(desk: Desk, machine: Machine, found: Found, outcome: Moved, request: Request) -> Opened:
    fix_members(desk, machine, found.case, outcome, request)
    change = settle_step(desk, found, outcome, {}, request)
    sealed = seal(desk, machine, outcome)
    event = write_event(desk, machine, found.case, EventKind.OPENED, outcome.event)
    key = unique_key(machine.definition, found.case, outcome.case)
    return Opened(found, machine, outcome, event, sealed, key, change)


def _refused_by_engine(case: Case, request: Request, verdict: Verdict) -> Refused:
    data: dict[str, Json] = {
        "trigger": request.trigger,
        "from": NEW,
        "engine": [verdict.rule],
        "failed": [verdict.id],
        "undecided": [],
    }
    event: dict[str, Json] = {"at": moment(request.at), "actor": request.actor.login, "data": data}
    if request.id is not None:
        event["request"] = request.id
    return Refused(trigger=request.trigger, case=case, verdicts=(verdict,), event=event, data=data)


def _case_to_be(desk: Desk, machine: Machine, subject: Subject, case: int, request: Request) -> Case:
    at = moment(request.at)
    return Case(
        id=case,
        workflow=machine.definition.workflow,
        shape=machine.shape,
        student=None if subject.student is None else subject.student.id,
        unit=subject.unit,
        path=desk.units()[subject.unit].path,
        state=NEW,
        revision=0,
        head=Head(),
        fields={},
        taken={},
        rounds=0,
        opened_at=at,
        entered_at=at,
    )


def unique_key(definition: Definition, before: Case, case: Case) -> str | None:
    """What the database keeps unique: the workflow and everything the case is about."""
    if definition.unique == "never":
        return None
    whom = str(before.student) if before.student is not None else before.unit
    about = [whom, *(str(case.fields.get(name)) for name in fields_about(definition))]
    return f"{definition.workflow}:{':'.join(about)}"


def write_opened(desk: Desk, opened: Sequence[Opened]) -> None:
    """Write opened cases with their events, messages and, for records, what the student's record is.

    Raises:
        AlreadyOpen: If the workflow allows one at a time (or one ever) and there is one.
    """
    connection = desk.connection
    add_cases(connection, [(one.moved.case, one.event, one.unique_key) for one in opened])
    write_events(connection, [one.event for one in opened])
    write_told(connection, [(one.event, one.moved.told, one.sealed) for one in opened])
    write_changes(desk, [one.change for one in opened if one.change is not None])
    deeds = (deed_written(EventKind.OPENED, one.moved.event, one.event) for one in opened)
    add_deeds(connection, [deed for deed in deeds if deed is not None])


def holder(desk: Desk, opened: Opened) -> Case | None:
    """The case that holds what the opened one must have to itself, or None."""
    return None if opened.unique_key is None else holder_of(desk.connection, opened.unique_key)


def refuse_second(desk: Desk, opened: Opened) -> None:
    """Raise if something unique is held by another case.

    Raises:
        AlreadyOpen: Naming the case that is there.
    """
    held = holder(desk, opened)
    if held is not None:
        raise AlreadyOpen(opened.machine.definition.title.zh, held.number, held.state)


def record_refused_opening(desk: Desk, machine: Machine, subject: Subject, refused: Refused) -> None:
    """Record that an opening was refused; personal values that rules saw stand behind a commitment."""
    sealed = None if subject.student is None else seal(desk, machine, refused)
    record_unopened(desk, machine, subject, {**refused.event, "data": refused.data}, sealed)


def record_unopened(
    desk: Desk, machine: Machine, subject: Subject, event: dict[str, Json], sealed: Sealed | None = None
) -> None:
    """What was not opened has no case: it stands in the student's chain, or in the registry's."""
    row = subject.student
    event["definition"], event["rulebook"] = machine.shape, machine.rulebook
    if row is None:
        where: dict[str, Json] = {"unit": subject.unit, "workflow": machine.definition.workflow}
        event["data"] = {**cast("Mapping[str, Json]", event["data"]), **where}
        desk.record_events([(EventKind.REFUSED, event)])
        return
    written = desk.scribe.write(-row.id, row.head, EventKind.REFUSED, event)
    write_events(desk.connection, [written])
    if sealed is not None:
        write_personal(desk.connection, [(written.chain, written.seq, sealed.salt, sealed.body)])
    students.set_facts(desk.connection, row, row.facts, Head(seq=written.seq, hash=written.hash))


def record_ids(opened: Iterable[Opened]) -> list[tuple[int, int]]:
    """The records among opened cases, each with its student."""
    return [
        (one.moved.case.id, one.moved.case.student)
        for one in opened
        if one.machine.definition.record and one.moved.case.student is not None
    ]
