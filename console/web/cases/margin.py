"""What stands in the margin of a case's page: deadlines, signatures, papers, and the student's other cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from console.web.cases.reading import Dossier
from engine.definition import CANCELLED, Bilingual
from engine.expressions.functions import end_of_day
from engine.expressions.kinds import decode, parse_kind
from engine.prospects import Prospect, SeatStanding
from engine.records import Case, case_number
from engine.store.documents import DocumentRow
from engine.trail.event import EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLine:
    """Until when something is to be done, and whether it is; `number` is the other case in which it runs."""

    title: Bilingual
    due_at: datetime | None
    is_settled: bool
    is_late: bool
    number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatLine:
    """One place to sign: for what, who signs there, who did and when, and whether it is its turn."""

    step: Bilingual
    role: Bilingual
    seal: str | None
    by: str
    at: datetime | None
    is_against: bool
    is_turn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLine:
    """One document on the case: what it is, where it is shown, and how large."""

    id: str
    title: Bilingual
    kind: str
    is_picture: bool
    size: str
    is_reviewed: bool
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedLine:
    """Another case of the student: where it stands since when, and whether it holds this one up."""

    number: str
    title: Bilingual
    state: Bilingual
    is_over: bool
    entered_at: datetime
    holds_up: bool


def due_lines(dossier: Dossier) -> tuple[DueLine, ...]:
    """The deadlines of the case and of the student's other cases that are still open, then the days of its batch."""
    lines = [line for case in (dossier.case, *dossier.beside) for line in _running(dossier, case)]
    running = sorted(lines, key=lambda one: (one.is_settled, one.due_at is None, one.due_at or dossier.at))
    taken = {one.due_at for one in running}
    return (*running, *(one for one in _days_of_batch(dossier) if one.due_at not in taken))


def _running(dossier: Dossier, case: Case) -> Iterator[DueLine]:
    definition = dossier.desk.definition(case.shape)
    for row in dossier.running.get(case.id, ()):
        yield DueLine(
            title=definition.deadlines[row.name].title,
            due_at=row.due_at,
            is_settled=row.settled,
            is_late=row.is_over(dossier.at),
            number=None if case.id == dossier.case.id else case.number,
        )


def _days_of_batch(dossier: Dossier) -> Iterator[DueLine]:
    """What the batch says of days that are still to come."""
    batch = dossier.batch
    kind = None if batch is None else dossier.machine.book.vocabulary.batch.get(batch.kind)
    if batch is None or kind is None or dossier.machine.is_final(dossier.case.state):
        return
    for name, field in kind.fields.items():
        value = decode(parse_kind(field.type), batch.values.get(name)) if field.type in ("date", "moment") else None
        due_at = value if isinstance(value, datetime) else end_of_day(value) if isinstance(value, date) else None
        if due_at is not None and due_at >= dossier.at:
            yield DueLine(title=field.title, due_at=due_at, is_settled=False, is_late=False)


def seat_lines(dossier: Dossier) -> tuple[SeatLine, ...]:
    """The places to sign of the steps that are open now, in their order."""
    signed = {
        (str(line.event["data"].get("signing")), str(line.event["data"].get("slot"))): line.event["at"]
        for line in dossier.own()
        if line.event["kind"] in (EventKind.SIGNED, EventKind.MOVED) and line.event["data"].get("slot")
    }
    return tuple(
        _seat_line(dossier, one, seat, signed.get((one.trigger, seat.name)))
        for one in dossier.steps
        if one.signatures is not None
        for seat in one.signatures.seats
    )


def _seat_line(dossier: Dossier, one: Prospect, seat: SeatStanding, at: str | None) -> SeatLine:
    given = seat.given
    return SeatLine(
        step=one.title,
        role=dossier.desk.library.rulebook.organisation.called(seat.role),
        seal=seat.seal,
        by="" if given is None else "、".join(map(dossier.name, given.people)),
        at=None if given is None or at is None else datetime.fromisoformat(at),
        is_against=given is not None and not given.yes,
        is_turn=seat.is_turn,
    )


PICTURES = frozenset({"jpeg", "png"})
"""Kinds of file that the viewer shows; whatever else is handed in is there to be saved."""


def paper_lines(dossier: Dossier) -> tuple[PaperLine, ...]:
    """The documents on the case."""
    return tuple(_paper_line(dossier, row) for row in dossier.documents)


def paper_id(row: DocumentRow) -> str:
    """How a document is addressed: by its case, the event that brought it, and its kind."""
    return f"{case_number(row.case)}.{row.seq}.{row.kind}"


def _paper_line(dossier: Dossier, row: DocumentRow) -> PaperLine:
    known_as = dossier.machine.book.documents.get(row.kind)
    kind = str(row.looks.get("kind", "form" if row.sha256 is None else "file"))
    return PaperLine(
        id=paper_id(row),
        title=Bilingual(zh=row.kind, en=row.kind) if known_as is None else known_as.title,
        kind=kind,
        is_picture=kind in PICTURES and row.sha256 is not None,
        size=_size(row),
        is_reviewed=bool(row.ticks) and all(bool(ticked) for ticked in (row.ticks or {}).values()),
        seq=row.seq,
    )


def _size(row: DocumentRow) -> str:
    """How large a document is: in pixels, or in rows."""
    width, height, count = (row.looks.get(name) for name in ("width", "height", "bytes"))
    if width and height:
        return f"{width}×{height}"
    if isinstance(count, int):
        return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{max(1, count // 1024)} kB"
    return ""


def linked_lines(dossier: Dossier) -> tuple[LinkedLine, ...]:
    """The student's other cases: those that hold this one up first, then those that are open, the newest first."""
    blocking = tuple(_readings_that_refuse(dossier))
    lines = [_linked_line(dossier, case, blocking) for case in dossier.beside]
    newest = sorted(lines, key=lambda one: one.entered_at, reverse=True)
    return tuple(sorted(newest, key=lambda one: (not one.holds_up, one.is_over)))


def _readings_that_refuse(dossier: Dossier) -> Iterator[str]:
    """What rules that stand in the way look up elsewhere, by key."""
    for step in dossier.steps:
        for guard in dossier.machine.guards_of([one.rule for one in step.refusing]):
            yield from guard.reads


def _linked_line(dossier: Dossier, case: Case, blocking: Sequence[str]) -> LinkedLine:
    definition = dossier.desk.definition(case.shape)
    names = [one for one in (definition.workflow, definition.family) if one is not None]
    is_over = definition.is_final(case.state)
    cancelled = Bilingual(zh="已撤销", en="Cancelled")
    return LinkedLine(
        number=case.number,
        title=definition.title,
        state=cancelled if case.state == CANCELLED else definition.states[case.state].title,
        is_over=is_over,
        entered_at=datetime.fromisoformat(case.entered_at),
        holds_up=not is_over and any(f"cases('{name}')" in key for name in names for key in blocking),
    )
