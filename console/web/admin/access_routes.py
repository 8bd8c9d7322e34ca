"""The doors of the report of who looked at what."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Response

from console.web.admin import access
from console.web.admin.access import About
from console.web.admin.frame import demand, tabs
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFaults
from console.web.visit import Visit

doors = Doors()
_PAGE = "/admin/access"
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@doors.get("/admin/access", to=Audience.ADMIN)
def admin_access(
    visit: Visit, who: str = "", student: str = "", before: int | None = None, taken_before: int | None = None
) -> Response:
    """Who looked at what, once it is said whose looks are wanted; and who took names along."""
    demand(visit, _PAGE)
    about = About(who, student)
    report = access.report(visit, about, before) if who or student else None
    return _page(visit, report, taken=None if student and not who else access.taken(visit, about, taken_before))


def _page(
    visit: Visit,
    report: access.Report | None,
    problem: FieldFaults | None = None,
    taken: access.TakenPage | None = None,
) -> Response:
    faults = () if problem is None else problem.faults
    reasons = {one.field: one.reason for one in faults}
    return visit.page(
        "admin/access.html",
        status=422 if faults else 200,
        tabs=tabs(visit),
        report=report,
        taken=taken,
        faults=faults,
        reasons={name: reasons.get(name, "") for name in ("student_no", "who")},
        who=visit.form.get("who", "") or (report.about.who if report else ""),
        student_no=visit.form.get("student_no", "") or (report.student_no if report else ""),
    )


@doors.post("/admin/access", to=Audience.ADMIN)
def admin_find_access(visit: Visit) -> Response:
    """To the report of a student or a person; the student's number stands in no address."""
    demand(visit, _PAGE)
    try:
        return visit.go(access.found_address(visit))
    except FieldFaults as problem:
        return _page(visit, None, problem)


@doors.post("/admin/access/export", to=Audience.ADMIN)
def admin_export_access(visit: Visit) -> Response:
    """The whole report as a workbook."""
    demand(visit, _PAGE)
    visit.demand_fresh_proof(visit.say("导出查看记录"))
    body = access.workbook(visit)
    name = quote(visit.say("查看记录-{day}.xlsx", day=visit.today.isoformat()))
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(body, media_type=_WORKBOOK, headers=headers)
