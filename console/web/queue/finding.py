"""Finding a student or a case by exactly what is typed, which may be a person's number: it stands in no address."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from fastapi import Response

from console.access.tokens import hash_of
from console.web.faults import NotFound
from console.web.queue.open_case import lang_of
from console.web.queue.people import ROW, name_of, tone_of, words_of
from console.web.queue.wording import words_for
from console.web.visit import Visit
from engine.definition import CANCELLED, Bilingual
from engine.records import case_of
from engine.store import desk_work
from engine.store.cases import Found, read_case, read_cases
from engine.store.desk_work import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One case that was found."""

    number: str
    name: str
    student_no: str
    words: tuple[str, ...]
    workflow: Bilingual
    state: Bilingual
    tone: str
    entered_at: datetime


def find(visit: Visit, typed: str) -> Response:
    """Search, and go to the case, or to the list of what was found."""
    found = search(visit, " ".join(typed.split()))
    if len(found.cases) == 1:
        [case] = found.cases
        known = read_case(visit.desk.connection, case)
        if known is not None:
            return visit.go(f"/cases/{known.case.number}")
    handle = secrets.token_urlsafe(12)
    connection = visit.desk.connection
    with connection.writing():
        desk_work.keep_finding(connection, handle, _session(visit), found, visit.at)
    return visit.go(f"/find/{handle}")


def search(visit: Visit, typed: str) -> Finding:
    """The cases the person may know of that exactly this names: a number, a student, a name; an auditor's is kept."""
    visit.leaves_trace("find")
    connection = visit.desk.connection
    case = case_of(typed.replace("-", ""))
    known = None if case is None else read_case(connection, case)
    if known is not None and visit.visible.sees(known.case):
        return Finding("number", (known.case.id,))
    return desk_work.cases_named(connection, typed, visit.visible.where("c")) if typed else Finding("nothing", ())


def page(visit: Visit, handle: str) -> Response:
    """What a search found.

    Raises:
        NotFound: If this session has not searched under that handle.
    """
    return visit.page("queue/found.html", q=words_for(visit), hits=hits_of(visit, handle), handle=handle)


def hits_of(visit: Visit, handle: str) -> list[Hit]:
    """What a search found, as far as it may still be known.

    Raises:
        NotFound: If this session has not searched under that handle.
    """
    found = desk_work.finding(visit.desk.connection, handle, _session(visit))
    if found is None:
        raise NotFound
    visit.leaves_trace("find")
    known = read_cases(visit.desk.connection, list(found.cases)) if found.cases else {}
    seen = [known[case] for case in found.cases if case in known and visit.visible.sees(known[case].case)]
    return [_hit(visit, one) for one in seen]


def _hit(visit: Visit, found: Found) -> Hit:
    machine, case = visit.desk.machine(found.case.shape), found.case
    state = machine.definition.states.get(case.state)
    return Hit(
        number=case.number,
        name=name_of(visit, found),
        student_no=found.student_no or "",
        words=tuple(words_of(machine, found, ROW, lang_of(visit))),
        workflow=machine.definition.title,
        state=Bilingual(zh="已撤销", en="Cancelled") if state is None or case.state == CANCELLED else state.title,
        tone=tone_of(machine, case.state),
        entered_at=datetime.fromisoformat(case.entered_at),
    )


def _session(visit: Visit) -> str:
    return "" if visit.session is None else hash_of(visit.session.family)
