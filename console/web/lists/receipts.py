"""The receipt of a list that has come to its end: who took it in, when, and what was stated of it, such as its shelf.

Whatever the last step asks for stands on it, so that every list whose definition ends with such a step has one: a bound
book its receipt from the archive, a filing its receipt from the authority.

Source: console.md 7.6 (archive receipt).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from console.web.cases.looking import lang_of
from console.web.lists.drafts import Draft
from console.web.lists.reading import Book
from engine.definition import Bilingual, Transition
from engine.expressions.kinds import decode, parse_kind, show
from engine.store.stories import StoryLine
from engine.trail.event import EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a list that has ended was taken in with.

    Attributes:
        step: What the last step is called, such as 归档.
        stated: What it asked for, in the order of the definition: titles and values as words.
        by: Who took it, as addressed.
        draft: What was taken in.
    """

    step: Bilingual
    stated: tuple[tuple[str, str], ...]
    by: str
    at: datetime
    draft: Draft


def receipt_of(book: Book, draft: Draft | None) -> Receipt | None:
    """The receipt of a list; None while it has not ended, and where its last step asked for nothing."""
    last = _last_step(book)
    if last is None or draft is None:
        return None
    line, step = last
    return Receipt(
        step=step.title,
        stated=tuple(_stated(book, step)),
        by=book.name(str(line.event["actor"])),
        at=datetime.fromisoformat(str(line.event["at"])),
        draft=draft,
    )


def _last_step(book: Book) -> tuple[StoryLine, Transition] | None:
    """The event that ended a list, with its step, where a person said something with it."""
    if book.case.state not in book.definition.states or not book.machine.is_final(book.case.state):
        return None
    for line in reversed(book.lines):
        step = book.definition.transitions.get(str(line.event["data"].get("trigger")))
        if line.event["kind"] == EventKind.MOVED and step is not None and book.case.state in step.targets:
            return (line, step) if step.asks else None
    return None


def _stated(book: Book, step: Transition) -> Iterator[tuple[str, str]]:
    fields = book.definition.fields
    for name in step.asks:
        if name not in fields:
            continue
        value = book.case.fields.get(name)
        kind = parse_kind(fields[name].type)
        words = (
            "" if value is None else show(kind, decode(kind, value), lang_of(book.visit), book.machine.readers.choices)
        )
        yield book.visit.title(fields[name].title), words
