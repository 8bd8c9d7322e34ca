"""Looking at a case: who may know of it, what is kept of the look, and what the person sees of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

import orjson

from console.road_drawing import Inks
from console.web import forms
from console.web.audiences import Audience
from console.web.cases.masking import Eyes, eyes_of, veil_of
from console.web.cases.reading import Dossier, read_dossier
from console.web.cases.standing import Reader
from console.web.cases.view import CaseView, case_view
from console.web.charts import colour
from console.web.faults import NotFound
from console.web.presence import Presence
from console.web.visit import Visit
from engine.desk import Desk
from engine.expressions.kinds import Lang
from engine.looking_back import as_it_stood
from engine.records import Request
from engine.store import looks
from engine.store.cases import Found, read_case
from engine.store.past import event_at
from engine.viewing import CASE, VIEW, view_case


def inks() -> Inks:
    """The colours of the picture of a way, by the names of the token file."""
    return Inks(
        road=colour("primary"),
        on_road=colour("on-primary"),
        tint=colour("run-bg"),
        back=colour("return"),
        paper=colour("surface"),
        line=colour("line-2"),
        text=colour("ink"),
        quiet=colour("ink-2"),
    )


def lang_of(visit: Visit) -> Lang:
    """The language of the page."""
    return "en" if visit.lang == "en" else "zh"


def opened(visit: Visit, number: str, *, seq: int | None = None, is_part: bool = False) -> Found:
    """A case that somebody opens as a page; the look is kept, and an auditor's is an event of the case.

    That only a fragment is asked for says nothing: all of a page can be. With `is_part` it is what the open page of a
    case fetches. With `seq` it is looked at as it stood after that event.

    Raises:
        NotFound: If there is none, or not for this person.
    """
    found = visit.case(number)
    return part_looked_at(visit, found) if is_part else looked_at(visit, found, seq=seq)


def part_looked_at(visit: Presence, found: Found) -> Found:
    """The same case where only a part of its page, or one beside it, is asked for: an auditor's look alone is kept."""
    eyes = eyes_of(visit.actor, visit.desk.machine_for(found.case, {}), found.case)
    is_auditor = eyes is Eyes.AUDITOR or Audience.AUDITOR.admits(visit.actor)
    return looked_at(visit, found) if is_auditor else found


def looked_at(visit: Presence, found: Found, *, seq: int | None = None) -> Found:
    """The same case once it is kept that somebody looks at it, at a browser or through a program."""
    machine = visit.desk.machine_for(found.case, {})
    if eyes_of(visit.actor, machine, found.case) is Eyes.AUDITOR:
        as_of = None if seq is None else _moment_of(visit.desk, found, seq)
        view_case(visit.desk, found.case.id, visit.asks(f"{VIEW}:{CASE}"), as_of=as_of)
        return visit.case(found.case.number)
    connection = visit.desk.connection
    with connection.writing():
        looks.add_look(connection, looks.Look(visit.actor.login, found.case.id, visit.at))
    return found


def dossier_of(visit: Visit, found: Found) -> Dossier:
    """Everything there is to be shown of a case now."""
    return read_dossier(visit.desk, found, visit.at)


def reader_of(visit: Visit, dossier: Dossier, revealed: frozenset[str] = frozenset()) -> Reader:
    """Whoever reads the page, and what is seen of values."""
    eyes = eyes_of(visit.actor, dossier.machine, dossier.case)
    return Reader(actor=visit.actor, veil=veil_of(eyes, dossier.machine, revealed), lang=lang_of(visit))


def shown(visit: Visit, found: Found, revealed: frozenset[str] = frozenset()) -> CaseView:
    """The page of a case as it stands."""
    dossier = dossier_of(visit, found)
    return case_view(dossier, reader_of(visit, dossier, revealed), inks())


@contextmanager
def then(visit: Visit, found: Found, seq: int, at: datetime | None = None) -> Iterator[CaseView]:
    """The page of a case as it stood right after one of its events; `at` is its moment, where that has been read.

    Raises:
        NotFound: If the case has no such event.
    """
    at = at or _moment_of(visit.desk, found, seq)
    about = found.student_no or found.case.unit
    with as_it_stood(visit.desk, about, found.case.number, at) as past:
        before = read_case(past.desk.connection, past.case)
        if before is None:
            raise NotFound
        dossier = read_dossier(past.desk, before, at, names=visit.desk.connection)
        view = case_view(dossier, reader_of(visit, dossier), inks())
        yield replace(view, then=seq, lacking=past.lacking)


def _moment_of(desk: Desk, found: Found, seq: int) -> datetime:
    body = event_at(desk.connection, found.case.id, seq)
    if body is None:
        raise NotFound
    return datetime.fromisoformat(str(orjson.loads(body)["at"]))


def asked(visit: Visit, trigger: str, **fields: str) -> Request:
    """What a form of a case asks for: on the page the person saw, and once however often it is sent."""
    given = {name: value for name, value in fields.items() if value}
    seen = forms.number(visit.form.get("seen", ""))
    return visit.asks(trigger, given, seen=seen, request=visit.form.get("request") or None)
