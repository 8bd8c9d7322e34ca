"""Help pages: which keys there are (the console's specification, section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from fastapi import Response

from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.visit import Visit

doors = Doors()


class Keys(NamedTuple):
    """What some keys do; each of them alone does it."""

    names: Sequence[str]
    does: str


def _lists(visit: Visit) -> tuple[Keys, ...]:
    return (
        Keys(("J", "K"), visit.say("下一件，上一件")),
        Keys(("Enter",), visit.say("打开")),
        Keys(("X", "Shift+X"), visit.say("选择；连同上次选的之间全部")),
        Keys(("B",), visit.say("批量办理选中的件")),
        Keys(("W",), visit.say("催办这一件，或这一类原因")),
        Keys(("C",), visit.say("备注")),
    )


def _decisions(visit: Visit) -> tuple[Keys, ...]:
    return (
        Keys(("A",), visit.say("通过")),
        Keys(("R",), visit.say("退回修改")),
        Keys(("N",), visit.say("不予通过")),
        Keys(("V",), visit.say("这条提示看过了")),
        Keys(("U",), visit.say("撤销刚才的决定")),
        Keys(("1–9",), visit.say("选用常用理由")),
        Keys(("Ctrl+Enter",), visit.say("送出理由")),
    )


def _evidence(visit: Visit) -> tuple[Keys, ...]:
    return (
        Keys(("E", "Shift+E"), visit.say("下一份、上一份证据")),
        Keys(("F",), visit.say("放大")),
    )


def _everywhere(visit: Visit) -> tuple[Keys, ...]:
    return (
        Keys(("/", "Ctrl+K"), visit.say("查找")),
        Keys(("G I",), visit.say("到待办")),
        Keys(("G D",), visit.say("到已办")),
        Keys(("G M",), visit.say("到我发起的")),
        Keys(("G B",), visit.say("到批次")),
        Keys(("?",), visit.say("本页")),
        Keys(("Esc",), visit.say("关闭菜单，离开输入框")),
    )


@doors.get("/help/keys", to=Audience.SIGNED_IN)
def keys(visit: Visit) -> Response:
    """Every key and what it does."""
    groups = (
        ("lists", visit.say("列表"), _lists(visit)),
        ("decisions", visit.say("决定"), _decisions(visit)),
        ("evidence", visit.say("证据"), _evidence(visit)),
        ("everywhere", visit.say("随处可用"), _everywhere(visit)),
    )
    is_on = visit.session is not None and visit.session.preference.keys
    return visit.page("help/keys.html", groups=groups, is_on=is_on)
