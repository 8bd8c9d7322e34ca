"""The page of a list, ready to be written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from console.web.audiences import Audience
from console.web.cases.margin import paper_id
from console.web.lists.chain import Block, chain_of
from console.web.lists.drafts import Difference, Draft, difference, drafts_of
from console.web.lists.reading import VOID, Book
from console.web.lists.receipts import Receipt, receipt_of
from console.web.lists.sums import Sums, sums_of
from console.web.queue.step_fields import is_plain
from engine.definition import CANCELLED, Bilingual, MoveKind
from engine.documents import document_of
from engine.drafts import forms_of, outdated, since_fixed
from engine.prospects import Prospect
from engine.records import Verdict
from engine.store.documents import DocumentRow
from engine.store.relations import Neighbour

PAGE = 50
NOWHERE, TWICE = "none", "twice"
"""What the address says of members on no form, and on several."""
_COLUMNS = ("id_number", "level", "major")
_SCANNED = frozenset({"jpeg", "png", "pdf"})
"""Kinds of files that a scanner makes."""


class Member(NamedTuple):
    """A member as a line of the page; `on` are the forms it stands on, `address` empty where it may not be opened."""

    number: str
    name: str
    student_no: str
    values: tuple[str, ...]
    state: Bilingual
    on: tuple[Bilingual, ...]
    address: str
    is_at_fault: bool


class Due(NamedTuple):
    """Until when something is to be done."""

    title: Bilingual
    due_at: datetime | None
    is_settled: bool
    is_late: bool


class Paper(NamedTuple):
    """A document on the list: made here or handed in, by whom, for which draft; `is_old`: for one before this."""

    id: str
    kind: str
    seq: int
    title: Bilingual
    is_made: bool
    is_picture: bool
    is_reviewed: bool
    is_old: bool
    draft: int
    by: str
    at: datetime | None


class Action(NamedTuple):
    """A step somebody may take: its word, whether the visitor may, and what stands in the way."""

    trigger: str
    title: Bilingual
    is_back: bool
    is_plain: bool
    is_mine: bool
    could: tuple[str, ...]
    against: tuple[Verdict, ...]


class Voided(NamedTuple):
    """A draft that was let go, with what had been signed on it."""

    draft: Draft
    who: tuple[tuple[Bilingual, str, datetime], ...]
    at: datetime
    by: str
    why: str


class Changed(NamedTuple):
    """Of whom something is known otherwise than stands in a form of the draft, by number and name."""

    form: Bilingual
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """The page of a list.

    Attributes:
        draft: The one that stands; None while it gathers.
        number: The draft that stands or is being made.
        changed: What is no more as it was fixed, while it can be signed.
        receipt: With what it was taken in at its end.
        members: Those of this page; `columns` head their values; `following` is the address of the next page.
    """

    book: Book
    state: Bilingual
    tone: str
    batch: str
    is_fixed: bool
    draft: Draft | None
    number: int
    sums: Sums
    shown: str
    members: tuple[Member, ...]
    columns: tuple[str, ...]
    following: str
    blocks: tuple[Block, ...]
    voided: tuple[Voided, ...]
    difference: Difference | None
    changed: tuple[Changed, ...]
    papers: tuple[Paper, ...]
    dues: tuple[Due, ...]
    actions: tuple[Action, ...]
    receipt: Receipt | None
    entered_at: datetime

    @property
    def to_sign(self) -> Block | None:
        """The signatures that are waited for."""
        return next((one for one in self.blocks if one.is_open), None)

    @property
    def may_nudge(self) -> bool:
        """Whether the visitor may have a part in the list: who only reads nudges nobody."""
        return Audience.PARTAKER.admits(self.book.visit.actor)

    @property
    def to_print(self) -> bool:
        """Whether there is anything of this draft to be printed."""
        return any(one.is_made and not one.is_old for one in self.papers)

    @property
    def to_scan(self) -> tuple[str, ...]:
        """The scans the list has a place for now: what signing waits for, or a step that the visitor may take.

        What another person has to look at (`ticked_by_another`) was handed in before, by somebody else.
        """
        book, block = self.book, self.to_sign
        wanted = [] if block is None else [*block.needs]
        for one in self.actions:
            step = book.machine.step(book.case.state, one.trigger).transition
            own = (kind for kind in step.reviews if not document_of(book.machine, kind).ticked_by_another)
            wanted += [*step.needs, *own] if one.is_mine else []
        return tuple(kind for kind in dict.fromkeys(wanted) if _SCANNED & {*document_of(book.machine, kind).file})


def list_view(book: Book, shown: str = "", after: str = "", most: int | None = PAGE) -> ListView:
    """Everything the page of a list shows.

    Args:
        book: The list as read.
        shown: A form, or `none` or `twice`: whom the address narrows the members to.
        after: The number of the member the page begins after.
        most: How many members stand on a page; None: all of them.
    """
    drafts = drafts_of(book)
    draft = drafts[-1] if drafts and drafts[-1].ended is None else None
    sums = sums_of(book, draft)
    wanted = _narrowed(book, sums, shown)
    rest = wanted if most is None else wanted[_place(wanted, after) :]
    state, blocks = book.definition.states.get(book.case.state), chain_of(book, drafts)
    columns = tuple(one for one in _COLUMNS if any(member.facts.get(one) is not None for member in book.members))
    return ListView(
        book=book,
        state=VOID if state is None else state.title,
        tone=_tone(book),
        batch=_batch(book),
        is_fixed=book.is_fixed,
        draft=draft,
        number=len(drafts) + (draft is None),
        sums=sums,
        shown=shown,
        members=tuple(_member(book, sums, one, columns) for one in rest[:most]),
        columns=columns,
        following="" if most is None else _following(book, shown, rest),
        blocks=blocks,
        voided=tuple(_voided(book, one) for one in reversed(drafts) if one.ended is not None),
        difference=difference(book, drafts),
        changed=tuple(_changed(book)) if any(one.is_open for one in blocks) else (),
        papers=tuple(_papers(book, drafts, blocks)),
        dues=tuple(_dues(book)),
        actions=tuple(_action(book, one) for one in book.steps if one.signatures is None and one.roles),
        receipt=receipt_of(book, draft),
        entered_at=datetime.fromisoformat(book.case.entered_at),
    )


def _tone(book: Book) -> str:
    if book.case.state == CANCELLED:
        return "stop"
    if book.machine.is_final(book.case.state):
        return "ok"
    return "run" if book.is_fixed else "neutral"


def _batch(book: Book) -> str:
    name = book.case.fields.get("batch")
    row = book.visit.desk.batch(name) if isinstance(name, str) else None
    return "" if row is None else row.title


# --- members ---------------------------------------------------------------------------------------------------------


def _narrowed(book: Book, sums: Sums, shown: str) -> Sequence[Neighbour]:
    if shown in (NOWHERE, TWICE):
        return sums.nowhere if shown == NOWHERE else sums.twice
    part = next((one for one in sums.parts if one.kind == shown), None)
    faults = {one.case.id for one in (*sums.nowhere, *sums.twice)}
    every = [one for one in book.members if part is None or one.case.number in part.numbers]
    return sorted(every, key=lambda one: (one.case.id not in faults, str(one.facts.get("student_no", "")), one.case.id))


def _place(many: Sequence[Neighbour], after: str) -> int:
    """Where a page begins; at the beginning where the address names nobody of the list."""
    return next((place + 1 for place, one in enumerate(many) if one.case.number == after.replace("-", "")), 0)


def _following(book: Book, shown: str, rest: Sequence[Neighbour]) -> str:
    if len(rest) <= PAGE:
        return ""
    narrowed = f"in={shown}&" if shown else ""
    return f"{book.address}?{narrowed}after={rest[PAGE - 1].case.number}"


def _member(book: Book, sums: Sums, one: Neighbour, columns: Sequence[str]) -> Member:
    desk, case, facts = book.visit.desk, one.case, one.facts
    state = desk.definition(case.shape).states.get(case.state)
    is_known = any(scope.covers(case) for scope in book.visit.visible.scopes)
    return Member(
        number=case.number,
        name=str(facts.get("name") or desk.units()[case.unit].name),
        student_no=str(facts.get("student_no") or facts.get("exam_no") or ""),
        values=tuple(book.worded(name, facts.get(name)) for name in columns),
        state=VOID if state is None else state.title,
        on=tuple(part.title for part in sums.of(case.number)),
        address=f"/cases/{case.number}" if is_known else "",
        is_at_fault=any(one is other for other in (*sums.nowhere, *sums.twice)),
    )


def whom(book: Book, who: str) -> str:
    """Somebody of a form as the page names them: number and name."""
    facts = (one.facts for one in book.members)
    named = (one for one in facts if who in {one.get("student_no"), one.get("exam_no"), one.get("registration_no")})
    return " ".join([who, *(str(one["name"]) for one in named if one.get("name"))])


# --- drafts, papers, deadlines, steps --------------------------------------------------------------------------------


def _voided(book: Book, draft: Draft) -> Voided:
    slots = {
        (trigger, name): slot.role
        for trigger, one in book.definition.transitions.items()
        if one.sign is not None
        for name, slot in one.sign.slots.items()
    }
    at, by, why = draft.ended or (draft.at, "", "")
    who = tuple(
        (book.role(slots.get((one.trigger, one.slot.partition("@")[0]), one.slot)), book.name(one.by), one.at)
        for one in draft.given
        if one.yes
    )
    return Voided(draft, who, at, book.name(by), why)


def _changed(book: Book) -> Iterator[Changed]:
    for kind, people in since_fixed(book.machine, book.sight).items():
        yield Changed(book.form(kind), tuple(whom(book, who) for who in people))


def _papers(book: Book, drafts: Sequence[Draft], blocks: Sequence[Block]) -> Iterator[Paper]:
    """The documents: what was made first, of each kind the newest first."""
    brought = {line.seq: line.event for line in book.lines}
    old = _old_papers(book, drafts, blocks)
    for row in sorted(book.documents, key=lambda one: (one.sha256 is not None, one.kind, -one.seq)):
        event = brought.get(row.seq)
        yield Paper(
            id=paper_id(row),
            kind=row.kind,
            seq=row.seq,
            title=book.form(row.kind),
            is_made=row.sha256 is None,
            is_picture=row.looks.get("kind") in ("jpeg", "png"),
            is_reviewed=bool(row.ticks),
            is_old=(row.kind, row.seq) in old,
            draft=_draft_of(drafts, row),
            by="" if event is None else book.name(str(event["actor"])),
            at=None if event is None else datetime.fromisoformat(str(event["at"])),
        )


def _old_papers(book: Book, drafts: Sequence[Draft], blocks: Sequence[Block]) -> set[tuple[str, int]]:
    """The forms and scans that belong to a draft before this one, by kind and event."""
    machine, rows = book.machine, book.documents
    last = {row.kind: row.seq for row in rows}
    needed = [kind for block in blocks for kind in block.needs]
    old = {*outdated(machine, needed, rows)}
    made_at = max((row.seq for row in rows if row.kind in forms_of(machine)), default=0)
    found = {(row.kind, row.seq) for row in rows if row.sha256 is None and row.seq < last[row.kind]}
    found |= {(row.kind, row.seq) for row in rows if row.kind in old and row.seq < made_at}
    if drafts and not book.is_fixed:  # the last draft is void, with all that was made and signed for it
        void = drafts[-1]
        kinds = {*forms_of(machine), *needed}
        found |= {(row.kind, row.seq) for row in rows if row.kind in kinds and row.seq < void.ended_seq}
    return found


def _draft_of(drafts: Sequence[Draft], row: DocumentRow) -> int:
    """The draft that stood when a document came; that being made, where none had been."""
    return max((one.number for one in drafts if one.seq <= row.seq), default=1)


def _dues(book: Book) -> Iterator[Due]:
    for row in book.deadlines:
        title = book.definition.deadlines[row.name].title
        yield Due(title, row.due_at, row.settled, row.is_over(book.visit.at))


def _action(book: Book, one: Prospect) -> Action:
    step = book.machine.step(book.case.state, one.trigger)
    held = {grant.role for grant in book.visit.actor.grants if book.case.path.startswith(grant.path)}
    lent = {grant.role for grant in book.visit.actor.delegated if book.case.path.startswith(grant.path)}
    return Action(
        trigger=one.trigger,
        title=one.title,
        is_back=step.transition.kind is not MoveKind.ADVANCE,
        is_plain=is_plain(book.machine, step, book.case.state),
        is_mine=bool((held | lent) & set(one.roles)),
        could=tuple(map(book.name, one.could)),
        against=(*one.refusing, *one.papers),
    )
