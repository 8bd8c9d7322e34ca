"""Rules as guards: compiled for one kind of case, asked with what is known, answered with verdicts people can read.

Pure. A guard asks for named values (`reads`) and gets them passed in; what it saw is recorded by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.definition import Bilingual
from engine.expressions.compiling import Expression, compile_expression
from engine.expressions.generating import compiled
from engine.expressions.kinds import YES_NO, Lang, Titles, Value, show
from engine.expressions.scope import Scope
from engine.expressions.verdicts import compile_verdict
from engine.records import Outcome, Sentence, Verdict
from engine.vocabulary import Rule

_PLACEHOLDER = re.compile(r"\{([a-z_][a-z_0-9]*(?:\.[a-z_][a-z_0-9]*)?)\}")
UNDECIDED_SENTENCE = Sentence(zh="尚缺：", en="Not known: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One rule, compiled in the scope of one workflow.

    `ask` takes the values of `reads` in order (None: not known) and returns the number of an `Outcome`.
    `shown` has an expression for every placeholder of the rule's sentence; they are evaluated only when it is read.
    """

    name: str
    rule: Rule
    reads: tuple[str, ...]
    ask: Callable[..., int]
    expressions: tuple[Expression, ...]
    shown: Mapping[str, Expression]

    @property
    def id(self) -> str:
        """The catalogue's id, which answers and audits go by."""
        return self.rule.id or self.name


def flatten(names: Iterable[str], rules: Mapping[str, Rule]) -> tuple[str, ...]:
    """The rules behind names, sets replaced by their rules, each once, in the order written."""
    found: dict[str, None] = {}
    for name in names:
        rule = rules[name]
        found.update(dict.fromkeys(flatten(rule.all_of, rules) if rule.all_of else (name,)))
    return tuple(found)


def compile_guard(name: str, rule: Rule, scope: Scope, derived: Mapping[str, str]) -> Guard:
    """A rule as a guard within `scope`.

    Args:
        name: The rule's name in its file.
        rule: A single rule, not a set.
        scope: What names mean for the cases it will be asked about.
        derived: Facts that are computed instead of stored, as expressions.

    Raises:
        ExpressionFaults: If an expression of the rule does not fit the scope.
    """
    lets = {**derived, **rule.let}
    applies = compile_expression(rule.applies, scope, lets, YES_NO) if rule.applies else None
    holds = compile_expression(rule.holds or "true", scope, lets, YES_NO)
    asked = compile_verdict(applies, holds, calendar=scope.calendar)
    return Guard(
        name=name,
        rule=rule,
        reads=asked.reads,
        ask=asked.ask,
        expressions=(holds,) if applies is None else (applies, holds),
        shown=_shown(rule, scope, lets),
    )


def asking(guards: Sequence[Guard]) -> Callable[[Mapping[str, Value | None]], list[int]]:
    """One function that asks rules one after the other of the same values and lists their answers, as `Outcome`."""
    calls = [f"ask{place}({', '.join(f'v[{key!r}]' for key in guard.reads)})" for place, guard in enumerate(guards)]
    asked = {f"ask{place}": guard.ask for place, guard in enumerate(guards)}
    return compiled(("v",), (f"return [{', '.join(calls)}]",), asked)


def placeholders(text: Bilingual) -> tuple[str, ...]:
    """The names in braces in either language of a sentence."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(text.zh) + _PLACEHOLDER.findall(text.en)))


def _shown(rule: Rule, scope: Scope, lets: Mapping[str, str]) -> Mapping[str, Expression]:
    """`show` names win over the scope; `{batch}` is the case's batch."""
    if rule.otherwise is None:
        return {}
    known = {**lets, **{name: text for name, text in rule.show.items() if text != name}}  # a `let` shown as it is
    return {
        name: compile_expression("case.batch" if name == "batch" else name, scope, known)
        for name in placeholders(rule.otherwise)
    }


def explain(guard: Guard, outcome: Outcome, values: Mapping[str, Value | None], readers: Readers) -> Verdict:
    """The verdict of a guard with its sentence: why it fails, or what is missing.

    `values` must hold what the guard reads; what only its sentence reads may be missing and is then shown as such.
    """
    rule = guard.rule
    if outcome is Outcome.UNDECIDED:
        sentence = readers.missing([key for key in guard.reads if values.get(key) is None], rule.title)
    else:
        sentence = readers.fill(rule.otherwise, guard.shown, values)
    return judged(guard.name, rule, outcome, sentence)


def judged(name: str, rule: Rule, outcome: Outcome, sentence: Sentence) -> Verdict:
    """A verdict under a rule, with the rule's own title, remedy and source."""
    title = rule.title
    return Verdict(
        rule=name,
        id=rule.id or name,
        outcome=outcome,
        title=Sentence(zh=title.zh, en=title.en) if title else Sentence(zh=name, en=name),
        sentence=sentence,
        remedy_by=rule.remedy.by if rule.remedy else None,
        remedy=Sentence(zh=rule.remedy.zh, en=rule.remedy.en) if rule.remedy else None,
        source=rule.source,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """How values and missing values read in sentences: titles by key, choices by code."""

    titles: Mapping[str, Bilingual]
    choices: Titles

    def missing(self, keys: Iterable[str], rule: Bilingual | None) -> Sentence:
        """The sentence of an undecided rule: what is not known, by title; a look at other cases goes by the rule's."""
        titles = [self.titles.get(key) or rule or Bilingual(zh=key, en=key) for key in keys]
        return Sentence(
            zh=UNDECIDED_SENTENCE.zh + "、".join(dict.fromkeys(one.zh for one in titles)),
            en=UNDECIDED_SENTENCE.en + ", ".join(dict.fromkeys(one.en for one in titles)),
        )

    def fill(
        self, text: Bilingual | None, shown: Mapping[str, Expression], values: Mapping[str, Value | None]
    ) -> Sentence:
        """A sentence with its placeholders filled; plain names only, never `str.format` (it reaches attributes)."""
        if text is None:
            return Sentence(zh="", en="")
        known = {name: (one.kind, one.evaluate(_only(one, values))) for name, one in shown.items()}

        def put(lang: Lang) -> Callable[[re.Match[str]], str]:
            return lambda match: show(*known[match.group(1)], lang, self.choices)

        return Sentence(zh=_PLACEHOLDER.sub(put("zh"), text.zh), en=_PLACEHOLDER.sub(put("en"), text.en))


def _only(expression: Expression, values: Mapping[str, Value | None]) -> Mapping[str, Value | None]:
    return {key: values.get(key) for key in expression.reads}


def plain_sentence(text: Bilingual | None, words: Mapping[str, str]) -> Sentence:
    """An engine rule's sentence filled with ready words."""
    if text is None:
        return Sentence(zh="", en="")

    def put(match: re.Match[str]) -> str:
        return words.get(match.group(1), match.group(0))

    return Sentence(zh=_PLACEHOLDER.sub(put, text.zh), en=_PLACEHOLDER.sub(put, text.en))
