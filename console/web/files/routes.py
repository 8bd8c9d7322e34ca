"""The doors of files: what came in, sending a sheet, its checks and consequences, taking it in."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Response

from console.taking_in_findings import read_findings
from console.taking_in_kinds import OPEN_COLLECTIONS, PAYMENTS, ROSTER, Kind, kinds_of
from console.taking_in_photos import PHOTOS
from console.web.audiences import Audience
from console.web.batches.forgotten import forgotten_of
from console.web.batches.rolls import roll_of
from console.web.bulk import filing
from console.web.doors import Doors
from console.web.faults import FieldFaults, FileRefused, NotFound
from console.web.files import exports, sending, view, working
from console.web.files.tables import table_of
from console.web.visit import Visit
from engine.store import import_runs
from engine.store.import_runs import AT_WORK, CONFIRMED, FaultRow, Run, Stage
from exchange.evidence import FileRefused as Unshowable
from exchange.faults import Fault, Sentence
from exchange.marking import marked
from exchange.photo_packages import body_at, names_in
from exchange.pictures import shown
from exchange.plain_tables import table_workbook
from exchange.refusals import SheetRefused
from exchange.templates import template_of

doors = Doors()
_PICTURE_SIDE = 240
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@doors.get("/files", to=Audience.STAFF)
def files(visit: Visit) -> Response:
    """What the person has sent, what may be sent, and what may be taken along."""
    wanted = visit.request.query_params.get("find", "").strip()
    return visit.page("files/index.html", kinds=view.own_kinds(visit), past=view.past_of(visit, wanted), wanted=wanted)


@doors.get("/imports/new/{kind}", to=Audience.STAFF)
def sending_page(visit: Visit, kind: str) -> Response:
    """Choose a file."""
    return _sending(visit, _kind(visit, kind))


@doors.get("/imports/new/{kind}/template.xlsx", to=Audience.STAFF)
def template(visit: Visit, kind: str) -> Response:
    """An empty sheet with the right headers."""
    chosen = _kind(visit, kind)
    title = view.title_of(visit, chosen.name)
    return workbook(template_of(title, chosen.columns), f"{title}.xlsx")


@doors.post("/imports/new/{kind}", to=Audience.STAFF)
def send(visit: Visit, kind: str) -> Response:
    """Keep the file and have it checked; nothing else is changed."""
    chosen = _kind(visit, kind)
    try:
        run = sending.receive(visit, chosen)
    except FileRefused as problem:
        return _sending(visit, chosen, fault=str(problem), status=problem.status)
    except FieldFaults as problem:
        return _sending(visit, chosen, fault=problem.faults[0].reason, status=422)
    return visit.go(f"/imports/{run.id}")


def _sending(visit: Visit, kind: Kind, *, fault: str = "", status: int = 200) -> Response:
    others = [(one.name, title, one.name == kind.name) for one, title in view.own_kinds(visit)]
    return visit.page(
        "files/new.html", status=status, kind=kind, title_of=view.title_of(visit, kind.name), others=others,
        fault=fault, is_roster=kind.name == ROSTER, is_payments=kind.name == PAYMENTS,
    )  # fmt: skip


@doors.get("/imports/{run}", to=Audience.STAFF)
def one_import(visit: Visit, run: str) -> Response:
    """How far a sheet is: read, to be mended, to be confirmed, done."""
    own = _own(visit, run)
    working.take_up(visit, own)
    answer = visit.page("files/sheet.html", sheet=view.sheet_of(visit, own, dict(visit.request.query_params)))
    if own.stage in AT_WORK:
        answer.headers["Refresh"] = "1"
    return answer


@doors.get("/imports/{run}/marked.xlsx", to=Audience.STAFF)
def marked_sheet(visit: Visit, run: str) -> Response:
    """The person's own sheet with every bad cell tinted and commented."""
    own = _own(visit, run)
    body = import_runs.body_of(visit.desk.connection, own.id)
    found = import_runs.every_fault(visit.desk.connection, own.id)
    if body is None or not found:
        raise NotFound
    if own.kind == PHOTOS:
        return workbook(_faulty_pictures(visit, body, found), visit.say("照片问题-{name}.xlsx", name=own.name))
    try:
        made = marked(
            body, [_fault(one) for one in found if not one.is_warning], [_fault(one) for one in found if one.is_warning]
        )
    except SheetRefused as problem:
        raise FileRefused(sending.said_in(visit, problem), 415) from problem
    return workbook(made, visit.say("已标注-{name}", name=own.name))


def _faulty_pictures(visit: Visit, body: bytes, found: list[FaultRow]) -> bytes:
    """The pictures to be mended as a list: an archive cannot be marked. To its sender files are called in full."""
    names = names_in(body)
    heads = [visit.say("第几张"), visit.say("文件"), visit.say("检查项"), visit.say("错在哪里")]
    rows = [
        (
            one.line or None,
            names[one.line - 1] if one.line else one.value,
            view.half(visit, one.sort),
            one.zh if visit.lang == "zh" else one.en,
        )
        for one in found
    ]
    return table_workbook(visit.say("照片问题"), heads, rows)


def _fault(row: FaultRow) -> Fault:
    return Fault(row=row.line, column=row.header, cell=row.cell, value=row.value, reason=Sentence(row.zh, row.en))


@doors.post("/imports/{run}/commit", to=Audience.STAFF)
def commit_import(visit: Visit, run: str) -> Response:
    """Take the whole sheet in, judged afresh."""
    own = _own(visit, run)
    if own.stage in CONFIRMED:
        working.begin(visit, own, Stage.COMMITTING)
    return visit.go(f"/imports/{run}")


@doors.post("/imports/{run}/collections", to=Audience.STAFF)
def with_collections(visit: Visit, run: str) -> Response:
    """Check a package once more: with photo collections opened for those who have none, or without."""
    own = _own(visit, run)
    if own.kind == PHOTOS and own.stage in working.FOUND_GOOD:
        working.check_again(visit, own, (OPEN_COLLECTIONS,) if visit.form.get("open") else ())
    return visit.go(f"/imports/{run}")


@doors.post("/imports/{run}/drop", to=Audience.STAFF)
def drop_import(visit: Visit, run: str) -> Response:
    """Forget a sheet that was not taken in."""
    own = _own(visit, run)
    if own.stage not in (*AT_WORK, Stage.DONE):
        with visit.desk.connection.writing():
            import_runs.drop_run(visit.desk.connection, own.id)
    return visit.go("/files")


@doors.get("/imports/{run}/ready", to=Audience.STAFF)
def freed(visit: Visit, run: str) -> Response:
    """Exactly the cases that a sheet has freed."""
    own = _done(visit, run)
    found = read_findings(own.told)
    chosen = {"apply": found.applying, "wait": sorted({*found.ready} - {*found.applying})}
    which = visit.request.query_params.get("which", "")
    cases = view.freed_by(visit, chosen.get(which, found.ready))
    ready = forgotten_of(visit, chosen["apply"]) if which != "wait" else ()
    return visit.page("files/ready.html", run=own, cases=cases, is_review=False, forgotten=ready)


@doors.post("/imports/{run}/apply", to=Audience.STAFF)
def import_apply(visit: Visit, run: str) -> Response:
    """Freeze those whom a sheet has freed to apply in a batch; back to the list of them where nobody is left."""
    own, code = _done(visit, run), visit.form.get("batch", "")
    mine = [one for one in forgotten_of(visit, read_findings(own.told).applying) if one.code == code]
    back = f"/imports/{own.id}/ready?which=apply"
    made = filing.freeze(visit, roll_of(visit, code), mine[0].cases, back) if mine else None
    return visit.go(back if made is None else f"/bulk/{made}")


@doors.get("/imports/{run}/reviews", to=Audience.STAFF)
def reviews(visit: Visit, run: str) -> Response:
    """Exactly the cases whose photograph was changed after it had been looked at."""
    own = _done(visit, run)
    cases = view.freed_by(visit, read_findings(own.told).reviews)
    return visit.page("files/ready.html", run=own, cases=cases, is_review=True, forgotten=())


@doors.get("/imports/{run}/pictures/{place}.png", to=Audience.STAFF)
def picture(visit: Visit, run: str, place: int) -> Response:
    """One picture of a package that was sent, made anew and small."""
    own = _own(visit, run)
    body = import_runs.body_of(visit.desk.connection, own.id) if own.kind == PHOTOS else None
    found = None if body is None else body_at(body, place)
    if found is None:
        raise NotFound
    try:
        made = shown(found[1], _PICTURE_SIDE)
    except Unshowable as problem:
        raise NotFound from problem
    headers = {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "private, max-age=3600"}
    return Response(made, media_type="image/png", headers=headers)


@doors.get("/exports", to=Audience.STAFF)
def exports_page(visit: Visit) -> Response:
    """What the person may take along."""
    return visit.page("files/exports.html", batches=exports.batches(visit), lanes=exports.lanes(visit))


@doors.post("/exports/{table}", to=Audience.SIGNED_IN)
def export_table(visit: Visit, table: str) -> Response:
    """A table of a page as a workbook, which is told; who takes names out proves once more to be there."""
    shown = table_of(visit, table)
    if shown.names_people:
        visit.demand_fresh_proof(visit.say("导出带个人信息的名单"))
    return workbook(exports.taken(visit, table, shown), f"{visit.say(shown.title)}-{visit.today.isoformat()}.xlsx")


def workbook(body: bytes, name: str) -> Response:
    """A workbook to be saved under a name."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(body, media_type=WORKBOOK, headers=headers)


def _kind(visit: Visit, name: str) -> Kind:
    found = next((one for one in kinds_of(visit.desk, visit.actor, visit.at) if one.name == name), None)
    if found is None:
        raise NotFound
    return found


def _done(visit: Visit, run: str) -> Run:
    own = _own(visit, run)
    if own.stage is not Stage.DONE:
        raise NotFound
    return own


def _own(visit: Visit, run: str) -> Run:
    found = import_runs.run_of(visit.desk.connection, run, *view.whose(visit))
    if found is None:
        raise NotFound
    return found
