"""Who holds which role where; giving roles, keeping somebody out, letting somebody in again."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, urlencode

from console.web.fault_pages import in_language
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from engine import organisation
from engine.errors import Misplaced, RolesApart, Unknown
from engine.lane_queries import Queue
from engine.store import access, administration
from engine.store.administration import PersonRow

PAGE = 50


class Role(NamedTuple):
    """A role as shown: its title, the unit's name and code, and since when."""

    title: str
    unit: str
    code: str
    since: datetime


class Person(NamedTuple):
    """Somebody with the roles held now."""

    login: str
    name: str
    is_disabled: bool
    roles: tuple[Role, ...]
    address: str


class People(NamedTuple):
    """A page of people; `following` is the address of the next, empty on the last."""

    people: list[Person]
    following: str


class Farewell(NamedTuple):
    """What stops when somebody is kept out: cases handed over to the person by name, and cases that wait for them."""

    handed: int
    waiting: int


def people(visit: Visit, after: str) -> People:
    """Those who hold a role, by login."""
    found = administration.people(visit.desk.connection, after, PAGE + 1)
    shown = found[:PAGE]
    following = f"/admin/people?{urlencode({'after': shown[-1].login})}" if len(found) > PAGE else ""
    return People([_shown(visit, one) for one in shown], following)


def person(visit: Visit, login: str) -> Person:
    """One of those who work here.

    Raises:
        NotFound: If nobody has that login, or a student has it.
    """
    row = administration.person(visit.desk.connection, login)
    if row is None:
        raise NotFound
    return _shown(visit, row)


def _shown(visit: Visit, row: PersonRow) -> Person:
    roles, units = visit.desk.library.rulebook.organisation.roles, visit.desk.units()
    return Person(
        login=row.login,
        name=row.name or row.login,
        is_disabled=row.disabled_at is not None,
        roles=tuple(
            Role(
                visit.title(roles[one.role].title) if one.role in roles else one.role,
                units[one.unit].name,
                one.unit,
                one.since,
            )
            for one in row.roles
        ),
        address=f"/admin/people/{quote(row.login, safe='')}",
    )


def choices(visit: Visit) -> list[tuple[str, str]]:
    """The roles that can be given; a student's comes with the roll and is not."""
    roles = visit.desk.library.rulebook.organisation.roles
    return [(name, visit.title(one.title)) for name, one in roles.items() if name != "student"]


def give_role(visit: Visit, login: str) -> bool:
    """Let a person hold a role at a unit from now on; False when it was so already. It ends the person's sessions.

    Raises:
        NotFound: If nobody has that login.
        FieldFaults: If the role or the unit is not known, they do not go together, the person holds a role that nobody
            holds beside it, or it is the visitor's own account.
    """
    person(visit, login)
    role, unit = visit.form.get("role", ""), visit.form.get("unit", "").strip()
    if login == visit.login:
        raise FieldFaults([FieldFault("role", visit.say("角色"), visit.say("不能给自己加角色，请另一位管理员办理"))])
    row = visit.desk.units().get(unit)
    if row is not None and not visit.actor.holds("security_admin", row.path):
        raise FieldFaults([FieldFault("unit", visit.say("单位"), visit.say("不在您管理的单位之内"))])
    try:
        return organisation.give_role(visit.desk, login, role, unit, at=visit.at, actor=visit.login)
    except RolesApart as problem:
        raise _fault(visit, "role", visit.say("角色"), problem) from problem
    except (Unknown, Misplaced) as problem:
        raise _fault(visit, "unit", visit.say("单位代码"), problem) from problem


def _fault(visit: Visit, field: str, title: str, problem: Exception) -> FieldFaults:
    return FieldFaults([FieldFault(field, title, in_language(str(problem), visit.lang))])


def farewell(visit: Visit, login: str) -> Farewell:
    """What would stop if the person were kept out now."""
    connection = visit.desk.connection
    waiting = Queue(connection, visit.desk.actor(login), visit.at).counts()
    return Farewell(administration.handed_to_person(connection, login, visit.at), sum(waiting.values()))


def disable(visit: Visit, login: str) -> None:
    """Keep a person out from now on, signed in or not.

    Raises:
        NotFound: If nobody has that login.
        FieldFaults: If it is the visitor.
    """
    person(visit, login)
    if login == visit.login:
        raise FieldFaults([FieldFault("login", visit.say("用户"), visit.say("不能停用自己"))])
    with visit.desk.connection.writing():
        access.disable(visit.desk.connection, login, visit.at)


def enable(visit: Visit, login: str) -> None:
    """Let a person in again.

    Raises:
        NotFound: If nobody has that login.
    """
    person(visit, login)
    with visit.desk.connection.writing():
        access.enable(visit.desk.connection, login)
