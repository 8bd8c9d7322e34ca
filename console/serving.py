"""`xueji serve`: the console over HTTP, with the worker beside it, until told to end."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import NamedTuple

import structlog
import uvicorn

from console.api.app import AT, interface
from console.calling import Caller, NoRehearsal, plain_about
from console.clock import machine_now, rehearsed
from console.printing import line
from console.settings import Settings
from console.web.app import application
from console.web.desks import Desks
from console.web.house import House
from console.web.in_force import PUBLISHER, InForce
from console.web.rendering import Pages
from console.web.saying import english
from console.web.words import WORDS
from console.wiring import office
from console.work import working_beside
from engine.errors import Unreadable
from engine.expressions.kinds import SHANGHAI
from engine.pinyin import order_key

DESKS = 8
"""Requests at work at the same time: more would only wait for the same processor and the same writer's place."""


class Serving(NamedTuple):
    """How to serve: at which address, and whether the worker runs beside it."""

    listen: str
    works: bool


def serve(caller: Caller, serving: Serving) -> int:
    """Answer until SIGTERM or SIGINT.

    Raises:
        Unreadable: If the address to listen at cannot be read.
        NotInitialised: If there is no database yet.
        NoRehearsal: If a live database is told the time.
    """
    host, port = _address(serving.listen)
    _log_plainly()
    with plain_about(caller.settings.address), opened(caller.settings, _clock(caller), told=caller.now) as house:
        line(f"学籍 xueji：{house.settings.url}　（Ctrl+C 结束 to end）", style="bold")
        with working_beside(caller) if serving.works else nullcontext():
            server_of(house, host, port).run()
    return 0


def server_of(house: House, host: str, port: int) -> uvicorn.Server:
    """What listens for a house; it says neither what it is nor whom it serves."""
    config = uvicorn.Config(
        application(house, {AT: interface(house)}), host=host, port=port, log_level="warning", access_log=False,
        server_header=False, limit_concurrency=512, timeout_keep_alive=15, lifespan="off",
    )  # fmt: skip
    return uvicorn.Server(config)


@contextmanager
def opened(
    settings: Settings, clock: Callable[[], datetime], *, told: datetime | None = None, desks: int = DESKS
) -> Iterator[House]:
    """A house ready to answer.

    Raises:
        NotInitialised: If there is no database yet.
        NoRehearsal: If a live database is told the time.
    """
    with office(settings, today=clock().astimezone(SHANGHAI).date()) as first:
        if told is not None and not first.rehearsal:
            raise NoRehearsal(settings.address)
        first.desk.publish(clock(), PUBLISHER)
        english()  # two catalogues that disagree stop the start, not the first page
        order_key("学籍")  # the sounds of names take a while to be read: no clerk who corrects the first one waits
        pool = Desks(settings, InForce(settings, first.desk.library, first.in_force, clock), desks)
        try:
            yield House(settings=settings, desks=pool, pages=Pages(WORDS), now=clock, rehearsal=first.rehearsal)
        finally:
            pool.close()


def _clock(caller: Caller) -> Callable[[], datetime]:
    is_told = caller.now is not None or caller.settings.clock is not None
    return rehearsed(caller.now, caller.settings.clock) if is_told else machine_now


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not host or not port.isdecimal():
        raise Unreadable("--listen", listen, "127.0.0.1:8000")
    return host.strip("[]"), int(port)


def _log_plainly() -> None:
    """One line of key=value for each request on standard error."""
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
