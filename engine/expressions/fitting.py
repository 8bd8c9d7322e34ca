"""Which kinds go together, and what a text literal means beside another kind."""

from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from engine.expressions.faults import nearest
from engine.expressions.kinds import MONEY, TEXT, VALUE_OF_FACT, Kind, decode
from engine.expressions.scope import Scope
from engine.expressions.tree import Conditional, Constant, Node, Tuple

_TEXTS = ("text", "code")
_NUMBERS = ("number", "money")
_ORDERED = ("number", "money", "date", "moment", "clock")
_READ_AS = ("choice", "state", "date", "clock")
_MANY = ("rows", "values", "set")


class Problem(NamedTuple):
    """Why a literal is not what it stands beside."""

    code: str
    message: str


def comparable(one: Kind, other: Kind) -> bool:
    """Tell whether two values can be equal at all (language.md, section 10, types)."""
    if "unknown" in (one.name, other.name):
        return True
    if "value_of" in (one.name, other.name):
        return one.name not in _MANY and other.name not in _MANY
    if one.name == "tuple" == other.name:
        pairs = zip(one.parts, other.parts, strict=False)
        return len(one.parts) == len(other.parts) and all(comparable(*pair) for pair in pairs)
    return _family(one) == _family(other) and _same_list(one, other)


def _family(kind: Kind) -> str:
    return "text" if kind.name in _TEXTS else "number" if kind.name in _NUMBERS else kind.name


def _same_list(one: Kind, other: Kind) -> bool:
    if one.name == "choice":
        return one.of == other.of
    if one.name in ("unit", "batch"):
        return not one.of or not other.of or one.of == other.of
    return one.name not in ("set", "values") or one.parts == other.parts


def ordered(one: Kind, other: Kind) -> bool:
    """Tell whether one value can be before the other."""
    if "unknown" in (one.name, other.name):
        return True
    return one.name in _ORDERED and comparable(one, other)


def joined(one: Kind, other: Kind) -> Kind:
    """Give the kind of a value that is one or the other; they are comparable."""
    if one == other or other.name == "unknown":
        return one
    if "value_of" in (one.name, other.name):
        return VALUE_OF_FACT
    return {"text": TEXT, "code": TEXT, "number": MONEY, "money": MONEY}.get(one.name, other)


def literal(node: Node, kind: Kind, scope: Scope) -> tuple[Node, Problem | None]:
    """Read the text literals in a node as values of a kind; other nodes stay as they are."""
    if isinstance(node, Constant) and node.kind == TEXT and kind.name in _READ_AS:
        problem = _problem(str(node.value), kind, scope)
        return (node, problem) if problem else (_as_kind(node, kind), None)
    if isinstance(node, Conditional):
        then, first = literal(node.then, kind, scope)
        otherwise, second = literal(node.otherwise, kind, scope)
        kinds = then.kind if comparable(then.kind, otherwise.kind) else node.kind
        return replace(node, then=then, otherwise=otherwise, kind=kinds), first or second
    if isinstance(node, Tuple) and len(node.items) == len(kind.parts):
        return _tuple(node, kind, scope)
    return node, None


def _tuple(node: Tuple, kind: Kind, scope: Scope) -> tuple[Node, Problem | None]:
    pairs = zip(node.items, kind.parts, strict=True)
    fitted = [literal(item, part, scope) for item, part in pairs]
    items = tuple(item for item, _ in fitted)
    problem = next((problem for _, problem in fitted if problem), None)
    parts = tuple(item.kind for item in items)
    return replace(node, items=items, kind=replace(node.kind, parts=parts)), problem


def _as_kind(node: Constant, kind: Kind) -> Constant:
    return replace(node, kind=kind, value=decode(kind, str(node.value)) or "")


def _problem(word: str, kind: Kind, scope: Scope) -> Problem | None:
    if kind.name == "choice":
        return _unknown("choice", word, scope.choices.get(kind.of, {}), f"'{kind.of}'")
    if kind.name == "state":
        return _unknown("state", word, kind.words or scope.states, kind.of or "the workflow")
    try:
        decode(kind, word)
    except ValueError as error:
        return Problem("expression", f"This stands beside a {kind}. {error}")
    return None


def _unknown(what: str, word: str, known: Collection[str], where: str) -> Problem | None:
    if word in known:
        return None
    name = "code of the choice list" if what == "choice" else "state of"
    message = f"'{word}' is no {name} {where}.{nearest(word, known)}"
    return Problem(f"unknown-{what}", message)
