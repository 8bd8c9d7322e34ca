"""Why nothing in a queue can be done, and what next (console.md 6, Empty)."""

from __future__ import annotations

from typing import NamedTuple

from console.web.due import nearest
from console.web.lettering import last_day, short_day
from console.web.queue.filtering import LANES, Filter
from console.web.queue.waiting import Waiting
from console.web.visit import Visit
from engine.delegating import LOOKS_AFTER_PEOPLE
from engine.lanes import Lane
from engine.store import registry
from engine.store.people import named


class Empty(NamedTuple):
    """The cause (`nothing`, `filter`, `rights`, `others`), its sentence, and the way on; no way where there is none."""

    cause: str
    words: str
    address: str = ""
    link: str = ""


def why_empty(visit: Visit, asked: Filter, waiting: Waiting) -> Empty | None:
    """Why nothing of what a filter shows can be done by the person now; None where something can."""
    counts = waiting.counts(asked)
    shown = [one for one in Lane if counts[one] and LANES.get(asked.lane, one) is one]
    if Lane.LOOK in shown or Lane.READY in shown or (shown and (asked.lane or asked.rule)):
        return None
    if counts.total() and counts.total() == counts[Lane.BLOCKED]:
        words = visit.say("{n} 件都在等别人。", n=counts[Lane.BLOCKED])
        return Empty("others", words, asked.address(lane="blocked", after="", case=""), visit.say("看在等谁"))
    if asked.unit and (unit := _out_of_reach(visit, asked.unit)) is not None:
        admin = _admin(visit, unit)
        return Empty("rights", visit.say("您在“{unit}”还没有权限，请找 {admin}。", unit=unit.name, admin=admin))
    if asked.is_narrow:
        words = visit.say("清除筛选，看全部 {n} 件", n=waiting.total)
        return Empty("filter", visit.say("筛选条件下没有。"), asked.cleared().address(), words)
    return Empty("nothing", _next(visit))


def _out_of_reach(visit: Visit, code: str) -> registry.UnitRow | None:
    """A unit at which, and below which, the person holds no right; None where they hold one, or there is no such."""
    unit = visit.desk.units().get(code)
    grants = (*visit.actor.grants, *visit.actor.delegated)
    is_reached = unit is None or any(unit.path.startswith(one.path) or one.path.startswith(unit.path) for one in grants)
    return None if is_reached else unit


def _admin(visit: Visit, unit: registry.UnitRow) -> str:
    """Whoever gives rights at a unit."""
    logins = registry.holders(visit.desk.connection, LOOKS_AFTER_PEOPLE, unit.path)
    names, _ = named(visit.desk.connection, logins, None) if logins else ({}, None)
    return visit.say("、").join(names.get(one, one) for one in logins) or "—"


def _next(visit: Visit) -> str:
    """That nothing waits, and what is due next at the person's units."""
    units = tuple(dict.fromkeys(grant.unit for grant in (*visit.actor.grants, *visit.actor.delegated)))
    chain = -1 if visit.session is None else visit.session.registry
    due = nearest(visit.desk, visit.house.batches.of(visit.desk, chain), units, lambda at: at > visit.at)
    if due is None:
        return visit.say("现在没有待办。")
    what = visit.say("、").join(visit.title(one) for one in due.titles)
    day = short_day(last_day(due.at), visit.lang, visit.today)
    return visit.say("现在没有待办。接下来：{what} {day}", what=what, day=day)
