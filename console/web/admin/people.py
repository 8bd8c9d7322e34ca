"""Who holds which role where; finding somebody, giving roles, letting somebody in again.

An administrator sees and changes what is held at the own units and below; of the rest, only how much there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, urlencode

from console.calling import SETUP
from console.web.admin.scope import is_own, own_paths, own_units
from console.web.auditing.frame import names_of
from console.web.fault_pages import in_language
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from engine import organisation
from engine.errors import Misplaced, RolesApart, Unknown
from engine.store import administration, changes
from engine.store.administration import HeldRole, PersonRow
from engine.trail.event import moment

PAGE = 50


class Role(NamedTuple):
    """A role as shown: name and title, the unit's name and code, and since when; `end` is where it can be ended."""

    name: str
    title: str
    unit: str
    code: str
    since: datetime
    end: str


class Person(NamedTuple):
    """Somebody with the roles held now at the visitor's units; `elsewhere` are how many more there are."""

    login: str
    name: str
    is_disabled: bool
    roles: tuple[Role, ...]
    elsewhere: int
    address: str


class People(NamedTuple):
    """A page of people; `following` is the address of the next, empty on the last.

    `typed` is what was looked for, empty where all are shown; `is_cut` says that more were found than are shown.
    """

    people: list[Person]
    following: str
    typed: str = ""
    is_cut: bool = False


def people(visit: Visit, after: str, most: int = PAGE) -> People:
    """Those who hold a role at the visitor's units, by login, so many at most."""
    found = administration.people(visit.desk.connection, own_paths(visit), after, most + 1)
    shown = found[:most]
    following = f"/admin/people?{urlencode({'after': shown[-1].login})}" if len(found) > most else ""
    return People([_shown(visit, one) for one in shown], following)


def givers(visit: Visit, some: Sequence[Person]) -> dict[tuple[str, str, str], str]:
    """Who gave people the roles they hold: the login of whoever did, by login, role and unit; as the trail tells."""
    told = changes.givers(visit.desk.connection, [one.login for one in some if one.roles])
    found = {}
    for one in some:
        for role in one.roles:
            by = told.get((one.login, role.name, role.code, moment(role.since)))
            if by is not None:
                found[one.login, role.name, role.code] = by
    return found


def named_givers(visit: Visit, some: Sequence[Person]) -> dict[tuple[str, str, str], str]:
    """The same by name; who set the system up at its keyboard is nobody of the house."""
    found = givers(visit, some)
    names = {**names_of(visit, found.values()), SETUP: visit.say("命令行")}
    return {key: names[by] for key, by in found.items()}


def find(visit: Visit, typed: str, most: int = PAGE) -> People:
    """Those whose name or login has what was typed in it: of the own units, or who work nowhere yet, or no more."""
    text = " ".join(typed.split())
    found = administration.people_called(visit.desk.connection, own_paths(visit), text, most + 1) if text else []
    return People([_shown(visit, one) for one in found[:most]], "", text, len(found) > most)


def person(visit: Visit, login: str) -> Person:
    """One of those who work at the visitor's units, or did, or nowhere yet.

    Raises:
        NotFound: If nobody has that login, a student has it, or it is another administrator's to look after.
    """
    row = administration.person(visit.desk.connection, login)
    if row is None:
        raise NotFound
    where = {one.unit for one in row.roles} or administration.last_units(visit.desk.connection, login)
    if where and not any(is_own(visit, one) for one in where):
        raise NotFound
    return _shown(visit, row)


def _shown(visit: Visit, row: PersonRow) -> Person:
    address = f"/admin/people/{quote(row.login, safe='')}"
    own = [one for one in row.roles if is_own(visit, one.unit)]
    return Person(
        login=row.login,
        name=row.name or row.login,
        is_disabled=row.disabled_at is not None,
        roles=tuple(_role(visit, one, "" if row.login == visit.login else address) for one in own),
        elsewhere=len(row.roles) - len(own),
        address=address,
    )


def _role(visit: Visit, one: HeldRole, address: str) -> Role:
    return Role(
        name=one.role,
        title=visit.title(visit.desk.library.rulebook.organisation.called(one.role)),
        unit=visit.desk.units()[one.unit].name,
        code=one.unit,
        since=one.since,
        end=address and f"{address}/end?{urlencode({'role': one.role, 'unit': one.unit})}",
    )


def choices(visit: Visit) -> list[tuple[str, str]]:
    """The roles that can be given; a student's comes with the roll and is not."""
    roles = visit.desk.library.rulebook.organisation.roles
    return [(name, visit.title(one.title)) for name, one in roles.items() if name != "student"]


def places(visit: Visit) -> list[tuple[str, str]]:
    """The visitor's units at which a role can be given: code and name."""
    roles = visit.desk.library.rulebook.organisation.roles
    kinds = {kind for name, one in roles.items() if name != "student" for kind in one.held_at}
    return [(one.code, one.name) for one in own_units(visit) if one.kind in kinds]


def give_role(visit: Visit, login: str) -> bool:
    """Let a person hold a role at a unit from now on; False when it was so already. It ends the person's sessions.

    Raises:
        NotFound: If nobody has that login.
        FieldFaults: If the role or the unit is not known, they do not go together, the person holds a role that nobody
            holds beside it, it is the visitor's own account, or the unit is another administrator's.
    """
    person(visit, login)
    role, unit = visit.form.get("role", ""), visit.form.get("unit", "")
    if login == visit.login:
        raise FieldFaults([FieldFault("role", visit.say("角色"), visit.say("不能给自己加角色，请另一位管理员办理"))])
    if unit in visit.desk.units() and not is_own(visit, unit):
        raise FieldFaults([FieldFault("unit", visit.say("单位"), visit.say("不在您管理的单位之内"))])
    try:
        return organisation.give_role(visit.desk, login, role, unit, at=visit.at, actor=visit.login)
    except RolesApart as problem:
        raise _fault(visit, "role", visit.say("角色"), problem) from problem
    except Misplaced as problem:
        raise FieldFaults([FieldFault("unit", visit.say("单位代码"), misplaced(visit, role, unit))]) from problem
    except Unknown as problem:
        raise _fault(visit, "unit", visit.say("单位代码"), problem) from problem


def misplaced(visit: Visit, role: str, unit: str) -> str:
    """Why a role is not held at a unit: at which kinds it is; empty if it is held at such a unit."""
    organisation, place = visit.desk.library.rulebook.organisation, visit.desk.units()[unit]
    held_at = organisation.roles[role].held_at
    if place.kind in held_at:
        return ""
    kinds = visit.say("、").join(visit.title(organisation.units[one].title) for one in held_at)
    return visit.say(
        "“{role}”不在{unit}（{kind}）这样的单位担任，只在：{kinds}",
        role=visit.title(organisation.roles[role].title), unit=place.name,
        kind=visit.title(organisation.units[place.kind].title), kinds=kinds,
    )  # fmt: skip


def _fault(visit: Visit, field: str, title: str, problem: Exception) -> FieldFaults:
    return FieldFaults([FieldFault(field, title, in_language(str(problem), visit.lang))])


def enable(visit: Visit, login: str) -> None:
    """Let a person in again.

    Raises:
        NotFound: If nobody has that login, or a role of the person's is another administrator's to look after.
    """
    if person(visit, login).elsewhere:
        raise NotFound
    organisation.enable(visit.desk, login, at=visit.at, actor=visit.login)
