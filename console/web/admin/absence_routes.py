"""The doors of absences: who is away at an administrator's units, and telling, changing and ending it for them."""

from __future__ import annotations

import secrets

from fastapi import Response

from console.web.admin import absences
from console.web.admin.frame import tabs
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFaults
from console.web.visit import Visit
from engine.records import Sentence

doors = Doors()
_FIELDS = ("first", "last", "reason", "stand_in")


@doors.get("/admin/absences", to=Audience.SECURITY_ADMIN)
def admin_absences(visit: Visit, said: str = "") -> Response:
    """Who is away now and next, who stands in, and what nobody can do meanwhile."""
    lines = absences.page(visit)
    is_cut = len(lines) == absences.MOST
    return visit.page("admin/absences.html", tabs=tabs(visit), lines=lines, is_cut=is_cut, said=said)


@doors.get("/admin/people/{login}/absence", to=Audience.SECURITY_ADMIN)
def admin_new_absence(visit: Visit, login: str) -> Response:
    """The form by which somebody's absence is told."""
    return _form(visit, absences.form(visit, login))


@doors.post("/admin/people/{login}/absence", to=Audience.SECURITY_ADMIN, page=admin_new_absence)
def admin_tell_absence(visit: Visit, login: str) -> Response:
    """Tell that somebody is away, and who stands in."""
    return _told(visit, absences.form(visit, login))


@doors.get("/admin/absences/{number}", to=Audience.SECURITY_ADMIN)
def admin_absence(visit: Visit, number: int) -> Response:
    """The form by which an absence is changed."""
    return _form(visit, absences.form(visit, absences.kept(visit, number).login, number))


@doors.post("/admin/absences/{number}", to=Audience.SECURITY_ADMIN, page=admin_absence)
def admin_change_absence(visit: Visit, number: int) -> Response:
    """Say otherwise when somebody is away, why, and who stands in."""
    return _told(visit, absences.form(visit, absences.kept(visit, number).login, number))


@doors.post("/admin/absences/{number}/end", to=Audience.SECURITY_ADMIN)
def admin_end_absence(visit: Visit, number: int) -> Response:
    """Somebody is not away any more."""
    absences.end(visit, number)
    return visit.go("/admin/absences?said=ended")


def _told(visit: Visit, one: absences.Form) -> Response:
    try:
        refused = absences.tell(visit, one.login, one.number)
    except FieldFaults as problem:
        return _form(visit, one, problem=problem)
    if refused:
        return _form(visit, one, refused=refused)
    return visit.go(f"/admin/absences?said={'told' if one.number is None else 'changed'}")


def _form(
    visit: Visit, one: absences.Form, *, problem: FieldFaults | None = None, refused: tuple[Sentence, ...] = ()
) -> Response:
    faults = () if problem is None else problem.faults
    reasons = {fault.field: fault.reason for fault in faults}
    given = {name: visit.form.get(name, "") for name in _FIELDS} if faults or refused else one.given
    return visit.page(
        "admin/absence.html",
        status=422 if faults or refused else 200,
        one=one,
        faults=faults,
        refused=refused,
        reasons={name: reasons.get(name, "") for name in _FIELDS},
        given={name: given.get(name, "") for name in _FIELDS},
        request_id=visit.form.get("request") if faults else secrets.token_hex(8),
    )
