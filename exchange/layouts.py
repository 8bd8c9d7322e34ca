"""Where the blocks of a diagram stand and how the lines between them run: the one place that knows the library.

Deterministic: the same blocks and lines give the same picture on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import graphlay


class Point(NamedTuple):
    """A place in the picture, in pixels from its upper left corner."""

    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Something that takes room: its size in pixels; `lane` is the band its middle has to lie in, counted from 0."""

    name: str
    width: float
    height: float
    lane: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line from block to block. A heavy one is kept straight; `is_back` runs against the flow."""

    source: str
    target: str
    weight: int = 1
    is_back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything is: the centre of each block, the corners of each line in the order given, the whole size."""

    centres: Mapping[str, Point]
    lines: tuple[tuple[Point, ...], ...]
    width: float
    height: float


_SPACING = {"layer_gap": 34.0, "node_gap": 30.0, "dummy_gap": 24.0, "port_gap": 14.0}
"""Closer than the library's own, in pixels: a workflow has to fit a page."""


def layout(blocks: Sequence[Block], lines: Sequence[Line], *, downwards: bool) -> Layout:
    """Lay blocks out in the order the lines give them.

    Args:
        blocks: What takes room; names are unique. Either all lie in lanes or none does.
        lines: Between blocks of those names.
        downwards: From the top down; else from left to right, where lanes are bands above each other.
    """
    graph = graphlay.Graph()
    for block in blocks:
        graph.node(block.name, width=block.width, height=block.height)
        if block.lane is not None:
            graph.nodes[-1]["group"] = block.lane
    for line in lines:
        graph.edge(line.source, line.target, weight=float(line.weight), reverse_for_ranking=line.is_back)
    found = graphlay.layout(
        graph,
        options={
            "direction": "topbottom" if downwards else "leftright",
            "spacing": _SPACING,
            "order": {"group_lanes": "strict"} if any(block.lane is not None for block in blocks) else {},
        },
    )
    left, top = found.bounds["min"]["x"], found.bounds["min"]["y"]

    def place(point: Mapping[str, float]) -> Point:
        return Point(round(point["x"] - left, 1), round(point["y"] - top, 1))

    right_below = place(found.bounds["max"])
    return Layout(
        centres={block.name: place(node["center"]) for block, node in zip(blocks, found.nodes, strict=True)},
        lines=tuple(tuple(place(point) for point in edge["points"]) for edge in found.edges),
        width=right_below.x,
        height=right_below.y,
    )
