"""`xueji remind`: who is going to be told what and why; and telling them, once, without a worker."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from random import SystemRandom
from typing import NoReturn

from console.calling import REFUSED, SETUP, Caller, Sitting
from console.clock import Clock, machine_now, steady_seconds
from console.post import post_of, reach_of
from console.printing import both, document, line, long_date, long_moment, note, table
from console.rounds import Rounds
from console.worker import LEASE
from engine.errors import XuejiError
from engine.expressions.kinds import SHANGHAI
from engine.store.database import Connection
from engine.store.leases import Held, give_up, leader, take
from notifications.composing import Composed
from notifications.people import Person
from notifications.planning import Planned
from notifications.planning import plan as planned_for
from notifications.scanning import Scanned
from notifications.sending import Sent

_LEASE_SECONDS = 600
"""As long as a page of mails may take; the run holds on to it and gives it up at the end."""
_MOST_LINES = 40
"""So many lines of a day are printed; `--json` has all."""
_A_WHILE = timedelta(seconds=5)
"""How long a run waits where only so many mails a minute may leave."""
_SAID = {
    "approaching": "临期 approaching",
    "due_today": "当日 due today",
    "overdue": "逾期 overdue",
    "escalated": "上报 escalated",
    "nobody_left": "无人可办 nobody left",
}


class NotToBeTold(XuejiError):
    """Nobody is told anything now: somebody else does it, or the clock is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one run did; nothing is sent in a dry run."""

    scanned: Scanned
    composed: Composed
    sent: Sent = Sent()  # noqa: RUF009 a frozen value

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to look: a timer was refused, nobody can act, or a mail did not arrive for sure."""
        return bool(self.scanned.blocked or self.scanned.nobody or self.sent.failed or self.sent.unknown)


def plan(caller: Caller, days: int, *, as_json: bool) -> int:
    """Show who is going to be told what in the coming days, and why; nothing is written.

    Returns:
        1 if something that is to be told would reach nobody.

    Raises:
        ChannelsRefused: If it cannot be read who has a channel.
    """
    reach = reach_of(caller.settings)
    with caller.sitting() as sitting:
        coming = planned_for(sitting.desk, sitting.at, days, reach)
    if as_json:
        document([_document(one) for one in coming])
    elif coming:
        _show(coming)
    else:
        line(f"今后 {days} 天没有提醒。Nobody is going to be told anything in the next {days} days.")
    return REFUSED if any(not one.has_address for one in coming) else 0


def run(caller: Caller, *, dry_run: bool, as_json: bool) -> int:
    """Find what is due, write mails and send them, once; a dry run does so far as the mails and takes it all back.

    Returns:
        1 if somebody has to look (see `Told.needs_a_person`), or nobody was told because a worker is at it or the clock
        has leapt ahead.

    Raises:
        UnusableSettings: If how people are told cannot be read.
    """
    post = post_of(caller.settings)
    with caller.sitting(publishes_as=None if dry_run else SETUP) as sitting:
        rounds = Rounds(sitting.office, post, SystemRandom())
        try:
            clock = told_clock(sitting.at) if caller.now is not None else _checked_clock(sitting)
            done = _dry(sitting, rounds, clock) if dry_run else tell(sitting.desk.connection, rounds, clock)
        except NotToBeTold as problem:
            note(str(problem))
            return REFUSED
    if as_json:
        document({"dry_run": dry_run, **asdict(done)})
    else:
        _print(done, dry_run=dry_run)
    return REFUSED if done.needs_a_person else 0


@dataclass(frozen=True, slots=True)
class RunClock:
    """The clock of one run: what time it is, and how to wait."""

    now: Callable[[], datetime]
    wait: Callable[[timedelta], None]


def told_clock(at: datetime) -> RunClock:
    """A rehearsal's clock: it stands still but for the waits, which take no time."""
    told = [at]

    def wait(span: timedelta) -> None:
        told.append(told[-1] + span)

    return RunClock(now=lambda: told[-1], wait=wait)


def _checked_clock(sitting: Sitting) -> RunClock:
    """The machine's clock, as a worker has it (docs/decisions/0013).

    Raises:
        NotToBeTold: If it has leapt ahead.
    """
    clock = Clock(wall=machine_now, steady=steady_seconds, asks_server=not sitting.office.rehearsal)
    tick = clock.tick(sitting.desk.connection)
    if not tick.is_trusted:
        message = (
            f"时钟快了 {tick.ahead}，暂停提醒；核对后用 xueji work --confirm-clock 确认。"
            f" The clock is {tick.ahead} ahead; nobody is told anything until 'xueji work --confirm-clock'."
        )
        raise NotToBeTold(message)
    return RunClock(now=clock.now, wait=lambda span: time.sleep(span.total_seconds()))


class _TakenBackError(Exception):
    """Ends the transaction of a dry run."""


def _take_back() -> NoReturn:
    raise _TakenBackError


def _dry(sitting: Sitting, rounds: Rounds, clock: RunClock) -> Told:
    """Everything but sending, in one transaction that is taken back."""
    found: list[Told] = []
    try:
        with sitting.desk.connection.writing():
            sitting.desk.publish(clock.now(), SETUP)
            found.append(Told(scanned=rounds.scan(clock.now), composed=rounds.compose(clock.now())))
            _take_back()
    except _TakenBackError:
        return found[0]


def tell(connection: Connection, rounds: Rounds, clock: RunClock, *, settling: timedelta = timedelta(0)) -> Told:
    """Find what is due, write mails and send them, under the lease.

    Args:
        connection: The held connection.
        rounds: How people are told.
        clock: The moment to go by.
        settling: How long to wait before sending, for mails that are held a while.

    Raises:
        NotToBeTold: If a worker is at it.
    """
    with _leading(connection, clock) as held:
        scanned = rounds.scan(clock.now)
        composed = rounds.compose(clock.now())
        clock.wait(settling)
        return Told(scanned=scanned, composed=composed, sent=_sent(connection, rounds, clock, held))


def _sent(connection: Connection, rounds: Rounds, clock: RunClock, held: Held) -> Sent:
    """Send until nothing more is due, however few mails a minute may leave."""
    done = rounds.send(clock.now, held)
    while done.ended in ("rate", "lease"):
        clock.wait(_A_WHILE)
        again = _take(connection, held.holder, clock.now())
        done = _sum(done, rounds.send(clock.now, again))
    return done


def _sum(one: Sent, other: Sent) -> Sent:
    counts = {name: count + getattr(other, name) for name, count in asdict(one).items() if name != "ended"}
    return Sent(**counts, ended=other.ended)


@contextmanager
def _leading(connection: Connection, clock: RunClock) -> Iterator[Held]:
    held = _take(connection, f"run/{secrets.token_hex(8)}", clock.now())
    try:
        yield held
    finally:
        give_up(connection, held)


def _take(connection: Connection, holder: str, now: datetime) -> Held:
    held = take(connection, LEASE, holder, now, _LEASE_SECONDS)
    if held is None:
        other = leader(connection, LEASE)
        until = "" if other is None else long_moment(other.until)
        message = (
            f"另一进程正在提醒（至 {until}），本次不办。Another process is at it until {until}; nothing was done here."
        )
        raise NotToBeTold(message)
    return held


def _show(coming: Sequence[Planned]) -> None:
    for day, group in groupby(coming, key=_day):
        of_day = list(group)
        rows = _rows(of_day)
        columns = ("时间 at", "收件人 who", "内容 what", "事由 why", "邮箱 address")
        table(columns, rows[:_MOST_LINES], f"{long_date(day)}：{len(of_day)} 项 in all")
        if len(rows) > _MOST_LINES:
            note(f"另有 {len(rows) - _MOST_LINES} 行，见 --json。{len(rows) - _MOST_LINES} more lines; see --json.")
    lost = sum(not one.has_address for one in coming)
    if lost:
        line(f"{lost} 项送不到人：没有邮箱或无人可办。{lost} would reach nobody.", style="yellow")


def _rows(of_day: Sequence[Planned]) -> list[tuple[str, ...]]:
    """A line for each person and what that person is told of one deadline; several cases of one kind are counted."""
    lines: dict[tuple[str, ...], list[str]] = {}
    for one in of_day:
        key = (
            f"{one.when.astimezone(SHANGHAI):%H:%M}",
            _who(one.person),
            f"{one.deadline.zh}\n{_SAID[one.message]}",
            "—" if one.why is None else both(one.why),
            "有 known" if one.has_address else "没有 none",
        )
        lines.setdefault(key, []).append(one.case)
    return [
        (at, who, f"{what}\n{cases[0] if len(cases) == 1 else f'{len(cases)} 件 cases'}", why, address)
        for (at, who, what, why, address), cases in lines.items()
    ]


def _day(one: Planned) -> date:
    return one.when.astimezone(SHANGHAI).date()


def _who(person: Person | None) -> str:
    if person is None:
        return "无人 nobody"
    return person.key if person.name is None else f"{person.name}\n{person.key}"


def _document(one: Planned) -> dict[str, object]:
    return {
        "at": one.when.isoformat(),
        "person": None if one.person is None else one.person.key,
        "message": one.message,
        "rung": one.rung,
        "case": one.case,
        "deadline": one.deadline.model_dump(),
        "due": one.due_at.isoformat(),
        "why": None if one.why is None else one.why.model_dump(),
        "vacant": list(one.vacant),
        "has_address": one.has_address,
    }


def _print(done: Told, *, dry_run: bool) -> None:
    found, put, sent = done.scanned, done.composed, done.sent
    if dry_run:
        line("只试算，没有写入。A dry run: nothing was written.", style="bold")
    line(f"期限 deadlines：查看 looked at {found.looked}，逾期 late {found.late}，定时办理 fired {found.fired}")
    line(f"提醒 reminders：{found.told}；上报 escalated：{found.escalated}")
    line(
        f"写信 mails：单封 single {put.singles}，汇总 lines of digests {put.digests}；没有邮箱 no address {put.untold}"
    )
    if not dry_run:
        line(f"发出 sent：{sent.accepted}；待重试 later {sent.later}；无需再发 dropped {sent.dropped}")
    if done.needs_a_person:
        line(
            f"请处理 to be looked into：定时受阻 blocked {found.blocked}，无人可办 nobody {found.nobody}，"
            f"发送失败 failed {sent.failed}，是否送达不明 unknown {sent.unknown}",
            style="yellow",
        )
