"""Letters about invented cases, to show what a message looks like and to try templates with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import cycle, islice

from engine.definition import Bilingual
from engine.expressions.functions import end_of_day
from engine.expressions.kinds import SHANGHAI
from notifications.messages.catalogue import MESSAGES
from notifications.messages.letters import Delegation, Left, Letter, Message, Notice
from notifications.messages.wording import local

AT = datetime(2024, 5, 8, 8, 0, tzinfo=SHANGHAI)
"""A Wednesday; the Saturday after it is a working day (调休)."""

_LONGEST = 60
"""More than a digest shows, so that what it leaves out is tried too."""

_DUE: dict[Message, tuple[int, Left]] = {
    "approaching": (5, Left(days=5, working_days=4)),
    "due_today": (0, Left(days=0, working_days=0)),
    "overdue": (-2, Left(days=-2, working_days=-2)),
    "escalated": (-7, Left(days=-7, working_days=-3)),
    "nobody_left": (2, Left(days=2, working_days=2)),
    "urged": (13, Left(days=13, working_days=10)),
    "deadline_moved": (26, Left(days=26, working_days=19)),
}
_REASONS: dict[Message, str] = {
    **dict.fromkeys(("returned", "refused", "deadline_moved"), "登记表缺学生签名页；\n请补签后重新上传。"),
    "delegated": "5月9日至13日出差。",
    "copied": "签名页已补，请放心办下一步。",
}


_STATES: dict[Message, Bilingual] = {
    "registered": Bilingual(zh="已注册", en="Registered"),
    "refused": Bilingual(zh="未通过", en="Not approved"),
}
_NOTHING_TO_DO = frozenset({"registered", "refused", "delegation_ended"})
_TODO = (Bilingual(zh="通过", en="Approve"), Bilingual(zh="退回修改", en="Send back"))
_ROLE = Bilingual(zh="教学点审批人", en="Teaching-point approver")
_DELEGATIONS: dict[Message, Delegation] = {
    "delegated": Delegation(
        giver="欧阳·建国", role=_ROLE, since=AT, until=end_of_day(local(AT).date() + timedelta(days=5))
    ),
    "delegation_ended": Delegation(giver="欧阳·建国", role=_ROLE, since=None, until=AT),
}


def sample_notice(message: Message) -> Notice:
    """A notice of a kind, with everything such a notice can have."""
    if message == "revealed_often":
        return _sample_of_a_colleague(message)
    if message == "absence":
        return _sample_of_an_absence(message)
    days, left = _DUE.get(message, (None, None))
    due_at = None if days is None else end_of_day(local(AT).date() + timedelta(days=days))
    return Notice(
        message=message,
        case="7QK4M2T9",
        workflow=Bilingual(zh="毕业申请", en="Graduation application"),
        state=_STATES.get(message, Bilingual(zh="已申请", en="Applied")),
        unit="柳桥教学点",
        step=Bilingual(zh="教学点审批", en="Site approval"),
        deadline=None if due_at is None else Bilingual(zh="审核学籍卡与登记表", en="Review of card and form"),
        deadline_name=None if due_at is None else "D-04",
        due_at=due_at,
        was_due_at=end_of_day(local(AT).date() + timedelta(days=5)) if message == "deadline_moved" else None,
        is_provisional=message == "deadline_moved",
        left=left,
        todo=() if message in _NOTHING_TO_DO else _TODO,
        why=Bilingual(zh="您是柳桥教学点的教学点审批人", en="you are teaching-point approver at 柳桥教学点"),
        sequence=1 if message == "deadline_moved" else 0,
        reason=_REASONS.get(message),
        delegation=_DELEGATIONS.get(message),
        person="欧阳·建国" if message == "copied" else None,
    )


def _sample_of_a_colleague(message: Message) -> Notice:
    return Notice(
        message=message,
        case=None,
        workflow=Bilingual(zh="显示个人信息", en="Showing personal values"),
        state=None,
        unit="柳桥教学点",
        why=Bilingual(zh="您是启明学校的安全管理员", en="you are security administrator at 启明学校"),
        person="欧阳·建国",
    )


def _sample_of_an_absence(message: Message) -> Notice:
    day = local(AT).date()
    return Notice(
        message=message,
        case=None,
        workflow=Bilingual(zh="不在岗", en="Absence"),
        state=None,
        unit="柳桥教学点",
        why=Bilingual(zh="不在岗的是您本人", en="the absence is your own"),
        reason="今天起请假，已电话说明。",
        person="欧阳·建国",
        away=(day, day + timedelta(days=5)),
        was_away=(day, day + timedelta(days=2)),
    )


def sample_of_a_role(message: Message) -> Notice:
    """A notice of a role that is passed on at a unit, or taken back: there is no case."""
    one = sample_notice(message)
    return replace(one, case=None, workflow=_ROLE, state=None, step=None, todo=())


def sample_of_a_signature(message: Message) -> Notice:
    """A notice of a signature that the student leaves to somebody, or takes back."""
    role = Bilingual(zh="代学生签字", en="signing for the student")
    return replace(sample_notice(message), delegation=replace(_DELEGATIONS[message], giver=None, role=role))


def sample_handed_over() -> Notice:
    """A notice of a case that is handed over for good."""
    return replace(sample_notice("delegated"), delegation=replace(_DELEGATIONS["delegated"], until=None))


def sample_letter(notices: Iterable[Notice]) -> Letter:
    """A letter to an invented person whose name has a character beyond the first 65,536."""
    return Letter(
        to="chen.jiayi@school.example", name="陈𠮷怡", slot="single/1", message_id="<single-1@xueji.example>",
        at=AT, notices=tuple(notices),
    )  # fmt: skip


def every_sample() -> list[Letter]:
    """Letters that reach all a template can be asked for: each message whole and bare, short and long digests."""
    whole = [sample_notice(one) for one in MESSAGES]
    bare = [_bare(one) for one in whole]
    passed_on = [*map(sample_of_a_role, _DELEGATIONS), *map(sample_of_a_signature, _DELEGATIONS), sample_handed_over()]
    singles = [sample_letter((one,)) for one in (*whole, *bare, *passed_on)]
    nameless = replace(singles[0], name=None)
    long = sample_letter(replace(one, case=f"7QK4{number:04}") for number, one in _many(whole))
    return [*singles, nameless, sample_letter((*whole, *bare, *passed_on)), long]


def _bare(notice: Notice) -> Notice:
    """The same with nothing that may be absent."""
    return replace(
        notice, step=None, deadline=None, deadline_name=None, due_at=None, was_due_at=None, left=None, todo=(),
        reason=None, delegation=None, person=None, away=None, was_away=None,
    )  # fmt: skip


def _many(notices: Iterable[Notice]) -> Iterable[tuple[int, Notice]]:
    return enumerate(islice(cycle(notices), _LONGEST))
