"""Two texts side by side: what is gone, what has come, and a few lines about it for bearings. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import NamedTuple

_BEARINGS = 3
"""Lines that are the same, shown before and after what is not."""


class Side(NamedTuple):
    """A line of one text with its number; `has_changed` where the other text does not say it."""

    number: int
    text: str
    has_changed: bool


class Pair(NamedTuple):
    """What stands beside each other; None where one of the texts has nothing there."""

    old: Side | None
    new: Side | None


def side_by_side(old: str, new: str) -> tuple[tuple[Pair, ...], ...]:
    """The places in which two texts differ, from the top down."""
    before, after = old.splitlines(), new.splitlines()
    groups = SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(_BEARINGS)
    return tuple(tuple(pair for code in group for pair in _pairs(code, before, after)) for group in groups)


def _pairs(code: tuple[str, int, int, int, int], before: list[str], after: list[str]) -> Iterator[Pair]:
    kind, first, last, new_first, new_last = code
    is_other = kind != "equal"
    left = [Side(place + 1, before[place], is_other) for place in range(first, last)]
    right = [Side(place + 1, after[place], is_other) for place in range(new_first, new_last)]
    for old, new in zip_longest(left, right):
        yield Pair(old, new)
