"""Where everything of a road picture lies: the main road as a row, other states in a second row, and lanes between.

What does not lead from a state of the road to the next one runs in a lane: one for each state that is reached so,
whoever leaves for it. Positions are *along* the road and *across* it, so that one plan serves a row and a column.
Pure.

Source: the console's specification, section 7.12.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from engine.definition import NEW, MoveKind
from exchange.diagrams import Diagram

_MOST_LANES = 3
"""To states of the road; with more of them the eye finds nothing any more."""
_MOST_ASIDE = 4
_LONGEST_ROAD = 7
_EDGE = 0.86
"""Which part of a box's side its ports are spread over."""


class Place(NamedTuple):
    """A point: how far along the road, and how far across it."""

    along: float
    across: float


class Move(NamedTuple):
    """One step from one state to one other."""

    step: str
    origin: str
    target: str
    kind: MoveKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """Sizes in pixels: of boxes along and across, of the gaps between them, of one lane."""

    long: float
    wide: float
    gap: float
    lane: float
    aside_wide: float


ROW = Measures(long=104, wide=40, gap=60, lane=22, aside_wide=40)
"""From left to right, on a page."""
COLUMN = Measures(long=48, wide=150, gap=44, lane=16, aside_wide=96)
"""From the top down, on a telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A state: its middle, and whether it lies on the road."""

    state: str
    middle: Place
    long: float
    wide: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A way from state to state: the corners of its line, and every step that goes it.

    `lane` is how far across the lane lies in which it runs, None where it goes straight.
    """

    origin: str
    target: str
    steps: tuple[str, ...]
    is_back: bool
    corners: tuple[Place, ...]
    lane: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A road laid out: boxes, tracks, and how much room they take."""

    boxes: Mapping[str, Box]
    tracks: tuple[Track, ...]
    size: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Net:
    """The moves of a diagram by where they run: along the road, straight to a state beside it, or in lanes."""

    road: tuple[str, ...]
    aside: Mapping[str, int]
    straight: Mapping[tuple[str, str], tuple[Move, ...]]
    lanes: Mapping[str, tuple[Move, ...]]


def plan(diagram: Diagram, measures: Measures) -> Plan | None:
    """Lay a diagram out as a road; None where it has none that is clear enough.

    Args:
        diagram: What there is to draw.
        measures: The sizes to go by.
    """
    net = _net(diagram)
    if net is None:
        return None
    depth = {target: place for place, target in enumerate(net.lanes, start=1)}
    below = measures.wide + max(measures.lane * (len(depth) + 1), measures.gap)
    boxes = {state: _box(state, place, (0.0, measures.wide), measures) for place, state in enumerate(net.road)} | {
        state: _box(state, column, (below, measures.aside_wide), measures) for state, column in net.aside.items()
    }
    ports = _ports(net, boxes)
    lanes = {target: measures.wide + measures.lane * place for target, place in depth.items()}
    tracks = (*_straight(net, boxes, ports), *_in_lanes(net, boxes, ports, lanes))
    columns = max(len(net.road), 1 + max(net.aside.values(), default=0))
    across = below + measures.aside_wide if net.aside else below
    size = Place(columns * (measures.long + measures.gap) - measures.gap, across)
    return Plan(boxes=boxes, tracks=tracks, size=size)


def moves(diagram: Diagram) -> tuple[Move, ...]:
    """Every single move of a diagram from a state to another; openings are none."""
    return tuple(
        Move(step, origin, target, one.kind)
        for one in diagram.passages
        for step in one.steps
        for origin in one.origins
        for target in one.targets
        if origin not in (NEW, target)
    )


def _net(diagram: Diagram) -> _Net | None:
    road = tuple(state for state in diagram.road if state != NEW)
    every = moves(diagram)
    aside = _columns(diagram, road, every)
    if len(road) > _LONGEST_ROAD or len(road) < 2 or len(aside) > _MOST_ASIDE:  # noqa: PLR2004 a road joins two
        return None
    straight: dict[tuple[str, str], list[Move]] = {}
    lanes: dict[str, list[Move]] = {}
    ahead = frozenset(pairwise(road))
    for one in every:
        if (one.origin, one.target) in ahead or _is_beside(one, road, aside):
            straight.setdefault((one.origin, one.target), []).append(one)
        else:
            lanes.setdefault(one.target, []).append(one)
    on_road = [state for state in road if state in lanes]
    if len(on_road) > _MOST_LANES:
        return None
    ordered = [*on_road, *(state for state in aside if state in lanes)]
    return _Net(
        road=road,
        aside=aside,
        straight={pair: tuple(some) for pair, some in straight.items()},
        lanes={state: tuple(lanes[state]) for state in ordered},
    )


def _columns(diagram: Diagram, road: Sequence[str], every: Iterable[Move]) -> dict[str, int]:
    """The states beside the road, each under the first state that is left for it or the next free place."""
    found: dict[str, int] = {}
    every = tuple(every)
    for state in diagram.states:
        if state in road or state == NEW:
            continue
        origins = [one.origin for one in every if one.target == state]
        column = min((road.index(one) for one in origins if one in road), default=len(found))
        while column in found.values():
            column += 1
        found[state] = column
    return found


def _is_beside(one: Move, road: Sequence[str], aside: Mapping[str, int]) -> bool:
    """Whether a move goes straight without anything between: down or up one column, or to the next box beside."""
    if one.origin in aside and one.target in aside:
        return aside[one.target] - aside[one.origin] == 1
    ends = {one.origin, one.target}
    beside = next((aside[end] for end in ends if end in aside), None)
    return beside is not None and any(end in road and road.index(end) == beside for end in ends)


def _box(state: str, column: int, rows: tuple[float, float], measures: Measures) -> Box:
    top, wide = rows
    middle = Place(column * (measures.long + measures.gap) + measures.long / 2, top + wide / 2)
    return Box(state=state, middle=middle, long=measures.long, wide=wide)


_Ports = Mapping[tuple[str, str, str], float]
"""Where along the road a line leaves or reaches a box: by the box, `out` or `in`, and the state at the other end."""


def _ports(net: _Net, boxes: Mapping[str, Box]) -> _Ports:
    """Spread what leaves and reaches each box towards the lanes over its side, without two at one place."""
    wanted: dict[str, dict[tuple[str, str, str], None]] = {state: {} for state in boxes}
    fixed: dict[tuple[str, str, str], float] = {}
    for origin, target in net.straight:
        if (origin in net.aside) != (target in net.aside):
            upper = origin if origin in net.road else target
            wanted[upper][upper, "down" if upper == origin else "up", target if upper == origin else origin] = None
    for target, some in net.lanes.items():
        for one in some:
            wanted[one.origin][one.origin, "out", target] = None
        wanted[target][target, "in", target] = None
    for state, keys in wanted.items():
        box = boxes[state]
        room = box.long * _EDGE
        for place, key in enumerate(keys, start=1):
            fixed[key] = box.middle.along - room / 2 + room * place / (len(keys) + 1)
    return fixed


def _straight(net: _Net, boxes: Mapping[str, Box], ports: _Ports) -> Iterator[Track]:
    for (origin, target), some in net.straight.items():
        yield Track(
            origin=origin,
            target=target,
            steps=tuple(one.step for one in some),
            is_back=all(one.kind is not MoveKind.ADVANCE for one in some),
            corners=_corners(net, boxes, ports, (origin, target)),
        )


def _corners(net: _Net, boxes: Mapping[str, Box], ports: _Ports, ends: tuple[str, str]) -> tuple[Place, Place]:
    origin, target = ends
    start, end = boxes[origin], boxes[target]
    if (origin in net.aside) == (target in net.aside):  # side by side
        return (
            Place(start.middle.along + start.long / 2, start.middle.across),
            Place(end.middle.along - end.long / 2, end.middle.across),
        )
    is_down = origin in net.road
    upper, lower = (start, end) if is_down else (end, start)
    along = ports[upper.state, "down" if is_down else "up", lower.state]
    high = Place(along, upper.middle.across + upper.wide / 2)
    low = Place(along, lower.middle.across - lower.wide / 2)
    return (high, low) if is_down else (low, high)


def _in_lanes(net: _Net, boxes: Mapping[str, Box], ports: _Ports, lanes: Mapping[str, float]) -> Iterator[Track]:
    for target, some in net.lanes.items():
        across = lanes[target]
        for origin in dict.fromkeys(one.origin for one in some):
            own = [one for one in some if one.origin == origin]
            leaves, reaches = ports[origin, "out", target], ports[target, "in", target]
            yield Track(
                origin=origin,
                target=target,
                steps=tuple(one.step for one in own),
                is_back=all(one.kind is not MoveKind.ADVANCE for one in own),
                corners=(
                    Place(leaves, _side(net, boxes[origin])),
                    Place(leaves, across),
                    Place(reaches, across),
                    Place(reaches, _side(net, boxes[target])),
                ),
                lane=across,
            )


def _side(net: _Net, box: Box) -> float:
    """The side of a box that looks towards the lanes."""
    half = box.wide / 2
    return box.middle.across + (half if box.state in net.road else -half)
