"""The way in: each person's own first page."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Response
from fastapi.responses import PlainTextResponse

from console.access import sessions
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


@doors.get("/stay", to=Audience.SIGNED_IN)
def stay(visit: Visit) -> Response:
    """Somebody goes on: to ask is a use of the session. Answers the seconds until it ends by itself."""
    return PlainTextResponse(str(_left(visit, is_use=True)))


@doors.get("/stay/pulse", to=Audience.SIGNED_IN)
def stay_pulse(visit: Visit) -> Response:
    """The same for a page that asks by itself, which is no use of the session."""
    return PlainTextResponse(str(_left(visit)))


def _left(visit: Visit, *, is_use: bool = False) -> int:
    if visit.session is None:
        return 0
    seen = replace(visit.session, seen_at=visit.at) if is_use else visit.session
    return int((sessions.ends_at(seen) - visit.at).total_seconds())
