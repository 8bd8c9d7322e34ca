"""Keeping a whole file under its number (批号), and keeping who was refused where it could not be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from console.taking_in import Effect, Judged
from console.taking_in_findings import Findings, findings_of
from console.taking_in_kinds import Kind
from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI
from engine.facts import FactRefusal, keep_refusals
from engine.records import Request
from engine.store import import_runs
from engine.store.database import Connection
from engine.store.import_runs import Run, Stage


def settle_done(desk: Desk, run: Run, judged: Judged, effect: Effect, at: datetime) -> Findings:
    """Say of a run that its file is taken in, and give it its number; in the transaction that has kept the file."""
    found = replace(findings_of(judged, effect), number=_number(desk.connection, at))
    import_runs.settle(desk.connection, run.id, Stage.DONE, found.as_json(), at)
    return found


def _number(connection: Connection, at: datetime) -> str:
    """批号: the day and the running number in it, such as `0513-02`."""
    begins = at.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    place = import_runs.place_in_day(connection, (begins, begins + timedelta(days=1)))
    return f"{begins:%m%d}-{place:02}"


def keep_refused(desk: Desk, kind: Kind, refused: Sequence[FactRefusal], request: Request) -> None:
    """Record whom rules refused, each in the student's own chain, after the file was taken back with all its events.

    Every refusal is an event (design, section 5; S000-3.8c), also one that stopped everybody else's rows.
    """
    keep_refusals(desk, refused, replace(request, trigger=kind.source))
