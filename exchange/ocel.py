"""OCEL 2.0 as JSON: one log in which a step belongs to its case, its student, its unit and what caused it.

The trail is read twice, objects first, so that nothing is held but numbers and names; what a relationship names is
always in the same log.

Source: the OCEL 2.0 specification (JSON): `objectTypes`, `eventTypes`, `objects`, `events`, qualified relationships.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import orjson

from engine.records import Json, case_of
from engine.store.process_logs import LoggedCase
from engine.store.registry import UnitRow
from engine.trail.event import chain_name
from exchange.process_logs import Counted, Happening, Reading, Sink

_OF_EVENT = (
    "title", "title_en", "kind", "resource", "role", "from", "to",
    "done_by", "on_behalf_of", "delegated_by", "late", "cause",
)  # fmt: skip
_OF_CASE = ("procedure", "profile", "version", "definition", "batch", "state")
_OF_UNIT = ("name", "kind")
_ALWAYS = "1970-01-01T00:00:00.000000Z"
"""Since when a value holds that never changes; the specification asks for a moment of every value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the lines come from.

    `events` is asked twice and gives the same each time; `cases` are the numbers of all it gives, `members` the cases
    on each frozen list.
    """

    events: Callable[[], Iterable[tuple[LoggedCase, bytes]]]
    cases: Collection[int]
    members: Mapping[int, Sequence[int]]
    units: Mapping[str, UnitRow]


@dataclass(frozen=True, slots=True)
class _Types:
    """The types met on the way, which the log declares at its end."""

    steps: set[str] = field(default_factory=set)
    workflows: set[str] = field(default_factory=set)


def write_ocel(file: Sink, reading: Reading, sources: Sources) -> Counted:
    """Write the log.

    Args:
        file: Where to.
        reading: How events become lines.
        sources: The trail, read twice.
    """
    types = _Types()
    file.write(b'{"objects":[\n')
    _lines(file, _objects(reading, sources, types))
    file.write(b'],\n"events":[\n')
    events = _lines(file, _events(reading, sources, types))
    file.write(b'],\n"objectTypes":[\n')
    objects = {"student": (), "unit": _OF_UNIT, **dict.fromkeys(sorted(types.workflows), _OF_CASE)}
    _lines(file, (_type(name, texts) for name, texts in objects.items()))
    file.write(b'],\n"eventTypes":[\n')
    _lines(file, (_type(name, _OF_EVENT) for name in sorted(types.steps)))
    file.write(b"]}\n")
    return Counted(cases=len(sources.cases), events=events)


def _lines(file: Sink, values: Iterable[Mapping[str, Json]]) -> int:
    """Write the members of an array, one a line, and tell how many."""
    many = 0
    for many, value in enumerate(values, start=1):
        file.write((b",\n" if many > 1 else b"") + orjson.dumps(value))
    file.write(b"\n")
    return many


def _type(name: str, texts: Iterable[str]) -> dict[str, Json]:
    return {"name": name, "attributes": [{"name": text, "type": "string"} for text in texts]}


def _objects(reading: Reading, sources: Sources, types: _Types) -> Iterator[dict[str, Json]]:
    """Units, and each case with the states it went through; before a student's first case the student."""
    for code, unit in sources.units.items():
        above = [] if unit.parent is None else [_to(f"unit/{unit.parent}", "below")]
        texts = [_text("name", unit.name, _ALWAYS), _text("kind", unit.kind, _ALWAYS)]
        yield {"id": f"unit/{code}", "type": "unit", "attributes": texts, "relationships": above}
    students = set()
    for case, many in groupby(sources.events(), key=lambda one: one[0]):
        types.workflows.add(case.workflow)
        if case.student is not None and case.student not in students:
            students.add(case.student)
            yield {"id": _student(reading, case), "type": "student", "attributes": [], "relationships": []}
        yield {
            "id": chain_name(case.id),
            "type": case.workflow,
            "attributes": [*_said_of(reading, case, [body for _, body in many])],
            "relationships": [*_tied(reading, sources, case)],
        }


def _said_of(reading: Reading, case: LoggedCase, bodies: Iterable[bytes]) -> Iterator[dict[str, Json]]:
    definition = reading.definitions[case.shape]
    yield _text("procedure", definition.procedure, _ALWAYS)
    yield _text("profile", definition.profile, _ALWAYS)
    yield _text("version", str(definition.version), _ALWAYS)
    yield _text("definition", case.shape, _ALWAYS)
    if case.batch is not None:
        yield _text("batch", case.batch, _ALWAYS)
    for body in bodies:
        one = reading.read(case, body)
        if one is not None and one.origin != one.target:
            yield _text("state", one.target, one.at)


def _text(name: str, value: str, at: str) -> dict[str, Json]:
    return {"name": name, "value": value, "time": at}


def _tied(reading: Reading, sources: Sources, case: LoggedCase) -> Iterator[dict[str, Json]]:
    if case.student is not None:
        yield _to(_student(reading, case), "student")
    yield _to(f"unit/{case.unit}", "at")
    for member in sources.members.get(case.id, ()):
        if member in sources.cases:
            yield _to(chain_name(member), "member")


def _events(reading: Reading, sources: Sources, types: _Types) -> Iterator[dict[str, Json]]:
    for case, body in sources.events():
        one = reading.read(case, body)
        if one is not None:
            step = f"{case.workflow}.{one.step}"
            types.steps.add(step)
            yield {
                "id": f"{chain_name(case.id)}#{one.seq}",
                "type": step,
                "time": one.at,
                "attributes": [{"name": name, "value": value} for name, value in _told(one).items() if value],
                "relationships": [*_related(reading, sources, case, one)],
            }


def _told(one: Happening) -> dict[str, str]:
    own = {
        "title": one.title.zh, "title_en": one.title.en, "kind": one.kind.value, "resource": one.resource,
        "role": one.role, "from": one.origin, "to": one.target,
    }  # fmt: skip
    return own | {name: one.more.get(name, "") for name in _OF_EVENT[len(own) :]}


def _related(reading: Reading, sources: Sources, case: LoggedCase, one: Happening) -> Iterator[dict[str, Json]]:
    yield _to(chain_name(case.id), "case")
    if case.student is not None:
        yield _to(_student(reading, case), "student")
    if one.unit in sources.units:
        yield _to(f"unit/{one.unit}", "at")
    kind, _, number = one.more.get("cause", "").partition("#")[0].partition("/")
    if kind == "case" and case_of(number) in sources.cases:
        yield _to(f"case/{number}", "caused by")


def _to(of: str, qualifier: str) -> dict[str, Json]:
    return {"objectId": of, "qualifier": qualifier}


def _student(reading: Reading, case: LoggedCase) -> str:
    return f"student/{reading.pseudonyms.student(case.student or 0, case.student_no)}"
