"""Doors for programs: each route says for which scope it is, and one place looks at the token.

What a program asks is asked by its person, with the rights held at that moment; the scope only takes away.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from console.access.programs import Scope, shown
from console.api import problems
from console.api.problems import NotForToken, Problem
from console.web.audiences import Audience
from console.web.faults import NotFound
from console.web.house import House
from console.web.presence import Presence
from engine.errors import XuejiError

if TYPE_CHECKING:
    from console.wiring import Office

Endpoint = TypeVar("Endpoint", bound=Callable[..., object])
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": what}
    for status, what in (
        (400, "The request is none"),
        (401, "No good token"),
        (403, "Not for this token or person"),
        (404, "No such thing, or not for you"),
        (409, "It moved on, or is not open"),
        (410, "What was in it has been erased"),
        (413, "Too much was sent"),
        (415, "Another kind of content is wanted"),
        (422, "A value that cannot be"),
        (429, "Too fast"),
        (503, "Busy; nothing was done"),
    )
}


class Bytes(Response):
    """An answer that is a file to be saved."""

    media_type = "application/octet-stream"


@dataclass(slots=True, kw_only=True)
class Call(Presence):
    """A program that asks for somebody; `scopes` are what its token is good for."""

    scopes: frozenset[str]

    def own(self, key: str) -> str:
        """A key as the trail keeps it: from another person or at another address it asks for another thing."""
        return f"{self.actor.login}{self.request.url.path}/{key}"


class ApiDoors(APIRouter):
    """Routes for programs. `scope` is compulsory, and `to` whom of the people it is for."""

    def door(
        self,
        method: str,
        path: str,
        *,
        scope: Scope,
        to: Audience = Audience.SIGNED_IN,
        status_code: int = 200,
        answers: type[Response] = JSONResponse,
    ) -> Callable[[Endpoint], Endpoint]:
        """Open a route; `answers` is what it answers with when all is well."""

        def open_door(endpoint: Endpoint) -> Endpoint:
            self.add_api_route(
                path,
                _let_in(endpoint, scope, to),
                methods=[method],
                responses=_PROBLEMS,
                response_model_exclude_none=True,
                summary=(endpoint.__doc__ or "").strip().splitlines()[0],
                status_code=status_code,
                response_class=answers,
            )
            return endpoint

        return open_door


def _let_in(endpoint: Callable[..., object], scope: Scope, to: Audience) -> Callable[..., object]:
    @wraps(endpoint)
    def enter(request: Request, **given: object) -> object:
        house: House = request.app.state.house
        at = house.now()
        with house.desks.borrowed() as office:
            try:
                call = _call(house, request, office, at)
                _refuse_others(call, scope, to)
                return endpoint(call, **given)
            except XuejiError as problem:
                return problems.answer(request, problem)

    signature = inspect.signature(endpoint)
    _, *others = signature.parameters.values()
    asked = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    enter.__signature__ = signature.replace(parameters=[asked, *others])  # type: ignore[attr-defined]  # FastAPI reads it
    return enter


def _call(house: House, request: Request, office: Office, at: datetime) -> Call:
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    row = shown(office.desk.connection, given.strip(), at) if kind.lower() == "bearer" else None
    if row is None:
        raise NotForToken(401, "没有有效的令牌。No good token: send 'Authorization: Bearer …'.")
    actor = office.desk.actor(row.login).begun_by(at)
    return Call(house=house, request=request, office=office, at=at, actor=actor, scopes=row.scopes)


def _refuse_others(call: Call, scope: Scope, to: Audience) -> None:
    if scope not in call.scopes:
        raise NotForToken(403, f"令牌不含范围 {scope}。The token does not have the scope '{scope}'.")
    if not to.admits(call.actor):
        raise NotFound
