"""Exporting: whoever takes something out of the trail is on the registry's chain, or gets nothing.

Rule 1: `exported` is called once the file is whole and before it has its name: no file is out without its event;
`looked` before a page is shown that is gathered from many cases.
Rule 2: only auditors take out, and only of their own unit and below; the right is nobody's to lend.
Rule 3: a list of what waits for somebody is theirs to take along (`listed`); that they did is on the chain as well.

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
    return _keep(desk, EventKind.EXPORTED, request, told)


def listed(desk: Desk, request: Request, told: Mapping[str, Json]) -> Written:
    """Keep that somebody takes along a list of what they may see anyway: what it was and how much, never who is on it.

    Args:
        desk: Whose registry's chain is extended; in the caller's transaction if there is one.
        request: By whom and when; `trigger` names the export, such as `export:queue`.
        told: What is taken along; no personal values.

    Raises:
        NotAllowed: If the person holds no role at all.
    """
    held = (*request.actor.grants, *request.actor.delegated)
    if not held:
        raise withheld(desk, request, "—")
    widest = min(held, key=lambda grant: (len(grant.path), grant.path))
    return _write(desk, EventKind.EXPORTED, request, widest, told)


def looked(desk: Desk, request: Request, told: Mapping[str, Json]) -> Written:
    """Keep that somebody looks at what is gathered from many cases: findings, samples, papers; as `exported`.

    Args:
        desk: Whose registry's chain is extended; in the caller's transaction if there is one.
        request: By whom and when; `trigger` names the page, such as `view:findings`.
        told: What is shown: its scope, which one it is; no personal values.

    Raises:
        NotAllowed: If the person is no auditor anywhere.
    """
    return _keep(desk, EventKind.VIEWED, request, told)


def _keep(desk: Desk, kind: EventKind, request: Request, told: Mapping[str, Json]) -> Written:
    return _write(desk, kind, request, reach_of(desk, request)[0], told)


def _write(desk: Desk, kind: EventKind, request: Request, right: Grant, told: Mapping[str, Json]) -> Written:
    event: dict[str, Json] = {
        "at": moment(request.at),
        "actor": request.actor.login,
        "role": right.role,
        "unit": right.unit,
        "data": {"trigger": request.trigger, **told},
    }
    with desk.connection.writing():
        return desk.record_events([(kind, event)])[0]
