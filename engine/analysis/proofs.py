"""What the walk through one machine proves wrong, each with the shortest story that shows it.

A check is a function in `PROOFS`; what the checks of the graph say already is not said again (`engine.checking`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from engine.analysis.configurations import Move, Place
from engine.analysis.rules import Answer
from engine.analysis.stories import Both, state_title, story
from engine.analysis.walking import MOST_PLACES, Step, Walk
from engine.checking.names import slots_of
from engine.checking.subjects import Complaint, conditions
from engine.definition import Transition
from engine.loading.positions import Finding

Proof = Callable[[Walk], Iterator[Complaint]]


def too_large(walk: Walk) -> Iterator[Complaint]:
    """`too-large`: a warning that walking was given up, so that nobody takes silence for proof."""
    if not walk.is_whole:
        message = f"more than {MOST_PLACES} configurations; what lies beyond was not walked."
        finding = Finding(code="too-large", message=message, is_warning=True)
        yield replace(walk.space.subject.says_of("too-large", message, "states"), finding=finding)


def unreachable(walk: Walk) -> Iterator[Complaint]:
    """`unreachable`: states no story comes to, and steps no story takes."""
    subject, machine = walk.space.subject, walk.space.machine
    reached = {place.state for place in walk.moves}
    if not walk.is_whole:
        return
    for state in machine.states:
        if state not in reached:
            yield subject.says_of("unreachable", f"no story leads to '{state}'.", "states", state)
    taken = {step.move.takes for step in walk.steps()}
    for trigger, one in machine.transitions.items():
        origin = next((place for place in walk.moves if place.state in one.origins), None)
        if trigger in taken or not (one.opens or origin is not None):
            continue
        complaint = subject.says_of("unreachable", f"no story takes '{trigger}'.", "transitions", trigger)
        steps = walk.story(origin) if origin is not None else ()
        what = Both(f"“{one.title.zh}”始终办不成。", f"'{one.title.en}' can never be taken.")
        yield replace(complaint, story=story(walk.space, steps, what))


def stuck(walk: Walk) -> Iterator[Complaint]:
    """`stuck`, `never-ending`: nothing is possible any more, or steps go on and none leads to an end."""
    doomed = walk.doomed()
    dead = [place for place in doomed if all(move.to == place for move in walk.moves[place])]
    told = set[str]()
    for place in dead:
        if place.state not in told:
            told.add(place.state)
            what = Both("之后无人能办。", "After that nobody can do anything.")
            yield _at_state(walk, place, "stuck", f"a case can be stuck in '{place.state}'.", what)
    hopeless = set(doomed) - walk.leading_to(dead)
    while hopeless:
        place = next(one for one in doomed if one in hopeless)
        hopeless -= walk.ahead(place)
        what = Both("之后怎么办都到不了终态。", "After that no step ever leads to an end.")
        yield _at_state(walk, place, "never-ending", f"from '{place.state}' a case may never end.", what)


def trap(walk: Walk) -> Iterator[Complaint]:
    """`trap`: every way out that is left asks a rule that nobody can mend."""
    told, doomed = set[str](), set(walk.doomed())
    for place, moves in walk.moves.items():
        ways = {move.takes or move.trigger for move in moves if _leads_away(walk, move)}
        if not ways or place.state in told or place in doomed or walk.is_final(place):
            continue
        blocking = [_beyond_mending(walk, place, walk.space.machine.transitions[trigger]) for trigger in sorted(ways)]
        if all(blocking):
            told.add(place.state)
            names = ", ".join(sorted({name for rules in blocking for name in rules}))
            what = Both("此后的出路都要求无法补救的条件。", "Every way out asks what nobody can mend.")
            message = f"every way out of '{place.state}' asks a rule without remedy ({names})."
            yield _at_state(walk, place, "trap", message, what)


def _leads_away(walk: Walk, move: Move) -> bool:
    transition = walk.space.machine.transitions[move.takes or move.trigger]
    return bool(transition.targets)


def _beyond_mending(walk: Walk, place: Place, transition: Transition) -> list[str]:
    known = walk.space.known(place)
    found = conditions(transition.guards, walk.space.subject.library.rulebook.rules)
    return [
        name
        for name, rule in found.items()
        if rule.remedy is None and walk.space.rules.answer(name, known) is Answer.OPEN
    ]


def never_full(walk: Walk) -> Iterator[Complaint]:
    """`never-full`: where this case stands, fewer signatures apply than the quorum asks for."""
    space = walk.space
    for trigger, one in space.machine.transitions.items():
        wanted = one.sign.quorum if one.sign is not None else "all"
        slots = [slot for _, slot in slots_of(one)]
        if not isinstance(wanted, int) or any(slot.each for slot in slots) or (one.sign and one.sign.add):
            continue
        for place in walk.moves:
            most = sum(space.applies(slot, space.known(place)) is not False for slot in slots)
            if place.state in one.origins and most < wanted:
                what = Both(f"需要{wanted}个签字，只剩{most}栏。", f"{wanted} signatures are asked for; {most} apply.")
                message = f"{wanted} signatures are asked for, and here only {most} apply."
                complaint = space.subject.says("never-full", message, "transitions", trigger, "sign", "quorum")
                yield replace(complaint, story=story(space, walk.story(place), what))
                break


def invariants(walk: Walk) -> Iterator[Complaint]:
    """`invariant-broken`: a story that leaves what is never left, takes steps out of order, or makes `holds` false."""
    found = {
        **_never_left(walk),
        **_in_order(walk),
        **_holds(walk),
    }
    for name, (steps, what) in found.items():
        message = f"'{name}' does not hold: {what.en}"
        complaint = walk.space.subject.says_of("invariant-broken", message, "invariants", name)
        yield replace(complaint, story=story(walk.space, steps, what))


Broken = dict[str, tuple[tuple[Step, ...], Both]]


def _never_left(walk: Walk) -> Broken:
    found: Broken = {}
    for name, one in walk.space.machine.invariants.items():
        for step in walk.steps() if one.never_left else ():
            origin = step.origin.state if step.origin is not None else ""
            if origin in one.never_left and step.move.to.state != origin:
                title = state_title(walk.space.subject, origin)
                what = Both(f"离开了不应离开的“{title.zh}”。", f"'{title.en}' is left.")
                found[name] = walk.after(step), what
                break
    return found


def _in_order(walk: Walk) -> Broken:
    found: Broken = {}
    names = [name for name, one in walk.space.machine.invariants.items() if one.in_order]
    for index, name in enumerate(names):
        order = walk.space.machine.invariants[name].in_order
        for step in walk.steps():
            reached = step.origin.progress[index] if step.origin is not None else 0
            taken = step.move.takes
            if taken in order and order.index(taken) > reached:
                skipped = walk.space.machine.transitions[order[reached]].title
                what = Both(f"“{skipped.zh}”尚未办理。", f"'{skipped.en}' was not taken before.")
                found[name] = walk.after(step), what
                break
    return found


def _holds(walk: Walk) -> Broken:
    found: Broken = {}
    for name, one in walk.space.machine.invariants.items():
        if one.holds is None:
            continue
        text = one.holds
        place = walk.first(lambda place, text=text: walk.space.rules.value(text, walk.space.known(place)) is False)  # type: ignore[misc]
        if place is not None:
            found[name] = walk.story(place), Both("此时不变式不成立。", "There it is false.")
    return found


def double_firing(walk: Walk) -> Iterator[Complaint]:
    """`double-firing`: two deadlines that both take the same marking step while a case waits in one state."""
    deadlines, timers = walk.space.machine.deadlines, walk.space.timers
    for index, (name, trigger) in enumerate(timers.items()):
        earlier = [one for one in list(timers)[:index] if timers[one] == trigger]
        if walk.space.machine.transitions[trigger].targets:
            continue
        for other in earlier:
            both = set(deadlines[name].running) & set(deadlines[other].running)
            place = next((one for one in walk.moves if one.state in both), None)
            if place is not None:
                message = f"'{trigger}' is taken when '{other}' is missed, and again when '{name}' is."
                complaint = walk.space.subject.says("double-firing", message, "deadlines", name, "missed", "fire")
                what = Both("两个期限都会触发同一步骤。", "Both deadlines take the same step.")
                yield replace(complaint, story=story(walk.space, walk.story(place), what))


def _at_state(walk: Walk, place: Place, code: str, message: str, what: Both) -> Complaint:
    complaint = walk.space.subject.says_of(code, message, "states", place.state)
    return replace(complaint, story=story(walk.space, walk.story(place), what))


PROOFS: tuple[Proof, ...] = (
    too_large,
    unreachable,
    stuck,
    trap,
    never_full,
    invariants,
    double_firing,
)
"""Asked of every workflow and every list, in every profile."""
