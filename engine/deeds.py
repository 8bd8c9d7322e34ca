"""Deeds: what an event tells that a person did, so that everybody finds again what they decided and opened. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from engine.cautions import Decision
from engine.definition import Transition
from engine.records import Json
from engine.store.lanes import Deed
from engine.trail.event import EventKind, Written

KINDS = frozenset({EventKind.OPENED, EventKind.MOVED, EventKind.SIGNED, EventKind.RETRACTED})
"""The events that are somebody's deed."""
_ACTS = KINDS - {EventKind.OPENED, EventKind.RETRACTED}
_NOBODY = frozenset({"import", "timer"})


def decided_by(event: Mapping[str, Json]) -> Decision:
    """The decision that an event tells."""
    delegation = cast("Mapping[str, Json] | None", event.get("delegation"))
    data = cast("Mapping[str, Json]", event["data"])
    return Decision(str(event["at"]), None if delegation is None else str(delegation["by"]), "late" in data)


@dataclass(slots=True)
class SentBack:
    """How often a case came back to whoever had put it forward, event after event; what was taken back is not counted.

    `steps_of` gives the steps of a shape, by trigger.
    """

    steps_of: Callable[[str], Mapping[str, Transition]]
    now: int = 0
    _before: int = 0

    def take(self, event: Mapping[str, Json]) -> None:
        """Add the next event of the case's chain."""
        if event["kind"] == EventKind.RETRACTED:
            self.now = self._before
        elif event["kind"] in _ACTS:
            self._before = self.now
            data = cast("Mapping[str, Json]", event["data"])
            step = self.steps_of(str(event["definition"])).get(str(data.get("trigger")))
            self.now += event["kind"] == EventKind.MOVED and step is not None and step.sends_back


def sent_back(events: Iterable[Mapping[str, Json]], steps_of: Callable[[str], Mapping[str, Transition]]) -> int:
    """How often a case came back, by its events from the first on (`SentBack`)."""
    counted = SentBack(steps_of)
    for event in events:
        counted.take(event)
    return counted.now


def deed_of(kind: str, event: Mapping[str, Json], place: tuple[int, int]) -> Deed | None:
    """What an event at a place (chain, seq) tells a person did; None where nobody did, or another event caused it."""
    login = str(event["actor"])
    if login in _NOBODY or "cause" in event:
        return None
    trigger = cast("Mapping[str, Json]", event["data"]).get("trigger", "")
    at, giver, late = decided_by(event)
    return Deed(*place, login, kind, str(trigger), at, giver, late)


def deed_written(kind: EventKind, event: Mapping[str, Json], written: Written) -> Deed | None:
    """The same of an event just written."""
    return deed_of(kind.value, event, (written.chain, written.seq))
