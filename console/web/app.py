"""The application: every door of the house, in one place."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from console.web.audiences import Audience
from console.web.doors import let_in
from console.web.faults import FileRefused, NotFound, NotSoAsked, Unread
from console.web.headers import BodyTooLarge, Envelope
from console.web.house import House
from console.web.metrics import count_request
from console.web.rendering import HERE
from console.web.routes import ALL
from console.web.visit import Visit
from engine.store.database import Busy

_SMALLEST_SQUEEZED = 1000
_MONTH = 30 * 24 * 3600


def application(house: House, beside: Mapping[str, ASGIApp]) -> ASGIApp:
    """Everything that answers, in its envelope.

    Args:
        house: What the requests share.
        beside: Other applications, each below its path.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.house = house
    for doors in ALL:
        app.router.routes.extend(doors.routes)  # as they are: include_router would make each of them anew
    for path, other in beside.items():
        app.mount(path, other)
    app.mount("/static", _Static(directory=HERE / "static"))
    app.exception_handler(HTTPException)(_by_status)
    app.exception_handler(RequestValidationError)(_cannot_be)
    app.add_exception_handler(BodyTooLarge, _too_large)
    app.add_exception_handler(Busy, _busy)
    app.add_exception_handler(Exception, _broken)
    squeezed = GZipMiddleware(app, minimum_size=_SMALLEST_SQUEEZED)
    return Envelope(squeezed, is_secure=house.is_secure, cookie=house.cookie, count=count_request)


class _Static(StaticFiles):
    """Files that browsers keep: their address changes when they do."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        answer: Response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed on as given
        answer.headers["Cache-Control"] = f"public, max-age={_MONTH}, immutable"
        return answer


def _nowhere(_visit: Visit) -> Response:
    raise NotFound


def _oversized(_visit: Visit) -> Response:
    raise FileRefused("文件太大，没有收下。Too much was sent; nothing was kept.", 413)


def _unread(_visit: Visit) -> Response:
    raise Unread


def _not_so(_visit: Visit) -> Response:
    raise NotSoAsked


_no_page = let_in(_nowhere, Audience.ANYONE)
_too_much = let_in(_oversized, Audience.ANYONE)
_REFUSED = {400: let_in(_unread, Audience.ANYONE), 405: let_in(_not_so, Audience.ANYONE)}


def _by_status(request: Request, problem: HTTPException) -> Response:
    """What is refused before any door: no such page, no such method, a form that cannot be read."""
    answer = _REFUSED.get(problem.status_code, _no_page)(request)
    answer.headers.update(problem.headers or {})
    return answer


def _cannot_be(request: Request, _problem: Exception) -> Response:
    """An address with a value that cannot be is the address of no page."""
    return _no_page(request)


def _too_large(request: Request, _problem: Exception) -> Response:
    return _too_much(request)


def _broken(request: Request, _problem: Exception) -> Response:
    """Something nobody foresaw: told with the number under which the log has it (`headers.Envelope`)."""
    is_safe = request.method in ("GET", "HEAD")
    told = {"number": request.scope["state"]["number"], "is_safe": is_safe}
    return _plain(request, "broken.html", told, 500)


def _busy(request: Request, _problem: Exception) -> Response:
    """Nobody is free to answer, so nothing was asked of the database."""
    return _plain(request, "busy.html", {"number": request.scope["state"]["number"]}, 503)


def _plain(request: Request, template: str, told: Mapping[str, object], status: int) -> Response:
    house: House = request.app.state.house
    return HTMLResponse(house.pages.whole(template, told), status)
