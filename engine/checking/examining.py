"""All checks over a library: every fault of every definition, placed.

A check is a function in one of three tables; a new code is one function and one line.
Source: the definition language, section 13.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from engine.checking import graph, links, names, people, rulebooks, texts
from engine.checking.subjects import Check, Complaint, LibraryCheck, Subject, seen_from, subjects
from engine.errors import Fault
from engine.expressions.functions import Registered
from engine.library import Library
from engine.loading.folder import NO_FUNCTIONS, Reading, read
from engine.loading.positions import Positions
from engine.loading.shelf import NOTHING_OVER

PER_MACHINE: tuple[Check, ...] = (
    names.states,
    names.triggers,
    names.distinct,
    names.rules,
    names.roles,
    names.fields,
    names.reasons,
    names.documents,
    names.units,
    names.types,
    names.clashes,
    names.profiles,
    names.upgrades,
    graph.unreachable,
    graph.no_way_out,
    graph.leaves_final,
    graph.nobody_waits,
    graph.trap,
    graph.uncapped_loop,
    graph.against,
    graph.timer,
    graph.retract,
    graph.identity,
    graph.invariants,
    people.one_way_to_act,
    people.nobody_can,
    people.one_person_alone,
    people.slots_may_be_empty,
    people.never_full,
    people.signed_while_open,
    people.writers,
    links.members,
    links.verbs,
    links.targets,
    links.asked_fields,
    texts.expressions,
    texts.documents,
    texts.groups,
    texts.columns,
)
"""Asked of every workflow and every list, in every profile."""

PER_RULEBOOK: tuple[LibraryCheck, ...] = (
    rulebooks.rule_names,
    rulebooks.remedies,
    rulebooks.circles,
    rulebooks.facts,
    rulebooks.organisation,
    texts.sentences,
    texts.batches,
)
"""Asked of the rulebook as it stands, and as each profile reads it that has something otherwise."""

PER_LIBRARY: tuple[LibraryCheck, ...] = (
    links.nothing_fires,
    links.effect_cycle,
    rulebooks.unused,
)
"""Asked once of everything together."""


Told = tuple[Fault, tuple[str, ...]]
"""A fault, and the story that shows it (empty where none is needed)."""


def check(library: Library, positions: Positions, messages: Collection[str] | None = None) -> tuple[Fault, ...]:
    """Every fault and warning of a library, in the order of its files; none means it may run.

    A fault in what several workflows or profiles share is told once, with everybody who asks.
    """
    return tuple(fault for fault, _ in told(complaints(library, messages), positions))


def told(found: Iterable[Complaint], positions: Positions) -> tuple[Told, ...]:
    """Complaints as placed faults with their stories, each once, in the order of the files."""
    asked: dict[Fault, set[str]] = {}
    stories: dict[Fault, tuple[str, ...]] = {}
    for one in found:
        fault = _placed(one, positions)
        asked.setdefault(fault, set()).add(one.finding.asked_by)
        stories.setdefault(fault, one.story)
    return tuple(sorted((_asked_by(fault, sorted(who - {""})), stories[fault]) for fault, who in asked.items()))


def _asked_by(fault: Fault, workflows: list[str]) -> Fault:
    names = ", ".join(workflows)
    return replace(fault, message=f"{fault.message} (asked by {names})") if workflows else fault


def complaints(library: Library, messages: Collection[str] | None = None) -> Iterator[Complaint]:
    """What the checks say, before it is placed.

    Args:
        library: What is checked.
        messages: What people can be told, which the engine does not know; None: any name may be one.
    """
    yield from complaints_of(subjects(library), messages)
    for profile in ("", *library.rulebook.variants):
        for ask_book in PER_RULEBOOK:
            yield from _of(profile, ask_book(seen_from(library, profile)))
    yield from complaints_together(library)


def complaints_of(those: Iterable[Subject], messages: Collection[str] | None = None) -> Iterator[Complaint]:
    """What the checks of single machines say about some of them; `messages`: as `complaints`."""
    for subject in those:
        for ask in PER_MACHINE:
            yield from _of(subject.definition.profile, ask(subject))
        if messages is not None:
            yield from _of(subject.definition.profile, names.messages(subject, messages))


def complaints_together(library: Library) -> Iterator[Complaint]:
    """What the checks of everything together say."""
    for ask_all in PER_LIBRARY:
        yield from ask_all(library)


def _of(profile: str, found: Iterator[Complaint]) -> Iterator[Complaint]:
    return (replace(one, profile=profile) for one in found)


def examine(
    folder: Path,
    functions: Mapping[str, Registered] = NO_FUNCTIONS,
    *,
    messages: Collection[str] | None = None,
    over: Mapping[str, str] = NOTHING_OVER,
) -> tuple[Library | None, tuple[Fault, ...]]:
    """Read a folder and check what was read: all faults; no library if a file is unusable.

    `messages` are the names of what people can be told, None: any; `over` are texts read instead of files.
    """
    reading: Reading = read(folder, functions, over)
    found = check(reading.library, reading.positions, messages) if reading.library is not None else ()
    return reading.library, tuple(sorted({*reading.faults, *found}))


def _placed(complaint: Complaint, positions: Positions) -> Fault:
    place = positions.fault_at_key if complaint.at_key else positions.fault
    tree = positions.tree_of(complaint.tree, complaint.profile)
    return place(tree, complaint.path, complaint.finding)
