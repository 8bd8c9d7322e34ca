"""What is upheld while a case is worked: the definition's invariants, and who writes which fact.

Only what a step could break is asked (`engine.stakes`). What changes behind a case's back, a fact taken in by a sheet
or another case, is found by the audit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from engine.definition import Who
from engine.expressions.kinds import Value
from engine.records import Moved, Verdict
from engine.rights import Sight
from engine.stakes import Condition, Order
from engine.step import Step
from engine.steps import Machine
from engine.writers import may_write, not_a_writer


def left_for_good(machine: Machine, state: str, target: str) -> Iterator[Verdict]:
    """A state that is never left (`never_left`) is about to be left."""
    name = machine.stakes.never_left(state) if target != state else None
    if name is not None:
        verdict = machine.engine_verdict("never-left", state=machine.state_title(state), what=name)
        yield replace(verdict, id=name)


def skipped(machine: Machine, orders: Iterable[Order], step: Step, sight: Sight) -> Iterator[Verdict]:
    """Steps that come before this one (`in_order`) and have not been taken."""
    taken = sight.steps_taken()
    for order in orders:
        reached = order.reached(taken)
        if order.is_early(step.trigger, reached):
            missing = machine.titles_of([order.triggers[reached]])
            verdict = machine.engine_verdict("out-of-order", missing=missing, what=order.name)
            yield replace(verdict, id=order.name)


def broken(machine: Machine, conditions: Sequence[Condition], moved: Moved, sight: Sight) -> Iterator[Verdict]:
    """Conditions (`holds`) that are false of the case as the step leaves it; undecided is not false."""
    after = sight.after(moved.case, moved.facts) if conditions else sight
    for one in conditions:
        if one.expression.evaluate(machine.decoded(after.see((), one.expression.reads))) is False:
            words = {"step": machine.titles_of([moved.trigger]), "what": one.name, "holds": one.text}
            yield replace(machine.engine_verdict("invariant-kept", **words), id=one.name)


def held_by_others(machine: Machine, moved: Moved, sight: Sight) -> Iterator[Verdict]:
    """Facts about to be written that belong to one person only, and that another student has already."""
    for one in sight.taken_elsewhere(moved.facts) if moved.facts else ():
        yield machine.engine_verdict("fact-taken", what=machine.title(one))


def not_theirs(machine: Machine, step: Step, who: Who, values: Mapping[str, Value | None]) -> Iterator[Verdict]:
    """Facts that a step sets and that those who take it as `who` do not write (`written_by`)."""
    for fact, roles, key in step.closed:
        if (key is None or values.get(key) == fact) and not may_write(who, step.transition, roles):
            yield not_a_writer(machine.book, machine.book.vocabulary.student[fact], roles)
