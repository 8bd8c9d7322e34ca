"""What was changed of people, tokens and units, by whom and when, in words: for who audits, and who looks after people.

Only what concerns the visitor's units is told: roles and units there, and accounts of those who work there or did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from console.access.handing_out import CODE_UNTIL, HOLDS
from console.web.admin.delegations import role_title
from console.web.admin.tokens import scopes_said
from console.web.auditing.frame import names_of
from console.web.lettering import long_day, long_moment
from console.web.visit import Visit
from engine.absences import AWAY, BACK, WAS
from engine.store.changes import OF_PEOPLE_AND_UNITS, changes, ever_at
from engine.store.unit_names import NAME_WAS
from engine.trail.event import EventKind

PAGE = 50
_READ = 200
"""So many are read at a time to find a page of those that concern the visitor."""
Event = Mapping[str, Any]


class Line(NamedTuple):
    """A change in words: when, by whom (name and login), and what; its place in the registry's chain."""

    seq: int
    at: datetime
    who: str
    login: str
    what: str


class Changes(NamedTuple):
    """A page of changes; `following` is the number of the one the next page begins before, 0 on the last."""

    lines: list[Line]
    following: int


def page(visit: Visit, paths: Sequence[str], before: int | None, most: int = PAGE) -> Changes:
    """A page of changes at some units and below them, newest first.

    Args:
        visit: Who looks.
        paths: The units.
        before: The place in the registry's chain the page begins before; None for the newest.
        most: So many at most.
    """
    found = changes(visit.desk.connection, OF_PEOPLE_AND_UNITS, before)
    wanted: list[Event] = []
    while len(wanted) <= most and (some := list(islice(found, _READ))):
        wanted += _concerning(visit, tuple(paths), some)
    shown = wanted[:most]
    names = names_of(visit, {login for one in shown for login in (one["actor"], one["data"].get("login")) if login})
    following = int(shown[-1]["seq"]) if len(wanted) > most else 0
    return Changes([_line(visit, one, names) for one in shown], following)


def _concerning(visit: Visit, paths: tuple[str, ...], some: Sequence[Event]) -> list[Event]:
    """Those of some events that are about the units, or about people who ever worked there, or nowhere yet."""
    units = visit.desk.units()
    here = {code for code, row in units.items() if row.path.startswith(paths or ("-",))}
    places = ever_at(visit.desk.connection, sorted({str(one["data"]["login"]) for one in some if _is_of_account(one)}))
    found = []
    for one in some:
        data = one["data"]
        if _is_of_account(one):
            at = places.get(str(data["login"]), set())
            is_here = not at or bool(at & here)
        else:
            is_here = data.get("unit") in here  # a student's own account has no unit, and is not told of
        found += [one] if is_here else []
    return found


def _is_of_account(event: Event) -> bool:
    return event["kind"] in (EventKind.ACCOUNT_CHANGED, EventKind.TOKEN_CHANGED)


def _line(visit: Visit, event: Event, names: Mapping[str, str]) -> Line:
    actor = str(event["actor"])
    told = _WORDS[event["kind"]](visit, event, names)
    return Line(int(event["seq"]), datetime.fromisoformat(event["at"]), names.get(actor, actor), actor, told)


def _role(visit: Visit, event: Event, names: Mapping[str, str]) -> str:
    data = event["data"]
    whom, role, unit = data["login"], role_title(visit, data["role"]), _unit_name(visit, data["unit"], event)
    if data["held"]:
        return visit.say("给 {name}（{login}）角色“{role}”：{unit}", name=names[whom], login=whom, role=role, unit=unit)
    return visit.say("解除 {name}（{login}）的角色“{role}”：{unit}", name=names[whom], login=whom, role=role, unit=unit)


def _account(visit: Visit, event: Event, names: Mapping[str, str]) -> str:
    data = event["data"]
    if AWAY in data or BACK in data:
        return _absence(visit, data, names[data["login"]])
    if "disabled" not in data:
        return _let_in_anew(visit, data, names[data["login"]])
    if data["disabled"]:
        return visit.say("停用 {name}（{login}）的账号", name=names[data["login"]], login=data["login"])
    return visit.say("恢复 {name}（{login}）的账号", name=names[data["login"]], login=data["login"])


def _absence(visit: Visit, data: Mapping[str, Any], name: str) -> str:
    days = data.get(AWAY) or data[BACK]
    told = {
        "name": name, "login": data["login"],
        "first": long_day(days["from"], visit.lang), "last": long_day(days["to"], visit.lang),
    }  # fmt: skip
    if BACK in data:
        return visit.say("把 {name}（{login}）记为在岗，原登记 {first}—{last} 不在", **told)
    what = (
        visit.say("改 {name}（{login}）的不在岗：{first}—{last}", **told)
        if WAS in data
        else visit.say("登记 {name}（{login}）不在岗：{first}—{last}", **told)
    )
    return visit.say("{what}；理由：{why}", what=what, why=data["why"])


def _let_in_anew(visit: Visit, data: Mapping[str, Any], name: str) -> str:
    told = (
        visit.say("给 {name}（{login}）发激活码，至 {when}",
                  name=name, login=data["login"], when=long_moment(data[CODE_UNTIL], visit.lang))
        if CODE_UNTIL in data
        else visit.say("清除 {name}（{login}）的动态口令", name=name, login=data["login"])
    )  # fmt: skip
    if HOLDS not in data:
        return told
    return visit.say("{what}；此人是{role}", what=told, role=role_title(visit, data[HOLDS]))


def _token(visit: Visit, event: Event, names: Mapping[str, str]) -> str:
    data = event["data"]
    whom = names[data["login"]]
    if not data["good"]:
        made = long_moment(data["made_at"], visit.lang)
        return visit.say(
            "作废 {name}（{login}）的接口令牌“{token}”，{when} 生成的",
            name=whom, login=data["login"], token=data["name"], when=made,
        )  # fmt: skip
    return visit.say(
        "为 {name}（{login}）生成接口令牌“{token}”：{scopes}，至 {when}",
        name=whom, login=data["login"], token=data["name"], scopes=scopes_said(visit, frozenset(data["scopes"])),
        when=long_moment(data["until"], visit.lang),
    )  # fmt: skip


def _unit(visit: Visit, event: Event, _names: Mapping[str, str]) -> str:
    data = event["data"]
    code, name = data["unit"], data["name"]
    if NAME_WAS in data:
        return visit.say("单位 {code} 由“{was}”改名为“{name}”", code=code, was=data[NAME_WAS], name=name)
    above = _unit_name(visit, data["parent"], event) if data["parent"] else "—"
    if "was" in data:
        return visit.say("单位 {name}（{code}）移到 {above} 之下", name=name, code=code, above=above)
    return visit.say("添加单位 {name}（{code}），上级 {above}", name=name, code=code, above=above)


def _unit_name(visit: Visit, code: str, event: Event) -> str:
    """What a unit was called then."""
    is_known = code in visit.desk.units()
    return f"{visit.desk.unit_named(code, datetime.fromisoformat(event['at']))} {code}" if is_known else code


_WORDS: Mapping[str, Callable[[Visit, Event, Mapping[str, str]], str]] = {
    EventKind.ROLE_CHANGED: _role,
    EventKind.ACCOUNT_CHANGED: _account,
    EventKind.TOKEN_CHANGED: _token,
    EventKind.UNIT_CHANGED: _unit,
}
