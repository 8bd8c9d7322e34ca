"""Where a case waits: at its own unit for who may take a step, and elsewhere for who signs or acts there.

Source: console.md 6 (Lanes); the definition language, sections 6 and 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from engine.forward import in_queue_of, only_in_person, ways_on
from engine.records import Case
from engine.signing import on_paper, signers, votes
from engine.step import Step
from engine.steps import Machine

Place: TypeAlias = tuple[str, str, str, str]
"""A place elsewhere: trigger, slot, role, path of the unit."""


class Spot(NamedTuple):
    """A place where a case waits: for which step, for which role, at the path of which unit, and for whom not."""

    trigger: str
    role: str
    path: str
    in_person: bool
    apart: frozenset[str]


def spots(machine: Machine, case: Case, places: Iterable[Place], *, is_frozen: bool) -> Iterator[Spot]:
    """Every place where a case waits as it stands.

    Args:
        machine: What it is judged by.
        case: The case.
        places: Where it waits elsewhere than at its own unit.
        is_frozen: Only the list it stands on may move it.
    """
    for step, roles in ways_on(machine, case.state):
        if (is_frozen and step.targets) or (not step.targets and step.trigger in case.taken):
            continue  # nobody moves it but its list, or the mark is made
        apart = frozenset(person for key in step.apart for person in case.taken.get(key, ()))
        yield from (Spot(step.trigger, role, case.path, in_person, apart) for role, in_person in roles)
        for trigger, slot, role, path in places:
            if trigger == step.trigger and in_queue_of(machine, case.state, role):
                yield _elsewhere(step, case, slot.partition("@")[0], (role, path))


def _elsewhere(step: Step, case: Case, slot: str, place: tuple[str, str]) -> Spot:
    """A step taken at another unit, or a place to sign: one person gives one signature."""
    role, path = place
    if step.signing is None:
        who = next(who for who in step.transition.by if who.at is not None and who.acting_role == role)
        apart = frozenset(person for key in step.apart for person in case.taken.get(key, ()))
        return Spot(step.trigger, role, path, only_in_person(who), apart)
    sign = step.signing.sign
    keys = step.signing.steps.get(slot, step).apart
    apart = frozenset(person for key in keys for person in case.taken.get(key, ()))
    if not on_paper(sign, slot):
        apart |= signers(sign, votes(case.slots, step.trigger))
    return Spot(step.trigger, role, path, slot in sign.slots and only_in_person(sign.slots[slot]), apart)
