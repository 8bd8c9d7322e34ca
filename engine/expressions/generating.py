"""Checked tree → Python source, plain or three-valued.

The source holds only brackets, operators, digits and names made here: every text, date and amount
is bound to a name outside it, so no word of a definition file is ever compiled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType, FunctionType

from engine.expressions import kleene as running
from engine.expressions.functions import Calendar
from engine.expressions.kinds import DATE
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
    Source,
    Tuple,
    children,
    is_reading,
)  # fmt: skip
from engine.expressions.writing import written

_HELPERS = ("choose", "among", "whole", "every", "some", "no", "where", "count", "values")
_OVER_HELPERS = {"every": "every", "any": "some", "none": "no", "where": "where", "count": "count"}


@dataclass(slots=True, kw_only=True)
class Code:
    """One function being written.

    Attributes:
        parameters: Parameter by key of `seen`.
        fetched: Parameter by source; empty where readings are parameters themselves.
        namespace: What the source's other names are bound to.
        temporaries: How many names for intermediate results were given out.
    """

    parameters: Mapping[str, str]
    fetched: Mapping[Source, str] = field(default_factory=dict)
    namespace: dict[str, object] = field(default_factory=dict)
    temporaries: int = 0

    def bind(self, value: object) -> str:
        """Give a name to a value of the source."""
        name = f"k{len(self.namespace)}"
        self.namespace[name] = value
        return name

    def temporary(self) -> str:
        """Give a fresh name for an intermediate result."""
        self.temporaries += 1
        return f"t{self.temporaries}"

    def reading(self, node: Node) -> str | None:
        """Give the parameter that holds a reading, if it is one and is passed in."""
        return self.parameters[written(node)] if not self.fetched and is_reading(node) else None


def is_total(node: Node) -> bool:
    """Tell whether a tree is decided whenever everything it reads is known."""
    if is_reading(node):
        return True
    partial = isinstance(node, Pick) or (isinstance(node, Call) and not node.function.total)
    if partial or (isinstance(node, Among) and node.options.kind.name == "values"):
        return False
    return all(is_total(child) for child in children(node))


def compiled(
    parameters: Sequence[str],
    body: Sequence[str],
    namespace: Mapping[str, object],
    calendar: Calendar | None = None,
) -> FunctionType:
    """Compile a function of these parameters and, by keyword, the calendar; without the word it goes by this one."""
    head = f"def function({''.join(f'{name}, ' for name in parameters)}*, calendar=None):"
    source = "\n".join([head, *(f"    {line}" for line in body)])
    helpers = {name: getattr(running, name) for name in _HELPERS}
    scope: dict[str, object] = {"__builtins__": {}, **helpers, **namespace}
    exec(_code(source), scope)
    function = scope["function"]
    assert isinstance(function, FunctionType)  # noqa: S101 - defined two lines above
    function.__kwdefaults__ = {"calendar": calendar}
    return function


@lru_cache(maxsize=4096)
def _code(source: str) -> CodeType:
    """What varies is bound to names, so few sources are different."""
    return compile(source, "<expression>", "exec")


def _literal(node: Constant, code: Code) -> str:
    if isinstance(node.value, bool | int):
        return repr(node.value)
    return code.bind(node.value)


def _constants(options: Tuple) -> tuple[object, ...] | None:
    """Give the values of options that are all written out; `None` if one is computed."""
    values = []
    for option in options.items:
        value = _constants(option) if isinstance(option, Tuple) else getattr(option, "value", None)
        if value is None:
            return None
        values.append(value)
    return tuple(values)


def _tuple(parts: Sequence[str]) -> str:
    return f"({''.join(f'{part}, ' for part in parts)})"


def _days(node: Arithmetic) -> str:
    return ".days" if node.left.kind == DATE else ""


# --- plain: every value is known ---------------------------------------------------------------


def plain(node: Node, code: Code) -> str:
    """Write a total tree as plain Python, for when every value it reads is known."""
    if parameter := code.reading(node):
        return parameter
    match node:
        case Constant():
            return _literal(node, code)
        case Name():
            return code.parameters[node.key]
        case Not() | Junction() | Compare() | Among() | Conditional() | Known():
            return _plain_condition(node, code)
        case _:
            return _plain_value(node, code)


def _plain_condition(node: Node, code: Code) -> str:
    parts = [plain(child, code) for child in children(node) if not isinstance(node, Among)]
    match node:
        case Not():
            return f"(not {parts[0]})"
        case Junction():
            return f"({f' {node.word} '.join(parts)})"
        case Compare():
            return f"({parts[0]} {node.operator} {parts[1]})"
        case Conditional():
            return f"({parts[0]} if {parts[1]} else {parts[2]})"
        case Among():
            return f"({plain(node.item, code)} in {_plain_options(node.options, code)})"
        case _:  # Known
            return "True"


def _plain_options(options: Node, code: Code) -> str:
    constants = _constants(options) if isinstance(options, Tuple) else None
    return plain(options, code) if constants is None else code.bind(constants)


def _plain_value(node: Node, code: Code) -> str:
    parts = [plain(child, code) for child in children(node)]
    match node:
        case Arithmetic():
            return f"({parts[0]} {node.operator} {parts[1]}){_days(node)}"
        case Negative():
            return f"(-{parts[0]})"
        case Tuple():
            return _tuple(parts)
        case Call():
            return f"{code.bind(node.function.run)}({', '.join(parts)})"
        case _:  # FirstKnown
            return parts[0]


# --- three-valued ------------------------------------------------------------------------------


def kleene(node: Node, code: Code) -> str:
    """Write a tree as Python that gives `None` where it is undecided."""
    if parameter := code.reading(node):
        return parameter
    match node:
        case Constant() | Name() | Column() | Fetched():
            return _leaf(node, code)
        case Over():
            return _over(node, code)
        case Junction():
            return _junction(node, code)
        case Among():
            return _among(node, code)
        case _:
            return _kleene_value(node, code)


def _leaf(node: Constant | Name | Column | Fetched, code: Code) -> str:
    match node:
        case Constant():
            return _literal(node, code)
        case Name():
            return code.parameters[node.key]
        case Column():
            return f"it.get({code.bind(node.name)})"
        case Fetched():
            return code.fetched[node.source]


def _kleene_value(node: Node, code: Code) -> str:
    match node:
        case Not():
            return _strict(code, (node.operand,), "not {}")
        case Compare():
            return _strict(code, (node.left, node.right), f"{{}} {node.operator} {{}}")
        case Arithmetic():
            template = f"({{}} {node.operator} {{}}){_days(node)}"
            return _strict(code, (node.left, node.right), template)
        case Negative():
            return _strict(code, (node.operand,), "-{}")
        case Call():
            return _call(node, code)
        case _:
            return _lenient(node, code)


def _lenient(node: Node, code: Code) -> str:
    """Write what may be decided although a part is missing."""
    parts = [kleene(child, code) for child in children(node)]
    match node:
        case Conditional():
            return f"choose({parts[1]}, {parts[0]}, {parts[2]})"
        case Known():
            return f"(({code.temporary()} := {parts[0]}) is not None)"
        case FirstKnown():
            first = code.temporary()
            return f"({first} if ({first} := {parts[0]}) is not None else {parts[1]})"
        case Pick():
            codes = [code.bind(name) for name, _ in node.options]
            pairs = zip(codes, parts[1:], strict=True)
            return f"{{{', '.join(f'{name}: {part}' for name, part in pairs)}}}.get({parts[0]})"
        case _:
            return _tuple(parts)


def _strict(code: Code, parts: Sequence[Node], template: str, tests: Sequence[str] = ()) -> str:
    """Write what is undecided as soon as one part is missing."""
    missing = list(tests)
    values = []
    for part in parts:
        text = kleene(part, code)
        if not isinstance(part, Constant):
            text = _held(text, code, missing)
        values.append(text)
    result = template.format(*values)
    return f"(None if {' or '.join(missing)} else {result})" if missing else f"({result})"


def _held(text: str, code: Code, missing: list[str]) -> str:
    """Note the test whether a part is missing; give the name its value then has."""
    if text.isidentifier():
        missing.append(f"{text} is None")
        return text
    name = code.temporary()
    missing.append(f"({name} := {text}) is None")
    return name


def _call(node: Call, code: Code) -> str:
    function = code.bind(node.function.run)
    holes = ["{}"] * len(node.arguments)
    if node.function.wants_calendar:
        template = f"{function}({', '.join(['calendar', *holes])})"
        return _strict(code, node.arguments, template, ("calendar is None",))
    return _strict(code, node.arguments, f"{function}({', '.join(holes)})")


def _junction(node: Junction, code: Code) -> str:
    decides = node.word == "or"
    tests, names = [], []
    for part in node.operands:
        text = kleene(part, code)
        name = text if text.isidentifier() else code.temporary()
        names.append(name)
        tests.append(f"{text if name == text else f'({name} := {text})'} is {decides}")
    missing = " or ".join(f"{name} is None" for name in names)
    return f"({decides} if {' or '.join(tests)} else None if {missing} else {not decides})"


def _among(node: Among, code: Code) -> str:
    options = node.options
    constants = _constants(options) if isinstance(options, Tuple) else None
    if constants is not None and not isinstance(node.item, Tuple):
        return _strict(code, (node.item,), f"{{}} in {code.bind(constants)}")
    text = kleene(options, code)
    if options.kind.name == "rows":
        columns = tuple(name for name, _ in options.kind.columns)
        text = f"whole({text}, {code.bind(columns)})"
    return f"among({kleene(node.item, code)}, {text})"


# --- over rows ---------------------------------------------------------------------------------


def _over(node: Over, code: Code) -> str:
    base, conditions = _filters(node.rows)
    rows = kleene(base, code)
    if node.word == "values":
        element = "None" if node.body is None else kleene(node.body, code)
        return f"values({rows}, {_each(conditions, code)}, lambda it: {element})"
    if node.word == "every" and conditions and node.body is not None:
        parts = (Not(operand=_all(conditions)), node.body)
        conditions = (Junction(word="or", operands=parts),)
    elif node.body is not None:
        conditions = (*conditions, node.body)
    return f"{_OVER_HELPERS[node.word]}({rows}, {_each(conditions, code)})"


def _filters(node: Node) -> tuple[Node, tuple[Node, ...]]:
    """Take the conditions of nested `where` off their rows, innermost first."""
    if isinstance(node, Over) and node.body is not None:
        base, conditions = _filters(node.rows)
        return base, (*conditions, node.body)
    return node, ()


def _all(conditions: tuple[Node, ...]) -> Node:
    if len(conditions) == 1:
        return conditions[0]
    return Junction(word="and", operands=conditions)


def _each(conditions: tuple[Node, ...], code: Code) -> str:
    return f"lambda it: {kleene(_all(conditions), code) if conditions else True}"
