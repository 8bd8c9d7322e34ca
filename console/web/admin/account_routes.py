"""The doors of accounts: adding one, handing out a code, forgetting a lost second factor."""

from __future__ import annotations

from fastapi import Response

from console.access import entering
from console.access.handing_out import Handed
from console.web.admin import accounts, people
from console.web.admin.routes import person_page
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFaults
from console.web.visit import Visit

doors = Doors()


@doors.get("/admin/add-person", to=Audience.SECURITY_ADMIN)
def admin_before_adding(visit: Visit, unit: str = "") -> Response:
    """The form for somebody new; the unit may be given by the page one comes from."""
    return _form(visit, unit=unit)


def _form(visit: Visit, *, unit: str = "", problem: FieldFaults | None = None) -> Response:
    """The form, with what was typed into it and what is wrong with that."""
    faults = () if problem is None else problem.faults
    reasons = {one.field: one.reason for one in faults}
    given = {"unit": unit, **visit.form}
    return visit.page(
        "admin/add_person.html",
        status=422 if faults else 200,
        choices=[("", visit.say("请选择")), *people.choices(visit)],
        units=people.places(visit),
        days=entering.ACTIVATION.days,
        faults=faults,
        reasons={name: reasons.get(name, "") for name in accounts.FIELDS},
        given={name: given.get(name, "") for name in accounts.FIELDS},
    )


@doors.post("/admin/add-person", to=Audience.SECURITY_ADMIN, page=admin_before_adding)
def admin_add_person(visit: Visit) -> Response:
    """Somebody new; the code is shown on this page alone."""
    visit.demand_fresh_proof(visit.say("添加人员"))
    try:
        return _code(visit, accounts.add(visit), is_new=True)
    except FieldFaults as problem:
        return _form(visit, problem=problem)


@doors.post("/admin/people/{login}/code", to=Audience.SECURITY_ADMIN)
def admin_hand_out_code(visit: Visit, login: str) -> Response:
    """A code for a person's password; it is shown on this page alone."""
    people.person(visit, login)
    visit.demand_fresh_proof(visit.say("发激活码"))
    try:
        return _code(visit, accounts.hand_out(visit, login), is_new=False)
    except FieldFaults as problem:
        return person_page(visit, login, problem=problem)


def _code(visit: Visit, handed: Handed, *, is_new: bool) -> Response:
    return visit.page(
        "admin/handed_code.html",
        person=people.person(visit, handed.login),
        handed=handed,
        is_new=is_new,
        place=f"{visit.house.settings.url}/activate",
    )


@doors.post("/admin/people/{login}/second-factor", to=Audience.SECURITY_ADMIN)
def admin_forget_second_factor(visit: Visit, login: str) -> Response:
    """Forget a lost second factor; another is enrolled at the next sign-in."""
    address = people.person(visit, login).address
    visit.demand_fresh_proof(visit.say("清除动态口令"))
    try:
        had_one = accounts.forget(visit, login)
    except FieldFaults as problem:
        return person_page(visit, login, problem=problem)
    return visit.go(f"{address}?said={'forgotten' if had_one else 'none'}")
