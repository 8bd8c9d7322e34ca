"""The doors of the auditor's pages: where to begin, a case at any of its events, and whether its trail is sound."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import Response

from console.web.audiences import Audience
from console.web.auditing.frame import keep_look, tabs
from console.web.auditing.papers import conclusions
from console.web.auditing.samples import walk_of
from console.web.auditing.verifying import verify
from console.web.auditing.view import moment_of
from console.web.batches.index import shown_batches
from console.web.doors import Doors
from console.web.faults import NotFound
from console.web.visit import Visit
from engine.store import leaves
from engine.trail.notes import Checkpoint

doors = Doors()


class Head(NamedTuple):
    """The newest sealed head: how many events are under it, and how many came since."""

    size: int
    root: str
    unsealed: int


@doors.get("/audit", to=Audience.AUDITOR)
def audit(visit: Visit) -> Response:
    """Where an auditor begins: the batches, how far the log is sealed, and a case by its number."""
    return _start(visit)


@doors.post("/audit/cases", to=Audience.AUDITOR)
def audit_find(visit: Visit) -> Response:
    """To a case by its number."""
    number = visit.form.get("number", "").strip().upper()
    try:
        found = visit.case(number)
    except NotFound:
        return _start(visit, status=422, unknown=number)
    return visit.go(f"/audit/cases/{found.case.number}")


@doors.get("/audit/cases/{no}", to=Audience.AUDITOR)
def audit_case(visit: Visit, no: str, seq: int | None = None, sample: int | None = None) -> Response:
    """A case right after one of its events; each moment looked at is an event of the case."""
    with moment_of(visit, no, seq) as moment:
        return visit.page(
            "audit/case.html",
            block="then",
            moment=moment,
            view=moment.view,
            slider=moment.slider,
            sample=sample,
            walk=None if sample is None else walk_of(visit, sample, moment.view.head.number),
            words=conclusions(visit),
        )


@doors.post("/audit/cases/{no}/verify", to=Audience.AUDITOR)
def audit_verify(visit: Visit, no: str) -> Response:
    """Whether the trail of a case is as it was written; nothing is changed."""
    return visit.page("audit/verified.html", block="result", checked=verify(visit, visit.case(no)))


def _start(visit: Visit, *, status: int = 200, unknown: str | None = None) -> Response:
    keep_look(visit, "audit")
    connection = visit.desk.connection
    return visit.page(
        "audit/index.html",
        status=status,
        tabs=tabs(visit),
        batches=shown_batches(visit),
        head=_head(visit),
        signed_at=leaves.signed_at(connection),
        unknown=unknown,
    )


def _head(visit: Visit) -> Head | None:
    """The newest head; None before the first sealing."""
    note = leaves.latest(visit.desk.connection)
    if note is None:
        return None
    head = Checkpoint.parse(note.text)
    return Head(head.size, head.root.hex()[:12], leaves.count_unsealed(visit.desk.connection))
