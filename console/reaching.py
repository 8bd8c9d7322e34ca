"""Where mail reaches people, what they are called, and when they are away."""

from __future__ import annotations

from datetime import date

from console.calling import REFUSED, Caller, Misuse, Sitting, read_day
from console.printing import document, line, long_date, table, verdicts
from engine.absences import TOLD, Away, end, end_now, tell
from engine.errors import Unknown, Unreadable
from engine.store import absences, people, registry
from engine.store.absences import AbsenceRow
from engine.store.outbox import tell_again
from engine.store.people import PERSON, Absence
from notifications.messages.envelopes import address_of


def set_contact(caller: Caller, login: str, address: str | None, name: str | None, *, no_address: bool) -> int:
    """Write where mail reaches a person, or that none does, and how the person is addressed.

    What the person has missed for want of an address waits for the next mail.

    Raises:
        Misuse: If nothing is said, or both an address and none.
        Unmailable: If it is no mail address, or the name would break a header.
        Unknown: If there is no such account.
    """
    if (address is None and name is None and not no_address) or (address is not None and no_address):
        message = (
            "请写明邮箱、--none（无邮箱）或 --name（姓名）之一。"
            " Give an address, or --none where there is none, or a --name."
        )
        raise Misuse(message)
    address_of(name, address or "nobody@localhost")  # who is called so, and written to there, can be in a header
    with caller.sitting() as sitting:
        connection, waiting = sitting.desk.connection, 0
        with connection.writing():
            _known(sitting, login)
            if name is not None:
                people.set_name(connection, login, name)
            if address is not None or no_address:
                people.set_address(connection, login, address)
            if address is not None:
                waiting = tell_again(connection, f"{PERSON}{login}")
        kept = "无邮箱 no address" if no_address else "已登记 kept"
        again = f"；待发消息 {waiting} 条 messages wait again" if waiting else ""
        line(f"用户 user {login}：{kept}{again}")
    return 0


def set_absence(caller: Caller, login: str, first: str, last: str) -> int:
    """Write on which days a person is away, first and last included.

    Raises:
        Unreadable: If a day is none, or the last is before the first.
        Unknown: If there is no such account.
    """
    one = Absence(login, read_day(first, "FROM"), read_day(last, "TO"))
    if one.last < one.first:
        raise Unreadable("TO", last, f"不早于 {first} not before it")
    with caller.sitting() as sitting, sitting.desk.connection.writing():
        _known(sitting, login)
        is_new = people.add_absence(sitting.desk.connection, one)
        span = f"{long_date(one.first)} – {long_date(one.last)}"
        line(f"用户 user {login}：{span} 不在岗 away：{'已登记 kept' if is_new else '原已登记 was there already'}")
    return 0


def tell_absence(caller: Caller, teller: str, days: tuple[str, str, str], reason: str) -> int:
    """Write that somebody else is away; every reason why not.

    Args:
        caller: The database and settings.
        teller: Who tells it.
        days: Whose absence, its first day and its last.
        reason: Why.

    Raises:
        Unreadable: If a day is none, too long ago or too far ahead, the last is before the first or over, or the reason
            is too long or no single line.
        Unknown: If there is no such account.
        NotAllowed: If who tells it looks after nobody where the other works.
        AccountClosed: If the other is kept out.
    """
    login, first, last = days
    away = Away(login=login, first=read_day(first, "FROM"), last=read_day(last, "TO"), reason=reason.strip())
    with caller.sitting(publishes_as=teller) as sitting:
        desk = sitting.desk
        refused = tell(desk, away, sitting.request(TOLD, desk.actor(teller)))
        span = f"{long_date(away.first)} – {long_date(away.last)}"
        head = f"用户 user {login}：{span} 不在岗 away"
        if refused:
            line(f"{head}：未登记 not kept", style="red")
            verdicts(refused, desk.library.rulebook.organisation.roles)
            return REFUSED
        line(f"{head}：已登记 kept", style="green")
    return 0


def show_absences(caller: Caller, login: str | None, *, as_json: bool) -> int:
    """Show who is away when, of one person or of everybody; what is over is shown as well.

    Raises:
        Unknown: If there is no such account.
    """
    with caller.sitting() as sitting:
        if login is not None:
            _known(sitting, login)
        found = absences.of_person(sitting.desk.connection, login)
        if as_json:
            document([_told(one) for one in found])
        elif found:
            table(
                ("用户 user", "自 from", "至 to", "今天 today", "登记人 told by", "理由 reason"),
                [
                    (
                        one.login, long_date(one.first), long_date(one.last), _today(one, sitting.today),
                        one.told_by or "", one.reason or "",
                    )
                    for one in found
                ],
            )  # fmt: skip
        else:
            line("没有登记不在岗。Nobody is away.")
    return 0


def clear_absences(caller: Caller, login: str, teller: str, first: str | None) -> int:
    """End what keeps a person away today, or the absence that begins on a day; what is over stays as it was.

    Args:
        caller: The database and settings.
        login: Whose absence.
        teller: Who says so; the person, or who looks after people there.
        first: The first day of the one that is meant, also of one to come; None: those of today.

    Raises:
        Unreadable: If the day is none.
        Unknown: If there is no such account.
        NotAllowed: If it is somebody else who looks after nobody where the person works.
    """
    day = None if first is None else read_day(first, "--from")
    with caller.sitting() as sitting, sitting.desk.connection.writing():
        _known(sitting, login)
        desk = sitting.desk
        asked = sitting.request("absence_end", desk.actor(teller))
        if day is None:
            ended = end_now(desk, login, asked)
        else:
            found = [one for one in absences.of_person(desk.connection, login) if one.first == day]
            ended = sum(end(desk, one.id, asked) for one in found)
        line(f"用户 user {login}：已清除不在岗 {ended} 段 stretches cleared")
    return 0


def _told(one: AbsenceRow) -> dict[str, object]:
    said = {"told_by": one.told_by, "reason": one.reason}
    days = {"login": one.login, "from": one.first.isoformat(), "to": one.last.isoformat()}
    return {**days, **{key: value for key, value in said.items() if value is not None}}


def _today(one: AbsenceRow, today: date) -> str:
    return "不在岗 away" if one.first <= today <= one.last else ""


def _known(sitting: Sitting, login: str) -> None:
    connection = sitting.desk.connection
    if login not in people.contacts(connection, [login]):
        raise Unknown("用户 user", login, registry.logins(connection))
