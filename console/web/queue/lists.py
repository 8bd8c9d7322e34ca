"""已办, 我发起的, 抄送我的: what a person has decided and opened, and what they were told of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from fastapi import Response

from console.web import forms
from console.web.cases.messages import called
from console.web.queue.filtering import Filter, Which
from console.web.queue.narrowing import value_words
from console.web.queue.open_case import lang_of
from console.web.queue.people import ROW, name_of, tone_of, words_of
from console.web.queue.view import midnight
from console.web.queue.wording import words_for
from console.web.visit import Visit
from engine.definition import Bilingual
from engine.records import case_number
from engine.store import desk_work
from engine.store.cases import Found, read_cases
from engine.store.copies import Copy, copies_of
from engine.store.desk_work import Deed, Within
from engine.trail.event import EventKind, moment
from engine.urging import awaited

_PAGE = 50
_KINDS = {
    Which.DONE: desk_work.DONE,
    Which.MINE: (EventKind.OPENED.value,),
}
_TAKEN_BACK = Bilingual(zh="撤回", en="Withdrawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing a person did, or was told.

    `what` is the step, or what the message is called; `sender` the colleague who sent a copy by hand, `note` what that
    one wrote; `is_read`: the person has opened the case since they were told.
    `waits_for` are the titles of the roles the case waits for now; `may_withdraw` says that nobody has acted since and
    the definition lets it be taken back.
    """

    number: str
    seq: int
    name: str
    student_no: str
    words: tuple[str, ...]
    workflow: Bilingual
    what: Bilingual
    at: datetime | None
    is_read: bool
    sender: str
    note: str
    state: Bilingual
    tone: str
    since: datetime
    waits_for: tuple[Bilingual, ...]
    may_withdraw: bool


def page(visit: Visit, which: Which, asked: Mapping[str, str]) -> Response:
    """One page of what a person did or was told, the newest first; of a unit and a day, where they are asked for."""
    lines, following = lines_of(visit, which, asked.get("after", ""), asked.get("unit", ""), asked.get("day", ""))
    tally = desk_work.tally(visit.desk.connection, visit.login, midnight(visit), visit.at)
    kept = {name: asked[name] for name in ("unit", "day") if asked.get(name)}
    address = f"/queue/{which.value}?{urlencode({**kept, 'after': following})}" if following else ""
    return visit.page(
        "queue/lines.html",
        q=words_for(visit),
        which=which,
        lines=lines,
        following=address,
        tally=tally,
        asked_query=urlencode(kept),
        narrowed=[value_words(visit, "unit", value) if name == "unit" else value for name, value in kept.items()],
    )


def lines_of(visit: Visit, which: Which, after: str, unit: str = "", day: str = "") -> tuple[list[Line], str]:
    """A page of it from where one before ended, and where the next begins; nothing on the last."""
    return _copies(visit, after) if which is Which.COPIES else _deeds(visit, _within(visit, which, unit, day), after)


def _within(visit: Visit, which: Which, unit: str, day: str) -> Within:
    """The deeds of a list; of one unit on one day only decisions, as they are counted there."""
    until = Filter(due=day).due_by
    known = visit.desk.units().get(unit)
    path = None if not unit else "" if known is None else known.path
    since = None if until is None else until - timedelta(days=1)
    return Within(desk_work.DECISIONS if which is Which.DONE and (unit or day) else _KINDS[which], path, since, until)


def _deeds(visit: Visit, within: Within, after: str) -> tuple[list[Line], str]:
    place = after if None not in map(forms.number, after.split("/")[1:]) else ""
    deeds = desk_work.deeds_of(visit.desk.connection, visit.login, within, place, _PAGE + 1)
    page, rest = deeds[:_PAGE], deeds[_PAGE:]
    found = _found(visit, [one.case for one in page])
    lines = [_line(visit, found[one.case], one) for one in page if one.case in found]
    last = page[-1] if rest else None
    return lines, "" if last is None else f"{moment(last.at)}/{last.case}/{last.seq}"


def _copies(visit: Visit, after: str) -> tuple[list[Line], str]:
    copies = copies_of(visit.desk.connection, visit.login, forms.number(after) or 0, _PAGE + 1)
    page, rest = copies[:_PAGE], copies[_PAGE:]
    found = _found(visit, [one.case for one in page])
    lines = [_line(visit, found[one.case], one) for one in page if one.case in found]
    return lines, str(page[-1].id) if rest else ""


def _found(visit: Visit, cases: Sequence[int]) -> dict[int, Found]:
    """The cases as far as the person may still know of them."""
    known = read_cases(visit.desk.connection, sorted(set(cases))) if cases else {}
    return {case: one for case, one in known.items() if visit.visible.sees(one.case)}


def _line(visit: Visit, found: Found, told: Deed | Copy) -> Line:
    case, machine = found.case, visit.desk.machine(found.case.shape)
    state, roles = machine.definition.states.get(case.state), visit.desk.library.rulebook.organisation.roles
    deed = told if isinstance(told, Deed) else None
    return Line(
        number=case_number(case.id),
        seq=told.seq,
        name=name_of(visit, found),
        student_no=found.student_no or "",
        words=tuple(words_of(machine, found, ROW, lang_of(visit))),
        workflow=machine.definition.title,
        what=_what(found, visit, told),
        at=told.at,
        is_read=not isinstance(told, Copy) or told.is_read,
        sender=told.sender if isinstance(told, Copy) else "",
        note=told.note if isinstance(told, Copy) else "",
        state=Bilingual(zh="已撤销", en="Cancelled") if state is None else state.title,
        tone=tone_of(machine, case.state),
        since=datetime.fromisoformat(case.entered_at),
        waits_for=tuple(roles[one].title for one in awaited(machine, case.state) if one in roles),
        may_withdraw=deed is not None and _may_withdraw(found, visit, deed),
    )


def _what(found: Found, visit: Visit, told: Deed | Copy) -> Bilingual:
    if not isinstance(told, Deed):
        return called(told.message)
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
