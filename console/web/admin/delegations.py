"""Delegations: who acts for whom until when, what was refused and why, and on which days nobody can act."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from console.web import forms
from console.web.admin.scope import is_own, own_paths, own_unit
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from engine import absences
from engine.barring import NOBODYS_TO_LEND
from engine.checking.names import people as people_of
from engine.definition import Bilingual
from engine.delegating import Mandate, delegate, revoke
from engine.expressions.kinds import SHANGHAI
from engine.pinyin import order_key
from engine.records import Repeated, Sentence
from engine.repeating import once, refused_before
from engine.store import administration, delegations, people
from engine.store.database import NEWEST
from engine.store.delegations import PAGE, Passed
from engine.store.people import Absence
from engine.vacancies import Vacancy, vacancies

_REFUSED_AMONG = 300
"""So many of the registry's latest events are looked at for what was refused."""
_AHEAD = 14
_STEPS = 4
_LONGEST_LOAN = timedelta(days=366)
_LONGEST_REASON = 200


class Line(NamedTuple):
    """A delegation in words; `steps` what may be done by it, `more` how many further steps."""

    one: Passed
    is_to_come: bool
    role: str
    unit: str
    steps: list[str]
    more: int


class Refused(NamedTuple):
    """A delegation that was refused: by whom it was asked, to whom, in which role, and why not."""

    at: datetime
    giver: str
    taker: str
    role: str
    unit: str
    why: list[str]


class Gap(NamedTuple):
    """Days on which nobody can act in a role at a unit; `assign` is where somebody is chosen."""

    one: Vacancy
    role: str
    unit: str
    assign: str


class Delegations(NamedTuple):
    """The page; `following` is the address of the next, empty on the last."""

    lines: list[Line]
    refused: list[Refused]
    gaps: list[Gap]
    following: str


class Assignment(NamedTuple):
    """A role to be given at a unit to one of some people (login and name), because nobody can act in it."""

    role: str
    title: str
    code: str
    unit: str
    people: list[tuple[str, str]]


def page(visit: Visit, before: int | None, *, is_over: bool) -> Delegations:
    """What is lent at the visitor's units, or was; what was refused; where nobody can act."""
    connection, paths = visit.desk.connection, own_paths(visit)
    found = lent(visit, before, PAGE + 1, is_over=is_over)
    more = {"before": found[PAGE - 1].one.id, **({"over": 1} if is_over else {})} if len(found) > PAGE else {}
    return Delegations(
        lines=found[:PAGE],
        refused=refused(visit),
        gaps=[gap(visit, one) for one in vacancies(connection, paths, visit.at, _AHEAD, works(visit))],
        following=f"/admin/delegations?{urlencode(more)}" if more else "",
    )  # fmt: skip


def lent(visit: Visit, before: int | None, most: int, *, is_over: bool) -> list[Line]:
    """What is lent at the visitor's units, or was and is no more, newest first; so many at most."""
    found = delegations.passed(
        visit.desk.connection, own_paths(visit), visit.at, before or NEWEST, most, is_over=is_over
    )
    return [line(visit, one) for one in found]


def refused(visit: Visit) -> list[Refused]:
    """What was not lent of late at the visitor's units, and why, newest first."""
    found = delegations.last_refused(visit.desk.connection, _REFUSED_AMONG)
    return [_refused(visit, one) for one in found if is_own(visit, one["data"]["given"]["unit"])]


def works(visit: Visit) -> Callable[[date], bool]:
    """Whether people work on a day, by the visitor's calendar."""
    calendar = visit.calendar
    return (lambda _: True) if calendar is None else calendar.is_working_day


def line(visit: Visit, one: Passed) -> Line:
    """A delegation in words."""
    steps = steps_of(visit, one.role)
    return Line(
        one,
        one.since > visit.at,
        role_title(visit, one.role),
        unit_name(visit, one.unit),
        steps[:_STEPS],
        len(steps[_STEPS:]),
    )


def role_title(visit: Visit, role: str) -> str:
    """What a role is called, in the language of the page."""
    return visit.title(visit.desk.library.rulebook.organisation.called(role))


def unit_name(visit: Visit, code: str) -> str:
    """What a unit is called."""
    row = visit.desk.units().get(code)
    return code if row is None else row.name


def steps_of(visit: Visit, role: str) -> list[str]:
    """What may be done in a role, by the definitions in force: titles of steps, each once."""
    found: dict[Bilingual, None] = {}
    for one in visit.desk.library.machines():
        for step in one.transitions.values():
            if any(role in (who.role, who.acting_role) for who, _ in people_of(step)):
                found[step.title] = None
    return list(dict.fromkeys(visit.title(one) for one in found))


def _refused(visit: Visit, event: Mapping[str, Any]) -> Refused:
    data, rules = event["data"], visit.desk.library.rulebook.engine
    titles = [rules[name].title for name in data["engine"] if name in rules]
    return Refused(
        at=datetime.fromisoformat(event["at"]),
        giver=event["actor"],
        taker=data["given"].get("to") or visit.say("没有这个账号"),
        role=role_title(visit, data["given"]["role"]),
        unit=unit_name(visit, data["given"]["unit"]),
        why=[visit.title(one) for one in titles if one is not None],
    )


def gap(visit: Visit, one: Vacancy) -> Gap:
    """A vacancy in words, and where somebody of the visitor's units is given the role."""
    code = one.path.rstrip("/").rpartition("/")[2]
    held_at = visit.desk.library.rulebook.organisation.roles[one.role].held_at
    above = [unit for unit in reversed(one.path.strip("/").split("/")) if visit.desk.units()[unit].kind in held_at]
    nearest = next((unit for unit in above if is_own(visit, unit)), "")
    address = f"/admin/delegations/assign?{urlencode({'role': one.role, 'unit': nearest})}" if nearest else ""
    return Gap(one, role_title(visit, one.role), unit_name(visit, code), address)


def assignment(visit: Visit, role: str, unit: str) -> Assignment:
    """Who could be given a role at a unit: those who work there, above it or below, and may sign in; by 姓名拼音.

    Raises:
        NotFound: If there is no such role, or the unit is not the visitor's.
    """
    row, roles = own_unit(visit, unit), visit.desk.library.rulebook.organisation.roles
    if role not in roles or row.kind not in roles[role].held_at:
        raise NotFound
    above = people.staff_above(visit.desk.connection, row.path)
    staff = {one.login: one.name or one.login for one in above if is_own(visit, _code(one.path))}
    for one in administration.people(visit.desk.connection, (row.path,), "", PAGE):
        staff[one.login] = one.name or one.login
    others = sorted((order_key(name), login, name) for login, name in staff.items() if login != visit.login)
    chosen = [(login, f"{name}　{login}") for _, login, name in others]
    return Assignment(role, role_title(visit, role), unit, row.name, chosen)


def _code(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def own_roles(visit: Visit) -> list[tuple[str, str]]:
    """The roles that are the visitor's own, each with its unit: what can be lent, as value and words."""
    return [
        (f"{one.role}@{one.unit}", f"{role_title(visit, one.role)} · {unit_name(visit, one.unit)}")
        for one in visit.actor.grants
        if one.role not in NOBODYS_TO_LEND
    ]


def own_lines(visit: Visit) -> list[Line]:
    """What the visitor lends for every case of a unit, and is lent so."""
    return [line(visit, one) for one in delegations.passed_by(visit.desk.connection, visit.login, visit.at)]


def lend(visit: Visit) -> tuple[Sentence, ...]:
    """Let somebody act in a role of the visitor's until the end of a day (委派); every reason why not.

    It begins at once, or at the beginning of a later day.

    Raises:
        FieldFaults: If something is missing, the role is not the visitor's, or a day is not within a year.
    """
    form = visit.form
    role, _, unit = form.get("what", "").partition("@")
    since, until = forms.day(form.get("since", "") or visit.today.isoformat()), forms.day(form.get("until", ""))
    faults = [] if form.get("taker") else [FieldFault("taker", visit.say("交给谁"), visit.say("请填写"))]
    if (role, unit) not in {(one.role, one.unit) for one in visit.actor.grants}:
        faults.append(FieldFault("what", visit.say("以什么角色"), visit.say("请选择")))
    if until is None or not visit.today <= until <= visit.today + _LONGEST_LOAN:
        faults.append(FieldFault("until", visit.say("到哪一天"), visit.say("请选择今天起一年以内的一天")))
    if since is None or since < visit.today:
        faults.append(FieldFault("since", visit.say("自哪一天起"), visit.say("请选择今天或以后的一天，空着即刻开始")))
    elif until is not None and until < since:
        faults.append(FieldFault("until", visit.say("到哪一天"), visit.say("不能早于开始的那一天")))
    if not form.get("reason"):
        faults.append(FieldFault("reason", visit.say("理由"), visit.say("请写明理由")))
    if faults or until is None or since is None:
        raise FieldFaults(faults)
    begins = datetime.combine(since, time(), SHANGHAI).astimezone(UTC) if since > visit.today else None
    mandate = Mandate(taker=form["taker"], role=role, reason=form["reason"][:_LONGEST_REASON], since=begins)
    ends = datetime.combine(until, time(23, 59, 59), SHANGHAI).astimezone(UTC)
    asked = visit.asks("delegate", request=form.get("request") or None)
    answer = once(visit.desk, "delegate", asked, lambda told: delegate(visit.desk, unit, mandate, ends, told))
    if isinstance(answer, Repeated):
        return () if answer.moved else (refused_before(answer),)
    return tuple(one.sentence for one in answer)


def be_away(visit: Visit) -> None:
    """Keep that the visitor is away on some days; whoever stands in is told meanwhile.

    Raises:
        FieldFaults: If the days are none, in the wrong order, over, or more than a year ahead.
    """
    first, last = (forms.day(visit.form.get(name, "")) for name in ("first", "last"))
    if first is None or last is None or not first <= last or not visit.today <= last <= visit.today + _LONGEST_LOAN:
        raise FieldFaults(
            [FieldFault("last", visit.say("最后一天"), visit.say("请写今天起一年以内的第一天和最后一天"))]
        )
    with visit.desk.connection.writing():
        people.add_absence(visit.desk.connection, Absence(visit.login, first, last))


def be_back(visit: Visit) -> None:
    """The visitor is not away any more; what is over, or still to come, stays as it is."""
    absences.end_now(visit.desk, visit.login, visit.asks("absence_end"))


def take_back(visit: Visit) -> None:
    """Take back what the visitor lends somebody in a role.

    Raises:
        Unknown: If there is nothing such.
    """
    asked = visit.asks("revoke")
    revoke(visit.desk, visit.form.get("taker", ""), visit.form.get("role", ""), asked)
