"""The doors of what-if: which rules and which batch, how far it is, what would have been."""

from __future__ import annotations

from fastapi import Response

from console.web.audiences import Audience
from console.web.auditing import what_if, what_if_view
from console.web.auditing.frame import batch_choices, keep_look, tabs
from console.web.auditing.sharing import asked_by, run_for
from console.web.auditing.work_routes import WORKBOOK, attached
from console.web.auditing.working import go_on
from console.web.doors import Doors
from console.web.fault_pages import in_language
from console.web.faults import FieldFaults, NotFound
from console.web.visit import Visit
from engine.store import audit_runs
from engine.store.audit_runs import RUNNING, WHAT_IF

doors = Doors()
_RUNS = 20


@doors.get("/audit/what-if", to=Audience.AUDITOR)
def audit_what_ifs(visit: Visit) -> Response:
    """What was asked before, and asking: which batch, under which rules."""
    keep_look(visit, "what-if")
    return _ask(visit)


@doors.post("/audit/what-if", to=Audience.AUDITOR)
def audit_ask(visit: Visit) -> Response:
    """Have the decisions of a batch judged again; it is done in the background."""
    try:
        run = what_if.ask(visit)
    except FieldFaults as problem:
        return _ask(visit, problem)
    keep_look(visit, "what-if", batch=visit.form.get("batch", ""), run=run)
    return visit.go(f"/audit/what-if/{run}")


def _ask(visit: Visit, problem: FieldFaults | None = None) -> Response:
    return visit.page(
        "audit/what_if.html",
        status=200 if problem is None else 422,
        tabs=tabs(visit),
        runs=audit_runs.runs_of(visit.desk.connection, WHAT_IF, visit.login, _RUNS),
        batches=batch_choices(visit),
        folders=what_if.folders(visit),
        faults=() if problem is None else problem.faults,
        given=visit.form,
    )


@doors.get("/audit/what-if/{run}", to=Audience.AUDITOR)
def audit_what_if(visit: Visit, run: str) -> Response:
    """How far it is; then what would have been, narrowed as the address says."""
    found, result = run_for(visit, run, WHAT_IF)
    keep_look(visit, "what-if", run=run)
    go_on(visit, found, what_if.judge)
    is_done = found.stage == audit_runs.DONE and result is not None
    asked = what_if_view.asked_for(run, visit.request.query_params)
    view = what_if_view.what_if_view(visit, found, result or "", asked) if is_done else None
    why = in_language(result or "", visit.lang) if found.stage == audit_runs.BROKEN else ""
    answer = visit.page(
        "audit/what_if_run.html",
        tabs=tabs(visit),
        run=found,
        view=view,
        result=result,
        waits=visit.house.desks.waits(found.id),
        why=why,
        by=asked_by(visit, found),
    )
    if found.stage == RUNNING:
        answer.headers["Refresh"] = "1"
    return answer


@doors.post("/audit/what-if/{run}/export", to=Audience.AUDITOR)
def audit_what_if_workbook(visit: Visit, run: str) -> Response:
    """The decisions shown as a workbook; who takes them out proves once more to be there."""
    found, result = run_for(visit, run, WHAT_IF)
    if found.stage != audit_runs.DONE or result is None:
        raise NotFound
    visit.demand_fresh_proof(visit.say("导出重判结果"))
    body = what_if_view.workbook(visit, found, result, what_if_view.asked_for(run, visit.form))
    return Response(body, media_type=WORKBOOK, headers=attached(f"what-if-{found.batch}.xlsx"))
