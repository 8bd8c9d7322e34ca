"""Work beside the steps of a case: its documents, passing it on, reminding, remarks, signers; what is due when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Annotated

from fastapi import File, Form, Path, Query, Response, UploadFile
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from console.access.programs import Scope
from console.api.answers import verdict, words
from console.api.answers_working import (
    ActOut,
    CommentIn,
    CopyIn,
    DelegationIn,
    DocumentOut,
    DueOut,
    DuesOut,
    HandingOverIn,
    ReminderIn,
    SignerIn,
    WithdrawalIn,
)
from console.api.doors import ApiDoors, Bytes, Call
from console.api.errands import Word
from console.api.routes import Key, Limit, Number
from console.documents import ids
from console.web.audiences import Audience
from console.web.cases.evidence import Named, to_be_saved
from console.web.cases.looking import part_looked_at
from console.web.faults import FileRefused, NotFound
from engine.attaching import Attached, Withdrawn, attach, withdraw_document
from engine.casework import answered
from engine.commenting import comment
from engine.copying import COPY, send_copy
from engine.delegating import Mandate, Refusal, delegate_case, hand_over
from engine.documents import document_of
from engine.errors import Unknown, Unreadable
from engine.expressions.kinds import SHANGHAI
from engine.records import Json, Outcome, Refused, Repeated, Request, Verdict
from engine.repeating import once
from engine.signers import add_signer, drop_signer
from engine.steps import Machine
from engine.store import deadlines, documents
from engine.store.cases import Found, read_case
from engine.store.deadlines import Listed, Place, Row
from engine.store.documents import DocumentRow
from engine.urging import urge
from engine.viewing import VIEW, view
from exchange.evidence import MOST_BYTES, inspect
from exchange.evidence import FileRefused as Unfit

doors = ApiDoors()
_LONGEST_LOAN = 366
"""Days."""
Seq = Annotated[int, Path(ge=1, le=2**53 - 1, description="The event that brought the document")]
Kind = Annotated[str, Path(max_length=100, description="The document, such as `E-IC-ID`")]
AfterRow = Annotated[
    str,
    Query(pattern=r"^([0-9TZ:.-]{4,32}~[0-9]{1,15}~[A-Za-z0-9_.-]{1,100})?$", description="`next` of the page before"),
]
_Revision = Annotated[int, Field(ge=0, le=2**53 - 1)]
Seen = Annotated[_Revision | SkipJsonSchema[None], Form(description="The revision at which the case was seen")]


def _asks(call: Call, act: str, key: str, seen: int | None, **fields: Json) -> Request:
    """What a program asks for."""
    return call.asks(act, fields, seen=seen, request=call.own(key))


def _done(call: Call, found: Found, answer: Refusal | Refused | Repeated | Attached | Withdrawn) -> ActOut:
    """What became of an act; a refusal is an answer with every reason."""
    now = read_case(call.desk.connection, found.case.id) or found
    said: tuple[Verdict, ...] = ()
    if isinstance(answer, Refused):
        said = answer.verdicts
    elif isinstance(answer, tuple):
        said = answer
    is_repeated = isinstance(answer, Repeated)
    return ActOut(
        number=found.case.number,
        done=answer.moved if isinstance(answer, Repeated) else not said,
        repeated=is_repeated,
        revision=now.case.revision,
        seq=answer.document.seq if isinstance(answer, Attached) else None,
        failed=list(answer.failed) if isinstance(answer, Repeated) else ids(said, Outcome.FAILS),
        undecided=list(answer.undecided) if isinstance(answer, Repeated) else ids(said, Outcome.UNDECIDED),
        verdicts=[verdict(one) for one in said],
    )


def _once(call: Call, found: Found, asked: Request, act: Callable[[Request], Refusal]) -> ActOut:
    """An act beside the steps, done once however often it is asked under its key."""
    return _done(call, found, once(call.desk, asked.trigger, asked, act))


# --- documents -------------------------------------------------------------------------------------------------------


@doors.door("GET", "/cases/{number}/documents", scope=Scope.READ)
def documents_of(call: Call, number: Number) -> list[DocumentOut]:
    """The documents on a case, in the order in which they came; those that were withdrawn are left out."""
    found = part_looked_at(call, call.case(number))
    machine = call.desk.machine_for(found.case, {})
    return [_document(machine, row) for row in documents.of_case(call.desk.connection, found.case.id)]


def _document(machine: Machine, row: DocumentRow) -> DocumentOut:
    """A document without the names of its file and of those listed in it: they are personal."""
    kind, size, made = row.looks.get("kind"), row.looks.get("bytes"), row.looks.get("sha256")
    return DocumentOut(
        seq=row.seq,
        kind=row.kind,
        title=words(document_of(machine, row.kind).title),
        sha256=row.sha256 or (made if isinstance(made, str) else None),
        is_made=row.sha256 is None,
        file=kind if isinstance(kind, str) else None,
        size=size if isinstance(size, int) else None,
        is_reviewed=row.ticks is not None,
    )


@doors.door("POST", "/cases/{number}/documents", scope=Scope.DECIDE, to=Audience.STAFF)
def attach_one(  # noqa: PLR0917 a form has each field by itself
    call: Call,
    number: Number,
    kind: Annotated[
        Word,
        Form(min_length=1, description="What it is handed in as, such as `E-IC-ID`"),
    ],
    file: Annotated[UploadFile, File(description="The file; what it is, is read from its bytes")],
    key: Key,
    revision: Seen = None,
) -> ActOut:
    """Hand a file in on a case; what does not fit is an answer with every reason."""
    found, asked = call.case(number), _asks(call, "attach", key, revision)
    if (first := answered(call.desk, asked)) is not None:
        return _done(call, found, first)
    with file.file as opened:
        body = opened.read(MOST_BYTES + 1)
    try:
        upload = inspect(file.filename or kind, body)
    except Unfit as problem:
        raise FileRefused(str(problem), 415) from problem
    return _done(call, found, attach(call.desk, found.case.id, kind, upload, asked))


@doors.door("POST", "/cases/{number}/documents/{seq}/withdrawal", scope=Scope.DECIDE, to=Audience.STAFF)
def withdraw_one(call: Call, number: Number, seq: Seq, withdrawal: WithdrawalIn, key: Key) -> ActOut:
    """Take a document that was handed in off its case; the trail keeps it."""
    found, asked = call.case(number), _asks(call, "withdraw", key, withdrawal.revision, reason=withdrawal.reason)
    if (first := answered(call.desk, asked)) is not None:
        return _done(call, found, first)
    try:
        return _done(call, found, withdraw_document(call.desk, found.case.id, seq, asked))
    except Unknown as problem:
        raise NotFound from problem


@doors.door("GET", "/cases/{number}/documents/{seq}/{kind}", scope=Scope.READ, answers=Bytes)
def original(call: Call, number: Number, seq: Seq, kind: Kind) -> Response:
    """A document as it was handed in or made, to be saved; the look is an event of the case."""
    named = Named(found=call.case(number), seq=seq, kind=kind)
    try:
        return to_be_saved(named, view(call.desk, named.found.case.id, kind, seq, call.asks(VIEW)))
    except Unknown as problem:
        raise NotFound from problem


# --- acts ------------------------------------------------------------------------------------------------------------


@doors.door("POST", "/cases/{number}/handing-over", scope=Scope.DECIDE, to=Audience.STAFF)
def hand_over_one(call: Call, number: Number, passing: HandingOverIn, key: Key) -> ActOut:
    """Hand a case over for good (转办)."""
    found, mandate = call.case(number), _mandate(passing)
    asked = _asks(call, "hand_over", key, passing.revision)
    return _once(call, found, asked, lambda told: hand_over(call.desk, found.case.id, mandate, told))


@doors.door("POST", "/cases/{number}/delegation", scope=Scope.DECIDE, to=Audience.STAFF)
def delegate_one(call: Call, number: Number, passing: DelegationIn, key: Key) -> ActOut:
    """Let somebody act in one's stead on a case until a day (委派)."""
    found, mandate = call.case(number), _mandate(passing)
    until = _last_moment(call, passing.until)
    asked = _asks(call, "delegate", key, passing.revision)
    return _once(call, found, asked, lambda told: delegate_case(call.desk, found.case.id, mandate, until, told))


def _last_moment(call: Call, day: str) -> datetime:
    """The last second of a day in Shanghai, as the page of it has it.

    Raises:
        Unreadable: If it is none within a year from today.
    """
    today = call.at.astimezone(SHANGHAI).date()
    days = (today + timedelta(days=ahead) for ahead in range(_LONGEST_LOAN + 1))
    until = next((one for one in days if one.isoformat() == day), None)
    if until is None:
        raise Unreadable("until", day, "今天起一年以内的一天，如 2024-05-17 a day within a year, such as 2024-05-17")
    return datetime.combine(until, time(23, 59, 59), SHANGHAI).astimezone(UTC)


def _mandate(passing: HandingOverIn) -> Mandate:
    return Mandate(taker=passing.taker, role=passing.role, reason=passing.reason)


@doors.door("POST", "/cases/{number}/reminder", scope=Scope.DECIDE, to=Audience.PARTAKER)
def remind(call: Call, number: Number, reminder: ReminderIn, key: Key) -> ActOut:
    """Remind those whom a case waits for (催办), once a day."""
    found = call.case(number)
    asked = _asks(call, "urge", key, reminder.revision)
    return _once(call, found, asked, lambda told: urge(call.desk, found.case.id, told))


@doors.door("POST", "/cases/{number}/comments", scope=Scope.DECIDE, to=Audience.PARTAKER)
def remark(call: Call, number: Number, said: CommentIn, key: Key) -> ActOut:
    """Write a remark (备注) for everybody who works on a case; nothing is decided by it."""
    found = call.case(number)
    told = comment(call.desk, found.case.id, said.text, _asks(call, "comment", key, said.revision))
    return _done(call, found, told if isinstance(told, Repeated) else ())


@doors.door("POST", "/cases/{number}/copies", scope=Scope.DECIDE, to=Audience.STAFF)
def copy_one(call: Call, number: Number, copy: CopyIn, key: Key) -> ActOut:
    """Show a case to colleagues who may see it anyway (抄送), all of them or nobody; nothing is decided by it."""
    found, asked = call.case(number), _asks(call, COPY, key, copy.revision)
    return _done(call, found, send_copy(call.desk, found.case.id, copy.to, copy.note, asked))


@doors.door("POST", "/cases/{number}/signers", scope=Scope.DECIDE, to=Audience.STAFF)
def change_signers(call: Call, number: Number, change: SignerIn, key: Key) -> ActOut:
    """Add a signer (加签) to a step that is being signed, or let a slot go unsigned (减签)."""
    found, who = call.case(number), change.signer
    key = f"{change.change}/{change.trigger}/{key}"
    asked = replace(
        _asks(call, f"{change.change}_signer", key, change.revision, reason=change.reason), trigger=change.trigger
    )
    if change.change == "drop":
        return _once(call, found, asked, lambda told: drop_signer(call.desk, found.case.id, who, told))
    unit, before = change.unit, change.before
    return _once(
        call, found, asked, lambda told: add_signer(call.desk, found.case.id, who, told, unit=unit, before=before)
    )


# --- deadlines -------------------------------------------------------------------------------------------------------


@doors.door("GET", "/cases/{number}/deadlines", scope=Scope.READ)
def deadlines_of(call: Call, number: Number) -> list[DueOut]:
    """The deadlines that run for a case, those that are settled too."""
    found = part_looked_at(call, call.case(number))
    rows = deadlines.of_case(call.desk.connection, found.case.id)
    return [_due(call, Listed(found.case, found.student_no, row)) for row in rows]


@doors.door("GET", "/batches/{name}/deadlines", scope=Scope.READ, to=Audience.STAFF)
def due_in(call: Call, name: Annotated[str, Path(max_length=40)], after: AfterRow = "", limit: Limit = 50) -> DuesOut:
    """What is still to be done in a batch, soonest due first, of the cases the person may know of."""
    if call.desk.batch(name) is None:
        raise NotFound
    rows = deadlines.due_of_batch(call.desk.connection, name, call.visible.where(), _place(after), limit + 1)
    page = rows[:limit]
    return DuesOut(
        deadlines=[_due(call, one) for one in page], next=_cursor(page[-1].row) if len(rows) > limit else None
    )


def _place(after: str) -> Place | None:
    """Where a page begins; None: at the first row."""
    if not after:
        return None
    due, case, name = after.split("~")
    return Place(due, int(case), name)


def _cursor(row: Row) -> str:
    due, case, name = Place.of(row)
    return f"{due}~{case}~{name}"


def _due(call: Call, one: Listed) -> DueOut:
    case, row = one.case, one.row
    return DueOut(
        number=case.number,
        name=row.name,
        title=words(call.desk.definition(case.shape).deadlines[row.name].title),
        due_at=None if row.due_at is None else row.due_at.isoformat(),
        is_settled=row.settled,
        is_late=row.is_over(call.at),
        is_extended=row.extended,
        unit=case.unit,
        student_no=one.student_no,
        state=case.state,
    )
