"""The doors of templates."""

from __future__ import annotations

from fastapi import Response
from fastapi.responses import HTMLResponse

from console.web.admin import templates
from console.web.admin.frame import tabs
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.headers import POLICY
from console.web.visit import Visit

doors = Doors()
_FRAMED = {"Content-Security-Policy": f"{POLICY}; frame-src 'self'"}
_ALONE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}
"""A mail has its style in it, and nothing else: no script, no picture, no link that is followed in its frame."""


@doors.get("/admin/templates", to=Audience.SYSTEM_ADMIN)
def admin_templates(visit: Visit) -> Response:
    """Every mail there is, and what is wrong with the institution's own templates."""
    rows, faults = templates.overview(visit), templates.own_faults(visit)
    own = visit.house.settings.messages
    return visit.page("admin/templates.html", tabs=tabs(visit), rows=rows, faults=faults, own=str(own or ""))


@doors.get("/admin/templates/{folder}", to=Audience.SYSTEM_ADMIN)
def admin_template(visit: Visit, folder: str) -> Response:
    """One mail: its templates, and how it looks."""
    return _page(visit, templates.mail(visit, folder))


def _page(visit: Visit, mail: templates.Mail) -> Response:
    answer = visit.page("admin/template.html", status=422 if mail.is_tried and mail.faults else 200, mail=mail)
    answer.headers.update(_FRAMED)
    return answer


@doors.get("/admin/templates/{folder}/mail", to=Audience.SYSTEM_ADMIN)
def admin_template_mail(visit: Visit, folder: str) -> Response:
    """The mail itself, for its frame."""
    return HTMLResponse(templates.page_of(visit, folder), headers=_ALONE)


@doors.post("/admin/templates/{folder}", to=Audience.SYSTEM_ADMIN)
def admin_try_template(visit: Visit, folder: str) -> Response:
    """Whether changed templates could be used, and what the mail would say; nothing is kept."""
    return _page(visit, templates.tried(visit, folder))
