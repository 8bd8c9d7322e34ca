"""Passing rights on and reminding: 委派, 转办, taking back, 催办, and the accounts of students."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from console.calling import REFUSED, SETUP, Caller, Misuse, Sitting, read_moment
from console.printing import line, long_moment, role_title, verdicts
from engine.casework import find_case
from engine.delegating import Mandate, Refusal, delegate, delegate_case, hand_over, leave_to, revoke
from engine.errors import Unknown, Unreadable
from engine.expressions.kinds import SHANGHAI
from engine.organisation import add_student_account
from engine.records import Repeated, Request, case_of
from engine.repeating import once
from engine.urging import urge

_DAY = len("2024-05-13")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """To whom somebody passes what, as typed; without a case it is whatever the role may do at the unit and below."""

    login: str
    taker: str
    role: str
    reason: str = ""
    unit: str | None = None
    case: str | None = None
    since: str = ""
    until: str = ""
    request: str | None = None


def add_student(caller: Caller, login: str, student_no: str) -> int:
    """Make a login a student's own."""
    with caller.sitting(publishes_as=SETUP) as sitting:
        is_new = add_student_account(sitting.desk, login, student_no, at=sitting.at, actor=SETUP)
        line(f"用户 user {login}：学生 student {student_no}：{'已建立 made' if is_new else '原已建立 there already'}")
    return 0


def pass_on(caller: Caller, asked: Passing) -> int:
    """Delegate a role for a time: at a unit, on one case, or as a student who leaves a signature."""
    if asked.case is not None and asked.unit is not None:
        message = "--case 与 --unit 只能给一个。Give --case or --unit, not both."
        raise Misuse(message)
    until = read_until(asked.until)
    with caller.sitting(publishes_as=asked.login) as sitting:
        since = _read_since(asked.since, until, sitting.at) if asked.since else None
        refused = _pass_on(sitting, asked, (since, until))
        begins = "" if since is None else f"自 from {long_moment(since)} "
        return _tell(sitting, asked, refused, f"已委派{begins}至 delegated until {long_moment(until)}")


def _read_since(text: str, until: datetime, now: datetime) -> datetime:
    """From when, as people type it: a moment, or a day from its beginning on; today is at once.

    Raises:
        Unreadable: If it is neither, before today, or not before `until`.
    """
    at = read_moment(text, "--from")
    if at.astimezone(SHANGHAI).date() < now.astimezone(SHANGHAI).date():
        raise Unreadable("--from", text, "今天或以后 today or later")
    if at >= until:
        raise Unreadable("--from", text, f"早于 before --until {long_moment(until)}")
    return max(at, now)


def _pass_on(sitting: Sitting, asked: Passing, term: tuple[datetime | None, datetime]) -> Refusal | Repeated:
    """`term`: from when (None: at once) until when."""
    since, until = term
    desk, mandate = sitting.desk, replace(_mandate(asked), since=since)
    request = _request(sitting, "delegate", asked.login, asked.request)
    if asked.case is None:
        unit = asked.unit or _only_unit(sitting, asked)
        return once(desk, "delegate", request, lambda told: delegate(desk, unit, mandate, until, told))
    act, case = leave_to if asked.role == "student" else delegate_case, case_named(asked.case)
    return once(desk, "delegate", request, lambda told: act(desk, case, mandate, until, told))


def _only_unit(sitting: Sitting, asked: Passing) -> str:
    """The unit at which the role is held, if there is only one to be meant."""
    grants = sitting.desk.actor(asked.login).grants
    held = sorted({grant.unit for grant in grants if grant.role == asked.role})
    if len(held) != 1:
        where = "、".join(held) or "—"
        message = (
            f"请用 --unit 写明单位（{asked.role}：{where}）。Say where with --unit; {asked.role} is held at: {where}."
        )
        raise Misuse(message)
    return held[0]


def hand_on(caller: Caller, asked: Passing) -> int:
    """Hand a case over for good."""
    with caller.sitting(publishes_as=asked.login) as sitting:
        desk, case, mandate = sitting.desk, case_named(asked.case or ""), _mandate(asked)
        request = _request(sitting, "hand_over", asked.login, asked.request)
        refused = once(desk, "hand_over", request, lambda told: hand_over(desk, case, mandate, told))
        return _tell(sitting, asked, refused, "已转办 handed over")


def take_back(caller: Caller, asked: Passing) -> int:
    """Take a delegation back."""
    with caller.sitting(publishes_as=asked.login) as sitting:
        desk, request = sitting.desk, _request(sitting, "revoke", asked.login, asked.request)
        case = None if asked.case is None else case_named(asked.case)
        count = once(desk, "revoke", request, lambda told: revoke(desk, asked.taker, asked.role, told, case=case))
        if isinstance(count, Repeated):
            return said_before(asked.request, count)
        return _tell(sitting, asked, (), f"已收回委派 {count} 项 revoked")


def remind(caller: Caller, student_no: str, login: str, case: str | None, *, request: str | None) -> int:
    """Urge whom a case waits for."""
    with caller.sitting(publishes_as=login) as sitting:
        desk, number = sitting.desk, find_case(sitting.desk, student_no, case)
        asked = _request(sitting, "urge", login, request)
        refused = once(desk, "urge", asked, lambda told: urge(desk, number, told))
        if isinstance(refused, Repeated):
            return said_before(request, refused)
        if not refused:
            line(f"{student_no}：已催办 urged", style="green")
            return 0
        line(f"{student_no}：未催办 not urged", style="red")
        verdicts(refused, sitting.desk.library.rulebook.organisation.roles)
    return REFUSED


def case_named(number: str) -> int:
    """The case behind a number as people type it.

    Raises:
        Unknown: If it is no case number.
    """
    case = case_of(number)
    if case is None:
        raise Unknown("办件 case", number)
    return case


def read_until(text: str) -> datetime:
    """Until when, as people type it: a moment, or a day that still counts whole.

    Raises:
        Unreadable: If it is neither.
    """
    at = read_moment(text, "--until")
    return at + timedelta(days=1, microseconds=-1) if len(text) == _DAY else at


def said_before(request: str | None, first: Repeated) -> int:
    """Print the first answer to a request that has come again; the exit code is the first one, too."""
    said = "此前已办理 done before" if first.moved else "此前未通过 refused before"
    words = (f"请求 request {request}：{said}", first.number, *first.failed, *first.undecided)
    line(" ".join(word for word in words if word))
    return 0 if first.moved else REFUSED


def _request(sitting: Sitting, trigger: str, login: str, request: str | None) -> Request:
    return replace(sitting.request(trigger, sitting.desk.actor(login)), id=request)


def _mandate(asked: Passing) -> Mandate:
    return Mandate(taker=asked.taker, role=asked.role, reason=asked.reason)


def _tell(sitting: Sitting, asked: Passing, refused: Refusal | Repeated, done: str) -> int:
    if isinstance(refused, Repeated):
        return said_before(asked.request, refused)
    roles = sitting.desk.library.rulebook.organisation.roles
    head = f"{asked.login} → {asked.taker}：{role_title(roles, asked.role)}"
    if not refused:
        line(f"{head}：{done}", style="green")
        return 0
    line(f"{head}：未通过 refused", style="red")
    verdicts(refused, roles)
    return REFUSED
