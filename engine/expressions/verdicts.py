"""`applies` and `holds` of a rule as one function with four answers."""

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.expressions.compiling import Expression, Reading, direct_reads
from engine.expressions.functions import Calendar
from engine.expressions.generating import Code, compiled, is_total, kleene, plain

HOLDS = 0
FAILS = 1
UNDECIDED = 2
NOT_APPLICABLE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A rule ready to be asked.

    Attributes:
        reads: Keys of `seen` it needs, each once, in order of first use.
        readings: Those of the reads that are calls on rows, documents or history.
        ask: Takes the values of `reads` in order (`None` is missing) and, by keyword, the
            `calendar` (default: the one it was compiled with); gives `HOLDS`, `FAILS`, `UNDECIDED` or `NOT_APPLICABLE`.
    """

    reads: tuple[str, ...]
    readings: tuple[Reading, ...]
    ask: Callable[..., int] = field(compare=False, repr=False)


def compile_verdict(applies: Expression | None, holds: Expression, *, calendar: Calendar | None = None) -> Asked:
    """Compile a rule (language.md, section 10, Kleene).

    Not applicable if `applies` is false, else the value of `holds`; with `applies` undecided only
    a true `holds` is decided.
    """
    asked = (holds,) if applies is None else (applies, holds)
    trees = [expression.tree for expression in asked]
    parameters = direct_reads(*trees)
    code = Code(parameters=parameters)
    body = _careful(*(kleene(tree, code) for tree in trees))
    if all(is_total(tree) for tree in trees):
        fast = _fast(*(plain(tree, code) for tree in trees))
        missing = " or ".join(f"{name} is None" for name in parameters.values())
        body = [f"if {missing}:", *(f"    {line}" for line in body), fast] if missing else [fast]
    readings = {reading.key: reading for expression in asked for reading in expression.readings}
    return Asked(
        reads=tuple(parameters),
        readings=tuple(readings.values()),
        ask=compiled(tuple(parameters.values()), body, code.namespace, calendar),
    )


def _careful(*conditions: str) -> list[str]:
    holds = conditions[-1]
    if len(conditions) == 1:
        return [f"t = {holds}", f"return {UNDECIDED} if t is None else {HOLDS} if t else {FAILS}"]
    return [
        f"a = {conditions[0]}",
        f"if a is False: return {NOT_APPLICABLE}",
        f"t = {holds}",
        f"if t is True: return {HOLDS}",
        f"return {UNDECIDED} if a is None or t is None else {FAILS}",
    ]


def _fast(*conditions: str) -> str:
    verdict = f"{HOLDS} if {conditions[-1]} else {FAILS}"
    if len(conditions) == 1:
        return f"return {verdict}"
    return f"return ({verdict}) if {conditions[0]} else {NOT_APPLICABLE}"
