"""Crews: processes that are forked for one job each and may be killed, so that hundreds cost no more than their work.

A crew is a module run with `python -m`: it reads a line of jobs from standard input, starts a process for each at once,
and writes a line when all have ended: for each, by which signal (0: none), and what it said of its work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def watching(names: Collection[str], seen: list[str]) -> Iterator[None]:
    """Meanwhile note every call of a function of the system by one of these names, in order."""

    def watch(_frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ in names and getattr(called, "__module__", "") == os.name:
            seen.append(called.__name__)

    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)


class Named(Protocol):
    """A job: a named tuple."""

    def _asdict(self) -> dict[str, Any]: ...


Job = TypeVar("Job", bound=Named)


class Ended(NamedTuple):
    """How a process ended: by which signal, and what it said; one that was killed has said nothing."""

    signal: int
    said: list[str]


class Crew(Generic[Job]):
    """Processes on call."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def work(self, *jobs: Job) -> list[Ended]:
        """Let them work all at once, to the end of each."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([job._asdict() for job in jobs]).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "a process failed; see what it said"
        return [Ended(*one) for one in json.loads(line)]


@contextmanager
def crew(module: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process that starts those of a crew."""
    command = [sys.executable, "-m", module]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield process


def serve(
    job: Callable[..., Job],
    prepare: Callable[[Job], Callable[[], Sequence[object]]],
    disturb: Callable[[Sequence[Job], Sequence[int]], None],
) -> None:
    """Be a crew until nobody listens any more.

    Args:
        job: Makes a job of what was read.
        prepare: What its process is to do, prepared before it is forked, and what that says at the end.
        disturb: Kills and stops the processes as their jobs ask, while they work.
    """
    for line in sys.stdin:
        jobs = [job(**one) for one in json.loads(line)]
        sys.stdout.write(json.dumps(_ended(jobs, prepare, disturb)) + "\n")
        sys.stdout.flush()


def _ended(
    jobs: Sequence[Job],
    prepare: Callable[[Job], Callable[[], Sequence[object]]],
    disturb: Callable[[Sequence[Job], Sequence[int]], None],
) -> list[Ended]:
    """Start them all, disturb them as asked, and hear how they ended."""
    hearing, heard = os.pipe()
    processes = [_fork(prepare(job), heard) for job in jobs]
    os.close(heard)
    disturb(jobs, processes)
    with os.fdopen(hearing) as lines:
        said: Mapping[int, list[str]] = {int(words[0]): words[1:] for words in map(str.split, lines)}
    statuses = [os.waitpid(process, 0)[1] for process in processes]
    if any(os.WIFEXITED(status) and os.WEXITSTATUS(status) for status in statuses):
        raise SystemExit("a process failed")
    return [
        Ended(os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, said.get(process, []))
        for process, status in zip(processes, statuses, strict=True)
    ]


def _fork(task: Callable[[], Sequence[object]], heard: int) -> int:
    """A process for a task."""
    process = os.fork()
    if process:
        return process
    try:
        os.write(heard, f"{os.getpid()} {' '.join(map(str, task()))}\n".encode())
        os._exit(0)
    except BaseException:  # noqa: BLE001 whatever it is, a forked process must not go on as its parent
        sys.excepthook(*sys.exc_info())
        os._exit(1)
