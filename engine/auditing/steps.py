"""Steps and people: what holds for every case of every procedure, told from its events alone.

Source: requirements.md 7 (INV-ST, INV-AP, INV-SIGN, INV-LOG).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from engine.auditing.ground import Flaw, Ground
from engine.auditing.history import MOVING, REFUSED, SIGNED, STEPS, Event, History
from engine.auditing.words import signers
from engine.definition import CANCELLED, RESERVED_ROLES, Definition, Sign, Slot, Transition, Who
from engine.rights import EFFECT
from engine.signing import on_paper
from engine.stakes import Order, orders_of
from engine.steps import BATCH_PUBLISHED, TERM_STARTED
from engine.trail.event import EventKind

Flaws = Iterator[Flaw]
NO_PERSONS = (RESERVED_ROLES - {"student"}) | {BATCH_PUBLISHED, TERM_STARTED}
"""Roles in which no person acts."""


def in_one_state(history: History, _: Ground) -> Flaws:
    """INV-ST-1: the record is in one of its states, and each step starts where the one before it ended."""
    if not history.definition.record:
        return
    for state, one in history.steps():
        if one.data.origin != state:
            was = one.data.origin
            yield Flaw(one.seq, f"从“{was}”办理，而当时处于“{state}”", f"taken from {was} in {state}")
        if one.data.to not in history.definition.states:
            yield Flaw(one.seq, f"“{one.data.to}”不是学籍状态", f"{one.data.to} is no state of the record")


def entitled(history: History, ground: Ground) -> Flaws:
    """INV-ST-4: every step out of a state it starts in, by a role it is waiting for, held there by the person."""
    for place, one in enumerate(history.events):
        if one.kind not in STEPS and one.kind != SIGNED:
            continue
        if one.data.trigger == CANCELLED:
            yield from _cancelled(one)
            continue
        definition = ground.definitions.get(one.definition, history.definition)
        step = definition.transitions.get(one.data.trigger)
        if step is None:
            yield Flaw(one.seq, f"没有步骤“{one.data.trigger}”", f"there is no step {one.data.trigger}")
            continue
        yield from _place_of(step, one, history.before[place])
        yield from _right_of(ground, definition, step, (one, history.units[place]))


def _cancelled(one: Event) -> Flaws:
    """A case is cancelled by a step of another case of the same student, never by a person."""
    if one.role != EFFECT or one.cause is None or one.data.to != CANCELLED:
        yield Flaw(one.seq, "撤销没有写明由何事引起", "cancelled, and no other case is named as the cause")


def _place_of(step: Transition, one: Event, state: str) -> Flaws:
    trigger = one.data.trigger
    if state not in step.origins:
        yield Flaw(one.seq, f"“{trigger}”不在“{state}”的待办中", f"{trigger} does not wait in {state}")
    elif one.kind in STEPS and one.data.to not in (step.targets or (state,)):
        yield Flaw(one.seq, f"“{trigger}”不通向“{one.data.to}”", f"{trigger} does not lead to {one.data.to}")


def people_of(definition: Definition, step: Transition, one: Event) -> list[Who]:
    """Whom a step or signature waits for: those of the step, and of the slots of the step that is signed."""
    signed = definition.transitions.get(one.data.signing or "")
    slots: list[Slot] = []
    roles: list[str] = []
    for sign in (step.sign, None if signed is None else signed.sign):
        if sign is not None:
            slots += sign.slots.values()
            roles += () if sign.add is None else sign.add.roles
    started = [Who(role=step.when)] if step.when else []
    return [*step.by, *slots, *(Who(role=role) for role in roles), *started]


def _right_of(ground: Ground, definition: Definition, step: Transition, taken: tuple[Event, str]) -> Flaws:
    one, unit = taken
    role = one.role or ""
    waiting = [who for who in people_of(definition, step, one) if role in (who.acting_role, who.role)]
    if not waiting and not (role == EFFECT and any(who.role == "members" for who in step.by)):
        yield Flaw(one.seq, f"“{one.data.trigger}”不由角色“{role}”办理", f"{role} does not take {one.data.trigger}")
    elif role == EFFECT and one.cause is None:
        yield Flaw(one.seq, "联动步骤没有写明由何事引起", "an effect that names no cause")
    elif role not in NO_PERSONS and role != "student":
        yield from _held(ground, one, unit, elsewhere=any(map(_is_elsewhere, waiting)))


def _is_elsewhere(who: Who) -> bool:
    return who.at is not None or (isinstance(who, Slot) and who.each is not None)


def _held(ground: Ground, one: Event, unit: str, *, elsewhere: bool) -> Flaws:
    holder = one.actor if one.delegation is None else str(one.delegation["by"])
    if not ground.holds(holder, one.role or "", one.unit or "", one.at):
        what = f"{holder} 当时在 {one.unit} 没有角色“{one.role}”"
        yield Flaw(one.seq, what, f"{holder} was no {one.role} at {one.unit}")
    elif not elsewhere and not ground.is_above(one.unit or "", unit):
        yield Flaw(one.seq, f"{one.unit} 不管 {unit} 的办件", f"{one.unit} is not above {unit}")


def kept_apart(history: History, ground: Ground) -> Flaws:
    """INV-AP-1: nobody takes two steps that the definition keeps apart since the case opened or last rested."""
    if not history.definition.distinct:
        return
    taken: dict[str, list[str]] = {}
    for one in history.events:
        if one.kind in STEPS or one.kind == SIGNED:
            yield from _both(ground, one, taken)
            _count(one, taken)
        elif one.kind == EventKind.RETRACTED:
            taken = {name: list(who) for name, who in (one.data.taken or {}).items()}


def _both(ground: Ground, one: Event, taken: dict[str, list[str]]) -> Flaws:
    data = one.data
    is_yes = data.slot is not None and data.vote == "yes"
    trigger, slot = (data.signing or "", (data.slot or "").partition("@")[0]) if is_yes else (data.trigger, "")
    for person in one.people:
        if any(person in taken.get(key, ()) for key in ground.apart(one.definition, trigger, slot)):
            yield Flaw(one.seq, f"{person} 已办理须由他人办理的步骤", f"{person} has taken a step kept apart from this")


def _count(one: Event, taken: dict[str, list[str]]) -> None:
    data = one.data
    if data.rests:
        taken.clear()
        return
    if data.slot is not None:
        taken.setdefault(f"{data.signing}.{data.slot.partition('@')[0]}", []).extend(one.people)
    if one.kind in STEPS:
        taken.setdefault(data.trigger, []).extend(one.people)


def never_twice(history: History, ground: Ground) -> Flaws:
    """INV-AP-2: nobody signs one step twice in one stay, no seat is signed twice, no step is taken once it is left.

    One person may record all the signatures that were given on paper.
    """
    signed: set[tuple[str, str]] = set()
    for state, one in zip(history.before, history.events, strict=True):
        data = one.data
        if data.slot is not None and one.kind != REFUSED:
            people = () if _is_on_paper(ground, one, data.signing, data.slot) else one.people
            for key in (*people, f"@{data.slot}"):
                if (data.signing or "", key) in signed:
                    yield Flaw(one.seq, f"{key} 重复签字", f"{key} has signed already")
                signed.add((data.signing or "", key))
        if one.kind in STEPS and data.origin != state and data.to == state:
            yield Flaw(one.seq, f"“{data.trigger}”重复办理", f"{data.trigger} was taken again")
        if one.kind in MOVING and data.to != state:
            signed.clear()
        elif one.kind == EventKind.RETRACTED:
            blocks = (data.slots or {}).items()
            signed = {(step, key) for step, block in blocks for key in _signers(ground, one, step, block["given"])}


def _signers(ground: Ground, one: Event, step: str, given: dict[str, dict[str, str]]) -> Iterator[str]:
    for seat, vote in given.items():
        yield f"@{seat}"
        if not _is_on_paper(ground, one, step, seat):
            yield vote["by"]
            yield from [vote["for"]] if "for" in vote else []


def _is_on_paper(ground: Ground, one: Event, step: str | None, seat: str) -> bool:
    """Whether a signature is one that somebody else records."""
    transition = ground.definitions[one.definition].transitions.get(step or "")
    sign = None if transition is None else transition.sign
    return sign is not None and on_paper(sign, seat.partition("@")[0])


def refusals_say_why(history: History, _: Ground) -> Flaws:
    """INV-AP-3: what was refused names the rules that failed, or why it was not heard."""
    for one in history.events:
        data = one.data
        if one.kind == REFUSED and not (data.failed or data.undecided or data.engine or data.barred):
            yield Flaw(one.seq, "拒绝未写明未通过的条件", "a refusal that names no rule")


def by_own_account(history: History, ground: Ground) -> Flaws:
    """INV-SIGN-1: a step only the student takes in person was taken from the student's own account."""
    for _, one in history.steps():
        step = history.definition.transitions.get(one.data.trigger)
        if step is None or not step.by or not all(_is_own(who) for who in step.by):
            continue
        if ground.student_of.get(one.actor) != history.student or one.delegation or one.role != "student":
            yield Flaw(one.seq, f"{one.actor} 不是学生本人账号", f"{one.actor} is not the student's own account")


def _is_own(who: Who) -> bool:
    return who.role == "student" and who.in_person and who.recorded_by is None and who.delegates is None


def lent_and_recorded(history: History, ground: Ground) -> Flaws:
    """INV-SIGN-2: who acts for another does so where the definition lets them, by a delegation that is recorded."""
    for one in history.events:
        if one.kind not in STEPS and one.kind != SIGNED:
            continue
        definition = ground.definitions.get(one.definition, history.definition)
        step = definition.transitions.get(one.data.trigger)
        if step is None:
            continue
        waiting = people_of(definition, step, one)
        if one.delegation is not None:
            yield from _lent(ground, history.chain, one, waiting)
        elif one.role == "student" and ground.student_of.get(one.actor) != history.student:
            what = f"{one.actor} 代学生办理而没有委派"
            yield Flaw(one.seq, what, f"{one.actor} acts as the student without delegation")
        if one.on_behalf_of != step.on_behalf_of or not _may_record(one, waiting):
            yield Flaw(one.seq, "流程不允许他人代办", "done for somebody where the definition has nobody do so")


def _may_record(one: Event, waiting: list[Who]) -> bool:
    if one.done_by is None:
        return True
    lent = () if one.delegation is None else (one.done_by,)  # a student's signature that was left to somebody
    return any(who.role == one.done_by and one.role in (who.recorded_by, *lent) for who in waiting)


def _lent(ground: Ground, chain: int, one: Event, waiting: list[Who]) -> Flaws:
    giver = str((one.delegation or {}).get("by"))
    good = ground.loans(chain, one)
    if not good:
        what = f"没有登记 {giver} 对 {one.actor} 的委派"
        yield Flaw(one.seq, what, f"no delegation by {giver} to {one.actor} is recorded")
    elif not any(_may_be_lent(who, one.role or "", {loan.reason for loan in good}) for who in waiting):
        yield Flaw(one.seq, "流程不允许委派这一步", "the definition does not let this be delegated")


def _may_be_lent(who: Who, role: str, reasons: Collection[str]) -> bool:
    if role != "student":
        return who.acting_role == role and not who.in_person
    return who.role == "student" and who.delegates is not None and not set(reasons).isdisjoint(who.delegates.reasons)


def all_signatures(history: History, ground: Ground) -> Flaws:
    """INV-SIGN-3: a signed step has all its signatures and seals, in the order of the chain."""
    if not any(step.sign for step in history.definition.transitions.values()):
        return
    given: dict[str, list[str]] = {}
    dropped: dict[str, list[str]] = {}
    missing: list[str] | None = None
    for state, one in zip(history.before, history.events, strict=True):
        data = one.data
        step = history.definition.transitions.get(data.signing or data.trigger)
        if step is not None and step.sign is not None and one.kind in (*STEPS, SIGNED) and data.trigger != "":
            signing = data.signing or ""
            there = [*given.get(signing, []), *dropped.get(signing, [])]
            yield from _signature(ground, step, one, there, missing)
        if data.slot is not None and one.kind in (*STEPS, SIGNED):
            given.setdefault(data.signing or "", []).append(data.slot.partition("@")[0])
            missing = data.missing
        elif one.kind == EventKind.SIGNER_CHANGED:
            missing = None  # seats were added or dropped: what is missing now, the next signature says
            dropped = {trigger: block.get("dropped", []) for trigger, block in (data.slots or {}).items()}
        if one.kind in MOVING and (data.to != state or one.kind == EventKind.RETRACTED):
            given, dropped, missing = {}, {}, None


def _signature(ground: Ground, step: Transition, one: Event, given: list[str], missing: list[str] | None) -> Flaws:
    data, sign = one.data, step.sign
    if sign is None or (one.kind in STEPS and data.signing not in (None, data.trigger)):
        return  # the step that is taken when a signer says no
    slot = (data.slot or "").partition("@")[0]
    if one.kind in STEPS and data.slot is None:
        yield Flaw(one.seq, f"“{step.title.zh}”没有签字", f"{step.title.en} was taken without signatures")
    elif one.kind in STEPS and sign.quorum == "all" and missing is not None and set(missing) - {data.slot}:
        yield _lacking(ground, one, sign, sorted(set(missing) - {data.slot or ""}))
    elif one.kind in STEPS and sign.quorum == "all" and missing is None:
        absent = [name for name, one_of in sign.slots.items() if _is_certain(one_of) and name not in {*given, slot}]
        if absent:
            yield _lacking(ground, one, sign, absent)
    if sign.order == "sequence" and slot in sign.slots:
        order = list(sign.slots)
        early = [name for name in order[: order.index(slot)] if name not in given and _is_certain(sign.slots[name])]
        if early and one.kind == SIGNED and set(early) & set(data.missing or ()):
            first, other = (signers(ground.book_of(one), [(name, sign.slots[name])]) for name in (slot, early[0]))
            yield Flaw(one.seq, f"“{first.zh}”先于“{other.zh}”签字", f"{first.en} signed before {other.en}")


def _lacking(ground: Ground, one: Event, sign: Sign, seats: list[str]) -> Flaw:
    """Which seats are not signed, by the roles that sign there."""
    slots = [seat.partition("@")[0] for seat in seats]
    names = signers(ground.book_of(one), [(name, sign.slots.get(name)) for name in slots])
    return Flaw(one.seq, f"缺少签字：{names.zh}", f"signatures are missing: {names.en}")


def _is_certain(slot: Slot) -> bool:
    return slot.applies is None and slot.each is None


def told_in_full(history: History, _: Ground) -> Flaws:
    """INV-LOG-1: each answered step says who, in which role, when, from where to where, under which definition."""
    for one in history.events:
        if one.kind not in STEPS and one.kind not in (SIGNED, REFUSED):
            continue
        data = one.data
        wanted: dict[str, str | None] = {"at": one.at, "actor": one.actor}
        wanted["definition"], wanted["rulebook"] = one.definition, one.rulebook
        wanted["trigger"], wanted["from"] = data.trigger, data.origin
        if one.kind != REFUSED:
            wanted["role"] = one.role
        if one.kind in STEPS:
            wanted["to"] = data.to
        lacking = ", ".join(name for name, value in wanted.items() if not value and not _is_refused_file(one, name))
        if lacking:
            yield Flaw(one.seq, f"留痕缺少 {lacking}", f"the event does not say {lacking}")


def _is_refused_file(one: Event, name: str) -> bool:
    return one.kind == REFUSED and name in ("definition", "rulebook", "trigger")


def judged_in_force(history: History, ground: Ground) -> Flaws:
    """INV-LOG-2: every event names the definition its case is pinned to, and a rulebook, both published by then."""
    pinned = ""
    for one in history.events:
        if one.kind in (EventKind.OPENED, EventKind.MIGRATED):
            pinned = one.definition
        if one.kind not in MOVING and one.kind != SIGNED:
            continue
        if one.definition != pinned:
            yield Flaw(
                one.seq, "所依据的定义不是办件所属版本", "judged by another definition than the case is pinned to"
            )
        for name in (one.definition, one.rulebook):
            if ground.published.get(name, "~") > one.at:
                yield Flaw(one.seq, f"当时 {name[:8]} 尚未发布", f"{name[:8]} was not published by then")


def declared(history: History, _: Ground) -> Iterator[tuple[str, Flaw]]:
    """What the definition itself declares under `invariants`: states never left, steps in order since a state."""
    for name, one in history.definition.invariants.items():
        for state, event in zip(history.before, history.events, strict=True):
            if event.kind in MOVING and state in one.never_left and event.data.to not in (None, state):
                yield name, Flaw(event.seq, f"离开了“{state}”", f"{state} was left")
    for order in orders_of(history.definition):
        for event, reached in _reached(order, history):
            if event.kind in STEPS and order.is_early(event.data.trigger, reached):
                skipped = order.triggers[reached]
                yield order.name, Flaw(event.seq, f"“{skipped}”尚未办理", f"{skipped} was not taken before")


def _reached(order: Order, history: History) -> Iterator[tuple[Event, int]]:
    """Every event that moves a case, and how far the order had come before it."""
    reached = 0
    for state, event in zip(history.before, history.events, strict=True):
        if event.kind not in MOVING:
            continue
        yield event, reached
        to = event.data.to or state
        if event.kind != EventKind.RETRACTED:
            trigger = "" if event.kind == EventKind.MIGRATED else event.data.trigger
            reached = order.after(reached, state, (trigger, to))
        elif to != state:
            reached = order.entered(reached, to)
