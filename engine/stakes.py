"""What each step of a definition could break of its `invariants`, worked out once, so that the other steps ask nothing.

`xueji check` proves invariants over every story, yet a guard may rest on what only the moment of work knows. Pure.
Source: the definition language, section 3 (`invariants`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from engine.analysis.deciding import FREE, decide
from engine.definition import NEW, Definition, MachineFile, MoveKind
from engine.expressions.compiling import Expression
from engine.expressions.functions import DOCUMENT_ANSWERS, DOCUMENT_ROWS
from engine.step import Assignment, Step

Taken = Sequence[tuple[str, str]]
"""The steps a case has taken, oldest first: trigger (empty: it was moved to another version) and state then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A `holds` of the definition, compiled; `own` are the keys it reads, `functions` what it asks beside."""

    name: str
    text: str
    expression: Expression
    own: frozenset[str]
    functions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An `in_order` of the definition: its triggers with the states each leads out of."""

    name: str
    triggers: tuple[str, ...]
    origins: tuple[tuple[str, ...], ...]
    since: str | None

    def after(self, reached: int, state: str, step: tuple[str, str]) -> int:
        """How far the order has come after a step out of a state: trigger, and the state it led to.

        From `since` counting starts anew; a step of the order taken again, or a way back, takes later steps back.
        """
        trigger, to = step
        if to in (self.since, NEW) and to != state:
            return 0
        if not trigger:
            return len(self.triggers)
        if trigger in self.triggers[: reached + 1]:
            return self.triggers.index(trigger) + 1
        return reached if to == state else self.entered(reached, to)

    def entered(self, reached: int, to: str) -> int:
        """How far the order has come once a state is entered by something that is no step of it."""
        if to in (self.since, NEW):
            return 0
        return next((place for place, origins in enumerate(self.origins[:reached]) if to in origins), reached)

    def is_early(self, trigger: str, reached: int) -> bool:
        """Whether a step of the order is not yet to be taken."""
        return trigger in self.triggers[reached + 1 :]

    def reached(self, taken: Taken) -> int:
        """How far the order has come after these steps."""
        reached, state = 0, NEW
        for step in taken:
            reached, state = self.after(reached, state, step), step[1]
        return reached


class Stakes:
    """What the steps of a machine could break.

    Args:
        definition: The workflow or list.
        compiled: Compiles an expression in its scope.
        starts: What fields are when a case opens.
        stored: The facts that are kept about a student.
    """

    def __init__(
        self,
        definition: Definition,
        compiled: Callable[[str], Expression],
        starts: Mapping[str, Expression],
        stored: frozenset[str],
    ) -> None:
        self._definition = definition
        self._stored = stored
        self._starts = starts
        self.conditions = tuple(
            _condition(name, one.holds, compiled(one.holds))
            for name, one in definition.invariants.items()
            if one.holds is not None
        )
        self._orders = [(one, _early(definition, one)) for one in orders_of(definition)]
        self._found: dict[tuple[str, str, bool], tuple[Condition, ...]] = {}

    def never_left(self, state: str) -> str | None:
        """The invariant by which a state is never left."""
        kept = self._definition.invariants.items()
        return next((name for name, one in kept if state in one.never_left), None)

    def orders(self, state: str, trigger: str) -> tuple[Order, ...]:
        """The orders that a step out of a state could skip a part of: some way through the graph leads to it early."""
        return tuple(order for order, early in self._orders if (state, trigger) in early)

    def conditions_of(self, step: Step, target: str, *, leaves_open: bool) -> tuple[Condition, ...]:
        """The conditions that a step to a state could make false, or a signature for it that leaves more missing."""
        key = (step.trigger, target, leaves_open)
        if key not in self._found:
            self._found[key] = tuple(one for one in self.conditions if self._is_at_stake(one, step, key))
        return self._found[key]

    def _is_at_stake(self, one: Condition, step: Step, key: tuple[str, str, bool]) -> bool:
        _, target, leaves_open = key
        assigns = () if leaves_open else step.assigns
        if not step.transition.opens and not self._touches(one, step, assigns):
            return False
        state = None if leaves_open else target
        return decide(one.expression.tree, self._known(step, assigns, state)) is not True

    def _touches(self, one: Condition, step: Step, assigns: Iterable[Assignment]) -> bool:
        """Whether a step changes something that a condition reads."""
        transition = step.transition
        if "taken" in one.functions or (_PAPERS & one.functions and (transition.issues or transition.reviews)):
            return True
        changed = {f"case.{name}" for name in step.takes}
        for assigned in assigns:
            chosen = self._stored if assigned.chosen_by is not None else ()
            changed |= {*chosen, f"case.{assigned.name}" if assigned.target == "case" else assigned.name}
        if transition.targets:
            changed |= {"case.state", "case.open", "case.entered_on", "case.rounds"}
        if transition.kind is MoveKind.RETURN:
            changed.add("case.rounds")
        return not one.own.isdisjoint(changed)

    def _known(self, step: Step, assigns: Iterable[Assignment], state: str | None) -> Mapping[str, object]:
        """What is certain of a case after a step, whatever it was before: constants that are set, its state."""
        known: dict[str, object] = {} if state is None else {"case.state": state}
        if step.transition.opens:
            known |= {
                f"case.{name}": decide(self._starts[name].tree, {}) if name in self._starts else None
                for name in self._definition.fields
            }
        for name in step.takes:
            known.pop(f"case.{name}", None)
        for one in assigns:
            if one.target == "case":
                known[f"case.{one.name}"] = None if one.expression is None else decide(one.expression.tree, {})
        return {key: value for key, value in known.items() if value is not FREE}


_PAPERS = frozenset((*DOCUMENT_ANSWERS, *DOCUMENT_ROWS))


def _condition(name: str, text: str, expression: Expression) -> Condition:
    readings = expression.readings
    keys = {*expression.reads, *(key for one in readings for key in one.outer)}
    return Condition(
        name=name,
        text=text,
        expression=expression,
        own=frozenset(f"case.{key.removeprefix('record.')}" if key.startswith("record.") else key for key in keys),
        functions=frozenset(source.function for one in readings for source in one.sources),
    )


def orders_of(definition: MachineFile) -> tuple[Order, ...]:
    """Every `in_order` of a machine."""
    return tuple(
        Order(
            name=name,
            triggers=one.in_order,
            origins=tuple(definition.transitions[trigger].origins for trigger in one.in_order),
            since=one.since,
        )
        for name, one in definition.invariants.items()
        if one.in_order
    )


def _early(definition: MachineFile, order: Order) -> frozenset[tuple[str, str]]:
    """The steps, each out of a state, to which the graph has a way that skips an earlier one, guards aside."""
    early = set[tuple[str, str]]()
    seen, waiting = {(NEW, 0)}, [(NEW, 0)]
    while waiting:
        state, reached = waiting.pop()
        for trigger, to in _ways_on(definition, state):
            if order.is_early(trigger, reached):
                early.add((state, trigger))
                continue
            place = (to, order.after(reached, state, (trigger, to)))
            if place not in seen:
                seen.add(place)
                waiting.append(place)
    return frozenset(early)


def _ways_on(definition: MachineFile, state: str) -> Iterator[tuple[str, str]]:
    for trigger, one in definition.transitions.items():
        if state in one.origins:
            yield from ((trigger, target) for target in one.targets or (state,))
