"""The doors of templates."""

from __future__ import annotations

from fastapi import Response
from fastapi.responses import HTMLResponse

from console.web.admin.frame import tabs
from console.web.audiences import Audience
from console.web.definitions import templates
from console.web.definitions.mails import ADDRESS
from console.web.doors import Doors
from console.web.faults import FieldFaults
from console.web.headers import POLICY
from console.web.visit import Visit
from engine.errors import DefinitionFaults

doors = Doors()
_FRAMED = {"Content-Security-Policy": f"{POLICY}; frame-src 'self'"}
_ALONE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}
"""A mail has its style in it, and nothing else: no script, no picture, no link that is followed in its frame."""


@doors.get("/admin/templates", to=Audience.SYSTEM_ADMIN)
def admin_templates(visit: Visit) -> Response:
    """Every mail there is, and what is wrong with templates that are not those of the house."""
    rows, left_out = templates.overview(visit)
    own = str(visit.house.settings.messages or "")
    return visit.page(
        "definitions/templates.html", tabs=tabs(visit), rows=rows, left_out=left_out, own=own,
        faults=templates.own_faults(visit),
    )  # fmt: skip


@doors.get("/admin/templates/{folder}", to=Audience.SYSTEM_ADMIN)
def admin_template(visit: Visit, folder: str, proposal: int | None = None, said: str = "") -> Response:
    """One mail: its templates, who published them, and how it looks; or how it would look with a proposal."""
    return _page(visit, templates.mail(visit, folder, proposal), said=said)


def _page(visit: Visit, mail: templates.Mail, problem: FieldFaults | None = None, *, said: str = "") -> Response:
    faults = () if problem is None else problem.faults
    fields = (*(one.name for one in mail.parts), "effective_on", "reason")
    form = visit.form if mail.is_tried or faults else {}
    answer = visit.page(
        "definitions/template.html",
        status=422 if faults or (mail.is_tried and mail.faults) else 200,
        mail=mail,
        said=said,
        faults=faults,
        reasons={**dict.fromkeys(fields, ""), **{one.field: one.reason for one in faults}},
        given={
            "effective_on": form.get("effective_on") or mail.first.isoformat(),
            "reason": form.get("reason", ""),
        },
    )
    answer.headers.update(_FRAMED)
    return answer


@doors.get("/admin/templates/{folder}/mail", to=Audience.SYSTEM_ADMIN)
def admin_template_mail(visit: Visit, folder: str, proposal: int | None = None) -> Response:
    """The mail itself, for its frame."""
    return HTMLResponse(templates.page_of(visit, folder, proposal), headers=_ALONE)


@doors.post("/admin/templates/{folder}", to=Audience.SYSTEM_ADMIN)
def admin_try_template(visit: Visit, folder: str) -> Response:
    """Whether changed templates could be used, and what the mail would say; nothing is kept."""
    try:
        return _page(visit, templates.tried(visit, folder))
    except FieldFaults as problem:
        return _page(visit, templates.mail(visit, folder), problem)


@doors.post("/admin/templates/{folder}/submit", to=Audience.SYSTEM_ADMIN)
def admin_submit_template(visit: Visit, folder: str) -> Response:
    """Hand changed templates in; somebody else approves them."""
    try:
        templates.submit(visit, folder)
    except DefinitionFaults:
        return _page(visit, templates.tried(visit, folder))
    except FieldFaults as problem:
        return _page(visit, templates.tried(visit, folder), problem)
    return visit.go(f"{ADDRESS}/{folder}?said=submitted")


@doors.post("/admin/templates/{folder}/back", to=Audience.SYSTEM_ADMIN)
def admin_template_back(visit: Visit, folder: str) -> Response:
    """Hand in that the installed template is to be back; somebody else approves it."""
    try:
        templates.submit_back(visit, folder)
    except FieldFaults as problem:
        return _page(visit, templates.mail(visit, folder), problem)
    return visit.go(f"{ADDRESS}/{folder}?said=submitted")
