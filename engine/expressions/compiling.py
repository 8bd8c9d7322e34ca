"""Text → expression: checked once, then two Python functions that need nothing but values."""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.expressions.calls import call
from engine.expressions.faults import ExpressionFaults
from engine.expressions.functions import Calendar
from engine.expressions.generating import Code, compiled, is_total, kleene, plain
from engine.expressions.inference import Inference
from engine.expressions.kinds import Kind, Row, Value
from engine.expressions.operators import OPERATORS
from engine.expressions.scope import Scope
from engine.expressions.syntax import parse
from engine.expressions.tree import (
    Name,
    Node,
    Source,
    children,
    is_reading,
    names,
    outermost_readings,
    sources,
)  # fmt: skip
from engine.expressions.writing import written

Seen = Mapping[str, Value | None]
Supplied = Mapping[Source, Sequence[Row] | Value | None]
_RULES = {**OPERATORS, ast.Call: call}
_NO_LETS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An outermost call on rows, documents or history, whose value a rule reads.

    Attributes:
        key: Its canonical text, the key of its value in `seen`.
        kind: The kind of its value.
        sources: What has to be fetched to know it.
        outer: Keys of `seen` that its conditions compare rows with.
        tree: The checked tree.
        run: The compiled function; takes the `outer` values, then the supplied ones.
        only_cases: Whether it reads other cases and nothing else.
    """

    key: str
    kind: Kind
    sources: tuple[Source, ...]
    outer: tuple[str, ...]
    tree: Node
    run: Callable[..., Value | None] = field(compare=False, repr=False)
    only_cases: bool = False

    def evaluate(self, seen: Seen, supplied: Supplied, calendar: Calendar | None = None) -> Value | None:
        """Compute the value to put into `seen`; missing where it is undecided.

        Args:
            seen: The `outer` values; an absent key is missing.
            supplied: Rows of row sources, the answer itself of documents and history.
            calendar: Working days and terms instead of those of its scope.
        """
        outer = [seen.get(key) for key in self.outer]
        values = (*outer, *[supplied.get(source) for source in self.sources])
        return self.run(*values) if calendar is None else self.run(*values, calendar=calendar)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A checked expression; equal texts in equal scopes give equal values for ever.

    Attributes:
        text: As it was written.
        kind: The kind of its value.
        tree: The checked tree, for explanation and analysis.
        reads: Keys of `seen` it needs, each once, in order of first use.
        readings: Those of the reads that are calls on rows, documents or history.
        plain: Takes the values of `reads` in order, all of them known.
        kleene: Takes them in order; `None` is missing, and the answer where it is undecided.
    """

    text: str
    kind: Kind
    tree: Node
    reads: tuple[str, ...]
    readings: tuple[Reading, ...]
    plain: Callable[..., Value | None] = field(compare=False, repr=False)
    kleene: Callable[..., Value | None] = field(compare=False, repr=False)

    def evaluate(self, seen: Seen, calendar: Calendar | None = None) -> Value | None:
        """Compute the value from what is known; `None` where it is undecided.

        Args:
            seen: Values by key; an absent key is missing.
            calendar: Working days and terms instead of those of its scope.
        """
        values = [seen.get(key) for key in self.reads]
        missing = any(value is None for value in values)
        run = self.kleene if missing else self.plain
        return run(*values) if calendar is None else run(*values, calendar=calendar)


def compile_expression(
    text: str, scope: Scope, lets: Mapping[str, str] = _NO_LETS, expects: Kind | None = None
) -> Expression:
    """Check and compile a text.

    Args:
        text: The expression.
        scope: What its names mean.
        lets: Texts of further names, each standing for its own expression.
        expects: The kind its value must have; text literals are read as that kind.

    Raises:
        ExpressionFaults: With every fault of the text and of the `let` texts it reads.
    """
    check = Inference(scope=scope, lets=lets, rules=_RULES, parsed=parse(text))
    tree = check.read()
    at = check.parsed.tree
    if at is not None and expects is not None:
        tree = check.expect(tree, expects, at)
    elif at is not None and tree.kind.name == "tuple":
        check.fault(at, "Values side by side stand only beside 'in'.")
    tree = check.within_limits(tree)
    if check.faults:
        raise ExpressionFaults(tuple(dict.fromkeys(check.faults)))
    return _expression(text, tree, scope.calendar)


def direct_reads(*trees: Node) -> dict[str, str]:
    """Give the keys of `seen` that trees read, in order of first use, each with its parameter."""
    keys: dict[str, None] = {}
    waiting = list(reversed(trees))
    while waiting:
        node = waiting.pop()
        if is_reading(node):
            keys[written(node)] = None
        elif isinstance(node, Name):
            keys[node.key] = None
        else:
            waiting += reversed(children(node))
    return {key: f"v{index}" for index, key in enumerate(keys)}


def _expression(text: str, tree: Node, calendar: Calendar | None) -> Expression:
    parameters = direct_reads(tree)
    careful = _function(tree, parameters, kleene, calendar)
    trees = {written(node): node for node in outermost_readings(tree)}
    return Expression(
        text=text,
        kind=tree.kind,
        tree=tree,
        reads=tuple(parameters),
        readings=tuple(_reading(key, node, calendar) for key, node in trees.items()),
        plain=_function(tree, parameters, plain, calendar) if is_total(tree) else careful,
        kleene=careful,
    )


def _function(
    tree: Node, parameters: Mapping[str, str], write: Callable[[Node, Code], str], calendar: Calendar | None
) -> Callable[..., Value | None]:
    code = Code(parameters=parameters)
    body = f"return {write(tree, code)}"
    return compiled(tuple(parameters.values()), (body,), code.namespace, calendar)


def _reading(key: str, tree: Node, calendar: Calendar | None) -> Reading:
    outer, fetched = names(tree), sources(tree)
    parameters = {name: f"v{index}" for index, name in enumerate(outer)}
    rows = {source: f"s{index}" for index, source in enumerate(fetched)}
    code = Code(parameters=parameters, fetched=rows)
    body = f"return {kleene(tree, code)}"
    run = compiled((*parameters.values(), *rows.values()), (body,), code.namespace, calendar)
    only_cases = all(source.function == "cases" for source in fetched)
    return Reading(key=key, kind=tree.kind, sources=fetched, outer=outer, tree=tree, run=run, only_cases=only_cases)
