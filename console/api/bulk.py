"""One decision on many cases: looked at first, confirmed, followed, tried again, taken back; by the pages' own worker.

A preview is changed by making another: with other cases, another step, or what the step is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from fastapi import Path, Query

from console.access.programs import Scope
from console.api.answers import Words, words
from console.api.answers_queue import (
    BulkIn,
    BulkOut,
    BulkRowOut,
    BulkRowsOut,
    ConfirmIn,
    HindranceOut,
    OutcomeOut,
    SampledOut,
)
from console.api.deciding import machine_with
from console.api.doors import ApiDoors, Call, Workbook
from console.api.errands import errand
from console.api.queueing import filter_of
from console.api.routes import After, Key, Limit
from console.api.working_lists import plain
from console.web.audiences import Audience
from console.web.bulk import acts, choosing, committing
from console.web.bulk.acts import own_run
from console.web.bulk.view import BulkView, Preview, bulk_view, waits_for_worker
from console.web.faults import FieldFaults
from console.web.queue.filtering import Filter
from console.web.queue.waiting import waiting_for
from console.web.visit import Visit
from engine.casework import read_fields
from engine.errors import Unreadable
from engine.lane_queries import Placed
from engine.records import case_number, case_of
from engine.store.bulk_runs import Outcome, Run, Stage
from engine.trail.event import canonical, moment

doors = ApiDoors()
STAFF = Audience.STAFF
Which = Annotated[str, Path(max_length=40, description="The run, as its preview was answered")]


@doors.door("POST", "/bulk", scope=Scope.DECIDE, to=STAFF, status_code=201)
def look_first(call: Call, wanted: BulkIn) -> BulkOut:
    """What a step would do to many cases, each judged by itself; nothing is decided until it is confirmed."""
    visit, asked = errand(call), filter_of(call, wanted.filter)
    chosen = _chosen(visit, wanted, asked)
    if not chosen:
        raise Unreadable("cases", "", "在待办里的件 cases that wait for the person")
    machine = machine_with(call.desk, [one.row.shape for one in chosen], wanted.trigger)
    given = read_fields(call.desk, machine, wanted.trigger, wanted.fields)
    login, query, written = call.actor.login, asked.query(), canonical(given).decode()
    run = Run("", login, wanted.trigger, query, Stage.PREVIEW, moment(call.at), None, written)
    return _bulk(visit, choosing.keep(visit, run, chosen))


def _chosen(visit: Visit, wanted: BulkIn, asked: Filter) -> list[Placed]:
    """The cases as they stand in the queue; those that do not wait for the person are left aside.

    Raises:
        Unreadable: If a number is none.
    """
    waiting = waiting_for(visit, asked)
    if not wanted.cases:
        return list(choosing.shown_by(waiting, asked))
    numbers = [case_of(plain(one)) for one in wanted.cases]
    if None in numbers:
        raise Unreadable("cases", wanted.cases[numbers.index(None)], "件号 numbers of cases")
    standing = waiting.standings([one for one in numbers if one is not None])
    return [standing[case] for case in sorted(standing)]


@doors.door("GET", "/bulk/{run}", scope=Scope.READ, to=STAFF)
def one_run(call: Call, run: Which) -> BulkOut:
    """How far a decision on many cases is; one whose worker died is taken up again."""
    return _bulk(errand(call), run)


def _bulk(visit: Visit, run: str) -> BulkOut:
    own = own_run(visit, run)
    if waits_for_worker(visit, own):
        committing.begin(visit, own, own.stage)
    view = bulk_view(visit, own_run(visit, run))
    return BulkOut(
        id=own.id,
        trigger=own.trigger,
        title=words(view.verb),
        stage=view.run.stage.value,
        is_final=view.is_final,
        wants_reason=view.wants_reason and not _reason(own, ""),
        counts={one.value: many for one, many in view.counts.items() if many},
        total=view.total,
        done=view.done,
        failed=view.failed,
        against=[] if view.preview is None else list(_against(visit, own, view.preview)),
        sample=_sample(view),
    )


def _sample(view: BulkView) -> list[SampledOut]:
    chosen = () if view.preview is None else view.preview.sample
    return [SampledOut(number=one.line.number, is_seen=one.is_seen) for one in chosen]


def _against(visit: Visit, run: Run, preview: Preview) -> Iterator[HindranceOut]:
    """The rules against those that cannot be in it."""
    against = [one.rules.split() for one in acts.rows_of(visit, run) if one.outcome is Outcome.CANNOT]
    sole = Counter(rules[0] for rules in against if len(rules) == 1)
    for one in preview.against:
        yield HindranceOut(
            rule=one.rule, title=Words(zh=one.title.zh, en=one.title.en), cases=one.count, sole=sole[one.rule]
        )


@doors.door("GET", "/bulk/{run}/rows", scope=Scope.READ, to=STAFF)
def rows(
    call: Call,
    run: Which,
    outcome: Annotated[OutcomeOut | None, Query()] = None,
    after: After = None,
    limit: Limit = 50,
) -> BulkRowsOut:
    """Its cases, of one outcome or of all."""
    visit = errand(call)
    every = acts.rows_of(visit, own_run(visit, run))
    rest = [
        BulkRowOut(
            number=case_number(one.case),
            outcome=one.outcome.value,
            rules=[] if one.broke else one.rules.split(),
        )
        for one in every
        if outcome in (None, one.outcome.value) and case_number(one.case) > plain(after)
    ]
    return BulkRowsOut(rows=rest[:limit], next=rest[limit - 1].number if len(rest) > limit else None)


@doors.door("POST", "/bulk/{run}/commit", scope=Scope.DECIDE, to=STAFF, status_code=202, proof=True)
def confirm(call: Call, run: Which, why: ConfirmIn, _key: Key) -> BulkOut:
    """Take the step on all that can, in the background, once the sample was opened; it is done once under any key."""
    visit = errand(call)
    own = own_run(visit, run)
    if own.stage is Stage.PREVIEW:
        view = bulk_view(visit, own)
        reason = _reason(own, why.reason) if view.wants_reason else ""
        if faults := acts.to_mend(visit, view, reason):
            raise FieldFaults(faults)
        acts.confirm(visit, own, reason)
    return _bulk(visit, run)


def _reason(run: Run, said: str) -> str:
    """Why, as it is said now or was with the preview."""
    return said.strip() or str(run.fields.get("reason") or "")


@doors.door("POST", "/bulk/{run}/retry", scope=Scope.DECIDE, to=STAFF, status_code=201)
def retry(call: Call, run: Which) -> BulkOut:
    """A new preview of those that were not decided, as they stand now; the same run where none waits any more."""
    visit = errand(call)
    return _bulk(visit, acts.try_again(visit, own_run(visit, run)) or run)


@doors.door("POST", "/bulk/{run}/withdrawal", scope=Scope.DECIDE, to=STAFF, status_code=202)
def withdraw(call: Call, run: Which, _key: Key) -> BulkOut:
    """Take back all of it that nobody has acted on, in the background; it is done once under any key."""
    visit = errand(call)
    acts.take_back(visit, own_run(visit, run))
    return _bulk(visit, run)


@doors.door("POST", "/bulk/{run}/export", scope=Scope.READ, to=STAFF, answers=Workbook, proof=True)
def take_out(call: Call, run: Which) -> Workbook:
    """All its cases as a workbook; it names people, and each time it is taken out is an event."""
    visit = errand(call)
    return Workbook(acts.workbook(visit, own_run(visit, run)))
