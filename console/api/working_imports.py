"""Sheets in: sent and checked whole, confirmed, taken in whole or not at all, by the same workers as the pages'."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal

from fastapi import File, Form, Path, Query, UploadFile

from console.access.programs import Scope
from console.api.answers import Words
from console.api.answers_imports import FaultOut, FaultsOut, FreedOut, RefusedRowOut, RunOut, RunsOut
from console.api.doors import ApiDoors, Call
from console.api.routes import After, Key, Limit
from console.api.working_lists import plain
from console.taking_in import COUNTED
from console.taking_in_findings import read_findings
from console.taking_in_kinds import CREATE_UNITS, NO_RECORD, OPEN_COLLECTIONS, Kind, admit, kinds_of
from console.web.audiences import Audience
from console.web.faults import FileRefused, NotFound
from console.web.files import sending, view, working
from engine.errors import TransitionNotOpen
from engine.records import case_number
from engine.store import import_runs
from engine.store.cases import read_cases
from engine.store.database import INTEGRITY_ERRORS
from engine.store.import_runs import AT_WORK, CONFIRMED, Run, Stage
from exchange.refusals import SheetRefused

doors = ApiDoors()
_MOST_FAULTS = 1000
_MEGA = 2**20
AfterRun = Annotated[
    str, Query(pattern=r"^([0-9TZ:.-]{4,32}~[A-Za-z0-9_-]{1,40})?$", description="`next` of the page before")
]
Which = Annotated[str, Path(max_length=40, description="The run, as its sheet was answered")]


@doors.door("GET", "/imports", scope=Scope.IMPORT, to=Audience.STAFF)
def runs(call: Call, after: AfterRun = "", limit: Limit = 50) -> RunsOut:
    """The sheets that the person has sent, here and on the pages, and those of nobody that the person sees there."""
    found = import_runs.runs_before(call.desk.connection, view.whose(call), _place(after), limit + 1)
    page = found[:limit]
    following = f"{page[-1].made_at}~{page[-1].id}" if len(found) > limit else None
    return RunsOut(runs=[_told(one) for one in page], next=following)


def _place(after: str) -> tuple[str, str] | None:
    """Where a page begins; None: at the newest."""
    made_at, _, run = after.partition("~")
    return (made_at, run) if run else None


@doors.door("POST", "/imports/{kind}", scope=Scope.IMPORT, to=Audience.STAFF, status_code=202)
def send(  # noqa: PLR0913, PLR0917 a form has each field by itself
    call: Call,
    kind: Annotated[str, Path(max_length=100, description="Such as `payments`, `roster`, `facts`, or a table")],
    file: Annotated[UploadFile, File(description="The sheet; what it is, is read from its bytes")],
    key: Key,
    create_units: Annotated[bool, Form(description="Of a roster: classes that are new are set up")] = False,  # noqa: FBT002
    no_record: Annotated[bool, Form(description="Of a roster: students are added without a record")] = False,  # noqa: FBT002
    open_collections: Annotated[  # noqa: FBT002
        bool, Form(description="Of photographs: a collection is opened for those who have none")
    ] = False,
) -> RunOut:
    """Keep a sheet and have it checked; nothing else is changed until it is confirmed."""
    chosen = next((one for one in kinds_of(call.desk, call.actor, call.at) if one.name == kind), None)
    if chosen is None:
        raise NotFound
    run = sha256(f"{call.actor.login}/{kind}/{key}".encode()).hexdigest()[:32]
    first = import_runs.run_of(call.desk.connection, run, *view.whose(call))
    if first is not None:
        return _told(first)
    with file.file as lying:
        body = lying.read(chosen.most_bytes + 1)
    name = sending.plain(file.filename or "")
    _admit(chosen, name, body)
    said = {CREATE_UNITS: create_units, NO_RECORD: no_record, OPEN_COLLECTIONS: open_collections}
    options = tuple(one for one, yes in said.items() if yes)
    try:
        return _told(sending.keep(call, chosen, sending.Sent(run, name, body, options)))
    except INTEGRITY_ERRORS:  # the same, sent twice at this moment
        return _told(_own(call, run))


def _admit(kind: Kind, name: str, body: bytes) -> None:
    if len(body) > kind.most_bytes:
        most = kind.most_bytes // _MEGA
        raise FileRefused(f"文件最多 {most} MB。At most {most} MB.", 413)
    try:
        admit(kind, name, body)
    except SheetRefused as problem:
        raise FileRefused(f"{problem.reason.zh}。{problem.reason.en}.", 415) from problem


@doors.door("GET", "/imports/{run}", scope=Scope.IMPORT, to=Audience.STAFF)
def one_run(call: Call, run: Which) -> RunOut:
    """How far a sheet is, and what it would do or has done."""
    own = _own(call, run)
    working.take_up(call, own)
    return _told(own)


@doors.door("GET", "/imports/{run}/faults", scope=Scope.IMPORT, to=Audience.STAFF)
def faults(
    call: Call,
    run: Which,
    after: Annotated[int, Query(ge=-1, le=2**53 - 1)] = -1,
    limit: Annotated[int, Query(ge=1, le=_MOST_FAULTS)] = _MOST_FAULTS,
) -> FaultsOut:
    """Every cell to mend or to look at, each with its place."""
    own = _own(call, run)
    found = import_runs.faults_after(call.desk.connection, own.id, after, limit + 1)
    page = found[:limit]
    return FaultsOut(
        faults=[
            FaultOut(
                is_warning=one.is_warning,
                row=one.line,
                column=one.header,
                cell=one.cell,
                value=one.value,
                reason=Words(zh=one.zh, en=one.en),
            )
            for _, one in page
        ],
        next=page[-1][0] if len(found) > limit else None,
    )


@doors.door("POST", "/imports/{run}/commit", scope=Scope.IMPORT, to=Audience.STAFF, status_code=202)
def commit(call: Call, run: Which, key: Key) -> RunOut:  # noqa: ARG001 a sheet is taken in once under any key
    """Take the whole sheet in, judged afresh, or nothing of it; what was taken in already is only told."""
    own = _own(call, run)
    if own.stage in CONFIRMED:
        working.begin(call, own, Stage.COMMITTING)
    return _told(_own(call, run))


@doors.door("POST", "/imports/{run}/drop", scope=Scope.IMPORT, to=Audience.STAFF)
def drop(call: Call, run: Which, _key: Key) -> RunOut:
    """Forget a sheet that was not taken in, and is not being worked on; afterwards there is none of it."""
    own = _own(call, run)
    if own.stage in (*AT_WORK, Stage.DONE):
        raise TransitionNotOpen("drop", own.stage.value, ())
    with call.desk.connection.writing():
        import_runs.drop_run(call.desk.connection, own.id)
    return _told(own)


@doors.door("GET", "/imports/{run}/cases", scope=Scope.IMPORT, to=Audience.STAFF)
def freed(
    call: Call,
    run: Which,
    which: Annotated[Literal["ready", "applying", "reviews"], Query()] = "ready",
    after: After = None,
    limit: Limit = 50,
) -> FreedOut:
    """The cases that a sheet has freed, or whose picture is to be looked at again."""
    own = _own(call, run)
    found = read_findings(own.told) if own.stage is Stage.DONE else read_findings("")
    cases = {case_number(one): one for one in getattr(found, which)}
    rest = sorted(one for one in cases if one > plain(after))
    known = read_cases(call.desk.connection, [cases[one] for one in rest[:limit]]) if rest else {}
    return FreedOut(
        numbers=[one for one in rest[:limit] if cases[one] in known and call.visible.sees(known[cases[one]].case)],
        next=rest[limit - 1] if len(rest) > limit else None,
    )


def _own(call: Call, run: str) -> Run:
    """A run of the person's own, or of nobody's where the person sees those.

    Raises:
        NotFound: If there is none, or it is somebody else's.
    """
    found = import_runs.run_of(call.desk.connection, run, *view.whose(call))
    if found is None:
        raise NotFound
    return found


def _told(run: Run) -> RunOut:
    found = read_findings(run.told)
    counts = dict(zip(COUNTED, found.counts, strict=False))
    return RunOut(
        id=run.id,
        kind=run.kind,
        name=run.name,
        sha256=run.sha256,
        size=run.size,
        stage=run.stage.value,
        read=run.read,
        made_at=run.made_at,
        done_at=run.done_at,
        number=found.number or None,
        rows=found.rows,
        good=found.good,
        faults=found.faults,
        warnings=found.warnings,
        counts={name: count for name, count in counts.items() if count},
        facts=dict(found.facts),
        ready=len(found.ready),
        applying=len(found.applying),
        reviews=len(found.reviews),
        refusals=found.refusals,
        refused=[RefusedRowOut(student_no=no, reason=Words(zh=zh, en=en)) for no, zh, en in found.refused],
        error=Words(zh=found.error[0], en=found.error[1]) if found.error else None,
    )
