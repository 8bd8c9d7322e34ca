"""Who may act: somebody always can, and nobody decides alone on what they filed."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping

from engine.checking.names import people, slots_of
from engine.checking.subjects import Complaint, Subject, leads_to, moves, reached
from engine.definition import RESERVED_ROLES, MoveKind, Transition, Who
from engine.scopes import kind_or_unknown
from engine.vocabulary import UnitKind
from engine.writers import closed_to


def one_way_to_act(subject: Subject) -> Iterator[Complaint]:
    """`nobody-can`, `wrong-value`: one of by, sign, when; none where `against` names it."""
    transitions = subject.machine.transitions
    answers = {one.sign.against for one in transitions.values() if one.sign is not None}
    for trigger, one in transitions.items():
        given = [key for key in ("by", "sign", "when") if getattr(one, key)]
        if not given and trigger not in answers:
            message = f"'{trigger}' says neither by nor sign nor when, and no `against` names it."
            yield subject.says_of("nobody-can", message, "transitions", trigger)
        if len(given) > 1:
            message = f"exactly one of by, sign, when; here: {', '.join(given)}."
            yield subject.says_of("wrong-value", message, "transitions", trigger)
        if one.when is not None and not one.opens:
            yield subject.says("wrong-value", "`when` is for openings.", "transitions", trigger, "when")


def nobody_can(subject: Subject) -> Iterator[Complaint]:
    """`nobody-can`: the role is held neither at the kind of unit that is meant nor above."""
    organisation = subject.library.rulebook.organisation
    own = next((one for one in subject.machine.about if one in organisation.units), None)
    for trigger, one in subject.machine.transitions.items():
        for who, path in people(one):
            unit = who.at or own
            role = organisation.roles.get(who.acting_role)
            if role is None or unit is None or unit not in organisation.units:
                continue
            above = at_or_above(unit, organisation.units)
            if not above & set(role.held_at):
                held = ", ".join(role.held_at)
                message = f"'{who.acting_role}' is held at {held}, never at '{unit}' or above."
                yield subject.says("nobody-can", message, "transitions", trigger, *path)


def at_or_above(kind: str, units: Mapping[str, UnitKind]) -> set[str]:
    """A kind of unit and every kind it can stand under."""
    found: set[str] = set()
    waiting = {kind}
    while waiting:
        one = waiting.pop()
        found.add(one)
        if one in units:
            waiting |= set(units[one].inside) - found
    return found


def one_person_alone(subject: Subject) -> Iterator[Complaint]:
    """`one-person-alone`: who files could also approve; no `distinct` keeps them apart, or not past a rest."""
    machine = subject.machine
    edges = leads_to(machine, frozenset({MoveKind.ADVANCE}))
    resting = {name for name, state in machine.states.items() if state.rests}
    for filing, filed in machine.transitions.items():
        if filed.on_behalf_of is None or not filed.targets:
            continue
        after = reached(frozenset(filed.targets), edges)
        rested = reached(frozenset(after & resting), edges)
        for trigger, one in moves(machine):
            apart = _kept_apart(filing, trigger, filed, one, machine.distinct)
            alone = acting_roles(filed) & acting_roles(one)
            where = set(one.origins) & (rested if apart else after)
            if one.kind is MoveKind.ADVANCE and where and alone and trigger != filing:
                who = ", ".join(sorted(alone))
                wish = "distinct counts anew after a rest" if apart else "name both in distinct"
                message = f"{who} may take '{filing}' and '{trigger}' of one case: {wish}."
                yield subject.says_of("one-person-alone", message, "transitions", trigger)


def acting_roles(transition: Transition) -> set[str]:
    """The roles of the people at the keyboard, without timers, effects and the student."""
    everybody: list[Who] = [*transition.by, *(slot for _, slot in slots_of(transition))]
    return {who.acting_role for who in everybody} - RESERVED_ROLES


def _kept_apart(
    filing: str, trigger: str, filed: Transition, approved: Transition, distinct: Collection[Collection[str]]
) -> bool:
    """Whether nobody takes both: the whole step is named with the filing, or every signature of a role that files."""
    roles = acting_roles(filed)
    shared = {f"{trigger}.{name}" for name, slot in slots_of(approved) if slot.acting_role in roles}
    named = [set(apart) for apart in distinct if any(name.partition(".")[0] == filing for name in apart)]
    return any(trigger in apart or (shared and shared <= apart) for apart in named)


def slots_may_be_empty(subject: Subject) -> Iterator[Complaint]:
    """`slots-may-be-empty`: every signature has a condition, so perhaps none is asked for."""
    for trigger, one in subject.machine.transitions.items():
        slots = [slot for _, slot in slots_of(one)]
        if slots and all(slot.applies is not None for slot in slots):
            message = "every slot has `applies`; at least one must always be signed."
            yield subject.says("slots-may-be-empty", message, "transitions", trigger, "sign", "slots")


def never_full(subject: Subject) -> Iterator[Complaint]:
    """`never-full`: a quorum that the slots, each signed by another person, can never give."""
    for trigger, one in subject.machine.transitions.items():
        quorum = one.sign.quorum if one.sign is not None else "all"
        here = ("transitions", trigger, "sign", "quorum")
        if not isinstance(quorum, int):
            continue
        if quorum < 1:
            yield subject.says("never-full", f"{quorum} signatures decide nothing; at least 1.", *here)
        elif quorum > (most := _most_signatures(one)):
            yield subject.says("never-full", f"{quorum} signatures are asked for, and there are {most}.", *here)


def _most_signatures(transition: Transition) -> float:
    """How many signatures there can be: one a slot, any number where there is one for each unit."""
    slots = [slot for _, slot in slots_of(transition)]
    added = transition.sign.add.at_most if transition.sign is not None and transition.sign.add is not None else 0
    return math.inf if any(slot.each is not None for slot in slots) else len(slots) + added


def writers(subject: Subject) -> Iterator[Complaint]:
    """`not-a-writer`: a step sets a fact that not everybody who takes it may write (`written_by`)."""
    known = subject.library.rulebook.vocabulary.student
    for trigger, one in subject.machine.transitions.items():
        for target in one.assigns:
            for fact, roles, _ in closed_to(one, _facts_set(subject, target), known):
                message = f"'{fact}' is written by {', '.join(roles)}, and others take '{trigger}'."
                yield subject.says_of("not-a-writer", message, "transitions", trigger, "set", target)


def _facts_set(subject: Subject, target: str) -> Iterator[tuple[str, str | None]]:
    """The facts that one line of `set` may write; with `student[case.FIELD]` any that the field can name."""
    if target.startswith("student."):
        yield target.removeprefix("student."), None
    elif target.startswith("student[case."):
        key = target.removeprefix("student[").removesuffix("]")
        field = subject.machine.fields.get(key.removeprefix("case."))
        kind = None if field is None else kind_or_unknown(field.type)
        yield from ((name, key) for name in subject.scope.choices.get(kind.of if kind else "", ()))


def signed_while_open(subject: Subject) -> Iterator[Complaint]:
    """`signed-while-open`: a list is signed only where its members are fixed."""
    if subject.machine.members is None:
        return
    states = subject.machine.states
    for trigger, one in subject.machine.transitions.items():
        if one.sign is None:
            continue
        loose = [state for state in one.origins if state in states and not states[state].frozen]
        if loose:
            message = f"'{', '.join(loose)}' is not frozen: members could change under signatures."
            yield subject.says("signed-while-open", message, "transitions", trigger, "from")
