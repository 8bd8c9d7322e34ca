"""What an expression comes to when only a case's own fields are known and all else is free.

A missing value (`None`) is known to be missing; `FREE` may be anything. So whatever is decided here holds for every
student, and what depends on anything else stays free.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, Literal, TypeAlias

from engine.expressions.interpreting import World, interpret
from engine.expressions.tree import Among, Column, Conditional, Junction, Name, Node, Not, Tuple, children, is_reading


class Unknowable(Enum):
    """The one value that may be any."""

    FREE = auto()


FREE: Final = Unknowable.FREE
Free: TypeAlias = Literal[Unknowable.FREE]
Known = Mapping[str, object]
"""Own fields by key (`case.urgent`), and `case.state` and `case.rounds`."""


def decide(tree: Node, known: Known) -> object:
    """The value of a tree: decided, missing (`None`), or `FREE` if it depends on what is not known."""
    if _is_own(tree, known):
        return interpret(tree, World(seen=known))  # type: ignore[arg-type] # values of the case's own fields
    match tree:
        case Not():
            inner = decide(tree.operand, known)
            return inner if inner is None or inner is FREE else not inner
        case Junction():
            return _joined([decide(part, known) for part in tree.operands], decides=tree.word == "or")
        case Conditional():
            return _chosen(tree, known)
        case Among(options=Tuple(items=items)) if _is_own(tree.item, known):
            return _among(decide(tree.item, known), [decide(one, known) for one in items])
        case _:
            return FREE


def _is_own(tree: Node, known: Known) -> bool:
    """Whether a tree reads nothing but what is known."""
    match tree:
        case Name():
            return tree.key in known
        case Column():
            return False
        case _:
            return not is_reading(tree) and all(_is_own(part, known) for part in children(tree))


def _joined(values: list[object], *, decides: bool) -> object:
    if any(value is decides for value in values):
        return decides
    if FREE in values:
        return FREE
    return None if None in values else not decides


def _chosen(tree: Conditional, known: Known) -> object:
    test, then, otherwise = (decide(part, known) for part in (tree.test, tree.then, tree.otherwise))
    if test is FREE or test is None:
        return then if then is not None and then == otherwise else (FREE if FREE in (test, then, otherwise) else None)
    return then if test else otherwise


def _among(item: object, options: list[object]) -> object:
    if item is None:
        return None
    return True if item in [one for one in options if one is not None and one is not FREE] else FREE
