"""Handing in: a file is put on a case, or taken off it again, by somebody who works on such cases.

Rule 1: what does not fit is refused with every reason at once, and the refusal is an event of the case.
Rule 2: no file name stands in the trail in clear: it is named after people.

Source: the definition language, sections 5 (needs) and 12 (Document); requirements.md 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from engine import lanes
from engine.actors import Grant
from engine.casework import answered, as_seen
from engine.definition import Privacy, Transition, Who
from engine.desk import Desk
from engine.documents import Upload, asked_by, document_of, hear_file, of_kind, titled
from engine.errors import NotAllowed, StaleCase, Unknown
from engine.records import Case, Head, Json, Outcome, Refused, Repeated, Request, Verdict
from engine.rights import right_at
from engine.settling import cause_of, settle
from engine.sight import Seeing
from engine.steps import Machine
from engine.store import documents
from engine.store.cases import Found, Keeping, Sealed, extend, keep, read_case
from engine.store.database import INTEGRITY_ERRORS
from engine.store.documents import DocumentRow
from engine.trail.chain import commitment
from engine.trail.event import EventKind, canonical, moment
from engine.vocabulary import Document

_NOBODY = frozenset({"effect", "timer", "members"})
"""Roles that no person acts in."""

ATTACH, WITHDRAW = "attach", "withdraw"
"""What the trail calls the two acts, before a colon and the document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """The file is on the case: the case as it stands now, and the document."""

    case: Case
    document: DocumentRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """The document is off the case: the case as it stands now, and the document as it was."""

    case: Case
    document: DocumentRow


class _Handling(NamedTuple):
    """One file on its way onto or off a case."""

    desk: Desk
    machine: Machine
    found: Found
    request: Request
    sight: Seeing
    kind: str
    trigger: str
    grant: Grant


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What is said of a file: the words of its rules, what refuses, what was seen, open and personal."""

    said: Mapping[str, Json] = field(default_factory=dict)
    blocked: tuple[Verdict, ...] = ()
    refusing: tuple[Verdict, ...] = ()
    seen: Mapping[str, Json] = field(default_factory=dict)
    personal: Mapping[str, Json] = field(default_factory=dict)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Everything that stands in the way: the document's rules first, then the engine's own."""
        return (*self.refusing, *self.blocked)


def attach(desk: Desk, case: int, kind: str, upload: Upload, request: Request) -> Attached | Refused | Repeated:
    """Put a file on a case as one of its documents, or answer why not.

    The case's revision rises, so a page that was open before does not decide without having seen the file.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        kind: The document it is handed in as, such as `E-IC-ID`.
        upload: The file, looked at.
        request: By whom and when; with `seen`, it is refused when the case has changed since.

    Returns:
        `Attached`, `Refused` with every reason, or, for a request that came before, its first answer.

    Raises:
        Unknown: If there is no such case or no such document.
        NotAllowed: If the person takes no part in such cases at the case's unit.
        StaleCase: If the case has changed since it was seen.
    """
    try:
        with desk.connection.writing():
            handling = _handling(desk, case, f"{ATTACH}:{kind}", request)
            return _attach(handling, upload)
    except (StaleCase, *INTEGRITY_ERRORS):
        repeated = answered(desk, request)
        if repeated is None:
            raise
        return repeated


def withdraw_document(desk: Desk, case: int, seq: int, request: Request) -> Withdrawn | Refused | Repeated:
    """Take an uploaded document off a case; row, bytes and events stay.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        seq: The event that brought the document.
        request: By whom, when, and the `reason`.

    Raises:
        Unknown: If there is no such case, or no uploaded document of that number on it.
        NotAllowed, StaleCase: As `attach`.
    """
    try:
        with desk.connection.writing():
            documents.lock_case(desk.connection, case)
            on_case = documents.of_case(desk.connection, case)
            row = next((one for one in on_case if one.seq == seq and one.sha256 is not None), None)
            if row is None:
                raise Unknown("材料序号 document number", str(seq), [str(one.seq) for one in on_case if one.sha256])
            return _withdraw(_handling(desk, case, f"{WITHDRAW}:{row.kind}", request), row)
    except (StaleCase, *INTEGRITY_ERRORS):
        repeated = answered(desk, request)
        if repeated is None:
            raise
        return repeated


def _handling(desk: Desk, case: int, trigger: str, request: Request) -> _Handling:
    """The case with nobody else at it, and the person's part in it."""
    documents.lock_case(desk.connection, case)
    found = as_seen(desk, case, request)
    machine = desk.machine_for(found.case, {})
    kind = trigger.partition(":")[2]
    document_of(machine, kind)
    sight = Seeing(desk, machine, found, request)
    grant = part_in(machine, found.case, request, trigger, sight)
    return _Handling(desk, machine, found, request, sight, kind, trigger, grant)


def part_in(machine: Machine, case: Case, request: Request, trigger: str, sight: Seeing) -> Grant:
    """The right by which a person handles papers of a case: any part in such cases, by step or by signature."""
    everyone = [who for one in machine.definition.transitions.values() for who in _who(one)]
    for who in everyone:
        place = (case.unit, case.path) if who.at is None else sight.place(who.at)
        stands = None if place is None else right_at(who, (who.acting_role,), place, case, request)
        if stands is not None and stands.barred is None:
            return stands.grant
    roles = dict.fromkeys(who.acting_role for who in everyone if who.role not in _NOBODY)
    raise NotAllowed(request.actor.login, trigger, roles, case.unit)


def _who(one: Transition) -> Iterator[Who]:
    yield from one.by
    yield from one.sign.slots.values() if one.sign else ()


def _attach(handling: _Handling, upload: Upload) -> Attached | Refused:
    desk, machine, found, _, sight, kind, *_ = handling
    on_case = documents.of_case(desk.connection, found.case.id)
    hearing = hear_file(machine, kind, upload.looks, sight.see)
    names = _personal(machine, hearing.seen)
    heard = _Heard(
        said=hearing.said,
        blocked=tuple(_blocked(handling, document_of(machine, kind), upload, of_kind(on_case, kind))),
        refusing=hearing.refusing,
        seen={key: value for key, value in hearing.seen.items() if key not in names},
        personal={
            **{key: hearing.seen[key] for key in names},
            **{f"file.{name}": value for name, value in upload.personal_looks.items()},
        },
    )
    file: dict[str, Json] = {"sha256": upload.sha256, **upload.open_looks}
    data: dict[str, Json] = {"document": kind, "file": file}
    if heard.verdicts:
        return _refuse(handling, heard, data)
    case = _change(handling, EventKind.EVIDENCE_ADDED, heard, data)
    documents.add_file(desk.connection, upload.sha256, upload.body)
    row = DocumentRow(case=case.id, seq=case.head.seq, kind=kind, sha256=upload.sha256, looks=upload.looks)
    documents.add(desk.connection, [row])
    return Attached(case=_settled(handling, case), document=row)


def _withdraw(handling: _Handling, row: DocumentRow) -> Withdrawn | Refused:
    machine, request = handling.machine, handling.request
    blocked = list(_closed(handling))
    if not request.fields.get("reason"):
        blocked.append(machine.engine_verdict("asked-missing", field=machine.title("case.reason")))
    heard = _Heard(blocked=tuple(blocked))
    data: dict[str, Json] = {"document": row.kind, "added": row.seq}
    if heard.verdicts:
        return _refuse(handling, heard, data)
    case = _change(handling, EventKind.EVIDENCE_WITHDRAWN, heard, data)
    documents.withdraw(handling.desk.connection, row)
    return Withdrawn(case=_settled(handling, case), document=row)


def _settled(handling: _Handling, case: Case) -> Case:
    """The case after its deadlines, where they ask for documents, have been settled or have started again."""
    desk = handling.desk
    cause = cause_of(case.id, case.head.seq)
    lanes.settle(desk, [case.id], handling.request)
    if not settle(desk, {case.id: cause}, handling.request, lambda watch: watch.documents):
        return case
    found = read_case(desk.connection, case.id)
    return case if found is None else found.case


def _blocked(handling: _Handling, document: Document, upload: Upload, there: list[DocumentRow]) -> Iterator[Verdict]:
    """What the engine itself asks of a file, whatever the document's rules say."""
    machine = handling.machine
    what = titled(document.title)
    if handling.kind not in asked_by(machine):
        yield machine.engine_verdict("document-not-asked", what=what, workflow=machine.definition.title.zh)
    if not document.file:
        yield machine.engine_verdict("document-made", what=what)
    elif upload.kind not in document.file:
        yield machine.engine_verdict("wrong-file", what=what, found=upload.kind, kinds="、".join(document.file))
    if document.count is not None and len(there) >= document.count:
        yield machine.engine_verdict("too-many-files", what=what, count=str(document.count))
    if any(one.sha256 == upload.sha256 for one in there):
        yield machine.engine_verdict("file-there", what=what)
    yield from _closed(handling)


def _closed(handling: _Handling) -> Iterator[Verdict]:
    """A case that has ended keeps its papers as they are."""
    machine, state = handling.machine, handling.found.case.state
    if machine.is_final(state):
        yield machine.engine_verdict("case-ended", state=state)


def _personal(machine: Machine, seen: Mapping[str, Json]) -> list[str]:
    """The keys whose values must not stand in an event: personal facts, and personal fields of the case."""
    privacy = {name: fact.privacy for name, fact in machine.book.vocabulary.student.items()}
    privacy |= {f"case.{name}": one.privacy for name, one in machine.definition.fields.items()}
    return [key for key in seen if privacy.get(key, Privacy.OPEN) is not Privacy.OPEN]


def _refuse(handling: _Handling, heard: _Heard, data: dict[str, Json]) -> Refused:
    desk, _, found, *_ = handling
    outcomes = {word: {one.id for one in heard.verdicts if one.outcome is word} for word in Outcome}
    data |= {
        "engine": [one.rule for one in heard.blocked],
        "failed": sorted(outcomes[Outcome.FAILS]),
        "undecided": sorted(outcomes[Outcome.UNDECIDED]),
    }
    event = _event(handling, heard, data)
    sealed = _seal(desk, heard, data)
    written = desk.scribe.write(found.case.id, found.case.head, EventKind.REFUSED, event)
    if not extend(desk.connection, found.case, written, sealed):
        raise StaleCase(found.case.number, found.case.revision)
    return Refused(
        trigger=handling.trigger,
        case=found.case,
        verdicts=heard.verdicts,
        event=event,
        data=data,
        sealed=heard.personal,
    )


def _change(handling: _Handling, kind: EventKind, heard: _Heard, data: dict[str, Json]) -> Case:
    """The event, and the case with its revision risen: pages open since before are out of date."""
    desk, _, found, *_ = handling
    event = _event(handling, heard, data)
    sealed = _seal(desk, heard, data)
    written = desk.scribe.write(found.case.id, found.case.head, kind, event)
    after = found.case._replace(revision=found.case.revision + 1, head=Head(seq=written.seq, hash=written.hash))
    if not keep(desk.connection, Keeping(before=found.case, after=after, event=written, sealed=sealed)):
        raise StaleCase(found.case.number, found.case.revision)
    return after


def _event(handling: _Handling, heard: _Heard, data: dict[str, Json]) -> dict[str, Json]:
    """What every answered request leaves in the trail: by whom, as whom, under which rules, what they said and saw."""
    request, machine = handling.request, handling.machine
    data |= {"trigger": handling.trigger, "from": handling.found.case.state}
    if heard.said:
        data["verdicts"] = heard.said
    if heard.seen:
        data["seen"] = heard.seen
    if "reason" in request.fields:
        data["reason"] = request.fields["reason"]
    event: dict[str, Json] = {
        "at": moment(request.at),
        "actor": request.actor.login,
        "role": handling.grant.role,
        "unit": handling.grant.unit,
        "definition": machine.shape,
        "rulebook": machine.rulebook,
        "data": data,
    }
    if request.id is not None:
        event["request"] = request.id
    return event


def _seal(desk: Desk, heard: _Heard, data: dict[str, Json]) -> Sealed | None:
    """Put the commitment to the personal values into the event, and return what opens it."""
    if not heard.personal:
        return None
    sealed = Sealed(salt=desk.salt(), body=canonical(heard.personal))
    data["sealed"] = commitment(sealed.salt, sealed.body)
    return sealed
