"""Everything `xueji check` asks: the faults of `engine.checking`, then what walking proves, all with stories."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engine.analysis import linked
from engine.analysis.configurations import Space
from engine.analysis.proofs import PROOFS
from engine.analysis.stories import story
from engine.analysis.walking import Step, Walk, walk
from engine.checking.examining import Told, complaints, told
from engine.checking.subjects import Complaint, Subject, subjects
from engine.errors import Fault
from engine.expressions.functions import Registered
from engine.library import Library
from engine.loading.folder import NO_FUNCTIONS, read

NOT_WALKED = frozenset({
    "name-clash", "unknown-choice", "unknown-field", "unknown-state", "unknown-trigger", "unknown-type", "wrong-value",
})  # fmt: skip
"""Faults that leave open what a definition says; what would be found by walking it could be their consequence."""

TOLD_WITH_STORY = frozenset({
    "against-not-open", "effect-asks", "effect-cycle", "effect-not-allowed", "leaves-final", "moves-identity",
    "never-full", "no-way-out", "nobody-can", "nobody-waits", "nothing-fires", "one-person-alone", "opening-lacks",
    "reads-the-clock", "retract-effect", "signed-while-open", "slots-may-be-empty", "timer", "trap", "uncapped-loop",
})  # fmt: skip
"""Faults of the graph, of people and of links: a story to where they stand says when they would be felt."""

SAME = frozenset({"nobody-waits", "no-way-out", "stuck", "never-ending"})
"""One thing to a reader: where one of them is said of a state, the others are not said of it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a folder came to.

    Attributes:
        library: What it holds; None if a file is unusable.
        told: Every fault with its story, in the order of the files.
        configurations: How many were walked.
    """

    library: Library | None
    told: tuple[Told, ...]
    configurations: int = 0


LogicOfGuards = Callable[[Library], Iterable[Complaint]]
"""`engine.analysis.guards.examine_guards`, handed in by who has the extra `analysis`."""


def examine(
    folder: Path,
    functions: Mapping[str, Registered] = NO_FUNCTIONS,
    *,
    guards: LogicOfGuards | None = None,
    messages: Collection[str] | None = None,
) -> Examined:
    """Read a folder, check what was read, and walk through every machine whose words are in order.

    Args:
        folder: Where `workflows/` and `rules/` are.
        functions: What expressions may call beside the functions of the language.
        guards: Reads the rules as logic too, if given.
        messages: The names of what people can be told; None: any.
    """
    reading = read(folder, functions)
    unread: tuple[Told, ...] = tuple((fault, ()) for fault in reading.faults)
    if reading.library is None:
        return Examined(library=None, told=tuple(sorted(set(unread))))
    static = tuple(complaints(reading.library, messages))
    walks = {_key(one.space.subject): one for one in _walks(reading.library, static, reading.faults)}
    proven = [*_proven(walks, static), *linked.proven(walks.values())]
    if guards is not None:
        proven += guards(reading.library)
    found = told([*(_storied(one, walks) for one in static), *proven], reading.positions)
    count = sum(len(one.moves) for one in walks.values())
    return Examined(library=reading.library, told=tuple(sorted({*unread, *found})), configurations=count)


def _key(subject: Subject) -> tuple[str, str | None]:
    return subject.tree, subject.part


def _walks(library: Library, static: tuple[Complaint, ...], unread: tuple[Fault, ...]) -> Iterator[Walk]:
    broken = {one.tree for one in static if one.finding.code in NOT_WALKED}
    files = {fault.file for fault in unread}
    for subject in subjects(library):
        if subject.tree not in broken and f"workflows/{subject.definition.workflow}.yaml" not in files:
            yield walk(Space(subject=subject))


def _proven(walks: Mapping[tuple[str, str | None], Walk], static: tuple[Complaint, ...]) -> Iterator[Complaint]:
    said = {(one.tree, one.path, code) for one in static for code in _alike(one.finding.code)}
    for one in walks.values():
        for proof in PROOFS:
            for complaint in proof(one):
                if (complaint.tree, complaint.path, complaint.finding.code) not in said:
                    yield replace(complaint, profile=one.space.subject.definition.profile)


def _alike(code: str) -> frozenset[str]:
    return SAME if code in SAME else frozenset({code})


def _storied(complaint: Complaint, walks: Mapping[tuple[str, str | None], Walk]) -> Complaint:
    """The fewest steps to the state or the step that a complaint is about."""
    path = complaint.path
    if complaint.finding.code not in TOLD_WITH_STORY:
        return complaint
    part = str(path[1]) if path[:1] == ("lists",) and len(path) > 1 else None
    found = walks.get((complaint.tree, part))
    if found is None or complaint.story:
        return complaint
    steps = _steps_to(found, path[2:] if part else path)
    return replace(complaint, story=story(found.space, steps))


def _steps_to(found: Walk, path: tuple[str | int, ...]) -> tuple[Step, ...]:
    match path:
        case ("states", str(state), *_):
            place = found.first(lambda one: one.state == state)
            return found.story(place) if place is not None else ()
        case ("transitions", str(trigger), *_):
            step = next((one for one in found.steps() if one.move.takes == trigger), None)
            return found.after(step) if step is not None else _steps_to_origin(found, trigger)
        case ("deadlines", str(name), *_) if name in found.space.machine.deadlines:
            running = found.space.machine.deadlines[name].running
            place = found.first(lambda one: one.state in running)
            return found.story(place) if place is not None else ()
        case _:
            return ()


def _steps_to_origin(found: Walk, trigger: str) -> tuple[Step, ...]:
    """Where a step that nobody can take would be taken."""
    one = found.space.machine.transitions.get(trigger)
    place = found.first(lambda place: one is not None and place.state in one.origins)
    return found.story(place) if place is not None else ()
