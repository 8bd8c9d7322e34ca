"""The way in: each person's own first page."""

from __future__ import annotations

from fastapi import Response
from fastapi.responses import PlainTextResponse

from console.web.audiences import Audience, audiences
from console.web.doors import Doors
from console.web.visit import Visit

doors = Doors()

_HOMES = (
    (Audience.STAFF, "/queue/todo"),
    (Audience.STUDENT, "/my"),
    (Audience.ADMIN, "/admin"),
    (Audience.AUDITOR, "/audit"),
)
"""Where people of each audience go first; somebody of several goes where the work is."""


@doors.get("/", to=Audience.SIGNED_IN)
def home(visit: Visit) -> Response:
    """To where the person works."""
    belongs = audiences(visit.actor)
    return visit.go(next((address for audience, address in _HOMES if audience in belongs), "/me"))


@doors.get("/healthz", to=Audience.ANYONE)
def healthz(visit: Visit) -> Response:
    """Whether the house and its database are there."""
    visit.desk.connection.execute("SELECT 1").fetchone()
    return PlainTextResponse("ok\n")
