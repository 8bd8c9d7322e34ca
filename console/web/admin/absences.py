"""Absences of colleagues at an administrator's units: who is away now and next, what waits, and telling it for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from unicodedata import normalize

from console.web import forms
from console.web.admin.delegations import Gap, gap, works
from console.web.admin.people import Person, person
from console.web.admin.scope import is_own, own_paths
from console.web.auditing.frame import names_of
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.lettering import long_day
from console.web.visit import Visit
from engine import absences
from engine.absences import LONGEST, LONGEST_REASON, Away
from engine.delegating import Refusal
from engine.errors import Unknown
from engine.records import Repeated, Sentence
from engine.repeating import once, refused_before
from engine.store import absences as store
from engine.store import administration, colleagues
from engine.store.absences import AbsenceRow
from engine.store.colleagues import Colleague
from engine.vacancies import vacancies

MOST = 200
"""So many absences are on a page."""
FIRST = ("", 0)
"""From the first on."""


class Line(NamedTuple):
    """An absence in words: who, at which of the visitor's units, and who told it.

    `waiting` is how many cases wait there for a role of the person, `gaps` which of these nobody can act in meanwhile.
    """

    one: AbsenceRow
    name: str
    unit: str
    is_now: bool
    teller: str
    waiting: int
    gaps: list[Gap]
    is_own: bool


class _Known(NamedTuple):
    """What the lines of a page are said with, by login; and where nobody can act."""

    names: Mapping[str, str]
    people: Mapping[str, Colleague]
    waiting: Mapping[str, int]
    gaps: Sequence[Gap]


class Form(NamedTuple):
    """An absence to be told, or changed: whose, and what stands in it.

    `seen` is when the absence was told that is changed, as text; empty for a new one, and where the person said it.
    """

    login: str
    name: str
    given: dict[str, str]
    number: int | None
    seen: str


def page(visit: Visit, after: tuple[str, int] = FIRST, most: int = MOST) -> list[Line]:
    """Who is away at the visitor's units, now or next: by first day, from after one of them on, so many at most.

    What nobody else can do is looked for as far as the last of these days.
    """
    connection, paths = visit.desk.connection, own_paths(visit)
    rows = store.at_units(connection, paths, visit.today, after, most)
    logins = sorted({row.login for row in rows})
    ahead = (max(row.last for row in rows) - visit.today).days + 1 if rows else 0
    found = vacancies(connection, paths, visit.at, ahead, works(visit)) if rows else []
    known = _Known(
        names=names_of(visit, {one for row in rows for one in (row.login, row.told_by) if one}),
        people=colleagues.by_login(connection, logins),
        waiting=administration.waiting_at(connection, logins, paths),
        gaps=[gap(visit, one) for one in found],
    )
    return [_line(visit, row, known) for row in rows]


def _line(visit: Visit, row: AbsenceRow, known: _Known) -> Line:
    grants = [one for one in known.people[row.login].actor.grants if is_own(visit, one.unit)]
    empty = {
        (gap.one.role, gap.one.path): gap
        for gap in known.gaps
        if gap.one.first <= row.last and row.first <= gap.one.last
        and any(gap.one.role == held.role and gap.one.path.startswith(held.path) for held in grants)
    }  # fmt: skip
    return Line(
        one=row,
        name=known.names[row.login],
        unit=visit.say("、").join(dict.fromkeys(visit.desk.units()[one.unit].name for one in grants)),
        is_now=row.first <= visit.today,
        teller=known.names.get(row.told_by or "", ""),
        waiting=known.waiting.get(row.login, 0),
        gaps=list(empty.values()),
        is_own=row.login == visit.login,
    )


def form(visit: Visit, login: str, row: AbsenceRow | None = None) -> Form:
    """The form about somebody's absence, empty, or with what is kept.

    Raises:
        NotFound: If nobody of the visitor's units has that login, it is the visitor, or the account is closed.
    """
    return Form(
        login=login,
        name=colleague(visit, login).name,
        given={} if row is None else {
            "first": row.first.isoformat(), "last": row.last.isoformat(), "reason": row.reason or "",
        },
        number=None if row is None else row.id,
        seen="" if row is None or row.told_at is None else row.told_at.isoformat(),
    )  # fmt: skip


def colleague(visit: Visit, login: str) -> Person:
    """Somebody else who works at the visitor's units and may sign in; the own absence is told at `/me/delegations`.

    Raises:
        NotFound: If there is nobody like that.
    """
    somebody = person(visit, login)
    if login == visit.login or not somebody.roles or somebody.is_disabled:
        raise NotFound
    return somebody


def kept(visit: Visit, number: int) -> AbsenceRow:
    """An absence, not over yet, of a colleague at the visitor's units.

    Raises:
        NotFound: If there is none.
    """
    row = store.absence(visit.desk.connection, number)
    if row is None or row.last < visit.today:
        raise NotFound
    colleague(visit, row.login)
    return row


def tell(visit: Visit, login: str, row: AbsenceRow | None = None) -> tuple[Sentence, ...]:
    """Keep what the form says of somebody's absence, new or otherwise than it was; every reason why not.

    Raises:
        FieldFaults: If something is missing or too long, or a day is out of reach.
        AbsenceChanged: If it is not as the form has seen it.
        NotFound: If nobody of the visitor's units has that login, it is the visitor, or the account is closed.
    """
    colleague(visit, login)
    away, seen = _away(visit, login, row), _seen(visit.form.get("told_at", ""))
    asked = visit.asks(absences.TOLD, request=visit.form.get("request") or None)
    desk = visit.desk
    answer: Refusal | Repeated = once(
        desk, absences.TOLD, asked,
        lambda told: absences.tell(desk, away, told)
        if row is None
        else absences.change(desk, row.id, away, seen, told),
    )  # fmt: skip
    if isinstance(answer, Repeated):
        return () if answer.moved else (refused_before(answer),)
    return tuple(one.sentence for one in answer)


def _seen(text: str) -> datetime | None:
    """When the absence was told that the form was about; what is no moment is none that anything was told at."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _away(visit: Visit, login: str, row: AbsenceRow | None) -> Away:
    given = visit.form
    first, last = (forms.day(given.get(name, "")) for name in ("first", "last"))
    start = absences.earliest(visit.today, row)
    reason = normalize("NFC", " ".join(given.get("reason", "").split()))
    faults = []
    if first is None or first < start:
        from_day = visit.say("请选择{day}或以后的一天", day=long_day(start, visit.lang))
        faults.append(FieldFault("first", visit.say("第一天"), from_day))
    if last is None or not visit.today <= last <= visit.today + LONGEST:
        faults.append(FieldFault("last", visit.say("最后一天"), visit.say("请选择今天起一年以内的一天")))
    elif first is not None and last < first:
        faults.append(FieldFault("last", visit.say("最后一天"), visit.say("不能早于第一天")))
    if not reason:
        faults.append(FieldFault("reason", visit.say("理由"), visit.say("请写明理由")))
    elif len(reason) > LONGEST_REASON:
        too_long = visit.say("最多 {n} 字，现有 {m} 字", n=LONGEST_REASON, m=len(reason))
        faults.append(FieldFault("reason", visit.say("理由"), too_long))
    if faults or first is None or last is None:
        raise FieldFaults(faults)
    return Away(login=login, first=first, last=last, reason=reason)


def end(visit: Visit, number: int) -> None:
    """Somebody at the visitor's units is not away any more.

    Raises:
        NotFound: If there is no such absence, or it is over.
    """
    kept(visit, number)
    _end(visit, number)


def _end(visit: Visit, number: int) -> None:
    try:
        absences.end(visit.desk, number, visit.asks("absence_end"))
    except Unknown as problem:
        raise NotFound from problem


class OwnAbsence(NamedTuple):
    """Days on which the visitor is away; who told it by name, and why, empty where nobody else did."""

    number: int
    first: date
    last: date
    teller: str
    reason: str
    is_now: bool


def own(visit: Visit) -> list[OwnAbsence]:
    """The visitor's days away that are not over."""
    rows = [one for one in store.of_person(visit.desk.connection, visit.login) if one.last >= visit.today]
    names = names_of(visit, {row.told_by for row in rows if row.told_by})
    return [
        OwnAbsence(
            row.id, row.first, row.last, names.get(row.told_by or "", ""), row.reason or "", row.first <= visit.today
        )
        for row in rows
    ]


def end_own(visit: Visit, number: int) -> None:
    """The visitor is not away on the days of one of the own absences, now or to come.

    Raises:
        NotFound: If there is no such absence, it is over, or it is another's.
    """
    if all(one.number != number for one in own(visit)):
        raise NotFound
    _end(visit, number)
