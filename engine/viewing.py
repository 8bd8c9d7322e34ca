"""Looking: documents and personal values are handed out only by right, and only once the trail keeps who looked.

Rule 1: nothing else hands them out, so nobody reads a file, or a value in full, without an event of its case.
Rule 2: a look changes nothing: the revision stays, and pages that are open stay good.

Source: requirements.md INV-ACC-1 (S001-E-4, S001-H-2.3).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from engine.actors import Grant
from engine.attaching import part_in
from engine.casework import as_seen
from engine.definition import Privacy, Who
from engine.delegating import LOOKS_AFTER_PEOPLE
from engine.desk import Desk
from engine.documents import document_of
from engine.errors import ContentsErased, NotAllowed, StaleCase, Unknown, Unreadable
from engine.expressions.kinds import SHANGHAI
from engine.keeping import barred_event, write_event
from engine.records import Case, Json, Request
from engine.rights import right_at
from engine.sight import Seeing
from engine.steps import Machine
from engine.store import documents, looks, registry
from engine.store.cases import extend, hold_case, write_told
from engine.store.documents import DocumentRow
from engine.store.people import PERSON
from engine.store.urgings import UrgedKey, add_urged
from engine.trail.event import EventKind, Written, canonical, moment

VIEW = "view"
"""What the trail calls the act, before a colon and the document."""
CASE = "case"
"""What stands for the case as a whole where a document is named."""
FACTS = "facts"
"""What stands for personal values where a document is named."""
REVEALED_OFTEN = "revealed_often"
"""The message to those who look after people."""
MANY_REVEALS = 30
"""So many personal values are shown to one person within an hour before somebody is told."""
_LONGEST = 200
_AUDITOR = Who(role="auditor")
"""Takes part in no case and may look at all of them, at the own unit and below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewed:
    """A document somebody was shown: as it is kept with its case, and its bytes."""

    document: DocumentRow
    body: bytes


class Purpose(StrEnum):
    """What somebody wants to see a personal value for; `OTHER` is said in words."""

    CHECK = "check"
    CONTACT = "contact"
    AUDIT = "audit"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What a personal value is wanted for, and what there is to say about it."""

    purpose: Purpose
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """Personal values somebody was shown in full, and how often the person has asked within the last hour."""

    values: Mapping[str, Json]
    in_last_hour: int


def view(desk: Desk, case: int, kind: str, seq: int, request: Request) -> Viewed:
    """Show somebody a document of a case; every look is an event of the case, repeated or not.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        kind: The document, such as `E-IC-ID`.
        seq: The event that brought it; a step may bring several documents, each of its own kind.
        request: By whom and when; its `id` is not kept, for to look again is another look.

    Returns:
        The document and its bytes: the file as it was handed in, or the canonical JSON of a form made here.

    Raises:
        Unknown: If there is no such case, no such document, or none of that number on the case.
        NotAllowed: If the person neither takes part in such cases at the case's unit nor is an auditor there or
            above; the case keeps that it was asked.
        ContentsErased: If what was in the document has been erased; there was nothing to look at.
        StaleCase: If the case has changed since it was seen.
    """
    asked = replace(request, trigger=f"{VIEW}:{kind}")
    with desk.connection.writing():
        hold_case(desk.connection, case)
        found = as_seen(desk, case, asked)
        machine = desk.machine_for(found.case, {})
        document_of(machine, kind)
        try:
            grant = _right(machine, found.case, asked, Seeing(desk, machine, found, asked))
        except NotAllowed as problem:
            barred = problem
            _add(desk, machine, found.case, EventKind.REFUSED, barred_event(found.case.state, asked, problem))
        else:
            viewed = _shown(desk, case, kind, seq)
            _add(desk, machine, found.case, EventKind.VIEWED, _event(viewed.document, grant, asked))
            _note_look(desk, case, asked, f"{looks.PAPER}{kind}")
            return viewed
    raise barred


def view_case(desk: Desk, case: int, request: Request, *, as_of: datetime | None = None) -> bool:
    """Keep that an auditor looked at a case as a whole (`view:case`); whoever else looks leaves no event.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        request: By whom and when.
        as_of: The moment the case was shown as of, where that was not the present.

    Returns:
        Whether the look was an auditor's, and is kept.

    Raises:
        Unknown: If there is no such case.
        StaleCase: If the case has changed meanwhile.
    """
    asked = replace(request, trigger=f"{VIEW}:{CASE}")
    with desk.connection.writing():
        hold_case(desk.connection, case)
        found = as_seen(desk, case, asked)
        place = (found.case.unit, found.case.path)
        stands = right_at(_AUDITOR, (_AUDITOR.role,), place, found.case, asked)
        if stands is None or stands.barred is not None:
            return False
        data: dict[str, Json] = {"trigger": asked.trigger}
        if as_of is not None:
            data["as_of"] = moment(as_of)
        event = _said(stands.grant, asked, data)
        _add(desk, desk.machine_for(found.case, {}), found.case, EventKind.VIEWED, event)
        _note_look(desk, case, asked, looks.AUDIT)
    return True


def reveal(desk: Desk, case: int, names: Iterable[str], why: Reason, request: Request) -> Revealed:
    """Show somebody personal values of the case's student in full; each time is an event of the case.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        names: Facts of the vocabulary that are personal or secret.
        why: What for; the trail keeps it in clear.
        request: By whom and when.

    Raises:
        Unknown: If there is no such case, it is about no student, or a name is none of a personal fact.
        Unreadable: If the purpose has to be said and is not, or is too long.
        NotAllowed: As `view`.
        StaleCase: If the chain has grown meanwhile.
    """
    asked, note = replace(request, trigger=f"{VIEW}:{FACTS}"), _note(why)
    with desk.connection.writing():
        hold_case(desk.connection, case)
        found = as_seen(desk, case, asked)
        machine = desk.machine_for(found.case, {})
        wanted = _personal(machine, found.case, names)
        try:
            grant = _right(machine, found.case, asked, Seeing(desk, machine, found, asked))
        except NotAllowed as problem:
            barred = problem
            _add(desk, machine, found.case, EventKind.REFUSED, barred_event(found.case.state, asked, problem))
        else:
            told: dict[str, Json] = {"trigger": asked.trigger, "revealed": wanted, "purpose": why.purpose.value}
            event = _said(grant, asked, {**told, "reason": note} if note else told)
            written = _add(desk, machine, found.case, EventKind.VIEWED, event)
            _note_look(desk, case, asked, "/".join(filter(None, (f"{looks.REVEAL}{why.purpose}", note))))
            often = looks.reveals(desk.connection, request.actor.login, request.at - timedelta(hours=1))
            if often > MANY_REVEALS:
                _alarm(desk, found.case, written, asked)
            return Revealed(values={name: found.facts.get(name) for name in wanted}, in_last_hour=often)
    raise barred


def _note_look(desk: Desk, case: int, request: Request, purpose: str) -> None:
    looks.add_look(desk.connection, looks.Look(request.actor.login, case, request.at, purpose))


def _alarm(desk: Desk, case: Case, written: Written, request: Request) -> None:
    """Tell those who look after people at the case's unit that somebody is shown much; once an hour of the clock."""
    who = request.actor.login
    hour = f"{request.at.astimezone(SHANGHAI):%Y-%m-%dT%H}"
    key = UrgedKey(f"{PERSON}{who}", LOOKS_AFTER_PEOPLE, REVEALED_OFTEN)
    if add_urged(desk.connection, key, hour, moment(request.at), who):
        heads = registry.holders(desk.connection, LOOKS_AFTER_PEOPLE, case.path)
        write_told(desk.connection, [(written, [(f"{PERSON}{one}", REVEALED_OFTEN) for one in heads], None)])


def _note(why: Reason) -> str:
    note = unicodedata.normalize("NFC", why.note.strip())
    if len(note) > _LONGEST or (why.purpose is Purpose.OTHER and not note):
        raise Unreadable("说明 note", note[:_LONGEST], f"1 至 {_LONGEST} 字 1 to {_LONGEST} characters")
    return note


def _personal(machine: Machine, case: Case, names: Iterable[str]) -> list[str]:
    """The names, sorted, if each is a personal fact."""
    vocabulary = machine.book.vocabulary.student
    known = [name for name, fact in vocabulary.items() if fact.privacy is not Privacy.OPEN]
    for name in names:
        if name not in known or case.student is None:
            raise Unknown("个人信息项 personal fact", name, known)
    return sorted(set(names))


def _right(machine: Machine, case: Case, request: Request, sight: Seeing) -> Grant:
    """The right by which a person looks: whose own case it is, any part in such cases, else the auditor's."""
    if request.actor.is_student(case.student):
        return Grant(role="student", unit=case.unit, path=case.path)
    try:
        return part_in(machine, case, request, request.trigger, sight)
    except NotAllowed as problem:
        stands = right_at(_AUDITOR, (_AUDITOR.role,), (case.unit, case.path), case, request)
        if stands is None or stands.barred is not None:
            roles = (*problem.roles, _AUDITOR.role)
            raise NotAllowed(problem.login, problem.trigger, roles, problem.unit) from problem
        return stands.grant


def _shown(desk: Desk, case: int, kind: str, seq: int) -> Viewed:
    of_kind = [row for row in documents.of_case(desk.connection, case) if row.kind == kind]
    row = next((one for one in of_kind if one.seq == seq), None)
    if row is None:
        raise Unknown("材料序号 document number", str(seq), [str(one.seq) for one in of_kind])
    if row.sha256 is None:
        if row.made is None:
            raise ContentsErased(kind, seq)
        return Viewed(document=row, body=canonical(row.made))
    body = documents.file_body(desk.connection, row.sha256)
    assert body is not None  # noqa: S101 a foreign key keeps the file as long as a document names it
    if not body:
        raise ContentsErased(kind, seq)
    return Viewed(document=row, body=body)


def _event(row: DocumentRow, grant: Grant, request: Request) -> dict[str, Json]:
    """Who looked in what right, at which document: its kind, the event that brought it, and the hash of its bytes."""
    data: dict[str, Json] = {
        "trigger": request.trigger,
        "document": row.kind,
        "added": row.seq,
        "sha256": row.sha256 or row.looks["sha256"],
    }
    return _said(grant, request, data)


def _said(grant: Grant, request: Request, data: dict[str, Json]) -> dict[str, Json]:
    event: dict[str, Json] = {
        "at": moment(request.at),
        "actor": request.actor.login,
        "role": grant.role,
        "unit": grant.unit,
        "data": data,
    }
    if grant.giver is not None:
        event["delegation"] = {"by": grant.giver, "why": grant.reason, "until": grant.until}
    return event


def _add(desk: Desk, machine: Machine, case: Case, kind: EventKind, event: dict[str, Json]) -> Written:
    """One event more on the chain of a case that stays as it is."""
    written = write_event(desk, machine, case, kind, event)
    if not extend(desk.connection, case, written):
        raise StaleCase(case.number, case.revision)
    return written
