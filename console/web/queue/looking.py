"""The cautions of a case in words: what there is to be looked at, with what it was and is, and whether it was seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from console.web.cases.facts import changes, worded
from console.web.cases.reading import Dossier
from console.web.cases.standing import Reader
from console.web.queue.reading import at_of, last_decision
from console.web.visit import Visit
from engine.cautions import Caution, Looked, cautions, read_marks
from engine.deeds import decided_by
from engine.definition import MoveKind
from engine.records import Json
from engine.step import Step
from engine.store.stories import StoryLine
from engine.trail.event import EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class CautionLine:
    """One thing to look at.

    `old` and `new` are what a fact was and is, as far as the reader sees it; `note` says the rest in words.
    """

    id: str
    title: str
    old: str = ""
    new: str = ""
    note: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that is not as it was when the case was last decided on."""

    title: str
    old: str
    new: str


def cautions_of(dossier: Dossier, step: Step, *, is_late: bool) -> tuple[Caution, ...]:
    """What is to be looked at before a step is taken, as the case stands now."""
    last = last_decision(dossier)
    looked = Looked(
        case=dossier.case,
        decision=None if last is None else decided_by(last.event),
        marks=read_marks(dossier.found.marks),
        reads=step.facts,
        is_late=is_late,
        at=dossier.at,
    )
    return cautions(looked, dossier.machine.book.vocabulary.student)


def caution_lines(visit: Visit, dossier: Dossier, reader: Reader, found: Sequence[Caution]) -> tuple[CautionLine, ...]:
    """Cautions in words."""
    return tuple(_line(visit, dossier, reader, one) for one in found)


def _line(visit: Visit, dossier: Dossier, reader: Reader, one: Caution) -> CautionLine:
    values = dict(one.values)
    title = visit.title(one.title)
    for name, value in values.items():
        title = title.replace(f"{{{name}}}", dossier.name(str(value)) if name == "giver" else str(value))
    if one.id == "sent-back":
        returned = _last_return(dossier)
        note, when = ("", None) if returned is None else (_sent_back(visit, dossier, returned), at_of(returned))
        return CautionLine(id=one.id, title=title, note=note, at=when)
    change = _change(dossier, one)
    if change is None or one.fact is None:
        at = values.get("on") or values.get("at")
        return CautionLine(id=one.id, title=title, at=datetime.fromisoformat(str(at)) if at else None)
    line, old, new = change
    fact = (one.fact, dossier.machine.book.vocabulary.student[one.fact])
    return CautionLine(
        id=one.id,
        title=title,
        old="" if old is None else worded(dossier, reader, fact, old),
        new=worded(dossier, reader, fact, new),
        at=at_of(line),
    )


def _sent_back(visit: Visit, dossier: Dossier, returned: StoryLine) -> str:
    """By whom and why it was sent back or refused."""
    who = visit.say("您") if returned.event["actor"] == visit.login else dossier.name(str(returned.event["actor"]))
    reason = str(returned.event["data"].get("reason") or "")
    step = dossier.definition.transitions[str(returned.event["data"]["trigger"])]
    if step.kind is MoveKind.REJECT:  # nobody refuses without a reason
        return visit.say("{who} 不予通过：“{reason}”", who=who, reason=reason)
    return visit.say("{who} 退回：“{reason}”", who=who, reason=reason) if reason else visit.say("{who} 退回", who=who)


def _last_return(dossier: Dossier) -> StoryLine | None:
    steps = dossier.definition.transitions
    found = [
        line
        for line in dossier.own()
        if line.event["kind"] == EventKind.MOVED
        and (one := steps.get(str(line.event["data"].get("trigger")))) is not None
        and one.sends_back
    ]
    return found[-1] if found else None


def _change(dossier: Dossier, one: Caution) -> tuple[StoryLine, Json, Json] | None:
    """The event a caution rests on, with the value of its fact before and after."""
    for line in dossier.lines:
        if line.chain == -(dossier.case.student or 0) and line.seq == one.seq:
            told = next(((old, new) for name, old, new in changes(line) if name == one.fact), None)
            return None if told is None else (line, *told)
    return None


def changes_since(dossier: Dossier, reader: Reader) -> tuple[datetime | None, tuple[Change, ...]]:
    """What is otherwise than when the case was last sent back or decided on before, and when that was."""
    before = _last_return(dossier)
    return (None, ()) if before is None else (at_of(before), tuple(_changed(dossier, reader, before)))


def _changed(dossier: Dossier, reader: Reader, before: StoryLine) -> Iterator[Change]:
    vocabulary = dossier.machine.book.vocabulary.student
    since, first, last = str(before.event["at"]), dict[str, Json](), dict[str, Json]()
    for line in dossier.lines:
        if line.event["kind"] == EventKind.FACT_CHANGED and str(line.event["at"]) > since:
            for name, old, new in changes(line):
                first.setdefault(name, old)
                last[name] = new
    for name, old in first.items():
        if name in vocabulary and old != last[name]:
            fact = (name, vocabulary[name])
            title = fact[1].title
            yield Change(
                title=title.zh if reader.lang == "zh" else title.en,
                old="" if old is None else worded(dossier, reader, fact, old),
                new="" if last[name] is None else worded(dossier, reader, fact, last[name]),
            )
