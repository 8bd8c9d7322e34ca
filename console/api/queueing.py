"""A person's queues: what waits by lane and filter, what was done, filters kept under a name, finding, reminding.

Soft claims and drafts are of people at a page; a program has none.
"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import parse_qsl

from fastapi import Path, Query

from console.access.programs import Scope
from console.api.answers import words
from console.api.answers_queue import (
    CountsOut,
    DeedOut,
    DeedsOut,
    FilterIn,
    FindIn,
    FoundOut,
    HindranceOut,
    NudgeIn,
    NudgeOut,
    PageIn,
    QueuedOut,
    QueuePageOut,
    ViewIn,
    ViewOut,
)
from console.api.doors import ApiDoors, Call
from console.api.errands import Errand, errand
from console.api.routes import Key
from console.web.audiences import Audience
from console.web.batches import nudging
from console.web.batches.counting import look
from console.web.queue import finding, lists, views_kept
from console.web.queue import nudging as queue_nudging
from console.web.queue.filtering import Filter, Which
from console.web.queue.rows import holdup_of
from console.web.queue.waiting import waiting_for
from engine.errors import Unknown
from engine.lane_queries import Hindrance, Placed
from engine.lanes import Lane
from engine.store.cases import Found, read_cases
from engine.store.desk_work import SavedView
from engine.store.lanes import NEVER

doors = ApiDoors()
STAFF = Audience.STAFF
AfterDeed = Annotated[
    str,
    Query(
        pattern=r"^([0-9]{1,15}|[0-9TZ:.+-]{4,40}/[0-9]{1,15}/[0-9]{1,9})?$", description="`next` of the page before"
    ),
]
Handle = Annotated[str, Path(max_length=40, description="The selection, as it was answered")]
View = Annotated[str, Path(max_length=40)]


def filter_of(call: Call, given: FilterIn) -> Filter:
    """The filter that is asked for.

    Raises:
        Unknown: If it names a unit that is none.
    """
    units = call.desk.units()
    if given.unit and given.unit not in units:
        raise Unknown("单位 unit", given.unit, units)
    return Filter(**given.model_dump(mode="json"))


@doors.door("GET", "/queue/counts", scope=Scope.READ, to=STAFF)
def counted(call: Call, wanted: Annotated[FilterIn, Query()]) -> CountsOut:
    """How many wait for the person under a filter, by lane, and what holds the blocked ones up."""
    visit, asked = errand(call), filter_of(call, wanted)
    waiting = waiting_for(visit, asked)
    counts = waiting.counts(asked)
    return CountsOut(
        total=counts.total(),
        blocked=counts[Lane.BLOCKED],
        look=counts[Lane.LOOK],
        ready=counts[Lane.READY],
        hindrances=[_hindrance(visit, one) for one in waiting.holdups(asked)],
    )


def _hindrance(visit: Errand, one: Hindrance) -> HindranceOut:
    title = holdup_of(visit, one.rule, one.cases, "").title
    return HindranceOut(rule=one.rule, title=words(title), cases=one.cases, sole=one.sole)


@doors.door("GET", "/queue/todo", scope=Scope.READ, to=STAFF)
def waiting_now(call: Call, wanted: Annotated[PageIn, Query()]) -> QueuePageOut:
    """What waits for the person under a filter, fifty a page, in the order of the page unless another is asked for."""
    asked = filter_of(call, wanted)
    waiting = waiting_for(errand(call), asked)
    page, following = waiting.page(asked)
    found = read_cases(call.desk.connection, [one.case for one in page]) if page else {}
    seen = [one for one in page if one.case in found and call.visible.sees(found[one.case].case)]
    is_anew = bool(asked.after) and waiting.end(asked) is None
    return QueuePageOut(cases=[_queued(one, found[one.case]) for one in seen], next=following or None, anew=is_anew)


def _queued(placed: Placed, found: Found) -> QueuedOut:
    row, case = placed.row, found.case
    return QueuedOut(
        number=case.number,
        workflow=case.workflow,
        state=case.state,
        revision=case.revision,
        unit=case.unit,
        batch=row.batch,
        student_no=found.student_no,
        trigger=row.trigger,
        lane="blocked" if placed.lane is Lane.BLOCKED else "look" if placed.lane is Lane.LOOK else "ready",
        hindrances=list(placed.hindrances),
        cautions=list(placed.cautions),
        due_at=None if row.due_at == NEVER else row.due_at,
        entered_at=row.entered_at,
    )


@doors.door("GET", "/queue/views", scope=Scope.READ, to=STAFF)
def views(call: Call) -> list[ViewOut]:
    """The filters kept under a name: one's own, and those of everybody at one's units."""
    visit = errand(call)
    return [_view(visit, one) for one in views_kept.kept(visit)]


def _view(visit: Errand, one: SavedView) -> ViewOut:
    return ViewOut(
        id=one.id,
        name=one.name,
        filter=dict(parse_qsl(one.address)),
        unit=one.unit,
        pinned=one.pinned,
        is_own=one.login == visit.login,
    )


@doors.door("POST", "/queue/views", scope=Scope.DECIDE, to=STAFF)
def keep_view(call: Call, wanted: ViewIn, _key: Key) -> ViewOut:
    """Keep a filter under a name; of one's own that says the same under the same name there is but one."""
    visit, asked = errand(call), filter_of(call, wanted.filter)
    unit = next((grant.unit for grant in visit.actor.grants), None) if wanted.shared else None
    same = (visit.login, unit, wanted.name, asked.query(), wanted.pinned)
    there = next((one for one in views_kept.kept(visit) if one[1:] == same), None)
    new = there or views_kept.keep(visit, wanted.name, asked, shared=wanted.shared, pinned=wanted.pinned)
    return _view(visit, new)


@doors.door("POST", "/queue/views/{view}/drop", scope=Scope.DECIDE, to=STAFF)
def drop_view(call: Call, view: View, _key: Key) -> list[ViewOut]:
    """Forget a filter of one's own; the others."""
    visit = errand(call)
    views_kept.drop(visit, view)
    return [_view(visit, one) for one in views_kept.kept(visit)]


@doors.door("GET", "/queue/{which}", scope=Scope.READ, to=STAFF)
def deeds(call: Call, which: Literal["done", "mine", "copies"], after: AfterDeed = "") -> DeedsOut:
    """What the person has decided, opened, or was told of (已办 我发起的 抄送我的)."""
    lines, following = lists.lines_of(errand(call), Which(which), after)
    return DeedsOut(lines=[_deed(one) for one in lines], next=following or None)


def _deed(one: lists.Line) -> DeedOut:
    return DeedOut(
        number=one.number,
        seq=one.seq,
        workflow=words(one.workflow),
        what=words(one.what),
        at=None if one.at is None else one.at.isoformat(),
        state=words(one.state),
        student_no=one.student_no or None,
        waits_for=[words(each) for each in one.waits_for],
        may_withdraw=one.may_withdraw,
        is_read=one.is_read,
        sender=one.sender or None,
        note=one.note or None,
    )


@doors.door("POST", "/find", scope=Scope.READ)
def find(call: Call, wanted: FindIn) -> list[FoundOut]:
    """The cases one may know of that exactly this names: a case, a student, a name; it is kept nowhere."""
    found = finding.search(errand(call), " ".join(wanted.text.split()))
    known = read_cases(call.desk.connection, list(found.cases)) if found.cases else {}
    cases = [known[case] for case in found.cases if case in known and call.visible.sees(known[case].case)]
    return [
        FoundOut(
            number=one.case.number, workflow=one.case.workflow, state=one.case.state, unit=one.case.unit,
            student_no=one.student_no,
        )
        for one in cases
    ]  # fmt: skip


# --- reminding many -------------------------------------------------------------------------------------------------


@doors.door("POST", "/nudges", scope=Scope.DECIDE, to=STAFF, status_code=201)
def choose(call: Call, wanted: NudgeIn) -> NudgeOut:
    """Keep whom to remind of what (催办), and say how many; nobody is told until it is sent."""
    visit = errand(call)
    if wanted.batch:
        handle = nudging.choose(look(visit, wanted.batch), wanted.about)
    else:
        handle = queue_nudging.choose(visit, wanted.about, filter_of(call, wanted.filter))
    return _nudge(visit, handle)


@doors.door("GET", "/nudges/{handle}", scope=Scope.READ, to=STAFF)
def chosen(call: Call, handle: Handle) -> NudgeOut:
    """What a selection would tell how many, or has told."""
    return _nudge(errand(call), handle)


@doors.door("POST", "/nudges/{handle}/send", scope=Scope.DECIDE, to=STAFF)
def send(call: Call, handle: Handle, _key: Key) -> NudgeOut:
    """Tell those who were not told of it today; it is done once under any key."""
    visit = errand(call)
    nudging.send(visit, handle)
    return _nudge(visit, handle)


def _nudge(visit: Errand, handle: str) -> NudgeOut:
    shown = nudging.preview(visit, handle)
    return NudgeOut(
        handle=handle,
        recipients=shown.count,
        again=shown.again,
        silent=shown.silent,
        texts=list(shown.texts),
        result=None if shown.result is None else {name: int(str(many)) for name, many in shown.result.items()},
    )
