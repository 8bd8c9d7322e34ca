"""Somebody stops: a role is ended, or the person is kept out; what that means is said before it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from console.web import lettering
from console.web.admin.people import Person, person
from console.web.admin.scope import is_own
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from engine import organisation
from engine.delegating import Refusal, hand_on, left_behind
from engine.pinyin import order_key
from engine.records import case_number
from engine.store import administration, delegations
from engine.store.people import holders

_LONGEST_REASON = 200


class Ending(NamedTuple):
    """What ends with a role: how many cases go back to all who hold it, what was lent, and who else holds it there."""

    person: Person
    role: str
    unit: str
    title: str
    where: str
    back: int
    lent: int
    others: int


class Farewell(NamedTuple):
    """What stops when somebody is kept out: cases the person has for good, and cases that wait for them.

    `heirs` are those to whom the first can be handed on: login and name, by 姓名拼音.
    """

    handed: int
    waiting: int
    heirs: list[tuple[str, str]]


def ending(visit: Visit, login: str, role: str, unit: str) -> Ending:
    """What would end with a role of a person.

    Raises:
        NotFound: If the person does not hold it, or it is not the visitor's to end.
    """
    somebody, row = person(visit, login), administration.person(visit.desk.connection, login)
    held = () if row is None else row.roles
    if login == visit.login or not is_own(visit, unit) or not any((one.role, one.unit) == (role, unit) for one in held):
        raise NotFound
    place = visit.desk.units()[unit]
    reach = (who for who, path in holders(visit.desk.connection, role) if place.path.startswith(path) and who != login)
    return Ending(
        person=somebody,
        role=role,
        unit=unit,
        title=visit.title(visit.desk.library.rulebook.organisation.called(role)),
        where=place.name,
        back=sum(1 for _, one in left_behind(visit.desk, login) if one == role),
        lent=delegations.lent_by(visit.desk.connection, login, role, visit.at),
        others=len(set(reach)),
    )


def end_role(visit: Visit, login: str) -> None:
    """End the role that the form names.

    Raises:
        NotFound: As `ending`.
    """
    ends = ending(visit, login, visit.form.get("role", ""), visit.form.get("unit", ""))
    organisation.end_role(visit.desk, login, ends.role, ends.unit, at=visit.at, actor=visit.login)


def farewell(visit: Visit, login: str) -> Farewell:
    """What would stop if the person were kept out now."""
    connection = visit.desk.connection
    left = left_behind(visit.desk, login)
    roles = sorted({role for _, role in left})
    heirs = administration.heirs(connection, roles, login) if roles else []
    by_name = sorted(heirs, key=lambda one: (order_key(one[1]), one[0]))
    return Farewell(len(left), administration.waiting_for(connection, login), by_name)


def disable(visit: Visit, login: str) -> None:
    """Keep a person out from now on, signed in or not, and hand on the cases nobody else could act on; or neither.

    Raises:
        NotFound: If nobody has that login, or it is another administrator's to look after.
        FieldFaults: If it is the visitor, a role of the person's is at another administrator's unit, there are cases
            to hand on and nobody is chosen, or the chosen cannot take one of them.
    """
    somebody = person(visit, login)
    if login == visit.login:
        raise FieldFaults([FieldFault("login", visit.say("用户"), visit.say("不能停用自己"))])
    if somebody.elsewhere:
        raise FieldFaults(
            [FieldFault("login", visit.say("用户"), visit.say("此人在您管理的单位之外还有角色，请上级管理员停用"))]
        )
    with visit.desk.connection.writing():
        if left_behind(visit.desk, login):
            _hand_on(visit, login)
        organisation.disable(visit.desk, login, at=visit.at, actor=visit.login)


def _hand_on(visit: Visit, login: str) -> None:
    taker, field = visit.form.get("taker", ""), visit.say("转给")
    reason = visit.form.get("reason", "")[:_LONGEST_REASON] or "停用账号"
    if not taker:
        raise FieldFaults([FieldFault("taker", field, visit.say("请选择转给谁"))])
    against = hand_on(visit.desk, login, taker, reason, visit.asks("hand_over"))
    if against:
        raise FieldFaults([FieldFault("taker", field, _why_not(visit, against))])


def _why_not(visit: Visit, against: Mapping[int, Refusal]) -> str:
    """The first case that the chosen cannot take, with the first reason, and how many there are."""
    case, [first, *_] = next(iter(against.items()))
    sentence = first.sentence.zh if visit.lang == "zh" else first.sentence.en
    return visit.say(
        "{n} 件不能转给此人，如 {no}：{why}",
        n=len(against), no=lettering.number_shown(case_number(case)), why=sentence,
    )  # fmt: skip
