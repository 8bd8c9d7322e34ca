"""The mails as staff see them: what has left, what has not, whom nothing reaches, and what only a person can say."""

from __future__ import annotations

from collections.abc import Mapping

from console.calling import REFUSED, Caller, Misuse, Sitting
from console.post import reach_of
from console.printing import document, line, stacked_moment, table
from engine.errors import NotAllowed, Unknown
from engine.store import mails
from engine.store.mails import OPEN_QUESTIONS, STATES, MailRow, Noted
from notifications.planning import Unreachable, unreachable

_SETTLES = ("records_section", "academic_affairs")
"""Who may say what became of a mail."""
_MOST_LINES = 200
_TITLES: Mapping[str, str] = {
    "waiting": "待发送 waiting",
    "claimed": "发送中 claimed",
    "handing_over": "交付中 handing over",
    "accepted": "已交付 accepted",
    "failed": "未送达 failed",
    "unknown": "去向不明 unknown",
    "dropped": "不再发送 dropped",
}
_VERDICTS: Mapping[str, str] = {"accepted": "accepted", "again": "waiting", "dropped": "dropped"}


def show_mails(caller: Caller, state: str | None, *, as_json: bool) -> int:
    """How many mails there are in each state, and those of one state; without it those a person has to look into.

    Raises:
        Unknown: If there is no such state.
    """
    if state is not None and state not in STATES:
        raise Unknown("邮件状态 state", state, STATES)
    with caller.sitting() as sitting:
        counted = mails.counts(sitting.desk.connection)
        wanted = OPEN_QUESTIONS if state is None else (state,)
        found = mails.mails(sitting.desk.connection, wanted, _MOST_LINES)
    if as_json:
        document({"counts": counted, "mails": [_document(one) for one in found]})
        return 0
    line("　".join(f"{_TITLES[one]} {count:,}" for one, count in counted.items()) or "没有邮件。There are no mails.")
    if found:
        columns = ("编号 no", "收件人 to", "邮件 mail", "状态 state", "次数 tries", "变更于 changed", "答复 answer")
        table(columns, [_row(one) for one in found], _heading(wanted, counted, len(found)))
    return 0


def show_unreachable(caller: Caller, *, as_json: bool) -> int:
    """Who has a role and no way to be told, and who has missed messages for want of one.

    Raises:
        ChannelsRefused: If it cannot be read who has a channel.

    Returns:
        1 if there is anybody.
    """
    reach = reach_of(caller.settings)
    with caller.sitting() as sitting:
        found = unreachable(sitting.desk, reach)
    if as_json:
        document(
            {
                "staff": [{"person": one.key, "refused": one.refused} for one in found.staff],
                "missed": [{"recipient": one.recipient, "messages": one.messages} for one in found.missed],
            }
        )
    else:
        _show_unreachable(found)
    return REFUSED if found.staff or found.missed else 0


def _show_unreachable(found: Unreachable) -> None:
    if not found.staff and not found.missed:
        line("人人都能收到。Everybody can be told.")
    if found.staff:
        rows = [(one.key, "被退信 refused" if one.refused else "无邮箱 no address") for one in found.staff]
        table(("工作人员 staff", "原因 why"), rows, "用 xueji user address 登记邮箱 give them an address")
    if found.missed:
        missed = [(one.recipient, one.messages) for one in found.missed]
        table(("收件人 recipient", "未送消息 messages not told"), missed)


def settle(caller: Caller, number: int, verdict: str, login: str, reason: str) -> int:
    """Say of a mail that is a question: it has arrived, it is to be sent again, or it is not to be sent any more.

    Who said so, and why, stands beside the mail.

    Raises:
        Unknown: If there is no such mail, verdict or person.
        Misuse: If no reason is given.
        NotAllowed: If this person may not.

    Returns:
        1 if the mail is neither unknown nor failed, or somebody else was faster.
    """
    if verdict not in _VERDICTS:
        raise Unknown("处理结果 verdict", verdict, _VERDICTS)
    if not reason.strip():
        raise Misuse("请用 --reason 写明依据。Say how you know with --reason.")
    with caller.sitting() as sitting:
        _check_may(sitting, login)
        row = _mail(sitting, number)
        not_before = sitting.at if verdict == "again" else row.not_before
        noted = Noted(_VERDICTS[verdict], f"{login}：{reason.strip()}", not_before)
        with sitting.desk.connection.writing():
            is_settled = mails.settle(sitting.desk.connection, row, noted, sitting.at)
        if is_settled:
            line(f"邮件 mail {number}：{_TITLES[noted.state]}", style="green")
            return 0
        line(f"邮件 mail {number}：{_TITLES[_mail(sitting, number).state]}，无需处理 nothing to settle", style="red")
    return REFUSED


def _check_may(sitting: Sitting, login: str) -> None:
    if not any(grant.role in _SETTLES for grant in sitting.desk.actor(login).grants):
        raise NotAllowed(login, "mail settle", _SETTLES, "")


def _mail(sitting: Sitting, number: int) -> MailRow:
    row = mails.mail(sitting.desk.connection, number)
    if row is None:
        raise Unknown("邮件 mail", str(number))
    return row


def _heading(wanted: tuple[str, ...], counted: Mapping[str, int], shown: int) -> str:
    total = sum(counted.get(one, 0) for one in wanted)
    return f"{total} 封 in all" if shown == total else f"最近 {shown} 封，共 {total} 封 the last {shown} of {total}"


def _row(one: MailRow) -> tuple[str | int, ...]:
    at = stacked_moment(one.changed_at)
    return (one.id, one.recipient, one.slot, _TITLES[one.state], one.attempts, at, one.answer or "")


def _document(one: MailRow) -> dict[str, object]:
    return {
        "id": one.id,
        "recipient": one.recipient,
        "slot": one.slot,
        "state": one.state,
        "not_before": one.not_before.isoformat(),
        "attempts": one.attempts,
        "changed_at": one.changed_at.isoformat(),
        "answer": one.answer,
    }
