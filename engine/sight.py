"""What is seen around a case: facts, fields, record, batch, unit, and readings over related cases.

Everything is looked up by the key under which the event will record it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from engine.definition import Definition, Effect
from engine.desk import Desk
from engine.expressions.compiling import Reading
from engine.expressions.kinds import SHANGHAI, Row, Value, decode, encode, parse_kind
from engine.expressions.tree import Source
from engine.records import Case, Json, Request
from engine.steps import Machine
from engine.store.cases import Found, read_case, related, same_person
from engine.trail.event import moment

_BUILT_IN: Mapping[str, Callable[[Case], Json]] = {
    "state": lambda case: case.state,
    "unit": lambda case: case.unit,
    "rounds": lambda case: case.rounds,
    "opened_on": lambda case: _day(case.opened_at),
    "entered_on": lambda case: _day(case.entered_at),
}


class Seeing:
    """The sight of one request on one case; what is asked for twice is looked up once."""

    __slots__ = ("_case", "_desk", "_found", "_known", "_machine", "_neighbours", "_record", "_related", "_request")

    def __init__(
        self,
        desk: Desk,
        machine: Machine,
        found: Found,
        request: Request,
        *,
        neighbours: Mapping[int, list[Case]] | None = None,
    ) -> None:
        self._desk = desk
        self._machine = machine
        self._found = found
        self._case = found.case
        self._known: Mapping[str, Json] | None = None
        self._request = request
        self._record: Case | None = None
        self._related: list[Case] | None = None
        self._neighbours = neighbours

    def see(self, facts: Sequence[str], others: Sequence[str]) -> dict[str, Json]:
        """The values of all keys as JSON, None where not known."""
        seen: dict[str, Json] = {}
        if facts:
            known = self._facts
            seen = {key: known.get(key) for key in facts}
        for key in others:
            seen[key] = self._other(key)
        return seen

    @property
    def _facts(self) -> Mapping[str, Json]:
        if self._known is None:
            self._known = self._found.facts
        return self._known

    def linked(self, effect: Effect) -> tuple[str, ...]:
        """The numbers of the open cases an effect would reach."""
        cases = [one for one in self._all_related() if not self._desk.definition(one.shape).is_final(one.state)]
        if effect.cancel is not None:
            return tuple(one.number for one in cases)
        target = (effect.fire or "").rpartition(".")[0]
        if target == "record":
            record = self._record_case()
            return () if record is None or record.id == self._case.id else (record.number,)
        return tuple(one.number for one in cases if one.workflow == target)

    def _other(self, key: str) -> Json:
        reading, group, name = self._machine.look(key)
        if reading is not None:
            return self._read(reading)
        if not group:
            return self._facts.get(name) if name in self._machine.stored else self._clock(name)
        if group == "case":
            return self._of_case(self._case, name, self._request.fields)
        if group == "record":
            return self._of_record(name)
        return self._of_batch(name) if group == "batch" else self._of_unit(group, name)

    def _of_record(self, name: str) -> Json:
        record = self._record_case()
        return None if record is None else self._of_case(record, name, {})

    def _clock(self, key: str) -> Json:
        at = self._request.at
        if key == "today":
            return _today(at)
        return moment(at) if key == "now" else None  # this_term needs the teaching calendar

    def _of_case(self, case: Case, name: str, given: Mapping[str, Json]) -> Json:
        if name in given:
            return given[name]
        built_in = _BUILT_IN.get(name)
        if built_in is not None:
            return built_in(case)
        if name == "open":
            return not self._desk.definition(case.shape).is_final(case.state)
        return case.fields.get(name)

    def _of_batch(self, name: str) -> Json:
        batch = self._of_case(self._case, "batch", self._request.fields)
        row = self._desk.batch(batch) if isinstance(batch, str) else None
        return None if row is None else row.values.get(name)

    def _of_unit(self, group: str, name: str) -> Json:
        at: str | None = self._case.unit
        units = self._desk.units()
        while at is not None and group != "unit" and units[at].kind != group:
            at = units[at].parent
        if at is None:
            return None
        row = units[at]
        return {"code": row.code, "name": row.name, "kind": row.kind}.get(name)

    def _record_case(self) -> Case | None:
        if self._found.record in (None, self._case.id):
            return self._case if self._found.record == self._case.id else None
        if self._record is None:
            found = read_case(self._desk.connection, self._found.record or 0)
            self._record = found.case if found else None
        return self._record

    def _read(self, reading: Reading) -> Json:
        if reading.only_cases and not self._found.has_others:
            return self._machine.on_nothing(reading)
        outer = self._machine.decoded(self.see((), reading.outer)).values() if reading.outer else ()
        value = reading.run(*outer, *map(self._supply, reading.sources))
        return value if isinstance(value, bool) or value is None else encode(reading.kind, value)

    def _supply(self, source: Source) -> Sequence[Row] | Value | None:
        match source.function:
            case "taken":
                return source.argument in self._case.taken
            case "cases":
                return [self._row(one) for one in self._all_related() if self._is(one, source.argument)]
            case "same_person":
                return self._same_person()
            case "has" | "reviewed":
                return False  # documents are not kept yet: none is on the case
            case "differing_fields" | "empty_fields":
                return ()  # what the registry makes from its own facts cannot differ from them
            case _:
                return None

    def _same_person(self) -> list[Row]:
        """Records of other students with this ID number; the database keeps it unique, so there are none yet."""
        number = self._facts.get("id_number")
        others = same_person(self._desk.connection, str(number), self._case.student or 0) if number else []
        return [{**self._machine.decoded(facts), "record_state": state} for facts, state in others]

    def _all_related(self) -> list[Case]:
        if self._related is None:
            self._related = self._look_up_related()
        return self._related

    def _look_up_related(self) -> list[Case]:
        student = self._case.student
        if student is None or not self._found.has_others:
            return []
        if self._neighbours is not None:  # fetched for the whole chunk in one go
            return [one for one in self._neighbours.get(student, ()) if one.id != self._case.id]
        return related(self._desk.connection, student, self._case.id)

    def _is(self, case: Case, name: str) -> bool:
        return name in (case.workflow, self._desk.definition(case.shape).family)

    def _row(self, case: Case) -> Row:
        definition = self._desk.definition(case.shape)
        return {
            **self._machine.decoded(self._facts),
            **{name: _field(definition, name, raw) for name, raw in case.fields.items()},
            "number": case.number,
            "state": case.state,
            "open": not definition.is_final(case.state),
            "unit": case.unit,
            "rounds": case.rounds,
        }


def _field(definition: Definition, name: str, raw: Any) -> Any:  # noqa: ANN401 JSON becomes a value here
    field = definition.fields.get(name)
    return raw if raw is None or field is None else decode(parse_kind(field.type), raw)


@lru_cache(maxsize=8)
def _today(at: datetime) -> str:
    """The day of a moment in Asia/Shanghai; one act asks it for every case."""
    return at.astimezone(SHANGHAI).date().isoformat()


def _day(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(SHANGHAI).date().isoformat()
