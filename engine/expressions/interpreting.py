"""The meaning of a checked tree, spelled out slowly: the oracle of the tests, and explanation.

Shares no code with the compiled functions, so that agreement of the two says something.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import singledispatch
from operator import add, eq, ge, gt, le, lt, mul, ne, sub

from engine.expressions.compiling import Expression, Seen, Supplied
from engine.expressions.functions import Calendar
from engine.expressions.kinds import YES_NO, Row, Value
from engine.expressions.tree import (
    Among,
    Arithmetic,
    Call,
    Column,
    Compare,
    Conditional,
    Constant,
    Fetched,
    FirstKnown,
    Junction,
    Known,
    Name,
    Negative,
    Node,
    Not,
    Over,
    Pick,
    Tuple,
    children,
    is_reading,
)  # fmt: skip
from engine.expressions.writing import written

_OPERATIONS: Mapping[str, Callable[..., object]] = {
    "==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge, "+": add, "-": sub, "*": mul,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is known while interpreting.

    Attributes:
        seen: Values by key; where nothing is supplied, those of readings too.
        supplied: What the sources give; `None` where readings are in `seen`.
        calendar: Working days and terms.
        row: The row `it` stands for.
    """

    seen: Seen
    supplied: Supplied | None = None
    calendar: Calendar | None = None
    row: Row | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One condition in an expression: its text, its value (`None`: undecided), how deep it is."""

    text: str
    value: Value | None
    depth: int


def interpret(node: Node, world: World) -> object:
    """Give the value of a tree; `None` is undecided."""
    if world.supplied is None and is_reading(node):
        return world.seen.get(written(node))
    return _interpret(node, world)


def explain(expression: Expression, seen: Seen, calendar: Calendar | None = None) -> tuple[Explained, ...]:
    """List every condition in an expression with its value, the whole first, readings unopened."""
    world = World(seen=seen, calendar=calendar)
    return tuple(_explained(expression.tree, world, 0))


def _explained(node: Node, world: World, depth: int) -> list[Explained]:
    found = []
    if node.kind == YES_NO and not isinstance(node, Constant):
        value = interpret(node, world)
        found.append(Explained(text=written(node), value=_condition(value), depth=depth))
    if not is_reading(node):
        for child in children(node):
            found += _explained(child, world, depth + 1)
    return found


def _condition(value: object) -> bool | None:
    return None if value is None else bool(value)


@singledispatch
def _interpret(node: Node, world: World) -> object:
    raise NotImplementedError(type(node), world)


@_interpret.register
def _constant(node: Constant, _world: World) -> object:
    return node.value


@_interpret.register
def _name(node: Name, world: World) -> object:
    return world.seen.get(node.key)


@_interpret.register
def _column(node: Column, world: World) -> object:
    return (world.row or {}).get(node.name)


@_interpret.register
def _fetched(node: Fetched, world: World) -> object:
    return (world.supplied or {}).get(node.source)


@_interpret.register
def _not(node: Not, world: World) -> object:
    value = interpret(node.operand, world)
    return None if value is None else not value


@_interpret.register
def _junction(node: Junction, world: World) -> object:
    values = [interpret(operand, world) for operand in node.operands]
    return _join(values, decides=node.word == "or")


def _join(values: list[object], *, decides: bool) -> bool | None:
    """Join conditions: one deciding value decides, else one undecided leaves it open."""
    if decides in values:
        return decides
    return None if None in values else not decides


@_interpret.register
def _operation(node: Compare | Arithmetic, world: World) -> object:
    left, right = interpret(node.left, world), interpret(node.right, world)
    if left is None or right is None:
        return None
    result = _OPERATIONS[node.operator](left, right)
    return getattr(result, "days", result)  # a difference of days


@_interpret.register
def _negative(node: Negative, world: World) -> object:
    value = interpret(node.operand, world)
    return None if value is None else 0 - value  # type: ignore[operator] # a number


@_interpret.register
def _tuple(node: Tuple, world: World) -> object:
    return tuple(interpret(item, world) for item in node.items)


@_interpret.register
def _conditional(node: Conditional, world: World) -> object:
    test, then, otherwise = (interpret(part, world) for part in (node.test, node.then, node.otherwise))
    if test is None:
        return then if then is not None and then == otherwise else None
    return then if test else otherwise


@_interpret.register
def _call(node: Call, world: World) -> object:
    arguments = [interpret(argument, world) for argument in node.arguments]
    if node.function.wants_calendar:
        arguments.insert(0, world.calendar)
    return None if None in arguments else node.function.run(*arguments)


@_interpret.register
def _known(node: Known, world: World) -> object:
    return interpret(node.operand, world) is not None


@_interpret.register
def _first_known(node: FirstKnown, world: World) -> object:
    first = interpret(node.first, world)
    return interpret(node.second, world) if first is None else first


@_interpret.register
def _pick(node: Pick, world: World) -> object:
    chosen = interpret(node.choice, world)
    return next((interpret(fact, world) for code, fact in node.options if code == chosen), None)


@_interpret.register
def _among(node: Among, world: World) -> object:
    item = interpret(node.item, world)
    options = interpret(node.options, world)
    if item is None or options is None:
        return None
    if node.options.kind.name == "rows":
        names = [name for name, _ in node.options.kind.columns]
        options = [tuple(row.get(name) for name in names) for row in options]  # type: ignore[attr-defined] # rows
    return _join([_equal(item, option) for option in options], decides=True)  # type: ignore[attr-defined] # a collection


def _equal(one: object, other: object) -> object:
    if isinstance(one, tuple) and isinstance(other, tuple):
        pairs = zip(one, other, strict=True)
        return _join([_equal(left, right) for left, right in pairs], decides=False)
    return None if one is None or other is None else one == other


# --- over rows: each row with whether it is among them at all (True, or None for undecided) -----


def _candidates(node: Node, world: World) -> list[tuple[Row, bool | None]] | None:
    if isinstance(node, Fetched):
        fetched = (world.supplied or {}).get(node.source)
        return None if fetched is None else [(row, True) for row in fetched]  # type: ignore[union-attr, misc] # rows
    if not isinstance(node, Over):
        return None
    inner = _candidates(node.rows, world)
    if inner is None:
        return None
    joined = [(row, _join([sure, _of(node, row, world)], decides=False)) for row, sure in inner]
    return [(row, sure) for row, sure in joined if sure is not False]


def _of(node: Over, row: Row, world: World) -> object:
    return None if node.body is None else interpret(node.body, replace(world, row=row))


@_interpret.register
def _over(node: Over, world: World) -> object:
    if node.word == "where":
        return _kept(_candidates(node, world))
    candidates = _candidates(node.rows, world)
    if candidates is None:
        return None
    if node.word == "count":
        kept = _kept(candidates)
        return None if kept is None else len(kept)
    if node.word == "values":
        found = [_of(node, row, world) if sure else None for row, sure in candidates]
        return tuple(dict.fromkeys(found))
    return _verdict(node, candidates, world)


def _kept(candidates: list[tuple[Row, bool | None]] | None) -> tuple[Row, ...] | None:
    if candidates is None or any(sure is None for _, sure in candidates):
        return None
    return tuple(row for row, _ in candidates)


def _verdict(node: Over, candidates: list[tuple[Row, bool | None]], world: World) -> bool | None:
    if node.word == "every":
        outside = [(None if sure is None else False) for _, sure in candidates]
        holds = [_of(node, row, world) for row, _ in candidates]
        pairs = zip(outside, holds, strict=True)
        return _join([_join(list(pair), decides=True) for pair in pairs], decides=False)
    found = _join(
        [_join([sure, _of(node, row, world)], decides=False) for row, sure in candidates],
        decides=True,
    )
    return found if node.word == "any" or found is None else not found
