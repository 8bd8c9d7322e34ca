"""The state of checking one expression: its scope, its `let` texts, what was found so far."""

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from engine.expressions.faults import ExpressionFault
from engine.expressions.fitting import comparable, literal
from engine.expressions.kinds import UNKNOWN, Kind
from engine.expressions.scope import Scope
from engine.expressions.syntax import MOST_DEPTH, MOST_NODES, Parsed, parse, too_large
from engine.expressions.tree import Constant, Node, fits

BROKEN = Constant(kind=UNKNOWN, value=False, source="?")


@dataclass(slots=True, kw_only=True)
class Inference:
    """One expression being checked, with the `let` texts it reads.

    Attributes:
        scope: What names mean.
        lets: Texts of the `let` names.
        rules: How each node of the syntax tree is checked.
        parsed: The text being read now: the expression, or one of the `let` texts.
        faults: What was found so far.
        let: Name of the `let` being read now; empty in the expression itself.
        done: The `let` names already checked.
        under_way: The `let` names being checked, outermost first.
        row: Columns of `it`, innermost last.
    """

    scope: Scope
    lets: Mapping[str, str]
    rules: "Mapping[type[ast.expr], Rule]"
    parsed: Parsed
    faults: list[ExpressionFault] = field(default_factory=list)
    let: str = ""
    done: dict[str, Node] = field(default_factory=dict)
    under_way: tuple[str, ...] = ()
    row: tuple[Mapping[str, Kind], ...] = ()

    def read(self) -> Node:
        """Check the text being read now."""
        for found in self.parsed.faults:
            self.faults.append(
                ExpressionFault(code=found.code, message=found.message, offset=found.offset, let=self.let)
            )
        return BROKEN if self.parsed.tree is None else self.infer(self.parsed.tree)

    def within_limits(self, node: Node) -> Node:
        """Refuse a tree that grew too large by what its `let` names stand for."""
        if fits(node, MOST_NODES, MOST_DEPTH):
            return node
        self.faults.append(ExpressionFault(code="expression", message=too_large(), offset=0, let=self.let))
        return BROKEN

    def infer(self, at: ast.expr) -> Node:
        """Check one node of the syntax tree and everything below it."""
        return self.rules[type(at)](self, at)

    def fault(self, at: ast.expr, message: str, code: str = "expression") -> Constant:
        """Note a fault and go on, with a node that causes no further ones."""
        offset = self.parsed.offset(at)
        self.faults.append(ExpressionFault(code=code, message=message, offset=offset, let=self.let))
        return BROKEN

    def fit(self, node: Node, kind: Kind, at: ast.expr) -> Node:
        """Read text literals of a node as what stands beside them."""
        fitted, problem = literal(node, kind, self.scope)
        return self.fault(at, problem.message, problem.code) if problem else fitted

    def fit_both(self, one: Node, other: Node, at_one: ast.expr, at_other: ast.expr) -> tuple[Node, Node]:
        """Read text literals on either side as what stands on the other."""
        fitted = self.fit(one, other.kind, at_one)
        return fitted, self.fit(other, one.kind, at_other)

    def expect(self, node: Node, kind: Kind, at: ast.expr) -> Node:
        """Fit a node to a kind, or say that it does not fit."""
        node = self.fit(node, kind, at)
        cut = kind.name == "number" and node.kind.name == "money"
        if cut or not comparable(node.kind, kind):
            return self.fault(at, f"Expected {kind} here, but this is {node.kind}.")
        return node

    @contextmanager
    def over(self, columns: Mapping[str, Kind]) -> Iterator[None]:
        """Let `it` be a row with these columns."""
        self.row = (*self.row, columns)
        yield
        self.row = self.row[:-1]

    def named(self, name: str, at: ast.expr) -> Node:
        """Check the text of a `let`, once, and give its tree in place of the name."""
        if name in self.under_way:
            path = " → ".join((*self.under_way, name))
            return self.fault(at, f"'{name}' is made of itself: {path}.")
        if len(self.under_way) > MOST_DEPTH:
            return self.fault(at, too_large())
        if name not in self.done:
            inner = replace(
                self,
                parsed=parse(self.lets[name]),
                let=name,
                under_way=(*self.under_way, name),
                row=(),
            )
            self.done[name] = inner.within_limits(inner.read())
        return self.done[name]


Rule = Callable[[Inference, ast.expr], Node]
