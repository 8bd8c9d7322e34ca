"""What stands open for a case: every step out of its state, with every rule's verdict and sentence.

This is what a person sees before acting; nobody's rights are asked and nothing is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.definition import Bilingual
from engine.desk import Desk
from engine.errors import Unknown
from engine.guards import explain
from engine.machine import Sight
from engine.records import Outcome, Request, Verdict, case_number
from engine.sight import Seeing
from engine.steps import Machine, Step
from engine.store.cases import Found, read_case


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """One step that leads on: who takes it, where to, what it asks for, and what its rules say now."""

    trigger: str
    title: Bilingual
    targets: tuple[str, ...]
    roles: tuple[str, ...]
    asks: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    refusing: tuple[Verdict, ...]

    @property
    def is_open(self) -> bool:
        """Whether no rule stands in the way."""
        return not self.refusing


def prospects(desk: Desk, case: int, request: Request) -> tuple[Found, Machine, tuple[Prospect, ...]]:
    """The case as it stands, its machine, and every step out of its state.

    Args:
        desk: Where the case is worked.
        case: The case's number as an integer.
        request: Gives the moment and, where known, the fields that would be given (a batch).

    Raises:
        Unknown: If there is no such case.
    """
    desk.refresh()
    found = read_case(desk.connection, case)
    if found is None:
        raise Unknown("办件 case", case_number(case))
    machine = desk.machine_for(found.case, request.fields)
    sight = Seeing(desk, machine, found, request)
    steps = [machine.step(found.case.state, trigger) for trigger in machine.open_triggers(found.case.state)]
    return found, machine, tuple(_prospect(machine, step, sight) for step in steps)


def _prospect(machine: Machine, step: Step, sight: Sight) -> Prospect:
    shown = step.shown_by(step.guards)
    values = {**step.decoded(sight.see(step.facts, step.others)), **machine.decoded(sight.see((), shown))}
    asked = [guard.ask(*[values[key] for key in guard.reads]) for guard in step.guards]
    refusing = {guard.name for guard, _ in step.refusing(asked)}
    verdicts = tuple(
        explain(guard, Outcome(outcome), values, machine.readers)
        for guard, outcome in zip(step.guards, asked, strict=True)
    )
    return Prospect(
        trigger=step.trigger,
        title=step.transition.title,
        targets=step.targets,
        roles=tuple(who.acting_role for who, _ in step.entitled),
        asks=step.asked,
        verdicts=verdicts,
        refusing=tuple(verdict for verdict in verdicts if verdict.rule in refusing),
    )
