"""The canonical text of a checked tree: the same for every way of writing the same thing."""

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
)  # fmt: skip

_CONDITIONAL, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _MINUS, _PRIMARY = range(9)
_WORDS = {"or": _OR, "and": _AND}


def written(node: Node) -> str:
    """Write a tree as its canonical text, with every `let` in place of its name."""
    return _written(node)[0]


def _inside(node: Node, rank: int) -> str:
    text, own = _written(node)
    return text if own >= rank else f"({text})"


def _written(node: Node) -> tuple[str, int]:
    match node:
        case Constant():
            return node.source, _PRIMARY
        case Name():
            return node.key, _PRIMARY
        case Column():
            return f"it.{node.name}", _PRIMARY
        case Not() | Junction() | Compare() | Among() | Conditional():
            return _condition(node)
        case _:
            return _value(node)


def _condition(node: Not | Junction | Compare | Among | Conditional) -> tuple[str, int]:
    match node:
        case Not(operand=Among() as among):
            return _among(among, "not in"), _COMPARISON
        case Not():
            return f"not {_inside(node.operand, _NOT)}", _NOT
        case Junction():
            rank = _WORDS[node.word]
            parts = (_inside(part, rank + 1) for part in node.operands)
            return f" {node.word} ".join(parts), rank
        case Compare():
            sides = (_inside(node.left, _SUM), _inside(node.right, _SUM))
            return f" {node.operator} ".join(sides), _COMPARISON
        case Among():
            return _among(node, "in"), _COMPARISON
        case Conditional():
            return _conditional(node), _CONDITIONAL


def _conditional(node: Conditional) -> str:
    test, then = _inside(node.test, _OR), _inside(node.then, _OR)
    return f"{then} if {test} else {_inside(node.otherwise, _CONDITIONAL)}"


def _among(node: Among, word: str) -> str:
    options = node.options
    table = isinstance(options, Fetched) and options.source.function == "rows"
    right = options.source.argument if isinstance(options, Fetched) and table else written(options)
    return f"{_inside(node.item, _SUM)} {word} {right}"


def _value(node: Node) -> tuple[str, int]:
    match node:
        case Arithmetic(operator="*"):
            left, right = _inside(node.left, _PRODUCT), _inside(node.right, _MINUS)
            return f"{left} * {right}", _PRODUCT
        case Arithmetic():
            left, right = _inside(node.left, _SUM), _inside(node.right, _PRODUCT)
            return f"{left} {node.operator} {right}", _SUM
        case Negative():
            return f"-{_inside(node.operand, _PRIMARY)}", _MINUS
        case Tuple():
            return (
                f"({', '.join(map(written, node.items))}{',' * (len(node.items) == 1)})",
                _PRIMARY,
            )
        case _:
            return _function(node), _PRIMARY


def _function(node: Node) -> str:
    match node:
        case Fetched(source=("members", _)):
            return "members"
        case Fetched(source=(name, argument)):
            return f"{name}('{argument}')" if argument else f"{name}()"
        case Over(word=name, rows=base, body=None):
            return f"{name}({written(base)})"
        case Over(word=name, rows=base, body=body) if body is not None:
            return f"{name}({written(base)}, {written(body)})"
        case _:
            return _plain_call(node)


def _plain_call(node: Node) -> str:
    if isinstance(node, Pick):
        return f"value_of({written(node.choice)})"
    names = {Known: "known", FirstKnown: "first_known"}
    name = node.name if isinstance(node, Call) else names[type(node)]
    return f"{name}({', '.join(map(written, children(node)))})"
