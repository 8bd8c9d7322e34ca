"""What is done with a run of a bulk decision, from a page and by a program: confirmed, tried again, taken out."""

from __future__ import annotations

from hashlib import sha256

from console.web.bulk import choosing, committing
from console.web.bulk.view import BulkView, bulk_view, lines_of, sampled
from console.web.faults import FieldFault, NotFound
from console.web.queue.step_fields import LONGEST, SHORTEST
from console.web.visit import Visit
from console.web.walks import Walk, walk_through
from engine.exporting import listed
from engine.records import Json, case_number
from engine.store import bulk_runs
from engine.store.bulk_runs import Outcome, Row, Run, Stage
from exchange.plain_tables import table_workbook

FAILED = (Outcome.CHANGED, Outcome.REFUSED, Outcome.BROKEN)


def own_run(visit: Visit, run: str) -> Run:
    """A run of the person's own.

    Raises:
        NotFound: If there is none, or it is somebody else's.
    """
    found = bulk_runs.run_of(visit.desk.connection, run)
    if found is None or found.login != visit.login:
        raise NotFound
    return found


def rows_of(visit: Visit, run: Run) -> list[Row]:
    """Its cases, by number."""
    return bulk_runs.rows_of(visit.desk.connection, run.id)


def walk_of(visit: Visit, run: Run, number: str) -> Walk:
    """Where a case stands in the sample of a preview.

    Raises:
        NotFound: If it is none of it.
    """
    inside = [one for one in rows_of(visit, run) if one.outcome is Outcome.CAN]
    sample = sampled(visit, run, inside)
    numbers = [case_number(one.case) for one in inside if one.case in sample]
    if number not in numbers:
        raise NotFound
    base = f"/bulk/{run.id}"
    return walk_through(base, [f"{base}/sample/{one}" for one in numbers], numbers.index(number))


def to_mend(visit: Visit, view: BulkView, reason: str) -> list[FieldFault]:
    """What is still to be looked at or said before a preview can be confirmed."""
    found = []
    if view.preview is not None and view.preview.unseen:
        why = visit.say("还有 {n} 件没有打开看过", n=view.preview.unseen)
        found.append(FieldFault("sample", visit.say("抽看"), why))
    if view.wants_reason and not SHORTEST <= len(reason) <= LONGEST:
        said = visit.say("要 {least} 到 {most} 个字，现在 {n} 个", least=SHORTEST, most=LONGEST, n=len(reason))
        found.append(FieldFault("reason", visit.say("理由"), said))
    return found


def given_with(run: Run, reason: str) -> dict[str, Json]:
    """What the step is given: as the preview was judged with, and why."""
    return {**run.fields, **({"reason": reason} if reason else {})}


def confirm(visit: Visit, run: Run, reason: str) -> None:
    """Have the step taken on all of a preview that can."""
    committing.begin(visit, run, Stage.RUNNING, given_with(run, reason))


def try_again(visit: Visit, run: Run) -> str | None:
    """A new preview of those that were not decided, as they stand now; None where none of them waits any more.

    What broke half way may have been decided all the same: the trail is asked first.
    """
    connection = visit.desk.connection
    if run.stage is Stage.DONE:
        with connection.writing():
            bulk_runs.note_acted(connection, run.id, [Outcome.BROKEN], Outcome.MOVED)
    return choosing.again(visit, run, [one.case for one in rows_of(visit, run) if one.outcome in FAILED])


def take_back(visit: Visit, run: Run) -> None:
    """Have all of it taken back that nobody has acted on."""
    if run.stage is Stage.DONE:
        committing.begin(visit, run, Stage.WITHDRAWING)


def workbook(visit: Visit, run: Run) -> bytes:
    """All its cases as a workbook; that they were taken along stands in the trail."""
    heads = [visit.say(one) for one in ("件号", "姓名", "学号", "单位", "结果", "原因")]
    lines = lines_of(visit, rows_of(visit, run))
    rows = [(x.number, x.name, x.student_no, x.unit, said(visit, x.outcome), "；".join(x.why)) for x in lines]
    body = table_workbook(visit.title(bulk_view(visit, run).verb), heads, rows)
    scope: dict[str, Json] = {"kind": "bulk", "name": run.id}
    told: dict[str, Json] = {"scope": scope, "cases": len(rows), "sha256": sha256(body).hexdigest()}
    listed(visit.desk, visit.asks("export:bulk"), told)
    return body


def said(visit: Visit, outcome: Outcome) -> str:
    """An outcome in words."""
    words = {
        Outcome.CAN: visit.say("可办"),
        Outcome.LOOK: visit.say("需细看"),
        Outcome.CANNOT: visit.say("不可办"),
        Outcome.MOVED: visit.say("已办"),
        Outcome.CHANGED: visit.say("情况有变"),
        Outcome.REFUSED: visit.say("没有办成"),
        Outcome.BROKEN: visit.say("中途出错"),
        Outcome.WITHDRAWN: visit.say("已撤回"),
        Outcome.STAYS: visit.say("不能撤回"),
    }
    return words[outcome]
