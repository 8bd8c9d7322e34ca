"""The kinds of names, literals and operators (language.md, section 10, types)."""

import ast
from collections.abc import Mapping, Sequence
from decimal import Decimal

from engine.expressions.faults import nearest
from engine.expressions.fitting import comparable, joined, ordered
from engine.expressions.inference import BROKEN, Inference, Rule
from engine.expressions.kinds import DATE, MONEY, NUMBER, TEXT, UNKNOWN, YES_NO, Kind, rows
from engine.expressions.syntax import attribute
from engine.expressions.tree import (
    Among,
    Arithmetic,
    Column,
    Compare,
    Conditional,
    Constant,
    Fetched,
    Junction,
    Name,
    Negative,
    Node,
    Not,
    Source,
    Tuple,
)  # fmt: skip

_COMPARISONS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_ARITHMETIC: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_NO_SINGLE_VALUE = ("tuple", "rows", "set", "values")
_NUMBERS = (NUMBER, MONEY)


# --- names and literals ------------------------------------------------------------------------


def _name(check: Inference, at: ast.expr) -> Node:
    name = check.parsed.source(at)
    if name in ("true", "false"):
        return Constant(kind=YES_NO, value=name == "true", source=name)
    if name in check.lets:
        return check.named(name, at)
    if kind := check.scope.names.get(name):
        return Name(kind=kind, key=name)
    if name == "members" and (columns := check.scope.rows("members", "")) is not None:
        return Fetched(source=Source("members", ""), kind=rows(columns))
    return check.fault(at, *_no_such_name(check, name))


def _no_such_name(check: Inference, name: str) -> tuple[str, str]:
    if name in check.scope.groups:
        return f"'{name}' needs a dot and a field after it.", "expression"
    if name == "it":
        return "'it' needs a dot and a column after it.", "expression"
    if name == "members":
        return "Only a list has members.", "expression"
    known = [*check.scope.names, *check.lets, "true", "false"]
    return f"There is no fact '{name}'.{nearest(name, known)}", "unknown-fact"


def _dotted(check: Inference, at: ast.expr) -> Node:
    if not isinstance(at, ast.Attribute):
        return BROKEN
    before = check.parsed.source(at.value)
    name = attribute(check.parsed, at)
    if before == "it":
        return _column(check, at, name)
    fields = check.scope.groups.get(before)
    if fields is None:
        known = [*check.scope.groups, "it"]
        return check.fault(at, f"'{before}.' means nothing here.{nearest(before, known)}")
    if kind := fields.get(name):
        return Name(kind=kind, key=f"{before}.{name}")
    message = f"'{before}' has no field '{name}'.{nearest(name, fields)}"
    return check.fault(at, message, "unknown-field")


def _column(check: Inference, at: ast.expr, name: str) -> Node:
    if not check.row:
        return check.fault(at, "'it' is the row of every, any, none, where or values only.")
    if kind := check.row[-1].get(name):
        return Column(kind=kind, name=name)
    message = f"The row has no column '{name}'.{nearest(name, check.row[-1])}"
    return check.fault(at, message, "unknown-field")


def _constant(check: Inference, at: ast.expr) -> Node:
    source = check.parsed.source(at)
    if source.startswith("'"):
        return Constant(kind=TEXT, value=source[1:-1], source=source)
    if "." in source:
        return Constant(kind=MONEY, value=Decimal(source), source=source)
    return Constant(kind=NUMBER, value=int(source), source=source)


def _tuple(check: Inference, at: ast.expr) -> Node:
    items = [check.infer(item) for item in getattr(at, "elts", ())]
    kind = Kind(name="tuple", parts=tuple(item.kind for item in items))
    return Tuple(items=tuple(items), kind=kind)


# --- operators ---------------------------------------------------------------------------------


def _junction(check: Inference, at: ast.expr) -> Node:
    if not isinstance(at, ast.BoolOp):
        return BROKEN
    parts = tuple(check.expect(check.infer(part), YES_NO, part) for part in at.values)
    return Junction(word="and" if isinstance(at.op, ast.And) else "or", operands=parts)


def _unary(check: Inference, at: ast.expr) -> Node:
    if not isinstance(at, ast.UnaryOp):
        return BROKEN
    operand = check.infer(at.operand)
    if isinstance(at.op, ast.Not):
        return Not(operand=check.expect(operand, YES_NO, at.operand))
    if operand.kind not in (*_NUMBERS, UNKNOWN):
        return check.fault(at, f"A minus stands before a number, not before {operand.kind}.")
    return Negative(operand=operand, kind=operand.kind)


def _arithmetic(check: Inference, at: ast.expr) -> Node:
    if not isinstance(at, ast.BinOp):
        return BROKEN
    sign = _ARITHMETIC[type(at.op)]
    left, right = check.infer(at.left), check.infer(at.right)
    if sign == "-":
        left, right = check.fit_both(left, right, at.left, at.right)
    kind = _result(sign, left.kind, right.kind)
    if kind is None:
        return check.fault(at, f"{left.kind} {sign} {right.kind} has no meaning.")
    return Arithmetic(operator=sign, left=left, right=right, kind=kind)


def _result(sign: str, left: Kind, right: Kind) -> Kind | None:
    if UNKNOWN in (left, right):
        return UNKNOWN
    if left in _NUMBERS and right in _NUMBERS:
        if sign == "*" and left == right == MONEY:
            return None
        return NUMBER if left == right == NUMBER else MONEY
    if sign == "-" and left == right == DATE:
        return NUMBER
    texts = left.name in ("text", "code") and right.name in ("text", "code")
    return TEXT if sign == "+" and texts else None


def _conditional(check: Inference, at: ast.expr) -> Node:
    if not isinstance(at, ast.IfExp):
        return BROKEN
    test = check.expect(check.infer(at.test), YES_NO, at.test)
    then, otherwise = check.infer(at.body), check.infer(at.orelse)
    then, otherwise = check.fit_both(then, otherwise, at.body, at.orelse)
    plain = then.kind.name not in _NO_SINGLE_VALUE
    if not plain or not comparable(then.kind, otherwise.kind):
        return check.fault(
            at, f"Either side of 'if' gives one value of one kind, not {then.kind} and "
            f"{otherwise.kind}."
        )  # fmt: skip
    kind = joined(then.kind, otherwise.kind)
    return Conditional(test=test, then=then, otherwise=otherwise, kind=kind)


# --- comparisons -------------------------------------------------------------------------------


def _comparison(check: Inference, at: ast.expr) -> Node:
    if not isinstance(at, ast.Compare):
        return BROKEN
    places = [at.left, *at.comparators]
    nodes = [check.infer(at.left)]
    nodes += [_right_side(check, *pair) for pair in zip(at.ops, at.comparators, strict=True)]
    links = [
        _link(check, operator, nodes[index : index + 2], places[index : index + 2])
        for index, operator in enumerate(at.ops)
    ]
    return links[0] if len(links) == 1 else Junction(word="and", operands=tuple(links))


def _right_side(check: Inference, operator: ast.cmpop, at: ast.expr) -> Node:
    """Infer what stands right of an operator; right of `in`, a bare name may be a table."""
    name = check.parsed.source(at)
    if not isinstance(operator, ast.In | ast.NotIn) or not isinstance(at, ast.Name):
        return check.infer(at)
    if name in check.lets or name in check.scope.names:
        return check.infer(at)
    columns = check.scope.rows("rows", name)
    if columns is None:
        known = [*check.scope.tables, *check.scope.names, *check.lets]
        return check.fault(at, f"There is no table '{name}'.{nearest(name, known)}", "unknown-table")
    return Fetched(source=Source("rows", name), kind=rows(columns))


def _link(check: Inference, operator: ast.cmpop, nodes: Sequence[Node], places: Sequence[ast.expr]) -> Node:
    left, right = nodes
    if isinstance(operator, ast.In | ast.NotIn):
        among = _among(check, left, right, places)
        return Not(operand=among) if isinstance(operator, ast.NotIn) else among
    left, right = check.fit_both(left, right, *places)
    sign = _COMPARISONS[type(operator)]
    fits = comparable if sign in ("==", "!=") else ordered
    single = not {left.kind.name, right.kind.name} & set(_NO_SINGLE_VALUE)
    if not single or not fits(left.kind, right.kind):
        return check.fault(places[0], f"'{sign}' does not compare {left.kind} with {right.kind}.")
    return Compare(operator=sign, left=left, right=right)


def _among(check: Inference, item: Node, options: Node, places: Sequence[ast.expr]) -> Node:
    if isinstance(options, Tuple):
        return _among_options(check, item, options, places)
    element = _element(options)
    if options.kind == UNKNOWN:
        return BROKEN
    if element is None:
        message = "'in' needs brackets with a comma, a set, a table or values(…)"
        return check.fault(places[1], f"{message}, not {options.kind}.")
    if element.name == "tuple" and item.kind.name != "tuple":
        item = Tuple(items=(item,), kind=Kind(name="tuple", parts=(item.kind,)))
    item = check.fit(item, element, places[0])
    if not comparable(item.kind, element):
        return check.fault(places[0], f"{_words(item.kind)} is not in {_words(element)}.")
    return Among(item=item, options=options)


def _words(kind: Kind) -> str:
    parts = ", ".join(str(part) for part in kind.parts)
    return f"({parts})" if kind.name == "tuple" else str(kind)


def _element(options: Node) -> Kind | None:
    kind = options.kind
    if kind.name == "values":
        return kind.parts[0]
    if kind.name == "set":
        return Kind(name="tuple", parts=kind.parts)
    if isinstance(options, Fetched) and options.source.function == "rows":
        return Kind(name="tuple", parts=tuple(column for _, column in kind.columns))
    return None


def _among_options(check: Inference, item: Node, options: Tuple, places: Sequence[ast.expr]) -> Node:
    item = check.fit(item, options.items[0].kind, places[0])
    fitted = []
    written_at = getattr(places[1], "elts", [places[1]] * len(options.items))  # else in a let
    for at, option in zip(written_at, options.items, strict=True):
        node = check.fit(option, item.kind, at)
        if not comparable(node.kind, item.kind):
            check.fault(at, f"{_words(node.kind)} is never {_words(item.kind)}.")
        fitted.append(node)
    parts = tuple(node.kind for node in fitted)
    return Among(item=item, options=Tuple(items=tuple(fitted), kind=Kind(name="tuple", parts=parts)))


OPERATORS: Mapping[type[ast.expr], Rule] = {
    ast.Name: _name, ast.Attribute: _dotted, ast.Constant: _constant, ast.Tuple: _tuple,
    ast.BoolOp: _junction, ast.UnaryOp: _unary, ast.BinOp: _arithmetic, ast.IfExp: _conditional,
    ast.Compare: _comparison,
}  # fmt: skip
