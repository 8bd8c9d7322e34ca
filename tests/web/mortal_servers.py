"""Servers as processes of their own, which may kill themselves: how one serves, and how a test waits until it does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from multiprocessing.process import BaseProcess

import httpx

from console.clock import rehearsed
from console.serving import opened, server_of
from console.settings import Settings
from tests.forking import end, forked

KILLED = -9
"""What a process that ended by SIGKILL answers."""


def serve(database: str, port: str, moment: str) -> None:
    """Serve a file of a database until killed; the clock stands at a moment."""
    at = datetime.fromisoformat(moment)
    settings = Settings(database=f"sqlite:///{database}", url=f"http://127.0.0.1:{port}", channels=None)
    with opened(settings, rehearsed(at, None), told=at, desks=2) as house:
        server_of(house, "127.0.0.1", int(port)).run()


@contextmanager
def served(module: str, *words: str, browser: httpx.Client, patience: float) -> Iterator[BaseProcess]:
    """A server that answers a browser, started by the `main` of a module; killed at the end if it is still there."""
    server = forked(module, *words)
    try:
        _until_it_answers(server, browser, patience)
        yield server
    finally:
        end(server)


def _until_it_answers(server: BaseProcess, browser: httpx.Client, patience: float) -> None:
    until = time.monotonic() + patience
    while time.monotonic() < until and server.is_alive():
        with suppress(httpx.TransportError):
            browser.get("/healthz")
            return
        time.sleep(0.05)
    message = "the server never answered"
    raise AssertionError(message)
