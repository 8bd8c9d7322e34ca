"""Clocks: what holds for the deadlines of every case, told from its events alone.

Source: requirements.md 7 (INV-DL).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from engine.actors import TIMER
from engine.auditing.ground import Flaw, Ground
from engine.auditing.history import STEPS, Event, History
from engine.auditing.words import deadline_title, moment_said
from engine.definition import CANCELLED, Definition
from engine.trail.event import EventKind

Flaws = Iterator[Flaw]
_TOLD = (EventKind.REMINDED, EventKind.ESCALATED)
_SECONDS = len("2024-05-13T15:59:59")


class _Clock(NamedTuple):
    """A deadline that runs: its last moment as the trail writes it, and whether it is settled."""

    due: str | None
    settled: bool


def late_is_marked(history: History, ground: Ground) -> Flaws:
    """INV-DL-1: a step taken after a deadline is marked late, and whoever sets another date says why."""
    for place, (one, clocks) in enumerate(_walk(history)):
        if one.kind == EventKind.DEADLINE_MOVED and one.data.extended and not (one.actor and one.data.reason):
            yield Flaw(one.seq, "延期没有写明何人、何故", "an extension does not say who and why")
        if one.kind not in STEPS or one.data.to == history.before[place] or one.data.trigger == CANCELLED:
            continue
        definition = ground.definitions.get(one.definition, history.definition)
        over = {name for name, clock in clocks.items() if _is_over(clock, one.at)} - _fired(definition, one)
        for name in sorted(over - set(one.data.late or ())):
            called = deadline_title(definition, name)
            yield Flaw(one.seq, f"“{called.zh}”已逾期而未标记", f"late for {called.en} and not marked")


def told_once(history: History, _: Ground) -> Flaws:
    """INV-DL-2: each rung of a deadline is told once for its date, and none once it is settled or closed."""
    told: set[tuple[str | None, ...]] = set()
    for one, clocks in _walk(history):
        if one.kind not in _TOLD:
            continue
        data = one.data
        clock = clocks.get(data.deadline or "")
        rung = (data.deadline, data.due, data.rung)
        if rung in told:
            yield Flaw(one.seq, f"“{data.deadline}”的 {data.rung} 提醒了两次", f"{data.rung} was told twice")
        if clock is None or clock.settled or clock.due != data.due:
            yield Flaw(one.seq, f"“{data.deadline}”已办结或已改期仍提醒", f"told of {data.deadline}, which is not due")
        told.add(rung)


def missed_unmarked(history: History, at: str) -> Flaws:
    """The deadlines that still run, were over by a moment of the trail, and of which no event says they are late."""
    clocks: Mapping[str, _Clock] = {}
    marked: set[tuple[str | None, str | None]] = set()
    for one, clocks in _walk(history):  # noqa: B007 one mapping for all events: afterwards it says how they stand
        if one.kind == EventKind.LATE:
            marked.add((one.data.deadline, one.data.due))
    for name, clock in clocks.items():
        if _is_over(clock, at) and (name, clock.due) not in marked and not _fires(history.definition, name):
            called, due = deadline_title(history.definition, name), moment_said(clock.due or at)
            what = f"“{called.zh}”于 {due.zh} 到期，未标记逾期"
            yield Flaw(history.events[-1].seq, what, f"{called.en} was due {due.en} and is not marked late")


def _walk(history: History) -> Iterator[tuple[Event, Mapping[str, _Clock]]]:
    """Every event, with the deadlines that run before it; the mapping is one, and ends as the last event leaves it."""
    clocks: dict[str, _Clock] = {}
    for one in history.events:
        yield one, clocks
        data = one.data
        if one.kind == EventKind.DEADLINE_MOVED:
            clocks[data.deadline or ""] = _Clock(data.new, data.settled)
        for name, told in (data.deadlines or {}).items():
            if told is None:
                clocks.pop(name, None)
            else:
                clocks[name] = _Clock(told["due"], bool(told.get("settled")))


def _is_over(clock: _Clock, at: str) -> bool:
    return clock.due is not None and not clock.settled and at[:_SECONDS] > clock.due[:_SECONDS]


def _fires(definition: Definition, name: str) -> bool:
    """Whether a deadline ends with a step of the clock's own, so that nobody is late by it."""
    deadline = definition.deadlines.get(name)
    return deadline is not None and deadline.missed is not None and deadline.missed.fire is not None


def _fired(definition: Definition, one: Event) -> set[str]:
    """The deadlines that fired a step themselves: for these it is not late."""
    if one.actor != TIMER.login:
        return set()
    timed = definition.deadlines.items()
    return {name for name, deadline in timed if deadline.missed and deadline.missed.fire == one.data.trigger}
