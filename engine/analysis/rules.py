"""The rules and conditions of one machine, answered from a case's own fields wherever those decide.

What they do not decide is free: it may hold or fail, but one rule is one rule within one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property

from engine.analysis.deciding import FREE, Known, decide
from engine.checking.subjects import Subject, conditions
from engine.checking.texts import derived
from engine.definition import Transition
from engine.expressions.compiling import compile_expression
from engine.expressions.faults import ExpressionFaults
from engine.expressions.tree import Node, names
from engine.vocabulary import Rule


class Answer(Enum):
    """What a rule says, as far as it is decided; not applicable counts as held."""

    HOLDS = auto()
    FAILS = auto()
    UNDECIDED = auto()
    OPEN = auto()


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Rules and expressions as one machine asks them; without slots, because trees are kept."""

    subject: Subject

    def answer(self, name: str, known: Known) -> Answer:
        """What one rule says of a case of which only `known` is known."""
        pair = self._trees.get(name)
        if pair is None:
            return Answer.OPEN
        applies, holds = (True if tree is None else decide(tree, known) for tree in pair)
        if applies is False or (holds is True and applies is not FREE):
            return Answer.HOLDS
        if holds is True:
            return Answer.HOLDS  # held where it applies, and counted as held where it does not
        if FREE in (applies, holds):
            return Answer.OPEN
        return Answer.FAILS if applies is True and holds is False else Answer.UNDECIDED

    def atoms(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The single rules behind names."""
        if names not in self._atoms:
            self._atoms[names] = tuple(conditions(names, self.subject.library.rulebook.rules))
        return self._atoms[names]

    def may_pass(self, transition: Transition, known: Known) -> bool:
        """Whether the rules of a step can all be satisfied at once."""
        if transition.applies is not None and self.value(transition.applies, known) is False:
            return False
        guards = self.atoms(transition.guards)
        if any(self.answer(name, known) in {Answer.FAILS, Answer.UNDECIDED} for name in guards):
            return False
        unless = {name: self.answer(name, known) for name in self.atoms(transition.unless)}
        if Answer.UNDECIDED in unless.values():
            return False
        may_fail = (one is Answer.FAILS or (one is Answer.OPEN and name not in guards) for name, one in unless.items())
        return not unless or any(may_fail)

    def value(self, text: str, known: Known) -> object:
        """What an expression of the machine comes to."""
        tree = self.tree(text)
        return FREE if tree is None else decide(tree, known)

    def tree(self, text: str) -> Node | None:
        """An expression of the machine, checked; None if it does not fit (which is another fault)."""
        if text not in self._expressions:
            self._expressions[text] = self._compiled(text, {})
        return self._expressions[text]

    def reads(self) -> frozenset[str]:
        """Every key that a rule or a condition of the machine reads, or that a step sets such a key from."""
        trees = [tree for pair in self._trees.values() for tree in pair if tree is not None]
        trees += [tree for text in _conditions(self.subject) if (tree := self.tree(text)) is not None]
        found = {key for tree in trees for key in names(tree)}
        steps = self.subject.machine.transitions.values()
        assigned = [(target, text) for one in steps for target, text in one.assigns.items() if text is not None]
        for _ in assigned:  # as often as one assignment can feed another
            sources = [tree for target, text in assigned if target in found and (tree := self.tree(text)) is not None]
            found |= {key for tree in sources for key in names(tree)}
        return frozenset(found)

    def trees_of(self, rule: Rule) -> tuple[Node | None, Node | None] | None:
        """`applies` and `holds` of a rule, checked; None if it does not fit this machine (which is another fault)."""
        texts = (rule.applies, rule.holds)
        applies, holds = (None if text is None else self._compiled(text, rule.let) for text in texts)
        broken = (applies is None and rule.applies) or (holds is None and rule.holds)
        return None if broken else (applies, holds)

    @cached_property
    def _trees(self) -> Mapping[str, tuple[Node | None, Node | None]]:
        """The rules that may be decided by the case alone; the others are always open."""
        asked = [name for one in self.subject.machine.transitions.values() for name in _asked(one)]
        found = conditions(dict.fromkeys(asked), self.subject.library.rulebook.rules)
        pairs = {name: self.trees_of(rule) for name, rule in found.items() if _may_be_own(rule)}
        return {name: pair for name, pair in pairs.items() if pair is not None}

    def _compiled(self, text: str, lets: Mapping[str, str]) -> Node | None:
        try:
            return compile_expression(text, self.subject.scope, {**derived(self.subject.library), **lets}).tree
        except ExpressionFaults:
            return None

    @cached_property
    def _atoms(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        return {}

    @cached_property
    def _expressions(self) -> dict[str, Node | None]:
        return {}


def _asked(transition: Transition) -> Iterable[str]:
    slots = transition.sign.slots.values() if transition.sign is not None else ()
    return (*transition.guards, *transition.unless, *(name for slot in slots for name in slot.guards))


def _may_be_own(rule: Rule) -> bool:
    """Cheap: a rule that names no field of its case, and is no constant, is open without being read."""
    text = " ".join((rule.applies or "", rule.holds or "true", *rule.let.values()))
    return (
        "case." in text
        or "record.state" in text
        or not any(word.isidentifier() and word not in {"true", "false"} for word in text.split())
    )


def _conditions(subject: Subject) -> Iterable[str]:
    """The conditions of a machine that are no rules: `applies`, of steps and of slots, and invariants."""
    for one in subject.machine.transitions.values():
        slots = one.sign.slots.values() if one.sign is not None else ()
        yield from (text for text in (one.applies, *(slot.applies for slot in slots)) if text is not None)
    yield from (one.holds for one in subject.machine.invariants.values() if one.holds is not None)
