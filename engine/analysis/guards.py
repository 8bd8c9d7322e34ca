"""Guards as logic: rules that never hold or never fail, and branches that overlap or leave somebody out.

Two steps out of one state are branches if one asks (`guards`) what the other excludes (`unless`). Each fault comes
with a sample student; where rows, documents or calendars have a say, nothing is claimed and that is said.
Needs the extra `analysis` (z3). Source: the definition language, sections 5, 10 and 13.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import z3

from engine.analysis.logic import Formulas, Valued
from engine.analysis.rules import Rules
from engine.checking.names import machine_rules
from engine.checking.subjects import Complaint, Subject, conditions, subjects
from engine.definition import Transition
from engine.expressions.kinds import show
from engine.library import Library
from engine.loading.positions import Finding
from engine.vocabulary import Rule

_PATIENCE_MS = 3000
"""How long one question may take; beyond it is not decided."""


class Verdict(NamedTuple):
    """A rule as formulas: when it holds (or does not apply), and when it fails; else it is undecided."""

    holds: z3.BoolRef
    fails: z3.BoolRef


class Answer(NamedTuple):
    """What the solver said: whether somebody exists (None: not decided), and who."""

    exists: bool | None
    sample: tuple[str, ...] = ()


def examine_guards(library: Library) -> Iterator[Complaint]:
    """Every fault of the rules and branches of a library, each rule once."""
    seen = set[tuple[str, int]]()
    for subject in subjects(library):
        questions = Questions(subject)
        rules = conditions((name for name, _ in machine_rules(subject.machine)), subject.library.rulebook.rules)
        for name, rule in rules.items():
            if (name, id(rule)) not in seen and rule.of == "case":
                seen.add((name, id(rule)))
                yield from _profiled(subject, questions.rule(name, rule))
        yield from _profiled(subject, questions.branches())


def _profiled(subject: Subject, found: Iterable[Complaint]) -> Iterator[Complaint]:
    return (replace(one, profile=subject.definition.profile) for one in found)


class Questions:
    """What is asked of the rules and steps of one machine."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.rules = Rules(subject=subject)

    # --- one rule --------------------------------------------------------------------------------

    def rule(self, name: str, rule: Rule) -> Iterator[Complaint]:
        """`never-holds`, `never-fails`: no student passes it, or none is ever refused by it."""
        formulas = self._formulas()
        verdict = self._verdict(formulas, rule)
        if verdict is None:
            return
        if _exists(formulas, [verdict.holds]) is False:
            sample = self._ask(formulas, [z3.Not(verdict.holds)]).sample
            yield _of_rule(name, "never-holds", "nobody can pass it; for example:", sample)
        elif _exists(formulas, [verdict.fails], closed=False) is False:
            sample = self._ask(formulas, [verdict.holds]).sample
            yield _of_rule(name, "never-fails", "it refuses nobody who is known; for example:", sample)

    # --- two branches ----------------------------------------------------------------------------

    def branches(self) -> Iterator[Complaint]:
        """`overlap`, `gap`: of two steps out of one state, both are open to somebody, or neither is."""
        steps = self.subject.machine.transitions
        for trigger, one in steps.items():
            for other_trigger, other in steps.items():
                shared = set(self.rules.atoms(one.guards)) & set(self.rules.atoms(other.unless))
                origins = [state for state in one.origins if state in other.origins]
                if trigger != other_trigger and shared and origins and one.targets != other.targets:
                    yield from self._pair(trigger, other_trigger, origins[0], shared)

    def _pair(self, trigger: str, other_trigger: str, state: str, shared: set[str]) -> Iterator[Complaint]:
        steps = self.subject.machine.transitions
        one, other = steps[trigger], steps[other_trigger]
        formulas = self._formulas()
        verdicts = self._verdicts(formulas, one, other)
        opened = [self._open(formulas, verdicts, step) for step in (one, other)]
        here = formulas.state("case.state", state)
        both = self._ask(formulas, [here, *opened])
        ready = self._ready(formulas, verdicts, (one, other), shared)
        neither = self._ask(formulas, [here, *ready, *(z3.Not(step) for step in opened)])
        for code, answer, words in (("overlap", both, "are both open"), ("gap", neither, "are both closed")):
            message = f"'{trigger}' and '{other_trigger}' {words} to somebody; for example:"
            if answer.exists is not False:
                yield self._of_branch(code, answer, other_trigger, message)

    def _ready(
        self, formulas: Formulas, verdicts: dict[str, Verdict], pair: tuple[Transition, Transition], shared: set[str]
    ) -> list[z3.BoolRef]:
        """Somebody of whom all is known, who has mended what can be mended and has what both steps ask."""
        rules = self.subject.library.rulebook.rules
        asked = [set(self.rules.atoms(step.guards)) for step in pair]
        mended = {name for name in asked[0] | asked[1] if rules[name].remedy is not None} | (asked[0] & asked[1])
        decided = [z3.Or(one.holds, one.fails) for one in verdicts.values()]
        offered = [self._offered(formulas, step) for step in pair]
        return [*decided, *offered, *(verdicts[name].holds for name in mended - shared if name in verdicts)]

    def _open(self, formulas: Formulas, verdicts: dict[str, Verdict], step: Transition) -> z3.BoolRef:
        guards = [verdicts[name].holds for name in self.rules.atoms(step.guards) if name in verdicts]
        unless = [verdicts[name] for name in self.rules.atoms(step.unless) if name in verdicts]
        decided = [z3.Or(one.holds, one.fails) for one in unless]
        fails = [z3.Or(*(one.fails for one in unless))] if unless else []
        return z3.And(self._offered(formulas, step), *guards, *decided, *fails)

    def _offered(self, formulas: Formulas, step: Transition) -> z3.BoolRef:
        tree = self.rules.tree(step.applies) if step.applies is not None else None
        if tree is None:
            return z3.BoolVal(val=True)
        valued = formulas.of(tree)
        return z3.Not(z3.And(valued.known, z3.Not(valued.value)))

    def _verdicts(self, formulas: Formulas, *steps: Transition) -> dict[str, Verdict]:
        names = {name for step in steps for name in self.rules.atoms((*step.guards, *step.unless))}
        rules = self.subject.library.rulebook.rules
        found = {name: self._verdict(formulas, rules[name]) for name in sorted(names)}
        return {name: one for name, one in found.items() if one is not None}

    # --- asking ----------------------------------------------------------------------------------

    def _formulas(self) -> Formulas:
        return Formulas(choices=self.subject.scope.choices)

    def _verdict(self, formulas: Formulas, rule: Rule) -> Verdict | None:
        trees = self.rules.trees_of(rule)
        if trees is None:
            return None
        always = Valued(z3.BoolVal(val=True), z3.BoolVal(val=True))
        applies, holds = (always if tree is None else formulas.of(tree) for tree in trees)
        true = z3.And(holds.known, holds.value)
        passed = z3.Or(z3.And(applies.known, z3.Not(applies.value)), true)
        return Verdict(passed, z3.And(applies.known, applies.value, holds.known, z3.Not(holds.value)))

    def _ask(self, formulas: Formulas, wanted: list[z3.BoolRef]) -> Answer:
        """Whether somebody exists of whom all this is true; not decided if it hangs on what could not be said."""
        model = _model(formulas, wanted, usual=True) or _model(formulas, wanted, usual=False)
        if model is None:
            return Answer(_exists(formulas, wanted))
        return Answer(None if formulas.opaque else True, tuple(self._sample(formulas, model)))

    def _sample(self, formulas: Formulas, model: z3.ModelRef) -> Iterator[str]:
        for key, (kind, _) in formulas.variables.items():
            zh, en = self._title(key)
            value = formulas.read(key, model)
            shown = [show(kind, value, lang, self.subject.scope.choices) for lang in ("zh", "en")]  # type: ignore[arg-type]
            yield f"{zh}：{shown[0]} · {en}: {shown[1]}"

    def _title(self, key: str) -> tuple[str, str]:
        vocabulary = self.subject.library.rulebook.vocabulary
        group, _, name = key.rpartition(".")
        found = vocabulary.student.get(key) if not group else None
        title = found.title if found is not None else None
        if group == "case" and name in self.subject.machine.fields:
            title = self.subject.machine.fields[name].title
        return (title.zh, title.en) if title is not None else (key, key)

    def _of_branch(self, code: str, answer: Answer, trigger: str, message: str) -> Complaint:
        if answer.exists:
            return replace(self.subject.says_of(code, message, "transitions", trigger), story=answer.sample)
        text = f"{code} of branches: it hangs on rows, documents, history or the calendar."
        complaint = self.subject.says_of("not-decided", text, "transitions", trigger)
        return replace(complaint, finding=replace(complaint.finding, is_warning=True))


def _of_rule(name: str, code: str, message: str, sample: tuple[str, ...]) -> Complaint:
    finding = Finding(code=code, message=f"{message}" if sample else message.replace("; for example:", "."))
    return Complaint(tree="rules", path=(name,), finding=finding, at_key=True, story=sample)


def _exists(formulas: Formulas, wanted: list[z3.BoolRef], *, closed: bool = True) -> bool | None:
    solver = z3.Solver()
    solver.set("timeout", _PATIENCE_MS)
    solver.add(*formulas.limits(closed=closed), *wanted)
    found = solver.check()
    return None if found == z3.unknown else bool(found == z3.sat)


def _model(formulas: Formulas, wanted: list[z3.BoolRef], *, usual: bool) -> z3.ModelRef | None:
    solver = z3.Solver()
    solver.set("timeout", _PATIENCE_MS)
    solver.add(*formulas.limits(usual=usual), *wanted)
    return solver.model() if solver.check() == z3.sat else None
