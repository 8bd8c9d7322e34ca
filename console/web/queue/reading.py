"""Reading the case that is open in the queue: what deciding on it takes, and no more.

It is read for every case that somebody goes past, so names of people and deadlines are read only where they are shown:
of a case that something holds up.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from console.web.cases.reading import Dossier
from engine.deeds import KINDS, deed_of
from engine.definition import MoveKind
from engine.desk import Desk
from engine.fetching import Fetched, Neighbourhood
from engine.prospects import Staff, prospects_of
from engine.records import Case, Request
from engine.sight import Seeing
from engine.steps import Machine
from engine.store import deadlines, people, registry, stories
from engine.store.cases import Found
from engine.store.database import Connection
from engine.store.documents import DocumentRow
from engine.store.people import Holder
from engine.store.stories import StoryLine


class Known(NamedTuple):
    """What has been read of a case: the student's cases that are not cancelled, and whether it has documents."""

    has_papers: bool
    kin: tuple[Case, ...]


class _Unasked(Staff):
    """Staff whom nobody has to name: who could take a step of a case that is ready is whoever reads the page."""

    def holding(self, role: str, path: str) -> Iterator[Holder]:  # noqa: ARG002 as of all staff
        yield from ()


def read_open(desk: Desk, found: Found, request: Request, known: Known | None = None) -> Dossier:
    """Everything the middle of the queue shows of a case.

    Args:
        desk: Where it is worked.
        found: The case as read.
        request: By whom it is looked at, and when.
        known: What has been read of it already.
    """
    connection, case = desk.connection, found.case
    machine = desk.machine_for(case, {})
    lines = stories.story(connection, [case.id] if case.student is None else [case.id, -case.student])
    sight = Seeing(desk, machine, found, request, fetched=_fetched(desk, machine, found, known))
    signed = any(machine.to_sign(case.state, trigger) is not None for trigger in machine.open_triggers(case.state))
    staff: Staff = _Unasked(connection, None)
    steps = () if signed else prospects_of(machine, case, sight, staff)
    running = {}
    if signed or not all(one.is_open for one in steps):
        own = None if case.student is None else registry.account_of(connection, case.student)
        staff = Staff(connection, own)
        running = deadlines.of_cases(connection, [case.id])
        steps = prospects_of(machine, case, sight, staff)
    batch = case.fields.get("batch")
    return Dossier(
        desk=desk,
        found=found,
        machine=machine,
        sight=sight,
        steps=steps,
        lines=tuple(lines),
        told=(),
        running=running,
        documents=sight.documents(),
        beside=(),
        people=_names(connection, machine, lines, request.actor.login),
        staff=staff,
        batch=desk.batch(batch) if isinstance(batch, str) else None,
        assumed=False,
        at=request.at,
    )


def _fetched(desk: Desk, machine: Machine, found: Found, known: Known | None) -> Fetched | None:
    """What of a case's surroundings has been read; its deadlines beside, where any run."""
    case, connection = found.case, desk.connection
    if known is None or case.student is None:
        return None
    rows = deadlines.of_cases(connection, [case.id]) if machine.running(case.state) else {}
    papers: dict[int, list[DocumentRow]] | None = None if known.has_papers else {case.id: []}
    return Fetched(Neighbourhood(connection, [case.student], {case.student: known.kin}), rows, papers)


def _names(connection: Connection, machine: Machine, lines: list[StoryLine], reader: str) -> dict[str, str]:
    """How those are addressed whom the page names: who sent the case back, and in whose stead somebody acted."""
    back = [name for name, step in machine.definition.transitions.items() if step.kind is MoveKind.RETURN]
    named = [line.event["actor"] for line in lines if line.event["data"].get("trigger") in back]
    named += [line.event["delegation"]["by"] for line in lines if "delegation" in line.event]
    others = sorted({*map(str, named)} - {reader})
    return dict(people.named(connection, others, None)[0]) if others else {}


def last_decision(dossier: Dossier) -> StoryLine | None:
    """The last thing that somebody did to the case."""
    own = [line for line in dossier.own() if line.event["kind"] in KINDS]
    return next(
        (line for line in reversed(own) if deed_of(line.event["kind"], line.event, (line.chain, line.seq))), None
    )


def at_of(line: StoryLine) -> datetime:
    """When an event happened."""
    return datetime.fromisoformat(str(line.event["at"]))
