"""The doors of units."""

from __future__ import annotations

from fastapi import Response

from console.web.admin import units
from console.web.admin.frame import tabs
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFaults
from console.web.visit import Visit

doors = Doors()
_FIELDS = (units.PHONE, units.HOURS, units.NEW_NAME, "code", "name", "kind")


@doors.get("/admin/units", to=Audience.SECURITY_ADMIN)
def admin_units(visit: Visit, at: str = "") -> Response:
    """The tree of units with what is open."""
    return visit.page("admin/units.html", tabs=tabs(visit), lines=units.tree(visit, at), at=at)


@doors.get("/admin/units/{code}", to=Audience.SECURITY_ADMIN)
def admin_unit(visit: Visit, code: str, said: str = "") -> Response:
    """One unit, and what can be done about it."""
    return _unit(visit, code, said=said)


def _unit(visit: Visit, code: str, *, said: str = "", problem: FieldFaults | None = None) -> Response:
    """The page of a unit; after a form with faults, with what was given and what is wrong with it."""
    shown, faults = units.unit(visit, code), () if problem is None else problem.faults
    reasons = {one.field: one.reason for one in faults}
    kept = {name: str(shown.row.facts.get(name) or "") for name in (units.PHONE, units.HOURS)}
    given = {**kept, **(visit.form if faults else {})}
    return visit.page(
        "admin/unit.html",
        status=422 if faults else 200,
        unit=shown,
        said=said,
        faults=faults,
        reasons={name: reasons.get(name, "") for name in _FIELDS},
        given={name: given.get(name, "") for name in _FIELDS},
    )


@doors.post("/admin/units/{code}", to=Audience.SECURITY_ADMIN)
def admin_describe_unit(visit: Visit, code: str) -> Response:
    """Where the unit's people are reached."""
    try:
        units.describe(visit, code)
    except FieldFaults as problem:
        return _unit(visit, code, problem=problem)
    return visit.go(f"{units.address_of(code)}?said=described")


@doors.post("/admin/units/{code}/rename", to=Audience.SECURITY_ADMIN)
def admin_rename_unit(visit: Visit, code: str) -> Response:
    """Another name for a unit; what was made before keeps the old one."""
    try:
        units.rename(visit, code)
    except FieldFaults as problem:
        return _unit(visit, code, problem=problem)
    return visit.go(f"{units.address_of(code)}?said=renamed")


@doors.post("/admin/units/{code}/add", to=Audience.SECURITY_ADMIN)
def admin_add_unit(visit: Visit, code: str) -> Response:
    """A new unit below one."""
    try:
        units.add(visit, code)
    except FieldFaults as problem:
        return _unit(visit, code, problem=problem)
    return visit.go(f"{units.address_of(visit.form['code'])}?said=added")


@doors.get("/admin/units/{code}/move", to=Audience.SECURITY_ADMIN)
def admin_before_moving(visit: Visit, code: str, under: str = "") -> Response:
    """Who gains and who loses sight, before it is done."""
    return visit.page("admin/move_unit.html", move=units.preview(visit, code, under))


@doors.post("/admin/units/{code}/move", to=Audience.SECURITY_ADMIN)
def admin_move_unit(visit: Visit, code: str) -> Response:
    """Move a unit with everything below it."""
    visit.demand_fresh_proof(visit.say("移动单位"))
    if units.move(visit, code):
        return visit.go(units.move_address(code, visit.form.get("under", "")))
    return visit.go(f"{units.address_of(code)}?said=moved")
