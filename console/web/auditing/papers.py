"""Working papers: what auditors noted on cases and batches, read back from the trail, and noting more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from console.web import forms
from console.web.auditing.frame import names_of, scope_of
from console.web.faults import FieldFault, FieldFaults, NotFound
from console.web.lettering import number_shown
from console.web.visit import Visit
from engine.auditing.papers import Conclusion, Paper, concluded, paper_in, papers
from engine.exporting import exported
from engine.noting import Remark, note_batch, note_case
from engine.records import Json, Request, case_number
from engine.store import leaves
from engine.store.database import Connection
from engine.store.stories import story
from engine.trail.event import REGISTRY
from exchange.working_papers import papers_pdf

PAGE = 50
_LONGEST = 4_000
_OF_BATCHES = "batch"


class Line(NamedTuple):
    """One note: who wrote it."""

    paper: Paper
    who: str

    @property
    def id(self) -> str:
        """What names it in addresses: the case's number or `batch`, and the number of the event."""
        return f"{self.paper.case or _OF_BATCHES}.{self.paper.seq}"

    @property
    def address(self) -> str:
        """Its page."""
        return f"/audit/papers/{self.id}"

    @property
    def about(self) -> str:
        """Where what it is about is looked at: the case at that event, or the batch."""
        if self.paper.case is None:
            return f"/batches/{self.paper.batch}"
        event = "" if self.paper.about is None else f"?seq={self.paper.about}"
        return f"/audit/cases/{self.paper.case}{event}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PapersView:
    """A page of notes, the newest first; `counts` are the last conclusions of cases."""

    lines: tuple[Line, ...]
    total: int
    counts: Mapping[str, int]
    following: int | None


def papers_view(visit: Visit, batch: str, start: int) -> PapersView:
    """What was noted on a batch and its cases (empty: on any), as far as the person audits them."""
    found = every_paper(visit, batch)
    last = Counter(str(paper.conclusion) for paper in concluded(found).values())
    return PapersView(
        lines=tuple(newest(visit, found)[start : start + PAGE]),
        total=len(found),
        counts={one.value: last[one.value] for one in Conclusion},
        following=start + PAGE if start + PAGE < len(found) else None,
    )


def every_paper(visit: Visit, batch: str) -> list[Paper]:
    """All notes on a batch and its cases, by place."""
    scope = scope_of(visit, batch)
    with visit.desk.connection.reading():
        return list(papers(visit.desk.connection, scope))


def newest(visit: Visit, found: list[Paper]) -> list[Line]:
    """Notes with who wrote them, the newest first."""
    return _lines(visit, sorted(found, key=lambda one: (one.at, one.chain, one.seq), reverse=True))


def about(visit: Visit, paper: Paper) -> str:
    """What a note is about in words: the case, at which event, or the batch."""
    if paper.case is None:
        return f"{visit.say('批次')} {paper.batch}"
    return number_shown(paper.case) + (f" #{paper.about}" if paper.about else "")


def booklet(visit: Visit, batch: str) -> bytes:
    """The notes with their texts as a PDF; the trail keeps that it was taken out.

    Raises:
        NotFound: If there is no such batch.
    """
    found = every_paper(visit, batch)
    made = papers_pdf(found, batch or None, visit.login, visit.at)
    digests: dict[str, Json] = {"pdf": sha256(made).hexdigest()}
    told: dict[str, Json] = {"batch": batch or None, "counts": {"papers": len(found)}, "sha256": digests}
    exported(visit.desk, visit.asks("audit:papers"), told)
    return made


def paper_of(visit: Visit, name: str) -> tuple[Line, int | None]:
    """One note, and under the head of which size it is sealed (None: not yet).

    Raises:
        NotFound: If there is no such note, or not for this person.
    """
    of, _, seq = name.partition(".")
    chain = REGISTRY if of == _OF_BATCHES else _case(visit, of)
    lines = story(visit.desk.connection, [chain])
    line = next((one for one in lines if str(one.seq) == seq), None)
    paper = None if line is None else paper_in(chain, line.event, line.opened)
    if paper is None or not _is_audited(visit, paper):
        raise NotFound
    return _lines(visit, [paper])[0], _sealed_in(visit.desk.connection, paper)


def _case(visit: Visit, number: str) -> int:
    return visit.case(number).case.id


def _is_audited(visit: Visit, paper: Paper) -> bool:
    """Whether a note on a batch is of the units the person audits; a case has been asked for already."""
    unit = visit.desk.units().get(paper.unit)
    return paper.chain > REGISTRY or (unit is not None and unit.path.startswith(scope_of(visit).paths))


def _lines(visit: Visit, found: list[Paper]) -> list[Line]:
    names = names_of(visit, (one.actor for one in found))
    return [Line(one, names[one.actor]) for one in found]


def _sealed_in(connection: Connection, paper: Paper) -> int | None:
    """The size of the first head over an event."""
    return leaves.sealed_under(connection, paper.chain, paper.seq)


def conclusions(visit: Visit) -> dict[str, str]:
    """What a note may conclude, in words."""
    return {
        Conclusion.SOUND.value: visit.say("无异议"),
        Conclusion.EXCEPTION.value: visit.say("有问题"),
        Conclusion.OPEN.value: visit.say("待查"),
    }


def write(visit: Visit, request: Request | None = None) -> str:
    """Note what the form says; the name of the note. A `request` of its own is kept with it.

    Raises:
        NotFound: If there is no such case or batch, or not for this person.
        FieldFaults: If there is no text, or too much of it.
    """
    form = visit.form
    text, number, batch = form.get("text", ""), form.get("case", ""), form.get("batch", "")
    if not text or len(text) > _LONGEST:
        why = visit.say("请写 {a} 到 {b} 个字", a=1, b=_LONGEST)
        raise FieldFaults([FieldFault("text", visit.say("底稿"), why)])
    chosen, seq = form.get("conclusion", ""), form.get("seq", "")
    conclusion = Conclusion(chosen) if chosen in list(Conclusion) else None
    remark = Remark(text=text, conclusion=conclusion, about=forms.number(seq) if number else None)
    request = request or visit.asks("audit:note")
    if number:
        case = visit.case(number.upper()).case.id
        return f"{case_number(case)}.{note_case(visit.desk, case, remark, request).seq}"
    if visit.desk.batch(batch) is None:
        why = visit.say("请写件号，或选一个批次")
        raise FieldFaults([FieldFault("case", visit.say("件号"), why)])
    return f"{_OF_BATCHES}.{note_batch(visit.desk, batch, remark, request).seq}"
