"""The doors of absences: who is away at an administrator's units, and telling, changing and ending it for them."""

from __future__ import annotations

import secrets

from fastapi import Response

from console.web.admin import absences
from console.web.admin.frame import tabs
from console.web.audiences import Audience
from console.web.auditing.frame import names_of
from console.web.doors import Doors
from console.web.faults import FieldFaults, NotFound
from console.web.visit import Visit
from engine.absences import LONGEST_REASON, AbsenceChanged
from engine.records import Sentence
from engine.store.absences import AbsenceRow

doors = Doors()
_FIELDS = ("first", "last", "reason")


@doors.get("/admin/absences", to=Audience.SECURITY_ADMIN)
def admin_absences(visit: Visit, said: str = "") -> Response:
    """Who is away now and next, what waits for them, and what nobody can do meanwhile."""
    lines = absences.page(visit)
    is_cut = len(lines) == absences.MOST
    return visit.page("admin/absences.html", tabs=tabs(visit), lines=lines, is_cut=is_cut, said=said)


@doors.get("/admin/people/{login}/absence", to=Audience.SECURITY_ADMIN)
def admin_new_absence(visit: Visit, login: str) -> Response:
    """The form by which somebody's absence is told."""
    return _form(visit, absences.form(visit, login))


@doors.post("/admin/people/{login}/absence", to=Audience.SECURITY_ADMIN, page=admin_new_absence)
def admin_tell_absence(visit: Visit, login: str) -> Response:
    """Tell that somebody is away."""
    return _told(visit, login, None)


@doors.get("/admin/absences/{number}", to=Audience.SECURITY_ADMIN)
def admin_absence(visit: Visit, number: int) -> Response:
    """The form by which an absence is changed."""
    row = absences.kept(visit, number)
    return _form(visit, absences.form(visit, row.login, row))


@doors.post("/admin/absences/{number}", to=Audience.SECURITY_ADMIN, page=admin_absence)
def admin_change_absence(visit: Visit, number: int) -> Response:
    """Say otherwise when somebody is away, and why."""
    row = absences.kept(visit, number)
    return _told(visit, row.login, row)


@doors.post("/admin/absences/{number}/end", to=Audience.SECURITY_ADMIN)
def admin_end_absence(visit: Visit, number: int) -> Response:
    """Somebody is not away any more; a second click, or somebody else's, finds it ended."""
    try:
        absences.end(visit, number)
    except NotFound:
        absences.colleague(visit, visit.form.get("of", ""))  # beside whose name the button stood
        return visit.go("/admin/absences?said=over")
    return visit.go("/admin/absences?said=ended")


def _told(visit: Visit, login: str, row: AbsenceRow | None) -> Response:
    one = absences.form(visit, login, row)
    try:
        refused = absences.tell(visit, login, row)
    except FieldFaults as problem:
        return _form(visit, one, problem=problem)
    except AbsenceChanged as problem:
        return _form(visit, absences.form(visit, login, problem.row), changed=problem.row)
    if refused:
        return _form(visit, one, refused=refused)
    return visit.go(f"/admin/absences?said={'told' if row is None else 'changed'}")


def _form(
    visit: Visit, one: absences.Form, *, problem: FieldFaults | None = None, refused: tuple[Sentence, ...] = (),
    changed: AbsenceRow | None = None,
) -> Response:  # fmt: skip
    """The form, with what was typed where it was not kept; `changed` is what somebody else has made of it meanwhile."""
    faults = () if problem is None else problem.faults
    reasons = {fault.field: fault.reason for fault in faults}
    given = {name: visit.form.get(name, "") for name in _FIELDS} if faults or refused or changed else one.given
    return visit.page(
        "admin/absence.html",
        status=409 if changed else 422 if faults or refused else 200,
        one=one,
        faults=faults,
        refused=refused,
        changed=changed,
        teller=names_of(visit, {changed.told_by})[changed.told_by] if changed and changed.told_by else "",
        most=LONGEST_REASON,
        seen=visit.form.get("told_at", "") if faults or refused else one.seen,
        reasons={name: reasons.get(name, "") for name in _FIELDS},
        given={name: given.get(name, "") for name in _FIELDS},
        request_id=visit.form.get("request") if faults else secrets.token_hex(8),
    )
