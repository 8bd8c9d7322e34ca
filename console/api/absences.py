"""The security administrators' resource of absences: who is away at one's units, and telling, changing, ending it.

To name who stands in lends them roles, so it wants a token made with a proof, as giving a role does.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.access.programs import Scope
from console.api.administering import why_not
from console.api.answers import Words
from console.api.answers_administering import AbsencesOut, ChangedAbsenceIn, ToldAbsenceIn, ToldAbsenceOut
from console.api.doors import ApiDoors, Call
from console.api.errands import Errand, Number, do_once, errand
from console.api.routes import Key
from console.web.admin import absences
from console.web.audiences import Audience
from engine.absences import TOLD

doors = ApiDoors()
SECURITY = Audience.SECURITY_ADMIN


@doors.door("GET", "/admin/absences", scope=Scope.READ, to=SECURITY)
def away(call: Call) -> AbsencesOut:
    """Who is away at one's units now and next, who stands in, what waits, and where nobody else can act."""
    return _page(errand(call))


def _page(visit: Errand, refused: Sequence[Words] = ()) -> AbsencesOut:
    return AbsencesOut(absences=[_told(one) for one in absences.page(visit)], refused=list(refused))


def _told(line: absences.Line) -> ToldAbsenceOut:
    one = line.one
    return ToldAbsenceOut(
        id=one.id, login=one.login, name=line.name, first=one.first.isoformat(), last=one.last.isoformat(),
        waiting=line.waiting, nobody_for=line.gaps, told_by=one.told_by,
        told_at=None if one.told_at is None else one.told_at.isoformat(), reason=one.reason, stand_in=one.stand_in,
    )  # fmt: skip


@doors.door("POST", "/admin/absences", scope=Scope.ADMIN, to=SECURITY)
def tell_absence(call: Call, wanted: ToldAbsenceIn, key: Key) -> AbsencesOut:
    """Tell that somebody else is away; a refusal is an answer with every reason. A stand-in wants a proved token."""
    visit = _errand(call, wanted, key)
    absences.tell(visit, wanted.login.strip())
    return _page(visit, why_not(visit, TOLD, call.own(key)))


@doors.door("POST", "/admin/absences/{number}", scope=Scope.ADMIN, to=SECURITY)
def change_absence(call: Call, number: Number, wanted: ChangedAbsenceIn, key: Key) -> AbsencesOut:
    """Say otherwise when somebody is away, why, and who stands in; a refusal is an answer with every reason."""
    visit = _errand(call, wanted, key)
    absences.tell(visit, absences.kept(visit, number).login, number)
    return _page(visit, why_not(visit, TOLD, call.own(key)))


@doors.door("POST", "/admin/absences/{number}/end", scope=Scope.ADMIN, to=SECURITY)
def end_absence(call: Call, number: Number, key: Key) -> AbsencesOut:
    """Somebody is not away any more; who stood in does so no longer."""
    visit = errand(call)
    do_once(call, "api:absence_end", key, lambda: absences.end(visit, number))
    return _page(visit)


def _errand(call: Call, wanted: ChangedAbsenceIn, key: str) -> Errand:
    return errand(
        call, first=wanted.first, last=wanted.last, reason=wanted.reason, stand_in=wanted.stand_in,
        request=call.own(key),
    )  # fmt: skip
