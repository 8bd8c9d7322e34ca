"""The doors of delegations: of all at an administrator's units, and of one's own."""

from __future__ import annotations

import secrets

from fastapi import Response

from console.web import forms
from console.web.admin import absences, delegations, people
from console.web.admin.frame import tabs
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFaults, NotFound
from console.web.visit import Visit
from engine.records import Sentence

doors = Doors()
_FIELDS = ("what", "taker", "since", "until", "reason", "first", "last")


@doors.get("/admin/delegations", to=Audience.SECURITY_ADMIN)
def admin_delegations(visit: Visit, before: int | None = None, over: int = 0, said: str = "") -> Response:
    """Who acts for whom, what was refused, and where nobody can act."""
    shown = delegations.page(visit, before, is_over=bool(over))
    return visit.page("admin/delegations.html", tabs=tabs(visit), page=shown, is_over=bool(over), said=said)


@doors.get("/admin/delegations/assign", to=Audience.SECURITY_ADMIN)
def admin_before_assigning(visit: Visit, role: str = "", unit: str = "") -> Response:
    """To whom a role is to be given that nobody can act in."""
    return _assigning(visit, role, unit)


def _assigning(visit: Visit, role: str, unit: str, problem: FieldFaults | None = None) -> Response:
    faults = () if problem is None else problem.faults
    shown = delegations.assignment(visit, role, unit)
    return visit.page(
        "admin/assign.html", status=422 if faults else 200, one=shown, faults=faults,
        chosen=visit.form.get("login", ""), fault=faults[0].reason if faults else "",
    )  # fmt: skip


@doors.post("/admin/delegations/assign", to=Audience.SECURITY_ADMIN)
def admin_assign(visit: Visit) -> Response:
    """Give a role that nobody can act in to somebody who works there."""
    role, unit, login = (visit.form.get(name, "") for name in ("role", "unit", "login"))
    delegations.assignment(visit, role, unit)
    visit.demand_fresh_proof(visit.say("给人加角色"))
    try:
        people.give_role(visit, login)
    except FieldFaults as problem:
        return _assigning(visit, role, unit, problem)
    return visit.go("/admin/delegations?said=assigned")


@doors.get("/me/delegations", to=Audience.STAFF)
def my_delegations(visit: Visit, said: str = "") -> Response:
    """What one lends, and what one is lent."""
    return _own(visit, said=said)


def _own(
    visit: Visit, *, said: str = "", problem: FieldFaults | None = None, refused: tuple[Sentence, ...] = ()
) -> Response:
    faults = () if problem is None else problem.faults
    reasons = {one.field: one.reason for one in faults}
    return visit.page(
        "admin/own_delegations.html",
        status=422 if faults or refused else 200,
        lines=delegations.own_lines(visit),
        roles=delegations.own_roles(visit),
        absences=absences.own(visit),
        said=said,
        faults=faults,
        refused=refused,
        reasons={name: reasons.get(name, "") for name in _FIELDS},
        given={name: visit.form.get(name, "") for name in _FIELDS},
        request_id=visit.form.get("request") if faults else secrets.token_hex(8),
    )


@doors.post("/me/delegations", to=Audience.STAFF)
def lend(visit: Visit) -> Response:
    """Let somebody act in a role of one's own until a day, at once or from a day on."""
    try:
        refused = delegations.lend(visit)
    except FieldFaults as problem:
        return _own(visit, problem=problem)
    return _own(visit, refused=refused) if refused else visit.go("/me/delegations?said=lent")


@doors.post("/me/delegations/away", to=Audience.STAFF)
def be_away(visit: Visit) -> Response:
    """Say on which days one is away, that one is back, or that one will not be away after all."""
    if "back" in visit.form:
        delegations.be_back(visit)
        return visit.go("/me/delegations?said=back")
    if "cancel" in visit.form:
        return _cancelled(visit)
    try:
        delegations.be_away(visit)
    except FieldFaults as problem:
        return _own(visit, problem=problem)
    return visit.go("/me/delegations?said=away")


def _cancelled(visit: Visit) -> Response:
    try:
        absences.end_own(visit, forms.number(visit.form["cancel"]) or 0)
    except NotFound:  # clicked twice, or ended by an administrator meanwhile
        return visit.go("/me/delegations?said=over")
    return visit.go("/me/delegations?said=cancelled")


@doors.post("/me/delegations/end", to=Audience.STAFF)
def take_back(visit: Visit) -> Response:
    """Take back what one lends."""
    delegations.take_back(visit)
    return visit.go("/me/delegations?said=ended")
