"""The application: every door of the house, in one place."""

from __future__ import annotations

from collections.abc import Mapping

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from console.web.audiences import Audience
from console.web.doors import let_in
from console.web.faults import FileRefused, NotFound
from console.web.headers import BodyTooLarge, Envelope
from console.web.house import House
from console.web.metrics import count_request
from console.web.rendering import HERE
from console.web.routes import ALL
from console.web.visit import Visit

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
        app.include_router(doors)
    for path, other in beside.items():
        app.mount(path, other)
    app.mount("/static", _Static(directory=HERE / "static"))
    app.exception_handler(HTTPException)(_by_status)
    app.add_exception_handler(BodyTooLarge, _too_large)
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


_no_page = let_in(_nowhere, Audience.ANYONE)
_too_much = let_in(_oversized, Audience.ANYONE)


def _by_status(request: Request, problem: HTTPException) -> Response:
    """What the router refuses: no such page, no such method."""
    if problem.status_code != 404:  # noqa: PLR2004 as the standard has it
        return HTMLResponse("", problem.status_code, headers=dict(problem.headers or {}))
    return _no_page(request)


def _too_large(request: Request, _problem: Exception) -> Response:
    return _too_much(request)


def _broken(request: Request, problem: Exception) -> Response:
    """Something nobody foresaw: logged by kind and place, never by value; told with a number to ask about."""
    number = request.scope["state"]["number"]
    places = []
    trace = problem.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    structlog.get_logger("web").error("broken", kind=type(problem).__name__, at=places[-6:], number=number)
    house: House = request.app.state.house
    is_safe = request.method in ("GET", "HEAD")
    return HTMLResponse(house.pages.whole("broken.html", {"number": number, "is_safe": is_safe}), 500)
