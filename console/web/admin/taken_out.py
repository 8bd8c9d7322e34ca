"""Who took tables, papers and bundles along, when, and how much: the part of the access report that names no student.

An `exported` event says what it was and how many stood in it, never who: which students they were only the file says,
which its SHA-256 in the trail proves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from console.web import lettering
from console.web.auditing.frame import names_of
from console.web.visit import Visit
from engine.store import exports
from engine.store.database import NEWEST

PAGE = 20
_COUNTED = ("cases", "decisions", "findings", "papers", "rows", "events")
"""What is counted in a file, the one that says the most first."""


class Taken(NamedTuple):
    """Something taken along in words: `many` is how much stood in it, empty where the event does not say."""

    seq: int
    at: datetime
    name: str
    login: str
    unit: str
    what: str
    many: str


def taken_out(visit: Visit, paths: Sequence[str], who: str, before: int | None, most: int) -> list[Taken]:
    """What somebody (empty: anybody) took along in a right held at some units or below them, newest first."""
    units = visit.desk.units()
    here = {code for code, row in units.items() if row.path.startswith(tuple(paths) or ("—",))}
    found = exports.taken_out(visit.desk.connection, here, who, before or NEWEST, most)
    names = names_of(visit, (one["actor"] for one in found))
    return [
        Taken(
            seq=int(one["seq"]),
            at=datetime.fromisoformat(one["at"]),
            name=names[one["actor"]],
            login=one["actor"],
            unit=units[one["unit"]].name,
            what=_what(visit, one["data"]),
            many=_many(visit, one["data"]),
        )
        for one in found
    ]


def _what(visit: Visit, data: Mapping[str, Any]) -> str:
    """What it was: a table by its title, of which batch."""
    titles = {
        "export:queue": visit.say("待办"), "export:done": visit.say("已办"), "export:mine": visit.say("我发起的"),
        "export:copies": visit.say("抄送我的"), "export:found": visit.say("查找结果"),
        "export:batch": visit.say("学生"), "export:lists": visit.say("名单名册"),
        "export:members": visit.say("名单上的人"), "export:bulk": visit.say("批量办理"),
        "export:samples": visit.say("抽过的样本"), "export:sample": visit.say("样本"),
        "export:papers": visit.say("底稿"), "export:seals": visit.say("封存头"),
        "export:people": visit.say("人员与角色"), "export:units": visit.say("单位"),
        "export:person-roles": visit.say("现有角色"), "export:person-tokens": visit.say("接口令牌"),
        "export:tokens": visit.say("接口令牌"),
        "export:delegations": visit.say("委派一览"), "export:outbox": visit.say("邮件"),
        "export:changes": visit.say("变更记录"), "export:audited-changes": visit.say("变更记录"),
        "export:access": visit.say("查看记录"), "export:bundle": visit.say("可验证的日志"),
        "export:xes": visit.say("流程日志"), "export:ocel": visit.say("流程日志"),
        "audit:findings": visit.say("疑点"), "audit:papers": visit.say("底稿"), "audit:report": visit.say("审计报告"),
        "audit:what-if": visit.say("换规则重判"),
    }  # fmt: skip
    title, batch = titles.get(data["trigger"], str(data["trigger"])), data.get("batch")
    if data.get("names") is True:
        title = visit.say("{what}，带姓名", what=title)
    return visit.say("{what}，批次 {batch}", what=title, batch=batch) if batch else title


def _many(visit: Visit, data: Mapping[str, Any]) -> str:
    counts = {**data, **(data.get("counts") or {})}
    count = next((counts[name] for name in _COUNTED if isinstance(counts.get(name), int)), None)
    return "" if count is None else visit.say("{n} 条", n=lettering.number(count))
