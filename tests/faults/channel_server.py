"""A real web server on the loopback, as a chat program has one: takes messages, refuses them, hangs, hangs up."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from typing_extensions import override

SECRET = "s3cret-T0ken"  # noqa: S105 the point of it is that nobody may see it
TAKES, HANGS, HANGS_UP, TRICKLES = "takes", "hangs", "hangs up", "trickles"
_LONG = 30.0


@dataclass(slots=True)
class Service:
    """What the server does with a message (a status: answers with that), and every message it has read.

    `meanwhile` happens in its thread before it answers.
    """

    does: str | int = TAKES
    heard: list[Mapping[str, object]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    port: int = 0
    meanwhile: Callable[[], object] = lambda: None
    is_over: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        """The Apprise URL of somebody's channel; its last part is secret."""
        return f"json://127.0.0.1:{self.port}/hook/{SECRET}"


@contextmanager
def serving(service: Service, tls: ssl.SSLContext | None = None) -> Iterator[Service]:
    """Let a service be there."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(service))
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    service.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.is_over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(service: Service) -> type[BaseHTTPRequestHandler]:
    acts: Mapping[object, Callable[[BaseHTTPRequestHandler], object]] = {
        TAKES: lambda one: _answer(one, 200),
        HANGS: lambda _: service.is_over.wait(_LONG),
        HANGS_UP: lambda _: None,
        TRICKLES: lambda one: _trickle(one, service.is_over),
    }

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            service.paths.append(self.path)
            service.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            service.meanwhile()
            if isinstance(service.does, int):
                _answer(self, service.does)
            else:
                acts[service.does](self)

        def do_GET(self) -> None:
            service.paths.append(self.path)
            _answer(self, 200)

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    return Handler


def _answer(one: BaseHTTPRequestHandler, status: int) -> None:
    one.send_response(status)
    if status in range(300, 400):
        one.send_header("Location", "/elsewhere")
    one.send_header("Content-Length", "0")
    one.end_headers()


def _trickle(one: BaseHTTPRequestHandler, is_over: Event) -> None:
    """An answer that comes letter by letter, and never ends."""
    while not is_over.wait(0.05):
        one.wfile.write(b"H")
        one.wfile.flush()
