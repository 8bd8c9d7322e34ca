"""The doors of administration."""

from __future__ import annotations

from fastapi import Response

from console.web.admin import accounts, leaving, outbox, people, tokens
from console.web.admin.frame import demand, own_places, tabs
from console.web.admin.health import parts
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import FieldFault, FieldFaults
from console.web.visit import Visit

doors = Doors()
_FIELDS = ("role", "unit")
"""Of the form that gives a role."""


@doors.get("/admin", to=Audience.ADMIN)
def admin(visit: Visit) -> Response:
    """To the administrator's own first page."""
    return visit.go(own_places(visit)[0].address)


@doors.get("/admin/health", to=Audience.ADMIN)
def admin_health(visit: Visit) -> Response:
    """How the machinery stands; not for who looks after people."""
    demand(visit, "/admin/health")
    return visit.page("admin/health.html", tabs=tabs(visit), parts=parts(visit))


@doors.get("/admin/outbox", to=Audience.SYSTEM_ADMIN)
def admin_outbox(visit: Visit, state: str = "unknown", before: int | None = None, said: str = "") -> Response:
    """What has left, what has not, what is not known."""
    return visit.page("admin/outbox.html", tabs=tabs(visit), box=outbox.outbox(visit, state, before), said=said)


@doors.post("/admin/outbox/{number}/{verdict}", to=Audience.SYSTEM_ADMIN)
def admin_settle(visit: Visit, number: int, verdict: str) -> Response:
    """Say of a mail that it has arrived, or that it is to be sent again."""
    is_settled = outbox.settle(visit, number, verdict)
    return visit.go(f"/admin/outbox?said={verdict if is_settled else 'settled'}")


@doors.get("/admin/people", to=Audience.SECURITY_ADMIN)
def admin_people(visit: Visit, after: str = "") -> Response:
    """Who holds which role where."""
    return _people(visit, people.people(visit, after))


def _people(visit: Visit, page: people.People, problem: FieldFaults | None = None) -> Response:
    faults = () if problem is None else problem.faults
    return visit.page(
        "admin/people.html",
        status=422 if faults else 200,
        tabs=tabs(visit),
        page=page,
        givers=people.named_givers(visit, page.people),
        faults=faults,
        typed=visit.form.get("typed", ""),
    )


@doors.post("/admin/people", to=Audience.SECURITY_ADMIN, page=admin_people)
def admin_find_person(visit: Visit) -> Response:
    """Those of a name or login, or to the one there is; what was typed stands in no address."""
    found = people.find(visit, visit.form.get("typed", ""))
    if not found.typed:
        fault = FieldFault("typed", visit.say("姓名或登录名"), visit.say("请填写"))
        return _people(visit, people.people(visit, ""), FieldFaults([fault]))
    if len(found.people) == 1:
        return visit.go(found.people[0].address)
    return _people(visit, found)


@doors.get("/admin/people/{login}", to=Audience.SECURITY_ADMIN)
def admin_person(visit: Visit, login: str, said: str = "") -> Response:
    """One person: the roles held, and those that can be given."""
    return person_page(visit, login, said=said)


def person_page(visit: Visit, login: str, *, said: str = "", problem: FieldFaults | None = None) -> Response:
    """The page of a person; after a form with faults, with what was given and what is wrong with it."""
    somebody = people.person(visit, login)
    faults = () if problem is None else problem.faults
    reasons = {one.field: one.reason for one in faults}
    return visit.page(
        "admin/person.html",
        status=422 if faults else 200,
        person=somebody,
        givers=people.named_givers(visit, [somebody]),
        choices=people.choices(visit),
        units=people.places(visit),
        tokens=tokens.lines(visit, login),
        door=accounts.door(visit, somebody),
        said=said,
        faults=faults,
        reasons={name: reasons.get(name, "") for name in _FIELDS},
        given={name: visit.form.get(name, "") if faults else "" for name in _FIELDS},
    )


@doors.post("/admin/people/{login}/roles", to=Audience.SECURITY_ADMIN)
def admin_give_role(visit: Visit, login: str) -> Response:
    """Let a person hold a role at a unit."""
    visit.demand_fresh_proof(visit.say("给人加角色"))
    try:
        is_new = people.give_role(visit, login)
    except FieldFaults as problem:
        return person_page(visit, login, problem=problem)
    return visit.go(f"{people.person(visit, login).address}?said={'given' if is_new else 'held'}")


@doors.get("/admin/people/{login}/end", to=Audience.SECURITY_ADMIN)
def admin_before_ending(visit: Visit, login: str, role: str = "", unit: str = "") -> Response:
    """What ends with a role, before it is ended."""
    return visit.page("admin/end_role.html", ends=leaving.ending(visit, login, role, unit))


@doors.post("/admin/people/{login}/end", to=Audience.SECURITY_ADMIN)
def admin_end_role(visit: Visit, login: str) -> Response:
    """Let a person hold a role no longer."""
    address = people.person(visit, login).address
    visit.demand_fresh_proof(visit.say("解除角色"))
    leaving.end_role(visit, login)
    return visit.go(f"{address}?said=ended")


@doors.get("/admin/people/{login}/disable", to=Audience.SECURITY_ADMIN)
def admin_before_disabling(visit: Visit, login: str) -> Response:
    """What stops when the person is kept out, before it is done."""
    return _disabling(visit, login)


def _disabling(visit: Visit, login: str, problem: FieldFaults | None = None) -> Response:
    faults = () if problem is None else problem.faults
    return visit.page(
        "admin/disable.html",
        status=422 if faults else 200,
        person=people.person(visit, login),
        farewell=leaving.farewell(visit, login),
        faults=faults,
        reasons={one.field: one.reason for one in faults},
        taker=visit.form.get("taker", ""),
        reason=visit.form.get("reason", ""),
    )


@doors.post("/admin/people/{login}/disable", to=Audience.SECURITY_ADMIN)
def admin_disable(visit: Visit, login: str) -> Response:
    """Keep a person out from now on."""
    visit.demand_fresh_proof(visit.say("停用用户"))
    try:
        leaving.disable(visit, login)
    except FieldFaults as problem:
        return _disabling(visit, login, problem)
    return visit.go(f"{people.person(visit, login).address}?said=disabled")


@doors.post("/admin/people/{login}/enable", to=Audience.SECURITY_ADMIN)
def admin_enable(visit: Visit, login: str) -> Response:
    """Let a person in again."""
    visit.demand_fresh_proof(visit.say("恢复用户"))
    people.enable(visit, login)
    return visit.go(f"{people.person(visit, login).address}?said=enabled")
