"""Logs of the trail for process mining: an auditor takes them out, and the registry's chain says so."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from console.audit_aids import keep_read
from console.calling import Caller, Misuse, Sitting
from console.printing import line
from engine.definition import Definition
from engine.errors import Unknown
from engine.exporting import reach_of
from engine.records import Json, Request
from engine.store import registry
from engine.store.process_logs import Scope, cases_of, events_of, members_of
from engine.trail.event import moment
from exchange.ocel import Sources, write_ocel
from exchange.process_logs import REFUSALS, STEPS, Counted, Pseudonyms, Reading, Sink
from exchange.xes import opened_for, write_xes

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAsked:
    """What an auditor asks for: where to, of which cases, with names or pseudonyms."""

    path: Path
    login: str
    batch: str | None
    workflow: str | None
    names: bool
    refusals: bool = False


def export_xes(caller: Caller, asked: LogAsked) -> int:
    """Write an XES log, gzipped where the name ends in .gz.

    Raises:
        Misuse: If the name of the file says otherwise.
        NotAllowed: If the person is no auditor.
        Unknown: If there is no such batch or workflow.
    """
    _named(asked.path, (".xes", ".xes.gz"))

    def write(file: Sink, sitting: Sitting, reading: Reading, scope: Scope) -> Counted:
        said = {
            "concept:name": sitting.office.log,
            "xueji:exported_at": moment(sitting.at),
            "xueji:people": "names" if asked.names else "pseudonyms",
        }
        return write_xes(file, said, reading, events_of(sitting.desk.connection, scope))

    return _export(caller, asked, "export:xes", write)


def export_ocel(caller: Caller, asked: LogAsked) -> int:
    """Write an OCEL 2.0 log as JSON.

    Raises:
        Misuse: If the name of the file says otherwise.
        NotAllowed: If the person is no auditor.
        Unknown: If there is no such batch or workflow.
    """
    _named(asked.path, (".json", ".jsonocel"))

    def write(file: Sink, sitting: Sitting, reading: Reading, scope: Scope) -> Counted:
        """The trail is read twice, once for the objects and once for what happened to them."""
        connection = sitting.desk.connection
        members = {
            of: [member for _, member in many]
            for of, many in groupby(members_of(connection, scope), key=lambda one: one[0])
        }
        sources = Sources(
            events=lambda: events_of(connection, scope),
            cases=cases_of(connection, scope),
            members=members,
            units=sitting.desk.units(),
        )
        return write_ocel(file, reading, sources)

    return _export(caller, asked, "export:ocel", write)


def _named(path: Path, endings: tuple[str, ...]) -> None:
    if not path.name.endswith(endings):
        message = f"文件名应以 {' 或 '.join(endings)} 结尾。The name of the file ends in {' or '.join(endings)}: {path}"
        raise Misuse(message)


_Writes = Callable[[Sink, Sitting, Reading, Scope], Counted]


def _export(caller: Caller, asked: LogAsked, trigger: str, write: _Writes) -> int:
    """Write beside the file, keep the event, and only then give it its name: nothing is out that the trail lacks."""
    with caller.sitting() as sitting:
        desk = sitting.desk
        request = sitting.request(trigger, desk.actor(asked.login))
        scope = _scope(sitting, asked, request)
        reading = Reading(
            pseudonyms=Pseudonyms(None if asked.names else secrets.token_bytes(_KEY_BYTES)),
            definitions=_definitions(sitting),
            kinds=STEPS | REFUSALS if asked.refusals else STEPS,
        )
        part = asked.path.with_name(f".{asked.path.name}.{secrets.token_hex(4)}.part")
        try:
            with desk.connection.reading(), opened_for(asked.path, part) as file:
                counted = write(file, sitting, reading, scope)
            told: dict[str, Json] = {"batch": asked.batch, "workflow": asked.workflow, "names": asked.names}
            keep_read(sitting, trigger, asked.login, {**told, "cases": counted.cases, "events": counted.events})
            part.replace(asked.path)
        finally:
            part.unlink(missing_ok=True)
    line(f"已写入 written: {asked.path}（{counted.cases} 件 cases，{counted.events} 步 events）", style="green")
    return 0


def _scope(sitting: Sitting, asked: LogAsked, request: Request) -> Scope:
    """The cases an auditor may have; a batch or workflow that is not there is a mistake and no empty log."""
    connection = sitting.desk.connection
    paths = tuple(grant.path for grant in reach_of(sitting.desk, request))
    if asked.batch is not None and asked.batch not in registry.batches(connection):
        raise Unknown("批次 batch", asked.batch, registry.batches(connection))
    workflows = {one.workflow for one in _definitions(sitting).values()}
    if asked.workflow is not None and asked.workflow not in workflows:
        raise Unknown("流程 workflow", asked.workflow, workflows)
    return Scope(paths=paths, batch=asked.batch, workflow=asked.workflow)


def _definitions(sitting: Sitting) -> Mapping[str, Definition]:
    """Every definition a case was ever pinned to, by its hash."""
    return {shape: sitting.desk.definition(shape) for shape in registry.shapes(sitting.desk.connection)}
