"""Expressions as formulas for a solver, in three values: each is a pair of "is known" and "is".

Numbers, days, moments and terms become integers, money exact fractions, choices and states finite ranges; texts are
integers too, for they are only ever compared. What cannot be said so (rows, documents, history, calendars, patterns)
is left free under its own text and remembered as opaque: then only a proof that nothing exists is a proof.
Needs the extra `analysis` (z3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

import z3

from engine.expressions.kinds import SHANGHAI, Kind, Titles
from engine.expressions.tree import (
    Among,
    Arithmetic,
    Call,
    Compare,
    Conditional,
    Constant,
    FirstKnown,
    Junction,
    Known,
    Name,
    Negative,
    Node,
    Not,
    Tuple,
)
from engine.expressions.writing import written

_DAY = 86_400
_WHOLE = frozenset({
    "number", "date", "moment", "clock", "term", "choice", "state", "text", "code", "unit", "batch",
})  # fmt: skip
_ALWAYS = frozenset({
    "today", "now", "case.state", "case.open", "case.opened_on", "case.entered_on", "case.rounds", "case.late",
    "case.unit",
})  # fmt: skip
"""What every case has: never missing."""

_USUAL: Mapping[str, tuple[int, int]] = {
    "number": (0, 1000),
    "money": (0, 100_000),
    "date": (date(2015, 1, 1).toordinal(), date(2035, 12, 31).toordinal()),
    "moment": (date(2015, 1, 1).toordinal() * _DAY, date(2035, 12, 31).toordinal() * _DAY),
    "term": (2 * 2015, 2 * 2035 + 1),
}
"""Where a sample is looked for first, so that it reads like a student."""

_POSSIBLE: Mapping[str, tuple[int, int]] = {
    "date": (1, date.max.toordinal()),
    "moment": (_DAY, (date.max.toordinal() + 1) * _DAY - 1),
    "clock": (0, _DAY - 1),
    "term": (2, 2 * 9999 + 1),
}


class Valued(NamedTuple):
    """An expression as formulas: whether it is known, and its value (which means nothing while it is not)."""

    known: z3.BoolRef
    value: z3.ExprRef


_YES, _NO = z3.BoolVal(val=True), z3.BoolVal(val=False)


@dataclass(kw_only=True)
class Formulas:
    """Expressions of one machine as formulas over shared variables.

    Attributes:
        choices: Titles by choice list, for the range of each.
        variables: What was met: its kind and its formulas, by key (a name, or the text of what is opaque).
        opaque: The keys that stand for what could not be said.
    """

    choices: Titles
    variables: dict[str, tuple[Kind, Valued]] = field(default_factory=dict)
    opaque: set[str] = field(default_factory=set)
    _words: dict[str, int] = field(default_factory=dict)

    def of(self, node: Node) -> Valued:
        """The formulas of a checked tree."""
        match node:
            case Constant() | Name():
                return self._leaf(node)
            case Not() | Junction() | Compare() | Known():
                return self._condition(node)
            case Among(options=Tuple(items=items)):
                return _joined([self._equal(node.item, one) for one in items], word="or")
            case Conditional() | FirstKnown():
                return self._chosen(node)
            case Arithmetic() | Negative() | Call():
                return self._computed(node)
            case _:
                return self._opaque(node, ())

    def _leaf(self, node: Constant | Name) -> Valued:
        if isinstance(node, Constant):
            return Valued(_YES, self.constant(node.kind, node.value))
        return self._variable(node.key, node.kind) if _is_scalar(node.kind) else self._opaque(node, ())

    def limits(self, *, usual: bool = False, closed: bool = True) -> Iterable[z3.BoolRef]:
        """What every value keeps to.

        Args:
            usual: Narrower, so that a sample reads like a student.
            closed: A choice is one of the codes of its list; else it may be one that is added later.
        """
        for key, (kind, valued) in self.variables.items():
            bounds = (usual and _USUAL.get(kind.name)) or self._bounds(kind)
            if bounds and (closed or kind.name != "choice"):
                yield z3.And(valued.value >= bounds[0], valued.value <= bounds[1])
            if key in _ALWAYS:
                yield valued.known

    def state(self, key: str, word: str) -> z3.BoolRef:
        """That a state variable has this value; true if nothing reads it."""
        if key not in self.variables:
            return _YES
        kind, valued = self.variables[key]
        return valued.value == self.constant(kind, word)

    def read(self, key: str, model: z3.ModelRef) -> object:
        """The value a model gives to what has been met; None where it is missing there."""
        kind, valued = self.variables[key]
        if not z3.is_true(model.eval(valued.known, model_completion=True)):
            return None
        return self._decoded(kind, model.eval(valued.value, model_completion=True))

    # --- values ----------------------------------------------------------------------------------

    def _bounds(self, kind: Kind) -> tuple[int, int] | None:
        if kind.name in {"choice", "state"}:
            return (0, max(0, len(self._codes(kind)) - 1)) if self._codes(kind) else None
        return _POSSIBLE.get(kind.name)

    def _codes(self, kind: Kind) -> list[str]:
        return list(kind.words) if kind.name == "state" else list(self.choices.get(kind.of, {}))

    def constant(self, kind: Kind, value: object) -> z3.ExprRef:
        """A value as it is written in formulas."""
        written_as = _LITERALS.get(type(value))
        return z3.IntVal(self._word(kind, str(value))) if written_as is None else written_as(value)

    def _word(self, kind: Kind, word: str) -> int:
        codes = self._codes(kind) if kind.name in {"choice", "state"} else []
        return codes.index(word) if word in codes else self._words.setdefault(word, -1 - len(self._words))

    def _decoded(self, kind: Kind, value: z3.ExprRef) -> object:
        if kind.name in _READ:
            return _READ[kind.name](value)
        number: int = value.as_long()
        codes = self._codes(kind) if kind.name in {"choice", "state"} else []
        known = {code: word for word, code in self._words.items()} | dict(enumerate(codes))
        return known.get(number, f"#{number}")

    def _variable(self, key: str, kind: Kind) -> Valued:
        if key not in self.variables:
            sort = {"yes_no": z3.Bool, "money": z3.Real}.get(kind.name, z3.Int)
            self.variables[key] = kind, Valued(z3.Bool(f"known {key}"), sort(key))
        return self.variables[key][1]

    def _opaque(self, node: Node, needs: Iterable[Valued]) -> Valued:
        """What cannot be said is one free value under its own text; not known unless all it needs is."""
        text = written(node)
        self.opaque.add(text)
        kind = node.kind if _is_scalar(node.kind) else Kind(name="number")
        valued = self._variable(text, kind)
        return valued._replace(known=z3.And(valued.known, *(one.known for one in needs)))

    # --- conditions ------------------------------------------------------------------------------

    def _condition(self, node: Not | Junction | Compare | Known) -> Valued:
        match node:
            case Not():
                inner = self.of(node.operand)
                return Valued(inner.known, z3.Not(inner.value))
            case Junction():
                return _joined([self.of(one) for one in node.operands], word=node.word)
            case Known():
                return Valued(_YES, self.of(node.operand).known)
            case Compare() if not self._comparable(node.left, node.right):
                return self._opaque(node, ())
            case Compare():
                left, right = self.of(node.left), self.of(node.right)
                compared = _COMPARISONS[node.operator](left.value, right.value)
                return Valued(z3.And(left.known, right.known), compared)

    def _comparable(self, left: Node, right: Node) -> bool:
        """Whether two values are written alike: a choice by its place in its list, a text by its word."""

        def alike(kind: Kind) -> str:
            return f"{kind.name} {kind.of}" if kind.name in {"choice", "state"} else _ALIKE.get(kind.name, kind.name)

        scalar = _is_scalar(left.kind) and _is_scalar(right.kind)
        return scalar and (
            alike(left.kind) == alike(right.kind) or isinstance(left, Constant) != isinstance(right, Constant)
        )

    def _equal(self, one: Node, other: Node) -> Valued:
        if isinstance(one, Tuple) and isinstance(other, Tuple):
            return _joined([self._equal(*pair) for pair in zip(one.items, other.items, strict=True)], word="and")
        return self._condition(Compare(operator="==", left=one, right=other))

    def _chosen(self, node: Conditional | FirstKnown) -> Valued:
        if isinstance(node, FirstKnown):
            first, second = self.of(node.first), self.of(node.second)
            return Valued(z3.Or(first.known, second.known), _if(first.known, first.value, second.value))
        test, then, other = self.of(node.test), self.of(node.then), self.of(node.otherwise)
        agreed = z3.And(then.known, other.known, then.value == other.value)
        known = z3.If(test.known, z3.If(test.value, then.known, other.known), agreed)
        return Valued(known, _if(z3.Or(z3.Not(test.known), test.value), then.value, other.value))

    # --- numbers and dates -----------------------------------------------------------------------

    def _computed(self, node: Arithmetic | Negative | Call) -> Valued:
        if isinstance(node, Call):
            return self._called(node)
        if isinstance(node, Negative):
            operand = self.of(node.operand)
            return Valued(operand.known, -operand.value)
        left, right = self.of(node.left), self.of(node.right)
        product = node.operator == "*" and not {Constant} & {type(node.left), type(node.right)}
        if node.kind.name not in {"number", "money"} or product:
            return self._opaque(node, (left, right))
        value = {"+": lambda: left.value + right.value, "-": lambda: left.value - right.value}
        return Valued(z3.And(left.known, right.known), value.get(node.operator, lambda: left.value * right.value)())

    def _called(self, node: Call) -> Valued:
        arguments = [self.of(one) for one in node.arguments]
        formula = _FUNCTIONS.get(node.name)
        if formula is None:
            return self._opaque(node, arguments)
        value = formula(*(one.value for one in arguments))
        possible = _POSSIBLE.get(node.kind.name)
        within = [z3.And(value >= possible[0], value <= possible[1])] if possible else []
        return Valued(z3.And(*(one.known for one in arguments), *within), value)


def _seconds(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def _moment_seconds(moment: datetime) -> int:
    local = moment.astimezone(SHANGHAI)
    return local.date().toordinal() * _DAY + _seconds(local.time())


def _moment_of(seconds: int) -> datetime:
    midnight = datetime.combine(date.fromordinal(seconds // _DAY), time(), SHANGHAI)
    return midnight + timedelta(seconds=seconds % _DAY)


_LITERALS: Mapping[type, Callable[..., z3.ExprRef]] = {
    tuple: lambda term: z3.IntVal(2 * term[0] + term[1] - 1),
    bool: z3.BoolVal,
    int: z3.IntVal,
    Decimal: lambda value: z3.RealVal(str(value)),
    datetime: lambda value: z3.IntVal(_moment_seconds(value)),
    date: lambda value: z3.IntVal(value.toordinal()),
    time: lambda value: z3.IntVal(_seconds(value)),
}
_READ: Mapping[str, Callable[[z3.ExprRef], object]] = {
    "yes_no": lambda value: bool(z3.is_true(value)),
    "money": lambda value: Decimal(value.numerator_as_long()) / Decimal(value.denominator_as_long()),
    "number": lambda value: value.as_long(),
    "date": lambda value: date.fromordinal(value.as_long()),
    "moment": lambda value: _moment_of(value.as_long()),
    "clock": lambda value: time(value.as_long() // 3600, value.as_long() // 60 % 60, value.as_long() % 60),
    "term": lambda value: (value.as_long() // 2, value.as_long() % 2 + 1),
}
_COMPARISONS: Mapping[str, Callable[[z3.ExprRef, z3.ExprRef], z3.BoolRef]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_FUNCTIONS: Mapping[str, Callable[..., z3.ExprRef]] = {
    "days_after": lambda day, days: day + days,
    "weekday": lambda day: (day - 1) % 7 + 1,
    "start_of_day": lambda day: day * _DAY,
    "end_of_day": lambda day: day * _DAY + _DAY - 1,
    "day": lambda moment: moment / _DAY,
    "clock": lambda moment: moment % _DAY,
    "term_before": lambda term: term - 1,
    "term_after": lambda term: term + 1,
    "academic_year": lambda term: term / 2,
    "term_number": lambda term: term % 2 + 1,
    "code_of": lambda unit: unit,
}
"""Integer division and remainder of positive numbers; moments are seconds of Asia/Shanghai."""

_ALIKE: Mapping[str, str] = {"money": "number", "code": "text", "unit": "text", "batch": "text"}


def _is_scalar(kind: Kind) -> bool:
    return kind.name in _WHOLE or kind.name in {"yes_no", "money"}


def _if(test: z3.BoolRef, then: z3.ExprRef, otherwise: z3.ExprRef) -> z3.ExprRef:
    if then.sort() != otherwise.sort():  # a number beside money
        then, otherwise = (z3.ToReal(one) if z3.is_int(one) else one for one in (then, otherwise))
    return z3.If(test, then, otherwise)


def _joined(parts: list[Valued], *, word: str) -> Valued:
    """Kleene's `and` and `or`: one deciding part decides, else all must be known."""
    if word == "and":
        false = z3.Or(*(z3.And(one.known, z3.Not(one.value)) for one in parts))
        true = z3.And(*(z3.And(one.known, one.value) for one in parts))
    else:
        true = z3.Or(*(z3.And(one.known, one.value) for one in parts))
        false = z3.And(*(z3.And(one.known, z3.Not(one.value)) for one in parts))
    return Valued(z3.Or(true, false), true)
