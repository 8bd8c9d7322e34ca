"""One machine as a space of configurations: where a case can stand, and every step it could take from there.

A configuration is what decides about the next step and belongs to the case: its state, the own yes_no and choice
fields that steps set and conditions read, the returns counted so far, the deadlines that have fired, the signatures
given, and how far each `in_order` has come. Everything else (facts, other cases, dates) is free at every step.
Source: the definition language, sections 5 to 8 and 13.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple

from engine.analysis.deciding import FREE
from engine.analysis.rules import Answer, Rules
from engine.checking.subjects import Subject, is_final
from engine.definition import NEW, MachineFile, MoveKind, Sign, Slot, Transition
from engine.scopes import kind_or_unknown

MOST_CODES = 12
"""A choice of more codes is left free: what decides by its codes one by one is a table, not a path."""

Fields = tuple[object, ...]


class Vote(NamedTuple):
    """One signature given, or refused."""

    trigger: str
    slot: str
    agrees: bool


class Place(NamedTuple):
    """One configuration of a case."""

    state: str
    fields: Fields
    rounds: int = 0
    fired: frozenset[str] = frozenset()
    votes: frozenset[Vote] = frozenset()
    progress: tuple[int, ...] = ()


class Move(NamedTuple):
    """One step from a configuration: what was done, by signing (`slot`) or by a missed deadline, and where to.

    `agrees` is False where somebody refused to sign; `to` may be the same configuration.
    """

    trigger: str
    to: Place
    slot: str = ""
    agrees: bool = True
    deadline: str = ""
    given: tuple[tuple[str, object], ...] = ()
    takes: str = ""
    """The transition taken, empty if a signature is given and others are missing."""


@dataclass(frozen=True, kw_only=True)
class Space:
    """All that a case of one machine can do; without slots, because what is derived is kept."""

    subject: Subject

    @property
    def machine(self) -> MachineFile:
        """The machine whose cases these are."""
        return self.subject.machine

    @cached_property
    def rules(self) -> Rules:
        """Its rules, answered from a case's own fields."""
        return Rules(subject=self.subject)

    @cached_property
    def domains(self) -> Mapping[str, tuple[object, ...]]:
        """The own fields that are followed, with the values each may have besides being missing.

        Those that a condition reads, and that steps set or nobody ever gives; what a person types in is free.
        """
        steps = self.machine.transitions.values()
        assigned = {name for one in steps for name in one.assigns}
        typed = {name for one in steps for name in (*one.asks, *one.accepts)}
        read = self.rules.reads()
        followed = [
            name
            for name in self.machine.fields
            if f"case.{name}" in read and (f"case.{name}" in assigned or name not in typed)
        ]
        found = {name: self._values(self.machine.fields[name].type) for name in followed}
        return {name: values for name, values in found.items() if values}

    def _values(self, written: str) -> tuple[object, ...]:
        kind = kind_or_unknown(written)
        if kind.name == "yes_no":
            return (True, False)
        codes = self.subject.scope.choices.get(kind.of, {}) if kind.name == "choice" else {}
        return tuple(codes) if len(codes) <= MOST_CODES else ()

    @cached_property
    def orders(self) -> tuple[tuple[tuple[str, ...], str | None], ...]:
        """The `in_order` invariants: their triggers, and the state in which counting starts anew."""
        return tuple((one.in_order, one.since) for one in self.machine.invariants.values() if one.in_order)

    @cached_property
    def timers(self) -> Mapping[str, str]:
        """The deadlines that take a step when missed: name → trigger."""
        return {
            name: one.missed.fire
            for name, one in self.machine.deadlines.items()
            if one.missed is not None and one.missed.fire in self.machine.transitions
        }

    def known(self, place: Place) -> dict[str, object]:
        """What a condition may know of a case in this configuration."""
        fields = zip(self.domains, place.fields, strict=True)
        known = {f"case.{name}": value for name, value in fields}
        return {**known, "case.state": place.state, "case.rounds": place.rounds}

    def starts(self) -> Iterator[Move]:
        """Every way a case can open."""
        texts = (self.machine.fields[name].starts for name in self.domains)
        firsts = [self._first(name, text) for name, text in zip(self.domains, texts, strict=True)]
        for fields in product(*firsts):
            before = Place(state=NEW, fields=fields, progress=(0,) * len(self.orders))
            for trigger, one in self.machine.openings.items():
                yield from self._taken(before, trigger, one)

    def _first(self, name: str, text: str | None) -> tuple[object, ...]:
        value = None if text is None else self.rules.value(text, {})
        return (*self.domains[name], None) if value is FREE else (value,)

    def moves(self, place: Place) -> Iterator[Move]:
        """Every step that is possible from a configuration, whoever takes it."""
        for trigger, one in self.machine.transitions.items():
            if place.state not in one.origins:
                continue
            if one.sign is not None:
                yield from self._signed(place, trigger, one, one.sign)
            elif any(who.role != "timer" for who in one.by):
                yield from self._taken(place, trigger, one)
        yield from self._timed(place)

    def _timed(self, place: Place) -> Iterator[Move]:
        for name, trigger in self.timers.items():
            one = self.machine.transitions[trigger]
            runs = place.state in self.machine.deadlines[name].running and name not in place.fired
            if runs and place.state in one.origins:
                fired = place._replace(fired=place.fired | {name})
                for move in self._taken(fired, trigger, one):
                    yield move._replace(deadline=name)

    def _taken(self, place: Place, trigger: str, transition: Transition) -> Iterator[Move]:
        """The step with every value it may be given, to every state it may lead to."""
        counted = place.rounds + (transition.kind is MoveKind.RETURN)
        if counted > self.machine.rounds:
            return
        for given in self._given(transition):
            asked = place._replace(
                fields=tuple(given.get(n, v) for n, v in zip(self.domains, place.fields, strict=True))
            )
            if not self.rules.may_pass(transition, self.known(asked)):
                continue
            shown = tuple(given.items())
            for fields in self._assigned(asked, transition):
                after = asked._replace(fields=fields, rounds=counted)
                for target in transition.targets or (place.state,):
                    to = self._arrived(after, trigger, transition, target)
                    yield Move(trigger=trigger, to=to, given=shown, takes=trigger)

    def _given(self, transition: Transition) -> Iterator[dict[str, object]]:
        must = [name for name in self.domains if name in transition.asks]
        may = [name for name in self.domains if name in transition.accepts and name not in must]
        choices: list[list[tuple[tuple[str, object], ...]]] = []
        choices += [[((name, value),) for value in self.domains[name]] for name in must]
        choices += [[(), *(((name, value),) for value in self.domains[name])] for name in may]
        for chosen in product(*choices):
            yield dict(pair for pairs in chosen for pair in pairs)

    def _assigned(self, place: Place, transition: Transition) -> Iterator[Fields]:
        known = self.known(place)
        after: list[tuple[object, ...]] = []
        for name, value in zip(self.domains, place.fields, strict=True):
            target = f"case.{name}"
            if target not in transition.assigns:
                after.append((value,))
                continue
            text = transition.assigns[target]
            set_to = None if text is None else self.rules.value(text, known)
            after.append((*self.domains[name], None) if set_to is FREE else (set_to,))
        yield from product(*after)

    def _arrived(self, place: Place, trigger: str, transition: Transition, target: str) -> Place:
        """Where a step leads: leaving a state voids its signatures and deadlines; a rest starts counting anew."""
        moves = target != place.state
        rests = moves and target in self.machine.states and self.machine.states[target].rests
        votes = place.votes if not transition.targets else frozenset[Vote]()
        running = {name for name, one in self.machine.deadlines.items() if target in one.running}
        return place._replace(
            state=target,
            rounds=0 if rests or is_final(self.machine, target) else place.rounds,
            fired=place.fired & running if moves else place.fired,
            votes=frozenset(one for one in votes if one.trigger != trigger),
            progress=tuple(
                0 if moves and target == since else _advanced(order, trigger, reached)
                for (order, since), reached in zip(self.orders, place.progress, strict=True)
            ),
        )

    # --- signatures ------------------------------------------------------------------------------

    def _signed(self, place: Place, trigger: str, transition: Transition, sign: Sign) -> Iterator[Move]:
        given = {vote.slot: vote.agrees for vote in place.votes if vote.trigger == trigger}
        known = {key: value for key, value in self.known(place).items() if key[5:] not in transition.asks}
        if not self.rules.may_pass(transition, known):
            return
        for name in self._open_slots(sign, given, known):
            here = {**given, name: True}
            signed = place._replace(votes=place.votes | {Vote(trigger, name, agrees=True)})
            enough = {is_full(sign, here.values(), total) for total in self._totals(sign, here, known)}
            if True in enough:
                for move in self._taken(signed, trigger, transition):
                    yield move._replace(slot=name)
            if False in enough:
                yield Move(trigger=trigger, to=signed, slot=name)
            yield from self._refused(place, trigger, sign, {**given, name: False}, name)

    def _refused(self, place: Place, trigger: str, sign: Sign, given: Mapping[str, bool], name: str) -> Iterator[Move]:
        """A signer says no: the first no decides, or the one that makes the quorum impossible."""
        answer = self.machine.transitions.get(sign.against or "")
        if answer is None or place.state not in answer.origins:
            return
        refused = place._replace(votes=place.votes | {Vote(trigger, name, agrees=False)})
        totals = self._totals(sign, given, self.known(place))
        over = {sign.veto or is_hopeless(sign, given.values(), total) for total in totals}
        if True in over:
            for move in self._taken(refused, sign.against or "", answer):
                yield move._replace(trigger=trigger, slot=name, agrees=False)
        if False in over:
            yield Move(trigger=trigger, to=refused, slot=name, agrees=False)

    def _open_slots(self, sign: Sign, given: Mapping[str, bool], known: Mapping[str, object]) -> Iterator[str]:
        """The slots somebody may sign now; in sequence, none before one that surely applies, none after the fact."""
        names = list(sign.slots)
        for index, (name, slot) in enumerate(sign.slots.items()):
            barred = any(self.rules.answer(rule, known) in {Answer.FAILS, Answer.UNDECIDED} for rule in slot.guards)
            if name in given or self.applies(slot, known) is False or barred:
                continue
            if sign.order == "sequence":
                missing = any(n not in given and self.applies(sign.slots[n], known) is True for n in names[:index])
                if missing or any(later in given for later in names[index:]):
                    continue
            yield name

    def applies(self, slot: Slot, known: Mapping[str, object]) -> bool | None:
        """Whether a signature is asked for; None if that depends on more than the case."""
        value = True if slot.applies is None else self.rules.value(slot.applies, known)
        return None if value is FREE else value is True

    def _totals(self, sign: Sign, given: Mapping[str, bool], known: Mapping[str, object]) -> set[int]:
        """How many signatures there may be in all: every slot that surely applies, and some that may."""
        sure = {name for name, slot in sign.slots.items() if self.applies(slot, known) is True} | given.keys()
        perhaps = {name for name, slot in sign.slots.items() if self.applies(slot, known) is None} - given.keys()
        if sign.order == "sequence":  # what stands before a given signature was passed over for good
            last = max(index for index, name in enumerate(sign.slots) if name in given)
            perhaps &= set(list(sign.slots)[last:])
        return set(range(len(sure), len(sure) + len(perhaps) + 1))


def _advanced(order: tuple[str, ...], trigger: str, reached: int) -> int:
    """How much of an order has been gone through: taking an earlier step again starts over from there."""
    if trigger not in order or order.index(trigger) > reached:
        return reached
    return order.index(trigger) + 1


def quorum(sign: Sign, total: int) -> int:
    """How many signatures decide, of so many; a number larger than all there are means all."""
    match sign.quorum:
        case "all":
            return total
        case "any":
            return 1
        case "majority":
            return total // 2 + 1
        case number:
            return min(int(number), total)


def is_full(sign: Sign, given: Iterable[bool], total: int) -> bool:
    """Whether enough have signed."""
    return sum(given) >= quorum(sign, total)


def is_hopeless(sign: Sign, given: Iterable[bool], total: int) -> bool:
    """Whether so many refused that the quorum cannot be reached any more."""
    return total - sum(not agrees for agrees in given) < quorum(sign, total)
