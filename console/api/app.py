"""The interface as an application of its own below `/api/v1`: its errors are problems, its description is OpenAPI."""

from __future__ import annotations

from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from typing_extensions import override

from console.api import (
    absences,
    administering,
    auditing,
    auditing_work,
    bulk,
    deciding,
    defining,
    exporting,
    my,
    queueing,
    routes,
    running,
    working,
    working_imports,
    working_lists,
)
from console.api.problems import KIND, ProblemField, answer, told
from console.web.headers import BodyTooLarge
from console.web.house import House
from engine.store.database import Busy

AT = "/api/v1"
ALL = (
    routes.doors,
    deciding.doors,
    queueing.doors,
    bulk.doors,
    exporting.doors,
    my.doors,
    working.doors,
    working_lists.doors,
    working_imports.doors,
    auditing_work.doors,
    auditing.doors,
    administering.doors,
    absences.doors,
    defining.doors,
    running.doors,
)
"""Every door for programs."""
_SENTENCES = {
    400: ("请求无法读取。", "The request cannot be read."),
    404: ("没有这个地址，或您无权查看。", "No such address, or not for you."),
    405: ("此地址不接受这种请求。", "This address takes no such request."),
    413: ("发送的内容过大。", "Too much was sent."),
    422: ("有的值不能这样写。", "Some values cannot be."),
    500: (
        "出了意外，可能已经办成；请带同一 Idempotency-Key 再问一次。",
        "Something went wrong; it may be done. Ask again with the same key.",
    ),
}


class _Interface(FastAPI):
    """Says of its problems what they are: `application/problem+json`, which FastAPI cannot be told by itself."""

    @override
    def openapi(self) -> dict[str, Any]:
        said = super().openapi()
        for path in said["paths"].values():
            for operation in path.values():
                for status, told_as in operation["responses"].items():
                    content = told_as.get("content", {})
                    if status[0] in "45" and content:
                        content[KIND] = content.pop(next(iter(content)))
        return said


def interface(house: House) -> FastAPI:
    """The interface of a house, ready to be mounted at `AT`."""
    app = _Interface(title="xueji", version="1", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    app.state.house = house
    for doors in ALL:
        app.router.routes.extend(doors.routes)  # as they are: include_router would make each of them anew
    app.exception_handler(RequestValidationError)(_cannot_be)
    app.exception_handler(HTTPException)(_by_status)
    app.add_exception_handler(BodyTooLarge, _too_much)
    app.add_exception_handler(Busy, _busy)
    app.add_exception_handler(Exception, _broken)
    return app


def _cannot_be(request: Request, problem: RequestValidationError) -> JSONResponse:
    """Which values cannot be, by where they stand; the values themselves are not said again."""
    fields = [ProblemField(where=".".join(map(str, one["loc"])), reason=str(one["msg"])) for one in problem.errors()]
    return told(request, 422, _SENTENCES[422], fields=fields)


def _by_status(request: Request, problem: HTTPException) -> JSONResponse:
    status = problem.status_code
    answer = told(request, status, _SENTENCES.get(status, (str(problem.detail), str(problem.detail))))
    answer.headers.update(problem.headers or {})
    return answer


def _busy(request: Request, problem: Exception) -> JSONResponse:
    """Nobody is free to answer, so nothing was asked of the database."""
    return answer(request, cast("Busy", problem))


def _broken(request: Request, _problem: Exception) -> JSONResponse:
    """Something nobody foresaw; the log has it under the number (`console.web.headers`)."""
    return told(request, 500, _SENTENCES[500])


def _too_much(request: Request, _problem: Exception) -> JSONResponse:
    return told(request, 413, _SENTENCES[413])
