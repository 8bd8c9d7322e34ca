"""What is known about the student of a case: each value with the one before, where it came from and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from console.web.cases.masking import Sight
from console.web.cases.reading import Dossier
from console.web.cases.standing import Reader
from console.web.lettering import valued
from engine.definition import Bilingual, Definition
from engine.expressions.kinds import decode, parse_kind
from engine.records import Json, case_of
from engine.store.stories import StoryLine
from engine.trail.event import EventKind
from engine.vocabulary import Fact

_SHEETS: Mapping[str, Bilingual] = {
    "roster": Bilingual(zh="名册导入", en="Roster import"),
    "facts": Bilingual(zh="信息导入", en="Facts import"),
    "payments": Bilingual(zh="缴费导入", en="Payments import"),
    "photos": Bilingual(zh="照片导入", en="Photo import"),
}
"""What the ways are called by which values come in that are no step of a case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a value came from: what that is called, who did it, and the case and event behind it, if it was a step."""

    title: Bilingual
    who: str
    number: str | None
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FactLine:
    """One thing known of the student, as it is shown. `was` is empty where nothing stood there before."""

    name: str
    title: Bilingual
    now: str
    was: str
    is_changed: bool
    is_hidden: bool
    may_reveal: bool
    source: Source
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    line: StoryLine
    new: Json
    old: Json


def fact_lines(dossier: Dossier, reader: Reader) -> tuple[FactLine, ...]:
    """What is known, the changed values first, and of either the newest first."""
    last: dict[str, _Change] = {}
    for line in dossier.lines:
        if line.event["kind"] == EventKind.FACT_CHANGED:
            last |= {name: _Change(line=line, new=new, old=old) for name, old, new in changes(line)}
    vocabulary = dossier.machine.book.vocabulary.student
    lines = [
        _fact_line(dossier, reader, vocabulary[name], (name, one)) for name, one in last.items() if name in vocabulary
    ]
    newest = sorted(lines, key=lambda one: one.at, reverse=True)
    return tuple(sorted(newest, key=lambda one: not one.is_changed))


def changes(line: StoryLine) -> Iterator[tuple[str, Json, Json]]:
    """The facts an event changed, personal ones too as far as they are not erased: name, old and new value."""
    every = {**line.event["data"].get("facts", {}), **line.opened}
    for name, change in every.items():
        if isinstance(change, Mapping):
            yield name, change.get("old"), change.get("new")


def worded(dossier: Dossier, reader: Reader, fact: tuple[str, Fact], value: Json) -> str:
    """A value of a fact as it is shown to a reader; empty where nothing of it is."""
    name, kept = fact
    shown = reader.veil.over(name, value)
    if shown is None and value is not None:
        return ""
    if reader.veil.sight(name) is Sight.MASKED:
        return str(shown)
    kind = parse_kind(kept.type)
    return valued(kind, decode(kind, value), reader.lang, dossier.machine.readers.choices)


def _fact_line(dossier: Dossier, reader: Reader, fact: Fact, told: tuple[str, _Change]) -> FactLine:
    name, change = told
    sight = reader.veil.sight(name)
    return FactLine(
        name=name,
        title=fact.title,
        now=worded(dossier, reader, (name, fact), change.new),
        was="" if change.old is None else worded(dossier, reader, (name, fact), change.old),
        is_changed=change.old is not None,
        is_hidden=sight is Sight.HIDDEN,
        may_reveal=reader.veil.may_reveal(name) and change.new is not None,
        source=source_of(dossier, change.line),
        at=datetime.fromisoformat(change.line.event["at"]),
    )


def source_of(dossier: Dossier, line: StoryLine) -> Source:
    """Where the values of an event came from."""
    data = line.event["data"]
    cause: Mapping[str, Json] = data.get("cause") or {}
    chain = str(cause.get("chain", ""))
    number = chain.removeprefix("case/") if chain.startswith("case/") else None
    word = str(data.get("source", ""))
    seq = cause.get("seq")
    return Source(
        title=_step_title(dossier, number, word) or _SHEETS.get(word, Bilingual(zh=word or "—", en=word or "—")),
        who=dossier.name(str(line.event["actor"])),
        number=number,
        seq=seq if isinstance(seq, int) else line.seq,
    )


def _step_title(dossier: Dossier, number: str | None, trigger: str) -> Bilingual | None:
    """What the step of the case behind an event is called."""
    case = None if number is None else case_of(number)
    there = next((one for one in (dossier.case, *dossier.beside) if one.id == case), None)
    if there is None:
        return None
    definition: Definition = dossier.desk.definition(there.shape)
    step = definition.transitions.get(trigger)
    return None if step is None else step.title
