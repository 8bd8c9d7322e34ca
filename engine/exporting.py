"""Exporting: whoever takes something out of the trail is on the registry's chain, or gets nothing.

Rule 1: `exported` is called once the file is whole and before it has its name: no file is out without its event.
Rule 2: only auditors take out, and only of their own unit and below; the right is nobody's to lend.

Source: requirements.md INV-ACC-1 (S001-E-4, S001-H-2.3).
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.actors import Grant
from engine.desk import Desk
from engine.errors import NotAllowed
from engine.keeping import barred_event
from engine.records import Json, Request
from engine.trail.event import EventKind, Written, moment

AUDITOR = "auditor"


def reach_of(desk: Desk, request: Request) -> tuple[Grant, ...]:
    """The rights by which a person exports, the widest first; each reaches its unit's path and everything below.

    Args:
        desk: Whose registry's chain keeps that somebody asked who may not.
        request: By whom and when; `trigger` names the export, such as `export:xes`.

    Raises:
        NotAllowed: If the person is no auditor anywhere.
    """
    held = [grant for grant in request.actor.grants if grant.role == AUDITOR]
    if not held:
        raise withheld(desk, request, "—")
    return tuple(sorted(held, key=lambda grant: (len(grant.path), grant.path)))


def withheld(desk: Desk, request: Request, unit: str) -> NotAllowed:
    """Keep that somebody asked for what an auditor of a unit may have, and give the error to raise."""
    problem = NotAllowed(request.actor.login, request.trigger, (AUDITOR,), unit)
    with desk.connection.writing():
        desk.record_events([(EventKind.REFUSED, barred_event(None, request, problem))])
    return problem


def exported(desk: Desk, request: Request, told: Mapping[str, Json]) -> Written:
    """Keep that somebody takes something out: by whom, in what right, and what it was.

    Args:
        desk: Whose registry's chain is extended; in the caller's transaction if there is one.
        request: By whom and when; `trigger` names the export, such as `export:xes`.
        told: What is taken out: its scope, how much it is; no personal values.

    Raises:
        NotAllowed: If the person is no auditor anywhere.
    """
    widest = reach_of(desk, request)[0]
    event: dict[str, Json] = {
        "at": moment(request.at),
        "actor": request.actor.login,
        "role": widest.role,
        "unit": widest.unit,
        "data": {"trigger": request.trigger, **told},
    }
    with desk.connection.writing():
        return desk.record_events([(EventKind.EXPORTED, event)])[0]
