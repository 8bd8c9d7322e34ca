"""A workflow as a picture knows it: states, the steps between them, the main road, and what leads back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from engine.definition import CANCELLED, NEW, Bilingual, MachineFile, MoveKind, Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Steps that lead from the same states to the same states and mean the same: drawn as one.

    `road` is the state that the main road leaves and the one it reaches by them, empty for what is beside it.
    `is_back`: it leads to where the case has been.
    """

    steps: tuple[str, ...]
    origins: tuple[str, ...]
    targets: tuple[str, ...]
    kind: MoveKind
    road: tuple[str, ...]
    is_back: bool

    @property
    def name(self) -> str:
        """What tells it from the others: its first step."""
        return self.steps[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """What there is to draw.

    Attributes:
        title: Of the workflow.
        states: By name in the order of the file, `new` first; `cancelled` only where a step leads there.
        road: The states of the main road, from `new` to a final one.
        passages: Steps that lead to another state, in the order of the file.
        marks: Steps that only mark the case where it stands, by state.
        titles: Of the steps, by trigger.
        finals: The states nothing leads on from.
        rests: The states in which a case rests.
    """

    title: Bilingual
    states: Mapping[str, Bilingual]
    road: tuple[str, ...]
    passages: tuple[Passage, ...]
    marks: Mapping[str, tuple[str, ...]]
    titles: Mapping[str, Bilingual]
    finals: frozenset[str]
    rests: frozenset[str]


def diagram_of(definition: MachineFile, *, cancelled_in: str | None = None) -> Diagram:
    """What there is to draw of a workflow or a list.

    Args:
        definition: The workflow or list.
        cancelled_in: The state in which another case's step cancelled the one whose way is to be drawn.
    """
    road = main_road(definition)
    passages = _passages(definition, tuple(pairwise(road)))
    return Diagram(
        title=definition.title,
        states=_states(definition) if cancelled_in is None else _states(definition) | {CANCELLED: _CANCELLED},
        road=road,
        passages=(*passages, *([] if cancelled_in is None else [_cancelling(cancelled_in)])),
        marks={
            state: tuple(
                name for name, one in definition.transitions.items() if not one.targets and state in one.origins
            )
            for state in definition.states
        },
        titles={CANCELLED: _CANCELLED, **{name: one.title for name, one in definition.transitions.items()}},
        finals=frozenset({CANCELLED, *(name for name, one in definition.states.items() if one.final)}),
        rests=frozenset(name for name, one in definition.states.items() if one.rests),
    )


_CANCELLED = Bilingual(zh="已撤销", en="Cancelled")


def _cancelling(state: str) -> Passage:
    """A case cancelled by another's step: no step of its own leads there."""
    return Passage(
        steps=(CANCELLED,), origins=(state,), targets=(CANCELLED,), kind=MoveKind.WITHDRAW, road=(), is_back=False
    )


def _states(definition: MachineFile) -> dict[str, Bilingual]:
    states = {NEW: Bilingual(zh="开始", en="Start"), **{name: one.title for name, one in definition.states.items()}}
    if any(CANCELLED in one.targets for one in definition.transitions.values()):
        states[CANCELLED] = _CANCELLED
    return states


def main_road(definition: MachineFile) -> tuple[str, ...]:
    """The states of the way that the file means by going well, from `new` on.

    It ends where the longest way forward ends, and goes there by the first step of each state that does not lead away
    from it. Forward is the order of the states in the file; what the clock does, or what is found by a condition that
    fails (`unless`), is nobody's main road.
    """
    onward = _onward(definition)

    @cache
    def longest(state: str) -> tuple[str, ...]:
        ways = [(state, *longest(target)) for target in onward.get(state, ())]
        return max(ways, key=lambda way: (definition.is_final(way[-1]), len(way)), default=(state,))

    goal = longest(NEW)[-1]

    @cache
    def first(state: str) -> tuple[str, ...]:
        ways = ((state, *first(target)) for target in onward.get(state, ()))
        return next((way for way in ways if way[-1] == goal), (state,))

    return first(NEW)


def _onward(definition: MachineFile) -> Mapping[str, Iterable[str]]:
    """Where steps lead on to from each state, in the order of the file."""
    place = _places(definition)
    onward: dict[str, dict[str, None]] = {}
    for one in definition.transitions.values():
        if one.kind is MoveKind.ADVANCE and not one.unless and {who.role for who in one.by} != {"timer"}:
            for origin, target in _moves(one):
                if place[target] > place[origin] and target != CANCELLED:
                    onward.setdefault(origin, {})[target] = None
    return onward


def _places(definition: MachineFile) -> Mapping[str, int]:
    """Where a state stands in the file; `cancelled` behind all."""
    return {name: place for place, name in enumerate((NEW, *definition.states, CANCELLED))}


def _moves(one: Transition) -> Iterator[tuple[str, str]]:
    for origin in one.origins:
        for target in one.targets:
            yield origin, target


def _passages(definition: MachineFile, road: Sequence[tuple[str, str]]) -> Iterator[Passage]:
    place = _places(definition)
    alike: dict[tuple[object, ...], list[str]] = {}
    for name, one in definition.transitions.items():
        if one.targets:
            alike.setdefault((one.origins, one.targets, _on_road(one, road), _goes_on(one)), []).append(name)
    for steps in alike.values():
        one = definition.transitions[steps[0]]
        yield Passage(
            steps=tuple(steps),
            origins=one.origins,
            targets=one.targets,
            kind=one.kind,
            road=_on_road(one, road),
            is_back=_leads_back(place, one.origins, one.targets),
        )


def _on_road(one: Transition, road: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The part of the main road that is gone by a step."""
    goes = _goes_on(one) and not one.unless
    return next((pair for pair in road if goes and pair in _moves(one)), ())


def _goes_on(one: Transition) -> bool:
    """Whether a step means going on; the three ways of not going on are drawn alike."""
    return one.kind is MoveKind.ADVANCE


def _leads_back(place: Mapping[str, int], origins: Iterable[str], targets: Iterable[str]) -> bool:
    return max(place[target] for target in targets) <= min(place[origin] for origin in origins)
