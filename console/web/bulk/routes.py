"""The addresses of a bulk decision: `/bulk` freezes what was ticked; preview, progress and result share one address."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Response

from console.web.audiences import Audience
from console.web.bulk import choosing, committing
from console.web.bulk.view import BulkView, bulk_view, remaining
from console.web.doors import Doors
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from engine.records import case_of
from engine.store import bulk_runs
from engine.store.bulk_runs import Outcome, Run
from exchange.plain_tables import table_workbook

doors = Doors()
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@doors.post("/bulk", to=Audience.STAFF)
def freeze(visit: Visit) -> Response:
    """Keep what was ticked, and show what would become of it."""
    return visit.go(f"/bulk/{choosing.freeze(visit)}")


@doors.get("/bulk/{run}", to=Audience.STAFF)
def bulk(visit: Visit, run: str) -> Response:
    """Preview, progress or result, whichever it is at; a run whose worker died is taken up again."""
    own = _own(visit, run)
    if remaining(visit, own):
        committing.begin(visit, own)
    answer = visit.page("bulk/run.html", view=bulk_view(visit, own))
    if own.stage == "running":
        answer.headers["Refresh"] = "1"
    return answer


@doors.get("/bulk/{run}/rows.xlsx", to=Audience.STAFF)
def bulk_workbook(visit: Visit, run: str) -> Response:
    """All its cases as a workbook."""
    view = bulk_view(visit, _own(visit, run))
    heads = [visit.say(one) for one in ("件号", "姓名", "学号", "单位", "结果", "原因")]
    rows = [(x.number, x.name, x.student_no, x.unit, _said(visit, x.outcome), "；".join(x.why)) for x in view.lines]
    body = table_workbook(visit.title(view.verb), heads, rows)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote('bulk.xlsx')}"}
    return Response(body, media_type=_WORKBOOK, headers=headers)


@doors.get("/bulk/{run}/rows", to=Audience.STAFF)
def bulk_rows(visit: Visit, run: str, outcome: str = "") -> Response:
    """The cases of one outcome; of all, where none is named."""
    view = bulk_view(visit, _own(visit, run))
    lines = view.of(outcome) if outcome else view.lines
    return visit.page("bulk/rows.html", view=view, lines=lines, words={one: _said(visit, one) for one in Outcome})


@doors.post("/bulk/{run}/leave-out", to=Audience.STAFF)
def leave_out(visit: Visit, run: str) -> Response:
    """Take one case out of the preview."""
    own, case = _own(visit, run), case_of(visit.form.get("case", ""))
    if own.stage == "preview" and case is not None:
        with visit.desk.connection.writing():
            bulk_runs.leave_out(visit.desk.connection, run, case)
    return visit.go(f"/bulk/{run}")


@doors.post("/bulk/{run}/commit", to=Audience.STAFF)
def commit(visit: Visit, run: str) -> Response:
    """Take the step on all that can, once the sample was looked at and the person has proved to be there."""
    own = _own(visit, run)
    if own.stage == "preview":
        view = bulk_view(visit, own)
        _demand_sample(visit, view)
        number = view.counts[Outcome.CAN]
        visit.demand_fresh_proof(f"{visit.title(view.verb)} {number}")
        committing.begin(visit, own)
    return visit.go(f"/bulk/{run}")


@doors.post("/bulk/{run}/retry", to=Audience.STAFF)
def retry(visit: Visit, run: str) -> Response:
    """A new preview of those that were not decided, as they stand now."""
    own = _own(visit, run)
    rows = bulk_runs.rows_of(visit.desk.connection, run)
    failed = [one.case for one in rows if one.outcome in (Outcome.CHANGED, Outcome.REFUSED)]
    return visit.go(f"/bulk/{choosing.again(visit, own, failed)}")


@doors.post("/bulk/{run}/withdraw", to=Audience.STAFF)
def withdraw(visit: Visit, run: str) -> Response:
    """Take back all of it that nobody has acted on."""
    own = _own(visit, run)
    if own.stage == "done":
        committing.withdraw(visit, own)
    return visit.go(f"/bulk/{run}")


def _own(visit: Visit, run: str) -> Run:
    found = bulk_runs.run_of(visit.desk.connection, run)
    if found is None or found.login != visit.login:
        raise NotFound
    return found


def _demand_sample(visit: Visit, view: BulkView) -> None:
    if view.unseen:
        why = visit.say("还有 {n} 件没有打开看过", n=view.unseen)
        raise FieldFaults([FieldFault("sample", visit.say("抽看"), why)])


def _said(visit: Visit, outcome: Outcome) -> str:
    """An outcome in words."""
    words = {
        Outcome.CAN: visit.say("可办"),
        Outcome.LOOK: visit.say("需细看"),
        Outcome.CANNOT: visit.say("不可办"),
        Outcome.MOVED: visit.say("已办"),
        Outcome.CHANGED: visit.say("情况有变"),
        Outcome.REFUSED: visit.say("没有办成"),
        Outcome.WITHDRAWN: visit.say("已撤回"),
        Outcome.STAYS: visit.say("不能撤回"),
    }
    return words[outcome]
