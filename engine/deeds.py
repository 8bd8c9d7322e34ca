"""Deeds: what an event tells that a person did, so that everybody finds again what they decided and opened. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from engine.cautions import Decision
from engine.records import Json
from engine.store.lanes import Deed
from engine.trail.event import EventKind, Written

KINDS = frozenset({EventKind.OPENED, EventKind.MOVED, EventKind.SIGNED, EventKind.RETRACTED})
"""The events that are somebody's deed."""
_NOBODY = frozenset({"import", "timer"})


def decided_by(event: Mapping[str, Json]) -> Decision:
    """The decision that an event tells."""
    delegation = cast("Mapping[str, Json] | None", event.get("delegation"))
    data = cast("Mapping[str, Json]", event["data"])
    return Decision(str(event["at"]), None if delegation is None else str(delegation["by"]), "late" in data)


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
