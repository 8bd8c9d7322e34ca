"""Senders in processes of their own, which can be killed at any moment of their work, stopped, and let go on.

`python -m tests.faults.sender` is a crew (`tests.faults.crews`); a sender says how many moments it lived through.

A *moment* is just before a statement of the database, a line to or from the mail server, or a call that touches a file.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, NamedTuple

from engine.desk import Desk
from engine.store.leases import take
from notifications.mailers import FileMailer, Mailer, Patience, Relay, SmtpMailer
from notifications.sending import Rate, send
from tests.faults.crews import serve
from tests.faults.mailroom import letter, mailroom, waiting

WATCHED = frozenset(
    {"Connection.execute", "SMTP.send", "SMTP.getreply", "open", "BufferedWriter.write", "fsync", "replace", "unlink"}
)
"""Calls before which a process may be killed; of the database those of the driver, which carry BEGIN and COMMIT too."""
_OURS = "engine/store/database.py"
_LEASE_SECONDS = 30.0


class Job(NamedTuple):
    """One sender.

    Attributes:
        url: Its database.
        way: The port of the mail server on this machine, or a folder.
        at: What its clock says when it begins.
        holder: Who it is.
        lease: Which lease it takes; two senders with leases of different names both believe that they lead.
        kill_at: Before which moment it is killed; 0: before none.
        kill_after: After so many seconds it is killed; 0: never.
        pauses: By this seed it is stopped and let go on at random; 0: never.
        speed: How many seconds pass by its clock in one.
        jumps: How many seconds its clock leaps after each run, until nothing waits any more; 0: it runs once.
        lasts: For so many seconds it leads whenever it can, until nothing waits any more; 0: it runs once.
    """

    url: str
    way: str
    at: str
    holder: str
    lease: str = "mail"
    kill_at: int = 0
    kill_after: float = 0
    pauses: int = 0
    speed: float = 1
    jumps: float = 0
    lasts: float = 0


def watched(kill_at: int, seen: list[int]) -> Callable[[FrameType, str, Any], None]:
    """What the interpreter calls at every call: counts the moments and ends the process at the one asked for."""

    def watch(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call":
            name = getattr(called, "__qualname__", "")
        elif event == "call" and not frame.f_code.co_filename.endswith(_OURS):
            name = frame.f_code.co_qualname
        else:
            return
        if name in WATCHED:
            seen[0] += 1
            if seen[0] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    return watch


def mailer_of(way: str) -> Mailer:
    if way.isdigit():
        relay = Relay(host="127.0.0.1", port=int(way), security="none")
        return SmtpMailer(relay, Patience(connecting=5, reply=5, text=5, end=5))
    return FileMailer(Path(way))


def work(job: Job) -> tuple[int]:
    """Send what is due; how many moments that had."""
    begun, began_at, seen, leapt = time.monotonic(), datetime.fromisoformat(job.at), [0], timedelta()

    def at() -> datetime:
        return began_at + timedelta(seconds=(time.monotonic() - begun) * job.speed) + leapt

    rate = Rate(1_000_000, Random(job.holder))  # noqa: S311 spreading tries, no secret
    with mailroom(job.url) as desk:
        if job.kill_at:
            sys.setprofile(watched(job.kill_at, seen))
        _lead(desk, job, at, rate)
        while (job.jumps or time.monotonic() - begun < job.lasts) and waiting(desk.connection) and is_wanted():
            leapt += timedelta(seconds=job.jumps)
            _lead(desk, job, at, rate)
        sys.setprofile(None)
    return (seen[0],)


def _lead(desk: Desk, job: Job, at: Callable[[], datetime], rate: Rate) -> None:
    lease = take(desk.connection, job.lease, job.holder, at(), _LEASE_SECONDS)
    if lease is None:
        time.sleep(0.002)
    else:
        send(desk, mailer_of(job.way), letter, at, lease, rate=rate)


def is_wanted() -> bool:
    """Whether whoever asked still listens: a closed standard input can be read at once."""
    return not select.select([sys.stdin], [], [], 0)[0]


def disturb(jobs: Sequence[Job], processes: Sequence[int]) -> None:
    """Kill each after a while, or stop one after the other now and then, as asked."""
    for job, process in zip(jobs, processes, strict=True):
        if job.kill_after:
            time.sleep(job.kill_after)
            os.kill(process, signal.SIGKILL)
    chance = Random(jobs[0].pauses)  # noqa: S311 delays, no secret
    paused = [process for job, process in zip(jobs, processes, strict=True) if job.pauses]
    while working := [process for process in paused if _works(process)]:
        for process in working:
            for what, longest in ((signal.SIGSTOP, 0.3), (signal.SIGCONT, 0.2)):
                os.kill(process, what)
                time.sleep(chance.uniform(0, longest))


def _works(process: int) -> bool:
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


if __name__ == "__main__":
    serve(Job, lambda job: partial(work, job), disturb)
