"""Students and lists in a few words, as rows and heads of the queue name them."""

from __future__ import annotations

from collections.abc import Iterator

from console.web.lettering import valued
from console.web.presence import Presence
from engine.definition import CANCELLED
from engine.expressions.kinds import Lang, decode, parse_kind
from engine.steps import Machine
from engine.store.cases import Found

ROW, HEAD = ("level", "cohort", "major"), ("gender", "level", "cohort", "major")
"""What is told of a student in a row, and in the head of the open case."""


def name_of(visit: Presence, found: Found) -> str:
    """Whom or what a case is about: a student's name, or that of the unit."""
    return str(found.facts.get("name") or found.student_no or visit.desk.units()[found.case.unit].name)


def words_of(machine: Machine, found: Found, names: tuple[str, ...], lang: Lang) -> Iterator[str]:
    """Open facts of a student, as people say them; of a list, which it is."""
    yield from kind_of_list(machine, found, lang)
    yield from facts_of(machine, found, names, lang)


def kind_of_list(machine: Machine, found: Found, lang: Lang) -> Iterator[str]:
    """Which list a list is, whose name is that of its unit; nothing of a student's case."""
    if found.record is None:
        title = machine.definition.title
        yield title.en if lang == "en" else title.zh


def facts_of(machine: Machine, found: Found, names: tuple[str, ...], lang: Lang) -> Iterator[str]:
    """Open facts of a student, as people say them; those that are not known are left out."""
    vocabulary, facts = machine.book.vocabulary.student, found.facts
    for name in names:
        if name in vocabulary and facts.get(name) is not None:
            kind = parse_kind(vocabulary[name].type)
            said = valued(kind, decode(kind, facts[name]), lang, machine.readers.choices)
            yield f"{said}级" if name == "cohort" and lang == "zh" else said


def tone_of(machine: Machine, state: str) -> str:
    """The kind of a state's badge."""
    if state == CANCELLED:
        return "stop"
    if machine.is_final(state):
        return "ok"
    return "neutral" if machine.rests(state) else "run"
