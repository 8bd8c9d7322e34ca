"""Absences of colleagues at an administrator's units: who is away now and next, what waits, and telling it for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from console.web import forms
from console.web.admin.delegations import role_title, works
from console.web.admin.people import Person, person
from console.web.admin.scope import is_own, own_paths
from console.web.auditing.frame import names_of
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.visit import Visit
from engine import absences
from engine.absences import LONGEST, Away, lendable
from engine.delegating import Refusal
from engine.errors import Unknown
from engine.records import Repeated, Sentence
from engine.repeating import once, refused_before
from engine.store import absences as store
from engine.store import administration
from engine.store.absences import AbsenceRow
from engine.vacancies import Vacancy, vacancies

MOST = 200
"""So many absences are on the page."""
_STAFF = 200
_AHEAD = 14
_LONGEST_REASON = 200


class Line(NamedTuple):
    """An absence in words: who (name and login), at which unit, who stands in, and who told it.

    `waiting` is how many cases wait for a role of the person, `gaps` which of these nobody can act in meanwhile.
    """

    one: AbsenceRow
    name: str
    unit: str
    is_now: bool
    stand_in: str
    teller: str
    waiting: int
    gaps: list[str]
    is_own: bool


class Form(NamedTuple):
    """An absence to be told, or changed: whose, what stands in it, who could stand in, and in which roles."""

    login: str
    name: str
    given: dict[str, str]
    people: list[tuple[str, str]]
    roles: list[str]
    number: int | None


def page(visit: Visit) -> list[Line]:
    """Who is away at the visitor's units, now or next: by unit, then by first day; so many at most."""
    connection, paths = visit.desk.connection, own_paths(visit)
    rows = store.at_units(connection, paths, visit.today, MOST)
    names = names_of(visit, {one for row in rows for one in (row.login, row.stand_in, row.told_by) if one})
    gaps = vacancies(connection, paths, visit.at, _AHEAD, works(visit)) if rows else []
    return sorted((_line(visit, row, names, gaps) for row in rows), key=lambda one: (one.unit, one.one.first))


def _line(visit: Visit, row: AbsenceRow, names: dict[str, str], gaps: Iterable[Vacancy]) -> Line:
    grants = [one for one in visit.desk.actor(row.login).grants if is_own(visit, one.unit)]
    units = visit.desk.units()
    empty = {
        (one.role, one.path): f"{units[one.path.rstrip('/').rpartition('/')[2]].name} · {role_title(visit, one.role)}"
        for one in gaps
        if one.first <= row.last and row.first <= one.last
        and any(one.role == held.role and one.path.startswith(held.path) for held in grants)
    }  # fmt: skip
    return Line(
        one=row,
        name=names[row.login],
        unit=visit.say("、").join(dict.fromkeys(units[one.unit].name for one in grants)),
        is_now=row.first <= visit.today,
        stand_in=names.get(row.stand_in or "", ""),
        teller=names.get(row.told_by or "", ""),
        waiting=administration.waiting_for(visit.desk.connection, row.login),
        gaps=list(empty.values()),
        is_own=row.login == visit.login,
    )


def form(visit: Visit, login: str, number: int | None = None) -> Form:
    """The form about somebody's absence, empty, or with what is kept.

    Raises:
        NotFound: If nobody of the visitor's units has that login, it is the visitor, or there is no such absence.
    """
    somebody = _colleague(visit, login)
    row = None if number is None else kept(visit, number)
    roles = lendable(visit.desk.actor(login), visit.asks(absences.TOLD))
    return Form(
        login=login,
        name=somebody.name,
        given={} if row is None else {
            "first": row.first.isoformat(), "last": row.last.isoformat(), "reason": row.reason or "",
            "stand_in": row.stand_in or "",
        },
        people=_colleagues(visit, login),
        roles=[f"{role_title(visit, one.role)} · {visit.desk.units()[one.unit].name}" for one in roles],
        number=number,
    )  # fmt: skip


def _colleague(visit: Visit, login: str) -> Person:
    """Somebody else who works at the visitor's units; the own absence is told at `/me/delegations`."""
    somebody = person(visit, login)
    if login == visit.login or not somebody.roles:
        raise NotFound
    return somebody


def _colleagues(visit: Visit, apart_from: str) -> list[tuple[str, str]]:
    """Who could be named: those who work at the visitor's units and may sign in, but for the two it is between."""
    found = administration.people(visit.desk.connection, own_paths(visit), "", _STAFF)
    return [
        (one.login, f"{one.name or one.login}　{one.login}")
        for one in found
        if one.disabled_at is None and one.login not in (apart_from, visit.login)
    ]


def kept(visit: Visit, number: int) -> AbsenceRow:
    """An absence of somebody at the visitor's units.

    Raises:
        NotFound: If there is none.
    """
    row = store.absence(visit.desk.connection, number)
    if row is None or not person(visit, row.login).roles:
        raise NotFound
    return row


def tell(visit: Visit, login: str, number: int | None = None) -> tuple[Sentence, ...]:
    """Keep what the form says of somebody's absence, new or (number) otherwise than it was; every reason why not.

    Raises:
        FieldFaults: If something is missing, or a day is not within a year.
        NotFound: If nobody of the visitor's units has that login, it is the visitor, or there is no such absence.
    """
    _colleague(visit, login)
    away = _away(visit, login)
    if away.stand_in is not None:
        visit.demand_fresh_proof(visit.say("指定代办人"))
    asked = visit.asks(absences.TOLD, request=visit.form.get("request") or None)
    desk = visit.desk
    answer: Refusal | Repeated = once(
        desk, absences.TOLD, asked,
        lambda told: absences.tell(desk, away, told) if number is None else absences.change(desk, number, away, told),
    )  # fmt: skip
    if isinstance(answer, Repeated):
        return () if answer.moved else (refused_before(answer),)
    return tuple(one.sentence for one in answer)


def _away(visit: Visit, login: str) -> Away:
    given = visit.form
    first, last = (forms.day(given.get(name, "")) for name in ("first", "last"))
    faults = []
    if first is None:
        faults.append(FieldFault("first", visit.say("第一天"), visit.say("请选择一天")))
    if last is None or not visit.today <= last <= visit.today + LONGEST:
        faults.append(FieldFault("last", visit.say("最后一天"), visit.say("请选择今天起一年以内的一天")))
    elif first is not None and last < first:
        faults.append(FieldFault("last", visit.say("最后一天"), visit.say("不能早于第一天")))
    if not given.get("reason", "").strip():
        faults.append(FieldFault("reason", visit.say("理由"), visit.say("请写明理由")))
    if faults or first is None or last is None:
        raise FieldFaults(faults)
    reason, stand_in = given["reason"].strip()[:_LONGEST_REASON], given.get("stand_in", "").strip()
    return Away(login=login, first=first, last=last, reason=reason, stand_in=stand_in or None)


def end(visit: Visit, number: int) -> None:
    """Somebody at the visitor's units is not away any more.

    Raises:
        NotFound: If there is no such absence.
    """
    kept(visit, number)
    try:
        absences.end(visit.desk, number, visit.asks("absence_end"))
    except Unknown as problem:
        raise NotFound from problem


class OwnAbsence(NamedTuple):
    """Days on which the visitor is away; who told it and who stands in by name, empty where nobody else did."""

    first: date
    last: date
    teller: str
    reason: str
    stand_in: str


def own(visit: Visit) -> list[OwnAbsence]:
    """The visitor's days away that are not over."""
    rows = [one for one in store.of_person(visit.desk.connection, visit.login) if one.last >= visit.today]
    names = names_of(visit, {one for row in rows for one in (row.stand_in, row.told_by) if one})
    return [
        OwnAbsence(
            row.first, row.last, names.get(row.told_by or "", ""), row.reason or "", names.get(row.stand_in or "", "")
        )
        for row in rows
    ]
