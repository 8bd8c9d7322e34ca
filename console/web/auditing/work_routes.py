"""The doors of an auditor's own work: samples, findings, working papers, seals."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from fastapi import Response

from console.web.audiences import Audience
from console.web.auditing import findings, papers, samples, seals
from console.web.auditing.frame import batch_choices, keep_look, scope_of, tabs
from console.web.auditing.sharing import asked_by
from console.web.auditing.working import begin, go_on
from console.web.doors import Doors
from console.web.fault_pages import in_language
from console.web.faults import FieldFaults
from console.web.visit import Visit
from engine.auditing.papers import FOLLOWING
from engine.store.audit_runs import BROKEN, DONE, FINDINGS, RUNNING, Run

doors = Doors()
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@doors.get("/audit/samples", to=Audience.AUDITOR)
def audit_samples(visit: Visit) -> Response:
    """The samples drawn, and drawing one."""
    keep_look(visit, "samples")
    return _samples(visit)


@doors.post("/audit/samples", to=Audience.AUDITOR)
def audit_draw(visit: Visit) -> Response:
    """Draw a sample; the trail keeps how, and which cases."""
    try:
        return visit.go(f"/audit/samples/{samples.draw(visit)}")
    except FieldFaults as problem:
        return _samples(visit, problem)


def _samples(visit: Visit, problem: FieldFaults | None = None) -> Response:
    return visit.page(
        "audit/samples.html",
        status=200 if problem is None else 422,
        tabs=tabs(visit),
        lines=samples.sample_lines(visit),
        batches=batch_choices(visit),
        kinds=samples.unit_kinds(visit),
        workflows=samples.workflow_choices(visit),
        faults=() if problem is None else problem.faults,
        given=visit.form,
    )


@doors.get("/audit/samples/{seq}", to=Audience.AUDITOR)
def audit_sample(visit: Visit, seq: int) -> Response:
    """A sample: how it was drawn, and which of its cases have been looked at."""
    view = samples.sample_view(visit, seq)
    keep_look(visit, "sample", sample=seq)
    return visit.page("audit/sample.html", tabs=tabs(visit), view=view)


@doors.get("/audit/findings", to=Audience.AUDITOR)
def audit_findings(visit: Visit, batch: str = "", standing: str = "") -> Response:
    """What was found in a batch, by kind; with `standing` only what stands so."""
    choices = batch_choices(visit)
    scope_of(visit, batch)
    keep_look(visit, "findings", batch=batch or None)
    newest = findings.latest(visit, batch)
    run, result = newest or (None, None)
    if run is not None:
        go_on(visit, run, findings.look_for)
    is_running = run is not None and run.stage == RUNNING
    view = None if run is None or run.stage != DONE or result is None else findings.findings_view(visit, run, result)
    answer = visit.page(
        "audit/findings.html",
        tabs=tabs(visit),
        run=run,
        view=view,
        waits=run is not None and visit.house.desks.waits(run.id),
        why=in_language(result or "", visit.lang) if run is not None and run.stage == BROKEN else "",
        standing=standing,
        words=findings.standings(visit),
        batches=choices,
        batch=batch if run is None else run.batch,
    )
    if is_running:
        answer.headers["Refresh"] = "1"
    return answer


@doors.post("/audit/findings", to=Audience.AUDITOR)
def audit_look_for(visit: Visit) -> Response:
    """Look through a batch anew; it is done in the background."""
    batch = visit.form.get("batch", "")
    scope = scope_of(visit, batch)
    keep_look(visit, "findings", batch=batch or None)
    begin(visit, (FINDINGS, batch, batch), findings.asked_of(scope), findings.look_for)
    return visit.go(f"/audit/findings?{urlencode({'batch': batch})}")


@doors.post("/audit/findings/export", to=Audience.AUDITOR)
def audit_findings_workbook(visit: Visit) -> Response:
    """What was found, with all of its cases, as a workbook; who takes it out proves once more to be there."""
    visit.demand_fresh_proof(visit.say("导出疑点"))
    name, body = findings.workbook(visit, visit.form.get("batch", ""))
    return Response(body, media_type=WORKBOOK, headers=attached(name))


@doors.get("/audit/findings/{digest}", to=Audience.AUDITOR)
def audit_finding(visit: Visit, digest: str) -> Response:
    """One finding: what it rests on, and what has been concluded of it."""
    run, line = findings.finding_of(visit, digest)
    keep_look(visit, "finding", finding=line.finding.digest)
    return _finding(visit, run, line)


@doors.post("/audit/findings/{digest}", to=Audience.AUDITOR)
def audit_conclude(visit: Visit, digest: str) -> Response:
    """Conclude something of a finding; the trail keeps it with the note."""
    try:
        findings.conclude(visit, digest)
    except FieldFaults as problem:
        return _finding(visit, *findings.finding_of(visit, digest), problem)
    return visit.go(f"/audit/findings/{quote(digest)}")


def _finding(visit: Visit, run: Run, line: findings.Line, problem: FieldFaults | None = None) -> Response:
    return visit.page(
        "audit/finding.html",
        status=200 if problem is None else 422,
        tabs=tabs(visit),
        run=run,
        line=line,
        kind=findings.kinds(visit)[line.finding.code],
        by=asked_by(visit, run),
        words=findings.standings(visit),
        following=FOLLOWING[line.standing],
        shown=findings.SHOWN,
        faults=() if problem is None else problem.faults,
        given=visit.form,
    )


@doors.get("/audit/papers", to=Audience.AUDITOR)
def audit_papers(visit: Visit, batch: str = "", start: int = 0) -> Response:
    """What was noted, the newest first, and noting something."""
    scope_of(visit, batch)
    keep_look(visit, "papers", batch=batch or None)
    return _papers(visit, batch, max(0, start))


@doors.post("/audit/papers", to=Audience.AUDITOR)
def audit_note(visit: Visit) -> Response:
    """Note something on a case or a batch; nothing of it changes."""
    try:
        return visit.go(f"/audit/papers/{papers.write(visit)}")
    except FieldFaults as problem:
        return _papers(visit, "", 0, problem)


def _papers(visit: Visit, batch: str, start: int, problem: FieldFaults | None = None) -> Response:
    return visit.page(
        "audit/papers.html",
        status=200 if problem is None else 422,
        tabs=tabs(visit),
        batches=batch_choices(visit),
        view=papers.papers_view(visit, batch, start),
        batch=batch,
        words=papers.conclusions(visit),
        faults=() if problem is None else problem.faults,
        given=visit.form,
    )


@doors.post("/audit/papers/export", to=Audience.AUDITOR)
def audit_papers_pdf(visit: Visit) -> Response:
    """The papers with their texts as a PDF; who takes them out proves once more to be there."""
    visit.demand_fresh_proof(visit.say("导出底稿"))
    made = papers.booklet(visit, visit.form.get("batch", ""))
    return Response(made, media_type="application/pdf", headers=attached("papers.pdf"))


@doors.get("/audit/papers/{name}", to=Audience.AUDITOR)
def audit_paper(visit: Visit, name: str) -> Response:
    """One note: its text, what it is about, and whether it is sealed."""
    line, sealed = papers.paper_of(visit, name)
    keep_look(visit, "paper", paper=line.id)
    return visit.page(
        "audit/paper.html", tabs=tabs(visit), line=line, sealed=sealed, words=papers.conclusions(visit)
    )  # fmt: skip


@doors.get("/audit/seals", to=Audience.AUDITOR)
def audit_seals(visit: Visit, before: int | None = None) -> Response:
    """The heads that were signed, and what is not under one yet."""
    keep_look(visit, "seals")
    return visit.page(
        "audit/seals.html", tabs=tabs(visit), view=seals.seals_view(visit, before), log=visit.office.log, checked=None
    )


@doors.post("/audit/seals", to=Audience.AUDITOR)
def audit_check_seals(visit: Visit) -> Response:
    """Work out the heads again, and see whether the next could be signed; nothing is changed."""
    keep_look(visit, "seals")
    return visit.page(
        "audit/seals.html",
        block="checked",
        tabs=tabs(visit),
        view=seals.seals_view(visit, None),
        log=visit.office.log,
        checked=seals.check(visit),
    )


def attached(name: str) -> dict[str, str]:
    """The headers of a file that is handed out."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
