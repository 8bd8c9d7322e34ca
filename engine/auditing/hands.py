"""Hands: through whose hands a case went, level by level; levels are roles, and for one role kinds of unit.

Whoever lends a right has had a hand in what is done by it. A signature on paper is its signer's, not its recorder's.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from engine.auditing.decisions import awaits, is_acted
from engine.auditing.found import Finding, Limits, Place, mark
from engine.auditing.ground import Ground
from engine.auditing.history import SIGNED, STEPS, Event, History
from engine.auditing.steps import NO_PERSONS
from engine.auditing.words import role_title, step_title
from engine.definition import MoveKind
from engine.records import Sentence
from engine.signing import on_paper
from engine.trail.event import EventKind

TWO_LEVELS, ALWAYS_PAIRED = "two-levels", "always-paired"

Level = tuple[str, int]
"""The role in which somebody acted, and how deep in the organisation the unit stands."""


class _Hand(NamedTuple):
    """One step or signature of a round: the event, its level, and whether it approves what others put forward."""

    event: Event
    level: Level
    approves: bool


def rounds(history: History, ground: Ground) -> Iterator[list[_Hand]]:
    """What people did to a case since it opened or last rested, round by round; what was taken back is left out."""
    hands: list[_Hand] = []
    for state, one in zip(history.before, history.events, strict=True):
        if one.kind == EventKind.RETRACTED:
            hands = _without_last(hands, one)
        elif one.kind in STEPS or one.kind == SIGNED:
            if one.cause is None and one.role not in NO_PERSONS and not _is_on_paper(history, one):
                hands.append(_hand(history, ground, one, state))
            if one.data.rests:
                yield hands
                hands = []
    yield hands


def _without_last(hands: list[_Hand], taken_back: Event) -> list[_Hand]:
    for place in reversed(range(len(hands))):
        last = hands[place].event
        if last.actor == taken_back.actor and last.data.trigger == taken_back.data.trigger:
            return hands[:place] + hands[place + 1 :]
    return hands


def _is_on_paper(history: History, one: Event) -> bool:
    step = history.definition.transitions.get(one.data.signing or one.data.trigger)
    sign = None if step is None else step.sign
    return sign is not None and one.data.slot is not None and on_paper(sign, one.data.slot.partition("@")[0])


def _hand(history: History, ground: Ground, one: Event, state: str) -> _Hand:
    step = history.definition.transitions.get(one.data.trigger)
    advances = step is not None and step.kind is MoveKind.ADVANCE and one.kind in STEPS
    depth = ground.paths.get(one.unit or "", "").count("/")
    approves = advances and is_acted(one) and awaits(history.definition, state)
    return _Hand(one, (one.done_by or one.role or "", depth), approves)


def two_levels(history: History, ground: Ground) -> Iterator[Finding]:
    """Who had a hand in two levels of one case (`two-levels`): once a person and round."""
    for hands in rounds(history, ground):
        first: dict[str, _Hand] = {}
        named: set[str] = set()
        for hand in hands:
            for person in hand.event.people:
                earlier = first.setdefault(person, hand)
                if earlier.level != hand.level and person not in named:
                    named.add(person)
                    yield _both(history, ground, person, (earlier, hand))


def _both(history: History, ground: Ground, person: str, hands: tuple[_Hand, _Hand]) -> Finding:
    one, other = (hand.event for hand in hands)
    place, who = Place(history.chain, (one.seq, other.seq)), mark(person)
    book = ground.book_of(other)
    steps = [
        step_title(ground.definitions.get(each.definition, history.definition), each.data.trigger)
        for each in (one, other)
    ]
    roles = [role_title(book, hand.level[0]) for hand in hands]
    zh = (
        f"{who} 在 {place.number} 的两级都有办理：以“{roles[0].zh}”办理“{steps[0].zh}”，"
        f"又以“{roles[1].zh}”办理“{steps[1].zh}”"
    )
    en = (
        f"{who} had a hand in two levels of {place.number}: {steps[0].en} as {roles[0].en}"
        f" and {steps[1].en} as {roles[1].en}"
    )
    people = tuple(dict.fromkeys((person, *one.people, *other.people)))
    return Finding(code=TWO_LEVELS, people=people, at=other.at, places=(place,), said=Sentence(zh=zh, en=en))


_Steps = tuple[str, str, str]
"""A workflow and two of its steps, one after the other."""
_Pair = tuple[_Steps, str, str]
_PAIR = 2
_PLACE = 3
"""Chain and the two events: three numbers of a pair's array."""


class Pairs:
    """Who approves after whom, over many cases: fed with histories, then asked for those who always meet.

    Memory holds three numbers per pair of approvals and a count per person, never an event.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._first: Counter[tuple[_Steps, str]] = Counter()
        self._second: Counter[tuple[_Steps, str]] = Counter()
        self._met: dict[_Pair, array[int]] = {}
        self._since: dict[_Pair, str] = {}
        self._titles: dict[_Steps, tuple[Sentence, Sentence]] = {}

    def add(self, history: History, ground: Ground) -> None:
        """Count the approvals of one case that follow each other at different levels."""
        for hands in rounds(history, ground):
            approvals = [hand for hand in hands if hand.approves]
            for one, other in pairwise(approvals):
                if one.level != other.level:
                    steps = (history.definition.workflow, one.event.data.trigger, other.event.data.trigger)
                    self._titles[steps] = (
                        step_title(history.definition, steps[1]),
                        step_title(history.definition, steps[2]),
                    )
                    self._count(history.chain, steps, one.event, other.event)

    def _count(self, chain: int, steps: _Steps, one: Event, other: Event) -> None:
        self._first[steps, one.actor] += 1
        self._second[steps, other.actor] += 1
        pair = (steps, one.actor, other.actor)
        self._met.setdefault(pair, array("q")).extend((chain, one.seq, other.seq))
        self._since[pair] = min(other.at, self._since.get(pair, other.at))

    def found(self) -> Iterator[Finding]:
        """The pairs who met often enough, and nearly always, whichever of the two one asks (`always-paired`).

        Where nobody else takes either step there was no choice, and nothing is found.
        """
        people = Counter(steps for steps, _ in (*self._first, *self._second))
        for (steps, one, other), places in sorted(self._met.items()):
            met = len(places) // _PLACE
            share = self._limits.pair_share
            often = met >= self._limits.pair_least and one != other and people[steps] > _PAIR
            if often and met >= share * self._first[steps, one] and met >= share * self._second[steps, other]:
                counts = (met, self._first[steps, one], self._second[steps, other])
                yield self._pair((steps, one, other), places, counts)

    def _pair(self, pair: _Pair, places: array[int], counts: tuple[int, int, int]) -> Finding:
        steps, one, other = pair
        met, of_one, of_other = counts
        (first, second), who, next_one = self._titles[steps], mark(one), mark(other)
        zh = (
            f"{who} 办理“{first.zh}”的 {of_one} 件中有 {met} 件由 {next_one} 接着办理“{second.zh}”，"
            f"{next_one} 办理的 {of_other} 件中有 {met} 件出自 {who}"
        )
        en = (
            f"{met} of the {of_one} cases of {who} ({first.en}) went on to {next_one} ({second.en}),"
            f" and {met} of the {of_other} that {next_one} took came from {who}"
        )
        triples = zip(places[::_PLACE], places[1::_PLACE], places[2::_PLACE], strict=True)
        return Finding(
            code=ALWAYS_PAIRED, people=(one, other), at=self._since[pair],
            places=tuple(Place(chain, (first, second)) for chain, first, second in triples),
            said=Sentence(zh=zh, en=en),
        )  # fmt: skip
