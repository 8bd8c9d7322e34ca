"""The organisation: units in a tree, people, and the roles they hold; every change is an event of the registry."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from unicodedata import category, normalize

from engine.desk import Desk
from engine.errors import AlreadyOpen, Misplaced, RolesApart, Unknown, Unreadable
from engine.records import Json
from engine.store import access, desk_work, registry, students
from engine.store.registry import UnitRow
from engine.store.sessions import end_sessions
from engine.store.unit_names import NAME_WAS
from engine.trail.event import EventKind, chain_name, moment

_CODE = re.compile(r"[0-9A-Za-z_.-]{1,32}")
LONGEST_NAME = 60
_CONTROLS = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Kinds of characters that cannot be seen, and that nobody could type again (Unicode, general categories)."""


def add_units(desk: Desk, units: Iterable[UnitRow], *, at: datetime, actor: str) -> int:
    """Add units below their parents, parents first; one that is there already is left alone. Returns how many are new.

    Args:
        desk: Where they are kept.
        units: `path` is ignored; it follows from the parent.
        at: When, for the trail.
        actor: Who, for the trail.

    Raises:
        Unknown: If a kind, parent or profile is not known.
        Misplaced: If a kind of unit does not stand under the parent's kind.
        Unreadable: If a code has other characters than letters, digits, dot, dash and underscore.
    """
    desk.refresh()
    added = 0
    with desk.connection.writing():
        events: list[tuple[EventKind, dict[str, Json]]] = []
        for unit in units:
            if unit.code in desk.units():
                continue
            placed = _placed(desk, unit)
            registry.add_unit(desk.connection, placed)
            events.append((EventKind.UNIT_CHANGED, told_of(placed)))
            desk.refresh()
            added += 1
        if events:
            desk.record(events, at=at, actor=actor)
    return added


def rename_unit(desk: Desk, code: str, name: str, *, at: datetime, actor: str) -> bool:
    """Call a unit by another name from now on; its code stays. False when it was called so already.

    What was said of it before keeps the name of then: papers and fixed lists (`Desk.unit_named`), the past as it stood.

    Args:
        desk: Where it is kept.
        code: The unit.
        name: Its new name; spaces around it do not count.
        at: When, for the trail.
        actor: Who, for the trail.

    Raises:
        Unknown: If there is no such unit.
        Unreadable: If the name is empty, longer than 60 characters, or has line breaks or other control characters.
    """
    wanted = normalize("NFC", name).strip()
    if not 1 <= len(wanted) <= LONGEST_NAME or any(category(letter) in _CONTROLS for letter in wanted):
        told = f"1—{LONGEST_NAME} 个字，无换行 1 to {LONGEST_NAME} characters on one line"
        raise Unreadable("单位名称 unit name", name[:LONGEST_NAME], told)
    desk.refresh()
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # whoever else changes the organisation waits here
        unit = desk.units().get(code)
        if unit is None:
            raise Unknown("单位 unit", code, desk.units())
        if unit.name == wanted:
            return False
        registry.set_unit_name(desk.connection, code, wanted)
        data = {**told_of(replace(unit, name=wanted)), NAME_WAS: unit.name}
        desk.record([(EventKind.UNIT_CHANGED, data)], at=at, actor=actor)
    desk.refresh()
    return True


def told_of(unit: UnitRow) -> dict[str, Json]:
    """What an event says of a unit: all that is told of it, so that the last one is enough to know it."""
    data: dict[str, Json] = {"unit": unit.code, "kind": unit.kind, "parent": unit.parent, "name": unit.name}
    return data if unit.profile is None else {**data, "profile": unit.profile}


def _placed(desk: Desk, unit: UnitRow) -> UnitRow:
    organisation = desk.library.rulebook.organisation
    if not _CODE.fullmatch(unit.code):
        raise Unreadable("单位代码 unit code", unit.code, "字母、数字、点、横线 letters, digits, . - _")
    if unit.kind not in organisation.units:
        raise Unknown("单位类别 kind of unit", unit.kind, organisation.units)
    if unit.profile is not None and unit.profile not in organisation.profiles:
        raise Unknown("profile", unit.profile, organisation.profiles)
    path = f"/{unit.code}/"
    if unit.parent is not None:
        parent = desk.units().get(unit.parent)
        if parent is None:
            raise Unknown("上级单位 parent unit", unit.parent, desk.units())
        if parent.kind not in organisation.units[unit.kind].inside:
            raise Misplaced(unit.code, unit.kind, parent.code, parent.kind, organisation.units[unit.kind].inside)
        path = f"{parent.path}{unit.code}/"
    return UnitRow(code=unit.code, name=unit.name, kind=unit.kind, parent=unit.parent, path=path, profile=unit.profile)


def give_role(desk: Desk, login: str, role: str, unit: str, *, at: datetime, actor: str) -> bool:
    """Let a person hold a role at a unit, making the account if needed; False when it was so already.

    Raises:
        Unknown: If there is no such role or unit.
        Misplaced: If the role is not held at that kind of unit.
        RolesApart: If the person holds, or is lent, a role that nobody holds beside it.
        Reserved: If the login is one that xueji itself goes by.
    """
    desk.refresh()
    roles = desk.library.rulebook.organisation.roles
    if role not in roles:
        raise Unknown("角色 role", role, roles)
    row = desk.units().get(unit)
    if row is None:
        raise Unknown("单位 unit", unit, desk.units())
    if row.kind not in roles[role].held_at:
        raise Misplaced(role, "role", unit, row.kind, roles[role].held_at)
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # whoever else gives a role waits here
        registry.add_account(desk.connection, login, moment(at))
        _keep_apart(desk, login, role, at)
        if not registry.add_grant(desk.connection, login, role, unit, moment(at)):
            return False
        end_sessions(desk.connection, login)  # what a page offers was decided by the roles of before
        data: dict[str, Json] = {"login": login, "role": role, "unit": unit, "held": True}
        desk.record([(EventKind.ROLE_CHANGED, data)], at=at, actor=actor)
    return True


def _keep_apart(desk: Desk, login: str, role: str, at: datetime) -> None:
    """Refuse a role to somebody who holds, or is lent, one that excludes it."""
    organisation = desk.library.rulebook.organisation
    other = organisation.excluded_beside(role, desk.actor(login).roles_within(moment(at)))
    if other is not None:
        raise RolesApart(login, organisation.roles[other].title, organisation.roles[role].title)


def end_role(desk: Desk, login: str, role: str, unit: str, *, at: datetime, actor: str) -> bool:
    """Let a person hold a role at a unit no longer; False when it was not held. It ends the person's sessions.

    What the person lent in the role is lent no more; a case handed over to the person goes back to whoever holds it.
    """
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # whoever else gives or ends a role waits here
        if not registry.end_grant(desk.connection, login, role, unit, moment(at)):
            return False
        end_sessions(desk.connection, login)
        desk_work.drop_claims(desk.connection, login)
        data: dict[str, Json] = {"login": login, "role": role, "unit": unit, "held": False}
        desk.record([(EventKind.ROLE_CHANGED, data)], at=at, actor=actor)
    return True


def disable(desk: Desk, login: str, *, at: datetime, actor: str) -> bool:
    """Keep a person out from now on, signed in or not; False when that was so already. The roles stay."""
    with desk.connection.writing():
        registry.registry_head(desk.connection)
        is_new = access.disable(desk.connection, login, at)
        desk_work.drop_claims(desk.connection, login)
        if is_new:
            desk.record([(EventKind.ACCOUNT_CHANGED, {"login": login, "disabled": True})], at=at, actor=actor)
    return is_new


def enable(desk: Desk, login: str, *, at: datetime, actor: str) -> bool:
    """Let a person in again who was kept out; False when nobody kept them out."""
    with desk.connection.writing():
        registry.registry_head(desk.connection)
        is_new = access.enable(desk.connection, login)
        if is_new:
            desk.record([(EventKind.ACCOUNT_CHANGED, {"login": login, "disabled": False})], at=at, actor=actor)
    return is_new


def add_student_account(desk: Desk, login: str, student_no: str, *, at: datetime, actor: str) -> bool:
    """Make a login a student's own, making the account if needed; False when it was so already.

    Raises:
        Unknown: If there is no such student.
        AlreadyOpen: If the student has another login, or the login is another student's.
        Reserved: If the login is one that xueji itself goes by.
    """
    with desk.connection.writing():
        registry.registry_head(desk.connection)  # whoever else gives an account waits here
        row = students.student(desk.connection, student_no)
        if row is None:
            raise Unknown("学号 student number", student_no)
        has = registry.account_of(desk.connection, row.id)
        if has == login:
            return False
        registry.add_account(desk.connection, login, moment(at))
        if has is not None or not registry.set_student(desk.connection, login, row.id):
            raise AlreadyOpen("学生账号 student's account", has or login, student_no if has else "他人 another's")
        data: dict[str, Json] = {"login": login, "role": "student", "about": chain_name(-row.id), "held": True}
        desk.record([(EventKind.ROLE_CHANGED, data)], at=at, actor=actor)
    return True
