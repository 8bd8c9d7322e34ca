"""The kinds of function calls (language.md, section 10, functions)."""

import ast
from collections.abc import Callable, Mapping

from engine.expressions.faults import nearest
from engine.expressions.fitting import comparable, joined
from engine.expressions.functions import (
    ALL_NAMES,
    DOCUMENT_ANSWERS,
    DOCUMENT_ROWS,
    FUNCTIONS,
    HISTORY_ANSWERS,
    OVER_ROWS,
    ROW_SOURCES,
    Registered,
    pattern_fault,
)  # fmt: skip
from engine.expressions.inference import BROKEN, Inference
from engine.expressions.kinds import NUMBER, UNKNOWN, VALUE_OF_FACT, YES_NO, Kind, rows
from engine.expressions.tree import (
    Call,
    Constant,
    Fetched,
    FirstKnown,
    Known,
    Name,
    Node,
    Over,
    Pick,
    Source,
)  # fmt: skip

_NO_SINGLE_VALUE = ("tuple", "rows", "set", "values")


def call(check: Inference, at: ast.expr) -> Node:
    """Check a call: the function is known, has its number of arguments, and each has its kind."""
    if not isinstance(at, ast.Call):
        return BROKEN
    name = check.parsed.source(at.func)
    if special := _SPECIAL.get(name):
        return special(check, at, name)
    function = FUNCTIONS.get(name) or check.scope.functions.get(name)
    if function is None:
        known = [*ALL_NAMES, *check.scope.functions]
        message = f"There is no function '{name}'.{nearest(name, known)}"
        return check.fault(at.func, message, "unknown-function")
    return _plain(check, at, name, function)


def _plain(check: Inference, at: ast.Call, name: str, function: Registered) -> Node:
    if fault := _arity(check, at, name, len(function.takes)):
        return fault
    pairs = zip(at.args, function.takes, strict=True)
    arguments = tuple(check.expect(check.infer(part), kind, part) for part, kind in pairs)
    if name == "matches" and (fault := _pattern(check, at.args[1], arguments[1])):
        return fault
    return Call(name=name, function=function, arguments=arguments, kind=function.gives)


def _arity(check: Inference, at: ast.Call, name: str, wanted: int) -> Constant | None:
    if len(at.args) == wanted:
        return None
    values = "no value" if wanted == 0 else "one value" if wanted == 1 else f"{wanted} values"
    return check.fault(at, f"'{name}' takes {values}, not {len(at.args)}.")


def _pattern(check: Inference, at: ast.expr, pattern: Node) -> Constant | None:
    if not isinstance(pattern, Constant):
        return check.fault(at, "The pattern of 'matches' is written out between quotes.")
    problem = pattern_fault(str(pattern.value))
    return check.fault(at, f"In this pattern {problem}.") if problem else None


# --- rows, documents, history ------------------------------------------------------------------


def _word(check: Inference, at: ast.Call, name: str) -> str | None:
    """Give the one name in quotes a source is called with."""
    if _arity(check, at, name, 1):
        return None
    source = check.parsed.source(at.args[0])
    if isinstance(at.args[0], ast.Constant) and source.startswith("'"):
        return source[1:-1]
    check.fault(at.args[0], f"'{name}' takes a name between quotes.")
    return None


def _rows_of(check: Inference, at: ast.Call, name: str) -> Node:
    if name == "same_person":
        if fault := _arity(check, at, name, 0):
            return fault
        word: str | None = ""
    else:
        word = _word(check, at, name)
    if word is None:
        return BROKEN
    columns = check.scope.rows(name, word)
    if columns is None:
        return check.fault(at, *_no_such_rows(check, name, word))
    return Fetched(source=Source(name, word), kind=rows(columns))


def _no_such_rows(check: Inference, name: str, word: str) -> tuple[str, str]:
    if name == "same_person":
        return "Other records of a person are known only where a student is meant.", "expression"
    what = "table" if name == "rows" else "workflow"
    known = check.scope.tables if name == "rows" else check.scope.workflows
    return f"There is no {what} '{word}' here.{nearest(word, known)}", f"unknown-{what}"


def _document_rows(check: Inference, at: ast.Call, name: str) -> Node:
    return _answer(check, at, name, rows(DOCUMENT_ROWS[name]))


def _answer(check: Inference, at: ast.Call, name: str, kind: Kind = YES_NO) -> Node:
    word = _word(check, at, name)
    if word is None:
        return BROKEN
    what, known = (
        ("trigger", check.scope.triggers) if name == "taken"
        else ("deadline", check.scope.deadlines) if name in HISTORY_ANSWERS
        else ("document", check.scope.documents)
    )  # fmt: skip
    if word not in known:
        message = f"There is no {what} '{word}'.{nearest(word, known)}"
        return check.fault(at.args[0], message, f"unknown-{what}")
    return Fetched(source=Source(name, word), kind=kind)


def _over(check: Inference, at: ast.Call, name: str) -> Node:
    if fault := _arity(check, at, name, 1 if name == "count" else 2):
        return fault
    base = check.infer(at.args[0])
    if base.kind == UNKNOWN:
        return BROKEN
    if base.kind.name != "rows":
        return check.fault(at.args[0], f"'{name}' goes over rows, not over {base.kind}.")
    if name == "count":
        return Over(word=name, rows=base, body=None, kind=NUMBER)
    with check.over(dict(base.kind.columns)):
        body = check.infer(at.args[1])
        if name != "values":
            body = check.expect(body, YES_NO, at.args[1])
        elif body.kind.name in _NO_SINGLE_VALUE:
            return check.fault(at.args[1], f"'values' takes one value of each row, not {body.kind}.")
    kind = {"where": base.kind, "values": Kind(name="values", parts=(body.kind,))}
    return Over(word=name, rows=base, body=body, kind=kind.get(name, YES_NO))


# --- values ------------------------------------------------------------------------------------


def _known(check: Inference, at: ast.Call, name: str) -> Node:
    if fault := _arity(check, at, name, 1):
        return fault
    operand = check.infer(at.args[0])
    if operand.kind.name == "tuple":
        return check.fault(at, "'known' asks about one value.")
    return Known(operand=operand)


def _first_known(check: Inference, at: ast.Call, name: str) -> Node:
    if fault := _arity(check, at, name, 2):
        return fault
    first, second = (check.infer(part) for part in at.args)
    first, second = check.fit_both(first, second, *at.args)
    single = first.kind.name not in _NO_SINGLE_VALUE
    if not single or not comparable(first.kind, second.kind):
        return check.fault(at, f"{first.kind} and {second.kind} are not one kind of value.")
    return FirstKnown(first=first, second=second, kind=joined(first.kind, second.kind))


def _value_of(check: Inference, at: ast.Call, name: str) -> Node:
    if fault := _arity(check, at, name, 1):
        return fault
    chosen = check.infer(at.args[0])
    if chosen.kind == UNKNOWN:
        return BROKEN
    if chosen.kind.name != "choice":
        return check.fault(at, f"'value_of' takes a choice whose codes are facts, not {chosen.kind}.")
    codes = tuple(check.scope.choices.get(chosen.kind.of, {}))
    facts = check.scope.names
    if strangers := [code for code in codes if code not in facts]:
        listed = ", ".join(strangers)
        message = f"Codes of '{chosen.kind.of}' that are no facts: {listed}."
        return check.fault(at, message + nearest(strangers[0], facts), "unknown-fact")
    options = tuple((code, Name(kind=facts[code], key=code)) for code in codes)
    kinds = {option.kind for _, option in options}
    return Pick(choice=chosen, options=options, kind=kinds.pop() if len(kinds) == 1 else VALUE_OF_FACT)


_SPECIAL: Mapping[str, Callable[[Inference, ast.Call, str], Node]] = {
    **dict.fromkeys(ROW_SOURCES, _rows_of),
    **dict.fromkeys(DOCUMENT_ROWS, _document_rows),
    **dict.fromkeys((*DOCUMENT_ANSWERS, *HISTORY_ANSWERS), _answer),
    **dict.fromkeys(OVER_ROWS, _over),
    "known": _known,
    "first_known": _first_known,
    "value_of": _value_of,
}
