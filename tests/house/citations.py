"""Which requirements the definitions cite, and where: rules, steps, signatures, forms, deadlines, batches."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.definition import CaseField, Deadline, Definition, State, Transition
from engine.library import Library
from engine.vocabulary import Document, Rule, RulebookText
from tests.house.requirements import Reference

_DOCUMENT = re.compile(r"\b(?:has|reviewed|same_students|empty_fields|differing_fields)\('([^']+)'\)")


class _Found(NamedTuple):
    """One place in a definition that names a requirement."""

    requirement: str
    where: Reference
    title: str
    profile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Citations:
    """What the definitions say of requirements, by its id.

    Attributes:
        answers: Where each is named; the finest place only, so that a step stands for its procedure.
        titles: What the definitions call it: a rule, a form, a deadline or a procedure has its number.
        profiles: Who runs what names it.
        asked: The rules that some step, file or group of facts asks.
        drafts: The procedures whose steps are a draft, and for whom.
        sources: Every clause that is named as a source, also by what nobody uses.
    """

    answers: Mapping[str, tuple[Reference, ...]]
    titles: Mapping[str, str]
    profiles: Mapping[str, tuple[str, ...]]
    asked: frozenset[str]
    drafts: Mapping[str, tuple[str, ...]]
    sources: tuple[str, ...]


@dataclass(slots=True)
class _Notes:
    """What was found so far."""

    answers: dict[str, dict[Reference, None]] = field(default_factory=lambda: defaultdict(dict))
    titles: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    profiles: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, found: _Found) -> None:
        self.answers[found.requirement][found.where] = None
        self.profiles[found.requirement][found.profile] = None
        if found.title:
            self.titles[found.requirement][found.title] = None


def citations(library: Library) -> Citations:
    """Everything the definitions cite, in the order of the files."""
    notes = _Notes()
    for profile in library.rulebook.organisation.profiles:
        book, machines = library.rulebook_for(profile), tuple(library.machines_of(profile).values())
        for found in _of_profile(book, machines, profile):
            notes.add(found)
    for name, batch in library.batches.items():
        for clause in batch.source:
            notes.add(_Found(clause, Reference("batch", name), "", batch.profile))
    return Citations(
        answers={one: _finest(tuple(where)) for one, where in notes.answers.items()},
        titles={one: "；".join(names) for one, names in notes.titles.items()},
        profiles={one: tuple(names) for one, names in notes.profiles.items()},
        asked=frozenset(name for one in library.machines() for name in asked_by(one, library.rulebook)),
        drafts=_drafts(library),
        sources=tuple(dict.fromkeys(_sources(library))),
    )


def _drafts(library: Library) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for one in library.definitions.values():
        if one.status == "draft":
            found[one.procedure].append(one.profile)
    return {procedure: tuple(profiles) for procedure, profiles in found.items()}


def _sources(library: Library) -> Iterator[str]:
    books = [library.rulebook_for(profile) for profile in library.rulebook.organisation.profiles]
    for book in (library.rulebook, *books):
        entries: list[Rule | Document] = [*book.rules.values(), *book.engine.values(), *book.documents.values()]
        yield from (clause for entry in entries for clause in entry.source)
    for batch in library.batches.values():
        yield from batch.source
    for machine in library.machines():
        yield from machine.source
        parts: list[CaseField | State | Transition | Deadline] = [*machine.fields.values(), *machine.states.values()]
        parts += [*machine.transitions.values(), *machine.deadlines.values()]
        yield from (clause for part in parts for clause in part.source)


def _of_profile(book: RulebookText, machines: Iterable[Definition], profile: str) -> Iterator[_Found]:
    asked: dict[str, list[Reference]] = defaultdict(list)
    kept: dict[str, list[Reference]] = defaultdict(list)
    for machine in machines:
        yield from _of_machine(machine, profile)
        for name in asked_by(machine, book):
            asked[name].append(Reference("workflow", machine.workflow))
        for step, one in machine.transitions.items():
            for kind in (*papers_of(one), *_named_in_rules(one, book)):
                kept[kind].append(Reference("workflow", f"{machine.workflow}.{step}"))
    yield from _of_rules(book, asked, profile)
    for kind, steps in kept.items():
        document = book.documents[kind]
        where = (Reference("document", kind), *steps)
        yield from (_Found(kind, one, document.title.zh, profile) for one in where)
        yield from (_Found(clause, where[0], "", profile) for clause in document.source)


def _of_rules(book: RulebookText, asked: Mapping[str, list[Reference]], profile: str) -> Iterator[_Found]:
    """The rules that this profile asks, and the engine's own, which everybody asks."""
    for name, rule in {**book.rules, **book.engine}.items():
        if (name not in asked and name not in book.engine) or rule.id is None or rule.title is None:
            continue
        where = (Reference("rule", name), *asked.get(name, ()))
        yield from (_Found(rule.id, one, rule.title.zh, profile) for one in where)
        yield from (_Found(clause, where[0], "", profile) for clause in rule.source)


def _of_machine(machine: Definition, profile: str) -> Iterator[_Found]:
    """What a procedure or list names as a whole, and what its parts name."""
    whole = Reference("workflow", machine.workflow)
    is_list = "." in machine.workflow  # which has the sources of its procedure, and says nothing by that
    if not is_list:
        yield _Found(machine.procedure, whole, machine.title.zh, profile)
    fields = (clause for one in machine.fields.values() for clause in one.source)
    states = (clause for one in machine.states.values() for clause in one.source)
    for named in (*(() if is_list else machine.source), *fields, *states, *machine.invariants):
        yield _Found(named, whole, "", profile)
    for step, transition in machine.transitions.items():
        yield from _of_step(transition, Reference("workflow", f"{machine.workflow}.{step}"), profile)
    for number, deadline in machine.deadlines.items():
        here = Reference("deadline", f"{machine.workflow}.{number}")
        yield _Found(number, here, deadline.title.zh, profile)
        yield from (_Found(clause, here, "", profile) for clause in deadline.source)


def _of_step(step: Transition, here: Reference, profile: str) -> Iterator[_Found]:
    if step.sign is not None and step.sign.id is not None:
        yield _Found(step.sign.id, here, step.title.zh, profile)
    yield from (_Found(clause, here, "", profile) for clause in step.source)


def asked_by(machine: Definition, book: RulebookText) -> tuple[str, ...]:
    """The rules that the steps, files and deadlines of a procedure ask, with those their sets name."""
    named: list[str] = [name for one in machine.deadlines.values() for name in one.settled]
    for one in machine.transitions.values():
        slots = one.sign.slots.values() if one.sign is not None else ()
        named += [*one.guards, *one.unless, *one.warns, *(name for slot in slots for name in slot.guards)]
        named += [name for kind in papers_of(one) for name in book.documents[kind].rules]
        named += [name for target in one.assigns for name in _guards_of(target, book)]
    return tuple(dict.fromkeys(_flat(named, book)))


def papers_of(step: Transition) -> tuple[str, ...]:
    """The documents that a step needs, has looked at, or makes."""
    slots = step.sign.slots.values() if step.sign is not None else ()
    needed = (name for slot in slots for name in slot.needs)
    return tuple(dict.fromkeys((*step.needs, *needed, *step.reviews, *step.issues)))


def _named_in_rules(step: Transition, book: RulebookText) -> Iterator[str]:
    """The documents that the rules of a step look for."""
    for name in _flat((*step.guards, *step.unless, *step.warns), book):
        rule = book.rules[name]
        texts = (rule.applies, rule.holds, *rule.let.values())
        for kind in _DOCUMENT.findall(" ".join(text for text in texts if text)):
            if kind in book.documents:
                yield kind


def _guards_of(target: str, book: RulebookText) -> tuple[str, ...]:
    """The rules asked when a fact of a student is written."""
    fact = book.vocabulary.student.get(target.removeprefix("student."))
    group = book.vocabulary.groups.get(fact.group) if fact is not None and fact.group else None
    return group.guards if group is not None else ()


def _flat(names: Iterable[str], book: RulebookText) -> Iterator[str]:
    for name in names:
        rule = book.rules.get(name)
        if rule is not None and rule.all_of:
            yield from _flat(rule.all_of, book)
        else:
            yield name


def _finest(where: tuple[Reference, ...]) -> tuple[Reference, ...]:
    """Without the procedures of which a step, list or deadline is named as well."""
    names = {one.name for one in where if one.kind in {"workflow", "deadline"}}
    return tuple(
        one for one in where if one.kind != "workflow" or not any(name.startswith(f"{one.name}.") for name in names)
    )
