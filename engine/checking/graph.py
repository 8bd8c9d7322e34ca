"""A definition as a graph: what is reached, what leads on, what goes round in circles."""

from __future__ import annotations

from collections.abc import Iterator

from engine.checking.subjects import Complaint, Subject, conditions, is_final, leads_to, moves, reached
from engine.definition import Invariant, MoveKind, Transition

ALL_KINDS = frozenset(MoveKind)
FORWARD = frozenset({MoveKind.ADVANCE})


def unreachable(subject: Subject) -> Iterator[Complaint]:
    """`unreachable`: no opening and no move ever leads to the state."""
    machine = subject.machine
    starts = frozenset(target for one in machine.openings.values() for target in one.targets)
    found = reached(starts, leads_to(machine, ALL_KINDS))
    for state in machine.states:
        if state not in found:
            yield subject.says_of("unreachable", f"nothing leads to '{state}'.", "states", state)


def no_way_out(subject: Subject) -> Iterator[Complaint]:
    """`no-way-out`: moves lead on, but never to a final state."""
    machine = subject.machine
    edges = leads_to(machine, ALL_KINDS)
    for state, targets in edges.items():
        stuck = not any(is_final(machine, one) for one in reached(frozenset({state}), edges))
        if state in machine.states and targets and stuck:
            message = f"from '{state}' no moves ever lead to a final state."
            yield subject.says_of("no-way-out", message, "states", state)


def leaves_final(subject: Subject) -> Iterator[Complaint]:
    """`leaves-final`: a move out of a final state; marks without `to` are welcome there."""
    machine = subject.machine
    for trigger, one in moves(machine):
        for index, origin in enumerate(one.origins):
            if is_final(machine, origin):
                message = f"'{origin}' is final: '{trigger}' may annotate it (without `to`)."
                yield subject.says("leaves-final", message, "transitions", trigger, "from", index)


def nobody_waits(subject: Subject) -> Iterator[Complaint]:
    """`nobody-waits`: a state that nobody, no timer and no effect leads on from."""
    left = {origin for _, one in moves(subject.machine) for origin in one.origins}
    for state in subject.machine.states:
        if state not in left and not is_final(subject.machine, state):
            message = f"nothing leads on from '{state}', and it is not final."
            yield subject.says_of("nobody-waits", message, "states", state)


def trap(subject: Subject) -> Iterator[Complaint]:
    """`trap`: every way out asks a rule that nobody can mend."""
    for state in subject.machine.states:
        ways = [one for _, one in moves(subject.machine) if state in one.origins]
        blocking = [_beyond_mending(subject, one) for one in ways]
        if ways and all(blocking):
            names = ", ".join(sorted({name for rules in blocking for name in rules}))
            message = f"every way out of '{state}' asks a rule without remedy ({names})."
            yield subject.says_of("trap", message, "states", state)


def _beyond_mending(subject: Subject, transition: Transition) -> tuple[str, ...]:
    """The rules of a transition that have no remedy."""
    found = conditions(transition.guards, subject.library.rulebook.rules)
    return tuple(name for name, rule in found.items() if rule.remedy is None)


def uncapped_loop(subject: Subject) -> Iterator[Complaint]:
    """`uncapped-loop`: forward moves in a circle past no resting state; `rounds` caps returns."""
    machine = subject.machine
    edges = leads_to(machine, FORWARD)
    walked = {
        state: targets
        for state, targets in edges.items()
        if state in machine.states and not machine.states[state].rests
    }
    for state, targets in walked.items():
        if state in reached(targets, walked):
            message = f"forward moves lead from '{state}' back to it; make one `kind: return`."
            yield subject.says_of("uncapped-loop", message, "states", state)


def against(subject: Subject) -> Iterator[Complaint]:
    """`against-not-open`: saying no takes a transition that is not open where one signs."""
    transitions = subject.machine.transitions
    for trigger, one in transitions.items():
        answer = transitions.get(one.sign.against or "") if one.sign is not None else None
        missing = sorted(set(one.origins) - set(answer.origins)) if answer is not None else []
        if missing and one.sign is not None:
            message = f"'{one.sign.against}' is not open in {', '.join(missing)}."
            yield subject.says("against-not-open", message, "transitions", trigger, "sign", "against")


def timer(subject: Subject) -> Iterator[Complaint]:
    """`timer`: a timed step that no deadline fires, or a deadline that fires no timed step."""
    transitions = subject.machine.transitions
    fired = {one.missed.fire for one in subject.machine.deadlines.values() if one.missed is not None}
    for trigger, one in transitions.items():
        timed = any(who.role == "timer" for who in one.by)
        if timed and trigger not in fired:
            yield subject.says("timer", "no missed deadline fires this.", "transitions", trigger, "by")
        if timed and one.asked:
            message = f"a timer cannot give {', '.join(one.asked)}."
            yield subject.says_of("timer", message, "transitions", trigger)
    for name, deadline in subject.machine.deadlines.items():
        target = transitions.get(deadline.missed.fire) if deadline.missed is not None else None
        if target is None:
            continue
        if not any(who.role == "timer" for who in target.by):
            message = "a missed deadline fires only what is `by: timer`."
            yield subject.says("timer", message, "deadlines", name, "missed", "fire")
        elif missing := sorted(set(deadline.running) - set(target.origins)):
            message = f"it is not open in {', '.join(missing)}, where the deadline runs."
            yield subject.says("timer", message, "deadlines", name, "missed", "fire")


def retract(subject: Subject) -> Iterator[Complaint]:
    """`retract-effect`: what leaves traces outside the case cannot be taken back."""
    for trigger, one in subject.machine.transitions.items():
        reasons = {
            "it moves other cases": bool(one.then),
            "it issues documents": bool(one.issues),
            "it reviews documents": bool(one.reviews),
            "it writes facts of the student": any(name.startswith("student") for name in one.assigns),
            "it ends the case": any(is_final(subject.machine, state) for state in one.targets),
        }
        found = [reason for reason, applies in reasons.items() if applies]
        if one.retractable and found:
            message = f"it cannot be undone: {', '.join(found)}."
            yield subject.says("retract-effect", message, "transitions", trigger, "retractable")


def identity(subject: Subject) -> Iterator[Complaint]:
    """`moves-identity`: what a case is about is given at opening and never changed."""
    fixed = {one.removeprefix("case.") for one in subject.machine.about if one.startswith("case.")}
    if any(one.startswith("batch ") for one in subject.machine.about):
        fixed.add("batch")
    for trigger, one in subject.machine.transitions.items():
        given = () if one.opens else (*one.asks, *one.accepts)
        assigned = (name.removeprefix("case.") for name in one.assigns if name.startswith("case."))
        for name in sorted(fixed & {*given, *assigned}):
            message = f"'{name}' is what the case is about; '{trigger}' cannot change it."
            yield subject.says_of("moves-identity", message, "transitions", trigger)


def invariants(subject: Subject) -> Iterator[Complaint]:
    """`invariant`: exactly one of never_left, in_order, holds; `since` belongs to in_order."""
    for name, one in subject.machine.invariants.items():
        forms = _forms(one)
        if len(forms) != 1:
            message = f"exactly one of never_left, in_order, holds; here: {', '.join(forms) or 'none'}."
            yield subject.says_of("invariant", message, "invariants", name)
        elif one.since is not None and not one.in_order:
            yield subject.says("invariant", "`since` belongs to in_order.", "invariants", name, "since")


def _forms(invariant: Invariant) -> list[str]:
    return [form for form in ("never_left", "in_order", "holds") if getattr(invariant, form)]
