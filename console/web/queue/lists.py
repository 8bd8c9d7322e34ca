"""已办, 我发起的, 抄送我的: what a person has decided and opened, and what they were told of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import Response

from console.web.queue.filtering import Which
from console.web.queue.open_case import lang_of
from console.web.queue.people import ROW, name_of, tone_of, words_of
from console.web.queue.view import midnight
from console.web.queue.wording import words_for
from console.web.visit import Visit
from engine.definition import Bilingual
from engine.records import case_number
from engine.store import desk_work
from engine.store.cases import Found, read_cases
from engine.store.desk_work import Deed
from engine.trail.event import EventKind, moment
from engine.urging import awaited

_PAGE = 50
_KINDS = {
    Which.DONE: (EventKind.MOVED.value, EventKind.SIGNED.value, EventKind.RETRACTED.value),
    Which.MINE: (EventKind.OPENED.value,),
}
_TAKEN_BACK = Bilingual(zh="撤回", en="Withdrawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing a person did, or was told.

    `what` is the step; `waits_for` are the titles of the roles the case waits for now; `may_withdraw` says that nobody
    has acted since and the definition lets it be taken back.
    """

    number: str
    seq: int
    name: str
    student_no: str
    words: tuple[str, ...]
    workflow: Bilingual
    what: Bilingual
    at: datetime | None
    state: Bilingual
    tone: str
    since: datetime
    waits_for: tuple[Bilingual, ...]
    may_withdraw: bool


def page(visit: Visit, which: Which, after: str) -> Response:
    """One page of what a person did or was told, the newest first."""
    lines, following = _copies(visit, after) if which is Which.COPIES else _deeds(visit, which, after)
    tally = desk_work.tally(visit.desk.connection, visit.login, midnight(visit), visit.at)
    address = f"/queue/{which.value}?after={following}" if following else ""
    return visit.page("queue/lines.html", q=words_for(visit), which=which, lines=lines, following=address, tally=tally)


def _deeds(visit: Visit, which: Which, after: str) -> tuple[list[Line], str]:
    deeds = desk_work.deeds_of(visit.desk.connection, visit.login, _KINDS[which], after, _PAGE + 1)
    page, rest = deeds[:_PAGE], deeds[_PAGE:]
    found = _found(visit, [one.case for one in page])
    lines = [_line(visit, found[one.case], one) for one in page if one.case in found]
    last = page[-1] if rest else None
    return lines, "" if last is None else f"{moment(last.at)}/{last.case}/{last.seq}"


def _copies(visit: Visit, after: str) -> tuple[list[Line], str]:
    copies = desk_work.copies_of(visit.desk.connection, visit.login, int(after) if after.isdecimal() else 0, _PAGE + 1)
    page, rest = copies[:_PAGE], copies[_PAGE:]
    found = _found(visit, [one.case for one in page])
    lines = [_line(visit, found[one.case], one) for one in page if one.case in found]
    return lines, str(page[-1].id) if rest else ""


def _found(visit: Visit, cases: Sequence[int]) -> dict[int, Found]:
    """The cases as far as the person may still know of them."""
    known = read_cases(visit.desk.connection, sorted(set(cases))) if cases else {}
    return {case: one for case, one in known.items() if visit.visible.sees(one.case)}


def _line(visit: Visit, found: Found, told: Deed | desk_work.Copy) -> Line:
    case, machine = found.case, visit.desk.machine(found.case.shape)
    state, roles = machine.definition.states.get(case.state), visit.desk.library.rulebook.organisation.roles
    deed = told if isinstance(told, Deed) else None
    return Line(
        number=case_number(case.id),
        seq=told.seq,
        name=name_of(found),
        student_no=found.student_no or "",
        words=tuple(words_of(machine, found, ROW, lang_of(visit))),
        workflow=machine.definition.title,
        what=_what(found, visit, told),
        at=None if deed is None else deed.at,
        state=Bilingual(zh="已撤销", en="Cancelled") if state is None else state.title,
        tone=tone_of(machine, case.state),
        since=datetime.fromisoformat(case.entered_at),
        waits_for=tuple(roles[one].title for one in awaited(machine, case.state) if one in roles),
        may_withdraw=deed is not None and _may_withdraw(found, visit, deed),
    )


def _what(found: Found, visit: Visit, told: Deed | desk_work.Copy) -> Bilingual:
    if not isinstance(told, Deed):
        return Bilingual(zh=told.message, en=told.message)
    if told.kind == EventKind.RETRACTED:
        return _TAKEN_BACK
    step = visit.desk.definition(found.case.shape).transitions.get(told.trigger)
    return Bilingual(zh=told.trigger, en=told.trigger) if step is None else step.title


def _may_withdraw(found: Found, visit: Visit, deed: Deed) -> bool:
    step = visit.desk.definition(found.case.shape).transitions.get(deed.trigger)
    is_last = found.case.head.seq == deed.seq and deed.kind != EventKind.RETRACTED
    return (
        is_last
        and step is not None
        and step.retractable
        and not visit.desk.machine(found.case.shape).is_final(found.case.state)
    )
