"""Doors: every route says whom it is for, and one place lets people in.

The endpoint is plain and takes a `Visit`; the door gives it one. Everything of a request that touches the database is
done in one thread with one desk, which is free again before the answer travels.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Annotated, NamedTuple, TypeAlias, TypeVar

from fastapi import APIRouter, Depends, Request, Response, params
from fastapi.concurrency import run_in_threadpool
from pydantic import Field

from console.web import kept
from console.web.audiences import Audience
from console.web.desks import AllTaken
from console.web.fault_pages import fault_page, kept_page
from console.web.faults import Doubted
from console.web.forms import MOST, read_form
from console.web.house import House
from console.web.turns import Turn
from console.web.visit import Visit, arriving, believe
from engine.errors import XuejiError

Endpoint = TypeVar("Endpoint", bound=Callable[..., Response])
_DOUBTED, _FAULT = 403, 400
_Number = Annotated[int, Field(ge=-MOST, le=MOST)]
_IN_ADDRESSES = {int: _Number, int | None: _Number | None}
"""A number with more digits than the database takes is in no address of ours."""
WhichTurn: TypeAlias = Callable[[Request], Turn | None]
"""What a request waits for before it takes a desk, if for anything."""


class Doors(APIRouter):
    """Routes of the house. `to` is compulsory: a page for nobody in particular does not exist."""

    def get(  # type: ignore[override]  # `to` is compulsory
        self, path: str, *, to: Audience, turn: WhichTurn | None = None
    ) -> Callable[[Endpoint], Endpoint]:
        """A page that changes nothing."""
        return self._door("GET", path, to, turn=turn)

    def post(  # type: ignore[override]  # `to` is compulsory
        self, path: str, *, to: Audience, page: Callable[..., Response] | None = None, turn: WhichTurn | None = None
    ) -> Callable[[Endpoint], Endpoint]:
        """An act. Its form is read, and its origin and token are checked, before the endpoint runs.

        `page` is what stands at the same address and shows the form: with what was posted, where it was not done.
        """
        return self._door("POST", path, to, [Depends(read_form)], page=page, turn=turn)

    def _door(
        self,
        method: str,
        path: str,
        to: Audience,
        needs: Sequence[params.Depends] = (),
        *,
        page: Callable[..., Response] | None = None,
        turn: WhichTurn | None = None,
    ) -> Callable[[Endpoint], Endpoint]:
        def open_door(endpoint: Endpoint) -> Endpoint:
            door = let_in(endpoint, to, page)
            in_turn = door if turn is None else _in_turn(door, turn)
            self.add_api_route(path, in_turn, methods=[method], include_in_schema=False, dependencies=needs)
            return endpoint

        return open_door


class _Door(NamedTuple):
    """What is behind a door, for whom, and the page that shows its form."""

    endpoint: Callable[..., Response]
    to: Audience
    page: Callable[..., Response] | None

    def answer(self, visit: Visit, given: dict[str, object]) -> Response:
        """What the endpoint answers; whatever of ours is raised becomes its page, rolled back, in the right words."""
        visit.has_page = self.page is not None
        kept.carry_on(visit)
        try:
            if turned_away := visit.turned_away(self.to.admits, kept.way_back, is_public=self.to is Audience.ANYONE):
                return turned_away
            return self._shown_again(visit, given) if self._is_doubted(visit) else self._opened(visit, given)
        except AllTaken:  # there is no desk at which a page could be made
            raise
        except XuejiError as problem:
            return fault_page(visit, problem)

    def _opened(self, visit: Visit, given: dict[str, object]) -> Response:
        kept.lay_out(visit)
        answer = self.endpoint(visit, **given)
        if answer.status_code < _FAULT:
            kept.done(visit)
        return answer

    def _is_doubted(self, visit: Visit) -> bool:
        """Whether it is not believed, though it is the person's own form.

        Raises:
            Doubted: If it is neither.
        """
        try:
            believe(visit)
        except Doubted:
            if not kept.is_own(visit):
                raise
            return True
        return False

    def _shown_again(self, visit: Visit, given: dict[str, object]) -> Response:
        """The form once more, to be looked at and sent again; nothing was done."""
        visit.told = visit.say("页面开得太久，请再按一次，内容已保留")
        answer = kept_page(visit, kept.sent(visit)) if self.page is None else self.page(visit, **given)
        if answer.status_code < _FAULT:
            answer.status_code = _DOUBTED
        return answer


def let_in(
    endpoint: Callable[..., Response], to: Audience, page: Callable[..., Response] | None = None
) -> Callable[..., Response]:
    """The endpoint with a door before it: its `visit` is made from the request, for whom the route is."""
    door = _Door(endpoint, to, page)

    @wraps(endpoint)
    def enter(request: Request, **given: object) -> Response:
        with arriving(request) as visit:
            return visit.leave_with(door.answer(visit, given))

    signature = inspect.signature(endpoint, eval_str=True)
    first, *others = signature.parameters.values()
    if first.name.lstrip("_") != "visit":
        message = f"{endpoint.__name__} takes its visit first"
        raise TypeError(message)
    given = [one.replace(annotation=_IN_ADDRESSES.get(one.annotation, one.annotation)) for one in others]
    asked = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    enter.__signature__ = signature.replace(parameters=[asked, *given])  # type: ignore[attr-defined]  # FastAPI reads it
    return enter


def _in_turn(door: Callable[..., Response], which: WhichTurn) -> Callable[..., Awaitable[Response]]:
    """A door before which a turn is waited for; the endpoint is told whether it came (`Visit.has_turn`)."""

    @wraps(door)
    async def wait(request: Request, **given: object) -> Response:
        turn = which(request)
        if turn is None:
            return await run_in_threadpool(door, request, **given)
        house: House = request.app.state.house
        async with house.turns.waited_for(turn) as has_turn:
            request.state.has_turn = has_turn
            return await run_in_threadpool(door, request, **given)

    return wait
