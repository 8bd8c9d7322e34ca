"""The security administrators' resource of absences: who is away at one's units, and telling, changing, ending it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from console.access.programs import Scope
from console.api.administering import why_not
from console.api.answers import Words
from console.api.answers_administering import (
    AbsencesOut,
    ChangedAbsenceIn,
    ToldAbsenceIn,
    ToldAbsenceOut,
    ToldDaysIn,
)
from console.api.doors import ApiDoors, Call
from console.api.errands import Errand, Number, do_once, errand
from console.api.routes import Key
from console.web.admin import absences
from console.web.audiences import Audience
from engine.absences import TOLD

doors = ApiDoors()
SECURITY = Audience.SECURITY_ADMIN
After = Annotated[
    str, Query(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}\.[0-9]{1,15})?$", description="`next` of the page before")
]


@doors.door("GET", "/admin/absences", scope=Scope.READ, to=SECURITY)
def away(call: Call, after: After = "") -> AbsencesOut:
    """Who is away at one's units now and next, what waits, and where nobody else can act; by first day."""
    return _page(errand(call), after=after)


def _page(visit: Errand, refused: Sequence[Words] = (), after: str = "") -> AbsencesOut:
    day, _, number = after.partition(".")
    found = absences.page(visit, (day, int(number)) if after else absences.FIRST, absences.MOST + 1)
    shown = found[: absences.MOST]
    following = f"{shown[-1].one.first.isoformat()}.{shown[-1].one.id}" if len(found) > len(shown) else None
    return AbsencesOut(absences=[_told(one) for one in shown], refused=list(refused), next=following)


def _told(line: absences.Line) -> ToldAbsenceOut:
    one = line.one
    return ToldAbsenceOut(
        id=one.id, login=one.login, name=line.name, first=one.first.isoformat(), last=one.last.isoformat(),
        waiting=line.waiting, nobody_for=[f"{gap.unit} · {gap.role}" for gap in line.gaps], told_by=one.told_by,
        told_at=None if one.told_at is None else one.told_at.isoformat(), reason=one.reason,
    )  # fmt: skip


@doors.door("POST", "/admin/absences", scope=Scope.ADMIN, to=SECURITY)
def tell_absence(call: Call, wanted: ToldAbsenceIn, key: Key) -> AbsencesOut:
    """Tell that somebody else is away; a refusal is an answer with every reason."""
    visit = _errand(call, wanted, key)
    absences.tell(visit, wanted.login.strip())
    return _page(visit, why_not(visit, TOLD, call.own(key)))


@doors.door("POST", "/admin/absences/{number}", scope=Scope.ADMIN, to=SECURITY)
def change_absence(call: Call, number: Number, wanted: ChangedAbsenceIn, key: Key) -> AbsencesOut:
    """Say otherwise when somebody is away, and why; a refusal is an answer with every reason.

    `told_at` is that of the absence as it was read: where it was changed since, nothing is done (409).
    """
    visit = _errand(call, wanted, key, wanted.told_at)
    row = absences.kept(visit, number)
    absences.tell(visit, row.login, row)
    return _page(visit, why_not(visit, TOLD, call.own(key)))


@doors.door("POST", "/admin/absences/{number}/end", scope=Scope.ADMIN, to=SECURITY)
def end_absence(call: Call, number: Number, key: Key) -> AbsencesOut:
    """Somebody is not away any more."""
    visit = errand(call)
    do_once(call, "api:absence_end", key, lambda: absences.end(visit, number))
    return _page(visit)


def _errand(call: Call, wanted: ToldDaysIn, key: str, told_at: str | None = None) -> Errand:
    return errand(
        call, first=wanted.first, last=wanted.last, reason=wanted.reason, told_at=told_at, request=call.own(key)
    )
