"""Words: what an auditor's sentences call steps, roles, deadlines, values and moments; people stand in marks.

A mark holds a login, so that nobody's name is kept with what was worked out; whoever shows the sentence puts names in
(`engine.auditing.found.Finding.told`). What the definitions have no title for is called as it is written there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from engine.definition import Bilingual, Definition, Slot
from engine.expressions.kinds import decode, parse_kind, show
from engine.records import Json, Sentence
from engine.scopes import choice_titles
from engine.vocabulary import RulebookText


def _called(title: Bilingual | None, name: str) -> Sentence:
    return Sentence(zh=name, en=name) if title is None else Sentence(zh=title.zh, en=title.en)


def step_title(definition: Definition, trigger: str) -> Sentence:
    """What a step is called."""
    step = definition.transitions.get(trigger)
    return _called(None if step is None else step.title, trigger)


def deadline_title(definition: Definition, name: str) -> Sentence:
    """What a deadline is called."""
    deadline = definition.deadlines.get(name)
    return _called(None if deadline is None else deadline.title, name)


def role_title(book: RulebookText | None, role: str) -> Sentence:
    """What a role is called."""
    known = None if book is None else book.organisation.roles.get(role)
    return _called(None if known is None else known.title, role)


def signers(book: RulebookText | None, slots: Iterable[tuple[str, Slot | None]]) -> Sentence:
    """Who has to sign, by their roles, each once."""
    titles = dict.fromkeys(role_title(book, name if slot is None else slot.role) for name, slot in slots)
    return Sentence(zh="、".join(one.zh for one in titles), en=", ".join(one.en for one in titles))


def fact_title(book: RulebookText | None, name: str) -> Sentence:
    """What something known about a student is called."""
    fact = None if book is None else book.vocabulary.student.get(name)
    return _called(None if fact is None else fact.title, name)


def fact_value(book: RulebookText | None, name: str, value: Json) -> Sentence:
    """A value of something known about a student, as a sentence says it: 是, 120.00元, 2024年5月13日（周一）."""
    fact = None if book is None else book.vocabulary.student.get(name)
    if book is None or fact is None:
        return Sentence(zh=str(value), en=str(value))
    kind, choices = parse_kind(fact.type), choice_titles(book.vocabulary)
    try:
        known = decode(kind, value)
    except ValueError:  # it was of another type then
        return Sentence(zh=str(value), en=str(value))
    return Sentence(zh=show(kind, known, "zh", choices), en=show(kind, known, "en", choices))


def moment_said(at: str) -> Sentence:
    """A moment of the trail on the clocks of Shanghai: 2024年5月13日（周一）09:30."""
    kind, when = parse_kind("moment"), datetime.fromisoformat(at)
    return Sentence(zh=show(kind, when, "zh", {}), en=show(kind, when, "en", {}))
