"""What is usually said with a step, and whether anybody could be offered it."""

from __future__ import annotations

from engine.definition import RESERVED_ROLES, MachineFile, Reason, Transition


def usual_reasons(machine: MachineFile, one: Transition) -> tuple[Reason, ...]:
    """What is usually said with a step; of one that is signed, with the step that a no takes.

    Its own, else those of its kind; none of the kind where only the student, an effect or a timer takes it.
    """
    no = against(machine, one)
    said = no or one
    if (own := said.reasons if one.reasons is None else one.reasons) is not None:
        return own
    return machine.reasons.of(said.kind) if no is not None or is_offered(one) else ()


def against(machine: MachineFile, one: Transition) -> Transition | None:
    """The step that a no to a signed one takes; None where nobody can say no."""
    return machine.transitions.get(one.sign.against or "") if one.sign is not None else None


def is_offered(one: Transition) -> bool:
    """Whether staff take, record or sign a step: a student's own reasons are nobody's to suggest."""
    people = (*one.by, *(one.sign.slots.values() if one.sign is not None else ()))
    return any(who.acting_role not in RESERVED_ROLES for who in people)
