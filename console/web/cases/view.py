"""The page of a case, ready to be written down: everything it shows, for one reader, in one language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from console.road_drawing import Inks
from console.web.audiences import Audience
from console.web.cases.facts import FactLine, fact_lines, worded
from console.web.cases.history import Group, Happening, counts, history
from console.web.cases.margin import (
    DueLine,
    LinkedLine,
    PaperLine,
    SeatLine,
    due_lines,
    linked_lines,
    paper_lines,
    seat_lines,
)
from console.web.cases.masking import Eyes
from console.web.cases.messages import (
    MessageLine,
    Messages,
    keeper_of_address,
    last_nudge,
    may_correct,
    messages,
    without_copies,
)
from console.web.cases.reading import Dossier
from console.web.cases.standing import Mender, OpenStep, Reader, mender, open_steps
from console.web.cases.way import WayView, way_view
from engine.deeds import sent_back
from engine.definition import CANCELLED, Bilingual, MoveKind
from engine.records import Sentence
from engine.trail.event import EventKind
from engine.urging import awaited

FIRST_LINES = 6
"""Of the stream, before the rest is folded."""
_HEAD = ("id_number", "phone")
_PHOTO = ".E-PHOTO"
"""The document that is the student's picture."""
_GOOD, _REST, _STOP = "ok", "neutral", "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """One personal value in the head of the page: what it is called, how it is shown, whether it can be revealed."""

    name: str
    title: Bilingual
    shown: str
    may_reveal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What whoever reads the page has just done: the step, and when."""

    title: Bilingual
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Who or what the case is about, and where it is.

    `state_tone` is the kind of badge; `units` are from the case's own upwards; `line` are open facts in a row.
    """

    name: str
    student_no: str | None
    number: str
    workflow: Bilingual
    version: int
    since: str
    state: Bilingual
    state_tone: str
    sent_back: int
    line: tuple[str, ...]
    units: tuple[str, ...]
    masked: tuple[Masked, ...]
    due_at: datetime | None
    batch: str | None
    is_assumed: bool
    opened_at: datetime
    entered_at: datetime
    photo: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """The page.

    Attributes:
        steps: Every open step, the likeliest first.
        waits_for: Titles of the roles it waits for; nobody where it rests or is over.
        may_remark: Whether the reader may have a part in the case: remarks, nudges.
        is_staff: Whether the reader works on cases: passes them on, changes who signs.
        then: The event as of which the case is shown; None for the present. `lacking` is what nobody knows any more.
    """

    head: Head
    steps: tuple[OpenStep, ...]
    way: WayView
    facts: tuple[FactLine, ...]
    stream: tuple[Happening, ...]
    counted: Mapping[str, int]
    dues: tuple[DueLine, ...]
    seats: tuple[SeatLine, ...]
    papers: tuple[PaperLine, ...]
    linked: tuple[LinkedLine, ...]
    messages: Messages
    nudged: MessageLine | None
    waits_for: tuple[Bilingual, ...]
    own_last: Own | None
    is_final: bool
    may_withdraw: bool
    may_remark: bool
    is_staff: bool
    may_correct: bool
    keeper: Mender
    revision: int
    events: int
    digest: str
    at: datetime
    then: int | None = None
    lacking: tuple[Sentence, ...] = ()

    @property
    def changed(self) -> tuple[FactLine, ...]:
        """The facts that had another value before."""
        return tuple(one for one in self.facts if one.is_changed)

    def of(self, group: Group | None) -> tuple[Happening, ...]:
        """The stream, or one group of it."""
        return tuple(one for one in self.stream if group in (None, one.group))


def case_view(dossier: Dossier, reader: Reader, inks: Inks) -> CaseView:
    """Everything the page of a case shows to a reader."""
    steps = open_steps(dossier, reader)
    told = messages(dossier) if reader.veil.eyes is not Eyes.STUDENT else without_copies(messages(dossier))
    stream = history(dossier, reader, told.lines)
    case, dues, papers = dossier.case, due_lines(dossier), paper_lines(dossier)
    likeliest = next(iter(steps), None)
    roles = dossier.desk.library.rulebook.organisation.roles
    return CaseView(
        head=_head(dossier, reader, dues, papers),
        steps=steps,
        way=way_view(dossier, reader.lang, inks, is_blocked=likeliest is not None and not likeliest.is_open),
        facts=fact_lines(dossier, reader),
        stream=stream,
        counted=counts(stream),
        dues=dues,
        seats=seat_lines(dossier),
        papers=papers,
        linked=linked_lines(dossier),
        messages=told,
        nudged=last_nudge(told.lines),
        waits_for=tuple(roles[one].title for one in awaited(dossier.machine, case.state) if one in roles),
        own_last=_own_last(dossier, reader),
        is_final=dossier.machine.is_final(case.state),
        may_withdraw=_may_withdraw(dossier, reader),
        may_remark=Audience.PARTAKER.admits(reader.actor),
        is_staff=Audience.STAFF.admits(reader.actor),
        may_correct=may_correct(dossier.desk, reader.actor, dossier.found, dossier.at),
        keeper=mender(dossier, keeper_of_address(dossier)),
        revision=case.revision,
        events=case.head.seq,
        digest=case.head.hash.hex()[:12],
        at=dossier.at,
    )


def _head(dossier: Dossier, reader: Reader, dues: tuple[DueLine, ...], papers: tuple[PaperLine, ...]) -> Head:
    case, definition = dossier.case, dossier.definition
    units = dossier.desk.units()
    codes = [code for code in reversed(case.path.strip("/").split("/")) if code in units]
    state = definition.states.get(case.state)
    returns = {name: one for name, one in definition.transitions.items() if one.kind is MoveKind.RETURN}
    facts = dossier.found.facts
    return Head(
        name=str(facts.get("name") or dossier.found.student_no or units[case.unit].name),
        student_no=dossier.found.student_no,
        number=case.number,
        workflow=definition.title,
        version=definition.version,
        since=definition.effective_from.isoformat(),
        state=Bilingual(zh="已撤销", en="Cancelled") if state is None else state.title,
        state_tone=_tone(dossier),
        sent_back=sent_back((line.event for line in dossier.own()), lambda _: returns),
        line=tuple(_described(dossier, reader)),
        units=tuple(units[code].name for code in codes),
        masked=tuple(_masked(dossier, reader)),
        due_at=min((one.due_at for one in dues if one.due_at and not one.is_settled), default=None),
        batch=None if dossier.batch is None else dossier.batch.title,
        is_assumed=dossier.assumed,
        opened_at=datetime.fromisoformat(case.opened_at),
        entered_at=datetime.fromisoformat(case.entered_at),
        photo=next((one.id for one in papers if one.is_picture and one.id.endswith(_PHOTO)), None),
    )


def _tone(dossier: Dossier) -> str:
    """The kind of a state's badge: waiting, resting, a good or a bad end."""
    case, definition = dossier.case, dossier.definition
    if case.state == CANCELLED:
        return _STOP
    if definition.is_final(case.state):
        arrivals = [one for one in definition.transitions.values() if case.state in one.targets]
        return _GOOD if any(one.kind is MoveKind.ADVANCE for one in arrivals) else _STOP
    return _REST if definition.states[case.state].rests else "run"


def _described(dossier: Dossier, reader: Reader) -> list[str]:
    """A student in a few words: gender, level, cohort, major."""
    facts, vocabulary = dossier.found.facts, dossier.machine.book.vocabulary.student
    names = [name for name in ("gender", "level", "cohort", "major") if facts.get(name) is not None]
    words = {name: worded(dossier, reader, (name, vocabulary[name]), facts[name]) for name in names}
    if "cohort" in words and reader.lang == "zh":
        words["cohort"] += "级"
    return [word for word in words.values() if word]


def _masked(dossier: Dossier, reader: Reader) -> list[Masked]:
    vocabulary, facts = dossier.machine.book.vocabulary.student, dossier.found.facts
    found = []
    for name in _HEAD:
        if name in vocabulary and facts.get(name) is not None:
            shown = worded(dossier, reader, (name, vocabulary[name]), facts[name])
            may = reader.veil.may_reveal(name)
            if shown or may:
                found.append(Masked(name=name, title=vocabulary[name].title, shown=shown or "••••", may_reveal=may))
    return found


def _own_last(dossier: Dossier, reader: Reader) -> Own | None:
    """The last step of the case, if it was taken by whoever reads the page."""
    acts = [line.event for line in dossier.own() if line.event["kind"] in (EventKind.MOVED, EventKind.SIGNED)]
    if not acts or acts[-1]["actor"] != reader.actor.login:
        return None
    step = dossier.definition.transitions.get(str(acts[-1]["data"].get("trigger")))
    return None if step is None else Own(title=step.title, at=datetime.fromisoformat(acts[-1]["at"]))


def _may_withdraw(dossier: Dossier, reader: Reader) -> bool:
    """Whether the last act on the case is the reader's own, and the definition lets it be taken back.

    Whether anything else stands against it, `engine.retracting` says when it is asked.
    """
    quiet = {"viewed", "noted", "commented", "reminded", "escalated", "late"}
    last = next((line.event for line in reversed(list(dossier.own())) if line.event["kind"] not in quiet), None)
    if last is None or last["kind"] not in (EventKind.MOVED, EventKind.SIGNED) or "cause" in last:
        return False
    step = dossier.definition.transitions.get(str(last["data"].get("trigger")))
    is_own = last["actor"] == reader.actor.login
    return is_own and step is not None and step.retractable and not dossier.machine.is_final(dossier.case.state)
