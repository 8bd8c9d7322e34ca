"""A new account with its first role, another activation code, a lost second factor forgotten.

Only for people of the own units who hold nothing elsewhere and are lent nothing there, never for oneself: who lets
somebody in anew could come in as that person. The code is told to the page that answers, this once; it is kept as its
hash alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from unicodedata import category, normalize

from console.access.handing_out import Handed, forget_second_factor, hand_out_code
from console.web.admin.people import Person, choices, misplaced, person
from console.web.admin.scope import is_own, own_paths
from console.web.fault_pages import in_language
from console.web.faults import FieldFault, FieldFaults
from console.web.visit import Visit
from engine import organisation
from engine.actors import RESERVED
from engine.delegating import LOOKS_AFTER_PEOPLE
from engine.organisation import LONGEST_NAME
from engine.store import access, administration, registry
from engine.store import people as contacts
from engine.trail.event import moment
from notifications.messages.envelopes import Unmailable, address_of

LOGIN, NAME, MAIL, ROLE, UNIT = FIELDS = ("login", "name", "mail", "role", "unit")
"""Of the form that adds an account."""
_LOGIN = re.compile(r"[0-9A-Za-z][0-9A-Za-z._@-]{1,63}")


class Door(NamedTuple):
    """How a person comes in; `why_not` the visitor cannot let them in anew, empty if that can be done.

    `is_watched`: the person looks after people too, and the trail will say so.
    """

    has_password: bool
    has_second_factor: bool
    is_watched: bool
    why_not: str


def add(visit: Visit) -> Handed:
    """Make an account as the form says, with its first role, and hand out its code; or nothing of it.

    Raises:
        FieldFaults: If the login cannot be one or is taken, there is no name, the address is none, or the role cannot
            be given at the unit, or not by the visitor; every reason at once.
    """
    given = {one: visit.form.get(one, "") for one in FIELDS}
    given[NAME] = normalize("NFC", given[NAME])
    with visit.desk.connection.writing():
        registry.registry_head(visit.desk.connection)  # whoever else adds the same login waits here
        faults = [one for one in (_login(visit, given[LOGIN]), _name(visit, given[NAME])) if one]
        faults += [one for one in (_mail(visit, given[MAIL]), *_place(visit, given[ROLE], given[UNIT])) if one]
        if faults:
            raise FieldFaults(faults)
        login, desk = given[LOGIN], visit.desk
        organisation.give_role(desk, login, given[ROLE], given[UNIT], at=visit.at, actor=visit.login)
        contacts.set_name(desk.connection, login, given[NAME])
        if given[MAIL]:
            contacts.set_address(desk.connection, login, given[MAIL])
        return hand_out_code(desk, login, at=visit.at, actor=visit.login)


def _login(visit: Visit, login: str) -> FieldFault | None:
    title = visit.say("登录名")
    if not _LOGIN.fullmatch(login):
        why = visit.say("写 2 至 64 个英文字母、数字或 . _ @ -，以字母或数字开头")
        return FieldFault(LOGIN, title, why)
    if login.casefold() in RESERVED:
        return FieldFault(LOGIN, title, visit.say("系统自己用这个名称，请换一个"))
    if administration.is_taken(visit.desk.connection, login):
        return FieldFault(LOGIN, title, visit.say("已有人用这个登录名（大小写不分）；就是此人的话，请查找后给角色"))
    return None


def _name(visit: Visit, name: str) -> FieldFault | None:
    is_plain = not any(category(one).startswith("C") or category(one) in ("Zl", "Zp") for one in name)
    if is_plain and 1 <= len(name) <= LONGEST_NAME:
        return None
    return FieldFault(NAME, visit.say("姓名"), visit.say("写 1 至 {n} 个字，不要换行", n=LONGEST_NAME))


def _mail(visit: Visit, mail: str) -> FieldFault | None:
    try:
        address_of(None, mail or "nobody@localhost")
    except Unmailable as problem:
        return FieldFault(MAIL, visit.say("邮箱"), in_language(str(problem), visit.lang))
    return None


def _place(visit: Visit, role: str, unit: str) -> list[FieldFault]:
    """What is wrong with the first role; an unknown unit and one that is another's are told alike."""
    faults = []
    is_role = role in dict(choices(visit))
    if not is_role:
        faults.append(FieldFault(ROLE, visit.say("角色"), visit.say("请选择")))
    if not is_own(visit, unit):
        faults.append(FieldFault(UNIT, visit.say("单位代码"), visit.say("不在您管理的单位之内")))
    elif is_role and (why := misplaced(visit, role, unit)):
        faults.append(FieldFault(UNIT, visit.say("单位代码"), why))
    return faults


def hand_out(visit: Visit, login: str) -> Handed:
    """Hand out another code for a person's password; earlier ones are good no more, and the person is signed out.

    Raises:
        NotFound: If nobody has that login, or it is another administrator's to look after.
        FieldFaults: If it is oneself, disabled, or holds something elsewhere or is lent it.
    """
    with visit.desk.connection.writing():
        registry.registry_head(visit.desk.connection)  # whoever gives or lends the person a role meanwhile waits here
        _refuse(visit, login)
        return hand_out_code(visit.desk, login, at=visit.at, actor=visit.login)


def forget(visit: Visit, login: str) -> bool:
    """Forget a person's second factor, whose telephone is lost; False when there was none.

    Raises:
        NotFound: As `hand_out`.
        FieldFaults: As `hand_out`.
    """
    with visit.desk.connection.writing():
        registry.registry_head(visit.desk.connection)
        _refuse(visit, login)
        return forget_second_factor(visit.desk, login, at=visit.at, actor=visit.login)


def _refuse(visit: Visit, login: str) -> None:
    why = _why_not(visit, person(visit, login))
    if why:
        raise FieldFaults([FieldFault(LOGIN, visit.say("登录"), why)])


def _why_not(visit: Visit, somebody: Person) -> str:
    if somebody.login == visit.login:
        return visit.say("自己的激活码和动态口令，请另一位管理员办理")
    if somebody.elsewhere:
        return visit.say("此人在您管理的单位之外还有角色，请上级管理员办理")
    if _is_lent_elsewhere(visit, somebody.login):
        return visit.say("此人受委派，可在您管理的单位之外办理，请上级管理员办理")
    return visit.say("账号已停用，请先恢复登录") if somebody.is_disabled else ""


def _is_lent_elsewhere(visit: Visit, login: str) -> bool:
    """Whether others lend the person a right outside the visitor's units, now or from a later day on."""
    now, paths = moment(visit.at), own_paths(visit) or ("-",)
    lent = (one for one in visit.desk.actor(login).delegated if one.until is None or now <= one.until)
    return any(not one.path.startswith(paths) for one in lent)


def door(visit: Visit, somebody: Person) -> Door:
    """How a person comes in, and what the visitor can do about it."""
    row = access.credential(visit.desk.connection, somebody.login)
    return Door(
        has_password=row is not None and row.password_hash is not None,
        has_second_factor=row is not None and row.totp_secret is not None,
        is_watched=any(one.name == LOOKS_AFTER_PEOPLE for one in somebody.roles),
        why_not=_why_not(visit, somebody),
    )
