"""Drawing a workflow: as a picture, for a document, or for a modeller of processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from console.calling import Caller, Misuse, Sitting
from console.drawing import Way
from console.drawing import draw as draw_picture
from console.printing import line
from console.settings import Settings
from engine.definition import CANCELLED, Definition
from engine.errors import Unknown
from engine.library import Library
from engine.loading.remembered import load_remembered
from engine.records import case_of
from engine.store.cases import read_case
from engine.trail.event import EventKind
from exchange.bpmn import bpmn
from exchange.diagrams import diagram_of
from exchange.mermaid import mermaid
from exchange.processes import process_of
from rules.functions import FUNCTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be drawn: which workflow (by name or procedure), as which profile runs it, in which form."""

    workflow: str
    profile: str | None
    form: str
    case: str | None = None


def draw(caller: Caller, wanted: Wanted, file: Path | None) -> int:
    """Draw a workflow into a file, or onto standard output.

    Raises:
        Misuse: If there is no such form, or a case is to be shown in one that shows none.
        Unknown: If there is no such workflow, profile or case.
    """
    if wanted.form not in _FORMS:
        raise Unknown("格式 format", wanted.form, _FORMS)
    if wanted.case is not None and wanted.form != "svg":
        message = "只有 svg 能标出办件的经过。Only svg shows the way of a case."
        raise Misuse(message)
    library = _library(caller.settings)
    if wanted.case is None:
        text = _FORMS[wanted.form](_definition(library, wanted), library)
    else:
        with caller.sitting() as sitting:
            text = _case_drawn(sitting, wanted.case)
    if file is None:
        print(text, end="")  # noqa: T201 a picture for a pipe, as it is
    else:
        file.write_text(text, encoding="utf-8")
        line(f"已写入 written: {file}", style="green")
    return 0


def _library(settings: Settings) -> Library:
    return load_remembered(settings.definitions, settings.memory_folder, FUNCTIONS)


def _svg(definition: Definition, _library: Library) -> str:
    return draw_picture(diagram_of(definition))


def _mermaid(definition: Definition, _library: Library) -> str:
    return mermaid(diagram_of(definition))


def _bpmn(definition: Definition, library: Library) -> str:
    roles = library.rulebook_for(definition.profile).organisation.roles
    return bpmn(process_of(definition, {name: role.title.zh for name, role in roles.items()}))


_FORMS: Mapping[str, Callable[[Definition, Library], str]] = {"svg": _svg, "mermaid": _mermaid, "bpmn": _bpmn}


def _definition(library: Library, wanted: Wanted) -> Definition:
    """The workflow or list of that name, or the procedure of that id; without a profile as its file has it."""
    every = [one for procedure in library.definitions.values() for one in procedure.machines()]
    machines = [one for one in every if wanted.workflow in (one.workflow, one.procedure)]
    if not machines:
        raise Unknown("流程 workflow", wanted.workflow, {one.workflow for one in every})
    profiles = [one.profile for one in machines]
    if wanted.profile is not None and wanted.profile not in profiles:
        raise Unknown(f"{wanted.workflow} 的办学类型 profile", wanted.profile, profiles)
    return next(one for one in machines if wanted.profile in (None, one.profile))


def _case_drawn(sitting: Sitting, number: str) -> str:
    """A case's own definition, with its way in colour."""
    desk = sitting.desk
    case = case_of(number)
    found = None if case is None else read_case(desk.connection, case)
    if found is None:
        raise Unknown("办件 case", number)
    sql = "SELECT body FROM event WHERE chain = ? ORDER BY seq"
    events = [orjson.loads(bytes(row[0])) for row in desk.connection.execute(sql, (case,)).fetchall()]
    steps = [
        (event["data"]["trigger"], event["data"]["from"], event["data"]["to"])
        for event in events
        if event["kind"] in (EventKind.OPENED, EventKind.MOVED)
    ]
    cancelled_in = next((origin for trigger, origin, _ in steps if trigger == CANCELLED), None)
    diagram = diagram_of(desk.definition(found.case.shape), cancelled_in=cancelled_in)
    return draw_picture(diagram, Way(steps=steps, state=found.case.state))
