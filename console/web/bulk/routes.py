"""The addresses of a bulk decision: `/bulk` freezes what was ticked; preview, progress and result share one address."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import quote

from fastapi import Response

from console.access import stepping_up
from console.access.passwords import Crowded
from console.access.refusals import MustWait, NotLetIn, WrongCode
from console.web.audiences import Audience
from console.web.bulk import choosing, committing
from console.web.bulk.view import SHOWN, BulkView, asks_first, bulk_view, lines_of, step_of, waits_for_worker
from console.web.doors import Doors
from console.web.fault_pages import in_language
from console.web.faults import FieldFault, NotFound
from console.web.queue.step_fields import LONGEST, SHORTEST, read_given
from console.web.queue.wording import words_for
from console.web.visit import Visit
from engine.exporting import listed
from engine.records import Json, case_of
from engine.store import bulk_runs
from engine.store.bulk_runs import AT_WORK, Outcome, Row, Run, Stage
from engine.trail.event import canonical
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
    if waits_for_worker(visit, own):
        committing.begin(visit, own, own.stage)
    answer = _page(visit, own)
    if own.stage in AT_WORK:
        answer.headers["Refresh"] = "1"
    return answer


@doors.post("/bulk/{run}/rows.xlsx", to=Audience.STAFF)
def bulk_workbook(visit: Visit, run: str) -> Response:
    """All its cases as a workbook; it names people, so it is asked who is there, and it is told."""
    own = _own(visit, run)
    visit.demand_fresh_proof(visit.say("导出带个人信息的名单"))
    heads = [visit.say(one) for one in ("件号", "姓名", "学号", "单位", "结果", "原因")]
    lines = lines_of(visit, bulk_runs.rows_of(visit.desk.connection, run))
    rows = [(x.number, x.name, x.student_no, x.unit, _said(visit, x.outcome), "；".join(x.why)) for x in lines]
    body = table_workbook(visit.title(bulk_view(visit, own).verb), heads, rows)
    scope: dict[str, Json] = {"kind": "bulk", "name": own.id}
    told: dict[str, Json] = {"scope": scope, "cases": len(rows), "sha256": sha256(body).hexdigest()}
    listed(visit.desk, visit.asks("export:bulk"), told)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote('bulk.xlsx')}"}
    return Response(body, media_type=_WORKBOOK, headers=headers)


@doors.get("/bulk/{run}/rows", to=Audience.STAFF)
def bulk_rows(visit: Visit, run: str, outcome: str = "") -> Response:
    """The cases of one outcome, or of several between commas; of all, where none is named."""
    own, wanted = _own(visit, run), [one for one in outcome.split(",") if one]
    rows = [one for one in _rows(visit, own) if not wanted or one.outcome in wanted]
    return visit.page(
        "bulk/rows.html",
        view=bulk_view(visit, own),
        lines=lines_of(visit, rows[:SHOWN]),
        more=max(0, len(rows) - SHOWN),
        what=[_said(visit, one) for one in Outcome if one in wanted],
        words={one: _said(visit, one) for one in Outcome},
    )


@doors.post("/bulk/{run}/leave-out", to=Audience.STAFF)
def leave_out(visit: Visit, run: str) -> Response:
    """Take one case out of the preview."""
    own, case = _own(visit, run), case_of(visit.form.get("case", ""))
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
    own = _own(visit, run)
    wanted = own._replace(trigger=visit.form.get("trigger", ""), given="{}")
    step = step_of(visit, wanted, _rows(visit, own))
    if step is not None and asks_first(step):
        given = read_given(visit, visit.desk.machine(step.case.shape), step.step)
        wanted = wanted._replace(given=canonical(dict(given.fields)).decode())
    found = choosing.again(visit, wanted, [one.case for one in _rows(visit, own)])
    return visit.go(f"/bulk/{found or run}")


@doors.post("/bulk/{run}/commit", to=Audience.STAFF)
def commit(visit: Visit, run: str) -> Response:
    """Take the step on all that can, once the sample was looked at and the person has proved to be there."""
    own = _own(visit, run)
    if own.stage is not Stage.PREVIEW:
        return visit.go(f"/bulk/{run}")
    view = bulk_view(visit, own)
    reason = visit.form.get("reason", "") if view.wants_reason else ""
    given = {**own.fields, **({"reason": reason} if reason else {})}
    if faults := _to_mend(visit, view, reason) or _unproven(visit, view):
        return _page(visit, own._replace(given=canonical(given).decode()), faults=faults)
    with visit.desk.connection.writing():
        bulk_runs.give(visit.desk.connection, run, given)
    committing.begin(visit, own, Stage.RUNNING)
    return visit.go(f"/bulk/{run}")


@doors.post("/bulk/{run}/retry", to=Audience.STAFF)
def retry(visit: Visit, run: str) -> Response:
    """A new preview of those that were not decided, as they stand now; the list of them where none waits any more."""
    own, failed = _own(visit, run), (Outcome.CHANGED, Outcome.REFUSED)
    found = choosing.again(visit, own, [one.case for one in _rows(visit, own) if one.outcome in failed])
    return visit.go(f"/bulk/{run}/rows?outcome={','.join(failed)}" if found is None else f"/bulk/{found}")


@doors.post("/bulk/{run}/withdraw", to=Audience.STAFF)
def withdraw(visit: Visit, run: str) -> Response:
    """Take back all of it that nobody has acted on."""
    own = _own(visit, run)
    if own.stage is Stage.DONE:
        committing.begin(visit, own, Stage.WITHDRAWING)
    return visit.go(f"/bulk/{run}")


def _own(visit: Visit, run: str) -> Run:
    found = bulk_runs.run_of(visit.desk.connection, run)
    if found is None or found.login != visit.login:
        raise NotFound
    return found


def _rows(visit: Visit, run: Run) -> list[Row]:
    return bulk_runs.rows_of(visit.desk.connection, run.id)


def _page(visit: Visit, run: Run, faults: list[FieldFault] | None = None) -> Response:
    status, view = 422 if faults else 200, bulk_view(visit, run)
    return visit.page("bulk/run.html", status=status, view=view, faults=faults or (), q=words_for(visit))


def _to_mend(visit: Visit, view: BulkView, reason: str) -> list[FieldFault]:
    """What is still to be looked at or said."""
    found = []
    if view.preview is not None and view.preview.unseen:
        why = visit.say("还有 {n} 件没有打开看过", n=view.preview.unseen)
        found.append(FieldFault("sample", visit.say("抽看"), why))
    if view.wants_reason and not SHORTEST <= len(reason) <= LONGEST:
        said = visit.say("要 {least} 到 {most} 个字，现在 {n} 个", least=SHORTEST, most=LONGEST, n=len(reason))
        found.append(FieldFault("reason", visit.say("理由"), said))
    return found


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
        token = stepping_up.prove(visit.desk.connection, visit.office.key, session, given, visit.at)
    except (WrongCode, NotLetIn, MustWait, Crowded) as problem:
        return [FieldFault("proof", visit.say("动态口令（6 位）"), in_language(str(problem), visit.lang))]
    visit.begin_session(token)
    return []


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
