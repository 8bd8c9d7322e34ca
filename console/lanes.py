"""Making lanes anew: for a database from before there were any, or one whose rows somebody has edited."""

from __future__ import annotations

from console.calling import Caller
from console.printing import line, progress
from engine.lane_rebuilding import rebuild
from engine.records import Request


def make_anew(caller: Caller, login: str) -> int:
    """Make lanes, deeds and marks anew from cases, facts and the trail."""
    with caller.sitting(publishes_as=login) as sitting:
        desk = sitting.desk
        request: Request = sitting.request("lanes_rebuild", desk.actor(login))
        with progress(None, "重新生成 making lanes") as told:
            rows = rebuild(desk, request, told)
        line(f"待办分栏 {rows} 行已重新生成。{rows} rows of lanes were made anew.")
    return 0
