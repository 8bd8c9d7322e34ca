"""`xueji work`: a process that finds what is due, writes mails and sends them, at fixed intervals, until told to end.

APScheduler is the alarm clock only: its jobs live in memory and run one after the other in one thread.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import NamedTuple, get_args

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler

from console.backup_folders import newest
from console.calling import REFUSED, Caller, Sitting, plain_about
from console.clock import machine_now, rehearsed
from console.message_view import left_out, texts_of
from console.post import post_of
from console.printing import line, long_moment
from console.settings import Settings
from console.worker import LEASE, Kind, Premises, Say, Worker
from engine.store import leaves, proposals, webhooks
from engine.store.deadlines import due_rows
from engine.store.leases import leader
from engine.store.mails import OPEN_QUESTIONS, counts
from engine.store.timekeeping import confirm, mark

_MOST_DUE = 1000
"""More deadlines are not counted for a look at how things stand."""
_LOOK = 0.5
"""Seconds between two looks at whether to end."""


class Pace(NamedTuple):
    """Seconds between two rounds of each kind."""

    recount: float = 10.0
    scan: float = 30.0
    compose: float = 60.0
    send: float = 5.0
    seal: float = 60.0
    webhooks: float = 10.0


def work(caller: Caller, *, once: bool, pace: Pace | None = None) -> int:
    """Tell people what is due, and seal, until SIGTERM or SIGINT; with `once`, do each kind of round once and end.

    Raises:
        UnusableSettings: If how people are told cannot be read.
        NotInitialised: If there is no database yet.
    """
    premises = _premises(caller)
    with plain_about(caller.settings.address), premises.opened() as opened:  # what cannot be used is said at once
        if caller.now is not None:  # who tells a rehearsal the time vouches for it
            confirm(opened.desk.connection, premises.wall())
    worker = Worker(premises, _logger())
    with _ending_on_signals(worker):
        if once:
            _each_once(worker)
        else:
            _until_told_to_end(worker, pace or Pace(seal=premises.post.seal_seconds))
    worker.close()
    return 0


@contextmanager
def working_beside(caller: Caller) -> Iterator[None]:
    """The same rounds in a thread of this process, as long as something else goes on in it (`xueji serve`)."""
    premises = _premises(caller)
    worker, pace = Worker(premises, _logger()), Pace(seal=premises.post.seal_seconds)
    thread = threading.Thread(target=_until_told_to_end, args=(worker, pace), name="work")
    thread.start()
    try:
        yield
    finally:
        worker.is_ending = True
        thread.join()
        worker.close()


def show_status(caller: Caller) -> int:
    """Show who leads, what time reminding goes by, what is due, and how mails stand.

    Returns:
        1 if nobody leads, a mail waits for a person, an approved template cannot be used, a system beside this one did
        not take what it was told, or the last backup in the folder of backups is missing or too old.
    """
    with caller.sitting() as sitting:
        connection = sitting.desk.connection
        held, latest, found = leader(connection, LEASE), mark(connection), counts(connection)
        leads = held is not None and held.until > sitting.at
        due = len(due_rows(connection, sitting.at, _MOST_DUE))
        told, sealed = webhooks.standings(connection), leaves.size(connection)
        is_saved = _show_backup(caller.settings, sitting)
        approved = texts_of(proposals.templates_in_force(connection, sitting.today))
    broken = left_out(caller.settings.messages, approved)
    line(f"提醒进程 worker：{held.holder if held and leads else '无 none'}", style="green" if leads else "yellow")
    line(f"最近一轮 last round：{'—' if latest is None else long_moment(latest)}")
    line(f"到期待办 deadlines due now：{due}{'+' if due == _MOST_DUE else ''}")
    line(f"邮件 mails：{'，'.join(f'{state} {number}' for state, number in found.items()) or '—'}")
    for one in told.values():
        trouble = f"{one.answer}，试过 {one.tries} 次 tries，{long_moment(one.due_at)}"
        state = "正常 fine" if one.answer is None else trouble
        line(f"外部系统 webhook {one.name}：{one.leaf:,} / {sealed:,}，{state}")
    for fault in broken:
        line(f"模板不能使用，邮件按安装的文字发出 template not used：{fault}", style="yellow")
    is_well = leads and not broken and not any(found.get(state) for state in OPEN_QUESTIONS)
    return 0 if is_well and is_saved and all(one.answer is None for one in told.values()) else REFUSED


def _show_backup(settings: Settings, sitting: Sitting) -> bool:
    """Say when the last backup was verified; False where one is to be there and is not, or is too old."""
    if settings.backups is None:
        line("备份 backup：没有设置 XUEJI_BACKUPS，不知道有没有备份 not set, nobody knows", style="yellow")
        return True
    kept = newest(settings, sitting.office.log)
    if kept is None:
        line(f"备份 backup：{settings.backups} 中没有核对过的备份 none that was verified", style="yellow")
        return False
    connection, late = sitting.desk.connection, kept.is_late(sitting.at)
    events = leaves.size(connection) + leaves.count_unsealed(connection)
    said = f"{kept.when('zh', sitting.at)} {kept.when('en', sitting.at)}，事件 events {kept.events:,} / {events:,}"
    overdue = "；超过 26 小时没有新的 no newer one for 26 hours" if late else ""
    line(f"备份 backup：{said}{overdue}", style="yellow" if late else "green")
    return not late


def confirm_clock(caller: Caller) -> int:
    """Vouch for the machine's clock, or that of a rehearsal: reminding goes by it from now on."""
    premises = _premises(caller)
    with plain_about(caller.settings.address), premises.opened() as opened:
        at = premises.wall()
        confirm(opened.desk.connection, at)
        line(f"已确认时钟 the clock is confirmed：{long_moment(at)}")
    return 0


def _each_once(worker: Worker) -> None:
    """Each kind of round once; sending goes on until nothing more is due, however few a minute may leave."""
    for kind in get_args(Kind):
        worker.do(kind)
    while worker.has_more and not worker.is_ending:
        time.sleep(_LOOK)
        worker.do("send")


def _premises(caller: Caller) -> Premises:
    settings = caller.settings
    is_told = caller.now is not None or settings.clock is not None
    wall = rehearsed(caller.now, settings.clock) if is_told else machine_now
    return Premises(settings=settings, post=post_of(settings), wall=wall, is_told=is_told)


def _until_told_to_end(worker: Worker, pace: Pace) -> None:
    """Run the rounds in one thread; this one only waits, so that signals and a clock turned back are always seen."""
    scheduler = BackgroundScheduler(
        timezone=UTC,
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
    )
    for kind, seconds in pace._asdict().items():
        scheduler.add_job(worker.do, "interval", (kind,), id=kind, seconds=seconds, next_run_time=machine_now())
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a round that takes long is no news
    scheduler.start()
    try:
        while not worker.is_ending:
            time.sleep(_LOOK)
            wake(scheduler, pace, machine_now())
    finally:
        scheduler.shutdown()  # waits for the round at hand


def wake(scheduler: BaseScheduler, pace: Pace, now: datetime) -> None:
    """Bring forward rounds that a clock turned back has put off: APScheduler goes by the machine's clock alone."""
    for kind, seconds in pace._asdict().items():
        job = scheduler.get_job(kind)
        if job is not None and job.next_run_time > now + timedelta(seconds=seconds):
            job.modify(next_run_time=now)


@contextmanager
def _ending_on_signals(worker: Worker) -> Iterator[None]:
    """SIGTERM and SIGINT end the worker after the row or mail at hand."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        worker.is_ending = True

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _logger() -> Say:
    """Lines of key=value on standard error: when, what, how many."""
    logger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "event"]),
        ],
    )

    def say(event: str, **details: object) -> None:
        logger.info(event, **details)

    return say
