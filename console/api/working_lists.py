"""Lists and books: which there are, who stands on one, with which fingerprint, and who signs next.

A list is signed as any case takes a step: by its address below `/cases/{number}/transitions`, with a slot.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Literal

from fastapi import Query

from console.access.programs import Scope
from console.api.answers import words
from console.api.answers_working import (
    ListedOut,
    ListOut,
    ListsOut,
    MemberOut,
    SeatOut,
    SignatureOut,
    SigningOut,
)
from console.api.doors import ApiDoors, Call
from console.api.routes import After, Limit, Number, state_title
from console.web.cases.looking import looked_at
from console.web.faults import NotFound
from console.web.lists.drafts import Draft, drafts_in
from console.web.lists.overview import Row, fits, in_sight
from engine.definition import CANCELLED
from engine.prospects import Prospect, prospects
from engine.records import case_of
from engine.sight import Seeing
from engine.store.cases import Found, read_cases
from engine.store.relations import Neighbour
from engine.store.stories import story

doors = ApiDoors()
Word = Annotated[str, Query(max_length=100)]


@doors.door("GET", "/lists", scope=Scope.READ)
def lists(  # noqa: PLR0913, PLR0917 a query has each word by itself
    call: Call,
    batch: Word = "",
    unit: Word = "",
    kind: Word = "",
    show: Annotated[Literal["", "open", "late", "over"], Query()] = "",
    after: After = None,
    limit: Limit = 50,
) -> ListsOut:
    """The lists that the person may know of: of a batch, at a unit and below, of a kind."""
    call.leaves_trace("lists")
    narrowing = {"batch": batch, "unit": unit, "kind": kind, "show": show}
    rows = sorted(
        (row for row in in_sight(call) if row.number > plain(after) and fits(call, row, narrowing)),
        key=attrgetter("number"),
    )
    page = {case: row for row in rows[:limit] if (case := case_of(row.number)) is not None}
    found = read_cases(call.desk.connection, list(page)) if page else {}
    drafts = _drafts(call, found)
    return ListsOut(
        lists=[_listed(row, found[case], drafts.get(case)) for case, row in page.items() if case in found],
        next=rows[limit - 1].number if len(rows) > limit else None,
    )


def plain(after: str | None) -> str:
    """The number of a case as it stands in the order of all of them, whether or not there is one of that number."""
    return (after or "").replace("-", "").upper()


def _drafts(call: Call, found: Iterable[int]) -> dict[int, Draft]:
    """The draft that stands of each of some lists; one that gathers is absent."""
    numbers = sorted(found)
    lines = sorted(story(call.desk.connection, numbers), key=attrgetter("chain", "seq")) if numbers else []
    last = {chain: drafts_in(told)[-1:] for chain, told in groupby(lines, key=attrgetter("chain"))}
    return {chain: one for chain, many in last.items() for one in many if one.ended is None}


def _listed(row: Row, found: Found, draft: Draft | None) -> ListedOut:
    return ListedOut(
        number=row.number,
        kind=row.kind,
        title=words(row.title),
        unit=row.unit_code,
        batch=row.batch or None,
        state=found.case.state,
        state_title=words(row.state),
        revision=found.case.revision,
        is_over=row.is_over,
        members=row.members,
        sha256=None if draft is None else draft.sha256,
        signed=row.signed,
        seats=row.seats,
        waits_for=None if row.held is None else words(row.held.role),
        due_at=None if row.due_at is None else row.due_at.isoformat(),
        is_late=row.is_late,
    )


@doors.door("GET", "/lists/{number}", scope=Scope.READ)
def one_list(call: Call, number: Number, after: After = None, limit: Limit = 50) -> ListOut:
    """A list with its members and its signatures, and who signs next; the look is kept as that of its page."""
    found = call.case(number)
    machine = call.desk.machine_for(found.case, {})
    if machine.definition.members is None:
        raise NotFound
    found = looked_at(call, found)
    case, request = found.case, call.asks("look")
    steps = () if case.state == CANCELLED else prospects(call.desk, case.id, request)[2]
    members = sorted(Seeing(call.desk, machine, found, request).members(), key=attrgetter("case.number"))
    rest = [one for one in members if one.case.number > plain(after)]
    drafts = drafts_in(story(call.desk.connection, [case.id]))
    draft = drafts[-1] if drafts and drafts[-1].ended is None else None
    batch = case.fields.get("batch")
    return ListOut(
        number=case.number,
        kind=case.workflow,
        title=words(machine.definition.title),
        unit=case.unit,
        batch=batch if isinstance(batch, str) else None,
        state=case.state,
        state_title=state_title(machine.definition, case.state),
        revision=case.revision,
        is_fixed=machine.definition.is_fixed(case.state),
        draft=len(drafts) + (draft is None),
        sha256=None if draft is None else draft.sha256,
        count=len(members),
        signatures=[] if draft is None else list(_given(draft)),
        signing=[one for step in steps for one in _signing(step)],
        members=[_member(one) for one in rest[:limit]],
        next=rest[limit - 1].case.number if len(rest) > limit else None,
    )


def _given(draft: Draft) -> Iterable[SignatureOut]:
    for one in draft.given:
        yield SignatureOut(trigger=one.trigger, slot=one.slot, by=one.by, at=one.at.isoformat(), consents=one.yes)


def _signing(step: Prospect) -> Iterable[SigningOut]:
    """The signatures of a step, if it is signed at all."""
    if step.signatures is None:
        return
    seats = [
        SeatOut(
            slot=one.name,
            role=one.role,
            unit=one.unit,
            is_turn=one.is_turn,
            could=list(one.could),
            given=None if one.given is None else one.given.yes,
            by=[] if one.given is None else list(one.given.people),
        )
        for one in step.signatures.seats
    ]
    yield SigningOut(
        trigger=step.trigger,
        title=words(step.title),
        needed=step.signatures.needed,
        in_sequence=step.signatures.in_sequence,
        seats=seats,
    )


def _member(one: Neighbour) -> MemberOut:
    student_no = one.facts.get("student_no")
    return MemberOut(
        number=one.case.number,
        workflow=one.case.workflow,
        state=one.case.state,
        unit=one.case.unit,
        student_no=student_no if isinstance(student_no, str) else None,
    )
