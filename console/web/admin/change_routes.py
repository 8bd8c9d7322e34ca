"""The doors of what was changed of people, tokens and units: an administrator's, and an auditor's."""

from __future__ import annotations

from fastapi import Response

from console.web.admin import access, changes, frame
from console.web.audiences import Audience
from console.web.auditing.frame import keep_look, scope_of
from console.web.auditing.frame import tabs as audit_tabs
from console.web.doors import Doors
from console.web.visit import Visit

doors = Doors()
_PAGE = "/admin/changes"


@doors.get("/admin/changes", to=Audience.ADMIN)
def admin_changes(visit: Visit, before: int | None = None) -> Response:
    """What was changed at the units one looks after, or whose administration one audits."""
    frame.demand(visit, _PAGE)
    shown = changes.page(visit, access.own_paths(visit), before)
    return visit.page("admin/changes.html", tabs=frame.tabs(visit), page=shown, here=_PAGE)


@doors.get("/audit/changes", to=Audience.AUDITOR)
def audit_changes(visit: Visit, before: int | None = None) -> Response:
    """What was changed at the units one audits; that it was looked at stands in the trail."""
    keep_look(visit, "changes")
    shown = changes.page(visit, scope_of(visit).paths, before)
    return visit.page("admin/changes.html", tabs=audit_tabs(visit), page=shown, here="/audit/changes")
