"""The outline of a definition: its graph, what keeps its steps apart, and the lists that gather its cases. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import transitions

from engine.calendars import calendar_of
from engine.checking.subjects import leads_to, reached
from engine.definition import CANCELLED, NEW, Definition, MachineFile, MoveKind, Sign, Transition
from engine.expressions.compiling import Reading, compile_expression
from engine.guards import flatten
from engine.library import Library
from engine.scopes import case_scope
from engine.signing import added_name
from engine.vocabulary import Rule


def graph(definition: MachineFile) -> transitions.Machine:
    """The shared `transitions.Machine` of a definition: which moves there are, for validating and drawing.

    It holds no model and decides nothing; a transition without `to` is an internal one, a return with several
    targets is one transition per target.
    """
    machine = transitions.Machine(
        model=None, states=[NEW, *definition.states, CANCELLED], initial=NEW, send_event=True, auto_transitions=False
    )
    for trigger, one in definition.transitions.items():
        for target in one.targets or (None,):
            machine.add_transition(trigger, list(one.origins), target)
    return machine


def steps_apart(definition: MachineFile, trigger: str, slot: str = "") -> tuple[str, ...]:
    """The steps and signatures that nobody who takes this one may have taken (G-SG-08), as keys of `taken`."""
    own = {trigger, f"{trigger}.{slot}"}
    others = [other for group in definition.distinct if own & set(group) for other in group if other not in own]
    keys: dict[str, None] = {}
    for other in others:
        one = definition.transitions.get(other)
        slots = _slots_of(one.sign) if one is not None and one.sign is not None else ()
        keys.update(dict.fromkeys((other, *(f"{other}.{name}" for name in slots))))
    return tuple(keys)


def looks_around(definition: MachineFile, rules: Mapping[str, Rule]) -> bool:
    """Whether deadlines, or the steps these fire, look at other cases or at tables; by their texts, rather too often.

    Args:
        definition: The workflow or list.
        rules: By name; one that is not there says nothing.
    """
    for one in definition.deadlines.values():
        names = [*one.settled]
        texts = [one.due]
        if one.missed is not None:
            step = definition.transitions[one.missed.fire]
            names += [*step.guards, *step.unless]
            texts += [step.applies or "", *(effect.applies or "" for effect in step.then)]
        if any(map(_AROUND.search, [*texts, *_texts_of(names, rules)])):
            return True
    return False


_AROUND = re.compile(r"\b(?:cases|others|members|same_person|rows)\b|\brecord\.", re.ASCII)


def _texts_of(names: Iterable[str], rules: Mapping[str, Rule]) -> Iterator[str]:
    for name in flatten([one for one in names if one in rules], rules):
        rule = rules[name]
        yield from (text for text in (rule.applies, rule.holds, *rule.let.values()) if text)


def _slots_of(sign: Sign) -> tuple[str, ...]:
    """Every slot a signature may stand under, those that 加签 may add included."""
    most = 0 if sign.add is None else sign.add.at_most
    return (*sign.slots, *(added_name(count) for count in range(1, most + 1)))


def waits_elsewhere(one: Transition) -> bool:
    """Whether a transition waits at other units than the case's own."""
    return one.sign is not None or any(who.at is not None for who in one.by)


def comes_after(machine: MachineFile, state: str, origins: Iterable[str]) -> bool:
    """Whether a case in a state has, or may have, left one of the origins: any moves lead there from them."""
    edges = leads_to(machine, frozenset(MoveKind))
    left = frozenset(target for origin in origins for target in edges.get(origin, ()))
    return state in reached(left, edges)


def roles_in(machine: MachineFile) -> frozenset[str]:
    """Every role with a part in cases: who takes or records a step, signs, adds or drops signers, waits, is told."""
    found: set[str] = set()
    for state in machine.states.values():
        found.update(state.queue)
    for one in machine.transitions.values():
        slots = one.sign.slots.values() if one.sign is not None else ()
        for who in (*one.by, *slots):
            found.update((who.role, who.acting_role, *(who.delegates.roles if who.delegates else ())))
        found.update(tell.to for tell in one.tell)
        found.update(_roles_of_signers(one.sign))
    for deadline in machine.deadlines.values():
        found.update(deadline.remind.to if deadline.remind else ())
        found.update([deadline.escalate.to] if deadline.escalate else ())
    return frozenset(found)


def _roles_of_signers(sign: Sign | None) -> Iterator[str]:
    """Who may add and drop signers, and who may be added."""
    if sign is not None and sign.add is not None:
        yield from (*sign.add.by, *sign.add.roles)
    if sign is not None and sign.drop is not None:
        yield from sign.drop.by


def lists_of(library: Library, definition: Definition) -> Iterator[tuple[str, Definition]]:
    """The lists that gather the cases of a definition, by name."""
    for name, one in library.machines_of(definition.profile).items():
        if one.members is not None and one.members.of == definition.workflow:
            yield name, one


def opens_with_members(one: MachineFile) -> bool:
    """Whether a list opens when its first member appears."""
    return any(who.role == "members" for opening in one.openings.values() for who in opening.by)


def member_rules(library: Library, definition: Definition, lists: Iterable[str]) -> Iterator[Reading | None]:
    """What decides whether a case of a definition is a member, one for each list; None: every case is."""
    for name in lists:
        one = library.machines_of(definition.profile)[name]
        where = one.members.where if one.members is not None else None
        if where is None:
            yield None
        else:
            text = f"any(cases('{definition.workflow}'), {where})"
            calendar = calendar_of(library.rulebook_for(one.profile).calendar, one.profile)
            yield compile_expression(text, replace(case_scope(library, one), calendar=calendar)).readings[0]


def fields_about(machine: MachineFile) -> tuple[str, ...]:
    """The fields that are part of what a case is about: `batch`, and every `case.FIELD`."""
    named = (one.removeprefix("case.") for one in machine.about if one.startswith("case."))
    has_batch = any(one.startswith("batch ") for one in machine.about)
    return (*(["batch"] if has_batch else []), *named)
