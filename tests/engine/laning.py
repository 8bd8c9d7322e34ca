"""What lanes, deeds and marks should be, whatever has happened: what would be made now."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.actors import TIMER
from engine.desk import Desk
from engine.lane_rebuilding import Astray, astray
from engine.lanes import FAR, refresh
from engine.records import Request


def lanes_agree(desk: Desk, at: datetime) -> None:
    """Every row that is kept is the one that would be made now, once the clock has done its part."""
    request = Request(trigger="lanes", actor=TIMER, at=at + FAR + timedelta(seconds=1))
    refresh(desk, request)
    assert astray(desk, request) == Astray(frozenset(), frozenset())
