"""Doors: every route says whom it is for, and one place lets people in.

The endpoint is plain and takes a `Visit`; the door gives it one. Everything of a request that touches the database is
done in one thread with one desk, which is free again before the answer travels.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TypeVar

from fastapi import APIRouter, Depends, Request, Response, params

from console.web.audiences import Audience
from console.web.fault_pages import fault_page
from console.web.forms import read_form
from console.web.visit import Visit, arriving, believe
from engine.errors import XuejiError

Endpoint = TypeVar("Endpoint", bound=Callable[..., Response])


class Doors(APIRouter):
    """Routes of the house. `to` is compulsory: a page for nobody in particular does not exist."""

    def get(self, path: str, *, to: Audience) -> Callable[[Endpoint], Endpoint]:  # type: ignore[override]  # `to` is compulsory
        """A page that changes nothing."""
        return self._door("GET", path, to)

    def post(self, path: str, *, to: Audience) -> Callable[[Endpoint], Endpoint]:  # type: ignore[override]  # `to` is compulsory
        """An act. Its form is read, and its origin and token are checked, before the endpoint runs."""
        return self._door("POST", path, to, [Depends(read_form)])

    def _door(
        self, method: str, path: str, to: Audience, needs: Sequence[params.Depends] = ()
    ) -> Callable[[Endpoint], Endpoint]:
        def open_door(endpoint: Endpoint) -> Endpoint:
            self.add_api_route(
                path, let_in(endpoint, to), methods=[method], include_in_schema=False, dependencies=needs
            )
            return endpoint

        return open_door


def _answer(visit: Visit, endpoint: Callable[..., Response], to: Audience, given: dict[str, object]) -> Response:
    """What the endpoint answers; whatever of ours it raises becomes its page, rolled back and in the right words."""
    try:
        if turned_away := visit.turned_away(to.admits, is_public=to is Audience.ANYONE):
            return turned_away
        believe(visit)
        return endpoint(visit, **given)
    except XuejiError as problem:
        return fault_page(visit, problem)


def let_in(endpoint: Callable[..., Response], to: Audience) -> Callable[..., Response]:
    """The endpoint with a door before it: its `visit` is made from the request, for whom the route is."""

    @wraps(endpoint)
    def enter(request: Request, **given: object) -> Response:
        with arriving(request) as visit:
            return visit.leave_with(_answer(visit, endpoint, to, given))

    signature = inspect.signature(endpoint)
    first, *others = signature.parameters.values()
    if first.name.lstrip("_") != "visit":
        message = f"{endpoint.__name__} takes its visit first"
        raise TypeError(message)
    asked = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    enter.__signature__ = signature.replace(parameters=[asked, *others])  # type: ignore[attr-defined]  # FastAPI reads it
    return enter
