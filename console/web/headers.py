"""What every answer carries beside its body, and one line in the log for each request (OWASP ASVS 3.4, 16.2).

The log has the route and not the address, no name and no value of a form. What broke stands there by kind and place.
"""

from __future__ import annotations

import re
import secrets
import time
import traceback
from collections.abc import Callable

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.web.forms import readable_query

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""`data:` for the small pictures in Tabler's style sheet; nothing else comes from anywhere but here."""
_ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
MOST_BYTES = 64 * 1024 * 1024
"""The largest body that is read at all; each upload has its own, smaller limit."""
MOST_BYTES_UNKNOWN = 64 * 1024
"""From somebody who shows no session."""


class Envelope:
    """Puts every answer of an application into its envelope, and refuses bodies that nobody needs to send.

    Args:
        app: What answers.
        is_secure: Whether people reach it by https.
        cookie: The name of the session's cookie.
        count: Told of every request: method, route, status, seconds.
    """

    def __init__(
        self, app: ASGIApp, *, is_secure: bool, cookie: str, count: Callable[[str, str, int, float], None]
    ) -> None:
        self._app = app
        self._count = count
        self._more = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"} if is_secure else {}
        self._cookie = cookie
        self._log = structlog.get_logger("web")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["path"] = _CONTROLS.sub("\ufffd", scope["path"])  # in no address of ours; a line break hides from routers
        scope["query_string"] = readable_query(scope["query_string"])
        number = secrets.token_hex(4).upper()
        scope.setdefault("state", {})["number"] = number
        begun, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in (_ALWAYS | self._more).items():
                    headers.setdefault(name, value)
                headers["X-Request-Number"] = number
            await send(message)

        try:
            await self._app(scope, _Measured(receive, self._most(scope)), answer)
        except Exception as problem:  # noqa: BLE001 answered by now; further out it would be logged with the values it met
            self._log.error("broken", kind=type(problem).__name__, at=places(problem), number=number)
        finally:
            route = getattr(scope.get("route"), "path", "—")
            seconds = time.perf_counter() - begun
            self._count(scope["method"], route, status, seconds)
            ms = round(seconds * 1000)
            self._log.info("request", method=scope["method"], route=route, status=status, ms=ms, number=number)

    def _most(self, scope: Scope) -> int:
        shown = Headers(scope=scope).get("cookie", "")
        is_known = f"{self._cookie}=" in shown or Headers(scope=scope).get("authorization", "")
        return MOST_BYTES if is_known else MOST_BYTES_UNKNOWN


def places(problem: BaseException) -> list[str]:
    """Where it came from, file and line, the nearest last."""
    frames = traceback.walk_tb(problem.__traceback__)
    return [f"{frame.f_code.co_filename.rpartition('/')[2]}:{line}" for frame, line in frames][-6:]


class BodyTooLarge(Exception):
    """More was sent than anybody may send."""


class _Measured:
    """A receiving end that stops when too much has come."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._left = most

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise BodyTooLarge
        return message
