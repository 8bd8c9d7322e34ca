"""The addresses of a bulk decision: `/bulk` freezes what was ticked; preview, progress and result share one address."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from fastapi import Response

from console.access import stepping_up
from console.access.passwords import Crowded
from console.access.refusals import MustWait, NotLetIn, WrongCode
from console.web.audiences import Audience
from console.web.batches.counting import look
from console.web.batches.forgotten import forgotten
from console.web.batches.wording import Ways
from console.web.bulk import acts, choosing, committing, filing
from console.web.bulk.acts import own_run, rows_of
from console.web.bulk.view import SHOWN, BulkView, asks_first, bulk_view, lines_of, step_of, waits_for_worker
from console.web.cases.looking import opened, shown
from console.web.cases.view import FIRST_LINES
from console.web.doors import Doors
from console.web.fault_pages import in_language
from console.web.faults import FieldFault
from console.web.queue.reasons import chosen
from console.web.queue.step_fields import read_given
from console.web.queue.wording import words_for
from console.web.turns import of_proof
from console.web.visit import Visit
from engine.records import case_of
from engine.store import bulk_runs
from engine.store.bulk_runs import AT_WORK, Outcome, Run, Stage
from engine.trail.event import canonical

doors = Doors()
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@doors.post("/bulk", to=Audience.STAFF)
def freeze(visit: Visit) -> Response:
    """Keep what was ticked, and show what would become of it."""
    return visit.go(f"/bulk/{choosing.freeze(visit)}")


@doors.post("/batches/{code}/apply", to=Audience.STAFF)
def batch_apply(visit: Visit, code: str) -> Response:
    """Freeze those who may apply and have not, and show what would become of it; back to the list where all have."""
    looked = look(visit, code)
    back = Ways(looked=looked).cases("ready")
    run = filing.freeze(visit, looked.roll, forgotten(visit, looked.roll, looked.counts.seen), back)
    return visit.go(back if run is None else f"/bulk/{run}")


@doors.get("/bulk/{run}", to=Audience.STAFF)
def bulk(visit: Visit, run: str) -> Response:
    """Preview, progress or result, whichever it is at; a run whose worker died is taken up again."""
    own = own_run(visit, run)
    if waits_for_worker(visit, own):
        committing.begin(visit, own, own.stage)
    answer = _page(visit, own)
    if own.stage in AT_WORK:
        answer.headers["Refresh"] = "1"
    return answer


@doors.post("/bulk/{run}/rows.xlsx", to=Audience.STAFF)
def bulk_workbook(visit: Visit, run: str) -> Response:
    """All its cases as a workbook; it names people, so it is asked who is there, and it is told."""
    own = own_run(visit, run)
    visit.demand_fresh_proof(visit.say("导出带个人信息的名单"))
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote('bulk.xlsx')}"}
    return Response(acts.workbook(visit, own), media_type=_WORKBOOK, headers=headers)


@doors.get("/bulk/{run}/rows", to=Audience.STAFF)
def bulk_rows(visit: Visit, run: str, outcome: str = "") -> Response:
    """The cases of one outcome, or of several between commas; of all, where none is named."""
    own, wanted = own_run(visit, run), [one for one in outcome.split(",") if one]
    rows = [one for one in rows_of(visit, own) if not wanted or one.outcome in wanted]
    return visit.page(
        "bulk/rows.html",
        view=bulk_view(visit, own),
        lines=lines_of(visit, rows[:SHOWN]),
        more=max(0, len(rows) - SHOWN),
        what=[acts.said(visit, one) for one in Outcome if one in wanted],
        words={one: acts.said(visit, one) for one in Outcome},
    )


@doors.get("/bulk/{run}/sample/{no}", to=Audience.STAFF)
def bulk_sampled(visit: Visit, run: str, no: str) -> Response:
    """A case of the sample as its page shows it, one click from the next; it counts as opened."""
    own = own_run(visit, run)
    if own.stage is not Stage.PREVIEW:
        return visit.go(f"/bulk/{run}")
    walk = acts.walk_of(visit, own, no)
    return visit.page(
        "case/page.html", view=shown(visit, opened(visit, no)), group=None, whole=False, first=FIRST_LINES, walk=walk
    )


@doors.post("/bulk/{run}/leave-out", to=Audience.STAFF)
def leave_out(visit: Visit, run: str) -> Response:
    """Take one case out of the preview."""
    own, case = own_run(visit, run), case_of(visit.form.get("case", ""))
    if own.stage is Stage.PREVIEW and case is not None:
        with visit.desk.connection.writing():
            bulk_runs.leave_out(visit.desk.connection, run, case)
    return visit.go(f"/bulk/{run}")


@doors.post("/bulk/{run}/instead", to=Audience.STAFF)
def instead(visit: Visit, run: str) -> Response:
    """The same cases with another step, or with what it is given: a new preview, in which each is judged for that.

    Raises:
        FieldFaults: If a value is not of its kind.
    """
    own = own_run(visit, run)
    wanted = own._replace(trigger=visit.form.get("trigger", ""), given="{}")
    step = step_of(visit, wanted, rows_of(visit, own))
    if step is not None and asks_first(step):
        given = read_given(visit, visit.desk.machine(step.case.shape), step.step)
        wanted = wanted._replace(given=canonical(dict(given.fields)).decode())
    found = choosing.again(visit, wanted, [one.case for one in rows_of(visit, own)])
    return visit.go(f"/bulk/{found or run}")


@doors.post("/bulk/{run}/commit", to=Audience.STAFF, turn=of_proof)
def commit(visit: Visit, run: str) -> Response:
    """Take the step on all that can, once the sample was looked at and the person has proved to be there."""
    own = own_run(visit, run)
    if own.stage is not Stage.PREVIEW:
        return visit.go(f"/bulk/{run}")
    view = bulk_view(visit, own)
    reason = visit.form.get("reason", "") if view.wants_reason else ""
    if faults := acts.to_mend(visit, view, reason) or _unproven(visit, view):
        given = canonical(acts.given_with(own, reason)).decode()
        return _page(visit, own._replace(given=given), faults=faults)
    acts.confirm(visit, own, reason)
    return visit.go(f"/bulk/{run}")


@doors.post("/bulk/{run}/retry", to=Audience.STAFF)
def retry(visit: Visit, run: str) -> Response:
    """A new preview of those that were not decided, as they stand now; the list of them where none waits any more.

    Where it turns out that all of them were, it is the result that says so.
    """
    own = own_run(visit, run)
    if found := acts.try_again(visit, own):
        return visit.go(f"/bulk/{found}")
    is_left = any(one.outcome in acts.FAILED for one in rows_of(visit, own))
    return visit.go(f"/bulk/{run}/rows?outcome={','.join(acts.FAILED)}" if is_left else f"/bulk/{run}")


@doors.post("/bulk/{run}/withdraw", to=Audience.STAFF)
def withdraw(visit: Visit, run: str) -> Response:
    """Take back all of it that nobody has acted on."""
    acts.take_back(visit, own_run(visit, run))
    return visit.go(f"/bulk/{run}")


def _page(visit: Visit, run: Run, faults: list[FieldFault] | None = None) -> Response:
    status, view = 422 if faults else 200, bulk_view(visit, run)
    if (reason := chosen(visit, view.presets)) is not None:
        view = replace(view, run=run._replace(given=canonical(acts.given_with(run, reason)).decode()))
    return visit.page("bulk/run.html", status=status, view=view, faults=faults or (), q=words_for(visit))


def _unproven(visit: Visit, view: BulkView) -> list[FieldFault]:
    """Why the person is not known to be there: the second factor was given too long ago, and not rightly now.

    Raises:
        FreshProofWanted: If none was given with the form.
    """
    session, given = visit.session, str(visit.posted.get("proof", ""))
    if session is None or not given or stepping_up.is_fresh(session, visit.at):
        visit.demand_fresh_proof(f"{visit.title(view.verb)} {view.counts[Outcome.CAN]}")
        return []
    try:
        visit.demand_turn()
        token = stepping_up.prove(visit.desk.connection, visit.office.key, session, given, visit.at)
    except (WrongCode, NotLetIn, MustWait, Crowded) as problem:
        return [FieldFault("proof", visit.say("动态口令（6 位）"), in_language(str(problem), visit.lang))]
    visit.begin_session(token)
    return []
