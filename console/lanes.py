"""Making lanes anew: for a database from before there were any, or one whose rows somebody has edited."""

from __future__ import annotations

from console.calling import Caller
from console.printing import line, progress
from engine.lane_rebuilding import Astray, astray, rebuild
from engine.records import Request, case_number

_NAMED = 20


def make_anew(caller: Caller, login: str, *, dry_run: bool) -> int:
    """Make lanes, deeds, marks and the order of names anew; a dry run says for whom that would change any.

    Returns:
        1 if a dry run found any, else 0.
    """
    with caller.sitting(publishes_as=None if dry_run else login) as sitting:
        desk = sitting.desk
        request: Request = sitting.request("lanes_rebuild", desk.actor(login))
        if dry_run:
            with progress(None, "比对 comparing lanes") as told:
                found = astray(desk, request, told)
            return _say(found)
        with progress(None, "重新生成 making lanes") as told:
            rows = rebuild(desk, request, told)
        line(f"待办分栏 {rows} 行已重新生成。{rows} rows of lanes were made anew.")
    return 0


def _say(found: Astray) -> int:
    line(f"与重新生成不一致 would change：{len(found.cases)} 件 cases，{len(found.students)} 名学生 students")
    for case in sorted(found.cases)[:_NAMED]:
        line(f"  {case_number(case)}")
    if len(found.cases) > _NAMED:
        line(f"  另有 {len(found.cases) - _NAMED} 件 more")
    return 1 if any(found) else 0
