"""Doors for programs: each route says for which scope it is, and one place looks at the token.

What a program asks is asked by its person, with the rights held at that moment; the scope only takes away.
What a page asks a fresh proof for wants a token that was made with one (`console.access.programs`).
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

from console.access.programs import PROVED_FOR, Scope, is_proved, shown
from console.api import problems
from console.api.problems import NotForToken, Problem
from console.web.audiences import Audience
from console.web.faults import NotFound
from console.web.house import House
from console.web.presence import Presence
from engine.errors import XuejiError
from engine.store.api_tokens import TokenRow

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
_PROVED = f"The token must have been made by its person at `/me/tokens`, at most {PROVED_FOR.days} days ago."
_NOT_PROVED = (
    f"此事要本人验证过的令牌：请本人在“接口令牌”页生成，{PROVED_FOR.days} 天内可用；命令行生成的不行。"
    f" This needs a token that its person made at /me/tokens with a code, at most {PROVED_FOR.days} days ago;"
    " one that a command printed will not do."
)


class Bytes(Response):
    """An answer that is a file to be saved."""

    media_type = "application/octet-stream"


class Workbook(Response):
    """An answer that is a workbook."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Pdf(Response):
    """An answer that is a PDF."""

    media_type = "application/pdf"


@dataclass(slots=True, kw_only=True)
class Call(Presence):
    """A program that asks for somebody, by a token."""

    token: TokenRow

    @property
    def scopes(self) -> frozenset[str]:
        """What its token is good for."""
        return self.token.scopes

    def demand_proof(self) -> None:
        """Let only a program go on whose token its person made with a proof, not long ago.

        Raises:
            NotForToken: If that is too long ago, or somebody else made it.
        """
        if not is_proved(self.token, self.at):
            raise NotForToken(403, _NOT_PROVED)

    def own(self, key: str) -> str:
        """A key as the trail keeps it: from another person or at another address it asks for another thing."""
        return f"{self.actor.login}{self.request.url.path}/{key}"


class ApiDoors(APIRouter):
    """Routes for programs. `scope` is compulsory, and `to` whom of the people it is for."""

    def door(  # noqa: PLR0913 what is said of a route is said at its door
        self,
        method: str,
        path: str,
        *,
        scope: Scope,
        to: Audience = Audience.SIGNED_IN,
        status_code: int = 200,
        answers: type[Response] = JSONResponse,
        proof: bool = False,
    ) -> Callable[[Endpoint], Endpoint]:
        """Open a route; `answers` is what it answers with when all is well; `proof`: its page asks for a fresh one."""

        def open_door(endpoint: Endpoint) -> Endpoint:
            told = inspect.getdoc(endpoint) or ""
            self.add_api_route(
                path,
                _let_in(endpoint, scope, to, wants_proof=proof),
                methods=[method],
                responses=_PROBLEMS,
                response_model_exclude_none=True,
                summary=told.splitlines()[0],
                description=f"{told}\n\n{_PROVED}" if proof else told,
                status_code=status_code,
                response_class=answers,
            )
            return endpoint

        return open_door


def _let_in(endpoint: Callable[..., object], scope: Scope, to: Audience, *, wants_proof: bool) -> Callable[..., object]:
    @wraps(endpoint)
    def enter(request: Request, **given: object) -> object:
        house: House = request.app.state.house
        at = house.now()
        with house.desks.borrowed() as office:
            try:
                call = _call(house, request, office, at)
                _refuse_others(call, scope, to)
                if wants_proof:
                    call.demand_proof()
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
    return Call(house=house, request=request, office=office, at=at, actor=actor, token=row)


def _refuse_others(call: Call, scope: Scope, to: Audience) -> None:
    if scope not in call.scopes:
        raise NotForToken(403, f"令牌不含范围 {scope}。The token does not have the scope '{scope}'.")
    if not to.admits(call.actor):
        raise NotFound
