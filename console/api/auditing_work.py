"""An auditor's own work, for programs: working papers, and decisions judged again under other rules.

What is taken out is an event of its own each time, and wants a token that was made with a proof.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import Annotated

import msgspec
from fastapi import File, Form, Path, Query, UploadFile
from pydantic.json_schema import SkipJsonSchema

from console.access.programs import Scope
from console.api.answers import Words
from console.api.answers_auditing_work import (
    BatchIn,
    CellOut,
    ComparedOut,
    JudgedOut,
    NarrowedIn,
    NarrowedPageIn,
    OnePaperOut,
    OpenOut,
    PaperIn,
    PaperOut,
    PapersOut,
    WhatIfLineOut,
    WhatIfOut,
    WhatIfsOut,
)
from console.api.doors import ApiDoors, Call, Pdf, Workbook
from console.api.errands import MOST, Errand, Word, errand
from console.api.routes import Key
from console.web.audiences import Audience
from console.web.auditing import findings, papers, what_if, what_if_view
from console.web.auditing.frame import keep_look, scope_of
from console.web.auditing.sharing import run_for
from console.web.auditing.what_if import Came, Otherwise
from console.web.auditing.what_if_view import WhatIfView
from console.web.auditing.working import go_on
from console.web.faults import NotFound
from engine.records import Json, case_number
from engine.repeating import answered_at, once
from engine.store import audit_runs
from engine.store.audit_runs import BROKEN, DONE, FAILED, WHAT_IF, Run
from engine.store.database import INTEGRITY_ERRORS
from engine.trail.event import REGISTRY

doors = ApiDoors()
AUDITOR = Audience.AUDITOR
_NOTE = "api:note"
_RUNS = 20
_WAS = {True: "passed", False: "refused"}
_NOW = {True: "pass", False: "refuse", None: "open"}
PaperName = Annotated[
    str,
    Path(max_length=32, pattern=r"^(batch|[0-9A-Za-z]{4}-?[0-9A-Za-z]{4})\.[0-9]{1,15}$", description="Of the paper"),
]
Which = Annotated[str, Path(max_length=40, description="The run, as it was answered")]


# --- working papers --------------------------------------------------------------------------------------------------


@doors.door("GET", "/audit/papers", scope=Scope.AUDIT, to=AUDITOR)
def noted(
    call: Call,
    batch: Annotated[Word, Query(description="Empty: on any")] = "",
    start: Annotated[int, Query(ge=0, le=MOST, description="`next` of the page before")] = 0,
) -> PapersOut:
    """What was noted on a batch and its cases, as far as the person audits them, the newest first."""
    visit = errand(call)
    scope_of(visit, batch)
    keep_look(visit, "papers", batch=batch or None)
    view = papers.papers_view(visit, batch, start)
    return PapersOut(
        papers=[PaperOut.model_validate(_paper(one)) for one in view.lines],
        total=view.total,
        counts=dict(view.counts),
        next=view.following,
    )


def _paper(line: papers.Line) -> dict[str, object]:
    one = line.paper
    return {
        "name": line.id, "at": one.at, "by": one.actor, "case": one.case, "batch": one.batch, "about": one.about,
        "conclusion": one.conclusion, "text": one.text,
    }  # fmt: skip


@doors.door("GET", "/audit/papers/{name}", scope=Scope.AUDIT, to=AUDITOR)
def paper(call: Call, name: PaperName) -> OnePaperOut:
    """One note: its text, what it is about, and whether it is sealed."""
    visit = errand(call)
    shown = _one(visit, name)
    keep_look(visit, "paper", paper=shown.name)
    return shown


def _one(visit: Errand, name: str) -> OnePaperOut:
    of, _, seq = name.rpartition(".")
    line, sealed = papers.paper_of(visit, f"{of if of == 'batch' else of.replace('-', '').upper()}.{seq}")
    return OnePaperOut.model_validate({**_paper(line), "sealed_under": sealed})


@doors.door("POST", "/audit/papers", scope=Scope.AUDIT, to=AUDITOR, status_code=201)
def note(call: Call, said: PaperIn, key: Key) -> OnePaperOut:
    """Note something on a case or a batch; nothing of it changes, and the trail keeps the note."""
    visit = errand(
        call, text=said.text, case=said.case, batch=said.batch, conclusion=said.conclusion,
        seq=None if said.seq is None else str(said.seq),
    )  # fmt: skip
    once(call.desk, _NOTE, call.asks("audit:note", request=call.own(key)), lambda asked: papers.write(visit, asked))
    at = answered_at(call.desk, _NOTE, call.own(key))
    if at is None:
        raise NotFound
    chain, seq = at
    return _one(visit, f"{case_number(chain) if chain > REGISTRY else 'batch'}.{seq}")


@doors.door("POST", "/audit/papers/export", scope=Scope.AUDIT, to=AUDITOR, answers=Pdf, proof=True)
def take_papers_out(call: Call, wanted: BatchIn) -> Pdf:
    """The notes with their texts as a PDF; each time it is taken out is an event."""
    return Pdf(papers.booklet(errand(call), wanted.batch.strip()))


@doors.door("POST", "/audit/findings/export", scope=Scope.AUDIT, to=AUDITOR, answers=Workbook, proof=True)
def take_findings_out(call: Call, wanted: BatchIn) -> Workbook:
    """What the newest look through a batch found, as a workbook; each time it is taken out is an event."""
    _, body = findings.workbook(errand(call), wanted.batch.strip())
    return Workbook(body)


# --- what if ---------------------------------------------------------------------------------------------------------


@doors.door("GET", "/audit/what-if", scope=Scope.AUDIT, to=AUDITOR)
def asked_before(call: Call) -> WhatIfsOut:
    """What the person has had judged again last, and the folders of rules there are to choose from."""
    visit = errand(call)
    keep_look(visit, "what-if")
    runs = audit_runs.runs_of(call.desk.connection, WHAT_IF, visit.login, _RUNS)
    return WhatIfsOut(
        runs=[WhatIfLineOut.model_validate(_run(one)) for one in runs],
        folders=[name for name, _ in what_if.folders(visit)],
    )


def _run(one: Run) -> dict[str, object]:
    return {
        "id": one.id, "batch": one.batch, "rules": one.title, "stage": one.stage, "made_at": one.made_at,
        "read": one.done, "of": one.total,
    }  # fmt: skip


@doors.door("POST", "/audit/what-if", scope=Scope.AUDIT, to=AUDITOR, status_code=202)
def judge_again(
    call: Call,
    batch: Annotated[Word, Form(description="Whose decisions")],
    key: Key,
    folder: Annotated[Word, Form(description="A folder of rules; without one a file is sent")] = "",
    file: Annotated[
        UploadFile | SkipJsonSchema[None],
        File(description="One YAML file, or a ZIP with `workflows/` and `rules/`, 4 MB at most"),
    ] = None,
) -> WhatIfLineOut:
    """Have the decisions of a batch judged again under other rules, in the background; nothing is changed by it."""
    visit = errand(call, batch=batch, folder=folder)
    visit.sent = file
    number = sha256(f"{WHAT_IF}/{call.own(key)}".encode()).hexdigest()[:32]
    if audit_runs.run_of(call.desk.connection, number) is None:
        keep_look(visit, "what-if", batch=batch.strip(), run=number)
        with suppress(*INTEGRITY_ERRORS):  # the same, asked twice at this moment
            what_if.ask(visit, number)
    return WhatIfLineOut.model_validate(_run(run_for(visit, number, WHAT_IF)[0]))


@doors.door("GET", "/audit/what-if/{run}", scope=Scope.AUDIT, to=AUDITOR)
def what_came(call: Call, run: Which, wanted: Annotated[NarrowedPageIn, Query()]) -> WhatIfOut:
    """How far it is; then sums, and the decisions that would be otherwise, or those asked for, fifty a page."""
    visit = errand(call)
    found, result = run_for(visit, run, WHAT_IF)
    keep_look(visit, "what-if", run=run)
    go_on(visit, found, what_if.judge)
    if found.stage in (FAILED, BROKEN):
        return WhatIfOut.model_validate({**_run(found), "error": result})
    if found.stage != DONE or result is None:
        return WhatIfOut.model_validate(_run(found))
    asked = what_if_view.asked_for(run, {name: str(value) for name, value in wanted.model_dump().items()})
    view = what_if_view.what_if_view(visit, found, result, asked)
    came = msgspec.json.decode(result, type=Came)
    further = asked.start + what_if_view.PAGE
    return WhatIfOut.model_validate(
        {
            **_run(found),
            "same": view.same,
            "changed": view.changed,
            "compared": [ComparedOut(title=Words(zh=x.zh, en=x.en), now=x.now, other=x.other) for x in came.compared],
            "matrix": _matrix(came),
            "open": [OpenOut(rule=rule, missing=key, decisions=many) for rule, key, many in came.open],
            "decisions": _judged(view, came),
            "listed": view.listed,
            "next": further if further < view.listed else None,
        }
    )


def _matrix(came: Came) -> list[CellOut]:
    outcomes = [(one.allowed, one.allows) for one in came.told]
    return [
        CellOut.model_validate({"was": _WAS[was], "now": _NOW[now], "decisions": outcomes.count((was, now))})
        for was in _WAS
        for now in _NOW
    ]


def _judged(view: WhatIfView, came: Came) -> list[JudgedOut]:
    return [
        JudgedOut.model_validate(
            {
                "case": line.number,
                "student_no": line.student_no or None,
                "seq": line.told.seq,
                "at": line.told.at,
                "workflow": line.told.workflow,
                "trigger": line.told.trigger,
                "by": line.told.actor,
                "unit": line.told.unit,
                "was": _WAS[line.told.allowed],
                "now": _NOW[line.told.allows],
                **_why(came.why.get(f"{line.told.chain}#{line.told.seq}")),
            }
        )
        for line in view.lines
    ]


def _why(one: Otherwise | None) -> dict[str, Json]:
    if one is None:
        return {"rules": []}
    return {"rules": [said.rule for said in one.rules], "seen": {"zh": one.zh, "en": one.en}}


@doors.door("POST", "/audit/what-if/{run}/export", scope=Scope.AUDIT, to=AUDITOR, answers=Workbook, proof=True)
def take_judged_out(call: Call, run: Which, wanted: NarrowedIn) -> Workbook:
    """The decisions asked for as a workbook; each time it is taken out is an event."""
    visit = errand(call)
    found, result = run_for(visit, run, WHAT_IF)
    if found.stage != DONE or result is None:
        raise NotFound
    return Workbook(what_if_view.workbook(visit, found, result, what_if_view.asked_for(run, wanted.model_dump())))
