"""Keeping a whole file under its number (批号), and keeping who was refused where it could not be kept."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

from console.taking_in import Effect, Judged
from console.taking_in_findings import Findings, findings_of
from console.taking_in_kinds import Kind
from engine.desk import Desk
from engine.expressions.kinds import SHANGHAI
from engine.facts import FactRefusal, keep_refusals
from engine.records import Request
from engine.store import import_runs
from engine.store.database import Connection
from engine.store.import_runs import KEPT, Run, Stage
from engine.trail.event import moment


def settle_done(desk: Desk, run: Run, judged: Judged, effect: Effect, at: datetime) -> Findings:
    """Say of a run that its file is taken in, and give it its number; in the transaction that has kept the file."""
    return settle_found(desk, run, findings_of(judged, effect), at)


def settle_found(desk: Desk, run: Run, found: Findings, at: datetime) -> Findings:
    """The same, of what was found already."""
    numbered = replace(found, number=_number(desk.connection, at))
    import_runs.settle(desk.connection, run.id, Stage.DONE, numbered.as_json(), at)
    return numbered


def run_at_keyboard(kind: str, options: str, login: str, file: tuple[str, bytes], at: datetime) -> Run:
    """A file (name, bytes) that is taken in at the keyboard, by a login: it is sent, checked and kept at once."""
    name, body = file
    return Run(
        id=secrets.token_urlsafe(12), login=login, kind=kind, options=options, name=name,
        sha256=sha256(body).hexdigest(), size=len(body), stage=Stage.COMMITTING, read=0, told="", made_at=moment(at),
        beat_at=None, done_at=None, expires_at=moment(at + KEPT),
    )  # fmt: skip


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
