"""Text → Python syntax tree, through an allow-list (language.md, section 10)."""

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from keyword import iskeyword

from engine.expressions.faults import ExpressionFault

MOST_NODES = 500
MOST_DEPTH = 40  # Python's own parser gives up at 200 brackets; a compiled level needs up to four
_LONGEST_TEXT = 10_000
_MOST_DIGITS = 15  # numbers stay below 2^53
_TOKEN = re.compile(
    r"(?P<space>[ \n]+)|(?P<text>'[^'\\\n]*')|(?P<number>[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>==|!=|<=|>=|[<>+\-().,]|\*(?!\*))"
)
_OWN_WORDS = frozenset({"and", "or", "not", "in", "if", "else"})
_ALLOWED = (
    ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.IfExp, ast.Call, ast.Name, ast.Attribute,
    ast.Constant, ast.Tuple,
)  # fmt: skip
_OPERATORS = (
    ast.And, ast.Or, ast.Not, ast.USub, ast.Add, ast.Sub, ast.Mult, ast.Eq, ast.NotEq, ast.Lt,
    ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A text with its syntax tree; `tree` is `None` where there are faults."""

    text: str
    tree: ast.expr | None
    faults: tuple[ExpressionFault, ...] = ()

    def offset(self, node: ast.expr) -> int:
        """Count the characters before a node."""
        return self._characters(node.col_offset)

    def source(self, node: ast.expr) -> str:
        """Give the node's own text."""
        return self.text[self.offset(node) : self._characters(node.end_col_offset or 0)]

    def _characters(self, octets: int) -> int:
        # Python counts the bytes of the text it parsed, which has a bracket before ours.
        return len(self.text.encode()[: octets - 1].decode())


@lru_cache(maxsize=4096)
def parse(text: str) -> Parsed:
    """Parse a text, or say all that keeps it from being an expression; nothing of it runs.

    A text is parsed once: profiles share most of theirs.
    """
    text = text.rstrip()
    if faults := tuple(_scan(text)):
        return Parsed(text=text, tree=None, faults=faults)
    text = text.replace("\n", " ")  # places are counted in one line
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = ast.parse(f"({_as_python(text)})", mode="eval").body
    except SyntaxError as error:
        offset = min(max((error.offset or 2) - 2, 0), len(text))
        return _refused(text, "The expression breaks off or does not fit together here.", offset)
    except (Warning, RecursionError, MemoryError):
        return _refused(text, "The expression is nested too deeply; name its parts with let.", 0)
    parsed = Parsed(text=text, tree=tree)
    if faults := tuple(_refusals(parsed)):
        return Parsed(text=text, tree=None, faults=faults)
    return parsed


def _refused(text: str, message: str, offset: int) -> Parsed:
    return Parsed(text=text, tree=None, faults=(_fault(message, offset),))


def _fault(message: str, offset: int) -> ExpressionFault:
    return ExpressionFault(code="expression", message=message, offset=offset)


# --- letters -----------------------------------------------------------------------------------


def _scan(text: str) -> Iterator[ExpressionFault]:
    """Find what is no token of the grammar: nothing else ever reaches Python's parser."""
    if not text.strip():
        yield _fault("The expression is empty.", 0)
    if len(text) > _LONGEST_TEXT:
        yield _fault(f"The expression is longer than {_LONGEST_TEXT} characters.", _LONGEST_TEXT)
        return
    offset, before, depth = 0, "", 0
    while offset < len(text):
        token = _TOKEN.match(text, offset)
        if token is None:
            yield _fault(_stranger(text[offset]), offset)
            return
        if message := _touching(before, token.lastgroup or ""):
            yield _fault(message, offset)
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if not 0 <= depth <= MOST_DEPTH:
            yield _fault("A bracket too many." if depth < 0 else "Too many brackets.", offset)
            return
        before = token.lastgroup or ""
        offset = token.end()


def _stranger(letter: str) -> str:
    if letter == "'":
        return "A text begins here and does not end, or holds a backslash or a line break."
    if letter in '"`“”‘’':
        return "Write a text between single quotes: 'text'."
    if letter == "=":
        return "Compare with '=='."
    if letter == "#":
        return "An expression has no comments; write them in the file beside it."
    if not letter.isascii():
        return f"Outside quotes only plain letters are read, not '{letter}'."
    return f"'{letter}' has no meaning here."


def _touching(before: str, group: str) -> str:
    if group == "text" and before == "name":
        return "A text has no letters before its quote."
    if before == "number" and group == "name":
        return "A number is written in plain digits, like 12 or 12.50."
    return "Two texts stand side by side; join them with +." if before == group == "text" else ""


def _as_python(text: str) -> str:
    """Hide words that only Python reserves; `class` is a kind of unit here."""
    return _TOKEN.sub(_as_name, text)


def _as_name(token: re.Match[str]) -> str:
    word = token[0]
    if token.lastgroup == "name" and iskeyword(word) and word not in _OWN_WORDS:
        return word.swapcase()
    return word


# --- nodes -------------------------------------------------------------------------------------


def _refusals(parsed: Parsed) -> Iterator[ExpressionFault]:
    if parsed.tree is None:
        return
    count = 0
    waiting = [(parsed.tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if count > MOST_NODES or depth > MOST_DEPTH:
            yield _fault(too_large(), 0)
            return
        if message := _refusal(parsed, node):
            yield _fault(message, parsed.offset(node))
            continue
        waiting += [(part, depth + 1) for part in _parts(node)]


def too_large() -> str:
    """Say how large an expression may be."""
    return (
        f"The expression has more than {MOST_NODES} parts or is nested deeper than {MOST_DEPTH}; make two rules of it."
    )


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    function = node.func if isinstance(node, ast.Call) else None
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.expr) and part is not function:
            yield part


def _refusal(parsed: Parsed, node: ast.expr) -> str:
    if not isinstance(node, _ALLOWED) or not all(
        isinstance(part, (*_OPERATORS, ast.expr, ast.expr_context)) for part in ast.iter_child_nodes(node)
    ):
        return "This is no part of the language."
    check = _CHECKS.get(type(node))
    return check(parsed, node) if check else ""


def _check_name(parsed: Parsed, node: ast.expr) -> str:
    if parsed.source(node).startswith("_"):
        return "A name begins with a letter."
    return ""


def _check_attribute(parsed: Parsed, node: ast.expr) -> str:
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return "One dot follows a bare name, as in case.batch."
    return "A name begins with a letter." if attribute(parsed, node).startswith("_") else ""


def attribute(parsed: Parsed, node: ast.Attribute) -> str:
    """Give the name after the dot as it was written."""
    return parsed.source(node)[-len(node.attr) :]


def _check_call(_parsed: Parsed, node: ast.expr) -> str:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return "Only a function can be called, by its name."
    return "Give arguments by their place, not by name." if node.keywords else ""


def _check_constant(parsed: Parsed, node: ast.expr) -> str:
    source = parsed.source(node)
    if not re.fullmatch(r"'[^']*'|[0-9]+(\.[0-9]+)?", source):
        return "Write true or false, a plain number, or a text between single quotes."
    if not source.startswith("'") and len(source.replace(".", "")) > _MOST_DIGITS:
        return f"A number has at most {_MOST_DIGITS} digits."
    return ""


def _check_minus(parsed: Parsed, node: ast.expr) -> str:
    twice = re.match(r"- *-", parsed.source(node))
    return "One minus is enough." if twice else ""


def _check_tuple(_parsed: Parsed, node: ast.expr) -> str:
    return "" if isinstance(node, ast.Tuple) and node.elts else "Empty brackets hold no value."


_CHECKS = {
    ast.Name: _check_name, ast.Attribute: _check_attribute, ast.Call: _check_call,
    ast.Constant: _check_constant, ast.UnaryOp: _check_minus, ast.Tuple: _check_tuple,
}  # fmt: skip
