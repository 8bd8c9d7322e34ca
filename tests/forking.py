"""Processes forked from one that has read our programs already: for each to start Python anew takes seconds.

They are as good as any to kill, to stop and to wait for; what they have open is their own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.faults.worker", "tests.faults.clerk", "tests.web.mortal_servers"])


def forked(
    module: str,
    *words: str,
    environment: Mapping[str, str] | None = None,
    log: Path = Path(os.devnull),
    talking: Connection | None = None,
) -> BaseProcess:
    """Start `main` of a module of the tests.

    Args:
        module: Its name.
        words: What `main` is given.
        environment: What it finds there besides what is there.
        log: What it says goes there.
        talking: Its end of a pipe, given to `main` before the words.
    """
    log.touch()
    begun = _FORKS.Process(target=_begin, args=(module, words, environment or {}, log, talking))
    begun.start()
    return begun


def pipe() -> tuple[Connection, Connection]:
    """Both ends, ours and that of who is talked to."""
    return _FORKS.Pipe()


def ended(process: BaseProcess, within: float) -> int:
    """How it ended, as `subprocess` tells it, once it has.

    Args:
        process: Anyone started here.
        within: Seconds; to wait longer is an AssertionError.
    """
    process.join(within)
    assert process.exitcode is not None, "it has not ended"
    return process.exitcode


def end(process: BaseProcess) -> None:
    """Kill it, if it is still there."""
    process.kill()
    process.join()


def _begin(
    module: str, words: tuple[str, ...], environment: Mapping[str, str], log: Path, talking: Connection | None
) -> None:
    os.environ.update(environment)  # noqa: TID251 who reads it is console/settings.py, as ever
    time.tzset()
    written = os.open(log, os.O_WRONLY | os.O_APPEND)
    os.dup2(written, 1)
    os.dup2(written, 2)
    main: Callable[..., int | None] = import_module(module).main
    raise SystemExit(main(*words) if talking is None else main(talking, *words))
