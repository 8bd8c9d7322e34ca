"""The checked tree of an expression: a text once every name and kind is settled."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from engine.expressions.functions import Registered
from engine.expressions.kinds import YES_NO, Kind, Value


class Source(NamedTuple):
    """Something fetched before deciding: rows, documents or history."""

    function: str
    argument: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A literal; `source` is its own text, quotes included."""

    kind: Kind
    value: Value
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A fact, a field or the clock, read from `seen` under `key`."""

    kind: Kind
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of the innermost row, `it.name`."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """`not operand`."""

    operand: "Node"
    kind: Kind = YES_NO


@dataclass(frozen=True, slots=True, kw_only=True)
class Junction:
    """Conditions joined by `and` or `or`; at least two."""

    word: str
    operands: "tuple[Node, ...]"
    kind: Kind = YES_NO


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """One comparison by `==`, `!=`, `<`, `<=`, `>` or `>=`; a chain is a `Junction` of them."""

    operator: str
    left: "Node"
    right: "Node"
    kind: Kind = YES_NO


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """`item in options`: a tuple of nodes, a set, `values(…)`, or the rows of a table."""

    item: "Node"
    options: "Node"
    kind: Kind = YES_NO


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuple:
    """Several values side by side."""

    items: "tuple[Node, ...]"
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """`left + right`, `-` or `*`."""

    operator: str
    left: "Node"
    right: "Node"
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Negative:
    """`-operand`."""

    operand: "Node"
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional:
    """`then if test else otherwise`."""

    test: "Node"
    then: "Node"
    otherwise: "Node"
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function that needs all its arguments known."""

    name: str
    function: Registered
    arguments: "tuple[Node, ...]"
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """`known(operand)`; never undecided."""

    operand: "Node"
    kind: Kind = YES_NO


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstKnown:
    """`first_known(first, second)`."""

    first: "Node"
    second: "Node"
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """`value_of(choice)`: the fact which the choice names; one option per code."""

    choice: "Node"
    options: "tuple[tuple[str, Name], ...]"
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a source supplies: its rows, or for documents and history the answer itself."""

    source: Source
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """`every`, `any`, `none`, `where`, `count` or `values` over rows.

    For `count` the body is absent; for `values` it gives the element.
    """

    word: str
    rows: "Node"
    body: "Node | None"
    kind: Kind


Node: TypeAlias = (
    Constant | Name | Column | Not | Junction | Compare | Among | Tuple | Arithmetic | Negative
    | Conditional | Call | Known | FirstKnown | Pick | Fetched | Over
)  # fmt: skip


def children(node: Node) -> tuple[Node, ...]:
    """Give the parts of a node, in the order of its text."""
    match node:
        case Junction(operands=parts) | Tuple(items=parts) | Call(arguments=parts):
            return parts
        case Not(operand=part) | Negative(operand=part) | Known(operand=part):
            return (part,)
        case Compare() | Arithmetic():
            return (node.left, node.right)
        case _:
            return _other_children(node)


def _other_children(node: Node) -> tuple[Node, ...]:
    match node:
        case Among():
            return (node.item, node.options)
        case Conditional():
            return (node.then, node.test, node.otherwise)
        case FirstKnown():
            return (node.first, node.second)
        case Pick():
            return (node.choice, *(option for _, option in node.options))
        case Over():
            return (node.rows,) if node.body is None else (node.rows, node.body)
        case _:
            return ()


def fits(tree: Node, most_nodes: int, most_depth: int) -> bool:
    """Tell whether a tree written out keeps within limits; shared parts count each time."""
    measured: dict[int, tuple[int, int]] = {}

    def measure(node: Node) -> tuple[int, int]:
        if id(node) not in measured:
            below = [measure(child) for child in children(node)]
            size = 1 + sum(part for part, _ in below)
            measured[id(node)] = size, 1 + max((depth for _, depth in below), default=0)
        return measured[id(node)]

    size, depth = measure(tree)
    return size <= most_nodes and depth <= most_depth


def walk(node: Node) -> Iterator[Node]:
    """Visit a node and everything below it, in the order of the text."""
    yield node
    for child in children(node):
        yield from walk(child)


def names(node: Node) -> tuple[str, ...]:
    """List the keys of `seen` anywhere in the tree, each once, in order of first use."""
    return tuple(dict.fromkeys(part.key for part in walk(node) if isinstance(part, Name)))


def sources(node: Node) -> tuple[Source, ...]:
    """List what the tree fetches, each once, in order of first use."""
    return tuple(dict.fromkeys(part.source for part in walk(node) if isinstance(part, Fetched)))


def is_reading(node: Node) -> bool:
    """Tell whether a node outside any other reading is one (language.md, section 10, Kleene)."""
    if isinstance(node, Among):
        return node.options.kind.name == "rows"
    return isinstance(node, Fetched | Over)


def outermost_readings(node: Node) -> Iterator[Node]:
    """Visit the outermost calls on rows, documents and history, in the order of the text."""
    if is_reading(node):
        yield node
        return
    for child in children(node):
        yield from outermost_readings(child)
