"""Spreading work over processes: of this machine, or of a cluster (`replay --all --cluster ADDRESS`).

A cluster's workers read the database themselves; what travels to them is its URL, the log's MAC key and a range.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import TypeVar

from console.calling import Misuse
from engine.store.database import Connection
from engine.store.trail import spans

Work = TypeVar("Work")
Answer = TypeVar("Answer")

_CHAINS_A_TASK = 1000
"""What a task of a cluster has at least: fewer would cost more to send than to do."""


@contextmanager
def cluster(address: str, url: str) -> Iterator[Executor]:
    """The workers of a Dask cluster as an executor, for a database they can all reach.

    Raises:
        Misuse: If the extra `cluster` is not installed, nobody answers, or the database is a file.
    """
    if url.startswith("sqlite:"):
        message = (
            "集群各机要自己读数据库，SQLite 文件做不到；请用 PostgreSQL，或去掉 --cluster。"
            "The workers of a cluster read the database themselves, which a SQLite file does not allow;"
            " use PostgreSQL, or leave out --cluster."
        )
        raise Misuse(message)
    try:
        distributed = import_module("distributed")  # an extra: only who asks for a cluster needs it
    except ModuleNotFoundError as problem:
        message = (
            "未安装 cluster 组件：pip install 'xueji[cluster]'。"
            "The extra 'cluster' is not installed: pip install 'xueji[cluster]'."
        )
        raise Misuse(message) from problem
    try:
        client = distributed.Client(address, timeout=10)
    except (OSError, ValueError) as problem:
        message = f"集群 {address} 没有应答：{problem}。Nobody answers there; start one with 'dask scheduler'."
        raise Misuse(message) from problem
    with client, client.get_executor() as executor:
        yield executor


@contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """Processes of this machine; one that is forked would share the open connection with this one."""
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def parts_of(connection: Connection, workers: int, *, on_cluster: bool) -> list[tuple[int, int]]:
    """The chains in ranges: several a worker here, so that nobody waits long for the last; bigger ones on a cluster."""
    chains = sum(last - first + 1 for first, last in spans(connection, 1))
    return spans(connection, max(1, chains // _CHAINS_A_TASK) if on_cluster else workers * 4)


def spread(executor: Executor | None, run: Callable[[Work], Answer], work: Sequence[Work]) -> Iterator[Answer]:
    """Answers in the order of the work; without an executor, done here."""
    yield from map(run, work) if executor is None else executor.map(run, work)
